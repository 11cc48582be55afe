/* What a generation is made of: segments, and which of their entries are no longer in force. */
#ifndef PRESCREEN_SRC_INDEX_PARTS_H
#define PRESCREEN_SRC_INDEX_PARTS_H

#include "segment.h"

enum { PARTS_MAX = 48 };

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

/* Makes part what old is; both hold it then. */
void index_part_share(struct index_part *part, const struct index_part *old);

/* Takes a row out of force in a part of a generation that is being made; one that is not there is ignored.
 * Errors: -ENOMEM. */
int index_part_remove(struct index_part *part, uint64_t row);

/* A part of the entries, none of them removed. Ownership: takes the entries, also on failure. Errors:
 * -ENOMEM. */
int index_part_create(struct index_batch *entries, const struct index_build *build, struct index_part *part);

/* The parts of a generation that become one. */
struct index_merge_plan {
    bool takes[PARTS_MAX];
    size_t count;   /* entries they have in force */
    size_t sources; /* parts */
};

/* Chooses what should be merged with so many entries that are added: the largest part that is small beside
 * all that stands behind it and those, and parts that are mostly removed; together at most merge_max entries,
 * and nothing that is being merged aside. */
void index_parts_plan(const struct index_generation *generation, size_t added, size_t merge_max,
                      struct index_merge_plan *plan);

/* Chooses a part that lies in a mapping and is large enough for huge pages to matter. */
void index_parts_plan_settling(const struct index_generation *generation, struct index_merge_plan *plan);

/* Appends what the planned parts have in force to a batch, by their first rows. Errors: -ENOMEM. */
int index_parts_gather(const struct index_generation *generation, const struct index_merge_plan *plan,
                       const struct index_pace *pace, struct index_batch *batch);

/* Parts by falling count. */
void index_parts_sort(struct index_generation *generation);

/* Adds the batch to a generation that is being made, merged with those parts that are small beside it as far
 * as merge_max entries go, and rewrites parts that are mostly removed. Ownership: empties batch, also on
 * failure. Errors: -ENOMEM; the generation must then be released. Cost: over many calls each entry is copied
 * a number of times that is logarithmic in the number of all. */
int index_parts_merge(struct index_generation *generation, struct index_batch *batch, size_t merge_max,
                      enum cpu_level level);

#endif
