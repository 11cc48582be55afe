#include "prescreen/worker/pool.h"

#include "prescreen/base/clock.h"

#include "slots.h"
#include "supervisor.h"
#include "trial.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    BURIAL_TIME_US = 5000000,
    CPU_MARGIN_SECONDS = 10,
    FAILURES_MAX = 3, /* children of a slot in a row, before it counts as broken */
};

static int check_options(const struct worker_pool_options *options, struct diag *diag)
{
    if (options->worker_path == NULL || options->worker_path[0] != '/')
        return diag_fail(diag, -EINVAL, "the path of the worker must be absolute");
    if (options->count == 0 || options->count > WORKER_POOL_COUNT_MAX)
        return diag_fail(diag, -EINVAL, "the number of workers must be 1 to %d", WORKER_POOL_COUNT_MAX);
    if (options->job_time_us == 0 || options->memory_bytes == 0 || options->pixels_max == 0 ||
        options->frames_max == 0 || options->recycle_after == 0)
        return diag_fail(diag, -EINVAL, "a limit of the workers is 0, which would let nothing pass");
    return 0;
}

/* All that a worker may compute in its life; its parent's deadline ends a single job much earlier. */
static uint64_t lifetime_cpu_seconds(const struct worker_pool_options *options)
{
    uint64_t total_us = 0;
    uint64_t seconds = UINT32_MAX;

    if (!__builtin_mul_overflow(options->job_time_us, (uint64_t)options->recycle_after, &total_us))
        seconds = total_us / 1000000 + CPU_MARGIN_SECONDS;
    return seconds < UINT32_MAX ? seconds : UINT32_MAX;
}

static int init_slots(struct worker_pool *pool)
{
    pool->slots = calloc(pool->options.count, sizeof *pool->slots);
    if (pool->slots == NULL)
        return -ENOMEM;
    for (unsigned int i = 0; i < pool->options.count; i++)
        pool->slots[i].child = CHILD_NONE;
    pool->watched = calloc(1 + (size_t)pool->options.count, sizeof *pool->watched);
    if (pool->watched == NULL)
        return -ENOMEM;
    for (unsigned int i = 0; i < pool->options.count; i++) {
        pool->slots[i].packet = malloc(MESSAGE_REPLY_MAX);
        if (pool->slots[i].packet == NULL)
            return -ENOMEM;
    }
    return 0;
}

static int init_pool(struct worker_pool *pool)
{
    pool->worker_path = strdup(pool->options.worker_path);
    if (pool->worker_path == NULL)
        return -ENOMEM;
    pool->options.worker_path = pool->worker_path;
    pool->plan = (struct child_plan){.path = pool->worker_path,
                                     .kind = pool->options.kind,
                                     .memory_bytes = pool->options.memory_bytes,
                                     .cpu_seconds = lifetime_cpu_seconds(&pool->options),
                                     .cpu = pool->options.cpu};
    pool->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pool->wake_fd < 0)
        return -errno;
    return init_slots(pool);
}

/* Signals are for the threads that wait for them, never for the supervisor. */
static int start_supervisor(struct worker_pool *pool)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&pool->supervisor, NULL, supervisor_run, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pool->supervised = error == 0;
    return -error;
}

static unsigned int count_state(const struct worker_pool *pool, enum slot_state state)
{
    unsigned int count = 0;

    for (unsigned int i = 0; i < pool->options.count; i++)
        count += pool->slots[i].state == state;
    return count;
}

static bool is_coming(const struct slot *slot)
{
    return slot->state != SLOT_IDLE && slot->state != SLOT_BUSY && slot->failures < FAILURES_MAX;
}

static int await_start(struct worker_pool *pool, struct diag *diag)
{
    int result = 0;

    pthread_mutex_lock(&pool->lock);
    /* Every start ends in one or the other: the supervisor holds the deadlines. */
    while (!pool->start_failed && count_state(pool, SLOT_IDLE) < pool->options.count)
        pthread_cond_wait(&pool->change, &pool->lock);
    if (pool->start_failed)
        result = diag_fail(diag, -EPROTO, "%s", pool->start_diag.text);
    pthread_mutex_unlock(&pool->lock);
    return result;
}

static int run_pool(struct worker_pool *pool, struct diag *diag)
{
    int result = init_pool(pool);

    if (result != 0)
        return diag_fail(diag, result, "no memory or descriptors for the worker pool: %s", strerror(-result));
    spawn_keep_children();
    result = trial_run(&pool->plan, diag);
    if (result != 0)
        return result;
    result = start_supervisor(pool);
    if (result != 0)
        return diag_fail(diag, result, "the supervisor's thread cannot be started: %s", strerror(-result));
    return await_start(pool, diag);
}

int worker_pool_create(const struct worker_pool_options *options, struct worker_pool **pool,
                       struct diag *diag)
{
    int result = check_options(options, diag);

    if (result != 0)
        return result;
    struct worker_pool *created = calloc(1, sizeof *created);
    if (created == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the worker pool");
    created->options = *options;
    created->wake_fd = -1;
    pthread_mutex_init(&created->lock, NULL);
    result = slots_init_condition(&created->change);
    if (result != 0) {
        pthread_mutex_destroy(&created->lock);
        free(created);
        return diag_fail(diag, result, "no condition variable: %s", strerror(-result));
    }
    result = run_pool(created, diag);
    if (result != 0) {
        worker_pool_free(created);
        return result;
    }
    *pool = created;
    return 0;
}

void worker_pool_read_status(struct worker_pool *pool, struct worker_pool_status *status)
{
    pthread_mutex_lock(&pool->lock);
    *status = pool->counters;
    status->count = pool->options.count;
    status->busy = count_state(pool, SLOT_BUSY);
    status->alive = status->busy + count_state(pool, SLOT_IDLE);
    status->coming = 0;
    for (unsigned int i = 0; i < pool->options.count; i++)
        status->coming += is_coming(&pool->slots[i]);
    status->waiting = pool->waiting;
    pthread_mutex_unlock(&pool->lock);
}

static void end_callers(struct worker_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    for (struct waiter *waiter = pool->first; waiter != NULL; waiter = waiter->next)
        pthread_cond_signal(&waiter->turn);
    /* Each of them holds to its own deadline. */
    while (pool->callers > 0)
        pthread_cond_wait(&pool->change, &pool->lock);
    pool->stopping = true;
    pthread_mutex_unlock(&pool->lock);
}

static void end_slots(struct worker_pool *pool)
{
    struct spawn_ending ending;
    struct diag obituary;

    for (unsigned int i = 0; i < pool->options.count; i++) {
        if (pool->slots[i].child.pid >= 0)
            child_kill(&pool->slots[i].child);
    }
    for (unsigned int i = 0; i < pool->options.count; i++) {
        if (pool->slots[i].child.pid >= 0)
            (void)child_bury(&pool->slots[i].child, clock_monotonic_us() + BURIAL_TIME_US, &ending,
                             &obituary);
        free(pool->slots[i].packet);
    }
}

void worker_pool_free(struct worker_pool *pool)
{
    if (pool == NULL)
        return;
    end_callers(pool);
    if (pool->supervised) {
        slots_wake_supervisor(pool);
        pthread_join(pool->supervisor, NULL);
    }
    if (pool->slots != NULL)
        end_slots(pool);
    if (pool->wake_fd >= 0)
        close(pool->wake_fd);
    pthread_cond_destroy(&pool->change);
    pthread_mutex_destroy(&pool->lock);
    free(pool->slots);
    free(pool->watched);
    free(pool->worker_path);
    free(pool);
}
