/* The parent of the decoders of one kind: starts them, hands them uploads, ends those that stall, and
 * replaces those that died. */
#ifndef PRESCREEN_WORKER_POOL_H
#define PRESCREEN_WORKER_POOL_H

#include "prescreen/base/cpu.h"
#include "prescreen/base/diag.h"
#include "prescreen/worker/examination.h"
#include "prescreen/worker/kind.h"

#include <stdbool.h>
#include <stdint.h>

enum worker_event {
    WORKER_STARTED,
    WORKER_RECYCLED,
    WORKER_DIED,
    WORKER_TIMED_OUT,
    WORKER_SPOKE_NONSENSE,
    WORKER_START_FAILED
};

struct worker_pool_options {
    const char *worker_path; /* of the kind's program, absolute; borrowed until creation returns */
    enum worker_kind kind;
    unsigned int count;     /* workers, 1 to WORKER_POOL_COUNT_MAX */
    uint64_t job_time_us;   /* wall clock of one job */
    uint64_t queue_time_us; /* longest wait for a free worker */
    unsigned int queue_max; /* callers that may wait at once */
    uint64_t memory_bytes;  /* address space of a worker */
    uint64_t pixels_max;
    uint32_t frames_max;
    uint32_t recycle_after; /* jobs, at least 1 */
    bool recycle_broken;    /* also after any file that is broken or took too much memory */
    enum cpu_level cpu;
    /* Told of what happens to workers; called on the pool's own thread with no lock held; may be NULL. It
     * must not call the pool. */
    void (*on_event)(void *context, enum worker_event event, const char *text);
    void *event_context;
};

/* Positive outcome of worker_pool_examine(). */
enum { WORKER_POOL_BUSY = 1 };

enum { WORKER_POOL_COUNT_MAX = 1024 };

struct worker_pool_status {
    unsigned int count;   /* as in the options */
    unsigned int alive;   /* idle or busy: have passed their self-test */
    unsigned int coming;  /* are being replaced, and not for the third time in a row without a job done */
    unsigned int busy;    /* with a caller's job */
    unsigned int waiting; /* callers in the queue */
    /* Since creation. A worker that ended is in exactly one of the last four. */
    uint64_t jobs, started, recycled, died, timed_out, nonsense;
};

struct worker_pool;

/* Starts the workers and waits until each has passed its self-test: it decoded a built-in picture, and
 * scratch workers that tried to open a file, make a socket, execute a program, fork and signal their parent
 * were each killed for it. Errors: negative errno with the failed step named in diag; nothing is left running
 * then. Ownership: *pool is the caller's. */
int worker_pool_create(const struct worker_pool_options *options, struct worker_pool **pool,
                       struct diag *diag);

/* Has a worker examine the request's file. Blocks at most queue_time_us + job_time_us + a
 * small grace. A worker that died, stalled or answered nonsense is told in examination->reasons, never as an
 * error. Returns 0; WORKER_POOL_BUSY when no worker came free in time. Errors: -ESHUTDOWN while the pool is
 * ending; -EINVAL when the file is not sealed or not of that size; -errno when the job could be handed to no
 * worker. Callers that wait are served in the order in which they came. Threads: any number at once.
 * Ownership: the request is borrowed. */
int worker_pool_examine(struct worker_pool *pool, const struct examination_request *request,
                        struct examination *examination);

/* A consistent copy of the counters. */
void worker_pool_read_status(struct worker_pool *pool, struct worker_pool_status *status);

/* Lets waiting callers go, ends and reaps every worker. No caller may be inside examine when this returns. */
void worker_pool_free(struct worker_pool *pool);

#endif
