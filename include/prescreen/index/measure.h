/* Measuring the near index against a plain scan in the same run. */
#ifndef PRESCREEN_INDEX_MEASURE_H
#define PRESCREEN_INDEX_MEASURE_H

#include "prescreen/base/cpu.h"
#include "prescreen/hash/hashes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    INDEX_MEASURE_QUERIES_MAX = 1000000,
    INDEX_MEASURE_CHANGES_MAX = 256,
    INDEX_MEASURE_VIEWS = 64,       /* of an upload that is seen through */
    INDEX_MEASURE_VIEW_RADIUS = 24, /* bits */
    INDEX_MEASURE_CROWD_CHANGES = 30
};

/* What is measured. The same setting makes the same hashes and queries. */
struct index_setting {
    size_t entries;      /* at least 1 */
    size_t queries;      /* 1 to INDEX_MEASURE_QUERIES_MAX */
    unsigned int radius; /* bits, at most 64 */
    const struct pdq_hash
        *seeds; /* borrowed: entries are these with 0 to changes_max bits changed, as in a real list; */
    size_t seed_count;        /* 0: entries are random */
    unsigned int changes_max; /* at most INDEX_MEASURE_CHANGES_MAX */
    size_t crowd;             /* so many entries, spread over all, are near-duplicates of one picture instead:
                                 with 0 to INDEX_MEASURE_CROWD_CHANGES bits changed */
    bool asks_crowd;          /* queries are neighbours of entries of the crowd; else, where there are any, of
                                 others */
    enum cpu_level level;
};

/* Times in microseconds of processor time, of one thread: what else a machine does is not counted. */
struct index_measurement {
    double build_s;
    double bytes_per_entry;    /* the hash not counted */
    double warm_p50, warm_p99; /* one query after the other, each with a planted neighbour */
    double cold_p50, cold_p99; /* the caches emptied before each */
    double far_p50, far_p99;   /* one query after the other, of nobody's neighbourhood */
    double
        upload_p50;  /* 8 queries at once, of nobody's neighbourhood, as an ordinary upload's orientations */
    double view_p50; /* one of INDEX_MEASURE_VIEWS at once, at their radius */
    double scan_p50; /* a plain scan with the processor's popcount instruction, where level has it */
    double finds_per_query;
    size_t missed; /* planted neighbours that were not found exactly once; anything but 0 is a fault */
};

/* Builds an index by the setting and measures it. Errors: -EINVAL for a setting out of range, -ENOMEM.
 * Cost: about 110 bytes an entry; a second or two at 1 M entries and 2,000 queries, ten at 10 M. */
int index_measure(const struct index_setting *setting, struct index_measurement *measurement);

#endif
