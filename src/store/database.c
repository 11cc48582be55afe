#include "database.h"

#include "prescreen/base/clock.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* Temporary structures stay in memory: the folder of temporary files is not ours to trust, and the statements
 * here need none that grow. */
static const char settings[] = "PRAGMA synchronous=FULL;"
                               "PRAGMA temp_store=MEMORY;"
                               "PRAGMA recursive_triggers=ON;"
                               "PRAGMA cell_size_check=ON;"
                               "PRAGMA journal_size_limit=67108864";

static int errno_of_constraint(int extended)
{
    switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return EEXIST;
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_NOTNULL:
    case SQLITE_CONSTRAINT_DATATYPE:
        return EINVAL;
    default:
        return EIO;
    }
}

/* system is what errno held after the call. SQLite's own sqlite3_system_errno() knows nothing of a COMMIT
 * that failed. */
static int errno_of(sqlite3 *db, int system)
{
    int extended = sqlite3_extended_errcode(db);

    switch (extended & 0xff) {
    case SQLITE_NOMEM:
        return ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return EBUSY;
    case SQLITE_FULL:
        return ENOSPC;
    case SQLITE_READONLY:
        return EROFS;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return EACCES;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return EBADMSG;
    case SQLITE_TOOBIG:
        return EFBIG;
    case SQLITE_CONSTRAINT:
        return errno_of_constraint(extended);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return extended == SQLITE_IOERR_NOMEM ? ENOMEM : system > 0 ? system : EIO;
    default:
        return EIO;
    }
}

static const char *file_of(sqlite3 *db)
{
    const char *path = sqlite3_db_filename(db, "main");

    return path != NULL && path[0] != '\0' ? path : "the store";
}

static int describe_fault(sqlite3 *db, const char *file, struct diag *diag)
{
    int code = errno_of(db, errno);
    int primary = sqlite3_errcode(db) & 0xff;

    if (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN)
        return diag_fail(diag, -code, "%s: %s (%s)", file, sqlite3_errmsg(db), strerror(code));
    return diag_fail(diag, -code, "%s: %s", file, sqlite3_errmsg(db));
}

int database_fault(sqlite3 *db, struct diag *diag)
{
    return describe_fault(db, file_of(db), diag);
}

int database_damaged(sqlite3 *db, struct diag *diag)
{
    /* A value can also be missing because there was no memory to fetch it. */
    if ((sqlite3_errcode(db) & 0xff) == SQLITE_NOMEM)
        return database_fault(db, diag);
    return diag_fail(diag, -EBADMSG, "%s: holds a value that cannot be; put a sound copy in its place",
                     file_of(db));
}

/* Whether the connection is what was asked for; SQLite opens a file that cannot be written for reading alone.
 */
static int configure(sqlite3 *db, const struct database_layout *layout, struct diag *diag)
{
    int set = 0;

    if (sqlite3_db_readonly(db, "main") == 1)
        return diag_fail(diag, -EROFS, "%s: the file or its folder cannot be written", file_of(db));
    sqlite3_extended_result_codes(db, 1);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, layout->text_max);
    if (sqlite3_busy_timeout(db, layout->wait_ms) != SQLITE_OK ||
        sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, &set) != SQLITE_OK ||
        sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &set) != SQLITE_OK ||
        sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, &set) != SQLITE_OK)
        return database_fault(db, diag);
    return database_exec(db, settings, diag);
}

int database_open(const char *path, const struct database_layout *layout, sqlite3 **db, struct diag *diag)
{
    sqlite3 *made = NULL;

    errno = 0;
    int code = sqlite3_open_v2(path, &made,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);

    if (made == NULL)
        return diag_fail(diag, -ENOMEM, "%s: out of memory", path);
    int result = code != SQLITE_OK ? describe_fault(made, path, diag) : configure(made, layout, diag);
    if (result != 0) {
        database_close(made);
        return result;
    }
    *db = made;
    return 0;
}

void database_close(sqlite3 *db)
{
    sqlite3_stmt *statement;

    if (db == NULL)
        return;
    while ((statement = sqlite3_next_stmt(db, NULL)) != NULL)
        sqlite3_finalize(statement);
    sqlite3_close(db);
}

/* Several processes may find the file empty at once; switching to the write-ahead log can then say busy
 * without having waited. */
static int use_write_ahead_log(sqlite3 *db, const struct database_layout *layout, struct diag *diag)
{
    uint64_t deadline = clock_monotonic_us() + (uint64_t)layout->wait_ms * 1000;
    const struct timespec pause = {.tv_nsec = 2000000};

    for (;;) {
        int result = database_exec(db, "PRAGMA journal_mode=WAL", diag);
        if (result != -EBUSY || clock_monotonic_us() >= deadline)
            return result;
        nanosleep(&pause, NULL);
    }
}

/* What is found: 0 for an empty file, else the layout of a file that is ours. */
static int find_version(sqlite3 *db, const struct database_layout *layout, int *version, struct diag *diag)
{
    int64_t found[3];
    int result = database_query(
        db,
        "SELECT (SELECT application_id FROM pragma_application_id),"
        " (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)",
        NULL, 0, found, 3, diag);

    if (result != 0)
        return result;
    bool empty = found[0] == 0 && found[1] == 0 && found[2] == 0;
    if (!empty && (found[0] != layout->application_id || found[1] < 1))
        return diag_fail(diag, -EINVAL, "%s: is not a %s of prescreen; name another folder", file_of(db),
                         layout->what);
    if (found[1] > layout->version)
        return diag_fail(
            diag, -ENOTSUP,
            "%s: was written by a newer prescreen (layout %lld, this program knows %d); run that one",
            file_of(db), (long long)found[1], layout->version);
    *version = empty ? 0 : (int)found[1];
    return 0;
}

