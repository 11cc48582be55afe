/* Rows of the plain list format: one hash each. */
#ifndef PRESCREEN_LISTS_LINES_H
#define PRESCREEN_LISTS_LINES_H

#include "prescreen/base/diag.h"
#include "prescreen/lists/entry.h"

#include "hash_text.h"
#include "rows.h"

/* Reads one row, which is changed, into an entry; its entry_id is written to entry_id and borrowed from
 * there. 0, ROW_NOTHING, LIST_ENTRY_BAD with why, or -EIO when the digest library refuses. */
int lines_read_row(char *row, char entry_id[DERIVED_ID_SIZE], struct list_entry *entry, struct diag *why);

/* Cuts the first word off a text, which is then terminated; returns what follows, past the blanks. */
char *lines_cut_word(char *text);

#endif
