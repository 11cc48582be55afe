#include "parts.h"

#include <errno.h>

/* A part is merged when it has at most GROWTH times the entries that stand behind it: the more, the fewer
 * parts there are to search and the more often entries are copied. Changes of single entries go into one part
 * until that is FEW_ENTRIES. */
enum { GROWTH = 2, FEW_ENTRIES = 512 };

/* A mapped part of fewer entries is as fast where it is. */
enum { SETTLED_MIN = 1 << 16 };

void index_parts_sort(struct index_generation *generation)
{
    for (size_t i = 1; i < generation->part_count; i++) {
        struct index_part part = generation->parts[i];
        size_t place = i;
        for (; place > 0 && generation->parts[place - 1].count < part.count; place--)
            generation->parts[place] = generation->parts[place - 1];
        generation->parts[place] = part;
    }
}

static void take_part(const struct index_generation *generation, struct index_merge_plan *plan, size_t number)
{
    if (plan->takes[number])
        return;
    plan->takes[number] = true;
    plan->count += generation->parts[number].count;
    plan->sources++;
}

static bool is_merged_aside(const struct index_part *part)
{
    return part->segment->merging;
}

/* Takes a part and all behind it. */
static void take_from(const struct index_generation *generation, struct index_merge_plan *plan, size_t first)
{
    for (size_t p = first; p < generation->part_count; p++) {
        if (!is_merged_aside(&generation->parts[p]))
            take_part(generation, plan, p);
    }
}

void index_parts_plan(const struct index_generation *generation, size_t added, size_t merge_max,
                      struct index_merge_plan *plan)
{
    size_t behind = added;

    *plan = (struct index_merge_plan){.count = 0};
    for (size_t p = 0; p < generation->part_count; p++) {
        const struct index_part *part = &generation->parts[p];
        if (2 * part->count < index_segment_count(part->segment) && part->count <= merge_max &&
            !is_merged_aside(part))
            take_part(generation, plan, p);
    }
    for (size_t p = generation->part_count; p-- > 0;) {
        size_t count = generation->parts[p].count;
        bool small = count <= GROWTH * behind || count + behind <= FEW_ENTRIES;
        if (is_merged_aside(&generation->parts[p]))
            continue;
        behind += count;
        if (small && behind > count && behind <= NEAR_COUNT_MAX && behind <= merge_max)
            take_from(generation, plan, p);
    }
}

void index_parts_plan_settling(const struct index_generation *generation, struct index_merge_plan *plan)
{
    *plan = (struct index_merge_plan){.count = 0};
    for (size_t p = 0; p < generation->part_count && plan->sources == 0; p++) {
        const struct index_part *part = &generation->parts[p];
        if (part->segment->mapping != NULL && part->count >= SETTLED_MIN && !is_merged_aside(part))
            take_part(generation, plan, p);
    }
}

/* Makes room where there is none for one more part: however large they are and whoever merges them. */
static void plan_for_room(const struct index_generation *generation, struct index_merge_plan *plan)
{
    size_t p = generation->part_count;

    if (generation->part_count - plan->sources < PARTS_MAX)
        return;
    take_part(generation, plan, p - 1);
    take_part(generation, plan, p - 2);
}

/* Of the parts that are to be merged and not yet done, the one with the smallest first row: most often their
 * rows then ascend from one to the next. */
static size_t next_source(const struct index_generation *generation, const struct index_merge_plan *plan,
                          const bool *done)
{
    size_t next = PARTS_MAX;

    for (size_t p = 0; p < generation->part_count; p++) {
        if (!plan->takes[p] || done[p])
            continue;
        if (next == PARTS_MAX || index_segment_first_row(generation->parts[p].segment) <
                                     index_segment_first_row(generation->parts[next].segment))
            next = p;
    }
    return next;
}

int index_parts_gather(const struct index_generation *generation, const struct index_merge_plan *plan,
                       const struct index_pace *pace, struct index_batch *target)
{
    bool done[PARTS_MAX] = {false};
    int result = 0;

    for (size_t i = 0; i < plan->sources && result == 0; i++) {
        size_t p = next_source(generation, plan, done);
        const struct index_part *part = &generation->parts[p];
        result = index_batch_append(target, &part->segment->entries,
                                    part->removals == NULL ? NULL : part->removals->words, pace);
        done[p] = true;
    }
    return result;
}

/* Brings the parts and the batch together in the batch. */
static int gather(const struct index_generation *generation, const struct index_merge_plan *plan,
                  struct index_batch *batch)
{
    struct index_batch target;
    int result;

    /* A large batch is not copied for the sake of order, so that an import needs its memory once. */
    if (plan->sources == 0 || batch->rows.count >= plan->count)
        return index_parts_gather(generation, plan, NULL, batch);
    index_batch_init(&target);
    result = index_parts_gather(generation, plan, NULL, &target);
    if (result == 0)
        result = index_batch_append(&target, batch, NULL, NULL);
    if (result < 0) {
        index_batch_clear(&target);
        return result;
    }
    index_batch_clear(batch);
    *batch = target;
    return 0;
}

static void drop_parts(struct index_generation *generation, const struct index_merge_plan *plan)
{
    size_t kept = 0;

    for (size_t p = 0; p < generation->part_count; p++) {
        if (plan->takes[p])
            index_part_clear(&generation->parts[p]);
        else
            generation->parts[kept++] = generation->parts[p];
    }
    generation->part_count = kept;
}

int index_part_create(struct index_batch *entries, const struct index_build *build, struct index_part *part)
{
    struct index_part made = {.count = entries->rows.count};

    made.kinds[HASH_PDQ] = entries->hashes.count - entries->views.count;
    for (int kind = 0; kind < DIGEST_KIND_COUNT; kind++)
        made.kinds[kind] = entries->records[kind].count;
    int result = index_segment_create(entries, build, &made.segment);
    if (result == 0)
        *part = made;
    return result;
}

static int add_part(struct index_generation *generation, struct index_batch *entries,
                    const struct index_build *build)
{
    int result = index_part_create(entries, build, &generation->parts[generation->part_count]);

    generation->part_count += result == 0;
    return result;
}

int index_parts_merge(struct index_generation *generation, struct index_batch *batch, size_t merge_max,
                      enum cpu_level level)
{
    const struct index_build build = {.level = level};
    struct index_merge_plan plan;
    int result;

    index_parts_sort(generation);
    index_parts_plan(generation, batch->rows.count, merge_max, &plan);
    if (batch->rows.count > 0)
        plan_for_room(generation, &plan);
    result = gather(generation, &plan, batch);
    if (result == 0) {
        drop_parts(generation, &plan);
        if (batch->rows.count > 0)
            result = add_part(generation, batch, &build);
        index_parts_sort(generation);
    }
    index_batch_clear(batch);
    return result;
}
