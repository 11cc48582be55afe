/* What the parts of the list store share. */
#ifndef PRESCREEN_STORE_LIST_STORE_H
#define PRESCREEN_STORE_LIST_STORE_H

#include "prescreen/store/lists.h"

#include "database.h"

#include <pthread.h>

/* Short readings take turns on one connection that is kept open; whatever streams or changes opens one of its
 * own, so that nobody waits for it and its callbacks may use the store. */
struct list_store {
    char path[PATH_MAX];
    const struct config *config; /* NULL: nothing is known of any list */
    pthread_mutex_t lock;        /* of all that follows */
    sqlite3 *db;
    sqlite3_stmt *version, *stamp, *row, *list;
    uint64_t own_version;     /* the newest that was made through this store; it may still be on its way */
    uint64_t foreign_version; /* the newest that is known to have been made in another way */
};

/* LIST_STORE_BUSY or a negative errno. Ownership: *db is the caller's. */
int list_store_connect(struct list_store *store, sqlite3 **db, struct diag *diag);

/* -EBUSY becomes LIST_STORE_BUSY with a sentence; all else stays. For what SQLite says, never for what a
 * callback says. */
int list_store_outcome(int result, struct diag *diag);

/* Ends the transaction that makes a version. */
int list_store_commit(struct list_store *store, sqlite3 *db, uint64_t version, struct diag *diag);

/* LIST_STORE_REFUSED when the entries of the list change only by what bears its signature. */
int list_store_check_signed(const struct list_store *store, const char *name, struct diag *diag);

/* LIST_STORE_NOT_FOUND with a sentence. */
int list_store_unknown_list(const char *name, struct diag *diag);

/* A list in force on a connection of any kind. LIST_STORE_NOT_FOUND or a negative errno. */
int list_store_find(sqlite3 *db, const char *name, struct list_info *info, struct diag *diag);

/* Each list in force in order of name. */
int list_store_visit(sqlite3 *db, int (*on_list)(void *context, const struct list_info *info), void *context,
                     struct diag *diag);

/* One change in the history, as that version; call it last in the transaction. */
struct list_history {
    uint64_t at_us;
    const char *who, *what;
    uint32_t list;
    const struct list_properties *properties; /* in force after it */
    const struct list_change *change;
};
int list_history_add(sqlite3 *db, uint64_t version, const struct list_history *history, struct diag *diag);

/* Forgets what the configuration keeps no longer of the list's past. Call it within the transaction of a
 * change, after its history. Sets change->forgotten. */
int list_store_forget(sqlite3 *db, const struct list_store *store, uint32_t list, struct list_change *change,
                      struct diag *diag);

/* The version in force on a connection, and the last row that it knows. */
int list_history_last(sqlite3 *db, uint64_t *version, uint64_t *last_row, struct diag *diag);

/* Reads the hashes of an entry from the columns md5, sha1, sha256, pdq, pdq_quality that begin at first.
 * -EBADMSG when they are of a wrong size. */
int list_store_read_hashes(sqlite3_stmt *statement, int first, struct known_hashes *hashes,
                           struct diag *diag);

/* Copies a text column; -EBADMSG when it does not fit. */
int list_store_read_text(sqlite3_stmt *statement, int column, char *text, size_t capacity, struct diag *diag);

#endif
