#include "prescreen/base/bug.h"
#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"

#include "entry_views.h"
#include "list_draft.h"
#include "list_rulings.h"
#include "list_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A commit walks the items of the draft in order of entry_id beside the entries in force. It reads them on a
 * connection of its own, which keeps seeing the list as it was, and writes on another: neither memory nor
 * statements grow with the list, and what is written never gets in the way of what is read. */
struct commit {
    struct list_draft *draft;
    sqlite3 *db;     /* writes */
    sqlite3 *before; /* reads */
    sqlite3_stmt *standing, *insert, *close;
    bool at_entry;         /* standing is at an entry */
    struct list_info info; /* of the list; its counts as they become */
    uint64_t version;      /* that is being made */
    uint64_t at_us;
    bool ending;  /* the list ends with it */
    bool preview; /* everything is counted, nothing is written */
    struct list_change change;
    char last_id[ENTRY_ID_MAX + 1]; /* of the item before */
    struct draft_item last;         /* that item; its texts are no longer there */
};

enum {
    STANDING_ROW,
    STANDING_ID,
    STANDING_HASHES,
    STANDING_QUALITY = STANDING_HASHES + HASH_KIND_COUNT,
    STANDING_CLASS,
    STANDING_NOTE,
    STANDING_VIEWS
};
#define STANDING                                                                                             \
    "SELECT row, entry_id, md5, sha1, sha256, pdq, pdq_quality, classification, note, views"                 \
    " FROM entry INDEXED BY entry_in_force WHERE list = ?1 AND until IS NULL"

/* Finds the list as it is now and the version to make. */
static int look_up(struct commit *commit, struct diag *diag)
{
    uint64_t last_row = 0;
    int result = list_store_find(commit->db, commit->draft->name, &commit->info, diag);

    if (result == 0 && commit->info.number != commit->draft->list)
        result = list_store_unknown_list(commit->draft->name, diag);
    if (result == 0)
        result = list_history_last(commit->db, &commit->version, &last_row, diag);
    commit->version++;
    return result;
}

static int step_standing(struct commit *commit, struct diag *diag)
{
    int result = database_step(commit->standing, diag);

    commit->at_entry = result == DATABASE_ROW;
    return result < 0 ? result : 0;
}

