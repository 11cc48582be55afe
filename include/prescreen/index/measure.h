/* Measuring the near index against a plain scan in the same run. */
#ifndef PRESCREEN_INDEX_MEASURE_H
#define PRESCREEN_INDEX_MEASURE_H

#include "prescreen/base/cpu.h"
#include "prescreen/hash/hashes.h"

#include <stddef.h>
#include <stdint.h>

enum { INDEX_MEASURE_QUERIES_MAX = 1000000, INDEX_MEASURE_CHANGES_MAX = 256 };

/* What is measured. The same setting makes the same hashes and queries. */
struct index_setting {
    size_t entries;      /* at least 1 */
    size_t queries;      /* 1 to INDEX_MEASURE_QUERIES_MAX */
    unsigned int radius; /* bits, at most 64 */
    const struct pdq_hash
        *seeds; /* borrowed: entries are these with 0 to changes_max bits changed, as in a real list; */
    size_t seed_count;        /* 0: entries are random */
    unsigned int changes_max; /* at most INDEX_MEASURE_CHANGES_MAX */
    enum cpu_level level;
};

/* Times in microseconds, of one thread. */
struct index_measurement {
    double build_s;
    double bytes_per_entry;    /* the hash not counted */
    double warm_p50, warm_p99; /* one query after the other, each with a planted neighbour */
    double cold_p50, cold_p99; /* the caches emptied before each */
    double
        upload_p50;  /* 8 queries at once, of nobody's neighbourhood, as an ordinary upload's orientations */
    double scan_p50; /* a plain scan with the processor's popcount instruction, where level has it */
    double finds_per_query;
    size_t missed; /* planted neighbours that were not found exactly once; anything but 0 is a fault */
};

/* Builds an index by the setting and measures it. Errors: -EINVAL for a setting out of range, -ENOMEM.
 * Cost: about 110 bytes an entry; a second or two at 1 M entries and 2,000 queries, ten at 10 M. */
int index_measure(const struct index_setting *setting, struct index_measurement *measurement);

#endif
