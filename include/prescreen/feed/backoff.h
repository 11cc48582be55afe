/* When to try again. Pure arithmetic: chance is a random number of the caller's. */
#ifndef PRESCREEN_FEED_BACKOFF_H
#define PRESCREEN_FEED_BACKOFF_H

#include "prescreen/config/config.h"

enum {
    FEED_CALLS_MAX = 7,    /* for one page; then the pull has failed */
    FEED_DOUBLINGS_MAX = 6 /* of the wait between two of them */
};
#define FEED_ASKED_WAIT_MAX_US  UINT64_C(600000000)   /* longest Retry-After that a pull waits for */
#define FEED_ASKED_PAUSE_MAX_US UINT64_C(86400000000) /* longest that the next pull is put off for */

/* How a pull ended. */
enum feed_outcome {
    FEED_PULLED,  /* the lists are what the source says, also where nothing is new */
    FEED_FAILED,  /* they are as before */
    FEED_DENIED,  /* the same: the source does not take the credentials */
    FEED_STOPPED, /* the same: this process is to end */
    FEED_OUTCOME_COUNT
};

/* How long to wait after so many calls that failed (at least 1) for a page: first_us, doubled each time up to
 * FEED_DOUBLINGS_MAX times, less up to half of it by chance; never less than the source asked for. */
uint64_t feed_call_wait_us(uint64_t first_us, unsigned int failures, uint64_t asked_us, uint32_t chance);

/* How long to wait for the next pull after one that ended, and so many in a row that did not succeed. After a
 * success the interval, less up to a tenth of it by chance. After a failure a minute that doubles, and after
 * credentials that were not taken an hour that does, each up to the interval or an hour, whichever is longer
 * for the latter. Never less than the source asked for, up to FEED_ASKED_PAUSE_MAX_US. */
uint64_t feed_pull_wait_us(uint64_t interval_us, enum feed_outcome outcome, unsigned int failures,
                           uint64_t asked_us, uint32_t chance);

#endif
