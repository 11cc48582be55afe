/* What became of a list: who changed it, how its versions differ, and the way back to one of them. */
#ifndef PRESCREEN_STORE_HISTORY_H
#define PRESCREEN_STORE_HISTORY_H

#include "prescreen/store/lists.h"

enum { HISTORY_WHO_MAX = 128, HISTORY_WHAT_MAX = 64 };

/* One version of a list: the lists_version that a change of it made. */
struct list_version {
    uint64_t version;
    uint64_t at_us;                    /* wall clock */
    char who[HISTORY_WHO_MAX + 1];     /* of the key, or of whoever typed the command; cut when longer */
    char what[HISTORY_WHAT_MAX + 1];   /* create, set, import, entries, revert to N … */
    struct list_properties properties; /* in force after it */
    struct list_change change;
    bool kept; /* its entries are still known: it can be compared with, and gone back to */
};

/* Calls on_version for each version of the list in force under this name, the newest first, at most count of
 * them; anything but 0 stops and is returned. Outcomes: LIST_STORE_NOT_FOUND. */
int list_store_each_version(struct list_store *store, const char *name, uint64_t count,
                            int (*on_version)(void *context, const struct list_version *version),
                            void *context, struct diag *diag);

enum list_difference { DIFFERENCE_ADDED, DIFFERENCE_CHANGED, DIFFERENCE_REMOVED, DIFFERENCE_COUNT };

/* Calls on_entry for each entry that is not the same in two versions, in order of entry_id; from may be the
 * later one. Any lists_version from the list's first on will do. 0 stands for a version: as from, the one
 * before the list's last change; as to, the one in force; *from and *to are then set. Memory does not grow
 * with the number of entries. Outcomes: LIST_STORE_NOT_FOUND (no such list or version, or one whose entries
 * are no longer kept). */
int list_store_diff(struct list_store *store, const char *name, uint64_t *from, uint64_t *to,
                    int (*on_entry)(void *context, enum list_difference difference, const char *entry_id),
                    void *context, struct diag *diag);

/* Makes a new version with the entries of an earlier one; properties stay. Outcomes as list_store_diff(), and
 * LIST_STORE_REFUSED when the list takes signed files only and the entries of that version were not made by
 * them alone. Cost: by the number of entries that differ: some 4 microseconds for each that is only on one
 * side, 9 for one that changed; half a second to find that few of a million do. */
int list_store_revert(struct list_store *store, const char *name, uint64_t version, const char *who,
                      struct list_change *change, struct diag *diag);

#endif
