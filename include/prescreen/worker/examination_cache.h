/* What workers found, kept for the next upload of the same bytes: bounded, in memory alone, the least
 * recently used goes first. It is about bytes only: what lists and policy make of a finding is asked anew
 * each time. */
#ifndef PRESCREEN_WORKER_EXAMINATION_CACHE_H
#define PRESCREEN_WORKER_EXAMINATION_CACHE_H

#include "prescreen/worker/examination.h"

#include <stdbool.h>
#include <stdint.h>

/* Everything that a finding depends on beside the program itself. */
struct examination_key {
    uint8_t sha256[SHA256_SIZE];
    uint64_t size; /* bytes */
    uint64_t pixels_max;
    uint64_t frames_max;
    enum effort effort;
    bool enrolment;
};

struct examination_cache_status {
    uint64_t hits, misses;
    uint64_t evictions;      /* to make room */
    uint64_t entries, bytes; /* bytes of the entries */
};

struct examination_cache;

/* A cache of at most bytes_max bytes in all. Errors: -ENOMEM; -errno when the kernel gives no randomness. */
int examination_cache_create(uint64_t bytes_max, struct examination_cache **cache);
void examination_cache_free(struct examination_cache *cache);

/* Looks a finding up. On true examination holds it, with a decode_us of 0, and hashes gains the digests that
 * were kept with it; on false both are untouched. Threads: any. Cost: a lock, and a copy of the views that
 * there are. */
bool examination_cache_find(struct examination_cache *cache, const struct examination_key *key,
                            struct examination *examination, struct known_hashes *hashes);

/* Keeps a finding with the digests in hashes, or adds to those of one that is kept. Not kept: what may come
 * out otherwise another time (the decoder died, or came to the end of its time or memory), what is larger
 * than the cache, and anything when memory is short. Threads: any. */
void examination_cache_keep(struct examination_cache *cache, const struct examination_key *key,
                            const struct examination *examination, const struct known_hashes *hashes);

/* A consistent copy of the counters. Threads: any. */
void examination_cache_read_status(struct examination_cache *cache, struct examination_cache_status *status);

#endif
