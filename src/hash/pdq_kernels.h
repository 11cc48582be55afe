/* The loops of PDQ that touch every pixel, once for each level of the CPU. All levels do the same operations
 * in the same order without contraction: their results are the same to the bit. */
#ifndef PRESCREEN_HASH_PDQ_KERNELS_H
#define PRESCREEN_HASH_PDQ_KERNELS_H

#include "prescreen/base/cpu.h"

#include "pdq_axis.h"

#include <stddef.h>
#include <stdint.h>

/* What a fold adds up for one pixel: value k is at sums[pixel * pitch + k * step]. */
struct pdq_sums_layout {
    unsigned int values; /* 1 to 4: gray, gray and backdrop, RGB, RGB and backdrop */
    size_t pitch;
    size_t step;
};

struct pdq_kernels {
    /* sums[i] += weight * samples[i] for count samples. */
    void (*add_samples)(float *restrict sums, const uint8_t *restrict samples, size_t count, float weight);

    /* The same for pixels with alpha, into one plane of count sums for each colour, dimmed by alpha / 255,
     * and a last plane that takes 255 - alpha: what a white backdrop shows through. Exact at both ends: an
     * opaque pixel adds what it would add without alpha, a transparent one adds 255 to the last plane and
     * nothing else. */
    void (*add_gray_alpha)(float *restrict sums, const uint8_t *restrict samples, size_t count, float weight);
    void (*add_rgba)(float *restrict sums, const uint8_t *restrict samples, size_t count, float weight);

    /* luma[x] = 0.299 R + 0.587 G + 0.114 B + backdrop of width pixels, in the reference's order. */
    void (*fold)(float *restrict luma, const float *restrict sums, size_t width,
                 struct pdq_sums_layout layout);

    /* samples[j] = row j of columns * luma / (sum of row j * scale). */
    void (*reduce)(float samples[restrict PDQ_GRID], const float *restrict luma,
                   const struct pdq_axis *columns, double scale);
};

/* The loops for a level of at most cpu_detect(). Static storage. */
const struct pdq_kernels *pdq_kernels_for(enum cpu_level level);

#endif
