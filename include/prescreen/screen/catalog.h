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
    unsigned int references;   /* private to catalog.c */
};

struct catalog;

/* Loads everything from the store, which is borrowed for the life of the catalog; NULL: there are no lists
 * and never will be. Errors: negative errno with diag. */
int catalog_create(struct list_store *store, enum cpu_level cpu, struct catalog **catalog, struct diag *diag);
void catalog_free(struct catalog *catalog);

/* Takes the store's newest version in, also when another process made it; cheap when nothing changed. On an
 * error the last reading stays in force. Threads: any; one at a time does the work, the others wait for it.
 */
int catalog_refresh(struct catalog *catalog, struct diag *diag);

/* The list of this number, NULL when it is not among those of the reading. Cost: linear in the number of
 * lists. */
const struct list_info *catalog_find_list(const struct catalog_reading *reading, uint32_t number);

/* The ruling about the entry in this row; RULING_NONE when there is none. Cost: logarithmic in the number of
 * rulings. */
enum entry_ruling catalog_find_ruling(const struct catalog_reading *reading, uint64_t row);

/* The newest reading; stays valid until released, whatever happens meanwhile. Cost: a lock and a counter. */
const struct catalog_reading *catalog_acquire(struct catalog *catalog);
void catalog_release(struct catalog *catalog, const struct catalog_reading *reading);

#endif
