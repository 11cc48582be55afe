#include "list_store.h"

#include "prescreen/base/bug.h"
#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A row is in force while its until is NULL, from version since on. Rows only grow in number, so
 * change.last_row tells which of them a version knew, and no row or list number is used twice. What is
 * deleted is only ever a row that no longer is in force: list.forgotten is the last version that ended one.
 *
 * A ruling is in force while its until is NULL, also while its entry is not on the list.
 */
#define RULINGS_SCHEMA                                                                                       \
    "CREATE TABLE ruling("                                                                                   \
    " id INTEGER PRIMARY KEY, list INTEGER NOT NULL REFERENCES list(number), entry_id TEXT NOT NULL, "       \
    "ruling TEXT NOT "                                                                                       \
    "NULL,"                                                                                                  \
    " since INTEGER NOT NULL, at_us INTEGER NOT NULL, who TEXT NOT NULL, note TEXT NOT NULL, md5 BLOB, "     \
    "sha1 BLOB,"                                                                                             \
    " sha256 BLOB, pdq BLOB, until INTEGER, ended_us INTEGER, ended_by TEXT, ended_note TEXT, ending TEXT) " \
    "STRICT;"                                                                                                \
    "CREATE UNIQUE INDEX ruling_in_force ON ruling(list, entry_id) WHERE until IS NULL;"                     \
    "CREATE INDEX ruling_of_entry ON ruling(list, entry_id, id);"                                            \
    "CREATE TRIGGER ruling_stays BEFORE DELETE ON ruling BEGIN SELECT raise(ABORT, 'rulings are never "      \
    "deleted'); "                                                                                            \
    "END;"

static const char schema[] =
    "CREATE TABLE list("
    " number INTEGER PRIMARY KEY, name TEXT NOT NULL, action TEXT NOT NULL, source TEXT NOT NULL,"
    " max_distance INTEGER NOT NULL, entries INTEGER NOT NULL DEFAULT 0, md5s INTEGER NOT NULL DEFAULT 0,"
    " sha1s INTEGER NOT NULL DEFAULT 0, sha256s INTEGER NOT NULL DEFAULT 0, pdqs INTEGER NOT NULL DEFAULT 0,"
    " created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL, version INTEGER NOT NULL, until INTEGER,"
    " views INTEGER NOT NULL DEFAULT 0, forgotten INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE UNIQUE INDEX list_in_force ON list(name) WHERE until IS NULL;"
    "CREATE TABLE entry("
    " row INTEGER PRIMARY KEY, list INTEGER NOT NULL REFERENCES list(number), since INTEGER NOT NULL, until "
    "INTEGER,"
    " entry_id TEXT NOT NULL, md5 BLOB, sha1 BLOB, sha256 BLOB, pdq BLOB, pdq_quality INTEGER,"
    " classification TEXT NOT NULL, note TEXT NOT NULL, views BLOB) STRICT;"
    "CREATE UNIQUE INDEX entry_in_force ON entry(list, entry_id) WHERE until IS NULL;"
    "CREATE INDEX entry_past ON entry(until) WHERE until IS NOT NULL;"
    "CREATE INDEX entry_ended ON entry(list, until) WHERE until IS NOT NULL;"
    "CREATE TABLE change("
    " version INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,"
    " list INTEGER NOT NULL REFERENCES list(number), action TEXT NOT NULL, source TEXT NOT NULL,"
    " max_distance INTEGER NOT NULL, added INTEGER NOT NULL, changed INTEGER NOT NULL, removed INTEGER NOT "
    "NULL,"
    " unchanged INTEGER NOT NULL, last_row INTEGER NOT NULL) STRICT;"
    "CREATE TRIGGER list_stays BEFORE DELETE ON list BEGIN SELECT raise(ABORT, 'lists are never deleted'); "
    "END;"
    "CREATE TRIGGER entry_stays BEFORE DELETE ON entry WHEN old.until IS NULL BEGIN"
    " SELECT raise(ABORT, 'entries in force are never deleted'); END;"
    "CREATE TRIGGER change_stays BEFORE DELETE ON change BEGIN SELECT raise(ABORT, 'history is never "
    "deleted'); END;"
    "CREATE TRIGGER change_is BEFORE UPDATE ON change BEGIN SELECT raise(ABORT, 'history is never changed'); "
    "END;" RULINGS_SCHEMA;

