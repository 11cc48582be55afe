#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"

#include "list_store.h"

#include <string.h>

int list_history_last(sqlite3 *db, uint64_t *version, uint64_t *last_row, struct diag *diag)
{
    int64_t last[2];
    int result = database_query(db, "SELECT version, last_row FROM change ORDER BY version DESC LIMIT 1",
                                NULL, 0, last, 2, diag);

    if (result != 0)
        return result;
    *version = (uint64_t)last[0];
    *last_row = (uint64_t)last[1];
    return 0;
}

int list_history_add(sqlite3 *db, uint64_t version, const struct list_history *history, struct diag *diag)
{
    sqlite3_stmt *statement = NULL;
    int result =
        database_prepare(db,
                         "INSERT INTO change VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
                         " (SELECT coalesce(max(row), 0) FROM entry))",
                         &statement, diag);

    if (result != 0)
        return result;
    struct database_binder binder = database_bind(statement);
    bind_number(&binder, (int64_t)version);
    bind_number(&binder, (int64_t)history->at_us);
    bind_text(&binder, history->who);
    bind_text(&binder, history->what);
    bind_number(&binder, history->list);
    bind_text(&binder, list_action_name(history->properties->action));
    bind_text(&binder, history->properties->source);
    bind_number(&binder, history->properties->max_distance);
    bind_number(&binder, (int64_t)history->change->added);
    bind_number(&binder, (int64_t)history->change->changed);
    bind_number(&binder, (int64_t)history->change->removed);
    bind_number(&binder, (int64_t)history->change->unchanged);
    result = database_bound(&binder, diag);
    if (result == 0)
        result = database_run(statement, diag);
    sqlite3_finalize(statement);
    return result;
}

static int check_properties(const struct list_properties *properties, struct diag *diag)
{
    const char *name = properties->name;

    if (strnlen(name, sizeof properties->name) > LIST_NAME_MAX || !text_is_token(name, LIST_NAME_MAX) ||
        strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return diag_fail(diag, LIST_STORE_REFUSED,
                         "name: 1 to %d of A-Z a-z 0-9 . _ - are allowed, and not \".\" or \"..\"",
                         LIST_NAME_MAX);
    if ((unsigned int)properties->action >= ACTION_COUNT)
        return diag_fail(diag, LIST_STORE_REFUSED, "action: not one of report, block, allow, observe");
    if (strnlen(properties->source, sizeof properties->source) > LIST_SOURCE_MAX ||
        !text_is_printable_utf8(properties->source, strlen(properties->source)))
        return diag_fail(diag, LIST_STORE_REFUSED,
                         "source: not UTF-8 text of at most %d bytes without control characters",
                         LIST_SOURCE_MAX);
    if (properties->max_distance > LIST_DISTANCE_MAX)
        return diag_fail(diag, LIST_STORE_REFUSED, "max_distance: %u, at most %d is allowed",
                         properties->max_distance, LIST_DISTANCE_MAX);
    return 0;
}

static bool same_properties(const struct list_properties *a, const struct list_properties *b)
{
    return a->action == b->action && a->max_distance == b->max_distance && strcmp(a->source, b->source) == 0;
}

/* Writes the list's row: a new one when number is 0. Sets number. */
static int write_list(sqlite3 *db, const struct list_properties *properties, uint64_t version, uint64_t at_us,
                      uint32_t *number, struct diag *diag)
{
    sqlite3_stmt *statement = NULL;
    int result = database_prepare(
        db,
        *number == 0
            ? "INSERT INTO list(action, source, max_distance, version, name, created_us, updated_us)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6)"
            : "UPDATE list SET action = ?1, source = ?2, max_distance = ?3, version = ?4 WHERE number = ?5",
        &statement, diag);

    if (result != 0)
        return result;
    struct database_binder binder = database_bind(statement);
    bind_text(&binder, list_action_name(properties->action));
    bind_text(&binder, properties->source);
    bind_number(&binder, properties->max_distance);
    bind_number(&binder, (int64_t)version);
    if (*number == 0) {
        bind_text(&binder, properties->name);
        bind_number(&binder, (int64_t)at_us);
    } else {
        bind_number(&binder, *number);
    }
    result = database_bound(&binder, diag);
    if (result == 0)
        result = database_run(statement, diag);
    if (result == 0 && *number == 0)
        *number = (uint32_t)sqlite3_last_insert_rowid(db);
    sqlite3_finalize(statement);
    return result;
}

static int put_in_transaction(struct list_store *store, sqlite3 *db, const struct list_properties *properties,
                              const char *who, struct list_change *change, struct diag *diag)
{
    struct list_info info = {.number = 0};
    uint64_t last_row = 0;
    struct list_history history = {
        .at_us = clock_wall_us(), .who = who, .properties = properties, .change = change};
    int result = list_store_find(db, properties->name, &info, diag);
    bool known = result == 0;

    if (result == LIST_STORE_NOT_FOUND)
        result = 0;
    if (result == 0)
        result = list_history_last(db, &change->lists_version, &last_row, diag);
    if (result != 0 || (known && same_properties(&info.properties, properties)))
        return result;
    change->lists_version++;
    history.what = known ? "set" : "create";
    result = write_list(db, properties, change->lists_version, history.at_us, &info.number, diag);
    history.list = info.number;
    if (result == 0)
        result = list_history_add(db, change->lists_version, &history, diag);
    return result != 0 ? result : list_store_commit(store, db, change->lists_version, diag);
}

int list_store_put(struct list_store *store, const struct list_properties *properties, const char *who,
                   struct list_change *change, struct diag *diag)
{
    struct list_change made = {0};
    sqlite3 *db = NULL;
    int result = check_properties(properties, diag);

    if (result == 0)
        result = list_store_connect(store, &db, diag);
    if (result == 0) {
        result = database_begin(db, diag);
        if (result == 0)
            result = put_in_transaction(store, db, properties, who, &made, diag);
        result = list_store_outcome(result, diag);
        database_rollback(db);
    }
    database_close(db);
    if (result == 0)
        *change = made;
    return result;
}
