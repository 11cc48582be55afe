#include "exact_sort.h"

#include <string.h>

enum { RADIX = 256, FEW_RECORDS = 32, RADIX_DEPTH_MAX = 4 };

struct sorting {
    size_t words;
    size_t digest_size;
    const struct index_pace *pace;
};

static uint32_t *record_at(const struct sorting *sorting, uint32_t *records, size_t position)
{
    return records + position * sorting->words;
}

static void swap_records(const struct sorting *sorting, uint32_t *a, uint32_t *b)
{
    for (size_t i = 0; i < sorting->words; i++) {
        uint32_t word = a[i];
        a[i] = b[i];
        b[i] = word;
    }
}

static int compare_records(const struct sorting *sorting, const uint32_t *a, const uint32_t *b)
{
    return memcmp(a, b, sorting->digest_size);
}

static void sort_few(const struct sorting *sorting, uint32_t *records, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint32_t *record = record_at(sorting, records, i);
        for (; record > records && compare_records(sorting, record - sorting->words, record) > 0;
             record -= sorting->words)
            swap_records(sorting, record - sorting->words, record);
    }
}

static void sink_record(const struct sorting *sorting, uint32_t *records, size_t parent, size_t count)
{
    for (size_t child; (child = 2 * parent + 1) < count; parent = child) {
        if (child + 1 < count && compare_records(sorting, record_at(sorting, records, child),
                                                 record_at(sorting, records, child + 1)) < 0)
            child++;
        if (compare_records(sorting, record_at(sorting, records, parent),
                            record_at(sorting, records, child)) >= 0)
            return;
        swap_records(sorting, record_at(sorting, records, parent), record_at(sorting, records, child));
    }
}

/* For digests with a common beginning: a heap sort, which no order makes slow. */
static void sort_chosen(const struct sorting *sorting, uint32_t *records, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sink_record(sorting, records, i, count);
    for (size_t end = count; end-- > 1;) {
        swap_records(sorting, records, record_at(sorting, records, end));
        sink_record(sorting, records, 0, end);
    }
}

/* Puts records into the order of one byte of their digests; ends[value] is where its records end. */
static void sort_by_byte(const struct sorting *sorting, uint32_t *records, size_t count, size_t depth,
                         size_t ends[RADIX])
{
    size_t next[RADIX] = {0};
    size_t place = 0;

    for (size_t i = 0; i < count; i++) {
        index_pace_at(sorting->pace, i);
        next[((const uint8_t *)record_at(sorting, records, i))[depth]]++;
    }
    for (size_t value = 0; value < RADIX; value++) {
        size_t here = next[value];
        next[value] = place;
        place += here;
        ends[value] = place;
    }
    for (size_t value = 0; value < RADIX; value++) {
        while (next[value] < ends[value]) {
            index_pace_at(sorting->pace, next[value]);
            uint32_t *record = record_at(sorting, records, next[value]);
            uint8_t wanted = ((const uint8_t *)record)[depth];
            if (wanted != value)
                swap_records(sorting, record, record_at(sorting, records, next[wanted]));
            next[wanted]++;
        }
    }
}

static void sort_from(const struct sorting *sorting, uint32_t *records, size_t count, size_t depth)
{
    size_t ends[RADIX];
    size_t first = 0;

    if (count <= FEW_RECORDS) {
        sort_few(sorting, records, count);
        return;
    }
    if (depth == RADIX_DEPTH_MAX) {
        sort_chosen(sorting, records, count);
        return;
    }
    sort_by_byte(sorting, records, count, depth, ends);
    for (size_t value = 0; value < RADIX; value++) {
        sort_from(sorting, record_at(sorting, records, first), ends[value] - first, depth + 1);
        first = ends[value];
    }
}

void exact_sort(uint32_t *records, size_t count, size_t words, size_t digest_size,
                const struct index_pace *pace)
{
    const struct sorting sorting = {words, digest_size, pace};

    sort_from(&sorting, records, count, 0);
}
