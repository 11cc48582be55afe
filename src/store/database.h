/* SQLite as the stores use it: one way to open, to run statements and to say what went wrong. */
#ifndef PRESCREEN_STORE_DATABASE_H
#define PRESCREEN_STORE_DATABASE_H

#include "prescreen/base/diag.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a file must be. */
struct database_layout {
    const char *file; /* its name in the folder */
    const char *what; /* for people: "list store" */
    int application_id;
    int version;
    const char *schema;
    const char *const *upgrades; /* statements that make layout n + 2 of layout n + 1; version - 1 of them */
    int wait_ms;                 /* for locks of others */
    int text_max;                /* bytes of one value */
};

/* Writes the absolute path of the layout's file in the folder. With create, makes folder and file where
 * missing, for their owner alone, and has them on disk. Errors: -ENOENT without create, -ENAMETOOLONG,
 * -errno, with diag. */
int database_locate(const char *folder, const struct database_layout *layout, bool create,
                    char path[PATH_MAX], struct diag *diag);

/* Opens a connection to the file at path. Threads: one at a time. Errors: as database_fault(). Ownership: *db
 * is the caller's, to database_close(), which ends its statements too. Cost: some 100 microseconds. */
int database_open(const char *path, const struct database_layout *layout, sqlite3 **db, struct diag *diag);
void database_close(sqlite3 *db);

/* Makes sure that the file is one of the layout's, giving an empty one its schema and an older one what it
 * lacks. Call once, after the first database_open(). Errors: -EINVAL when it is another program's, -ENOTSUP
 * when it is newer than this program.
 */
int database_set_up(sqlite3 *db, const struct database_layout *layout, struct diag *diag);

/* Describes the last failure of the connection. Returns a negative errno: -EBUSY, -ENOSPC, -EROFS, -ENOMEM,
 * -EACCES, -EBADMSG (damaged), -EEXIST and -EINVAL (a constraint), -EFBIG, the disk's own, else -EIO. */
int database_fault(sqlite3 *db, struct diag *diag);

/* The file holds something that it cannot hold: -EBADMSG with diag. */
int database_damaged(sqlite3 *db, struct diag *diag);

/* Runs statements that give no rows. */
int database_exec(sqlite3 *db, const char *sql, struct diag *diag);

int database_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **statement, struct diag *diag);

/* Positive outcome of database_step(): a row is there. */
enum { DATABASE_ROW = 1 };
int database_step(sqlite3_stmt *statement, struct diag *diag);

/* Steps a statement that gives no row and makes it ready for its next use. */
int database_run(sqlite3_stmt *statement, struct diag *diag);

/* Prepares, binds integers to ?1, ?2 …, runs, ends. */
int database_execute(sqlite3 *db, const char *sql, const int64_t *values, int count, struct diag *diag);

/* The same for a statement whose one row of integers is wanted; results[0..result_count) are written on
 * success. No row or NULL counts as 0. */
int database_query(sqlite3 *db, const char *sql, const int64_t *values, int count, int64_t *results,
                   int result_count, struct diag *diag);

/* The same for any number of rows: on_row is called for each; anything but 0 from it stops and is returned.
 */
typedef int database_row_sink(void *context, sqlite3_stmt *row, struct diag *diag);
int database_each(sqlite3 *db, const char *sql, const int64_t *values, int count, database_row_sink *on_row,
                  void *context, struct diag *diag);

/* Begins a transaction that writes; waits for its turn. Errors: -EBUSY. */
int database_begin(sqlite3 *db, struct diag *diag);
/* Undoes the transaction when one is open. */
void database_rollback(sqlite3 *db);

/* Binds one value after the other; a failure is kept until database_bound(). Texts and blobs are borrowed
 * until the statement is run. */
struct database_binder {
    sqlite3_stmt *statement;
    int place;
    int code;
};
struct database_binder database_bind(sqlite3_stmt *statement);
void bind_number(struct database_binder *binder, int64_t value);
void bind_text(struct database_binder *binder, const char *text);
void bind_text_or_null(struct database_binder *binder, const char *text); /* "" = NULL */
void bind_blob(struct database_binder *binder, const void *data, size_t size);
void bind_real(struct database_binder *binder, double value);
void bind_null(struct database_binder *binder);
int database_bound(const struct database_binder *binder, struct diag *diag);

#endif
