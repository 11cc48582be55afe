/* Counters for people who run the service, as a Prometheus page. Source: Prometheus text exposition format
 * 0.0.4. */
#ifndef PRESCREEN_METRICS_METRICS_H
#define PRESCREEN_METRICS_METRICS_H

#include "prescreen/base/bytes.h"
#include "prescreen/base/vocabulary.h"
#include "prescreen/store/lists.h"
#include "prescreen/worker/examination_cache.h"
#include "prescreen/worker/pool.h"

#include <stdbool.h>
#include <stdint.h>

struct metrics;

int metrics_create(struct metrics **metrics);
void metrics_free(struct metrics *metrics);

/* Counting. Threads: any. Cost: an atomic addition or a few. A decode_us of 0: nothing was decoded. */
void metrics_count_screening(struct metrics *metrics, enum verdict verdict, bool complete, reason_set reasons,
                             uint64_t total_us, uint64_t decode_us);
/* A screening with lists past the profile's max_list_age. */
void metrics_count_stale_screening(struct metrics *metrics);
void metrics_count_set_aside(struct metrics *metrics, uint64_t entries);
void metrics_count_response(struct metrics *metrics, unsigned int status);
void metrics_count_connection(struct metrics *metrics, int change);

/* What is read at the moment of the page. Borrowed. */
struct metrics_reading {
    struct worker_pool_status workers[WORKER_KIND_COUNT]; /* a count of 0: there is no such kind */
    struct examination_cache_status cache;
    const struct list_info *lists;
    size_t list_count;
    uint64_t lists_version;
    uint64_t index_entries, index_bytes, index_segments, index_merges;
    bool index_from_snapshot; /* the first index of this process was */
    uint64_t index_load_us;   /* what it took to have that */
    uint64_t snapshot_version, snapshots_written, snapshots_failed;
    uint64_t now_us; /* wall clock */
    const char *cpu; /* level in use */
    bool ready;
};

/* Appends the page. Errors: those of bytes_append(). */
int metrics_render(struct metrics *metrics, const struct metrics_reading *reading, struct bytes *page);

#endif
