/* A segment: a batch of entries made searchable. Immutable, shared by generations through a reference count.
 */
#ifndef PRESCREEN_SRC_INDEX_SEGMENT_H
#define PRESCREEN_SRC_INDEX_SEGMENT_H

#include "prescreen/index/near.h"

#include "batch.h"
#include "mapping.h"

#include <stdatomic.h>

struct index_segment {
    atomic_size_t references;
    struct index_batch entries;
    uint32_t *by_row;                               /* slots in the order of their rows; NULL: they are */
    struct near_index *near;                        /* its ids are the numbers of hashes */
    struct exact_index *digests[DIGEST_KIND_COUNT]; /* NULL without any */
    bool merging;                  /* somebody merges it aside; guarded by whoever makes generations */
    struct index_mapping *mapping; /* NULL, or what all arrays and tables lie in */
};

/* Makes a segment of entries. Ownership: takes the entries, which are empty afterwards, also on failure;
 * *segment has one reference, the caller's. Errors: -ENOMEM. */
int index_segment_create(struct index_batch *entries, const struct index_build *build,
                         struct index_segment **segment);

/* Makes a segment of arrays and tables that lie in a mapping. parts has all members but references and
 * mapping; near and digests were adopted. Ownership: takes near and digests, also on failure; the segment
 * keeps the mapping. Errors: -ENOMEM. */
int index_segment_adopt(const struct index_segment *parts, struct index_mapping *mapping,
                        struct index_segment **segment);

struct index_segment *index_segment_acquire(struct index_segment *segment);

/* segment may be NULL. */
void index_segment_release(struct index_segment *segment);

/* Finds the slot of a row. Returns false, output untouched, when the segment never held it. Cost:
 * logarithmic. */
bool index_segment_find(const struct index_segment *segment, uint64_t row, uint32_t *slot);

/* The smallest row. */
uint64_t index_segment_first_row(const struct index_segment *segment);

static inline size_t index_segment_count(const struct index_segment *segment)
{
    return segment->entries.rows.count;
}

/* Bytes held. */
size_t index_segment_bytes(const struct index_segment *segment);

#endif