static int set_version(sqlite3 *db, const struct database_layout *layout, struct diag *diag)
{
    char *identity = sqlite3_mprintf("PRAGMA application_id=%d; PRAGMA user_version=%d",
                                     layout->application_id, layout->version);

    if (identity == NULL)
        return diag_fail(diag, -ENOMEM, "%s: out of memory", file_of(db));
    int result = database_exec(db, identity, diag);
    sqlite3_free(identity);
    return result;
}

/* Brings the file to the layout, all of it or nothing. */
static int bring_up(sqlite3 *db, const struct database_layout *layout, struct diag *diag)
{
    int version = 0;
    int result = database_begin(db, diag);

    /* Another process may have done it while this one waited. */
    if (result == 0)
        result = find_version(db, layout, &version, diag);
    if (result == 0 && version == 0) {
        result = database_exec(db, layout->schema, diag);
    } else {
        for (; result == 0 && version < layout->version; version++)
            result = database_exec(db, layout->upgrades[version - 1], diag);
    }
    if (result == 0)
        result = set_version(db, layout, diag);
    if (result == 0)
        result = database_exec(db, "COMMIT", diag);
    database_rollback(db);
    return result;
}

int database_set_up(sqlite3 *db, const struct database_layout *layout, struct diag *diag)
{
    int version = 0;
    int result = find_version(db, layout, &version, diag);

    if (result == 0)
        result = use_write_ahead_log(db, layout, diag);
    if (result == 0 && version != layout->version)
        result = bring_up(db, layout, diag);
    return result;
}

int database_exec(sqlite3 *db, const char *sql, struct diag *diag)
{
    errno = 0;
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : database_fault(db, diag);
}

int database_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **statement, struct diag *diag)
{
    errno = 0;
    return sqlite3_prepare_v2(db, sql, -1, statement, NULL) == SQLITE_OK ? 0 : database_fault(db, diag);
}

int database_step(sqlite3_stmt *statement, struct diag *diag)
{
    errno = 0;
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW:
        return DATABASE_ROW;
    case SQLITE_DONE:
        return 0;
    default:
        return database_fault(sqlite3_db_handle(statement), diag);
    }
}

int database_run(sqlite3_stmt *statement, struct diag *diag)
{
    int result = database_step(statement, diag);

    sqlite3_reset(statement);
    return result < 0 ? result : 0;
}

/* Prepares a statement with integers bound to it. */
static int prepare_bound(sqlite3 *db, const char *sql, const int64_t *values, int count,
                         sqlite3_stmt **statement, struct diag *diag)
{
    int result = database_prepare(db, sql, statement, diag);

    if (result != 0)
        return result;
    struct database_binder binder = database_bind(*statement);
    for (int i = 0; i < count; i++)
        bind_number(&binder, values[i]);
    return database_bound(&binder, diag);
}

int database_query(sqlite3 *db, const char *sql, const int64_t *values, int count, int64_t *results,
                   int result_count, struct diag *diag)
{
    sqlite3_stmt *statement = NULL;
    int result = prepare_bound(db, sql, values, count, &statement, diag);

    if (result == 0)
        result = database_step(statement, diag);
    for (int i = 0; result >= 0 && i < result_count; i++)
        results[i] = result == DATABASE_ROW ? sqlite3_column_int64(statement, i) : 0;
    sqlite3_finalize(statement);
    return result < 0 ? result : 0;
}

int database_each(sqlite3 *db, const char *sql, const int64_t *values, int count, database_row_sink *on_row,
                  void *context, struct diag *diag)
{
    sqlite3_stmt *statement = NULL;
    int result = prepare_bound(db, sql, values, count, &statement, diag);

    while (result == 0) {
        result = database_step(statement, diag);
        if (result != DATABASE_ROW)
            break;
        result = on_row(context, statement, diag);
    }
    sqlite3_finalize(statement);
    return result;
}

int database_execute(sqlite3 *db, const char *sql, const int64_t *values, int count, struct diag *diag)
{
    return database_query(db, sql, values, count, NULL, 0, diag);
}

int database_begin(sqlite3 *db, struct diag *diag)
{
    return database_exec(db, "BEGIN IMMEDIATE", diag);
}

void database_rollback(sqlite3 *db)
{
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

struct database_binder database_bind(sqlite3_stmt *statement)
{
    return (struct database_binder){.statement = statement};
}

static void note(struct database_binder *binder, int code)
{
    if (binder->code == SQLITE_OK)
        binder->code = code;
}

void bind_number(struct database_binder *binder, int64_t value)
{
    note(binder, sqlite3_bind_int64(binder->statement, ++binder->place, value));
}

void bind_text(struct database_binder *binder, const char *text)
{
    note(binder, sqlite3_bind_text(binder->statement, ++binder->place, text, -1, SQLITE_STATIC));
}

void bind_text_or_null(struct database_binder *binder, const char *text)
{
    if (text[0] == '\0')
        bind_null(binder);
    else
        bind_text(binder, text);
}

void bind_blob(struct database_binder *binder, const void *data, size_t size)
{
    note(binder, sqlite3_bind_blob64(binder->statement, ++binder->place, data, size, SQLITE_STATIC));
}

void bind_real(struct database_binder *binder, double value)
{
    note(binder, sqlite3_bind_double(binder->statement, ++binder->place, value));
}

void bind_null(struct database_binder *binder)
{
    note(binder, sqlite3_bind_null(binder->statement, ++binder->place));
}

int database_bound(const struct database_binder *binder, struct diag *diag)
{
    return binder->code == SQLITE_OK ? 0 : database_fault(sqlite3_db_handle(binder->statement), diag);
}
