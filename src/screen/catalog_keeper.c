/* The thread that keeps a catalog: what takes long and need not hold anybody up. */
#include "prescreen/base/clock.h"

#include "catalog_parts.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* A tenth of the share of a processor that others have when they want it. */
enum { NICENESS = 10, PERIOD_US = 1000000 };

/* While there are screenings, what nobody waits for goes on so long at a stretch, or as long as the kernel
 * takes to find it a huge page, then waits for their end: so many times as long at most, and only until
 * somebody waits for the keeper. */
enum { STRETCH_US = 100, WAIT_US = 50, WAIT_TIMES = 5, WAIT_US_MAX = 25000 };

/* Not being allowed to is no fault: others are merely held up. */
static void give_way(void)
{
    const struct sched_param parameter = {.sched_priority = 0};

    (void)sched_setscheduler(0, SCHED_BATCH, &parameter);
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
    /* To wait as long as it means to. */
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
}

static bool is_wanted(struct catalog_keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    bool wanted = keeper->wanted || keeper->stopping;
    pthread_mutex_unlock(&keeper->lock);
    return wanted;
}

static bool is_to_wait(struct catalog *catalog)
{
    return atomic_load_explicit(&catalog->screenings, memory_order_relaxed) > 0 &&
           !is_wanted(&catalog->keeper);
}

/* Between two pieces of work. What works beside a screening takes a processor that one of its threads would
 * have woken up on, and memory that its lookups wait for. To yield the processor is not enough for every
 * scheduler. */
static void make_way(void *context)
{
    struct catalog *catalog = context;
    struct catalog_keeper *keeper = &catalog->keeper;
    const struct timespec wait = {.tv_nsec = WAIT_US * 1000L};
    const uint64_t worked_us = clock_monotonic_us() - keeper->rested_us;

    if (worked_us < STRETCH_US)
        return;
    uint64_t left_us = worked_us * WAIT_TIMES < WAIT_US_MAX ? worked_us * WAIT_TIMES : WAIT_US_MAX;
    for (; left_us >= WAIT_US && is_to_wait(catalog); left_us -= WAIT_US)
        (void)nanosleep(&wait, NULL);
    keeper->rested_us = clock_monotonic_us();
}

/* Begins a round: everything stored by now will be taken in by its end. Returns false when there is none to
 * come. */
static bool wait_for_round(struct catalog_keeper *keeper)
{
    const uint64_t until_us = clock_monotonic_us() + PERIOD_US;
    const struct timespec until = {.tv_sec = (time_t)(until_us / 1000000),
                                   .tv_nsec = (long)(until_us % 1000000 * 1000)};
    int result = 0;

    pthread_mutex_lock(&keeper->lock);
    while (!keeper->stopping && !keeper->wanted && result == 0)
        result = pthread_cond_clockwait(&keeper->wake, &keeper->lock, CLOCK_MONOTONIC, &until);
    bool goes_on = !keeper->stopping;
    keeper->wanted = false;
    keeper->begun++;
    pthread_mutex_unlock(&keeper->lock);
    return goes_on;
}

static void end_round(struct catalog_keeper *keeper, const struct diag *diag)
{
    pthread_mutex_lock(&keeper->lock);
    keeper->ended = keeper->begun;
    keeper->diag = *diag;
    pthread_cond_broadcast(&keeper->turn);
    pthread_mutex_unlock(&keeper->lock);
}

static void take_in(struct catalog *catalog)
{
    struct diag diag = {""};

    pthread_mutex_lock(&catalog->refresh_lock);
    int result = catalog_take_in(catalog, &diag);
    pthread_mutex_unlock(&catalog->refresh_lock);
    if (result != 0 && diag.text[0] == '\0')
        diag_set(&diag, "%s", strerror(-result));
    if (result != 0)
        catalog_tell(catalog, CATALOG_UNREADABLE, diag.text);
    else
        diag.text[0] = '\0';
    end_round(&catalog->keeper, &diag);
}

static void free_retired(struct catalog *catalog)
{
    pthread_mutex_lock(&catalog->reading_lock);
    struct catalog_reading *retired = catalog->retired;
    catalog->retired = NULL;
    pthread_mutex_unlock(&catalog->reading_lock);
    while (retired != NULL) {
        struct catalog_reading *next = retired->next_retired;
        catalog_reading_free(retired);
        retired = next;
    }
}

/* Puts the merged segment in force. */
static int end_merge(struct catalog *catalog, struct index_merge *merge)
{
    struct index_generation *generation = NULL;
    struct catalog_reading *next = NULL;

    pthread_mutex_lock(&catalog->refresh_lock);
    int result = index_merge_end(merge, catalog->reading->generation, &generation);
    if (result == 0)
        result = catalog_reading_copy(catalog->reading, generation, &next);
    if (result == 0)
        catalog_swap(catalog, next, true);
    pthread_mutex_unlock(&catalog->refresh_lock);
    return result;
}

