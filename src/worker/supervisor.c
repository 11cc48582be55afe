#include "supervisor.h"

#include "prescreen/base/clock.h"

#include "slots.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    START_TIME_US = 5000000, /* to pass the self-test, on a machine that is busy */
    TICK_US = 1000000, /* the longest sleep: a worker that died while its slot was not watched is found */
    BACKOFF_FIRST_US = 10000,
    /* A worker that does not even start will hardly do so a moment later. */
    BACKOFF_START_MAX_US = 5000000,
    /* One that was killed by its first upload is sound: to wait longer would let an attacker close every
       slot. */
    BACKOFF_JOB_MAX_US = 100000,
};

static void tell(struct worker_pool *pool, enum worker_event event, const char *text)
{
    if (pool->options.on_event != NULL)
        pool->options.on_event(pool->options.event_context, event, text);
}

static uint64_t backoff_us(const struct slot *slot)
{
    uint64_t most = slot->passed ? BACKOFF_JOB_MAX_US : BACKOFF_START_MAX_US;
    uint64_t wait = BACKOFF_FIRST_US;

    if (slot->failures < 2)
        return 0;
    for (unsigned int i = 2; i < slot->failures && wait < most; i++)
        wait *= 2;
    return wait < most ? wait : most;
}

/* The child is gone, or there never was one. Events come before what they make possible: whoever sees the
 * pool as it is now has been told why. */
static void vacate(struct worker_pool *pool, struct slot *slot, enum worker_event cause,
                   const struct diag *why)
{
    tell(pool, cause, why->text);
    pthread_mutex_lock(&pool->lock);
    slot->state = SLOT_VACANT;
    slot->start_us = clock_monotonic_us() + backoff_us(slot);
    if (cause == WORKER_START_FAILED && !pool->start_failed) {
        pool->start_failed = true;
        pool->start_diag = *why;
    }
    pthread_cond_broadcast(&pool->change);
    pthread_mutex_unlock(&pool->lock);
}

static void start(struct worker_pool *pool, struct slot *slot)
{
    struct job job = {.type = JOB_SELF_TEST, .number = slots_number_job(pool)};
    struct child child = CHILD_NONE;
    struct diag diag = {""};

    if (child_start(&pool->plan, &child, &diag) != 0) {
        pthread_mutex_lock(&pool->lock);
        slot->failures++;
        slot->passed = false;
        pool->counters.died++;
        pthread_mutex_unlock(&pool->lock);
        vacate(pool, slot, WORKER_START_FAILED, &diag);
        return;
    }
    /* When this fails the worker is gone, which its socket says next. */
    (void)child_send(&child, &job, -1);
    pthread_mutex_lock(&pool->lock);
    slot->child = child;
    slot->passed = false;
    slot->jobs_done = 0;
    slot->deadline_us = clock_monotonic_us() + START_TIME_US;
    slot->state = SLOT_STARTING;
    pthread_mutex_unlock(&pool->lock);
}

static void condemn(struct worker_pool *pool, struct slot *slot, const char *why)
{
    pthread_mutex_lock(&pool->lock);
    slots_condemn(pool, slot, WORKER_START_FAILED, why);
    pthread_mutex_unlock(&pool->lock);
}

static void admit(struct worker_pool *pool, struct slot *slot, uint32_t landlock_abi)
{
    struct diag text;

    diag_set(&text, "%s %d passed its self-test, Landlock version %u%s", worker_kind_title(slot->child.kind),
             (int)slot->child.pid, landlock_abi, landlock_abi == 0 ? " (this kernel has none)" : "");
    tell(pool, WORKER_STARTED, text.text);
    pthread_mutex_lock(&pool->lock);
    slot->passed = true;
    pool->counters.started++;
    slots_offer(pool, slot);
    pthread_cond_broadcast(&pool->change);
    pthread_mutex_unlock(&pool->lock);
}

