#include "list_history.h"

#include "list_rulings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A change that moves many entries forgets more of them than it moves, so that the past cannot outgrow what
 * is kept of it. */
enum { FORGET_ROWS_MIN = 20000 };

int list_past_find(sqlite3 *db, const char *name, struct list_past *past, struct diag *diag)
{
    struct list_past found = {.first = 0};
    int64_t numbers[5];
    int result = list_store_find(db, name, &found.info, diag);
    const int64_t values[] = {found.info.number};

    if (result == 0)
        result = database_query(
            db,
            "SELECT min(version), max(version),"
            " (SELECT max(version) FROM change WHERE list = ?1 AND version < (SELECT max(version) FROM change"
            " WHERE list = ?1)), (SELECT forgotten FROM list WHERE number = ?1),"
            " (SELECT max(version) FROM change) FROM change WHERE list = ?1",
            values, 1, numbers, 5, diag);
    if (result != 0)
        return result;
    found.first = (uint64_t)numbers[0];
    found.last = (uint64_t)numbers[1];
    found.before = (uint64_t)numbers[2];
    found.forgotten = (uint64_t)numbers[3];
    found.newest = (uint64_t)numbers[4];
    *past = found;
    return 0;
}

int list_past_last_row(sqlite3 *db, const struct list_past *past, uint64_t version, uint64_t *last_row,
                       struct diag *diag)
{
    const int64_t values[] = {(int64_t)version};
    const char *name = past->info.properties.name;
    int64_t found = 0;

    if (version < past->first || version > past->newest)
        return diag_fail(diag, LIST_STORE_NOT_FOUND,
                         "list %s has no version %" PRIu64 "; its versions are %" PRIu64 " to %" PRIu64, name,
                         version, past->first, past->newest);
    if (version < past->forgotten)
        return diag_fail(diag, LIST_STORE_NOT_FOUND,
                         "version %" PRIu64 " of list %s is no longer kept; the oldest that is is %" PRIu64,
                         version, name, past->forgotten);
    int result =
        database_query(db, "SELECT last_row FROM change WHERE version = ?1", values, 1, &found, 1, diag);
    if (result == 0)
        *last_row = (uint64_t)found;
    return result;
}

/* Where the changes of a list lead, as to signatures. */
struct signed_walk {
    bool is_signed;
};

static bool begins_with(const char *text, const char *begin)
{
    return strncmp(text, begin, strlen(begin)) == 0;
}

static int walk_change(void *context, sqlite3_stmt *row, struct diag *diag)
{
    struct signed_walk *walk = context;
    char what[HISTORY_WHAT_MAX + 1];
    int result = list_store_read_text(row, 0, what, sizeof what, diag);

    if (result != 0)
        return result;
    if (strcmp(what, "create") == 0 || strcmp(what, WHAT_SIGNED_REPLACEMENT) == 0 ||
        begins_with(what, WHAT_SIGNED_REVERT))
        walk->is_signed = true;
    else if (strcmp(what, "set") != 0 && strcmp(what, WHAT_SIGNED_MERGE) != 0 && !list_rulings_made(what))
        walk->is_signed = false;
    return 0;
}

int list_past_is_signed(sqlite3 *db, const struct list_past *past, uint64_t version, bool *is_signed,
                        struct diag *diag)
{
    const int64_t values[] = {past->info.number, (int64_t)version};
    struct signed_walk walk = {.is_signed = false};
    int result =
        database_each(db, "SELECT what FROM change WHERE list = ?1 AND version <= ?2 ORDER BY version",
                      values, 2, walk_change, &walk, diag);

    if (result == 0)
        *is_signed = walk.is_signed;
    return result;
}

/* Where the versions of one reading go. */
struct version_reading {
    const struct list_past *past;
    int (*on_version)(void *context, const struct list_version *version);
    void *context;
};

/* Copies as much of a text as fits: names of keys may be longer than what is shown of them. */
static void read_cut(sqlite3_stmt *row, int column, char *text, size_t capacity)
{
    const char *value = (const char *)sqlite3_column_text(row, column);

    snprintf(text, capacity, "%s", value != NULL ? value : "");
}

static int give_version(void *context, sqlite3_stmt *row, struct diag *diag)
{
    const struct version_reading *reading = context;
    struct list_version version = {.version = (uint64_t)sqlite3_column_int64(row, 0),
                                   .at_us = (uint64_t)sqlite3_column_int64(row, 1),
                                   .properties.max_distance = (unsigned int)sqlite3_column_int(row, 6),
                                   .change = {.lists_version = (uint64_t)sqlite3_column_int64(row, 0),
                                              .added = (uint64_t)sqlite3_column_int64(row, 7),
                                              .changed = (uint64_t)sqlite3_column_int64(row, 8),
                                              .removed = (uint64_t)sqlite3_column_int64(row, 9),
                                              .unchanged = (uint64_t)sqlite3_column_int64(row, 10)}};
    const char *action = (const char *)sqlite3_column_text(row, 4);

    read_cut(row, 2, version.who, sizeof version.who);
    read_cut(row, 3, version.what, sizeof version.what);
    read_cut(row, 5, version.properties.source, sizeof version.properties.source);
    memcpy(version.properties.name, reading->past->info.properties.name, sizeof version.properties.name);
    if (action == NULL || !list_action_parse(action, &version.properties.action))
        return database_damaged(sqlite3_db_handle(row), diag);
    version.kept = version.version >= reading->past->forgotten;
    return reading->on_version(reading->context, &version);
}

