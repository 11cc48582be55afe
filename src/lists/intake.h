/* Where the readers of all formats bring their records: classes, sinks, counts, and what becomes of bad ones.
 */
#ifndef PRESCREEN_LISTS_INTAKE_H
#define PRESCREEN_LISTS_INTAKE_H

#include "prescreen/lists/reader.h"

struct intake {
    struct list_reader_options options;
    struct list_tally tally;
    struct list_paging paging;
};

/* What a format is made of. state is the format's own. */
struct format_row {
    const char *name;
    bool has_classes;   /* heeds the list's classes */
    bool needs_classes; /* and refuses a list that has none */
    bool repeats;
    int (*create)(struct intake *intake, void **state); /* Errors: -ENOMEM */
    int (*feed)(void *state, const void *data, size_t size, struct diag *diag);
    int (*finish)(void *state, struct diag *diag);
    void (*free)(void *state);
};

/* Static storage. */
const struct format_row *format_describe(enum list_format format);

/* The formats, each in the file of its name; csv, lines and hma are rows. */
extern const struct format_row format_csv, format_lines, format_vics, format_ncmec, format_stopncii,
    format_hma;

/* Outcome of the functions below, beside 0, LIST_ENTRY_BAD and a negative errno: the file cannot be taken,
 * whether bad records are skipped or not. */
enum { INTAKE_REFUSED = LIST_ENTRY_BAD + 2 };

/* Brings one entry, whose hashes are known, to the list if its class belongs there. field is what the format
 * calls a classification. */
int intake_take(struct intake *intake, const struct list_entry *entry, const char *field, struct diag *why);

/* Takes an entry off the list because the file says so. */
int intake_withdraw(struct intake *intake, const char *entry_id, uint64_t rank, struct diag *why);

/* Counts a record by a name as nothing that can be matched here; an entry that it once was goes. */
int intake_leave_record(struct intake *intake, const char *entry_id, uint64_t rank, const char *name,
                        struct diag *why);

/* Counts what cannot be matched here. A name that is no word of at most LIST_LEFTOVER_NAME_MAX bytes counts
 * as "other". */
void intake_leave(struct intake *intake, const char *name);

/* Ends a record: skips a bad one where that is asked for. place is where it stands. Returns 0,
 * LIST_READER_BAD or a negative errno, with diag. */
int intake_judge(struct intake *intake, const char *place, int outcome, const struct diag *why,
                 struct diag *diag);

#endif
