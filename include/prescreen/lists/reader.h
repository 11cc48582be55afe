/* Reads list files as they stream in: CSV and plain lines. Bytes may be cut anywhere. */
#ifndef PRESCREEN_LISTS_READER_H
#define PRESCREEN_LISTS_READER_H

#include "prescreen/base/diag.h"
#include "prescreen/lists/entry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum list_format { LIST_FORMAT_CSV, LIST_FORMAT_LINES, LIST_FORMAT_COUNT };

/* Positive outcome: the file breaks a rule of its format; diag names line, column, value's shape (never a
 * hash) and rule. */
enum { LIST_READER_BAD = 1 };

/* Told of every skipped row when skipping is on. */
typedef void list_skip_sink(void *context, uint64_t line, const char *why);

struct list_reader_options {
    enum list_format format;
    bool skip_bad; /* leave bad rows out instead of refusing the file; a bad header always refuses */
    list_skip_sink *on_skip; /* may be NULL */
    entry_sink *on_entry;
    void *context; /* of both */
};

struct list_reader;

const char *list_format_name(enum list_format format);
bool list_format_parse(const char *name, enum list_format *format);

/* Errors: -ENOMEM. Ownership: *reader is the caller's. */
int list_reader_create(const struct list_reader_options *options, struct list_reader **reader);

/* Takes more of the file. Returns 0, LIST_READER_BAD with diag, or what on_entry returned. After anything but
 * 0 only free is legal. */
int list_reader_feed(struct list_reader *reader, const void *data, size_t size, struct diag *diag);

/* Ends the file (a last line needs no newline). Returns as list_reader_feed(). */
int list_reader_finish(struct list_reader *reader, struct diag *diag);

/* Rows taken and skipped so far. */
void list_reader_count(const struct list_reader *reader, uint64_t *taken, uint64_t *skipped);

void list_reader_free(struct list_reader *reader);

#endif
