#include "pdq_kernels.h"

#include "prescreen/base/bug.h"

/* gcc leaves products and sums apart in ISO C mode; clang has to be told. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 8 };

INLINE void add_samples(float *restrict sums, const uint8_t *restrict samples, size_t count, float weight)
{
    for (size_t i = 0; i < count; i++)
        sums[i] += weight * (float)samples[i];
}

/* 1 / 255 is rounded so that 255 times it is 1. */
INLINE float coverage_of(uint8_t alpha)
{
    return (float)alpha * (1.0F / 255);
}

INLINE void add_gray_alpha(float *restrict sums, const uint8_t *restrict samples, size_t count, float weight)
{
    for (size_t x = 0; x < count; x++) {
        const uint8_t *pixel = samples + 2 * x;
        sums[x] += weight * ((float)pixel[0] * coverage_of(pixel[1]));
        sums[count + x] += weight * (float)(255 - pixel[1]);
    }
}

INLINE void add_rgba(float *restrict sums, const uint8_t *restrict samples, size_t count, float weight)
{
    for (size_t x = 0; x < count; x++) {
        const uint8_t *pixel = samples + 4 * x;
        float coverage = coverage_of(pixel[3]);
        sums[x] += weight * ((float)pixel[0] * coverage);
        sums[count + x] += weight * ((float)pixel[1] * coverage);
        sums[2 * count + x] += weight * ((float)pixel[2] * coverage);
        sums[3 * count + x] += weight * (float)(255 - pixel[3]);
    }
}

INLINE void fold(float *restrict luma, const float *restrict sums, size_t width,
                 struct pdq_sums_layout layout)
{
    for (size_t x = 0; x < width; x++) {
        const float *value = sums + x * layout.pitch;
        luma[x] = layout.values < 3
                      ? value[0]
                      : 0.299F * value[0] + 0.587F * value[layout.step] + 0.114F * value[2 * layout.step];
        if (layout.values % 2 == 0)
            luma[x] += value[(layout.values - 1) * layout.step];
    }
}

/* Eight partial sums, whatever the width of the unit, so that the order is the same everywhere. */
INLINE double dot(const float *restrict values, const float *restrict weights, size_t count)
{
    double lanes[LANES] = {0};
    size_t k = 0;

    for (; k + LANES <= count; k += LANES)
        for (size_t i = 0; i < LANES; i++)
            lanes[i] += (double)values[k + i] * (double)weights[k + i];
    for (size_t i = 0; k + i < count; i++)
        lanes[i] += (double)values[k + i] * (double)weights[k + i];
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

INLINE void reduce(float *restrict samples, const float *restrict luma, const struct pdq_axis *columns,
                   double scale)
{
    for (size_t j = 0; j < PDQ_GRID; j++) {
        struct pdq_taps taps = columns->rows[j];
        samples[j] = (float)(dot(luma + taps.first, taps.weights, taps.count) / (taps.sum * scale));
    }
}

/* One set of functions: the bodies above, compiled for one target, an attribute that cannot stand in
 * parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */
#define KERNELS(level, target)                                                                               \
    target static void add_samples_##level(float *restrict sums, const uint8_t *restrict samples,            \
                                           size_t count, float weight)                                       \
    {                                                                                                        \
        add_samples(sums, samples, count, weight);                                                           \
    }                                                                                                        \
    target static void add_gray_alpha_##level(float *restrict sums, const uint8_t *restrict samples,         \
                                              size_t count, float weight)                                    \
    {                                                                                                        \
        add_gray_alpha(sums, samples, count, weight);                                                        \
    }                                                                                                        \
    target static void add_rgba_##level(float *restrict sums, const uint8_t *restrict samples, size_t count, \
                                        float weight)                                                        \
    {                                                                                                        \
        add_rgba(sums, samples, count, weight);                                                              \
    }                                                                                                        \
    target static void fold_##level(float *restrict luma, const float *restrict sums, size_t width,          \
                                    struct pdq_sums_layout layout)                                           \
    {                                                                                                        \
        fold(luma, sums, width, layout);                                                                     \
    }                                                                                                        \
    target static void reduce_##level(float samples[restrict PDQ_GRID], const float *restrict luma,          \
                                      const struct pdq_axis *columns, double scale)                          \
    {                                                                                                        \
        reduce(samples, luma, columns, scale);                                                               \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

#define KERNELS_ROW(level)                                                                                   \
    {                                                                                                        \
        add_samples_##level, add_gray_alpha_##level, add_rgba_##level, fold_##level, reduce_##level          \
    }

KERNELS(plain, )

#if defined(__x86_64__)
#ifdef __clang__
#define AVX512_TARGET "avx512f,avx512bw,avx512dq,avx512vl"
#else
#define AVX512_TARGET "avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"
#endif
KERNELS(avx2, __attribute__((target("avx2"))))
KERNELS(avx512, __attribute__((target(AVX512_TARGET))))
#endif

const struct pdq_kernels *pdq_kernels_for(enum cpu_level level)
{
    static const struct pdq_kernels kernels[CPU_LEVEL_COUNT] = {
        [CPU_PLAIN] = KERNELS_ROW(plain),
#if defined(__x86_64__)
        [CPU_AVX2] = KERNELS_ROW(avx2),
        [CPU_AVX512] = KERNELS_ROW(avx512),
#endif
    };

    BUG_ON(level > cpu_detect());
    return &kernels[level];
}
