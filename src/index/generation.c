#include "prescreen/index/generation.h"

#include "prescreen/base/bug.h"

#include "memory.h"
#include "parts.h"

#include <errno.h>
#include <string.h>

static void release_removals(struct index_removals *removals)
{
    if (removals != NULL && atomic_fetch_sub_explicit(&removals->references, 1, memory_order_acq_rel) == 1)
        index_memory_release(removals, removals->bytes);
}

void index_part_clear(struct index_part *part)
{
    index_segment_release(part->segment);
    release_removals(part->removals);
    *part = (struct index_part){0};
}

void index_part_share(struct index_part *part, const struct index_part *old)
{
    *part = *old;
    part->removals_are_own = false;
    (void)index_segment_acquire(part->segment);
    if (part->removals != NULL)
        atomic_fetch_add_explicit(&part->removals->references, 1, memory_order_relaxed);
}

/* Gives a part removals that no other generation sees. */
static int own_removals(struct index_part *part)
{
    size_t words = (index_segment_count(part->segment) + 63) / 64;
    size_t bytes = sizeof(struct index_removals) + words * sizeof(uint64_t);
    struct index_removals *own;

    if (part->removals_are_own)
        return 0;
    own = index_memory_acquire(bytes);
    if (own == NULL)
        return -ENOMEM;
    if (part->removals != NULL)
        memcpy(own->words, part->removals->words, words * sizeof(uint64_t));
    atomic_init(&own->references, 1);
    own->bytes = bytes;
    release_removals(part->removals);
    part->removals = own;
    part->removals_are_own = true;
    return 0;
}

int index_part_remove(struct index_part *part, uint64_t row)
{
    uint32_t slot = 0;

    if (!index_segment_find(part->segment, row, &slot) || !index_part_has(part, slot))
        return 0;
    if (own_removals(part) < 0)
        return -ENOMEM;
    part->removals->words[slot / 64] |= (uint64_t)1 << (slot % 64);
    part->count--;
    for (int kind = 0; kind < HASH_KIND_COUNT; kind++)
        part->kinds[kind] -=
            (((const uint8_t *)part->segment->entries.kinds.items)[slot] & HASH_BIT(kind)) != 0;
    return 0;
}

static int remove_rows(struct index_generation *generation, const uint64_t *rows, size_t count)
{
    int result = 0;

    for (size_t i = 0; i < count; i++) {
        for (size_t p = 0; p < generation->part_count && result == 0; p++)
            result = index_part_remove(&generation->parts[p], rows[i]);
    }
    return result;
}

static int change(struct index_generation *generation, struct index_batch *batch, const uint64_t *removed,
                  size_t removed_count, size_t merge_max, enum cpu_level level)
{
    int result = remove_rows(generation, removed, removed_count);

    /* A row that is there already would be found twice: the new entry takes its place. */
    if (result == 0)
        result = remove_rows(generation, batch->rows.items, batch->rows.count);
    if (result == 0)
        result = index_parts_merge(generation, batch, merge_max, level);
    for (size_t p = 0; p < generation->part_count; p++)
        generation->parts[p].removals_are_own = false;
    return result;
}

int index_generation_apply(const struct index_generation *old, struct index_batch *batch,
                           const uint64_t *removed, size_t removed_count, size_t merge_max,
                           enum cpu_level level, struct index_generation **next)
{
    struct index_generation *generation = index_memory_acquire(sizeof *generation);
    struct index_batch nothing;
    int result = -ENOMEM;

    if (generation == NULL)
        goto out;
    atomic_init(&generation->references, 1);
    for (; old != NULL && generation->part_count < old->part_count; generation->part_count++)
        index_part_share(&generation->parts[generation->part_count], &old->parts[generation->part_count]);
    index_batch_init(&nothing);
    result = change(generation, batch == NULL ? &nothing : batch, removed, removed_count, merge_max, level);
    if (result == 0) {
        *next = generation;
        generation = NULL;
    }
out:
    index_generation_release(generation);
    index_batch_free(batch);
    return result;
}

/* Generations are const towards their users; the count of users is not part of what they see. */
static struct index_generation *own(const struct index_generation *generation)
{
    return (struct index_generation *)(uintptr_t)generation;
}

const struct index_generation *index_generation_acquire(const struct index_generation *generation)
{
    atomic_fetch_add_explicit(&own(generation)->references, 1, memory_order_relaxed);
    return generation;
}

void index_generation_release(const struct index_generation *generation)
{
    if (generation == NULL)
        return;
    size_t before = atomic_fetch_sub_explicit(&own(generation)->references, 1, memory_order_acq_rel);
    BUG_ON(before == 0);
    if (before > 1)
        return;
    for (size_t p = 0; p < generation->part_count; p++)
        index_part_clear(&own(generation)->parts[p]);
    index_memory_release(own(generation), sizeof *generation);
}

void index_generation_read_statistics(const struct index_generation *generation,
                                      struct index_statistics *statistics)
{
    struct index_statistics sum = {.bytes = sizeof *generation, .segments = generation->part_count};

    for (size_t p = 0; p < generation->part_count; p++) {
        const struct index_part *part = &generation->parts[p];
        sum.entries += part->count;
        sum.views += part->segment->entries.views.count;
        sum.removed += index_segment_count(part->segment) - part->count;
        sum.bytes +=
            index_segment_bytes(part->segment) + (part->removals == NULL ? 0 : part->removals->bytes);
        for (int kind = 0; kind < HASH_KIND_COUNT; kind++)
            sum.kinds[kind] += part->kinds[kind];
    }
    *statistics = sum;
}
