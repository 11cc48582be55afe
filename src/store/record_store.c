#include "record_store.h"

#include "prescreen/base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How often entries match: for each one number a window, and whose uploads did in the window that runs. */
#define HITS_SCHEMA                                                                                          \
    "CREATE TABLE hit("                                                                                      \
    " id INTEGER PRIMARY KEY, list INTEGER NOT NULL, entry_id TEXT NOT NULL, began_us INTEGER NOT NULL,"     \
    " count INTEGER NOT NULL, previous INTEGER NOT NULL, usual REAL NOT NULL, UNIQUE(list, entry_id)) "      \
    "STRICT;"                                                                                                \
    "CREATE INDEX hit_age ON hit(began_us);"                                                                 \
    "CREATE TABLE hit_source("                                                                               \
    " id INTEGER PRIMARY KEY, list INTEGER NOT NULL, entry_id TEXT NOT NULL, source TEXT NOT NULL,"          \
    " began_us INTEGER NOT NULL, UNIQUE(list, entry_id, source)) STRICT;"                                    \
    "CREATE INDEX hit_source_age ON hit_source(began_us);"

static const char schema[] =
    "CREATE TABLE record("
    " id INTEGER PRIMARY KEY, screening_id TEXT NOT NULL UNIQUE, at_us INTEGER NOT NULL CHECK(at_us >= 0),"
    " verdict TEXT NOT NULL, complete INTEGER NOT NULL, reasons TEXT, matches TEXT, media TEXT, hashes TEXT,"
    " profile TEXT, audience TEXT NOT NULL, policy_version TEXT,"
    " lists_version INTEGER NOT NULL CHECK(lists_version >= 0), content_id TEXT, account_ref TEXT, key_name "
    "TEXT,"
    " request_id TEXT) STRICT;"
    "CREATE TABLE outbox("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, screening_id TEXT NOT NULL UNIQUE REFERENCES "
    "record(screening_id),"
    " created_us INTEGER NOT NULL, state TEXT NOT NULL) STRICT;"
    "CREATE TABLE answer("
    " id INTEGER PRIMARY KEY, key_name TEXT NOT NULL, idempotency_key TEXT NOT NULL, fingerprint BLOB NOT "
    "NULL,"
    " answer TEXT NOT NULL, created_us INTEGER NOT NULL, UNIQUE(key_name, idempotency_key)) STRICT;"
    "CREATE INDEX answer_age ON answer(created_us);"
    "CREATE TABLE probe(id INTEGER PRIMARY KEY) STRICT;"
    "CREATE TRIGGER record_stays BEFORE DELETE ON record BEGIN SELECT raise(ABORT, 'records are never "
    "deleted'); END;"
    "CREATE TRIGGER record_is BEFORE UPDATE ON record BEGIN SELECT raise(ABORT, 'records are never "
    "changed'); END;" HITS_SCHEMA;

/* From each layout to the next. */
static const char *const upgrades[] = {HITS_SCHEMA};

static const struct database_layout layout = {.file = "records.sqlite",
                                              .what = "record store",
                                              .application_id = 0x50535253,
                                              .version = 1 + sizeof upgrades / sizeof upgrades[0],
                                              .schema = schema,
                                              .upgrades = upgrades,
                                              .wait_ms = RECORD_STORE_WAIT_MS,
                                              .text_max = RECORD_TEXT_MAX};

enum { FORGET_MAX = 500 }; /* answers forgotten in one go, so that adds need not wait for long */

static int open_connections(struct record_store *store, const char *path, struct diag *diag)
{
    int result = database_open(path, &layout, &store->writer, diag);

    if (result == 0)
        result = database_set_up(store->writer, &layout, diag);
    if (result == 0)
        result = record_add_prepare(store, diag);
    if (result == 0)
        result = database_open(path, &layout, &store->reader, diag);
    if (result == 0)
        result = database_prepare(store->reader, RECORD_ANSWER_QUERY, &store->read_answer, diag);
    if (result == 0)
        result =
            database_prepare(store->reader,
                             "SELECT json_object('screening_id', screening_id,"
                             " 'at', strftime('%Y-%m-%dT%H:%M:%S', at_us / 1000000, 'unixepoch') ||"
                             " printf('.%06dZ', at_us % 1000000),"
                             " 'verdict', verdict, 'complete', json(iif(complete, 'true', 'false')),"
                             " 'reasons', json(reasons), 'matches', json(matches), 'media', json(media),"
                             " 'hashes', json(hashes), 'profile', profile, 'audience', audience,"
                             " 'policy_version', policy_version, 'lists_version', lists_version,"
                             " 'content_id', content_id, 'account_ref', account_ref, 'key_name', key_name,"
                             " 'request_id', request_id) FROM record WHERE screening_id = ?1",
                             &store->read_record, diag);
    return result;
}

