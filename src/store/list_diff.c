#include "prescreen/base/bug.h"

#include "list_history.h"
#include "sorter.h"

#include <errno.h>
#include <string.h>

/* What an entry was, as one value: which side it stood on, then each column with its size before it. */
enum { SIDE_FROM, SIDE_TO, COLUMNS = 9, VALUE_MAX = SORTER_VALUE_MAX };

struct diff {
    struct sorter *items; /* by entry_id; of one entry the earlier side first */
    uint8_t side;         /* of the rows that are read */
    int (*on_entry)(void *context, enum list_difference difference, const char *entry_id);
    void *context;
    bool backwards;
};

#define COLUMNS_OF_ENTRY                                                                                     \
    "SELECT entry_id, md5, sha1, sha256, pdq, pdq_quality, classification, note, views FROM entry "

static int add_row(void *context, sqlite3_stmt *row, struct diag *diag)
{
    const struct diff *diff = context;
    const char *entry_id = (const char *)sqlite3_column_text(row, 0);
    uint8_t value[VALUE_MAX];
    size_t size = 0;

    value[size++] = diff->side;
    for (int column = 1; column < COLUMNS; column++) {
        const void *data = sqlite3_column_blob(row, column);
        uint32_t length = data == NULL ? 0 : (uint32_t)sqlite3_column_bytes(row, column);

        if (length > sizeof value - size - sizeof length)
            return database_damaged(sqlite3_db_handle(row), diag);
        memcpy(value + size, &length, sizeof length);
        size += sizeof length;
        if (length > 0)
            memcpy(value + size, data, length);
        size += length;
    }
    if (entry_id == NULL || strlen(entry_id) > ENTRY_ID_MAX)
        return database_damaged(sqlite3_db_handle(row), diag);
    const struct sorted_item item = {.key = entry_id,
                                     .key_size = (uint32_t)strlen(entry_id) + 1,
                                     .value = value,
                                     .value_size = (uint32_t)size};
    int result = sorter_add(diff->items, &item);
    return result == 0 ? 0
                       : diag_fail(diag, result, "the versions cannot be compared: %s", strerror(-result));
}

/* Gathers what only the earlier version had, then what only the later one has. */
static int gather(sqlite3 *db, const struct list_past *past, uint64_t from, uint64_t to, struct diff *diff,
                  struct diag *diag)
{
    uint64_t rows_from = 0;
    uint64_t rows_to = 0;
    int result = list_past_last_row(db, past, from, &rows_from, diag);

    if (result == 0)
        result = list_past_last_row(db, past, to, &rows_to, diag);
    if (result != 0)
        return result;
    const int64_t values[] = {past->info.number, (int64_t)from, (int64_t)to, (int64_t)rows_from,
                              (int64_t)rows_to};
    diff->side = SIDE_FROM;
    result = database_each(db,
                           COLUMNS_OF_ENTRY "INDEXED BY entry_ended WHERE list = ?1 AND until > ?2"
                                            " AND until <= ?3 AND row <= ?4",
                           values, 4, add_row, diff, diag);
    diff->side = SIDE_TO;
    if (result == 0)
        result = database_each(db,
                               COLUMNS_OF_ENTRY "NOT INDEXED WHERE row > ?4 AND row <= ?5 AND list = ?1"
                                                " AND (until IS NULL OR until > ?3) AND ?2 = ?2",
                               values, 5, add_row, diff, diag);
    return result;
}

static int tell(const struct diff *diff, enum list_difference difference, const char *entry_id)
{
    static const enum list_difference inverse[DIFFERENCE_COUNT] = {[DIFFERENCE_ADDED] = DIFFERENCE_REMOVED,
                                                                   [DIFFERENCE_CHANGED] = DIFFERENCE_CHANGED,
                                                                   [DIFFERENCE_REMOVED] = DIFFERENCE_ADDED};

    return diff->on_entry(diff->context, diff->backwards ? inverse[difference] : difference, entry_id);
}

/* The item before: whether it waits for its other side. */
struct waiting {
    bool waits;
    char entry_id[ENTRY_ID_MAX + 1];
    uint8_t value[VALUE_MAX];
    size_t size;
};

static void wait_for_other(struct waiting *waiting, const struct sorted_item *item)
{
    BUG_ON(item->key_size > sizeof waiting->entry_id || item->value_size > sizeof waiting->value);
    waiting->waits = true;
    memcpy(waiting->entry_id, item->key, item->key_size);
    memcpy(waiting->value, item->value, item->value_size);
    waiting->size = item->value_size;
}

/* Two items of one entry are both sides of it. */
static int compare_next(const struct diff *diff, struct waiting *waiting, const struct sorted_item *item)
{
    const uint8_t *value = item->value;
    int result = 0;

    if (waiting->waits && strcmp(waiting->entry_id, item->key) == 0) {
        waiting->waits = false;
        if (waiting->size == item->value_size &&
            memcmp(waiting->value + 1, value + 1, waiting->size - 1) == 0)
            return 0;
        return tell(diff, DIFFERENCE_CHANGED, item->key);
    }
    if (waiting->waits)
        result = tell(diff, DIFFERENCE_REMOVED, waiting->entry_id);
    waiting->waits = false;
    if (value[0] == SIDE_FROM)
        wait_for_other(waiting, item);
    else if (result == 0)
        result = tell(diff, DIFFERENCE_ADDED, item->key);
    return result;
}

static int tell_all(const struct diff *diff, struct diag *diag)
{
    struct waiting waiting = {.waits = false};
    struct sorted_item item;
    int result;

    while ((result = sorter_next(diff->items, &item)) == SORTER_ITEM) {
        result = compare_next(diff, &waiting, &item);
        if (result != 0)
            return result;
    }
    if (result < 0)
        return diag_fail(diag, result, "the versions cannot be compared: %s", strerror(-result));
    return waiting.waits ? tell(diff, DIFFERENCE_REMOVED, waiting.entry_id) : 0;
}

static int diff_in_transaction(sqlite3 *db, const char *name, uint64_t *from, uint64_t *to, struct diff *diff,
                               struct diag *diag)
{
    struct list_past past;
    int result = list_store_outcome(list_past_find(db, name, &past, diag), diag);

    if (result != 0)
        return result;
    if (*from == 0)
        *from = past.before > 0 ? past.before : past.first;
    if (*to == 0)
        *to = past.newest;
    diff->backwards = *from > *to;
    result = diff->backwards ? gather(db, &past, *to, *from, diff, diag)
                             : gather(db, &past, *from, *to, diff, diag);
    return result != 0 ? result : tell_all(diff, diag);
}

int list_store_diff(struct list_store *store, const char *name, uint64_t *from, uint64_t *to,
                    int (*on_entry)(void *context, enum list_difference difference, const char *entry_id),
                    void *context, struct diag *diag)
{
    struct diff diff = {.on_entry = on_entry, .context = context};
    char folder[PATH_MAX];
    sqlite3 *db = NULL;

    memcpy(folder, store->path, sizeof folder);
    *strrchr(folder, '/') = '\0';
    int result = sorter_create(folder, SORTER_MEMORY, &diff.items);
    if (result != 0)
        return diag_fail(diag, result, "no memory to compare versions");
    result = list_store_connect(store, &db, diag);
    if (result == 0)
        result = database_exec(db, "BEGIN", diag);
    if (result == 0)
        result = diff_in_transaction(db, name, from, to, &diff, diag);
    database_close(db);
    sorter_free(diff.items);
    return result;
}
