#include "prescreen/base/clock.h"

#include "prescreen/base/bug.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
    struct timespec now;

    BUG_ON(clock_gettime(id, &now) != 0);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

void clock_format_rfc3339(uint64_t wall_us, char text[CLOCK_RFC3339_SIZE])
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm parts = {0};
    char date[24];

    gmtime_r(&seconds, &parts);
    if (strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
        date[0] = '\0';
    snprintf(text, CLOCK_RFC3339_SIZE, "%s.%06uZ", date, (unsigned int)(wall_us % 1000000));
}

int clock_poll_timeout_ms(uint64_t deadline_us)
{
    uint64_t now = clock_monotonic_us();

    if (deadline_us <= now)
        return 0;
    uint64_t left_ms = (deadline_us - now + 999) / 1000;
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}
