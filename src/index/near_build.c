#include "memory.h"
#include "near_crowd.h"
#include "near_layout.h"
#include "near_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS_MAX = 9, DIGITS_MAX = 4, SCAN_COUNT_MAX = 2048 };

/* Sorts (row, entry) pairs, held as row << 32 | entry, for one chunk after the other. */
struct near_sorter {
    unsigned int digit_bits;
    unsigned int digit_count;
    size_t counts[DIGITS_MAX][1 << DIGIT_BITS_MAX];
    uint64_t *pairs;
    uint64_t *other;
    const struct index_pace *pace;
};

static void plan_digits(struct near_sorter *sorter, unsigned int width)
{
    sorter->digit_count = (width + DIGIT_BITS_MAX - 1) / DIGIT_BITS_MAX;
    sorter->digit_bits = (width + sorter->digit_count - 1) / sorter->digit_count;
    memset(sorter->counts, 0, sizeof sorter->counts);
}

static void make_pairs(const struct near_index *index, const struct near_chunk *chunk,
                       struct near_sorter *sorter)
{
    const uint64_t digit_mask = ((uint64_t)1 << sorter->digit_bits) - 1;

    for (size_t i = 0, made = 0; made < index->tabled; i++) {
        index_pace_at(sorter->pace, i);
        if (near_is_crowded(index, i))
            continue;
        uint64_t value = near_extract(&index->hashes[i], chunk->first_bit);
        uint64_t row = value & near_row_mask(chunk);
        uint64_t next = value >> chunk->width & chunk->next_mask;
        sorter->pairs[made++] = row << 32 | next << index->id_bits | i;
        for (unsigned int d = 0; d < sorter->digit_count; d++)
            sorter->counts[d][row >> (d * sorter->digit_bits) & digit_mask]++;
    }
}

static void sort_by_digit(struct near_sorter *sorter, size_t count, unsigned int digit)
{
    const unsigned int shift = 32 + digit * sorter->digit_bits;
    const uint64_t digit_mask = ((uint64_t)1 << sorter->digit_bits) - 1;
    size_t *places = sorter->counts[digit];
    size_t place = 0;

    for (size_t value = 0; value <= digit_mask; value++) {
        size_t here = places[value];
        places[value] = place;
        place += here;
    }
    for (size_t i = 0; i < count; i++) {
        index_pace_at(sorter->pace, i);
        sorter->other[places[sorter->pairs[i] >> shift & digit_mask]++] = sorter->pairs[i];
    }
    uint64_t *sorted = sorter->other;
    sorter->other = sorter->pairs;
    sorter->pairs = sorted;
}

/* The end of the run of pairs that lie in the same word of 64 rows as the first. */
static size_t word_end(const uint64_t *pairs, size_t count, size_t first)
{
    size_t end = first + 1;

    while (end < count && pairs[end] >> 38 == pairs[first] >> 38)
        end++;
    return end;
}

static size_t rows_in(const uint64_t *pairs, size_t first, size_t end)
{
    size_t rows = 1;

    for (size_t i = first + 1; i < end; i++)
        rows += pairs[i] >> 32 != pairs[i - 1] >> 32;
    return rows;
}

/* How many starts the spilled words of a chunk take. */
static size_t count_spill(const struct near_sorter *sorter, size_t count)
{
    const uint64_t *pairs = sorter->pairs;
    size_t spill = 0;

    for (size_t first = 0, end, words = 0; first < count; first = end, words++) {
        index_pace_at(sorter->pace, words);
        end = word_end(pairs, count, first);
        if (end - first > NEAR_WORD_ENTRIES)
            spill += rows_in(pairs, first, end) + 1;
    }
    return spill;
}

