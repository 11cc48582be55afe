#include "prescreen/base/bug.h"
#include "prescreen/base/clock.h"

#include "record_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A blob, which no column of text takes, stands for what is not JSON: a record that could never be shown must
 * not be kept. (A constraint of the schema may not use the functions of JSON: they do not count as harmless.)
 */
#define JSON(value) "iif(" value " IS NULL OR json_valid(" value "), " value ", x'')"

int record_add_prepare(struct record_store *store, struct diag *diag)
{
    int result = database_prepare(store->writer, RECORD_ANSWER_QUERY, &store->find_answer, diag);

    if (result == 0)
        result = database_prepare(
            store->writer,
            "INSERT INTO record(screening_id, at_us, verdict, complete, reasons, matches, media,"
            " hashes, profile, audience, policy_version, lists_version, content_id, account_ref,"
            " key_name, request_id)"
            " VALUES(?1, ?2, ?3, ?4, " JSON("?5") ", " JSON("?6") ", " JSON("?7") ", " JSON(
                "?8") ","
                      " ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            &store->add_record, diag);
    if (result == 0)
        result = database_prepare(
            store->writer, "INSERT INTO outbox(screening_id, created_us, state) VALUES(?1, ?2, 'pending')",
            &store->add_report, diag);
    if (result == 0)
        result = record_hits_prepare(store, diag);
    if (result == 0)
        result = database_prepare(
            store->writer,
            "INSERT INTO answer(key_name, idempotency_key, fingerprint, answer, created_us)"
            " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(key_name, idempotency_key) DO UPDATE SET"
            " fingerprint = excluded.fingerprint, answer = excluded.answer,"
            " created_us = excluded.created_us",
            &store->keep_answer, diag);
    return result;
}

static int compare_answer(sqlite3_stmt *row, const struct idempotent_request *request, char **answer,
                          struct diag *diag)
{
    const void *fingerprint = sqlite3_column_blob(row, 0);
    const char *stored = (const char *)sqlite3_column_text(row, 1);

    if (fingerprint == NULL || stored == NULL || sqlite3_column_bytes(row, 0) != sizeof request->fingerprint)
        return database_damaged(sqlite3_db_handle(row), diag);
    if (memcmp(fingerprint, request->fingerprint, sizeof request->fingerprint) != 0)
        return diag_fail(diag, RECORD_CONFLICT,
                         "the idempotency key was used with other bytes or parameters");
    char *copy = strdup(stored);
    if (copy == NULL)
        return diag_fail(diag, -ENOMEM, "out of memory");
    *answer = copy;
    return diag_fail(diag, RECORD_REPEATED, "the idempotency key has an answer already");
}

int record_answer_find(sqlite3_stmt *statement, const struct idempotent_request *request, uint64_t now_us,
                       char **answer, struct diag *diag)
{
    const uint64_t life_us = IDEMPOTENCY_LIFE_HOURS * UINT64_C(3600000000);
    struct database_binder binder = database_bind(statement);

    bind_text(&binder, request->key_name);
    bind_text(&binder, request->idempotency_key);
    bind_number(&binder, now_us > life_us ? (int64_t)(now_us - life_us) : 0);
    int result = database_bound(&binder, diag);
    if (result == 0)
        result = database_step(statement, diag);
    if (result == DATABASE_ROW)
        result = compare_answer(statement, request, answer, diag);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return result;
}

static int add_record(struct record_store *store, const struct screening_record *record, struct diag *diag)
{
    struct database_binder binder = database_bind(store->add_record);

    bind_text(&binder, record->screening_id);
    bind_number(&binder, (int64_t)record->at_us);
    bind_text(&binder, verdict_name(record->verdict));
    bind_number(&binder, record->complete);
    bind_text_or_null(&binder, record->reasons_json);
    bind_text_or_null(&binder, record->matches_json);
    bind_text_or_null(&binder, record->media_json);
    bind_text_or_null(&binder, record->hashes_json);
    bind_text_or_null(&binder, record->profile);
    bind_text(&binder, audience_name(record->audience));
    bind_text_or_null(&binder, record->policy_version);
    bind_number(&binder, (int64_t)record->lists_version);
    bind_text_or_null(&binder, record->content_id);
    bind_text_or_null(&binder, record->account_ref);
    bind_text_or_null(&binder, record->key_name);
    bind_text_or_null(&binder, record->request_id);
    int result = database_bound(&binder, diag);
    return result != 0 ? result : database_run(store->add_record, diag);
}

static int add_report(struct record_store *store, const struct screening_record *record, struct diag *diag)
{
    struct database_binder binder = database_bind(store->add_report);

    bind_text(&binder, record->screening_id);
    bind_number(&binder, (int64_t)clock_wall_us());
    int result = database_bound(&binder, diag);
    return result != 0 ? result : database_run(store->add_report, diag);
}

static int keep_answer(struct record_store *store, const struct record_job *job, struct diag *diag)
{
    struct database_binder binder = database_bind(store->keep_answer);

    bind_text(&binder, job->request->key_name);
    bind_text(&binder, job->request->idempotency_key);
    bind_blob(&binder, job->request->fingerprint, sizeof job->request->fingerprint);
    bind_text(&binder, job->answer);
    bind_number(&binder, (int64_t)job->now_us);
    int result = database_bound(&binder, diag);
    return result != 0 ? result : database_run(store->keep_answer, diag);
}

/* What is bound belongs to the caller of a job and must not outlive it. */
static void forget_bindings(struct record_store *store)
{
    sqlite3_clear_bindings(store->add_record);
    sqlite3_clear_bindings(store->add_report);
    sqlite3_clear_bindings(store->keep_answer);
    record_hits_forget_bindings(store);
}

int record_add_run(struct record_store *store, struct record_job *job)
{
    struct diag *diag = &job->diag;
    int result = 0;

    if (job->request != NULL)
        result = record_answer_find(store->find_answer, job->request, job->now_us, &job->first_answer, diag);
    for (unsigned int i = 0; i < job->count && result == 0; i++) {
        result = add_record(store, &job->records[i], diag);
        if (result == 0 && job->records[i].verdict == VERDICT_REPORT)
            result = add_report(store, &job->records[i], diag);
        if (result == 0)
            result = record_hits_count(store, &job->records[i], diag);
    }
    if (job->request != NULL && result == 0)
        result = keep_answer(store, job, diag);
    forget_bindings(store);
    return result;
}

int record_store_add(struct record_store *store, const struct screening_record *records, unsigned int count,
                     const struct idempotent_request *request, const char *answer, char **first_answer,
                     struct diag *diag)
{
    struct record_job job = {.run = record_add_run,
                             .records = records,
                             .count = count,
                             .request = request,
                             .answer = answer,
                             .now_us = clock_wall_us()};

    BUG_ON(request != NULL && (answer == NULL || first_answer == NULL));
    int outcome = record_queue_run(store, &job, diag);
    if (outcome == RECORD_REPEATED)
        *first_answer = job.first_answer;
    else
        free(job.first_answer);
    return outcome;
}
