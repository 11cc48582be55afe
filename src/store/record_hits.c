#include "prescreen/base/bug.h"

#include "record_store.h"

#include <math.h>

/* An average over about as many windows as a day has hours. Windows begin at whole multiples of their length.
 */
#define USUAL_WEIGHT (1.0 / 24)
enum { FORGET_MAX = 500 };
#define DAY_US          UINT64_C(86400000000)
#define SOURCE_LIFE_US  (2 * RECORD_HIT_WINDOW_MAX_US)
#define HISTORY_LIFE_US (100 * DAY_US)

/* What is kept of the matches of one entry. */
struct hit_history {
    uint64_t began_us; /* of the window that count is of */
    uint64_t count, previous;
    double usual; /* average of the windows before */
};

int record_hits_prepare(struct record_store *store, struct diag *diag)
{
    int result =
        database_prepare(store->writer,
                         "INSERT INTO hit_source(list, entry_id, source, began_us) VALUES(?1, ?2, ?3, ?4)"
                         " ON CONFLICT(list, entry_id, source) DO UPDATE SET began_us = excluded.began_us"
                         " WHERE hit_source.began_us <> excluded.began_us",
                         &store->see_source, diag);

    if (result == 0)
        result = database_prepare(
            store->writer,
            "SELECT began_us, count, previous, usual FROM hit WHERE list = ?1 AND entry_id = ?2",
            &store->find_hit, diag);
    if (result == 0)
        result = database_prepare(
            store->writer,
            "INSERT INTO hit(list, entry_id, began_us, count, previous, usual) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
            " ON CONFLICT(list, entry_id) DO UPDATE SET began_us = excluded.began_us, count = excluded.count,"
            " previous = excluded.previous, usual = excluded.usual",
            &store->keep_hit, diag);
    return result;
}

void record_hits_forget_bindings(struct record_store *store)
{
    sqlite3_clear_bindings(store->see_source);
    sqlite3_clear_bindings(store->find_hit);
    sqlite3_clear_bindings(store->keep_hit);
}

/* *is_new: nothing of this source matched this entry in this window yet. */
static int see_source(struct record_store *store, const struct record_hit *hit, const char *source,
                      uint64_t began_us, bool *is_new, struct diag *diag)
{
    struct database_binder binder = database_bind(store->see_source);

    bind_number(&binder, hit->list);
    bind_text(&binder, hit->entry_id);
    bind_text(&binder, source);
    bind_number(&binder, (int64_t)began_us);
    int result = database_bound(&binder, diag);
    if (result == 0)
        result = database_run(store->see_source, diag);
    *is_new = sqlite3_changes(store->writer) > 0;
    return result;
}

static int find_history(struct record_store *store, const struct record_hit *hit, uint64_t began_us,
                        struct hit_history *history, struct diag *diag)
{
    struct database_binder binder = database_bind(store->find_hit);

    bind_number(&binder, hit->list);
    bind_text(&binder, hit->entry_id);
    int result = database_bound(&binder, diag);
    if (result == 0)
        result = database_step(store->find_hit, diag);
    *history = (struct hit_history){.began_us = began_us};
    if (result == DATABASE_ROW)
        *history = (struct hit_history){.began_us = (uint64_t)sqlite3_column_int64(store->find_hit, 0),
                                        .count = (uint64_t)sqlite3_column_int64(store->find_hit, 1),
                                        .previous = (uint64_t)sqlite3_column_int64(store->find_hit, 2),
                                        .usual = sqlite3_column_double(store->find_hit, 3)};
    sqlite3_reset(store->find_hit);
    return result < 0 ? result : 0;
}

static int keep_history(struct record_store *store, const struct record_hit *hit,
                        const struct hit_history *history, struct diag *diag)
{
    struct database_binder binder = database_bind(store->keep_hit);

    bind_number(&binder, hit->list);
    bind_text(&binder, hit->entry_id);
    bind_number(&binder, (int64_t)history->began_us);
    bind_number(&binder, (int64_t)history->count);
    bind_number(&binder, (int64_t)history->previous);
    bind_real(&binder, history->usual);
    int result = database_bound(&binder, diag);
    return result != 0 ? result : database_run(store->keep_hit, diag);
}

