#include "near_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define KERNEL __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))

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
    return !_mm256_testz_si256(_mm256_load_si256((const __m256i *)block->rows),
                               _mm256_loadu_si256((const __m256i *)ball));
}

#define KERNEL_HAS_OCTETS

/* The ones of each byte. Source: Mula, Kurz, Lemire, "Faster Population Counts Using AVX2 Instructions",
 * 2018. */
KERNEL static inline __m256i byte_ones(__m256i bits)
{
    const __m256i ones = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2,
                                          3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(15);

    return _mm256_add_epi8(_mm256_shuffle_epi8(ones, _mm256_and_si256(bits, low)),
                           _mm256_shuffle_epi8(ones, _mm256_and_si256(_mm256_srli_epi16(bits, 4), low)));
}

/* The distances of four hashes of eight, from a lane on, from a query. */
KERNEL static inline __m256i half_distances(const struct near_octet *octet, unsigned int lane,
                                            const struct pdq_hash *hash)
{
    __m256i sum = _mm256_setzero_si256();

    for (int word = 0; word < 4; word++) {
        const __m256i taken = _mm256_load_si256((const __m256i *)&octet->words[word][lane]);
        const __m256i sought = _mm256_set1_epi64x((long long)hash->words[word]);
        sum = _mm256_add_epi8(sum, byte_ones(_mm256_xor_si256(taken, sought)));
    }
    return _mm256_sad_epu8(sum, _mm256_setzero_si256());
}

/* Which of four distances are above four others, as bits. */
KERNEL static inline unsigned int above(__m256i distances, __m256i reaches)
{
    return (unsigned int)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(distances, reaches)));
}

/* As in near_kernel_scan.h, four at once. */
KERNEL static inline unsigned int kernel_compare(const struct near_octet *octet, const struct pdq_hash *hash,
                                                 const uint64_t reaches[NEAR_LANES])
{
    unsigned int far =
        above(half_distances(octet, 0, hash), _mm256_loadu_si256((const __m256i *)reaches)) |
        above(half_distances(octet, 4, hash), _mm256_loadu_si256((const __m256i *)(reaches + 4))) << 4;

    return ~far & ((1U << NEAR_LANES) - 1);
}

/* As in near_kernel_scan.h, four at once. */
KERNEL static inline size_t kernel_take(const struct near_octet *octet, const uint32_t ids[NEAR_LANES],
                                        unsigned int lanes, const struct near_query *query,
                                        struct near_find finds[NEAR_LANES])
{
    const __m256i radius = _mm256_set1_epi64x((long long)query->radius);
    const __m256i halves[2] = {half_distances(octet, 0, &query->hash),
                               half_distances(octet, 4, &query->hash)};
    const unsigned int near = lanes & ~(above(halves[0], radius) | above(halves[1], radius) << 4);
    uint64_t distances[NEAR_LANES];
    size_t taken = 0;

    if (near == 0)
        return 0;
    _mm256_storeu_si256((__m256i *)distances, halves[0]);
    _mm256_storeu_si256((__m256i *)(distances + 4), halves[1]);
    for (unsigned int lane = 0; lane < NEAR_LANES; lane++) {
        finds[taken] = (struct near_find){ids[lane], (uint32_t)distances[lane]};
        taken += near >> lane & 1;
    }
    return taken;
}

#include "near_kernel_body.h"

const struct near_kernel near_kernel_avx2 = {kernel_search, kernel_scan};
#endif
