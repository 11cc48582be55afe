/* Reads list files as they stream in. Bytes may be cut anywhere; memory does not grow with the file.
 *
 * csv: RFC 4180, lines ending in LF or CR LF, a UTF-8 byte order mark is passed over, blank lines too. The
 * first line names the columns, in any order, each once: entry_id and at least one of md5, sha1, sha256, pdq
 * are obligatory; pdq_quality (0-100, only beside a pdq), classification and note are optional, and so is
 * views: further hashes as NAME:HEX with the name of a view other than main, parted by single spaces. Where
 * the configuration names the list's columns, these must all be there, others are passed over, and without an
 * entry_id an entry is named as in lines.
 *
 * lines: one hash a line, as "HEX" or "TYPE HEX" with TYPE md5, sha1, sha256 or pdq; 64 digits need a TYPE.
 * '#' begins a comment line; blank lines are passed over. The entry_id is the first 24 hexadecimal digits of
 * SHA-256("TYPE:hex", lower case): the same in every file that names the hash, and it does not show it.
 *
 * hma: what HMA and python-threatexchange keep: "SIGNAL_TYPE SIGNAL" lines, or rows HASH,ID,TIME,TAGS without
 * a header, where 64 digits are a pdq and 32 an md5. Both may stand in one file.
 *
 * vics: Project VIC's VICS 2.0 JSON, hash set or case export, and 1.x case exports. A record is taken by its
 * Category; its entry_id is MediaID, in a case CaseID:MediaID.
 *
 * ncmec: one page of NCMEC Hash Sharing v2 XML. A deletedImage withdraws; the entry_id is MEMBER:ID. Document
 * types and with them entities are refused.
 *
 * stopncii: one page of StopNCII's JSON. What is withdrawn or deleted is withdrawn; the entry_id is as in
 * lines.
 *
 * What a file holds and cannot be matched here (videos, PhotoDNA …) is counted by its name.
 * Source: shared documentation of each format, as far as it is public. */
#ifndef PRESCREEN_LISTS_READER_H
#define PRESCREEN_LISTS_READER_H

#include "prescreen/base/diag.h"
#include "prescreen/config/config.h"
#include "prescreen/lists/entry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum list_format {
    LIST_FORMAT_CSV,
    LIST_FORMAT_LINES,
    LIST_FORMAT_VICS,
    LIST_FORMAT_NCMEC,
    LIST_FORMAT_STOPNCII,
    LIST_FORMAT_HMA,
    LIST_FORMAT_COUNT
};

enum {
    LIST_ROW_MAX = 12288,            /* bytes of one row as it stands in the file, its line end aside */
    LIST_FIELD_MAX = 1024,           /* bytes of one value of a record of JSON or XML that is read */
    LIST_DEPTH_MAX = 32,             /* of maps, lists and elements within each other */
    LIST_DOCUMENT_GAP_MAX = 1 << 20, /* bytes of JSON or XML in which nothing begins or ends */
    LIST_LEFTOVERS_MAX = 24,         /* names; what comes after goes under "other" */
    LIST_LEFTOVER_NAME_MAX = 39      /* bytes */
};

/* Positive outcome: the file breaks a rule of its format, or holds a class that the configuration does not
 * name; diag tells line or byte, field, value's shape (never a hash) and rule. */
enum { LIST_READER_BAD = 1 };

/* Where a page of several says that the next one is. */
struct list_paging {
    char next[LIST_FIELD_MAX + 1]; /* ncmec: its link; stopncii: its token; "" = it says none */
    uint64_t next_time; /* stopncii: what to ask from when all pages are there; 0 = it does not say */
};

/* Told of every skipped record when skipping is on. place ("line 7", "byte 712, record 3") and why are
 * borrowed. */
typedef void list_skip_sink(void *context, const char *place, const char *why);

/* Takes an entry off the list: one that the file withdraws, or that by its class does not belong there.
 * Returns as an entry_sink. */
typedef int withdrawal_sink(void *context, const char *entry_id, uint64_t rank);

struct list_reader_options {
    enum list_format format;
    enum list_action action;         /* of the list: of the classes it takes those that mean this */
    const struct config_list *rules; /* what the configuration says of the list; borrowed; may be NULL */
    bool any_class;                  /* every class belongs on the list: for whoever looks at a file's form */
    bool skip_bad; /* leave bad records out instead of refusing the file; what makes the file's form doubtful
                     always refuses, and so does a class that is not named */
    list_skip_sink *on_skip;        /* may be NULL */
    entry_sink *on_entry;           /* a positive value makes the record a bad one */
    withdrawal_sink *on_withdrawal; /* NULL: entries that are to go are only counted */
    void *context;                  /* of all three */
    const struct diag *entry_diag;  /* where the sinks leave the reason of a refusal; borrowed, may be NULL */
};

/* What a file was found to hold so far. */
struct list_tally {
    uint64_t taken;     /* given to on_entry */
    uint64_t withdrawn; /* records that take an entry off the list */
    uint64_t ignored;   /* records whose class does not belong on the list */
    uint64_t skipped;   /* bad records left out */
    bool more;          /* the file says that it is one page and that others follow it */
    size_t leftover_count;
    struct {
        char name[LIST_LEFTOVER_NAME_MAX + 1];
        uint64_t count;
    } leftovers[LIST_LEFTOVERS_MAX]; /* hashes and records that cannot be matched here, by name */
};

struct list_reader;

const char *list_format_name(enum list_format format);
bool list_format_parse(const char *name, enum list_format *format);

/* "csv, lines, vics, ncmec, stopncii or hma". Static storage. */
const char *list_format_choice(void);

/* Whether records of one entry may repeat in a file of this format: the one of the highest rank counts, of
 * equals the last. */
bool list_format_repeats(enum list_format format);

/* Errors: -ENOMEM. Ownership: *reader is the caller's. */
int list_reader_create(const struct list_reader_options *options, struct list_reader **reader);

/* Takes more of the file. Returns 0, LIST_READER_BAD with diag, or the negative errno of a sink or of memory
 * with its sentence. After anything but 0 only tally and free are legal. */
int list_reader_feed(struct list_reader *reader, const void *data, size_t size, struct diag *diag);

/* Ends the file (a last line needs no newline). Returns as list_reader_feed(). */
int list_reader_finish(struct list_reader *reader, struct diag *diag);

/* Borrowed from the reader. */
const struct list_tally *list_reader_tally(const struct list_reader *reader);

/* What it has said of its pages so far. Borrowed from the reader. */
const struct list_paging *list_reader_paging(const struct list_reader *reader);

/* Adds what another file of the same import holds. */
void list_tally_add(struct list_tally *sum, const struct list_tally *tally);

void list_reader_free(struct list_reader *reader);

#endif