static void follow_start(struct worker_pool *pool, struct slot *slot)
{
    uint32_t landlock_abi = 0;
    size_t size = 0;
    int result = child_receive(&slot->child, 0, slot->packet, MESSAGE_REPLY_MAX, &size);

    if (result == 0)
        result = message_read_self_tested(slot->packet, size, slot->child.job, &landlock_abi);
    if (result == 0)
        admit(pool, slot, landlock_abi);
    else if (result == -EPIPE)
        condemn(pool, slot, NULL);
    else if (result != -ETIMEDOUT)
        condemn(pool, slot, "answered its self-test with nonsense");
    else if (clock_monotonic_us() >= slot->deadline_us)
        condemn(pool, slot, "did not answer its self-test in time");
}

/* A caller may take the slot at any moment, so it is looked at and taken away in one step. */
static void check_idle(struct worker_pool *pool, struct slot *slot)
{
    struct spawn_ending ending;

    pthread_mutex_lock(&pool->lock);
    if (slot->state == SLOT_IDLE && spawn_await(&slot->child.process, 0, &ending) == 0)
        slots_condemn(pool, slot, WORKER_DIED, "ended between jobs");
    pthread_mutex_unlock(&pool->lock);
}

static void bury(struct worker_pool *pool, struct slot *slot)
{
    struct spawn_ending ending;
    struct diag obituary = {""};
    struct diag text = {""};

    if (child_bury(&slot->child, 0, &ending, &obituary) != 0)
        return; /* not dead yet: its pid_fd says when */
    diag_set(&text, "%s%s%s", slot->why == NULL ? "" : slot->why, slot->why == NULL ? "" : ": ",
             obituary.text);
    vacate(pool, slot, slot->cause, &text);
}

static void attend(struct worker_pool *pool, struct slot *slot)
{
    pthread_mutex_lock(&pool->lock);
    enum slot_state state = slot->state;
    pthread_mutex_unlock(&pool->lock);
    if (state == SLOT_VACANT && clock_monotonic_us() >= slot->start_us)
        start(pool, slot);
    else if (state == SLOT_STARTING)
        follow_start(pool, slot);
    else if (state == SLOT_IDLE)
        check_idle(pool, slot);
    else if (state == SLOT_ENDING)
        bury(pool, slot);
}

/* Fills in what to watch and returns how many; *deadline_us becomes the moment when something is due anyway.
 * A busy worker is its caller's to watch. */
static nfds_t collect(struct worker_pool *pool, struct pollfd *watched, uint64_t *deadline_us)
{
    nfds_t count = 0;

    watched[count++] = (struct pollfd){.fd = pool->wake_fd, .events = POLLIN};
    pthread_mutex_lock(&pool->lock);
    for (unsigned int i = 0; i < pool->options.count; i++) {
        const struct slot *slot = &pool->slots[i];
        uint64_t due = slot->state == SLOT_VACANT     ? slot->start_us
                       : slot->state == SLOT_STARTING ? slot->deadline_us
                                                      : UINT64_MAX;
        if (due < *deadline_us)
            *deadline_us = due;
        if (slot->state == SLOT_STARTING)
            watched[count++] = (struct pollfd){.fd = slot->child.socket_fd, .events = POLLIN};
        if (slot->state == SLOT_IDLE || slot->state == SLOT_ENDING)
            watched[count++] = (struct pollfd){.fd = slot->child.process.pid_fd, .events = POLLIN};
    }
    pthread_mutex_unlock(&pool->lock);
    return count;
}

static void wait_for_news(struct worker_pool *pool, struct pollfd *watched)
{
    uint64_t deadline_us = clock_monotonic_us() + TICK_US;
    uint64_t wakes;
    nfds_t count = collect(pool, watched, &deadline_us);

    poll(watched, count, clock_poll_timeout_ms(deadline_us));
    ssize_t got = read(pool->wake_fd, &wakes, sizeof wakes);
    (void)got; /* nothing there: a worker or the clock woke us */
}

static bool is_stopping(struct worker_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    bool stopping = pool->stopping;
    pthread_mutex_unlock(&pool->lock);
    return stopping;
}

void *supervisor_run(void *argument)
{
    struct worker_pool *pool = argument;

    while (!is_stopping(pool)) {
        for (unsigned int i = 0; i < pool->options.count; i++)
            attend(pool, &pool->slots[i]);
        wait_for_news(pool, pool->watched);
    }
    return NULL;
}
