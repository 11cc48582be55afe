/* What the list commands share. */
#ifndef PRESCREEN_CLI_LIST_H
#define PRESCREEN_CLI_LIST_H

#include "prescreen/store/lists.h"

/* Says why a call of the store failed. For a list that is missing, how to make it too. */
void list_say_failure(const char *list, int result, const struct diag *diag);

/* Prints what a change did as one line to stdout. */
void list_print_change(const char *list, const struct list_change *change);

#endif
