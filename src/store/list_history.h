/* What history, differences and reverting share. */
#ifndef PRESCREEN_STORE_LIST_HISTORY_H
#define PRESCREEN_STORE_LIST_HISTORY_H

#include "prescreen/store/history.h"

#include "list_store.h"

/* A list and what is known of its past, on a connection. */
struct list_past {
    struct list_info info;
    uint64_t first;     /* its first version */
    uint64_t last;      /* its last version */
    uint64_t before;    /* the one before that; 0 when there is none */
    uint64_t forgotten; /* versions below are no longer known whole */
    uint64_t newest;    /* of the store */
};
int list_past_find(sqlite3 *db, const char *name, struct list_past *past, struct diag *diag);

/* The last row that a version of the list knew. LIST_STORE_NOT_FOUND when the list was not there yet, the
 * version is none of the store's, or is no longer kept. */
int list_past_last_row(sqlite3 *db, const struct list_past *past, uint64_t version, uint64_t *last_row,
                       struct diag *diag);

/* Whether the entries of a version were made by signed files alone. */
int list_past_is_signed(sqlite3 *db, const struct list_past *past, uint64_t version, bool *is_signed,
                        struct diag *diag);

/* Forgets past entries of the list that none of its newest keep versions had, and those of lists that ended
 * keep versions ago; at most most_rows. Call within the transaction of a change, after it. *forgotten: how
 * many. */
int list_history_forget(sqlite3 *db, uint32_t list, uint64_t keep, uint64_t most_rows, uint64_t *forgotten,
                        struct diag *diag);

/* The words of history that tell what a change's entries came from. */
#define WHAT_SIGNED_MERGE       "signed import"
#define WHAT_SIGNED_REPLACEMENT "signed replacement"
#define WHAT_SIGNED_REVERT      "signed revert to "
#define WHAT_REVERT             "revert to "

#endif
