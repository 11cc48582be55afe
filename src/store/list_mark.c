/* What tells versions apart. */
#include "list_store.h"

#include <string.h>

enum { MARK_VALUES = LIST_STORE_MARK_SIZE / sizeof(int64_t) };

static int ask(struct list_store *store, const char *sql, uint64_t version, int64_t *values, int count,
               struct diag *diag)
{
    const int64_t parameter = (int64_t)version;

    pthread_mutex_lock(&store->lock);
    int result = database_query(store->db, sql, &parameter, 1, values, count, diag);
    pthread_mutex_unlock(&store->lock);
    return list_store_outcome(result, diag);
}

static int unknown_version(uint64_t version, struct diag *diag)
{
    return diag_fail(diag, LIST_STORE_NOT_FOUND, "the list store has no version %llu",
                     (unsigned long long)version);
}

int list_store_count_since(struct list_store *store, uint64_t since, uint64_t *rows, struct diag *diag)
{
    int64_t found[3] = {0};
    int result = ask(store,
                     "SELECT (SELECT last_row FROM change ORDER BY version DESC LIMIT 1),"
                     " (SELECT last_row FROM change WHERE version = ?1),"
                     " EXISTS(SELECT 1 FROM change WHERE version = ?1)",
                     since, found, 3, diag);

    if (result == 0 && since > 0 && found[2] == 0)
        return unknown_version(since, diag);
    if (result == 0)
        *rows = found[0] > found[1] ? (uint64_t)(found[0] - found[1]) : 0;
    return result;
}

int list_store_mark(struct list_store *store, uint64_t version, uint8_t mark[LIST_STORE_MARK_SIZE],
                    struct diag *diag)
{
    int64_t values[MARK_VALUES] = {0};
    int result = ask(store,
                     "SELECT version, at_us, list, added, changed, removed, last_row,"
                     " (SELECT at_us FROM change ORDER BY version LIMIT 1) FROM change WHERE version = ?1",
                     version, values, MARK_VALUES, diag);

    if (result == 0 && values[0] == 0)
        return unknown_version(version, diag);
    if (result == 0)
        memcpy(mark, values, sizeof values);
    return result;
}
