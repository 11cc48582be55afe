/* Entries as a batch and a segment hold them: one array for each thing known of an entry. */
#ifndef PRESCREEN_SRC_INDEX_BATCH_H
#define PRESCREEN_SRC_INDEX_BATCH_H

#include "prescreen/index/exact.h"
#include "prescreen/index/generation.h"

#include <stdbool.h>

/* The kinds that are digests come first in enum hash_kind. */
enum { DIGEST_KIND_COUNT = HASH_PDQ };

struct index_array {
    void *items;
    size_t item_bytes;
    size_t count;
    size_t capacity;
};

/* Which view a hash is of, where that is not the main one. */
struct index_view {
    uint32_t hash_number;
    uint32_t view;
};

/* An entry's place in rows, lists and kinds is its slot. */
struct index_batch {
    struct index_array rows;   /* uint64_t */
    struct index_array lists;  /* uint32_t */
    struct index_array kinds;  /* uint8_t, a set of HASH_BIT */
    struct index_array hashes; /* struct pdq_hash, of those entries that have one */
    struct index_array
        hash_slots;           /* uint32_t for each hash, ascending; empty when every entry has just one */
    struct index_array views; /* struct index_view, of the hashes that are of a view; ascending */
    struct index_array records[DIGEST_KIND_COUNT]; /* digest and slot, see exact.h */
};

/* Which slots of a segment are no longer in force: bit slot % 64 of word slot / 64. */
static inline bool index_slot_is_set(const uint64_t *words, uint32_t slot)
{
    return (words[slot / 64] >> (slot % 64) & 1) != 0;
}

static inline uint64_t index_batch_row(const struct index_batch *batch, uint32_t slot)
{
    return ((const uint64_t *)batch->rows.items)[slot];
}

static inline uint32_t index_batch_list(const struct index_batch *batch, uint32_t slot)
{
    return ((const uint32_t *)batch->lists.items)[slot];
}

/* The slot of a hash. */
static inline uint32_t index_batch_slot(const struct index_batch *batch, uint32_t hash_number)
{
    return batch->hash_slots.items == NULL ? hash_number
                                           : ((const uint32_t *)batch->hash_slots.items)[hash_number];
}

/* The view that a hash is of. Cost: logarithmic in the number of views. */
enum view index_batch_view(const struct index_batch *batch, uint32_t hash_number);

/* An empty batch. Allocates nothing. */
void index_batch_init(struct index_batch *batch);

/* Appends the entries of another batch but for the removed slots (NULL: none). Errors: -ENOMEM; batch is then
 * as before. */
int index_batch_append(struct index_batch *batch, const struct index_batch *other, const uint64_t *removed,
                       const struct index_pace *pace);

/* Gives back what memory the entries do not need. Nothing can be added afterwards. */
void index_batch_trim(struct index_batch *batch);

/* Frees the entries. */
void index_batch_clear(struct index_batch *batch);

/* Bytes held. */
size_t index_batch_bytes(const struct index_batch *batch);

#endif
