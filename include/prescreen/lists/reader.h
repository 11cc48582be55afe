/* Reads list files as they stream in: CSV and plain lines. Bytes may be cut anywhere.
 *
 * CSV: RFC 4180, lines ending in LF or CR LF, a UTF-8 byte order mark is passed over, blank lines too. The
 * first line names the columns, in any order, each once: entry_id and at least one of md5, sha1, sha256, pdq
 * are obligatory; pdq_quality (0-100, only beside a pdq), classification and note are optional, and so is
 * views: further hashes as NAME:HEX with the name of a view other than main, parted by single spaces.
 *
 * Lines: one hash a line, as "HEX" or "TYPE HEX" with TYPE md5, sha1, sha256 or pdq; 64 digits need a TYPE.
 * '#' begins a comment line; blank lines are passed over. The entry_id is the first 24 hexadecimal digits of
 * SHA-256("TYPE:hex", lower case): the same in every file that names the hash, and it does not show it. */
#ifndef PRESCREEN_LISTS_READER_H
#define PRESCREEN_LISTS_READER_H

#include "prescreen/base/diag.h"
#include "prescreen/lists/entry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum list_format { LIST_FORMAT_CSV, LIST_FORMAT_LINES, LIST_FORMAT_COUNT };

enum { LIST_ROW_MAX = 12288 }; /* bytes of one row as it stands in the file, its line end aside */

/* Positive outcome: the file breaks a rule of its format; diag names line, column, value's shape (never a
 * hash) and rule. */
enum { LIST_READER_BAD = 1 };

/* Told of every skipped row when skipping is on. why is borrowed and does not repeat the line. */
typedef void list_skip_sink(void *context, uint64_t line, const char *why);

struct list_reader_options {
    enum list_format format;
    bool skip_bad; /* leave bad rows out instead of refusing the file; a bad header always refuses, and so
                      does a quote that is still open where its row must end */
    list_skip_sink *on_skip;       /* may be NULL */
    entry_sink *on_entry;          /* a positive value makes the row a bad one */
    void *context;                 /* of both */
    const struct diag *entry_diag; /* where on_entry leaves the reason of a refusal; borrowed, may be NULL */
};

struct list_reader;

const char *list_format_name(enum list_format format);
bool list_format_parse(const char *name, enum list_format *format);

/* Errors: -ENOMEM. Ownership: *reader is the caller's. */
int list_reader_create(const struct list_reader_options *options, struct list_reader **reader);

/* Takes more of the file. Returns 0, LIST_READER_BAD with diag, or the negative errno of on_entry with its
 * sentence and the line. After anything but 0 only count and free are legal. */
int list_reader_feed(struct list_reader *reader, const void *data, size_t size, struct diag *diag);

/* Ends the file (a last line needs no newline). Returns as list_reader_feed(). */
int list_reader_finish(struct list_reader *reader, struct diag *diag);

/* Rows taken and skipped so far. */
void list_reader_count(const struct list_reader *reader, uint64_t *taken, uint64_t *skipped);

void list_reader_free(struct list_reader *reader);

#endif
