/* What the parts of the catalog share. */
#ifndef PRESCREEN_SRC_SCREEN_CATALOG_PARTS_H
#define PRESCREEN_SRC_SCREEN_CATALOG_PARTS_H

#include "prescreen/screen/catalog.h"

#include <pthread.h>
#include <stdatomic.h>

/* A change of more entries is not taken in by whoever meets it but by the keeper, and no more are merged
 * while somebody waits: a second's work at most. */
enum { CATALOG_AT_ONCE_MAX = 200000, CATALOG_MERGE_MAX = 1 << 16 };

/* The thread that keeps a catalog. */
struct catalog_keeper {
    bool running;
    pthread_t thread;
    struct index_pace pace; /* of work that nobody waits for */
    uint64_t rested_us;     /* when it last made way; monotonic, its own */
    pthread_mutex_t lock;   /* of all that follows */
    pthread_cond_t wake;    /* of the keeper */
    pthread_cond_t turn;    /* another round has ended */
    bool stopping, wanted;
    uint64_t begun, ended; /* rounds */
    struct diag diag;      /* of the last round's reading; "" when it went well */
};

struct catalog {
    struct catalog_options options;
    atomic_uint screenings;       /* under way */
    pthread_mutex_t refresh_lock; /* held while a new reading is made */
    pthread_mutex_t reading_lock; /* guards all that follows but the keeper, and every reference count */
    struct catalog_reading *reading;
    uint64_t stamp;                  /* of the store, from before the reading was made */
    struct catalog_reading *retired; /* that the keeper is to free */
    struct catalog_status status;
    uint64_t missed_version, missed_us; /* the newest version that a screening waits for, and since when */
    uint64_t snapshot_changes;          /* of the reading whose snapshot is on disk */
    uint64_t snapshot_us;               /* when that was tried last; monotonic */
    struct catalog_keeper keeper;
};

void catalog_tell(const struct catalog *catalog, enum catalog_event event, const char *text);

/* Reads what changed after the reading from (NULL: everything), merging at most merge_max entries. Positive:
 * outcomes of list_store_follow(). Call with refresh_lock held. */
int catalog_follow(const struct catalog *catalog, const struct catalog_reading *from, size_t merge_max,
                   struct catalog_reading **next, struct diag *diag);

/* As catalog_refresh(), with refresh_lock held. */
int catalog_take_in(struct catalog *catalog, struct diag *diag);

/* Puts a reading in force, which is taken. aside: nothing changed in it, segments were merged. Call with
 * refresh_lock held, or before anybody else knows the catalog. */
void catalog_swap(struct catalog *catalog, struct catalog_reading *next, bool aside);

/* A reading like another one, of another generation, which is taken also on failure. Errors: -ENOMEM. */
int catalog_reading_copy(const struct catalog_reading *from, const struct index_generation *generation,
                         struct catalog_reading **copy);

void catalog_reading_free(struct catalog_reading *reading);

/* Loads the snapshot as the reading that stands for its version, without lists. Returns 0 with *reading NULL
 * when there is none that can be used; why was then told. */
int catalog_load_snapshot(struct catalog *catalog, struct catalog_reading **reading, struct diag *diag);

/* Writes a snapshot if it is due; ending: there is no other time for it. */
void catalog_keep_snapshot(struct catalog *catalog, bool ending);

/* What catalog_keep() does and ends. The latter is legal without the former. */
int catalog_keeper_start(struct catalog *catalog);
void catalog_keeper_stop(struct catalog *catalog);

/* Asks the keeper for the version and waits: to the deadline (monotonic) if there is one. Returns 1 when it
 * passed, 0 when the version is in force, or a negative errno. */
int catalog_keeper_wait(struct catalog *catalog, uint64_t version, const uint64_t *deadline_us,
                        struct diag *diag);

#endif
