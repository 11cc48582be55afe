/* What the readers of JSON formats have in common: a stream, a walk, one record at a time. */
#ifndef PRESCREEN_LISTS_JSON_READER_H
#define PRESCREEN_LISTS_JSON_READER_H

#include "fields.h"
#include "intake.h"
#include "json_walk.h"

struct json_reader {
    struct intake *intake;
    struct json_stream *stream;
    struct json_walk walk;
    uint64_t record;         /* number of the record that is read, from 1; 0 before the first */
    struct diag said;        /* the sentence for an outcome on its way through the stream */
    struct diag flaw;        /* of the record: the first thing that is wrong with it */
    uint64_t flaw_at;        /* byte */
    int flaw_outcome;        /* 0: none yet */
    struct list_entry entry; /* in the making; its texts are set when it is complete */
};

/* Makes the state of a format: size bytes, of which the first are its struct json_reader, and the others 0.
 * Of walk only the table and the callbacks are taken; their context is the state. Ownership: borrows walk's
 * table and intake; *state is the caller's, for json_reader_free(). Errors: -ENOMEM. */
int json_reader_create(const struct json_walk *walk, size_t size, struct intake *intake, void **state);
void json_reader_free(void *state);

int json_reader_feed(void *state, const void *data, size_t size, struct diag *diag);
int json_reader_finish(struct json_reader *reader, struct diag *diag);

/* Begins a record. */
void json_reader_begin(struct json_reader *reader);

/* Remembers what is wrong with the record, when outcome is not 0; only the first counts. Always 0, so that
 * the record is read to its end. */
int json_reader_note(struct json_reader *reader, int outcome, const struct diag *why);

/* Ends a record with what became of it. Returns what stops the stream, or 0. */
int json_reader_end(struct json_reader *reader, int outcome, const struct diag *why);

/* Takes a value of the record: strings and numbers; null is none. Flaws are noted. */
void json_reader_take(struct json_reader *reader, struct field_set *set, unsigned int field,
                      const struct json_scalar *scalar);

/* Refuses the whole document with the sentence in reader->said. */
int json_reader_refuse(struct json_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
