#include "prescreen/base/bug.h"

#include "memory.h"
#include "parts.h"

#include <errno.h>

struct index_merge {
    const struct index_generation *base; /* what it began from */
    struct index_merge_plan plan;
    struct index_build build;
    bool done;
    struct index_part merged; /* without a segment when nothing of it was in force */
};

static void mark_sources(const struct index_merge *merge, bool merging)
{
    for (size_t p = 0; p < merge->base->part_count; p++) {
        if (merge->plan.takes[p])
            merge->base->parts[p].segment->merging = merging;
    }
}

int index_merge_begin(const struct index_generation *generation, const struct index_build *build,
                      struct index_merge **merge)
{
    struct index_merge_plan plan;

    index_parts_plan(generation, 0, SIZE_MAX, &plan);
    if (plan.sources == 0)
        index_parts_plan_settling(generation, &plan);
    if (plan.sources == 0)
        return INDEX_MERGE_NONE;
    struct index_merge *made = index_memory_acquire(sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    made->base = index_generation_acquire(generation);
    made->plan = plan;
    made->build = *build;
    mark_sources(made, true);
    *merge = made;
    return 0;
}

int index_merge_run(struct index_merge *merge)
{
    struct index_batch entries;

    index_batch_init(&entries);
    int result = index_parts_gather(merge->base, &merge->plan, merge->build.pace, &entries);
    if (result == 0 && entries.rows.count > 0)
        result = index_part_create(&entries, &merge->build, &merge->merged);
    index_batch_clear(&entries);
    merge->done = result == 0;
    return result;
}

static const struct index_part *find_part(const struct index_generation *generation,
                                          const struct index_segment *segment)
{
    for (size_t p = 0; p < generation->part_count; p++) {
        if (generation->parts[p].segment == segment)
            return &generation->parts[p];
    }
    return NULL;
}

static bool is_overtaken(const struct index_merge *merge, const struct index_generation *now)
{
    for (size_t p = 0; p < merge->base->part_count; p++) {
        if (merge->plan.takes[p] && find_part(now, merge->base->parts[p].segment) == NULL)
            return true;
    }
    return false;
}

/* Takes out of the merged part what has gone from a source since the merge began. */
static int remove_since(struct index_part *merged, const struct index_part *before,
                        const struct index_part *now)
{
    const size_t words = (index_segment_count(now->segment) + 63) / 64;
    int result = 0;

    if (now->removals == before->removals || merged->segment == NULL)
        return 0;
    for (size_t word = 0; word < words && result == 0; word++) {
        uint64_t gone = now->removals->words[word];
        if (before->removals != NULL)
            gone &= ~before->removals->words[word];
        for (; gone != 0 && result == 0; gone &= gone - 1) {
            uint32_t slot = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(gone);
            result = index_part_remove(merged, index_batch_row(&now->segment->entries, slot));
        }
    }
    return result;
}

static int bring_up_to(struct index_merge *merge, const struct index_generation *now)
{
    int result = 0;

    for (size_t p = 0; p < merge->base->part_count && result == 0; p++) {
        const struct index_part *before = &merge->base->parts[p];
        if (merge->plan.takes[p])
            result = remove_since(&merge->merged, before, find_part(now, before->segment));
    }
    return result;
}

/* The parts of now that were not merged, and the merged one. */
static void fill_generation(const struct index_merge *merge, const struct index_generation *now,
                            struct index_generation *generation)
{
    for (size_t p = 0; p < now->part_count; p++) {
        const struct index_part *part = &now->parts[p];
        size_t source = 0;
        while (source < merge->base->part_count &&
               (!merge->plan.takes[source] || merge->base->parts[source].segment != part->segment))
            source++;
        if (source == merge->base->part_count)
            index_part_share(&generation->parts[generation->part_count++], part);
    }
    if (merge->merged.segment != NULL)
        index_part_share(&generation->parts[generation->part_count++], &merge->merged);
    index_parts_sort(generation);
}

static int finish(struct index_merge *merge, const struct index_generation *now,
                  struct index_generation **next)
{
    struct index_generation *generation;

    BUG_ON(!merge->done);
    if (is_overtaken(merge, now))
        return INDEX_MERGE_OVERTAKEN;
    int result = bring_up_to(merge, now);
    if (result < 0)
        return result;
    generation = index_memory_acquire(sizeof *generation);
    if (generation == NULL)
        return -ENOMEM;
    atomic_init(&generation->references, 1);
    fill_generation(merge, now, generation);
    *next = generation;
    return 0;
}

int index_merge_end(struct index_merge *merge, const struct index_generation *now,
                    struct index_generation **next)
{
    int result = next == NULL ? 0 : finish(merge, now, next);

    mark_sources(merge, false);
    index_part_clear(&merge->merged);
    index_generation_release(merge->base);
    index_memory_release(merge, sizeof *merge);
    return result;
}
