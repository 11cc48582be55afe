/* Rows of the CSV list format. */
#ifndef PRESCREEN_LISTS_CSV_H
#define PRESCREEN_LISTS_CSV_H

#include "prescreen/base/diag.h"
#include "prescreen/lists/entry.h"

#include <stdbool.h>

/* In the order of an exported file. The hashes stand in the order of enum hash_kind. */
enum csv_column {
    COLUMN_ENTRY_ID,
    COLUMN_MD5,
    COLUMN_SHA1,
    COLUMN_SHA256,
    COLUMN_PDQ,
    COLUMN_QUALITY,
    COLUMN_CLASSIFICATION,
    COLUMN_NOTE,
    COLUMN_VIEWS, /* exported only of a list that has any */
    COLUMN_COUNT
};

/* The columns of one file from left to right. */
struct csv_header {
    unsigned int count;
    enum csv_column columns[COLUMN_COUNT];
};

/* Static storage. */
const char *csv_column_name(enum csv_column column);

/* Reads the first row, which is changed. 0, or LIST_ENTRY_BAD with why. */
int csv_read_header(char *row, struct csv_header *header, struct diag *why);

/* Reads one row into an entry whose texts lie in the row, which is changed, and whose views lie in views. 0,
 * or LIST_ENTRY_BAD with why. The entry's texts are not checked. */
int csv_read_row(const struct csv_header *header, char *row, struct entry_view views[ENTRY_VIEWS_MAX],
                 struct list_entry *entry, struct diag *why);

#endif
