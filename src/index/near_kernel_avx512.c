#include "near_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define KERNEL                                                                                               \
    __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq")))

KERNEL static inline unsigned int kernel_ones(uint64_t bits)
{
    return (unsigned int)__builtin_popcountll(bits);
}

/* The place of the set bit that has so many set bits below it. */
KERNEL static inline unsigned int kernel_select(uint32_t bits, unsigned int below)
{
    return _tzcnt_u32(_pdep_u32((uint32_t)1 << below, bits));
}

KERNEL static inline bool kernel_is_live(const struct near_block *block, const uint64_t ball[NEAR_WORDS])
{
    return _mm256_test_epi64_mask(_mm256_load_si256((const __m256i *)block->rows),
                                  _mm256_loadu_si256((const __m256i *)ball)) != 0;
}

/* Differing bits of two neighbouring hashes from the query, in eight parts. */
KERNEL static inline __m512i part_distances(const struct pdq_hash *pair, __m512i query)
{
    return _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_loadu_si512(pair), query));
}

KERNEL static inline __m512i add_neighbours(__m512i a, __m512i b)
{
    return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

/* Whether any of eight hashes is within the radius. */
KERNEL static inline bool any_near(const struct pdq_hash *hashes, __m512i query, __m512i radius)
{
    __m512i low = add_neighbours(part_distances(hashes, query), part_distances(hashes + 2, query));
    __m512i high = add_neighbours(part_distances(hashes + 4, query), part_distances(hashes + 6, query));
    __m512i distances =
        _mm512_add_epi64(_mm512_shuffle_i64x2(low, high, 0x88), _mm512_shuffle_i64x2(low, high, 0xdd));

    return _mm512_cmple_epu64_mask(distances, radius) != 0;
}

#define KERNEL_HAS_SCAN

KERNEL static int kernel_scan(const struct pdq_hash *hashes, size_t count, const struct near_query *query,
                              size_t query_number, const struct near_sink *sink)
{
    const __m512i wide_query = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)query->hash.words));
    const __m512i wide_radius = _mm512_set1_epi64((long long)query->radius);
    int result = 0;

    for (size_t first = 0; first < count && result == 0; first += 8) {
        size_t end = count - first < 8 ? count : first + 8;
        if (end == first + 8 && !any_near(&hashes[first], wide_query, wide_radius))
            continue;
        for (size_t i = first; i < end && result == 0; i++) {
            unsigned int distance_bits = pdq_distance(&hashes[i], &query->hash);
            if (distance_bits <= query->radius)
                result = near_report(sink, query_number, (uint32_t)i, distance_bits);
        }
    }
    return result;
}

#define KERNEL_HAS_OCTETS

/* gcc 12 may store the 8 bits of a mask and load 32 where registers are short, and believes that there are 8:
 * the others are taken off where it cannot know that. */
KERNEL static inline unsigned int lanes_of(__mmask8 mask)
{
    unsigned int lanes = mask;

    __asm__("" : "+r"(lanes));
    return lanes & ((1U << NEAR_LANES) - 1);
}

/* The distances of eight hashes from a query. */
KERNEL static inline __m512i octet_distances(const struct near_octet *octet, const struct pdq_hash *hash)
{
    __m512i sum = _mm512_setzero_si512();

    for (int word = 0; word < 4; word++)
        sum = _mm512_add_epi64(
            sum, _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_load_si512(octet->words[word]),
                                                      _mm512_set1_epi64((long long)hash->words[word]))));
    return sum;
}

/* Which of eight hashes are within their own reach of a query, as bits. */
KERNEL static inline unsigned int kernel_compare(const struct near_octet *octet, const struct pdq_hash *hash,
                                                 const uint64_t reaches[NEAR_LANES])
{
    return lanes_of(_mm512_cmple_epu64_mask(octet_distances(octet, hash), _mm512_loadu_si512(reaches)));
}

/* Takes those of eight hashes, of which those in lanes exist, that are near enough. Returns how many. There
 * is room for eight. */
KERNEL static inline size_t kernel_take(const struct near_octet *octet, const uint32_t ids[NEAR_LANES],
                                        unsigned int lanes, const struct near_query *query,
                                        struct near_find finds[NEAR_LANES])
{
    const __m512i distances = octet_distances(octet, &query->hash);
    const __mmask8 near =
        _mm512_mask_cmple_epu64_mask((__mmask8)lanes, distances, _mm512_set1_epi64((long long)query->radius));
    const __m512i taken = _mm512_or_si512(_mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)ids)),
                                          _mm512_slli_epi64(distances, 32));

    _mm512_storeu_si512(finds, _mm512_maskz_compress_epi64(near, taken));
    return (size_t)kernel_ones(lanes_of(near));
}

/* filter_entries() of NEAR_FILTERED entries, all at once. Compressed in a register, because some processors
 * are slow to compress into memory.
 */
KERNEL static inline size_t kernel_filter(const uint32_t *entries, const struct near_filter *filter,
                                          uint32_t limit, uint32_t ids[NEAR_FILTERED])
{
    const __m512i taken = _mm512_loadu_si512(entries);
    const __m512i next = _mm512_srlv_epi32(taken, _mm512_set1_epi32((int)filter->id_bits));
    const __m512i away = _mm512_popcnt_epi32(_mm512_xor_si512(next, _mm512_set1_epi32((int)filter->next)));
    const __mmask16 near = _mm512_cmple_epu32_mask(away, _mm512_set1_epi32((int)limit));
    const __m512i id_mask = _mm512_set1_epi32((int)((1U << filter->id_bits) - 1));

    _mm512_storeu_si512(ids, _mm512_maskz_compress_epi32(near, _mm512_and_si512(taken, id_mask)));
    return (size_t)kernel_ones(near);
}

#include "near_kernel_body.h"

const struct near_kernel near_kernel_avx512 = {kernel_search, kernel_scan};
#endif
