/* The views of an entry as one value: each the number of the view in a byte, then its hash as text has it. */
#ifndef PRESCREEN_STORE_ENTRY_VIEWS_H
#define PRESCREEN_STORE_ENTRY_VIEWS_H

#include "prescreen/lists/entry.h"

#include <sqlite3.h>

enum { ENTRY_VIEW_SIZE = 1 + PDQ_SIZE, ENTRY_VIEWS_SIZE_MAX = ENTRY_VIEWS_MAX * ENTRY_VIEW_SIZE };

/* Writes count * ENTRY_VIEW_SIZE bytes. */
void entry_views_pack(const struct entry_view *views, size_t count, uint8_t *packed);

/* Reads a column into views, which has room for ENTRY_VIEWS_MAX; NULL counts as none. Errors: -EBADMSG with
 * diag when it holds anything else. */
int entry_views_read(sqlite3_stmt *statement, int column, struct entry_view *views, size_t *count,
                     struct diag *diag);

#endif
