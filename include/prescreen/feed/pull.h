/* One pull of a feed: everything that the source has since the last one, page by page into one change of each
 * of its lists, all or nothing, then the checkpoint. */
#ifndef PRESCREEN_FEED_PULL_H
#define PRESCREEN_FEED_PULL_H

#include "prescreen/base/diag.h"
#include "prescreen/config/config.h"
#include "prescreen/feed/backoff.h"
#include "prescreen/feed/fetch.h"
#include "prescreen/log/log.h"
#include "prescreen/store/lists.h"

enum {
    FEED_PAGES_MAX = 100000, /* of one pull */
    FEED_SKIPS_LOGGED_MAX = 100
};

/* What a pull has of the world outside. */
struct feed_world {
    void *context;
    int (*get)(void *context, const char *url, struct fetch_answer *answer,
               struct diag *diag);                 /* as
                                                       fetcher_get() */
    bool (*wait)(void *context, uint64_t time_us); /* false: this process is to end */
    uint64_t (*now_us)(void *context);             /* wall clock */
    uint32_t (*chance)(void *context);
};

struct feed_pull_parts {
    const struct config *config; /* all borrowed */
    const struct config_feed *feed;
    struct list_store *store;
    struct log *log; /* may be NULL */
    const struct feed_world *world;
};

/* What a pull did. */
struct feed_report {
    uint64_t pages, records;
    struct list_change change; /* the sum over its lists; lists_version is the last one */
    bool whole;                /* the source was fetched from its beginning */
    uint64_t asked_us;         /* the source asked not to be called for so long */
};

/* Pulls. The report is written on every outcome; diag says why unless it is FEED_PULLED. While one process
 * pulls a feed, another one's pull of it fails. Cost: memory for one page, not for the list. */
enum feed_outcome feed_pull(const struct feed_pull_parts *parts, struct feed_report *report,
                            struct diag *diag);

/* Whether a pull could begin: the lists are there, the checkpoint is theirs. *from_s is what it would begin
 * at, *pulled_us when the last one was; 0 = there was none. 0, a positive value or a negative errno with
 * diag. */
int feed_check(const struct feed_pull_parts *parts, uint64_t *from_s, uint64_t *pulled_us, struct diag *diag);

#endif
