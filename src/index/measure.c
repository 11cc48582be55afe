#include "prescreen/index/measure.h"

#include "prescreen/index/near.h"

#include "memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* More than any cache holds. */
static const size_t flush_bytes = (size_t)128 << 20;

enum { COLD_QUERIES_MAX = 100, SCANS = 9, ORIENTATIONS = 8, UPLOADS_MAX = 500 };

struct bench {
    const struct index_setting *setting;
    uint64_t random; /* state */
    struct pdq_hash *hashes;
    size_t hash_bytes;
    struct near_index *index;
    double *times;
    size_t time_bytes;
    uint8_t *flush;
};

/* Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014. */
static uint64_t next_random(struct bench *bench)
{
    uint64_t z = bench->random += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static struct pdq_hash random_hash(struct bench *bench)
{
    struct pdq_hash hash;

    for (int i = 0; i < 4; i++)
        hash.words[i] = next_random(bench);
    return hash;
}

/* Changes up to so many bits. */
static struct pdq_hash change_bits(struct bench *bench, struct pdq_hash hash, unsigned int bits_max)
{
    for (uint64_t bits = next_random(bench) % (bits_max + 1); bits > 0; bits--) {
        uint64_t bit = next_random(bench) % 256;
        hash.words[bit / 64] ^= (uint64_t)1 << (bit % 64);
    }
    return hash;
}

/* The crowd's entries are those of these numbers times the stride. */
static size_t crowd_stride(const struct index_setting *setting)
{
    return setting->entries / setting->crowd;
}

static bool is_of_crowd(const struct index_setting *setting, size_t number)
{
    return setting->crowd > 0 && number % crowd_stride(setting) == 0 &&
           number / crowd_stride(setting) < setting->crowd;
}

static struct pdq_hash make_hash(struct bench *bench, size_t number, struct pdq_hash crowd)
{
    const struct index_setting *setting = bench->setting;

    if (is_of_crowd(setting, number))
        return change_bits(bench, crowd, INDEX_MEASURE_CROWD_CHANGES);
    if (setting->seed_count == 0)
        return random_hash(bench);
    return change_bits(bench, setting->seeds[next_random(bench) % setting->seed_count], setting->changes_max);
}

static void make_hashes(struct bench *bench)
{
    const struct pdq_hash crowd = random_hash(bench);

    for (size_t i = 0; i < bench->setting->entries; i++)
        bench->hashes[i] = make_hash(bench, i, crowd);
}

static double now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare_times(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return a < b ? -1 : a > b;
}

/* Sorts so many times and returns the one that a share of them does not exceed. */
static double percentile(struct bench *bench, size_t count, double share)
{
    qsort(bench->times, count, sizeof *bench->times, compare_times);
    return bench->times[(size_t)(share * (double)(count - 1))];
}

struct watch {
    uint32_t wanted;
    size_t seen;
    uint64_t finds;
};

static int watch_finds(void *context, size_t query_number, const struct near_find *finds, size_t count)
{
    struct watch *watch = context;

    (void)query_number;
    for (size_t i = 0; i < count; i++)
        watch->seen += finds[i].id == watch->wanted;
    watch->finds += count;
    return 0;
}

/* The number of an entry whose neighbour is to be looked up. */
static size_t choose_entry(struct bench *bench)
{
    const struct index_setting *setting = bench->setting;
    size_t number;

    if (setting->asks_crowd)
        return next_random(bench) % setting->crowd * crowd_stride(setting);
    do
        number = next_random(bench) % setting->entries;
    while (is_of_crowd(setting, number) && setting->crowd < setting->entries);
    return number;
}

/* Looks up a neighbour of one entry and notes the time. */
static int measure_query(struct bench *bench, double *time_us, struct index_measurement *measurement)
{
    struct watch watch = {.wanted = (uint32_t)choose_entry(bench)};
    struct near_sink sink = {&watch, watch_finds};
    struct near_query query = {change_bits(bench, bench->hashes[watch.wanted], bench->setting->radius),
                               bench->setting->radius};
    double started = now_us();
    int result = near_index_search(bench->index, &query, 1, &sink);

    *time_us = now_us() - started;
    measurement->missed += watch.seen != 1;
    measurement->finds_per_query += (double)watch.finds / (double)bench->setting->queries;
    return result;
}

static int measure_warm(struct bench *bench, struct index_measurement *measurement)
{
    const size_t count = bench->setting->queries;
    struct index_measurement discarded = {0};
    int result = 0;

    for (size_t i = 0; i < count / 10 && result == 0; i++)
        result = measure_query(bench, &bench->times[i], &discarded);
    for (size_t i = 0; i < count && result == 0; i++)
        result = measure_query(bench, &bench->times[i], measurement);
    measurement->warm_p50 = percentile(bench, count, 0.50);
    measurement->warm_p99 = percentile(bench, count, 0.99);
    return result;
}

static int measure_cold(struct bench *bench, struct index_measurement *measurement)
{
    const size_t count =
        bench->setting->queries < COLD_QUERIES_MAX ? bench->setting->queries : COLD_QUERIES_MAX;
    struct index_measurement cold = {0};
    int result = 0;

    for (size_t i = 0; i < count && result == 0; i++) {
        memset(bench->flush, (int)(i & 0xff), flush_bytes);
        result = measure_query(bench, &bench->times[i], &cold);
    }
    measurement->missed += cold.missed;
    measurement->cold_p50 = percentile(bench, count, 0.50);
    measurement->cold_p99 = percentile(bench, count, 0.99);
    return result;
}

/* Looks up so many queries of nobody's neighbourhood at once, so many times; the times are those of all. */
static int measure_together(struct bench *bench, size_t together, unsigned int radius, size_t times)
{
    struct watch watch = {0};
    struct near_sink sink = {&watch, watch_finds};
    struct near_query queries[INDEX_MEASURE_VIEWS];
    int result = 0;

    for (size_t i = 0; i < times && result == 0; i++) {
        for (size_t q = 0; q < together; q++)
            queries[q] = (struct near_query){random_hash(bench), radius};
        double started = now_us();
        result = near_index_search(bench->index, queries, together, &sink);
        bench->times[i] = now_us() - started;
    }
    return result;
}

static int measure_strangers(struct bench *bench, struct index_measurement *measurement)
{
    const size_t count = bench->setting->queries;
    const size_t uploads = count < UPLOADS_MAX ? count : UPLOADS_MAX;
    int result = measure_together(bench, 1, bench->setting->radius, count);

    measurement->far_p50 = percentile(bench, count, 0.50);
    measurement->far_p99 = percentile(bench, count, 0.99);
    if (result == 0)
        result = measure_together(bench, ORIENTATIONS, bench->setting->radius, uploads);
    measurement->upload_p50 = percentile(bench, uploads, 0.50);
    if (result == 0)
        result = measure_together(bench, INDEX_MEASURE_VIEWS, INDEX_MEASURE_VIEW_RADIUS, uploads);
    measurement->view_p50 = percentile(bench, uploads, 0.50) / INDEX_MEASURE_VIEWS;
    return result;
}

static int measure_scan(struct bench *bench, struct index_measurement *measurement)
{
    const enum cpu_level level = bench->setting->level < CPU_AVX2 ? bench->setting->level : CPU_AVX2;
    struct watch watch = {0};
    struct near_sink sink = {&watch, watch_finds};
    int result = 0;

    for (size_t i = 0; i < SCANS && result == 0; i++) {
        struct near_query query = {random_hash(bench), bench->setting->radius};
        double started = now_us();
        result = near_scan(bench->hashes, bench->setting->entries, level, &query, 1, &sink);
        bench->times[i] = now_us() - started;
    }
    measurement->scan_p50 = percentile(bench, SCANS, 0.50);
    return result;
}

static int build(struct bench *bench, struct index_measurement *measurement)
{
    const struct index_setting *setting = bench->setting;
    double started = now_us();
    int result = near_index_create(bench->hashes, setting->entries,
                                   &(struct index_build){.level = setting->level}, &bench->index);

    if (result < 0)
        return result;
    measurement->build_s = (now_us() - started) / 1e6;
    measurement->bytes_per_entry = (double)near_index_bytes(bench->index) / (double)setting->entries;
    return 0;
}

static bool is_in_range(const struct index_setting *setting)
{
    return setting->entries >= 1 && setting->entries <= NEAR_COUNT_MAX && setting->queries >= 1 &&
           setting->queries <= INDEX_MEASURE_QUERIES_MAX && setting->radius <= NEAR_RADIUS_MAX &&
           setting->changes_max <= INDEX_MEASURE_CHANGES_MAX && setting->crowd <= setting->entries &&
           (setting->crowd > 0 || !setting->asks_crowd) && setting->level <= cpu_detect();
}

static int measure(struct bench *bench, struct index_measurement *measurement)
{
    int result = build(bench, measurement);

    result = result < 0 ? result : measure_warm(bench, measurement);
    result = result < 0 ? result : measure_cold(bench, measurement);
    result = result < 0 ? result : measure_strangers(bench, measurement);
    return result < 0 ? result : measure_scan(bench, measurement);
}

int index_measure(const struct index_setting *setting, struct index_measurement *measurement)
{
    struct bench bench = {.setting = setting, .random = 1};
    struct index_measurement taken = {0};
    int result = -ENOMEM;

    if (!is_in_range(setting))
        return -EINVAL;
    bench.hash_bytes = setting->entries * sizeof *bench.hashes;
    bench.time_bytes = (setting->queries < SCANS ? SCANS : setting->queries) * sizeof *bench.times;
    bench.hashes = index_memory_acquire(bench.hash_bytes);
    bench.times = index_memory_acquire(bench.time_bytes);
    bench.flush = index_memory_acquire(flush_bytes);
    if (bench.hashes != NULL && bench.times != NULL && bench.flush != NULL) {
        make_hashes(&bench);
        result = measure(&bench, &taken);
    }
    if (result == 0)
        *measurement = taken;
    near_index_free(bench.index);
    index_memory_release(bench.hashes, bench.hash_bytes);
    index_memory_release(bench.times, bench.time_bytes);
    index_memory_release(bench.flush, flush_bytes);
    return result;
}
