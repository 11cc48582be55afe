#include "entry_views.h"

#include "database.h"

void entry_views_pack(const struct entry_view *views, size_t count, uint8_t *packed)
{
    for (size_t i = 0; i < count; i++) {
        packed[i * ENTRY_VIEW_SIZE] = (uint8_t)views[i].view;
        pdq_to_bytes(&views[i].hash, packed + i * ENTRY_VIEW_SIZE + 1);
    }
}

int entry_views_read(sqlite3_stmt *statement, int column, struct entry_view *views, size_t *count,
                     struct diag *diag)
{
    const uint8_t *packed = sqlite3_column_blob(statement, column);
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    size_t read = size / ENTRY_VIEW_SIZE;

    if ((packed == NULL && sqlite3_column_type(statement, column) != SQLITE_NULL) ||
        size % ENTRY_VIEW_SIZE != 0 || read > ENTRY_VIEWS_MAX)
        return database_damaged(sqlite3_db_handle(statement), diag);
    for (size_t i = 0; i < read; i++) {
        const uint8_t *at = packed + i * ENTRY_VIEW_SIZE;

        if (at[0] == VIEW_MAIN || at[0] >= VIEW_COUNT)
            return database_damaged(sqlite3_db_handle(statement), diag);
        views[i].view = (enum view)at[0];
        pdq_from_bytes(at + 1, &views[i].hash);
    }
    *count = read;
    return 0;
}
