/* Writes a list as the CSV that list_reader takes back unchanged. */
#ifndef PRESCREEN_LISTS_WRITER_H
#define PRESCREEN_LISTS_WRITER_H

#include "prescreen/lists/entry.h"

#include <stdbool.h>
#include <stddef.h>

/* Writes the header line / one row (with its newline, not terminated) to a text of the given capacity;
 * returns the bytes written, 0 when they do not fit, or when the entry has views and the file is to have no
 * column for them. LIST_CSV_ROW_MAX always suffices for an entry that list_entry_check() passes. Source: RFC
 * 4180. */
enum { LIST_CSV_ROW_MAX = 12288 };
size_t list_csv_format_header(bool with_views, char *text, size_t capacity);
size_t list_csv_format_row(const struct list_entry *entry, bool with_views, char *text, size_t capacity);

#endif
