/* How far a source has been taken in: a small file for each feed, written after the lists are. What was taken
 * in and is not in it is fetched again, which changes nothing. */
#ifndef PRESCREEN_FEED_CHECKPOINT_H
#define PRESCREEN_FEED_CHECKPOINT_H

#include "prescreen/base/diag.h"
#include "prescreen/config/config.h"
#include "prescreen/store/lists.h"

enum { FEED_CHECKPOINT_FILE_MAX = 8192 }; /* bytes */

struct feed_checkpoint {
    uint64_t from_s;    /* everything before it, by the source's clock, is in the lists */
    uint64_t pulled_us; /* when it was fetched; wall clock of this machine */
    size_t list_count;  /* as many as the feed has, in its order */
    struct {
        uint32_t number;  /* list_info.number */
        uint64_t version; /* list_info.version after the pull */
    } lists[CONFIG_FEED_LISTS_MAX];
};

/* Outcomes of feed_checkpoint_read(). */
enum {
    FEED_CHECKPOINT_NONE = 1, /* nothing was fetched yet */
    FEED_CHECKPOINT_FOREIGN /* it is of another source or other lists, or no checkpoint at all; diag says what
                               to do */
};

/* Reads the feed's checkpoint in the folder. lists: those of the feed, as they are in the store, in its
 * order. A list that is older than the checkpoint, or another one of the same name, makes it a foreign one:
 * something would be missing. Errors: -errno with diag. */
int feed_checkpoint_read(const char *folder, const struct config_feed *feed, const struct list_info *lists,
                         struct feed_checkpoint *checkpoint, struct diag *diag);

/* Durable when it returns 0. Errors: -errno with diag. */
int feed_checkpoint_write(const char *folder, const struct config_feed *feed,
                          const struct feed_checkpoint *checkpoint, struct diag *diag);

#endif
