/* The near index: every 256-bit hash of a fixed set within a Hamming distance of a query, exactly.
 * Hashes are cut into disjoint chunks; two hashes within distance d agree in some chunk k to e_k bits
 * whenever the sum of e_k + 1 is above d (the pigeonhole principle), so that looking up all rows within e_k
 * of the query's chunk misses none. Source: Norouzi, Punjani, Fleet, "Fast Exact Search in Hamming Space with
 * Multi-Index Hashing", 2014; the second test of a candidate on its next chunk: Qin, Xiao, "Pigeonring",
 * 2018. */
#ifndef PRESCREEN_INDEX_NEAR_H
#define PRESCREEN_INDEX_NEAR_H

#include "prescreen/base/cpu.h"
#include "prescreen/hash/hashes.h"
#include "prescreen/index/build.h"

#include <stddef.h>
#include <stdint.h>

enum { NEAR_RADIUS_MAX = 64, NEAR_COUNT_MAX = 1 << 30 };

struct near_query {
    struct pdq_hash hash;
    unsigned int radius; /* bits, at most NEAR_RADIUS_MAX */
};

struct near_find {
    uint32_t id;
    uint32_t distance_bits;
};

/* Takes the finds of a query, at least one at a time: for each query each id at most once, in no particular
 * order. finds are borrowed for the call. A negative errno ends the search, which forwards it. Called on the
 * thread that searches. */
struct near_sink {
    void *context;
    int (*found)(void *context, size_t query_number, const struct near_find *finds, size_t count);
};

struct near_index;

/* Builds the index of hashes[0..count); an id is a position there.
 * Ownership: borrows hashes until near_index_free(); *index is the caller's.
 * Errors: -EINVAL above NEAR_COUNT_MAX, -ENOMEM. Threads: immutable afterwards.
 * Cost: memory 50 to 96 bytes an entry beside the hashes (160 below 10,000 entries), more only where very
 * many hashes agree in whole chunks; 18 bytes an entry more while it builds; 0.2 to 0.4 us an entry, up to
 * 0.7 where most are near-duplicates. */
int near_index_create(const struct pdq_hash *hashes, size_t count, const struct index_build *build,
                      struct near_index **index);

void near_index_free(struct near_index *index);

/* Bytes held, the hashes not counted. */
size_t near_index_bytes(const struct near_index *index);

/* Reports every id within each query's radius. Errors: -EINVAL for a radius above NEAR_RADIUS_MAX, what the
 * sink returns. Threads: any number at once. Cost: allocates nothing, takes 64 KiB of stack; at radius 31
 * about 10 us a query among 1 M and 45 us among 10 M random hashes, and a nanosecond or two a near-duplicate
 * among very many; linear in the number of hashes however they are clustered: two or three plain scans, ten
 * where all agree in a whole chunk, and the finds. */
int near_index_search(const struct near_index *index, const struct near_query *queries, size_t query_count,
                      const struct near_sink *sink);

/* The slow, obvious twin: compares each query with each of hashes[0..count). Errors: what the sink returns.
 */
int near_scan(const struct pdq_hash *hashes, size_t count, enum cpu_level level,
              const struct near_query *queries, size_t query_count, const struct near_sink *sink);

#endif
