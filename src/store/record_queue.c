#include "prescreen/base/clock.h"

#include "record_store.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH_MAX = 128 }; /* jobs of one transaction */

/* The first jobs of the queue, taken out of it. */
static struct record_job *take_batch(struct record_store *store)
{
    struct record_job *batch = store->first;
    struct record_job *last = batch;

    last->taken = true;
    for (unsigned int count = 1; count < BATCH_MAX && last->next != NULL; count++) {
        last = last->next;
        last->taken = true;
    }
    store->first = last->next;
    if (store->first == NULL)
        store->last = NULL;
    last->next = NULL;
    return batch;
}

static void enqueue(struct record_store *store, struct record_job *job)
{
    if (store->last != NULL)
        store->last->next = job;
    else
        store->first = job;
    store->last = job;
}

static void withdraw(struct record_store *store, struct record_job *job)
{
    struct record_job *before = NULL;

    for (struct record_job *each = store->first; each != job; each = each->next)
        before = each;
    if (before != NULL)
        before->next = job->next;
    else
        store->first = job->next;
    if (store->last == job)
        store->last = before;
}

static void run_job(struct record_store *store, struct record_job *job)
{
    free(job->first_answer);
    job->first_answer = NULL;
    job->outcome = job->run(store, job);
}

static void run_alone(struct record_store *store, struct record_job *job)
{
    int result = database_begin(store->writer, &job->diag);

    if (result == 0) {
        run_job(store, job);
        result = job->outcome;
    }
    if (result == 0)
        result = database_exec(store->writer, "COMMIT", &job->diag);
    database_rollback(store->writer);
    job->outcome = result;
}

/* Runs a job among others: what it wrote goes when it fails, and the rest stays. False when the transaction
 * is lost. */
static bool run_among(struct record_store *store, struct record_job *job)
{
    sqlite3 *db = store->writer;

    if (database_exec(db, "SAVEPOINT job", NULL) != 0)
        return false;
    run_job(store, job);
    if (sqlite3_get_autocommit(db))
        return false;
    return (job->outcome == 0 || database_exec(db, "ROLLBACK TO job", NULL) == 0) &&
           database_exec(db, "RELEASE job", NULL) == 0;
}

/* One transaction for all. False when it failed as a whole. */
static bool run_together(struct record_store *store, struct record_job *batch)
{
    bool good = true;

    for (struct record_job *job = batch; job != NULL && good; job = job->next)
        good = run_among(store, job);
    if (good)
        good = database_exec(store->writer, "COMMIT", NULL) == 0;
    database_rollback(store->writer);
    return good;
}

/* Gives every job of the batch its outcome. A failure of one must not become that of another, so what fails
 * together is tried again one by one; only when the file cannot even be locked does nobody try for long. */
static void run_batch(struct record_store *store, struct record_job *batch)
{
    if (batch->next != NULL) {
        int result = database_begin(store->writer, &batch->diag);

        if (result == 0 && run_together(store, batch))
            return;
        for (struct record_job *job = batch; result != 0 && job != NULL; job = job->next) {
            job->outcome = result;
            job->diag = batch->diag;
        }
        if (result != 0)
            return;
    }
    for (struct record_job *job = batch; job != NULL; job = job->next)
        run_alone(store, job);
}

/* Writes the next batch for everybody in it. Called and returns with the lock held. */
static void lead(struct record_store *store)
{
    struct record_job *batch = take_batch(store);

    store->writing = true;
    pthread_mutex_unlock(&store->lock);
    run_batch(store, batch);
    pthread_mutex_lock(&store->lock);
    store->writing = false;
    while (batch != NULL) {
        /* Once it is done, a job may be gone as soon as the lock is. */
        struct record_job *next = batch->next;

        batch->done = true;
        pthread_cond_signal(&batch->woken);
        batch = next;
    }
    if (store->first != NULL)
        pthread_cond_signal(&store->first->woken);
}

static int init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int code = pthread_condattr_init(&attributes);

    if (code != 0)
        return -code;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    code = pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return -code;
}

int record_queue_run(struct record_store *store, struct record_job *job, struct diag *diag)
{
    struct timespec deadline;

    if (init_condition(&job->woken) != 0)
        return diag_fail(diag, -ENOMEM, "out of memory");
    uint64_t deadline_us = clock_monotonic_us() + RECORD_STORE_WAIT_MS * UINT64_C(1000);
    deadline.tv_sec = (time_t)(deadline_us / 1000000);
    deadline.tv_nsec = (long)(deadline_us % 1000000) * 1000;
    pthread_mutex_lock(&store->lock);
    enqueue(store, job);
    while (!job->done) {
        if (!store->writing) {
            lead(store);
        } else if (job->taken) {
            /* Its records are in use; who took it ends within a wait of its own. */
            pthread_cond_wait(&job->woken, &store->lock);
        } else if (pthread_cond_timedwait(&job->woken, &store->lock, &deadline) == ETIMEDOUT &&
                   store->writing && !job->done && !job->taken) {
            withdraw(store, job);
            job->outcome =
                diag_fail(&job->diag, -EBUSY, "the record store did not get round to it in %d seconds",
                          RECORD_STORE_WAIT_MS / 1000);
            break;
        }
    }
    pthread_mutex_unlock(&store->lock);
    pthread_cond_destroy(&job->woken);
    if (job->outcome != 0)
        diag_set(diag, "%s", job->diag.text);
    return job->outcome;
}