int record_store_open(const char *folder, struct record_store **store, struct diag *diag)
{
    char path[PATH_MAX];
    struct record_store *made = calloc(1, sizeof *made);

    if (made == NULL)
        return diag_fail(diag, -ENOMEM, "out of memory");
    pthread_mutex_init(&made->reading, NULL);
    pthread_mutex_init(&made->lock, NULL);
    int result = database_locate(folder, &layout, true, path, diag);
    if (result == 0)
        result = open_connections(made, path, diag);
    if (result != 0) {
        record_store_close(made);
        return result;
    }
    *store = made;
    return 0;
}

void record_store_close(struct record_store *store)
{
    if (store == NULL)
        return;
    database_close(store->reader);
    database_close(store->writer);
    pthread_mutex_destroy(&store->reading);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

int record_store_find_answer(struct record_store *store, const struct idempotent_request *request,
                             char **first_answer, struct diag *diag)
{
    pthread_mutex_lock(&store->reading);
    int outcome = record_answer_find(store->read_answer, request, clock_wall_us(), first_answer, diag);
    pthread_mutex_unlock(&store->reading);
    return outcome;
}

static int copy_json(sqlite3_stmt *row, char **json, struct diag *diag)
{
    const char *text = (const char *)sqlite3_column_text(row, 0);

    if (text == NULL)
        return database_damaged(sqlite3_db_handle(row), diag);
    char *copy = strdup(text);
    if (copy == NULL)
        return diag_fail(diag, -ENOMEM, "out of memory");
    *json = copy;
    return 0;
}

int record_store_get(struct record_store *store, const char *screening_id, char **json, struct diag *diag)
{
    pthread_mutex_lock(&store->reading);
    struct database_binder binder = database_bind(store->read_record);
    bind_text(&binder, screening_id);
    int result = database_bound(&binder, diag);
    if (result == 0)
        result = database_step(store->read_record, diag);
    if (result == DATABASE_ROW)
        result = copy_json(store->read_record, json, diag);
    else if (result == 0)
        result = diag_fail(diag, RECORD_NOT_FOUND, "there is no record of this screening");
    sqlite3_reset(store->read_record);
    sqlite3_clear_bindings(store->read_record);
    pthread_mutex_unlock(&store->reading);
    return result;
}

static int probe_run(struct record_store *store, struct record_job *job)
{
    return database_exec(store->writer, "INSERT INTO probe VALUES(1); DELETE FROM probe", &job->diag);
}

int record_store_probe(struct record_store *store, struct diag *diag)
{
    struct record_job job = {.run = probe_run};

    return record_queue_run(store, &job, diag);
}

static int forget_run(struct record_store *store, struct record_job *job)
{
    const uint64_t life_us = IDEMPOTENCY_LIFE_HOURS * UINT64_C(3600000000);
    const int64_t values[] = {job->now_us > life_us ? (int64_t)(job->now_us - life_us) : 0, FORGET_MAX};
    int result =
        database_execute(store->writer,
                         "DELETE FROM answer WHERE id IN"
                         " (SELECT id FROM answer WHERE created_us <= ?1 ORDER BY created_us LIMIT ?2)",
                         values, 2, &job->diag);

    job->changed = sqlite3_changes(store->writer);
    return result;
}

int record_store_forget_answers(struct record_store *store, uint64_t now_us, struct diag *diag)
{
    struct record_job job;
    int result;

    do {
        job = (struct record_job){.run = forget_run, .now_us = now_us};
        result = record_queue_run(store, &job, diag);
    } while (result == 0 && job.changed == FORGET_MAX);
    return result;
}
