/* What the parts of the record store share. */
#ifndef PRESCREEN_STORE_RECORD_STORE_H
#define PRESCREEN_STORE_RECORD_STORE_H

#include "prescreen/store/records.h"

#include "database.h"

#include <pthread.h>

/* One thing to be written. Jobs that wait at the same time share a transaction and its flush. */
struct record_job {
    /* Runs within a transaction, perhaps more than once: what the time before wrote is undone then. 0 keeps
     * what it wrote; any other outcome undoes it. */
    int (*run)(struct record_store *store, struct record_job *job);

    const struct screening_record *records;
    unsigned int count;
    const struct idempotent_request *request;
    const char *answer;
    uint64_t now_us;

    char *first_answer; /* the job's to free() */
    int64_t changed;    /* rows */
    int outcome;
    struct diag diag;

    struct record_job *next; /* from here on the queue's */
    bool taken, done;
    pthread_cond_t woken;
};

struct record_store {
    pthread_mutex_t reading; /* of the next three */
    sqlite3 *reader;
    sqlite3_stmt *read_answer, *read_record;

    pthread_mutex_t lock; /* of the queue */
    struct record_job *first, *last;
    bool writing; /* some thread writes: the rest is its alone */
    sqlite3 *writer;
    sqlite3_stmt *find_answer, *add_record, *add_report, *keep_answer;
    sqlite3_stmt *see_source, *find_hit, *keep_hit;
};

/* Waits for its turn, runs the job and has it on disk; the job's outcome, or a negative errno with diag. */
int record_queue_run(struct record_store *store, struct record_job *job, struct diag *diag);

/* The job of record_store_add(). */
int record_add_run(struct record_store *store, struct record_job *job);

/* The answer to a request that is younger than its life: 0 when there is none, RECORD_REPEATED with *answer
 * (the caller's to free()), RECORD_CONFLICT, or a negative errno; each but 0 with diag. */
int record_answer_find(sqlite3_stmt *statement, const struct idempotent_request *request, uint64_t now_us,
                       char **answer, struct diag *diag);
#define RECORD_ANSWER_QUERY                                                                                  \
    "SELECT fingerprint, answer FROM answer WHERE key_name = ?1 AND idempotency_key = ?2 AND created_us > "  \
    "?3"

/* Counts the hits of a record, within the transaction that adds it, and tells each its numbers. */
int record_hits_count(struct record_store *store, const struct screening_record *record, struct diag *diag);
void record_hits_forget_bindings(struct record_store *store);
int record_hits_prepare(struct record_store *store, struct diag *diag);

/* Statements of the writer. */
int record_add_prepare(struct record_store *store, struct diag *diag);

#endif
