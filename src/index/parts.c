#include "parts.h"

#include <errno.h>

/* A part is merged when it has at most GROWTH times the entries that stand behind it: the more, the fewer
 * parts there are to search and the more often entries are copied. Changes of single entries go into one part
 * until that is FEW_ENTRIES. */
enum { GROWTH = 2, FEW_ENTRIES = 512 };

/* The parts of a generation that become one, together with the batch. */
struct merge {
    bool takes[PARTS_MAX];
    size_t count;   /* entries they have in force */
    size_t sources; /* parts */
};

static void sort_parts(struct index_generation *generation)
{
    for (size_t i = 1; i < generation->part_count; i++) {
        struct index_part part = generation->parts[i];
        size_t place = i;
        for (; place > 0 && generation->parts[place - 1].count < part.count; place--)
            generation->parts[place] = generation->parts[place - 1];
        generation->parts[place] = part;
    }
}

static void take_part(const struct index_generation *generation, struct merge *merge, size_t number)
{
    if (merge->takes[number])
        return;
    merge->takes[number] = true;
    merge->count += generation->parts[number].count;
    merge->sources++;
}

/* Chooses the largest part that is small beside all that stands behind it, and all those. */
static void plan_merge(const struct index_generation *generation, size_t added, struct merge *merge)
{
    size_t behind = added;

    for (size_t p = 0; p < generation->part_count; p++) {
        const struct index_part *part = &generation->parts[p];
        if (2 * part->count < index_segment_count(part->segment))
            take_part(generation, merge, p);
    }
    for (size_t p = generation->part_count; p-- > 0;) {
        size_t count = generation->parts[p].count;
        bool small = count <= GROWTH * behind || count + behind <= FEW_ENTRIES;
        bool full = p > 0 && added > 0 && generation->part_count == PARTS_MAX;
        behind += count;
        if ((small && behind > count && behind <= NEAR_COUNT_MAX) || full) {
            for (size_t q = p; q < generation->part_count; q++)
                take_part(generation, merge, q);
        }
    }
}

/* Of the parts that are to be merged and not yet done, the one with the smallest first row: most often their
 * rows then ascend from one to the next. */
static size_t next_source(const struct index_generation *generation, const struct merge *merge,
                          const bool *done)
{
    size_t next = PARTS_MAX;

    for (size_t p = 0; p < generation->part_count; p++) {
        if (!merge->takes[p] || done[p])
            continue;
        if (next == PARTS_MAX || index_segment_first_row(generation->parts[p].segment) <
                                     index_segment_first_row(generation->parts[next].segment))
            next = p;
    }
    return next;
}

static int append_parts(const struct index_generation *generation, const struct merge *merge,
                        struct index_batch *target)
{
    bool done[PARTS_MAX] = {false};
    int result = 0;

    for (size_t i = 0; i < merge->sources && result == 0; i++) {
        size_t p = next_source(generation, merge, done);
        const struct index_part *part = &generation->parts[p];
        result = index_batch_append(target, &part->segment->entries,
                                    part->removals == NULL ? NULL : part->removals->words);
        done[p] = true;
    }
    return result;
}

/* Brings the parts and the batch together in the batch. */
static int gather(const struct index_generation *generation, const struct merge *merge,
                  struct index_batch *batch)
{
    struct index_batch target;
    int result;

    /* A large batch is not copied for the sake of order, so that an import needs its memory once. */
    if (merge->sources == 0 || batch->rows.count >= merge->count)
        return append_parts(generation, merge, batch);
    index_batch_init(&target);
    result = append_parts(generation, merge, &target);
    if (result == 0)
        result = index_batch_append(&target, batch, NULL);
    if (result < 0) {
        index_batch_clear(&target);
        return result;
    }
    index_batch_clear(batch);
    *batch = target;
    return 0;
}

static void drop_parts(struct index_generation *generation, const struct merge *merge)
{
    size_t kept = 0;

    for (size_t p = 0; p < generation->part_count; p++) {
        if (merge->takes[p])
            index_part_clear(&generation->parts[p]);
        else
            generation->parts[kept++] = generation->parts[p];
    }
    generation->part_count = kept;
}

static int add_part(struct index_generation *generation, struct index_batch *entries, enum cpu_level level)
{
    struct index_part part = {.count = entries->rows.count};

    part.kinds[HASH_PDQ] = entries->hashes.count - entries->views.count;
    for (int kind = 0; kind < DIGEST_KIND_COUNT; kind++)
        part.kinds[kind] = entries->records[kind].count;
    int result = index_segment_create(entries, level, &part.segment);
    if (result == 0)
        generation->parts[generation->part_count++] = part;
    return result;
}

int index_parts_merge(struct index_generation *generation, struct index_batch *batch, enum cpu_level level)
{
    struct merge merge = {.count = 0};
    int result;

    sort_parts(generation);
    plan_merge(generation, batch->rows.count, &merge);
    result = gather(generation, &merge, batch);
    if (result == 0) {
        drop_parts(generation, &merge);
        if (batch->rows.count > 0)
            result = add_part(generation, batch, level);
        sort_parts(generation);
    }
    index_batch_clear(batch);
    return result;
}
