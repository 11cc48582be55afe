#include "prescreen/index/exact.h"

#include "prescreen/base/bug.h"

#include "exact_sort.h"
#include "memory.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { RECORDS_IN_BUCKET = 4, BUCKET_BITS_MAX = 28 };

/* A bucket is all records whose digests begin with the same bits. */
struct exact_index {
    const uint32_t *records; /* borrowed, sorted */
    size_t count;
    size_t digest_size;
    size_t words;
    unsigned int bucket_bits;
    uint32_t *bucket_starts; /* (1 << bucket_bits) + 1 */
    size_t bucket_bytes;
    bool adopted; /* bucket_starts are borrowed */
};

static const uint32_t *record_at(const struct exact_index *index, size_t position)
{
    return index->records + position * index->words;
}

static uint32_t bucket_of(const struct exact_index *index, const uint8_t *digest)
{
    uint32_t beginning = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
                         (uint32_t)digest[3];

    return index->bucket_bits == 0 ? 0 : beginning >> (32 - index->bucket_bits);
}

static void fill_buckets(struct exact_index *index)
{
    size_t position = 0;

    for (size_t bucket = 0; bucket <= (size_t)1 << index->bucket_bits; bucket++) {
        while (position < index->count &&
               bucket_of(index, (const uint8_t *)record_at(index, position)) < bucket)
            position++;
        index->bucket_starts[bucket] = (uint32_t)position;
    }
}

/* The index but for what its buckets hold. */
static int plan_index(const uint32_t *records, size_t count, size_t digest_size, struct exact_index **planned)
{
    struct exact_index *index;

    BUG_ON(digest_size != 16 && digest_size != 20 && digest_size != 32);
    if (count > UINT32_MAX)
        return -EINVAL;
    index = index_memory_acquire(sizeof *index);
    if (index == NULL)
        return -ENOMEM;
    index->records = records;
    index->count = count;
    index->digest_size = digest_size;
    index->words = EXACT_RECORD_WORDS(digest_size);
    while (index->bucket_bits < BUCKET_BITS_MAX && count >> index->bucket_bits > RECORDS_IN_BUCKET)
        index->bucket_bits++;
    index->bucket_bytes = (((size_t)1 << index->bucket_bits) + 1) * sizeof *index->bucket_starts;
    *planned = index;
    return 0;
}

int exact_index_create(uint32_t *records, size_t count, size_t digest_size, const struct index_pace *pace,
                       struct exact_index **created)
{
    struct exact_index *index = NULL;
    int result = plan_index(records, count, digest_size, &index);

    if (result < 0)
        return result;
    index->bucket_starts = index_memory_acquire(index->bucket_bytes);
    if (index->bucket_starts == NULL) {
        exact_index_free(index);
        return -ENOMEM;
    }
    exact_sort(records, count, index->words, digest_size, pace);
    fill_buckets(index);
    *created = index;
    return 0;
}

const void *exact_index_table(const struct exact_index *index, size_t *size_bytes)
{
    *size_bytes = index->bucket_bytes;
    return index->bucket_starts;
}

int exact_index_adopt(const uint32_t *records, size_t count, size_t digest_size, const void *table,
                      size_t table_bytes, struct exact_index **created)
{
    struct exact_index *index = NULL;
    int result = plan_index(records, count, digest_size, &index);

    if (result < 0)
        return result;
    index->adopted = true;
    index->bucket_starts = (uint32_t *)(uintptr_t)table; /* never written again */
    if (table_bytes != index->bucket_bytes ||
        index->bucket_starts[(size_t)1 << index->bucket_bits] != index->count) {
        exact_index_free(index);
        return -EINVAL;
    }
    *created = index;
    return 0;
}

void exact_index_free(struct exact_index *index)
{
    if (index == NULL)
        return;
    if (!index->adopted)
        index_memory_release(index->bucket_starts, index->bucket_bytes);
    index_memory_release(index, sizeof *index);
}

size_t exact_index_bytes(const struct exact_index *index)
{
    return sizeof *index + index->bucket_bytes;
}

/* The first position in [first, end) whose digest is not below the given one, or is above it. */
static size_t bound(const struct exact_index *index, const uint8_t *digest, size_t first, size_t end,
                    int above)
{
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (memcmp(record_at(index, middle), digest, index->digest_size) < above)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

size_t exact_index_find(const struct exact_index *index, const uint8_t *digest, size_t *first)
{
    uint32_t bucket = bucket_of(index, digest);
    size_t end = index->bucket_starts[bucket + 1];
    size_t lower = bound(index, digest, index->bucket_starts[bucket], end, 0);
    size_t upper = bound(index, digest, lower, end, 1);

    if (upper > lower)
        *first = lower;
    return upper - lower;
}

uint32_t exact_index_number(const struct exact_index *index, size_t position)
{
    return record_at(index, position)[index->words - 1];
}
