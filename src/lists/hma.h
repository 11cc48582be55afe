/* Rows as HMA and python-threatexchange keep them. Source: the list shapes of python-threatexchange's file
 * exchange ("SIGNAL_TYPE SIGNAL") and of HMA's samples ("HASH,ID,TIME,TAGS"). */
#ifndef PRESCREEN_LISTS_HMA_H
#define PRESCREEN_LISTS_HMA_H

#include "hash_text.h"
#include "intake.h"
#include "rows.h"

/* Reads one row, which is changed, into an entry, whose texts lie in the row or in entry_id. What cannot be
 * matched here is counted and is ROW_NOTHING. 0, ROW_NOTHING, LIST_ENTRY_BAD with why, or -EIO when the
 * digest library refuses. */
int hma_read_row(struct intake *intake, char *row, char entry_id[DERIVED_ID_SIZE], struct list_entry *entry,
                 struct diag *why);

#endif
