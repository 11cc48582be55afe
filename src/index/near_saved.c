#include "near_saved.h"

#include "memory.h"
#include "near_crowd.h"
#include "near_plan.h"

#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct near_index) == 1792 && sizeof(struct near_chunk) == 64,
               "whatever is new in near_layout.h must be kept too, and NEAR_SAVED_LAYOUT raised");

static uint64_t place_of(const struct near_index *index, const void *table)
{
    return table == NULL ? UINT64_MAX : (uint64_t)((const uint8_t *)table - (const uint8_t *)index->memory);
}

void near_index_save(const struct near_index *index, struct near_saved *saved, struct near_tables *tables)
{
    memset(saved, 0, sizeof *saved);
    saved->layout = NEAR_SAVED_LAYOUT;
    saved->count = index->count;
    saved->tabled = index->tabled;
    saved->crowd_count = index->crowd_count;
    saved->octet_count = index->octet_count;
    saved->chunk_count = index->chunk_count;
    saved->id_bits = index->id_bits;
    saved->scan_from = index->scan_from;
    memcpy(saved->raises, index->raises, sizeof index->raises);
    for (unsigned int k = 0; k < index->chunk_count; k++) {
        const struct near_chunk *chunk = &index->chunks[k];
        struct near_saved_chunk *kept = &saved->chunks[k];
        kept->first_bit = chunk->first_bit;
        kept->width = chunk->width;
        kept->next_mask = chunk->next_mask;
        memcpy(kept->flips, chunk->flips, sizeof kept->flips);
        kept->blocks_at = place_of(index, chunk->blocks);
        kept->entries_at = place_of(index, chunk->entries);
    }
    for (unsigned int flips = 0; flips <= NEAR_FLIPS_MAX; flips++)
        saved->masks_at[flips] = place_of(index, index->masks[flips]);
    *tables = (struct near_tables){index->memory, index->spill, index->memory_bytes, index->spill_bytes};
}

/* Whether so many items lie within a table's bytes, aligned. */
static bool fits(const struct near_tables *tables, uint64_t at, uint64_t count, uint64_t item_bytes)
{
    return at % item_bytes == 0 && at <= tables->memory_bytes &&
           count <= (tables->memory_bytes - at) / item_bytes;
}

static bool chunk_is_sound(const struct near_saved *saved, const struct near_saved_chunk *chunk,
                           const struct near_tables *tables)
{
    if (chunk->first_bit > 255 || chunk->width < NEAR_LOW_BITS || chunk->width > 32)
        return false;
    for (unsigned int flips = 0; flips <= NEAR_FLIPS_MAX; flips++) {
        if (chunk->flips[flips] > 0 && saved->masks_at[flips] != UINT64_MAX &&
            !fits(tables, saved->masks_at[flips], chunk->flips[flips], sizeof(uint32_t)))
            return false;
    }
    return fits(tables, chunk->blocks_at, (uint64_t)1 << (chunk->width - NEAR_LOW_BITS),
                sizeof(struct near_block)) &&
           fits(tables, chunk->entries_at, saved->tabled, sizeof(uint32_t));
}

static bool crowds_are_sound(const struct near_saved *saved, const struct near_tables *tables)
{
    if (saved->crowd_count == 0 || saved->chunk_count == 0)
        return saved->crowd_count == 0 && saved->octet_count == 0;
    return saved->crowd_count <= NEAR_CROWDS_MAX &&
           near_crowd_bytes(saved->crowd_count, saved->octet_count, saved->count) <= tables->memory_bytes;
}