static void fill_word(struct near_index *index, struct near_chunk *chunk, const uint64_t *pairs, size_t first,
                      size_t end, size_t *spilled)
{
    uint64_t row = pairs[first] >> 32;
    struct near_block *block = &chunk->blocks[row >> NEAR_LOW_BITS];
    unsigned int word = row / 64 % NEAR_WORDS;
    bool spill = end - first > NEAR_WORD_ENTRIES;

    block->bases[word] = (uint32_t)(spill ? *spilled : first);
    for (size_t i = first; i < end; i++) {
        bool begins = i == first || pairs[i] >> 32 != pairs[i - 1] >> 32;
        block->rows[word] |= (uint64_t)1 << (pairs[i] >> 32) % 64;
        chunk->entries[i] = (uint32_t)pairs[i];
        if (begins && spill)
            index->spill[(*spilled)++] = (uint32_t)i;
        else if (begins)
            block->starts[word] |= (uint32_t)1 << (i - first);
    }
    if (spill)
        index->spill[(*spilled)++] = (uint32_t)end;
    else
        block->starts[word] |= (uint32_t)1 << (end - first);
}

static int grow_spill(struct near_index *index, size_t more)
{
    size_t bytes = index->spill_bytes + more * sizeof *index->spill;
    uint32_t *spill;

    if (more == 0)
        return 0;
    spill = index_memory_resize(index->spill, index->spill_bytes, bytes);
    if (spill == NULL)
        return -ENOMEM;
    index->spill = spill;
    index->spill_bytes = bytes;
    return 0;
}

static int fill_chunk(struct near_index *index, struct near_chunk *chunk, struct near_sorter *sorter)
{
    size_t spilled = index->spill_bytes / sizeof *index->spill;

    plan_digits(sorter, chunk->width);
    make_pairs(index, chunk, sorter);
    for (unsigned int digit = 0; digit < sorter->digit_count; digit++)
        sort_by_digit(sorter, index->tabled, digit);
    int result = grow_spill(index, count_spill(sorter, index->tabled));
    if (result < 0)
        return result;
    for (size_t first = 0, end, words = 0; first < index->tabled; first = end, words++) {
        index_pace_at(sorter->pace, words);
        end = word_end(sorter->pairs, index->tabled, first);
        fill_word(index, chunk, sorter->pairs, first, end, &spilled);
    }
    return 0;
}

static int fill_chunks(struct near_index *index, const struct index_pace *pace)
{
    size_t pair_bytes = index->tabled * sizeof(uint64_t);
    struct near_sorter *sorter = index_memory_acquire(sizeof *sorter);
    int result = -ENOMEM;

    if (sorter == NULL)
        goto out;
    sorter->pace = pace;
    sorter->pairs = index_memory_acquire(pair_bytes);
    sorter->other = index_memory_acquire(pair_bytes);
    if (sorter->pairs == NULL || sorter->other == NULL)
        goto out;
    result = 0;
    for (unsigned int k = 0; k < index->chunk_count && result == 0; k++)
        result = fill_chunk(index, &index->chunks[k], sorter);
out:
    if (sorter != NULL) {
        index_memory_release(sorter->pairs, pair_bytes);
        index_memory_release(sorter->other, pair_bytes);
    }
    index_memory_release(sorter, sizeof *sorter);
    return result;
}

static unsigned int bits_for(size_t count)
{
    unsigned int bits = 1;

    while (((size_t)1 << bits) < count)
        bits++;
    return bits;
}

static void share_entry_bits(struct near_index *index)
{
    index->id_bits = bits_for(index->count);
    for (unsigned int k = 0; k < index->chunk_count; k++) {
        unsigned int next_width = index->chunks[(k + 1) % index->chunk_count].width;
        unsigned int spare = 32 - index->id_bits;
        index->chunks[k].next_mask = ((uint64_t)1 << (spare < next_width ? spare : next_width)) - 1;
    }
}

/* As many as the widest chunk needs. */
static uint32_t mask_count(const struct near_index *index, unsigned int flips)
{
    uint32_t count = 0;

    for (unsigned int k = 0; k < index->chunk_count; k++) {
        if (index->chunks[k].flips[flips] > count)
            count = index->chunks[k].flips[flips];
    }
    return count;
}

