/* What was decided about single entries of a list: exemptions after a false positive, and what the flood
 * guard set aside. A ruling is of an entry_id and of the hashes that the entry had then: it stays through
 * every change of the list that leaves the picture the same, and lapses when the entry becomes another
 * picture. */
#ifndef PRESCREEN_STORE_RULINGS_H
#define PRESCREEN_STORE_RULINGS_H

#include "prescreen/store/history.h"

enum {
    RULING_NOTE_MAX = 1000, /* bytes, printable UTF-8 */
    EXEMPTIONS_MAX = 10000, /* in force, of all lists */
    RULED_AT_ONCE_MAX = 1000
};

enum ruling_act {
    RULING_ACT_EXEMPT,
    RULING_ACT_LIFT,      /* ends an exemption */
    RULING_ACT_SET_ASIDE, /* by people */
    RULING_ACT_FLOOD,     /* by the flood guard: an entry that has a ruling keeps it */
    RULING_ACT_RELEASE,   /* ends the review of an entry that was set aside: it is right */
    RULING_ACT_COUNT
};

/* One act on some entries of a list. All borrowed. */
struct ruling_call {
    const char *list;
    enum ruling_act act;
    const char *const *entry_ids;
    size_t count;     /* 1-RULED_AT_ONCE_MAX */
    const char *who;  /* goes to the history, as with other changes */
    const char *note; /* why; "" where nothing is said, which an exemption may not be */
};

/* Makes the ruling for all of the entries or for none; a new version of the list, of which change->changed
 * counts the entries that it concerns and change->unchanged those that were so already. Durable when it
 * returns 0. What changes nothing at all makes no version. Signatures have no say: the entries stay.
 * Outcomes: LIST_STORE_NOT_FOUND (no such list; an entry that is not on it; or, to lift and release, that is
 * not exempt or set aside), LIST_STORE_REFUSED, LIST_STORE_BUSY. */
int list_store_rule(struct list_store *store, const struct ruling_call *call, struct list_change *change,
                    struct diag *diag);

/* The last ruling about one entry. */
struct entry_ruled {
    char entry_id[ENTRY_ID_MAX + 1];
    enum entry_ruling ruling;
    uint64_t version; /* lists_version that made it */
    uint64_t at_us;   /* wall clock */
    char who[HISTORY_WHO_MAX + 1];
    char note[RULING_NOTE_MAX + 1];
    bool present; /* the entry is on the list at this time */
    bool lapsed;  /* no longer in force: the entry's hashes are others now */
    uint64_t lapsed_us;
};

/* Calls on_ruled for each entry whose last ruling is this one and is in force or has lapsed, in order of
 * entry_id; anything but 0 stops and is returned. Outcomes: LIST_STORE_NOT_FOUND. */
int list_store_each_ruled(struct list_store *store, const char *name, enum entry_ruling ruling,
                          int (*on_ruled)(void *context, const struct entry_ruled *ruled), void *context,
                          struct diag *diag);

#endif