/* From each layout to the next. */
static const char *const upgrades[] = {
    "ALTER TABLE list ADD COLUMN views INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE entry ADD COLUMN views BLOB;",
    "ALTER TABLE list ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX entry_ended ON entry(list, until) WHERE until IS NOT NULL;"
    "DROP TRIGGER entry_stays;"
    "CREATE TRIGGER entry_stays BEFORE DELETE ON entry WHEN old.until IS NULL BEGIN"
    " SELECT raise(ABORT, 'entries in force are never deleted'); END;",
    RULINGS_SCHEMA,
};

static const struct database_layout layout = {.file = "lists.sqlite",
                                              .what = "list store",
                                              .application_id = 0x50534c53,
                                              .version = 1 + sizeof upgrades / sizeof upgrades[0],
                                              .schema = schema,
                                              .upgrades = upgrades,
                                              .wait_ms = LIST_STORE_WAIT_MS,
                                              .text_max = 1 << 20};

#define RULED(ruling)                                                                                        \
    "(SELECT count(*) FROM ruling INDEXED BY ruling_in_force WHERE ruling.list = list.number AND "           \
    "ruling.until"                                                                                           \
    " IS NULL AND ruling.ruling = '" ruling "')"
#define LIST_COLUMNS                                                                                         \
    "SELECT name, action, source, max_distance, number, entries, md5s, sha1s, sha256s, pdqs, created_us, "   \
    "updated_us,"                                                                                            \
    " version, views, " RULED("exempt") ", " RULED("set_aside") " FROM list WHERE until IS NULL"

int list_store_connect(struct list_store *store, sqlite3 **db, struct diag *diag)
{
    return list_store_outcome(database_open(store->path, &layout, db, diag), diag);
}

int list_store_outcome(int result, struct diag *diag)
{
    if (result != -EBUSY)
        return result;
    return diag_fail(diag, LIST_STORE_BUSY,
                     "another change of the lists is still running after %d seconds; try again",
                     LIST_STORE_WAIT_MS / 1000);
}

int list_store_unknown_list(const char *name, struct diag *diag)
{
    return diag_fail(diag, LIST_STORE_NOT_FOUND, "there is no list %s",
                     text_is_token(name, LIST_NAME_MAX) ? name : "of this name");
}

static int prepare_statements(struct list_store *store, struct diag *diag)
{
    int result = database_prepare(store->db, "SELECT max(version) FROM change", &store->version, diag);

    /* Another one after every commit of another connection, and whatever writes has one of its own. */
    if (result == 0)
        result = database_prepare(store->db, "PRAGMA data_version", &store->stamp, diag);
    if (result == 0)
        result = database_prepare(
            store->db, "SELECT list, entry_id, classification FROM entry WHERE row = ?1", &store->row, diag);
    if (result == 0)
        result = database_prepare(store->db, LIST_COLUMNS " AND name = ?1", &store->list, diag);
    return result;
}

int list_store_open(const char *folder, bool create, struct list_store **store, struct diag *diag)
{
    struct list_store *made = calloc(1, sizeof *made);

    if (made == NULL)
        return diag_fail(diag, -ENOMEM, "out of memory");
    pthread_mutex_init(&made->lock, NULL);
    int result = database_locate(folder, &layout, create, made->path, diag);
    if (result == 0)
        result = database_open(made->path, &layout, &made->db, diag);
    if (result == 0)
        result = database_set_up(made->db, &layout, diag);
    if (result == 0)
        result = prepare_statements(made, diag);
    if (result != 0) {
        list_store_close(made);
        return result;
    }
    *store = made;
    return 0;
}

void list_store_guard(struct list_store *store, const struct config *config)
{
    store->config = config;
}

int list_store_check_signed(const struct list_store *store, const char *name, struct diag *diag)
{
    const struct config_list *rules = store->config != NULL ? config_find_list(store->config, name) : NULL;

    if (rules == NULL || !rules->is_signed)
        return 0;
    return diag_fail(
        diag, LIST_STORE_REFUSED,
        "list %s has a signature_key in the configuration: its entries change only by the import "
        "of a signed file",
        name);
}

