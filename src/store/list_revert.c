#include "prescreen/base/clock.h"

#include "entry_views.h"
#include "list_history.h"
#include "list_rulings.h"

#include <inttypes.h>
#include <stdio.h>

/* A revert takes the rows out of force that the version did not know, and adds those again that it had and
 * that are gone: rows are never brought back to life, so that whoever follows the store sees an ordinary
 * change. */
#define LATER_ROWS "entry NOT INDEXED WHERE row > ?3 AND list = ?1 AND until IS NULL"
#define LOST_ROWS  "entry INDEXED BY entry_ended WHERE list = ?1 AND until > ?2 AND row <= ?3"
#define SUMS                                                                                                 \
    "SELECT count(*), count(md5), count(sha1), count(sha256), count(pdq), coalesce(sum(length(views)), 0) "  \
    "FROM "

enum { SUM_ROWS, SUM_KINDS, SUM_VIEWS = SUM_KINDS + HASH_KIND_COUNT, SUM_COUNT };

struct revert {
    struct list_past past;
    uint64_t version; /* to go back to */
    uint64_t last_row;
    struct list_change change;
};

/* Counts what will be, before anything is changed. */
static int count(sqlite3 *db, struct revert *revert, struct diag *diag)
{
    const int64_t values[] = {revert->past.info.number, (int64_t)revert->version, (int64_t)revert->last_row};
    struct list_info *info = &revert->past.info;
    int64_t later[SUM_COUNT];
    int64_t lost[SUM_COUNT];
    int64_t both = 0;
    int result = database_query(db, SUMS LATER_ROWS " AND ?2 = ?2", values, 3, later, SUM_COUNT, diag);

    if (result == 0)
        result = database_query(db, SUMS LOST_ROWS, values, 3, lost, SUM_COUNT, diag);
    if (result == 0)
        result =
            database_query(db,
                           "SELECT count(*) FROM (SELECT entry_id FROM " LOST_ROWS ") AS old WHERE EXISTS"
                           " (SELECT 1 FROM entry INDEXED BY entry_in_force WHERE list = ?1 AND until IS NULL"
                           " AND entry_id = old.entry_id AND row > ?3)",
                           values, 3, &both, 1, diag);
    if (result != 0)
        return result;
    revert->change = (struct list_change){.lists_version = revert->past.newest + 1,
                                          .added = (uint64_t)(lost[SUM_ROWS] - both),
                                          .changed = (uint64_t)both,
                                          .removed = (uint64_t)(later[SUM_ROWS] - both),
                                          .unchanged = info->entries - (uint64_t)later[SUM_ROWS]};
    info->entries += (uint64_t)lost[SUM_ROWS] - (uint64_t)later[SUM_ROWS];
    for (int kind = 0; kind < HASH_KIND_COUNT; kind++)
        info->kinds[kind] += (uint64_t)lost[SUM_KINDS + kind] - (uint64_t)later[SUM_KINDS + kind];
    info->views += (uint64_t)(lost[SUM_VIEWS] - later[SUM_VIEWS]) / ENTRY_VIEW_SIZE;
    return 0;
}

static int change_entries(sqlite3 *db, const struct revert *revert, struct diag *diag)
{
    const int64_t values[] = {revert->past.info.number, (int64_t)revert->version, (int64_t)revert->last_row,
                              (int64_t)revert->change.lists_version};
    int result = database_execute(
        db, "UPDATE entry SET until = ?4 WHERE ?2 = ?2 AND row IN (SELECT row FROM " LATER_ROWS ")", values,
        4, diag);

    /* In order of row, and without those that were closed a moment ago: none of them is that old. */
    if (result == 0)
        result = database_execute(
            db,
            "INSERT INTO entry(list, since, entry_id, md5, sha1, sha256, pdq, pdq_quality, classification,"
            " note, views) SELECT list, ?4, entry_id, md5, sha1, sha256, pdq, pdq_quality, classification,"
            " note, views FROM " LOST_ROWS,
            values, 4, diag);
    return result;
}

/* *is_signed: the list takes signed files only, and the version was made by them. */
static int check_signature(sqlite3 *db, const struct list_store *store, const struct revert *revert,
                           bool *is_signed, struct diag *diag)
{
    const char *name = revert->past.info.properties.name;

    if (list_store_check_signed(store, name, NULL) == 0)
        return 0;
    int result = list_past_is_signed(db, &revert->past, revert->version, is_signed, diag);
    if (result != 0 || *is_signed)
        return result;
    return diag_fail(diag, LIST_STORE_REFUSED,
                     "list %s has a signature_key in the configuration, and the entries of version %" PRIu64
                     " were not made by signed files alone",
                     name, revert->version);
}

static int update_list(sqlite3 *db, const struct revert *revert, uint64_t at_us, struct diag *diag)
{
    const struct list_info *info = &revert->past.info;
    const int64_t values[] = {(int64_t)info->entries,
                              (int64_t)info->kinds[HASH_MD5],
                              (int64_t)info->kinds[HASH_SHA1],
                              (int64_t)info->kinds[HASH_SHA256],
                              (int64_t)info->kinds[HASH_PDQ],
                              (int64_t)info->views,
                              (int64_t)at_us,
                              (int64_t)revert->change.lists_version,
                              info->number};

    return database_execute(db,
                            "UPDATE list SET entries = ?1, md5s = ?2, sha1s = ?3, sha256s = ?4, pdqs = ?5,"
                            " views = ?6, updated_us = ?7, version = ?8 WHERE number = ?9",
                            values, sizeof values / sizeof values[0], diag);
}

static int revert_in_transaction(sqlite3 *db, struct list_store *store, const char *name, const char *who,
                                 struct revert *revert, struct diag *diag)
{
    char what[HISTORY_WHAT_MAX + 1];
    struct list_history history = {.at_us = clock_wall_us(),
                                   .who = who,
                                   .what = what,
                                   .properties = &revert->past.info.properties,
                                   .change = &revert->change};
    bool is_signed = false;
    int result = list_past_find(db, name, &revert->past, diag);

    if (result == 0)
        result = list_past_last_row(db, &revert->past, revert->version, &revert->last_row, diag);
    if (result == 0)
        result = check_signature(db, store, revert, &is_signed, diag);
    if (result == 0)
        result = count(db, revert, diag);
    if (result == 0)
        result = change_entries(db, revert, diag);
    if (result == 0)
        result = update_list(db, revert, history.at_us, diag);
    snprintf(what, sizeof what, "%s%" PRIu64, is_signed ? WHAT_SIGNED_REVERT : WHAT_REVERT, revert->version);
    history.list = revert->past.info.number;
    if (result == 0)
        result = list_rulings_lapse(db, &history, revert->change.lists_version, &revert->change, diag);
    if (result == 0)
        result = list_history_add(db, revert->change.lists_version, &history, diag);
    if (result == 0)
        result = list_store_forget(db, store, history.list, &revert->change, diag);
    return result != 0 ? result : list_store_commit(store, db, revert->change.lists_version, diag);
}

int list_store_revert(struct list_store *store, const char *name, uint64_t version, const char *who,
                      struct list_change *change, struct diag *diag)
{
    struct revert revert = {.version = version};
    sqlite3 *db = NULL;
    int result = list_store_connect(store, &db, diag);

    if (result == 0) {
        result = database_begin(db, diag);
        if (result == 0)
            result = revert_in_transaction(db, store, name, who, &revert, diag);
        result = list_store_outcome(result, diag);
        database_rollback(db);
    }
    database_close(db);
    if (result == 0)
        *change = revert.change;
    return result;
}
