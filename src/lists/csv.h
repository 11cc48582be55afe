/* Rows of the CSV list format. */
#ifndef PRESCREEN_LISTS_CSV_H
#define PRESCREEN_LISTS_CSV_H

#include "prescreen/base/diag.h"
#include "prescreen/config/config.h"
#include "prescreen/lists/entry.h"

#include "hash_text.h"

#include <stdbool.h>

enum { CSV_FIELDS_MAX = 256 }; /* of a row, also those that are passed over */

/* The columns of one file from left to right. */
struct csv_header {
    unsigned int count;
    bool names_entries;                       /* has an entry_id; else entries are named after their hash */
    enum list_column columns[CSV_FIELDS_MAX]; /* COLUMN_COUNT: passed over */
};

/* Reads the first row, which is changed. rules may name the columns; else they bear the names of enum
 * list_column. 0, or LIST_ENTRY_BAD with why. */
int csv_read_header(const struct config_list *rules, char *row, struct csv_header *header, struct diag *why);

/* What an entry borrows beside the row itself. */
struct csv_storage {
    char entry_id[DERIVED_ID_SIZE];
    struct entry_view views[ENTRY_VIEWS_MAX];
};

/* Reads one row into an entry whose texts lie in the row, which is changed, or in storage. 0, LIST_ENTRY_BAD
 * with why, or -EIO when the digest library refuses. The entry's texts are not checked. */
int csv_read_row(const struct csv_header *header, char *row, struct csv_storage *storage,
                 struct list_entry *entry, struct diag *why);

#endif
