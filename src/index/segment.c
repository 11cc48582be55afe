#include "segment.h"

#include "prescreen/base/bug.h"

#include "memory.h"
#include "near_saved.h"

#include <errno.h>
#include <stdlib.h>

static size_t by_row_bytes(const struct index_segment *segment)
{
    return index_segment_count(segment) * sizeof(uint32_t);
}

static bool rows_ascend(const struct index_batch *entries, const struct index_pace *pace)
{
    for (uint32_t slot = 1; slot < entries->rows.count; slot++) {
        index_pace_at(pace, slot);
        if (index_batch_row(entries, slot) <= index_batch_row(entries, slot - 1))
            return false;
    }
    return true;
}

/* A sort under way. */
struct sorting {
    const struct index_batch *entries;
    const struct index_pace *pace;
    size_t comparisons;
};

static int compare_slots(const void *left, const void *right, void *context)
{
    struct sorting *sorting = context;
    uint64_t a = index_batch_row(sorting->entries, *(const uint32_t *)left);
    uint64_t b = index_batch_row(sorting->entries, *(const uint32_t *)right);

    index_pace_at(sorting->pace, sorting->comparisons++);
    return a < b ? -1 : a > b;
}

static int order_by_row(struct index_segment *segment, const struct index_pace *pace)
{
    struct sorting sorting = {&segment->entries, pace, 0};
    size_t count = index_segment_count(segment);

    if (rows_ascend(&segment->entries, pace))
        return 0;
    segment->by_row = index_memory_acquire(by_row_bytes(segment));
    if (segment->by_row == NULL)
        return -ENOMEM;
    for (uint32_t slot = 0; slot < count; slot++)
        segment->by_row[slot] = slot;
    qsort_r(segment->by_row, count, sizeof *segment->by_row, compare_slots, &sorting);
    return 0;
}

static int make_searchable(struct index_segment *segment, const struct index_build *build)
{
    struct index_batch *entries = &segment->entries;
    int result = near_index_create(entries->hashes.items, entries->hashes.count, build, &segment->near);

    for (int kind = 0; kind < DIGEST_KIND_COUNT && result == 0; kind++) {
        struct index_array *records = &entries->records[kind];
        if (records->count > 0)
            result = exact_index_create(records->items, records->count, hash_kind_size((enum hash_kind)kind),
                                        build->pace, &segment->digests[kind]);
    }
    return result;
}

int index_segment_create(struct index_batch *entries, const struct index_build *build,
                         struct index_segment **created)
{
    struct index_segment *segment = index_memory_acquire(sizeof *segment);
    int result = -ENOMEM;

    if (segment == NULL) {
        index_batch_clear(entries);
        return result;
    }
    atomic_init(&segment->references, 1);
    segment->entries = *entries;
    index_batch_init(entries);
    index_batch_trim(&segment->entries);
    result = order_by_row(segment, build->pace);
    if (result == 0)
        result = make_searchable(segment, build);
    if (result < 0) {
        index_segment_release(segment);
        return result;
    }
    *created = segment;
    return 0;
}

/* What a mapped segment has beside the mapping. */
static void release_adopted(const struct index_segment *segment)
{
    near_index_abandon(segment->near);
    for (int kind = 0; kind < DIGEST_KIND_COUNT; kind++)
        exact_index_free(segment->digests[kind]);
}

int index_segment_adopt(const struct index_segment *parts, struct index_mapping *mapping,
                        struct index_segment **created)
{
    struct index_segment *segment = index_memory_acquire(sizeof *segment);

    if (segment == NULL) {
        release_adopted(parts);
        return -ENOMEM;
    }
    *segment = *parts;
    atomic_init(&segment->references, 1);
    segment->mapping = index_mapping_acquire(mapping);
    *created = segment;
    return 0;
}

struct index_segment *index_segment_acquire(struct index_segment *segment)
{
    atomic_fetch_add_explicit(&segment->references, 1, memory_order_relaxed);
    return segment;
}

static void release_own(struct index_segment *segment)
{
    near_index_free(segment->near);
    for (int kind = 0; kind < DIGEST_KIND_COUNT; kind++)
        exact_index_free(segment->digests[kind]);
    index_memory_release(segment->by_row, by_row_bytes(segment));
    index_batch_clear(&segment->entries);
}

void index_segment_release(struct index_segment *segment)
{
    if (segment == NULL)
        return;
    size_t before = atomic_fetch_sub_explicit(&segment->references, 1, memory_order_acq_rel);
    BUG_ON(before == 0);
    if (before > 1)
        return;
    if (segment->mapping != NULL) {
        release_adopted(segment);
        index_mapping_release(segment->mapping);
    } else {
        release_own(segment);
    }
    index_memory_release(segment, sizeof *segment);
}

static uint32_t slot_in_order(const struct index_segment *segment, size_t place)
{
    return segment->by_row == NULL ? (uint32_t)place : segment->by_row[place];
}

static uint64_t row_in_order(const struct index_segment *segment, size_t place)
{
    return index_batch_row(&segment->entries, slot_in_order(segment, place));
}

uint64_t index_segment_first_row(const struct index_segment *segment)
{
    return row_in_order(segment, 0);
}

bool index_segment_find(const struct index_segment *segment, uint64_t row, uint32_t *slot)
{
    size_t first = 0;
    size_t end = index_segment_count(segment);

    /* Most rows that are asked for are newer than all of an old segment. */
    if (end == 0 || row > row_in_order(segment, end - 1))
        return false;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (row_in_order(segment, middle) < row)
            first = middle + 1;
        else
            end = middle;
    }
    if (first == index_segment_count(segment) || row_in_order(segment, first) != row)
        return false;
    *slot = slot_in_order(segment, first);
    return true;
}

size_t index_segment_bytes(const struct index_segment *segment)
{
    size_t bytes = sizeof *segment + index_batch_bytes(&segment->entries) + near_index_bytes(segment->near);

    for (int kind = 0; kind < DIGEST_KIND_COUNT; kind++)
        bytes += segment->digests[kind] == NULL ? 0 : exact_index_bytes(segment->digests[kind]);
    return bytes + (segment->by_row == NULL ? 0 : by_row_bytes(segment));
}
