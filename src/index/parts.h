/* What a generation is made of: segments, and which of their entries are no longer in force. */
#ifndef PRESCREEN_SRC_INDEX_PARTS_H
#define PRESCREEN_SRC_INDEX_PARTS_H

#include "segment.h"

enum { PARTS_MAX = 32 };

/* Removed slots of one segment, shared by generations until one of them removes more. */
struct index_removals {
    atomic_size_t references;
    size_t bytes; /* of this struct and its words */
    uint64_t words[];
};

struct index_part {
    struct index_segment *segment;
    struct index_removals *removals; /* NULL: none */
    bool removals_are_own;           /* while a generation is being made: not shared yet */
    size_t count;                    /* entries in force */
    size_t kinds[HASH_KIND_COUNT];   /* of those */
};

/* Parts by falling count. */
struct index_generation {
    atomic_size_t references;
    size_t part_count;
    struct index_part parts[PARTS_MAX];
};

/* Whether an entry of a part is in force. */
static inline bool index_part_has(const struct index_part *part, uint32_t slot)
{
    return part->removals == NULL || !index_slot_is_set(part->removals->words, slot);
}

/* Gives back what a part holds. */
void index_part_clear(struct index_part *part);

/* Adds the batch to a generation that is being made, merged with those parts that are small beside it, and
 * rewrites parts that are mostly removed. Ownership: empties batch, also on failure. Errors: -ENOMEM; the
 * generation must then be released. Cost: over many calls each entry is copied a number of times that is
 * logarithmic in the number of all. */
int index_parts_merge(struct index_generation *generation, struct index_batch *batch, enum cpu_level level);

#endif
