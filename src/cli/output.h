/* What people and programs read: lines on stderr and stdout, tables, a progress bar. */
#ifndef PRESCREEN_CLI_OUTPUT_H
#define PRESCREEN_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes "prescreen: …" as one line to stderr. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Copies text so that a terminal shows it and does nothing else: bytes that are not printable UTF-8 become
 * '?'. Cut when longer than capacity-1 bytes. Returns target. */
const char *printable(const char *text, char *target, size_t capacity);

/* The word for so many: one for 1, many for any other count. Borrows both. */
const char *noun(uint64_t count, const char *one, const char *many);

/* Ends the output: 0, or -errno when some of what was printed to stdout did not arrive. */
int output_finish(void);

/* A table with aligned columns. Cells are copied. */
enum { TABLE_COLUMNS_MAX = 16 };
struct table;

/* headings has column_count texts, each at most once printed; one that starts with '>' makes a column that is
 * aligned to the right. Errors: -ENOMEM. Ownership: *table is the caller's. */
int table_create(const char *const *headings, size_t column_count, struct table **table);

/* Sets the next cell, from left to right and row by row. Memory that runs out shows as missing cells at
 * table_print(). */
void table_add(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints what was added since to stdout. Errors: -ENOMEM when a cell was lost. */
int table_print(const struct table *table);
void table_free(struct table *table);

/* A bar on stderr while something takes long; nothing at all when stderr is no terminal. */
struct progress {
    const char *what; /* borrowed */
    uint64_t total;   /* 0 = not known */
    uint64_t shown_us;
    bool visible; /* a bar stands on the line now */
    bool terminal;
};

void progress_start(struct progress *progress, const char *what, uint64_t total);

/* Draws at most ten times a second. */
void progress_show(struct progress *progress, uint64_t done);

/* Takes the bar off the line, so that something else can be printed; the next progress_show() brings it back.
 */
void progress_hide(struct progress *progress);

#endif
