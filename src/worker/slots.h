/* The places of a pool's workers, and the queue of callers before them. */
#ifndef PRESCREEN_WORKER_SLOTS_H
#define PRESCREEN_WORKER_SLOTS_H

#include "prescreen/worker/pool.h"

#include "child.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>

/* Who may touch a slot's child: its caller while SLOT_BUSY, else the supervisor alone. */
enum slot_state {
    SLOT_VACANT,   /* no process; the supervisor starts one at start_us */
    SLOT_STARTING, /* its self-test runs; the supervisor waits for it until deadline_us */
    SLOT_IDLE,     /* free for a caller */
    SLOT_BUSY,     /* a caller's */
    SLOT_ENDING    /* killed or dead; the supervisor buries it */
};

struct slot {
    enum slot_state state;
    struct child child;
    enum worker_event cause; /* of its end. SLOT_ENDING */
    const char *why;         /* the same in words, NULL when its ending says all. SLOT_ENDING */
    uint64_t start_us;       /* SLOT_VACANT */
    uint64_t deadline_us;    /* SLOT_STARTING */
    uint32_t jobs_done;      /* by the present child */
    bool passed;             /* the present child has passed its self-test */
    unsigned int failures;   /* children in a row that ended without finishing a job */
    uint8_t *packet;         /* MESSAGE_REPLY_MAX + 1 bytes */
};

/* A caller in the queue, first come first served. Lives on the caller's stack. */
struct waiter {
    struct waiter *next;
    struct slot *slot; /* set when its turn has come */
    pthread_cond_t turn;
};

struct worker_pool {
    struct worker_pool_options options;
    char *worker_path;
    struct child_plan plan;
    pthread_t supervisor;
    bool supervised;        /* the thread runs */
    int wake_fd;            /* eventfd: news for the supervisor */
    struct pollfd *watched; /* the supervisor's: 1 + options.count */

    pthread_mutex_t lock;  /* guards everything below */
    pthread_cond_t change; /* a slot came up, starting failed, the last caller left */
    struct slot *slots;    /* options.count */
    struct waiter *first, *last;
    unsigned int waiting;
    unsigned int callers; /* inside worker_pool_examine() */
    bool closing;         /* no more callers */
    bool stopping;        /* the supervisor ends */
    bool start_failed;    /* a worker did not come up: why is in start_diag */
    struct diag start_diag;
    struct worker_pool_status counters;
    uint64_t next_job;
};

/* A monotonic condition variable. Errors: -errno. */
int slots_init_condition(pthread_cond_t *condition);

/* The number of the next job: none is given twice. The lock must not be held. */
uint64_t slots_number_job(struct worker_pool *pool);

/* Waits on the condition until the deadline. The lock is held. Returns false when the deadline has passed. */
bool slots_wait(struct worker_pool *pool, pthread_cond_t *condition, uint64_t deadline_us);

/* Takes a free slot, waiting in the queue until the deadline, and makes it SLOT_BUSY. The lock is held.
 * Returns 0, WORKER_POOL_BUSY or -ESHUTDOWN. */
int slots_take(struct worker_pool *pool, uint64_t deadline_us, struct slot **slot);

/* Makes a slot with a healthy child the next caller's, or idle. The lock is held. */
void slots_offer(struct worker_pool *pool, struct slot *slot);

/* Kills the slot's child, dead or alive, and has the supervisor bury it. Counts the cause; why adds to it in
 * words of static storage or is NULL. The lock is held; the supervisor is to be woken after that. */
void slots_condemn(struct worker_pool *pool, struct slot *slot, enum worker_event cause, const char *why);

/* Tells the supervisor that there is something to do. */
void slots_wake_supervisor(struct worker_pool *pool);

#endif