void list_store_close(struct list_store *store)
{
    if (store == NULL)
        return;
    database_close(store->db);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

/* Runs a statement that gives one number. */
static int ask_number(struct list_store *store, sqlite3_stmt *statement, uint64_t *number, struct diag *diag)
{
    pthread_mutex_lock(&store->lock);
    int result = database_step(statement, diag);
    if (result == DATABASE_ROW)
        *number = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    pthread_mutex_unlock(&store->lock);
    return result < 0 ? list_store_outcome(result, diag) : 0;
}

int list_store_version(struct list_store *store, uint64_t *lists_version, struct diag *diag)
{
    return ask_number(store, store->version, lists_version, diag);
}

int list_store_stamp(struct list_store *store, uint64_t *stamp, struct diag *diag)
{
    return ask_number(store, store->stamp, stamp, diag);
}

int list_store_foreign_version(struct list_store *store, uint64_t *lists_version, uint64_t *foreign,
                               struct diag *diag)
{
    uint64_t version = 0;
    int result = list_store_version(store, &version, diag);

    if (result != 0)
        return result;
    pthread_mutex_lock(&store->lock);
    *foreign = version > store->own_version ? version : store->foreign_version;
    pthread_mutex_unlock(&store->lock);
    *lists_version = version;
    return 0;
}

/* The version is noted as one's own before anybody can see it: nobody else makes one until this is over. */
int list_store_commit(struct list_store *store, sqlite3 *db, uint64_t version, struct diag *diag)
{
    pthread_mutex_lock(&store->lock);
    const uint64_t before = store->own_version;
    if (version > before + 1)
        store->foreign_version = version - 1;
    store->own_version = version;
    pthread_mutex_unlock(&store->lock);
    int result = database_exec(db, "COMMIT", diag);
    if (result != 0) {
        pthread_mutex_lock(&store->lock);
        store->own_version = before;
        pthread_mutex_unlock(&store->lock);
    }
    return result;
}

int list_store_read_text(sqlite3_stmt *statement, int column, char *text, size_t capacity, struct diag *diag)
{
    const char *value = (const char *)sqlite3_column_text(statement, column);

    if (value == NULL || !text_copy(text, capacity, value))
        return database_damaged(sqlite3_db_handle(statement), diag);
    return 0;
}

static int read_digest(sqlite3_stmt *statement, int column, uint8_t *digest, size_t size, bool *known)
{
    if (sqlite3_column_type(statement, column) == SQLITE_NULL) {
        *known = false;
        return 0;
    }
    const void *value = sqlite3_column_blob(statement, column);
    if (value == NULL || (size_t)sqlite3_column_bytes(statement, column) != size)
        return -EBADMSG;
    memcpy(digest, value, size);
    *known = true;
    return 0;
}

int list_store_read_hashes(sqlite3_stmt *statement, int first, struct known_hashes *hashes, struct diag *diag)
{
    struct known_hashes read = {.pdq_quality = -1};
    uint8_t pdq[PDQ_SIZE];
    uint8_t *const values[HASH_KIND_COUNT] = {read.md5, read.sha1, read.sha256, pdq};

    for (unsigned int kind = 0; kind < HASH_KIND_COUNT; kind++) {
        bool known = false;

        if (read_digest(statement, first + (int)kind, values[kind], hash_kind_size((enum hash_kind)kind),
                        &known) != 0)
            return database_damaged(sqlite3_db_handle(statement), diag);
        if (known)
            read.kinds |= HASH_BIT(kind);
    }
    if ((read.kinds & HASH_BIT(HASH_PDQ)) != 0)
        pdq_from_bytes(pdq, &read.pdq);
    if (sqlite3_column_type(statement, first + HASH_KIND_COUNT) != SQLITE_NULL)
        read.pdq_quality = sqlite3_column_int(statement, first + HASH_KIND_COUNT);
    *hashes = read;
    return 0;
}

static int read_list(sqlite3_stmt *statement, struct list_info *info, struct diag *diag)
{
    struct list_info read = {.properties.max_distance = (unsigned int)sqlite3_column_int(statement, 3),
                             .number = (uint32_t)sqlite3_column_int64(statement, 4),
                             .entries = (uint64_t)sqlite3_column_int64(statement, 5),
                             .created_us = (uint64_t)sqlite3_column_int64(statement, 10),
                             .updated_us = (uint64_t)sqlite3_column_int64(statement, 11),
                             .version = (uint64_t)sqlite3_column_int64(statement, 12),
                             .views = (uint64_t)sqlite3_column_int64(statement, 13),
                             .exempt = (uint64_t)sqlite3_column_int64(statement, 14),
                             .set_aside = (uint64_t)sqlite3_column_int64(statement, 15)};
    const char *action = (const char *)sqlite3_column_text(statement, 1);

    for (int kind = 0; kind < HASH_KIND_COUNT; kind++)
        read.kinds[kind] = (uint64_t)sqlite3_column_int64(statement, 6 + kind);
    int result = list_store_read_text(statement, 0, read.properties.name, sizeof read.properties.name, diag);
    if (result == 0)
        result =
            list_store_read_text(statement, 2, read.properties.source, sizeof read.properties.source, diag);
    if (result != 0)
        return result;
    if (action == NULL || !list_action_parse(action, &read.properties.action) ||
        read.properties.max_distance > LIST_DISTANCE_MAX)
        return database_damaged(sqlite3_db_handle(statement), diag);
    *info = read;
    return 0;
}

/* Reads the list of a name with a prepared statement of LIST_COLUMNS. */
static int fetch_list(sqlite3_stmt *statement, const char *name, struct list_info *info, struct diag *diag)
{
    struct database_binder binder = database_bind(statement);

    bind_text(&binder, name);
    int result = database_bound(&binder, diag);
    if (result == 0)
        result = database_step(statement, diag);
    if (result == DATABASE_ROW)
        result = read_list(statement, info, diag);
    else if (result == 0)
        result = list_store_unknown_list(name, diag);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return result;
}

int list_store_find(sqlite3 *db, const char *name, struct list_info *info, struct diag *diag)
{
    sqlite3_stmt *statement = NULL;
    int result = database_prepare(db, LIST_COLUMNS " AND name = ?1", &statement, diag);

    if (result == 0)
        result = fetch_list(statement, name, info, diag);
    sqlite3_finalize(statement);
    return result;
}

int list_store_get(struct list_store *store, const char *name, struct list_info *info, struct diag *diag)
{
    pthread_mutex_lock(&store->lock);
    int result = fetch_list(store->list, name, info, diag);
    pthread_mutex_unlock(&store->lock);
    return list_store_outcome(result, diag);
}

static int read_row(sqlite3_stmt *statement, uint64_t row, struct stored_entry *entry, struct diag *diag)
{
    struct stored_entry read = {.row = row, .list = (uint32_t)sqlite3_column_int64(statement, 0)};
    int result = list_store_read_text(statement, 1, read.entry_id, sizeof read.entry_id, diag);

    if (result == 0)
        result = list_store_read_text(statement, 2, read.classification, sizeof read.classification, diag);
    if (result == 0)
        *entry = read;
    return result;
}

int list_store_get_row(struct list_store *store, uint64_t row, struct stored_entry *entry, struct diag *diag)
{
    pthread_mutex_lock(&store->lock);
    struct database_binder binder = database_bind(store->row);
    bind_number(&binder, (int64_t)row);
    int result = database_bound(&binder, diag);
    if (result == 0)
        result = database_step(store->row, diag);
    if (result == DATABASE_ROW)
        result = read_row(store->row, row, entry, diag);
    else if (result == 0)
        result = diag_fail(diag, LIST_STORE_NOT_FOUND, "there is no row %llu", (unsigned long long)row);
    sqlite3_reset(store->row);
    pthread_mutex_unlock(&store->lock);
    return list_store_outcome(result, diag);
}

int list_store_visit(sqlite3 *db, int (*on_list)(void *context, const struct list_info *info), void *context,
                     struct diag *diag)
{
    sqlite3_stmt *statement = NULL;
    int result = database_prepare(db, LIST_COLUMNS " ORDER BY name", &statement, diag);

    while (result == 0) {
        struct list_info info;

        result = list_store_outcome(database_step(statement, diag), diag);
        if (result != DATABASE_ROW)
            break;
        result = read_list(statement, &info, diag);
        if (result == 0)
            result = on_list(context, &info);
    }
    sqlite3_finalize(statement);
    return result;
}

int list_store_each(struct list_store *store, int (*on_list)(void *context, const struct list_info *info),
                    void *context, struct diag *diag)
{
    sqlite3 *db = NULL;
    int result = list_store_connect(store, &db, diag);

    if (result == 0)
        result = list_store_visit(db, on_list, context, diag);
    database_close(db);
    return result;
}