int list_store_each_version(struct list_store *store, const char *name, uint64_t count,
                            int (*on_version)(void *context, const struct list_version *version),
                            void *context, struct diag *diag)
{
    struct list_past past;
    struct version_reading reading = {.past = &past, .on_version = on_version, .context = context};
    sqlite3 *db = NULL;
    int result = list_store_connect(store, &db, diag);

    if (result == 0)
        result = database_exec(db, "BEGIN", diag);
    if (result == 0)
        result = list_store_outcome(list_past_find(db, name, &past, diag), diag);
    if (result == 0) {
        const int64_t values[] = {past.info.number, count > INT64_MAX ? INT64_MAX : (int64_t)count};
        result = database_each(db,
                               "SELECT version, at_us, who, what, action, source, max_distance, added,"
                               " changed, removed, unchanged FROM change WHERE list = ?1"
                               " ORDER BY version DESC LIMIT ?2",
                               values, 2, give_version, &reading, diag);
    }
    database_close(db);
    return result;
}

/* The newest of the list's versions whose entries need not be known any more, and all before it. */
static int find_horizon(sqlite3 *db, uint32_t list, uint64_t keep, uint64_t *horizon, struct diag *diag)
{
    const int64_t values[] = {list, (int64_t)keep - 1};
    int64_t found = 0;
    int result = database_query(
        db, "SELECT version FROM change WHERE list = ?1 ORDER BY version DESC LIMIT 1 OFFSET ?2", values, 2,
        &found, 1, diag);

    if (result == 0)
        *horizon = (uint64_t)found;
    return result;
}

/* Deletes past entries of a list that ended by the horizon, but never the newest row of all: its number must
 * not be given again. */
static int forget_rows(sqlite3 *db, uint32_t list, uint64_t horizon, uint64_t most_rows, uint64_t *forgotten,
                       struct diag *diag)
{
    const int64_t values[] = {list, (int64_t)horizon, (int64_t)most_rows};
    int64_t last[2] = {0};
    int result = database_query(db,
                                "SELECT max(until), count(*) FROM (SELECT until FROM entry INDEXED BY"
                                " entry_ended WHERE list = ?1 AND until <= ?2 ORDER BY until LIMIT ?3)",
                                values, 3, last, 2, diag);

    if (result != 0 || last[1] == 0)
        return result;
    result = database_execute(db,
                              "DELETE FROM entry WHERE row IN (SELECT row FROM entry INDEXED BY entry_ended"
                              " WHERE list = ?1 AND until <= ?2 ORDER BY until LIMIT ?3)"
                              " AND row < (SELECT max(row) FROM entry)",
                              values, 3, diag);
    const int64_t note[] = {list, last[0]};
    if (result == 0)
        result = database_execute(db, "UPDATE list SET forgotten = max(forgotten, ?2) WHERE number = ?1",
                                  note, 2, diag);
    if (result == 0)
        *forgotten += (uint64_t)last[1];
    return result;
}

int list_history_forget(sqlite3 *db, uint32_t list, uint64_t keep, uint64_t most_rows, uint64_t *forgotten,
                        struct diag *diag)
{
    const int64_t values[] = {(int64_t)keep};
    uint64_t horizon = 0;
    int64_t ended = 0;
    int result = find_horizon(db, list, keep, &horizon, diag);

    if (result == 0 && horizon > 0)
        result = forget_rows(db, list, horizon, most_rows, forgotten, diag);
    if (result == 0)
        result = database_query(
            db,
            "SELECT min(number) FROM list WHERE until <= (SELECT max(version) FROM change) - ?1"
            " AND EXISTS (SELECT 1 FROM entry INDEXED BY entry_ended WHERE list = list.number AND until > 0)",
            values, 1, &ended, 1, diag);
    if (result == 0 && ended > 0)
        result = forget_rows(db, (uint32_t)ended, INT64_MAX, most_rows, forgotten, diag);
    return result;
}

int list_store_forget(sqlite3 *db, const struct list_store *store, uint32_t list, struct list_change *change,
                      struct diag *diag)
{
    const uint64_t moved = change->added + change->changed + change->removed;

    if (store->config == NULL)
        return 0;
    return list_history_forget(db, list, store->config->limits.history, FORGET_ROWS_MIN + 2 * moved,
                               &change->forgotten, diag);
}
