/* The exact index: which entries carry a digest. Immutable tables, one for each kind of digest. */
#ifndef PRESCREEN_INDEX_EXACT_H
#define PRESCREEN_INDEX_EXACT_H

#include "prescreen/index/build.h"

#include <stddef.h>
#include <stdint.h>

/* Words of 4 bytes in a record: a digest of so many bytes, then the number of what carries it. */
#define EXACT_RECORD_WORDS(digest_size) ((digest_size) / 4 + 1)

struct exact_index;

/* Builds the index of count records. digest_size is 16, 20 or 32.
 * Ownership: sorts the records in place and borrows them until exact_index_free(); *index is the caller's.
 * Errors: -EINVAL above UINT32_MAX records, -ENOMEM. Threads: immutable afterwards.
 * Cost: about 1 byte a record beside it; 0.1 us a record, and however the digests are chosen never more than
 * count * log(count) comparisons. */
int exact_index_create(uint32_t *records, size_t count, size_t digest_size, const struct index_pace *pace,
                       struct exact_index **index);

/* The table that the index made of its records, for exact_index_adopt(). Borrowed. */
const void *exact_index_table(const struct exact_index *index, size_t *size_bytes);

/* As exact_index_create(), of records that it sorted and the table that it made of them, which are borrowed
 * both and not written to. Errors: -EINVAL also for a table that is not of so many records. Cost: none. */
int exact_index_adopt(const uint32_t *records, size_t count, size_t digest_size, const void *table,
                      size_t table_bytes, struct exact_index **index);

void exact_index_free(struct exact_index *index);

/* Bytes held, the records not counted. */
size_t exact_index_bytes(const struct exact_index *index);

/* The records that carry the digest: returns how many there are, 0 for none; *first is then the first one's
 * position, the others follow. Threads: any number at once. Cost: about three accesses to memory; with
 * digests chosen to have the same beginning, a binary search. */
size_t exact_index_find(const struct exact_index *index, const uint8_t *digest, size_t *first);

/* The number in the record at a position. */
uint32_t exact_index_number(const struct exact_index *index, size_t position);

#endif
