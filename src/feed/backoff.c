#include "prescreen/feed/backoff.h"

#define MINUTE UINT64_C(60000000)
#define HOUR   (60 * MINUTE)

/* A part of an amount: 0 for the least chance, just under all of it for the greatest. */
static uint64_t part_of(uint64_t amount, uint32_t chance)
{
    /* In thousandths, so that nothing overflows. */
    return amount / 1000 * (((uint64_t)chance * 1000) >> 32);
}

static uint64_t at_least(uint64_t value, uint64_t minimum)
{
    return value < minimum ? minimum : value;
}

static uint64_t at_most(uint64_t value, uint64_t maximum)
{
    return value > maximum ? maximum : value;
}

static uint64_t doubled(uint64_t first_us, unsigned int failures)
{
    unsigned int times = failures > 0 ? failures - 1 : 0;

    return first_us << (times < FEED_DOUBLINGS_MAX ? times : FEED_DOUBLINGS_MAX);
}

uint64_t feed_call_wait_us(uint64_t first_us, unsigned int failures, uint64_t asked_us, uint32_t chance)
{
    uint64_t wait_us = doubled(first_us, failures);

    return at_least(wait_us - part_of(wait_us / 2, chance), asked_us);
}

uint64_t feed_pull_wait_us(uint64_t interval_us, enum feed_outcome outcome, unsigned int failures,
                           uint64_t asked_us, uint32_t chance)
{
    uint64_t wait_us = interval_us;

    if (outcome == FEED_FAILED)
        wait_us = at_most(doubled(MINUTE, failures), interval_us);
    if (outcome == FEED_DENIED)
        wait_us = at_most(doubled(HOUR, failures), at_least(interval_us, HOUR));
    return at_least(wait_us - part_of(wait_us / 10, chance), at_most(asked_us, FEED_ASKED_PAUSE_MAX_US));
}
