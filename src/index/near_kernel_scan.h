/* Comparing hashes one after the other, compiled once for each CPU level: the parts of near_kernel_body.h
 * that some level has in its own instructions, and the crowds. */
#include "near_layout.h"

KERNEL static inline unsigned int kernel_distance(const struct pdq_hash *a, const struct pdq_hash *b)
{
    return kernel_ones(a->words[0] ^ b->words[0]) + kernel_ones(a->words[1] ^ b->words[1]) +
           kernel_ones(a->words[2] ^ b->words[2]) + kernel_ones(a->words[3] ^ b->words[3]);
}

/* Takes the ids of those of up to NEAR_FILTERED entries whose next chunk is near enough. Returns how many. */
KERNEL static inline size_t filter_entries(const uint32_t *entries, uint32_t count,
                                           const struct near_filter *filter, uint32_t limit,
                                           uint32_t ids[NEAR_FILTERED])
{
    const uint32_t id_mask = ((uint32_t)1 << filter->id_bits) - 1;
    size_t taken = 0;

    for (uint32_t i = 0; i < count; i++) {
        ids[taken] = entries[i] & id_mask;
        taken += kernel_ones(entries[i] >> filter->id_bits ^ filter->next) <= limit;
    }
    return taken;
}

#ifndef KERNEL_HAS_SCAN
KERNEL static int kernel_scan(const struct pdq_hash *hashes, size_t count, const struct near_query *query,
                              size_t query_number, const struct near_sink *sink)
{
    const struct pdq_hash hash = query->hash;
    int result = 0;

    for (size_t i = 0; i < count && result == 0; i++) {
        unsigned int distance_bits = kernel_distance(&hashes[i], &hash);
        if (distance_bits <= query->radius)
            result = sink->found(sink->context, query_number, (uint32_t)i, distance_bits);
    }
    return result;
}

/* The distances of eight hashes from a query. Returns which of them are near enough, as bits. */
KERNEL static inline unsigned int kernel_compare(const struct near_octet *octet, const struct pdq_hash *hash,
                                                 const uint64_t radii[NEAR_LANES],
                                                 uint64_t distances[NEAR_LANES])
{
    unsigned int near = 0;

    for (unsigned int lane = 0; lane < NEAR_LANES; lane++) {
        distances[lane] = 0;
        for (unsigned int word = 0; word < 4; word++)
            distances[lane] += kernel_ones(octet->words[word][lane] ^ hash->words[word]);
        near |= (unsigned int)(distances[lane] <= radii[lane]) << lane;
    }
    return near;
}

KERNEL static inline size_t kernel_filter(const uint32_t *entries, const struct near_filter *filter,
                                          uint32_t limit, uint32_t ids[NEAR_FILTERED])
{
    return filter_entries(entries, NEAR_FILTERED, filter, limit, ids);
}
#endif

/* Reports the members of a crowd that are near enough. */
KERNEL static int search_crowd(const struct near_index *index, const struct near_crowd *crowd,
                               const struct near_query *query, size_t query_number,
                               const struct near_sink *sink)
{
    const size_t end = (crowd->count + NEAR_LANES - 1) / NEAR_LANES;
    uint64_t radii[NEAR_LANES];
    uint64_t distances[NEAR_LANES];
    int result = 0;

    for (unsigned int lane = 0; lane < NEAR_LANES; lane++)
        radii[lane] = query->radius;
    for (size_t i = 0; i < end && result == 0; i++) {
        const size_t octet = crowd->first_octet + i;
        unsigned int near = kernel_compare(&index->members[octet], &query->hash, radii, distances);
        if (i == end - 1 && crowd->count % NEAR_LANES != 0)
            near &= (1U << crowd->count % NEAR_LANES) - 1;
        for (; near != 0 && result == 0; near &= near - 1) {
            unsigned int lane = (unsigned int)__builtin_ctz(near);
            result = sink->found(sink->context, query_number, index->member_ids[octet * NEAR_LANES + lane],
                                 (unsigned int)distances[lane]);
        }
    }
    return result;
}

/* Searches those crowds that a query is near enough to. */
KERNEL static int search_crowds(const struct near_index *index, const struct near_query *query,
                                size_t query_number, const struct near_sink *sink)
{
    uint64_t reaches[NEAR_LANES];
    uint64_t distances[NEAR_LANES];
    int result = 0;

    for (unsigned int first = 0; first < index->crowd_count && result == 0; first += NEAR_LANES) {
        const unsigned int left = index->crowd_count - first;
        for (unsigned int lane = 0; lane < NEAR_LANES; lane++)
            reaches[lane] = lane < left ? query->radius + index->crowds[first + lane].radius : 0;
        unsigned int near =
            kernel_compare(&index->centres[first / NEAR_LANES], &query->hash, reaches, distances);
        if (left < NEAR_LANES)
            near &= (1U << left) - 1;
        for (; near != 0 && result == 0; near &= near - 1)
            result = search_crowd(index, &index->crowds[first + (unsigned int)__builtin_ctz(near)], query,
                                  query_number, sink);
    }
    return result;
}