/* One merge. Returns 0 when there may be another one, INDEX_MERGE_NONE, or a negative errno. */
static int merge_once(struct catalog *catalog)
{
    const struct index_build build = {catalog->options.cpu, &catalog->keeper.pace};
    struct index_merge *merge = NULL;

    pthread_mutex_lock(&catalog->refresh_lock);
    int result = index_merge_begin(catalog->reading->generation, &build, &merge);
    pthread_mutex_unlock(&catalog->refresh_lock);
    if (result != 0)
        return result;
    result = index_merge_run(merge);
    if (result != 0) {
        pthread_mutex_lock(&catalog->refresh_lock);
        (void)index_merge_end(merge, NULL, NULL);
        pthread_mutex_unlock(&catalog->refresh_lock);
        return result;
    }
    result = end_merge(catalog, merge);
    free_retired(catalog);
    if (result == 0) {
        pthread_mutex_lock(&catalog->reading_lock);
        catalog->status.merges++;
        pthread_mutex_unlock(&catalog->reading_lock);
    }
    return result < 0 ? result : 0;
}

static void merge_all(struct catalog *catalog)
{
    int result = 0;

    while (result == 0 && !is_wanted(&catalog->keeper))
        result = merge_once(catalog);
    if (result < 0)
        catalog_tell(catalog, CATALOG_MERGE_FAILED, strerror(-result));
}

static void *keep(void *context)
{
    struct catalog *catalog = context;

    give_way();
    while (wait_for_round(&catalog->keeper)) {
        take_in(catalog);
        free_retired(catalog);
        merge_all(catalog);
        if (!is_wanted(&catalog->keeper))
            catalog_keep_snapshot(catalog, false);
    }
    catalog_keep_snapshot(catalog, true);
    free_retired(catalog);
    return NULL;
}

int catalog_keeper_start(struct catalog *catalog)
{
    struct catalog_keeper *keeper = &catalog->keeper;

    if (catalog->options.store == NULL)
        return 0;
    pthread_mutex_init(&keeper->lock, NULL);
    pthread_cond_init(&keeper->wake, NULL);
    pthread_cond_init(&keeper->turn, NULL);
    keeper->pace = (struct index_pace){make_way, catalog};
    /* Before the thread exists: it is what the thread itself reads. */
    keeper->running = true;
    int result = pthread_create(&keeper->thread, NULL, keep, catalog);
    if (result != 0) {
        keeper->running = false;
        pthread_cond_destroy(&keeper->turn);
        pthread_cond_destroy(&keeper->wake);
        pthread_mutex_destroy(&keeper->lock);
    }
    return -result;
}

void catalog_keeper_stop(struct catalog *catalog)
{
    struct catalog_keeper *keeper = &catalog->keeper;

    if (!keeper->running)
        return;
    pthread_mutex_lock(&keeper->lock);
    keeper->stopping = true;
    pthread_cond_signal(&keeper->wake);
    pthread_mutex_unlock(&keeper->lock);
    pthread_join(keeper->thread, NULL);
    keeper->running = false;
    pthread_cond_destroy(&keeper->turn);
    pthread_cond_destroy(&keeper->wake);
    pthread_mutex_destroy(&keeper->lock);
}

/* Waits until a round that begins from now on has ended. Returns 1 when the deadline passed. */
static int wait_for_turn(struct catalog_keeper *keeper, const uint64_t *deadline_us, struct diag *diag)
{
    const uint64_t round = keeper->begun + 1;
    int result = 0;

    keeper->wanted = true;
    pthread_cond_signal(&keeper->wake);
    while (keeper->ended < round && !keeper->stopping && result == 0) {
        if (deadline_us == NULL) {
            result = pthread_cond_wait(&keeper->turn, &keeper->lock);
        } else {
            const struct timespec until = {.tv_sec = (time_t)(*deadline_us / 1000000),
                                           .tv_nsec = (long)(*deadline_us % 1000000 * 1000)};
            result = pthread_cond_clockwait(&keeper->turn, &keeper->lock, CLOCK_MONOTONIC, &until);
        }
    }
    *diag = keeper->diag;
    return result != 0;
}

int catalog_keeper_wait(struct catalog *catalog, uint64_t version, const uint64_t *deadline_us,
                        struct diag *diag)
{
    pthread_mutex_lock(&catalog->keeper.lock);
    int late = wait_for_turn(&catalog->keeper, deadline_us, diag);
    pthread_mutex_unlock(&catalog->keeper.lock);
    if (late)
        return 1;
    const struct catalog_reading *reading = catalog_acquire(catalog);
    bool in_force = reading->lists_version >= version;
    catalog_release(catalog, reading);
    if (in_force)
        return 0;
    return diag->text[0] != '\0' ? -EIO : diag_fail(diag, -EIO, "the lists were not taken in");
}