/* All masks with so many bits in ascending order. Source: Gosper, HAKMEM item 175. */
static void fill_masks(uint32_t *masks, uint32_t count, unsigned int flips)
{
    uint32_t mask = ((uint32_t)1 << flips) - 1;

    for (uint32_t i = 0; i < count; i++) {
        masks[i] = mask;
        if (mask == 0)
            return;
        uint32_t lowest = mask & (~mask + 1);
        uint32_t carried = mask + lowest;
        mask = (carried ^ mask) >> 2 >> __builtin_ctz(mask) | carried;
    }
}

static size_t block_count(const struct near_chunk *chunk)
{
    return (size_t)1 << (chunk->width - NEAR_LOW_BITS);
}

static size_t layout_bytes(const struct near_index *index, unsigned int flips_max)
{
    size_t bytes = 0;

    for (unsigned int k = 0; k < index->chunk_count; k++)
        bytes +=
            block_count(&index->chunks[k]) * sizeof(struct near_block) + index->tabled * sizeof(uint32_t);
    for (unsigned int flips = 0; flips <= flips_max; flips++)
        bytes += mask_count(index, flips) * sizeof(uint32_t);
    return bytes;
}

/* One piece of memory holds crowds and tables, so that a large index lies in huge pages throughout. */
static int lay_out(struct near_index *index, const struct near_crowding *crowding)
{
    unsigned int flips_max = near_plan_flips(index);
    size_t crowd_bytes = near_crowd_bytes(crowding->group_count, crowding->octet_count, crowding->hash_count);
    size_t bytes = crowd_bytes + layout_bytes(index, flips_max);
    uint8_t *memory = index_memory_acquire(bytes);

    if (memory == NULL)
        return -ENOMEM;
    index->memory = memory;
    index->memory_bytes = bytes;
    near_crowding_lay_out(crowding, index, memory);
    struct near_block *blocks = (struct near_block *)(void *)(memory + crowd_bytes);
    for (unsigned int k = 0; k < index->chunk_count; k++) {
        index->chunks[k].blocks = blocks;
        blocks += block_count(&index->chunks[k]);
    }
    uint32_t *numbers = (uint32_t *)blocks;
    for (unsigned int k = 0; k < index->chunk_count; k++) {
        index->chunks[k].entries = numbers;
        numbers += index->tabled;
    }
    for (unsigned int flips = 0; flips <= flips_max; flips++) {
        fill_masks(numbers, mask_count(index, flips), flips);
        index->masks[flips] = numbers;
        numbers += mask_count(index, flips);
    }
    return 0;
}

/* Builds crowds and tables. */
static int fill(struct near_index *index, const struct index_pace *pace)
{
    struct near_crowding *crowding = NULL;
    int result = near_crowding_create(index->hashes, index->count, pace, &crowding);

    if (result < 0)
        return result;
    index->tabled = index->count - crowding->member_count;
    near_plan(index);
    if (index->chunk_count > 0) {
        share_entry_bits(index);
        result = lay_out(index, crowding);
        if (result == 0)
            result = fill_chunks(index, pace);
    }
    near_crowding_free(crowding);
    return result;
}

int near_index_create(const struct pdq_hash *hashes, size_t count, const struct index_build *build,
                      struct near_index **created)
{
    struct near_index *index = NULL;
    int result = 0;

    if (count > NEAR_COUNT_MAX)
        return -EINVAL;
    index = index_memory_acquire(sizeof *index);
    if (index == NULL)
        return -ENOMEM;
    index->hashes = hashes;
    index->count = count;
    index->tabled = count;
    index->kernel = near_kernel_of(build->level);
    if (count > SCAN_COUNT_MAX)
        result = fill(index, build->pace);
    if (result == 0)
        *created = index;
    else
        near_index_free(index);
    return result;
}

void near_index_free(struct near_index *index)
{
    if (index == NULL)
        return;
    index_memory_release(index->memory, index->memory_bytes);
    index_memory_release(index->spill, index->spill_bytes);
    index_memory_release(index, sizeof *index);
}

size_t near_index_bytes(const struct near_index *index)
{
    return sizeof *index + index->memory_bytes + index->spill_bytes;
}
