/* The feeds of a configuration, pulled once or for ever by the clock. At least one must be meant. */
#ifndef PRESCREEN_FEED_RUN_H
#define PRESCREEN_FEED_RUN_H

#include "prescreen/config/config.h"
#include "prescreen/log/log.h"
#include "prescreen/store/lists.h"

#include <signal.h>
#include <stdio.h>

struct feed_run {
    const struct config *config; /* all borrowed */
    struct list_store *store;
    struct log *log;
    const char *only;        /* the one feed that is meant; NULL = all */
    const sigset_t *signals; /* blocked in every thread; any of them ends the run */
};

/* Pulls each feed once, one after the other. Returns how many did not succeed; one that was stopped is among
 * them. */
size_t feed_run_once(const struct feed_run *run);

/* Pulls the feeds by their intervals until a signal comes. Errors: -ENOMEM. */
int feed_run_scheduled(const struct feed_run *run);

/* Writes a line for each feed: whether its credentials can be read, its lists are there and its checkpoint is
 * theirs. Asks no source. Returns how many could not be pulled. */
size_t feed_run_check(const struct feed_run *run, FILE *out);

#endif
