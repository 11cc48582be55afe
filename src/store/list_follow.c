#include "entry_views.h"
#include "list_store.h"

/* Where the rows of one reading go. */
struct entry_reading {
    entry_sink *on_entry;
    void *context;
};

static int give_entry(void *context, sqlite3_stmt *row, struct diag *diag)
{
    const struct entry_reading *reading = context;
    char entry_id[ENTRY_ID_MAX + 1];
    char classification[CLASSIFICATION_MAX + 1];
    char note[ENTRY_NOTE_MAX + 1];
    struct entry_view views[ENTRY_VIEWS_MAX];
    struct list_entry entry = {
        .entry_id = entry_id, .classification = classification, .note = note, .views = views};
    int result = list_store_read_text(row, 0, entry_id, sizeof entry_id, diag);

    if (result == 0)
        result = list_store_read_hashes(row, 1, &entry.hashes, diag);
    if (result == 0)
        result = list_store_read_text(row, 6, classification, sizeof classification, diag);
    if (result == 0)
        result = list_store_read_text(row, 7, note, sizeof note, diag);
    if (result == 0)
        result = entry_views_read(row, 8, views, &entry.view_count, diag);
    return result != 0 ? result : reading->on_entry(reading->context, &entry);
}

static int give_entries(sqlite3 *db, const char *name, struct entry_reading *reading, struct diag *diag)
{
    struct list_info info;
    int result = list_store_outcome(list_store_find(db, name, &info, diag), diag);
    const int64_t values[] = {info.number};

    if (result != 0)
        return result;
    return database_each(
        db,
        "SELECT entry_id, md5, sha1, sha256, pdq, pdq_quality, classification, note, views FROM entry"
        " INDEXED BY entry_in_force WHERE list = ?1 AND until IS NULL ORDER BY entry_id",
        values, 1, give_entry, reading, diag);
}

int list_store_each_entry(struct list_store *store, const char *name, entry_sink *on_entry, void *context,
                          struct diag *diag)
{
    struct entry_reading reading = {.on_entry = on_entry, .context = context};
    sqlite3 *db = NULL;
    int result = list_store_connect(store, &db, diag);

    if (result == 0)
        result = database_exec(db, "BEGIN", diag);
    if (result == 0)
        result = give_entries(db, name, &reading, diag);
    database_close(db);
    return result;
}

/* The last row that a version knew. */
static int find_last_row(sqlite3 *db, uint64_t version, uint64_t *last_row, struct diag *diag)
{
    const int64_t values[] = {(int64_t)version};
    int64_t found[2] = {0};

    if (version == 0) {
        *last_row = 0;
        return 0;
    }
    int result = database_query(db, "SELECT version, last_row FROM change WHERE version = ?1", values, 1,
                                found, 2, diag);
    if (result != 0)
        return result;
    if (found[0] == 0)
        return diag_fail(diag, LIST_STORE_NOT_FOUND, "the list store never had a version %llu",
                         (unsigned long long)version);
    *last_row = (uint64_t)found[1];
    return 0;
}

/* Removals after that version may have been forgotten. */
static int check_not_forgotten(sqlite3 *db, uint64_t since, struct diag *diag)
{
    int64_t forgotten = 0;
    int result = database_query(db, "SELECT max(forgotten) FROM list", NULL, 0, &forgotten, 1, diag);

    if (result != 0 || (uint64_t)forgotten <= since)
        return result;
    return diag_fail(diag, LIST_STORE_NOT_FOUND, "what changed after version %llu is no longer known",
                     (unsigned long long)since);
}

static int give_removed(void *context, sqlite3_stmt *row, struct diag *diag)
{
    const struct list_follower *follower = context;

    (void)diag;
    return follower->on_removed(follower->context, (uint64_t)sqlite3_column_int64(row, 0));
}

static int give_added(void *context, sqlite3_stmt *row, struct diag *diag)
{
    const struct list_follower *follower = context;
    const uint64_t number = (uint64_t)sqlite3_column_int64(row, 0);
    struct entry_view views[ENTRY_VIEWS_MAX];
    struct known_hashes hashes;
    size_t count = 0;
    int result = list_store_read_hashes(row, 2, &hashes, diag);

    if (result == 0)
        result = entry_views_read(row, 7, views, &count, diag);
    if (result == 0)
        result =
            follower->on_added(follower->context, number, (uint32_t)sqlite3_column_int64(row, 1), &hashes);
    for (size_t i = 0; result == 0 && follower->on_view != NULL && i < count; i++)
        result = follower->on_view(follower->context, number, &views[i]);
    return result;
}

static int give_ruling(void *context, sqlite3_stmt *row, struct diag *diag)
{
    const struct list_follower *follower = context;
    const char *name = (const char *)sqlite3_column_text(row, 1);
    enum entry_ruling ruling = RULING_NONE;

    if (name == NULL || !entry_ruling_parse(name, &ruling))
        return database_damaged(sqlite3_db_handle(row), diag);
    return follower->on_ruling(follower->context, (uint64_t)sqlite3_column_int64(row, 0), ruling);
}

static int follow_in_transaction(sqlite3 *db, uint64_t since, const struct list_follower *follower,
                                 uint64_t *version, struct diag *diag)
{
    struct list_follower sinks = *follower;
    uint64_t last_row = 0;
    uint64_t newest_row = 0;
    int result = list_history_last(db, version, &newest_row, diag);

    if (result == 0)
        result = find_last_row(db, since, &last_row, diag);
    if (result == 0 && since > 0)
        result = check_not_forgotten(db, since, diag);
    result = list_store_outcome(result, diag);
    if (result == 0)
        result = list_store_visit(db, follower->on_list, follower->context, diag);
    const int64_t values[] = {(int64_t)last_row, (int64_t)since};
    /* Known to the version, out of force since: */
    if (result == 0)
        result =
            database_each(db, "SELECT row FROM entry INDEXED BY entry_past WHERE until > ?2 AND row <= ?1",
                          values, 2, give_removed, &sinks, diag);
    /* In force, unknown to the version: */
    if (result == 0)
        result = database_each(db,
                               "SELECT row, list, md5, sha1, sha256, pdq, pdq_quality, views FROM entry"
                               " NOT INDEXED WHERE row > ?1 AND until IS NULL ORDER BY row",
                               values, 1, give_added, &sinks, diag);
    if (result == 0 && follower->on_ruling != NULL)
        result = database_each(db,
                               "SELECT entry.row, ruling.ruling FROM ruling CROSS JOIN entry INDEXED BY"
                               " entry_in_force ON entry.list = ruling.list AND entry.entry_id ="
                               " ruling.entry_id AND entry.until IS NULL WHERE ruling.until IS NULL"
                               " ORDER BY entry.row",
                               NULL, 0, give_ruling, &sinks, diag);
    return result;
}

int list_store_follow(struct list_store *store, uint64_t since, const struct list_follower *follower,
                      uint64_t *lists_version, struct diag *diag)
{
    sqlite3 *db = NULL;
    uint64_t version = 0;
    int result = list_store_connect(store, &db, diag);

    if (result == 0)
        result = database_exec(db, "BEGIN", diag);
    if (result == 0)
        result = follow_in_transaction(db, since, follower, &version, diag);
    database_close(db);
    if (result == 0)
        *lists_version = version;
    return result;
}
