#include "near_kernels.h"

#define KERNEL

/* Source: Knuth, The Art of Computer Programming, 7.1.3. */
static inline unsigned int kernel_ones(uint64_t bits)
{
#if defined(__x86_64__) && !defined(__POPCNT__)
    bits -= bits >> 1 & 0x5555555555555555;
    bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (unsigned int)(bits * 0x0101010101010101 >> 56);
#else
    return (unsigned int)__builtin_popcountll(bits);
#endif
}

/* The place of the set bit that has so many set bits below it. */
static inline unsigned int kernel_select(uint32_t bits, unsigned int below)
{
    for (; below > 0; below--)
        bits &= bits - 1;
    return (unsigned int)__builtin_ctz(bits);
}

static inline bool kernel_is_live(const struct near_block *block, const uint64_t ball[NEAR_WORDS])
{
    return ((block->rows[0] & ball[0]) | (block->rows[1] & ball[1]) | (block->rows[2] & ball[2]) |
            (block->rows[3] & ball[3])) != 0;
}

#include "near_kernel_body.h"

const struct near_kernel near_kernel_plain = {kernel_search, kernel_scan};
