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

#include "near_kernel_body.h"

const struct near_kernel near_kernel_avx2 = {kernel_search, kernel_scan};
#endif
