#include "slots.h"

#include "prescreen/base/bug.h"
#include "prescreen/base/clock.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

int slots_init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);

    if (error != 0)
        return -error;
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return -error;
}

bool slots_wait(struct worker_pool *pool, pthread_cond_t *condition, uint64_t deadline_us)
{
    struct timespec until = {.tv_sec = (time_t)(deadline_us / 1000000),
                             .tv_nsec = (long)(deadline_us % 1000000) * 1000};

    return pthread_cond_timedwait(condition, &pool->lock, &until) != ETIMEDOUT;
}

uint64_t slots_number_job(struct worker_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    uint64_t number = ++pool->next_job;
    pthread_mutex_unlock(&pool->lock);
    return number;
}

static struct slot *find_idle(struct worker_pool *pool)
{
    for (unsigned int i = 0; i < pool->options.count; i++) {
        if (pool->slots[i].state == SLOT_IDLE)
            return &pool->slots[i];
    }
    return NULL;
}

static void enqueue(struct worker_pool *pool, struct waiter *waiter)
{
    if (pool->last == NULL)
        pool->first = waiter;
    else
        pool->last->next = waiter;
    pool->last = waiter;
    pool->waiting++;
}

static void dequeue(struct worker_pool *pool, const struct waiter *waiter)
{
    struct waiter *previous = NULL;
    struct waiter **link = &pool->first;

    while (*link != waiter) {
        BUG_ON(*link == NULL);
        previous = *link;
        link = &previous->next;
    }
    *link = waiter->next;
    if (pool->last == waiter)
        pool->last = previous;
    pool->waiting--;
}

/* The caller has joined the queue. A slot that is offered leaves the queue with its waiter. */
static int wait_turn(struct worker_pool *pool, struct waiter *waiter, uint64_t deadline_us)
{
    bool in_time = true;

    while (waiter->slot == NULL && !pool->closing && in_time)
        in_time = slots_wait(pool, &waiter->turn, deadline_us);
    if (waiter->slot != NULL)
        return 0;
    dequeue(pool, waiter);
    return pool->closing ? -ESHUTDOWN : WORKER_POOL_BUSY;
}

int slots_take(struct worker_pool *pool, uint64_t deadline_us, struct slot **slot)
{
    struct waiter waiter = {.next = NULL, .slot = NULL};

    if (pool->closing)
        return -ESHUTDOWN;
    struct slot *idle = find_idle(pool);
    if (idle != NULL) { /* nobody waits then: an offered slot goes to the queue first */
        idle->state = SLOT_BUSY;
        *slot = idle;
        return 0;
    }
    if (pool->waiting >= pool->options.queue_max || slots_init_condition(&waiter.turn) != 0)
        return WORKER_POOL_BUSY;
    enqueue(pool, &waiter);
    int result = wait_turn(pool, &waiter, deadline_us);
    pthread_cond_destroy(&waiter.turn);
    if (result == 0)
        *slot = waiter.slot;
    return result;
}

void slots_offer(struct worker_pool *pool, struct slot *slot)
{
    struct waiter *waiter = pool->first;

    if (waiter == NULL) {
        slot->state = SLOT_IDLE;
        return;
    }
    dequeue(pool, waiter);
    slot->state = SLOT_BUSY;
    waiter->slot = slot;
    pthread_cond_signal(&waiter->turn);
}

void slots_condemn(struct worker_pool *pool, struct slot *slot, enum worker_event cause, const char *why)
{
    struct worker_pool_status *counters = &pool->counters;

    child_kill(&slot->child);
    slot->state = SLOT_ENDING;
    slot->cause = cause;
    slot->why = why;
    counters->recycled += cause == WORKER_RECYCLED;
    counters->timed_out += cause == WORKER_TIMED_OUT;
    counters->nonsense += cause == WORKER_SPOKE_NONSENSE;
    counters->died += cause == WORKER_DIED || cause == WORKER_START_FAILED;
    if (slot->jobs_done > 0)
        slot->failures = 0;
    if (cause != WORKER_RECYCLED)
        slot->failures++;
}

void slots_wake_supervisor(struct worker_pool *pool)
{
    uint64_t one = 1;
    ssize_t written = write(pool->wake_fd, &one, sizeof one);

    (void)written; /* it fails only when so many wakes are pending that one more says nothing new */
}