/* Brings the history to the window that began then. A clock that was set back stays in the window that it
 * left. */
static void roll(struct hit_history *history, uint64_t began_us, uint64_t window_us)
{
    if (began_us <= history->began_us)
        return;
    const uint64_t windows = (began_us - history->began_us + window_us - 1) / window_us;
    history->usual += USUAL_WEIGHT * ((double)history->count - history->usual);
    history->usual *= pow(1 - USUAL_WEIGHT, (double)(windows - 1));
    history->previous = windows == 1 ? history->count : 0;
    history->count = 0;
    history->began_us = began_us;
}

/* Matches of the last window's length up to now: those of the window that runs, and the part of the one
 * before that still counts, as if they had come evenly. */
static uint64_t count_recent(const struct hit_history *history, uint64_t window_us, uint64_t now_us)
{
    const uint64_t elapsed_us = now_us > history->began_us ? now_us - history->began_us : 0;
    const double part = elapsed_us < window_us ? 1 - (double)elapsed_us / (double)window_us : 0;

    return history->count + (uint64_t)((double)history->previous * part + 0.5);
}

static int count_hit(struct record_store *store, const struct screening_record *record,
                     struct record_hit *hit, struct diag *diag)
{
    const uint64_t window_us = record->hit_window_us;
    const uint64_t began_us = record->at_us - record->at_us % window_us;
    struct hit_history history;
    bool is_new = true;
    int result = see_source(store, hit, record->hit_source, began_us, &is_new, diag);

    if (result == 0)
        result = find_history(store, hit, began_us, &history, diag);
    if (result != 0)
        return result;
    roll(&history, began_us, window_us);
    history.count += is_new;
    hit->recent = count_recent(&history, window_us, record->at_us);
    hit->usual = history.usual;
    return is_new ? keep_history(store, hit, &history, diag) : 0;
}

int record_hits_count(struct record_store *store, const struct screening_record *record, struct diag *diag)
{
    int result = 0;

    BUG_ON(record->hit_count > 0 && (record->hit_source == NULL || record->hit_window_us == 0 ||
                                     record->hit_window_us > RECORD_HIT_WINDOW_MAX_US));
    for (size_t i = 0; result == 0 && i < record->hit_count; i++)
        result = count_hit(store, record, &record->hits[i], diag);
    return result;
}

static int forget_sources_run(struct record_store *store, struct record_job *job)
{
    const int64_t values[] = {job->now_us > SOURCE_LIFE_US ? (int64_t)(job->now_us - SOURCE_LIFE_US) : 0,
                              FORGET_MAX};
    int result =
        database_execute(store->writer,
                         "DELETE FROM hit_source WHERE id IN (SELECT id FROM hit_source WHERE began_us < ?1"
                         " ORDER BY began_us LIMIT ?2)",
                         values, 2, &job->diag);

    job->changed = sqlite3_changes(store->writer);
    return result;
}

static int forget_histories_run(struct record_store *store, struct record_job *job)
{
    const int64_t values[] = {job->now_us > HISTORY_LIFE_US ? (int64_t)(job->now_us - HISTORY_LIFE_US) : 0,
                              FORGET_MAX};
    int result = database_execute(
        store->writer,
        "DELETE FROM hit WHERE id IN (SELECT id FROM hit WHERE began_us < ?1 ORDER BY began_us LIMIT ?2)",
        values, 2, &job->diag);

    job->changed = sqlite3_changes(store->writer);
    return result;
}

static int forget(struct record_store *store, int (*run)(struct record_store *store, struct record_job *job),
                  uint64_t now_us, struct diag *diag)
{
    struct record_job job;
    int result;

    do {
        job = (struct record_job){.run = run, .now_us = now_us};
        result = record_queue_run(store, &job, diag);
    } while (result == 0 && job.changed == FORGET_MAX);
    return result;
}

int record_store_forget_hits(struct record_store *store, uint64_t now_us, struct diag *diag)
{
    int result = forget(store, forget_sources_run, now_us, diag);

    return result != 0 ? result : forget(store, forget_histories_run, now_us, diag);
}
