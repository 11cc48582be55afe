/* The lists in memory: one immutable reading of the store at a time, swapped by a pointer. */
#ifndef PRESCREEN_SCREEN_CATALOG_H
#define PRESCREEN_SCREEN_CATALOG_H

#include "prescreen/base/cpu.h"
#include "prescreen/base/diag.h"
#include "prescreen/index/generation.h"
#include "prescreen/store/lists.h"

/* What was decided about an entry in force. */
struct catalog_ruling {
    uint64_t row;
    enum entry_ruling ruling;
};

/* A consistent reading: index and lists of one lists_version. Immutable; shared by reference count. */
struct catalog_reading {
    const struct index_generation *generation;
    struct list_info *lists; /* by name; the counts in it are those of this version */
    size_t list_count;
    uint32_t number_count;          /* above every list's number */
    struct catalog_ruling *rulings; /* by row */
    size_t ruling_count;
    size_t exempt_count; /* of them */
    uint64_t lists_version;
    unsigned int digest_kinds; /* HASH_BIT of each digest that entries carry */
    bool has_views;            /* entries have hashes of views */
    uint64_t changes;          /* rows that came and went since the catalog began; private to the module */
    bool replaced_aside;       /* private, too */
    unsigned int references;
    struct catalog_reading *next_retired;
};

/* What happens to a catalog beside its calls. */
enum catalog_event {
    CATALOG_LOADED,           /* the first reading is in force; the text says what it came from */
    CATALOG_SNAPSHOT_REFUSED, /* the snapshot of the index is not used; the text says why */
    CATALOG_SNAPSHOT_WRITTEN,
    CATALOG_SNAPSHOT_FAILED, /* the one before stays */
    CATALOG_UNREADABLE,      /* the store's newest version cannot be taken in; the last one stays in force */
    CATALOG_MERGE_FAILED,    /* lookups go on, in more segments than there should be */
    CATALOG_EVENT_COUNT
};

struct catalog_options {
    struct list_store *store; /* borrowed; NULL: there are no lists and never will be */
    enum cpu_level cpu;
    const char *folder;            /* where the snapshot of the index lies; borrowed; NULL: there is none */
    uint64_t snapshot_interval_us; /* between two that are written, at least */
    /* Called from any thread. May be NULL. */
    void (*on_event)(void *context, enum catalog_event event, const char *text);
    void *context;
};

struct catalog;

/* Loads everything: from the snapshot what it holds, from the store what changed since, or all of it where
 * the snapshot cannot be used. Borrows what the options name for its life. Errors: negative errno with diag.
 */
int catalog_create(const struct catalog_options *options, struct catalog **catalog, struct diag *diag);

/* Ends what catalog_keep() began; a snapshot is then written if much changed. */
void catalog_free(struct catalog *catalog);

/* Starts a thread of low priority that does what need not hold anybody up until catalog_free(): takes in what
 * other processes changed, and changes of very many entries; merges segments; writes snapshots. Errors:
 * -errno. */
int catalog_keep(struct catalog *catalog);

/* Takes the store's newest version in; cheap when nothing changed. For whoever made a change: it is in force
 * when this returns. On an error the last reading stays in force. Threads: any; one at a time does the work,
 * the others wait for it. */
int catalog_refresh(struct catalog *catalog, struct diag *diag);

/* Takes in what other processes changed; what this process changes is in force before it is answered, and
 * nobody else need wait for it. For screenings: a change of very many entries is waited for CATALOG_WAIT_US
 * at most where a thread keeps the catalog. Threads, errors: as catalog_refresh(). Cost: microseconds. */
int catalog_catch_up(struct catalog *catalog, struct diag *diag);

enum { CATALOG_WAIT_US = 1000000 };

/* The list of this number, NULL when it is not among those of the reading. Cost: linear in the number of
 * lists. */
const struct list_info *catalog_find_list(const struct catalog_reading *reading, uint32_t number);

/* The ruling about the entry in this row; RULING_NONE when there is none. Cost: logarithmic in the number of
 * rulings. */
enum entry_ruling catalog_find_ruling(const struct catalog_reading *reading, uint64_t row);

/* The newest reading; stays valid until released, whatever happens meanwhile. Cost: a lock and a counter. */
const struct catalog_reading *catalog_acquire(struct catalog *catalog);
void catalog_release(struct catalog *catalog, const struct catalog_reading *reading);

/* Around a screening: what the catalog's thread does makes way for it. Threads: any. */
void catalog_begin_screening(struct catalog *catalog);
void catalog_end_screening(struct catalog *catalog);

struct catalog_status {
    bool from_snapshot;        /* the first reading was */
    uint64_t load_us;          /* what it took */
    uint64_t snapshot_version; /* lists_version of the snapshot on disk; 0: there is none */
    uint64_t snapshots_written, snapshots_failed;
    uint64_t merges;
};
void catalog_read_status(struct catalog *catalog, struct catalog_status *status);

#endif
