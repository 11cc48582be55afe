/* Comparing hashes one after the other, compiled once for each CPU level: the parts of near_kernel_body.h
 * that some level has in its own instructions, and the crowds. */
#include "near_layout.h"

/* A crowd's finds that are reported at once. */
enum { FINDS_AT_ONCE = 128 };

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
            result = near_report(sink, query_number, (uint32_t)i, distance_bits);
    }
    return result;
}

KERNEL static inline size_t kernel_filter(const uint32_t *entries, const struct near_filter *filter,
                                          uint32_t limit, uint32_t ids[NEAR_FILTERED])
{
    return filter_entries(entries, NEAR_FILTERED, filter, limit, ids);
}
#endif

#ifndef KERNEL_HAS_OCTETS
KERNEL static inline unsigned int lane_distance(const struct near_octet *octet, unsigned int lane,
                                                const struct pdq_hash *hash)
{
    unsigned int distance_bits = 0;

    for (unsigned int word = 0; word < 4; word++)
        distance_bits += kernel_ones(octet->words[word][lane] ^ hash->words[word]);
    return distance_bits;
}

/* Which of eight hashes are within their own reach of a query, as bits. */
KERNEL static inline unsigned int kernel_compare(const struct near_octet *octet, const struct pdq_hash *hash,
                                                 const uint64_t reaches[NEAR_LANES])
{
    unsigned int near = 0;

    for (unsigned int lane = 0; lane < NEAR_LANES; lane++)
        near |= (unsigned int)(lane_distance(octet, lane, hash) <= reaches[lane]) << lane;
    return near;
}

/* Takes those of eight hashes, of which those in lanes exist, that are near enough. Returns how many. There
 * is room for eight. */
KERNEL static inline size_t kernel_take(const struct near_octet *octet, const uint32_t ids[NEAR_LANES],
                                        unsigned int lanes, const struct near_query *query,
                                        struct near_find finds[NEAR_LANES])
{
    size_t taken = 0;

    for (unsigned int lane = 0; lane < NEAR_LANES; lane++) {
        unsigned int distance_bits = lane_distance(octet, lane, &query->hash);
        finds[taken] = (struct near_find){ids[lane], distance_bits};
        taken += distance_bits <= query->radius && (lanes >> lane & 1) != 0;
    }
    return taken;
}
#endif

/* Reports the members of a crowd that are near enough. */
KERNEL static int search_crowd(const struct near_index *index, const struct near_crowd *crowd,
                               const struct near_query *query, size_t query_number,
                               const struct near_sink *sink)
{
    const struct near_octet *octets = &index->members[crowd->first_octet];
    const uint32_t *ids = &index->member_ids[(size_t)crowd->first_octet * NEAR_LANES];
    struct near_find finds[FINDS_AT_ONCE];
    size_t count = 0;
    int result = 0;

    for (uint32_t first = 0; first < crowd->count && result == 0; first += NEAR_LANES) {
        const uint32_t left = crowd->count - first;
        const unsigned int lanes = left < NEAR_LANES ? (1U << left) - 1 : (1U << NEAR_LANES) - 1;
        count += kernel_take(&octets[first / NEAR_LANES], &ids[first], lanes, query, &finds[count]);
        if (count > FINDS_AT_ONCE - NEAR_LANES || (left <= NEAR_LANES && count > 0)) {
            result = sink->found(sink->context, query_number, finds, count);
            count = 0;
        }
    }
    return result;
}

/* Searches those crowds that a query is near enough to. */
KERNEL static int search_crowds(const struct near_index *index, const struct near_query *query,
                                size_t query_number, const struct near_sink *sink)
{
    uint64_t reaches[NEAR_LANES];
    int result = 0;

    for (unsigned int first = 0; first < index->crowd_count && result == 0; first += NEAR_LANES) {
        const unsigned int left = index->crowd_count - first;
        for (unsigned int lane = 0; lane < NEAR_LANES; lane++)
            reaches[lane] = lane < left ? query->radius + index->crowds[first + lane].radius : 0;
        unsigned int near = kernel_compare(&index->centres[first / NEAR_LANES], &query->hash, reaches);
        if (left < NEAR_LANES)
            near &= (1U << left) - 1;
        for (; near != 0 && result == 0; near &= near - 1)
            result = search_crowd(index, &index->crowds[first + (unsigned int)__builtin_ctz(near)], query,
                                  query_number, sink);
    }
    return result;
}