static bool is_sound(const struct near_saved *saved, size_t count, const struct near_tables *tables)
{
    if (saved->layout != NEAR_SAVED_LAYOUT || saved->count != count || count > NEAR_COUNT_MAX ||
        saved->chunk_count > NEAR_CHUNKS_MAX || saved->scan_from > NEAR_RADIUS_MAX + 1 ||
        (saved->chunk_count == 0 && saved->scan_from > 0) || saved->id_bits > 32 ||
        tables->spill_bytes % sizeof(uint32_t) != 0 || !crowds_are_sound(saved, tables))
        return false;
    for (unsigned int radius = 0; radius < saved->scan_from; radius++) {
        if (saved->raises[radius] >= saved->chunk_count)
            return false;
    }
    for (unsigned int k = 0; k < saved->chunk_count; k++) {
        if (!chunk_is_sound(saved, &saved->chunks[k], tables))
            return false;
    }
    return true;
}

/* Adopted tables are never written to. */
static void *table_at(const struct near_tables *tables, uint64_t at)
{
    return at == UINT64_MAX ? NULL : (uint8_t *)(uintptr_t)tables->memory + at;
}

static void restore(struct near_index *index, const struct near_saved *saved,
                    const struct near_tables *tables)
{
    index->count = saved->count;
    index->tabled = saved->tabled;
    index->crowd_count = saved->crowd_count;
    index->octet_count = saved->octet_count;
    near_crowd_place(index, table_at(tables, 0));
    index->chunk_count = saved->chunk_count;
    index->id_bits = saved->id_bits;
    index->scan_from = saved->scan_from;
    memcpy(index->raises, saved->raises, sizeof index->raises);
    for (unsigned int k = 0; k < saved->chunk_count; k++) {
        const struct near_saved_chunk *kept = &saved->chunks[k];
        struct near_chunk *chunk = &index->chunks[k];
        chunk->first_bit = kept->first_bit;
        chunk->width = kept->width;
        chunk->next_mask = kept->next_mask;
        memcpy(chunk->flips, kept->flips, sizeof kept->flips);
        chunk->blocks = table_at(tables, kept->blocks_at);
        chunk->entries = table_at(tables, kept->entries_at);
    }
    for (unsigned int flips = 0; flips <= NEAR_FLIPS_MAX; flips++)
        index->masks[flips] = table_at(tables, saved->masks_at[flips]);
    index->memory = table_at(tables, 0);
    index->memory_bytes = tables->memory_bytes;
    index->spill = (uint32_t *)(uintptr_t)tables->spill;
    index->spill_bytes = tables->spill_bytes;
}

/* Whether crowds and tables hold each hash once, as far as their sizes tell. */
static bool has_all(const struct near_index *index)
{
    uint64_t octets = 0;
    uint64_t members = 0;

    for (unsigned int i = 0; i < index->crowd_count; i++) {
        if (index->crowds[i].first_octet != octets)
            return false;
        members += index->crowds[i].count;
        octets += ((uint64_t)index->crowds[i].count + NEAR_LANES - 1) / NEAR_LANES;
    }
    return octets == index->octet_count && members + index->tabled == index->count;
}

/* Whether every mask that a search may ask for is there. */
static bool has_masks(const struct near_index *index)
{
    unsigned int flips_max = near_plan_flips(index);

    if (index->scan_from == 0)
        return true;
    for (unsigned int flips = 0; flips <= flips_max; flips++) {
        if (flips > NEAR_FLIPS_MAX || index->masks[flips] == NULL)
            return false;
    }
    return true;
}

int near_index_adopt(const struct near_saved *saved, const struct pdq_hash *hashes, size_t count,
                     const struct near_tables *tables, enum cpu_level level, struct near_index **created)
{
    if (!is_sound(saved, count, tables))
        return -EINVAL;
    struct near_index *index = index_memory_acquire(sizeof *index);
    if (index == NULL)
        return -ENOMEM;
    restore(index, saved, tables);
    index->hashes = hashes;
    index->kernel = near_kernel_of(level);
    if (!has_all(index) || !has_masks(index)) {
        near_index_abandon(index);
        return -EINVAL;
    }
    *created = index;
    return 0;
}

void near_index_abandon(struct near_index *index)
{
    index_memory_release(index, sizeof *index);
}