/* Replacing walks over all entries; merging looks up those that it names. */
static int prepare(struct commit *commit, struct diag *diag)
{
    bool replace = commit->draft->mode == LIST_REPLACE;
    int result =
        database_prepare(commit->db,
                         "INSERT INTO entry(list, since, entry_id, md5, sha1, sha256, pdq, pdq_quality,"
                         " classification, note, views) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                         &commit->insert, diag);

    if (result == 0)
        result =
            database_prepare(commit->db, "UPDATE entry SET until = ?1 WHERE row = ?2", &commit->close, diag);
    if (result == 0)
        result = database_exec(commit->before, "BEGIN", diag);
    if (result == 0)
        result = database_prepare(commit->before,
                                  replace ? STANDING " ORDER BY entry_id" : STANDING " AND entry_id = ?2",
                                  &commit->standing, diag);
    if (result != 0)
        return result;
    struct database_binder binder = database_bind(commit->standing);
    bind_number(&binder, commit->draft->list);
    result = database_bound(&binder, diag);
    return result == 0 && replace ? step_standing(commit, diag) : result;
}

static void count_entry(struct commit *commit, enum hash_kind kind, bool added)
{
    if (added)
        commit->info.kinds[kind]++;
    else
        commit->info.kinds[kind]--;
}

/* Takes the standing entry out of force. */
static int close_entry(struct commit *commit, struct diag *diag)
{
    struct database_binder binder = database_bind(commit->close);

    bind_number(&binder, (int64_t)commit->version);
    bind_number(&binder, sqlite3_column_int64(commit->standing, STANDING_ROW));
    commit->info.entries--;
    for (int kind = 0; kind < HASH_KIND_COUNT; kind++) {
        if (sqlite3_column_type(commit->standing, STANDING_HASHES + kind) != SQLITE_NULL)
            count_entry(commit, (enum hash_kind)kind, false);
    }
    commit->info.views -= (uint64_t)sqlite3_column_bytes(commit->standing, STANDING_VIEWS) / ENTRY_VIEW_SIZE;
    int result = database_bound(&binder, diag);
    return result != 0 || commit->preview ? result : database_run(commit->close, diag);
}

static int add_entry(struct commit *commit, const struct draft_item *item, struct diag *diag)
{
    struct database_binder binder = database_bind(commit->insert);

    bind_number(&binder, commit->draft->list);
    bind_number(&binder, (int64_t)commit->version);
    bind_text(&binder, item->entry_id);
    commit->info.entries++;
    for (unsigned int kind = 0; kind < HASH_KIND_COUNT; kind++) {
        if (item->hashes[kind] == NULL) {
            bind_null(&binder);
            continue;
        }
        bind_blob(&binder, item->hashes[kind], hash_kind_size((enum hash_kind)kind));
        count_entry(commit, (enum hash_kind)kind, true);
    }
    if (item->pdq_quality >= 0)
        bind_number(&binder, item->pdq_quality);
    else
        bind_null(&binder);
    bind_text(&binder, item->classification);
    bind_text(&binder, item->note);
    if (item->views != NULL)
        bind_blob(&binder, item->views, item->views_size);
    else
        bind_null(&binder);
    commit->info.views += item->views_size / ENTRY_VIEW_SIZE;
    int result = database_bound(&binder, diag);
    return result != 0 || commit->preview ? result : database_run(commit->insert, diag);
}

static bool same_hash(sqlite3_stmt *standing, enum hash_kind kind, const uint8_t *value)
{
    const void *stored = sqlite3_column_blob(standing, STANDING_HASHES + (int)kind);

    if (stored == NULL || value == NULL)
        return stored == NULL && value == NULL;
    return (size_t)sqlite3_column_bytes(standing, STANDING_HASHES + (int)kind) == hash_kind_size(kind) &&
           memcmp(stored, value, hash_kind_size(kind)) == 0;
}

static bool same_views(sqlite3_stmt *standing, const struct draft_item *item)
{
    const void *stored = sqlite3_column_blob(standing, STANDING_VIEWS);

    if (stored == NULL || item->views == NULL)
        return stored == NULL && item->views == NULL;
    return (size_t)sqlite3_column_bytes(standing, STANDING_VIEWS) == item->views_size &&
           memcmp(stored, item->views, item->views_size) == 0;
}

static bool same_text(sqlite3_stmt *standing, int column, const char *value)
{
    const char *stored = (const char *)sqlite3_column_text(standing, column);

    return stored != NULL && strcmp(stored, value) == 0;
}

/* Whether the standing entry is what the item asks for. */
static bool same_entry(sqlite3_stmt *standing, const struct draft_item *item)
{
    bool same = same_text(standing, STANDING_CLASS, item->classification) &&
                same_text(standing, STANDING_NOTE, item->note) && same_views(standing, item);
    int quality = sqlite3_column_type(standing, STANDING_QUALITY) == SQLITE_NULL
                      ? -1
                      : sqlite3_column_int(standing, STANDING_QUALITY);

    for (unsigned int kind = 0; same && kind < HASH_KIND_COUNT; kind++)
        same = same_hash(standing, (enum hash_kind)kind, item->hashes[kind]);
    return same && quality == item->pdq_quality;
}

static int remove_standing(struct commit *commit, struct diag *diag)
{
    int result = close_entry(commit, diag);

    commit->change.removed++;
    return result;
}

/* Brings standing to the entry of this id, if there is one. When replacing, entries passed over are removed.
 */
static int find_standing(struct commit *commit, const char *entry_id, bool *found, struct diag *diag)
{
    int result = 0;

    if (commit->draft->mode == LIST_MERGE) {
        sqlite3_reset(commit->standing);
        if (sqlite3_bind_text(commit->standing, 2, entry_id, -1, SQLITE_STATIC) != SQLITE_OK)
            return database_fault(commit->before, diag);
        result = step_standing(commit, diag);
        *found = commit->at_entry;
        return result;
    }
    *found = false;
    while (result == 0 && commit->at_entry && !*found) {
        const char *standing = (const char *)sqlite3_column_text(commit->standing, STANDING_ID);
        if (standing == NULL)
            return database_damaged(commit->before, diag);
        int order = strcmp(standing, entry_id);

        if (order > 0)
            break;
        *found = order == 0;
        if (!*found)
            result = remove_standing(commit, diag);
        if (!*found && result == 0)
            result = step_standing(commit, diag);
    }
    return result;
}

static int apply_to_standing(struct commit *commit, const struct draft_item *item, struct diag *diag)
{
    int result;

    if (item->removing) {
        result = remove_standing(commit, diag);
    } else if (same_entry(commit->standing, item)) {
        commit->change.unchanged++;
        result = 0;
    } else {
        commit->change.changed++;
        result = close_entry(commit, diag);
        if (result == 0)
            result = add_entry(commit, item, diag);
    }
    if (result == 0 && commit->draft->mode == LIST_REPLACE)
        result = step_standing(commit, diag);
    return result;
}

static void describe_place(const struct draft_item *item, char *text, size_t capacity)
{
    if (item->line > 0)
        snprintf(text, capacity, "line %" PRIu64, item->line);
    else
        snprintf(text, capacity, "%s %" PRIu64, item->removing ? "removal" : "upsert", item->ordinal);
}

/* Items of one entry_id follow each other, in the order in which they came. */
static int check_twice(struct commit *commit, const struct draft_item *item, struct diag *diag)
{
    char place[48];
    char last_place[48];
    char shown[TEXT_SHOWN_SIZE];

    if (strcmp(commit->last_id, item->entry_id) == 0) {
        describe_place(item, place, sizeof place);
        describe_place(&commit->last, last_place, sizeof last_place);
        return diag_fail(diag, LIST_STORE_REFUSED, "%s: the entry_id is that of %s; name each only once: %s",
                         place, last_place, text_show(item->entry_id, shown));
    }
    BUG_ON(!text_copy(commit->last_id, sizeof commit->last_id, item->entry_id));
    commit->last = *item;
    return 0;
}

static int apply(struct commit *commit, const struct draft_item *item, struct diag *diag)
{
    bool found = false;

    if (item->is_copy) {
        commit->change.unchanged++;
        return 0;
    }
    int result = check_twice(commit, item, diag);

    if (result == 0)
        result = find_standing(commit, item->entry_id, &found, diag);
    if (result != 0)
        return result;
    if (found)
        return apply_to_standing(commit, item, diag);
    if (item->removing) {
        commit->change.unchanged += !item->quiet;
        return 0;
    }
    commit->change.added++;
    return add_entry(commit, item, diag);
}

static int apply_items(struct commit *commit, struct diag *diag)
{
    int result = prepare(commit, diag);

    while (result == 0) {
        struct draft_item item;

        result = list_draft_next(commit->draft, &item, diag);
        if (result != DRAFT_ITEM)
            break;
        result = apply(commit, &item, diag);
    }
    while (result == 0 && commit->draft->mode == LIST_REPLACE && commit->at_entry) {
        result = remove_standing(commit, diag);
        if (result == 0)
            result = step_standing(commit, diag);
    }
    return result;
}

static int update_list(struct commit *commit, struct diag *diag)
{
    const struct list_info *info = &commit->info;
    const int64_t values[] = {(int64_t)info->entries,
                              (int64_t)info->kinds[HASH_MD5],
                              (int64_t)info->kinds[HASH_SHA1],
                              (int64_t)info->kinds[HASH_SHA256],
                              (int64_t)info->kinds[HASH_PDQ],
                              (int64_t)commit->at_us,
                              (int64_t)commit->version,
                              info->number,
                              commit->ending,
                              (int64_t)info->views};

    return database_execute(
        commit->db,
        "UPDATE list SET entries = ?1, md5s = ?2, sha1s = ?3, sha256s = ?4, pdqs = ?5, updated_us = ?6,"
        " version = ?7, views = ?10, until = CASE ?9 WHEN 1 THEN ?7 END WHERE number = ?8",
        values, sizeof values / sizeof values[0], diag);
}

/* Nothing is as it was not before: only that it was looked at is new. */
static bool is_void(const struct commit *commit)
{
    return commit->change.added + commit->change.changed + commit->change.removed == 0;
}

static int mark_updated(struct commit *commit, struct diag *diag)
{
    const int64_t values[] = {(int64_t)commit->at_us, commit->info.number};

    return database_execute(commit->db, "UPDATE list SET updated_us = ?1 WHERE number = ?2", values, 2, diag);
}

/* Everything between BEGIN and COMMIT. */
static int change_store(struct commit *commit, const char *who, const char *what, struct diag *diag)
{
    const struct list_history history = {.at_us = commit->at_us,
                                         .who = who,
                                         .what = what,
                                         .list = commit->draft->list,
                                         .properties = &commit->info.properties,
                                         .change = &commit->change};
    int result = look_up(commit, diag);

    if (result == 0 && !commit->draft->vouched)
        result = list_store_check_signed(commit->draft->store, commit->draft->name, diag);
    if (result == 0)
        result = apply_items(commit, diag);
    if (commit->preview || (result == 0 && commit->draft->sparing && is_void(commit))) {
        commit->change.lists_version = commit->version - 1;
        return result != 0 || commit->preview ? result : mark_updated(commit, diag);
    }
    if (result == 0)
        result = update_list(commit, diag);
    if (result == 0)
        result = commit->ending
                     ? list_rulings_end(commit->db, &history, commit->version, diag)
                     : list_rulings_lapse(commit->db, &history, commit->version, &commit->change, diag);
    if (result == 0)
        result = list_history_add(commit->db, commit->version, &history, diag);
    if (result == 0)
        result =
            list_store_forget(commit->db, commit->draft->store, commit->draft->list, &commit->change, diag);
    commit->change.lists_version = commit->version;
    return result;
}

/* How a draft ends. */
enum ending { AS_ITSELF, WITH_ITS_LIST, AS_IF };

/* Commits and frees the draft. */
static int commit_draft(struct list_draft *draft, enum ending ending, const char *who, const char *what,
                        struct list_change *change, struct diag *diag)
{
    struct commit commit = {.draft = draft,
                            .at_us = clock_wall_us(),
                            .ending = ending == WITH_ITS_LIST,
                            .preview = ending == AS_IF};
    int result = list_store_connect(draft->store, &commit.db, diag);

    if (result == 0)
        result = list_store_connect(draft->store, &commit.before, diag);
    if (result == 0) {
        result = commit.preview ? database_exec(commit.db, "BEGIN", diag) : database_begin(commit.db, diag);
        if (result == 0)
            result = change_store(&commit, who, what, diag);
        /* The reading must end first: it would keep the log from being emptied. */
        database_close(commit.before);
        if (result == 0 && !commit.preview)
            result = commit.change.lists_version == commit.version
                         ? list_store_commit(draft->store, commit.db, commit.version, diag)
                         : database_exec(commit.db, "COMMIT", diag);
        result = list_store_outcome(result, diag);
        database_rollback(commit.db);
    }
    database_close(commit.db);
    list_draft_abandon(draft);
    if (result == 0)
        *change = commit.change;
    return result;
}

int list_draft_commit(struct list_draft *draft, const char *who, const char *what, struct list_change *change,
                      struct diag *diag)
{
    return commit_draft(draft, AS_ITSELF, who, what, change, diag);
}

int list_draft_preview(struct list_draft *draft, struct list_change *change, struct diag *diag)
{
    return commit_draft(draft, AS_IF, "", "", change, diag);
}

int list_store_delete(struct list_store *store, const char *name, const char *who, struct list_change *change,
                      struct diag *diag)
{
    struct list_draft *draft = NULL;
    int result = list_draft_begin(store, name, LIST_REPLACE, &draft, diag);

    return result != 0 ? result : commit_draft(draft, WITH_ITS_LIST, who, "delete", change, diag);
}
