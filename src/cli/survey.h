/* Every entry of the store counted, and held against what the lists say of themselves. */
#ifndef PRESCREEN_CLI_SURVEY_H
#define PRESCREEN_CLI_SURVEY_H

#include "prescreen/store/lists.h"

struct survey {
    struct list_info *lists;
    struct list_info *found; /* entries and kinds as counted; by position in lists */
    size_t count;
    size_t last; /* position of the list of the last entry */
    uint64_t entries;
    uint64_t stray; /* entries of no list */
    uint64_t lists_version;
};

/* Reads everything that is in force; survey starts as {NULL}. Errors: -EUCLEAN with diag when lists and
 * entries disagree, others of the store. Ownership: survey is the caller's to survey_clear() in any case.
 * Cost: one reading of the whole store. */
int survey_read(struct list_store *store, struct survey *survey, struct diag *diag);
void survey_clear(struct survey *survey);

#endif
