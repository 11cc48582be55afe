#include "pdq_axis.h"
#include "pdq_spectrum.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A running sum, as the reference keeps it: its rounding is part of what is computed. */
static void box_filter(const float *in, float *out, uint32_t length, size_t stride)
{
    uint32_t taken = 0;
    uint32_t dropped = 0;
    float sum = 0;

    for (uint32_t j = 0; j < length; j++) {
        struct pdq_window window = pdq_window_at(j, length);
        for (; taken <= window.last; taken++)
            sum += in[taken * stride];
        for (; dropped < window.first; dropped++)
            sum -= in[dropped * stride];
        out[j * stride] = sum / (float)pdq_window_count(window);
    }
}

static void filter_twice(float *luma, float *other, uint32_t width, uint32_t height)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t y = 0; y < height; y++)
            box_filter(luma + y * width, other + y * width, width, 1);
        for (size_t x = 0; x < width; x++)
            box_filter(other + x, luma + x, height, width);
    }
}

int pdq_hash_reference(const float *luma, uint32_t width, uint32_t height, struct pdq_result *result)
{
    float grid[PDQ_GRID][PDQ_GRID];
    size_t pixels;
    size_t size;

    if (width < PDQ_EDGE_MIN || height < PDQ_EDGE_MIN)
        return -EINVAL;
    if (__builtin_mul_overflow((size_t)width, (size_t)height, &pixels) ||
        __builtin_mul_overflow(pixels, 2 * sizeof(float), &size))
        return -ENOMEM;
    float *frame = malloc(size);
    if (frame == NULL)
        return -ENOMEM;
    memcpy(frame, luma, pixels * sizeof *frame);
    if (width != PDQ_GRID || height != PDQ_GRID)
        filter_twice(frame, frame + pixels, width, height);
    for (uint32_t i = 0; i < PDQ_GRID; i++)
        for (uint32_t j = 0; j < PDQ_GRID; j++)
            grid[i][j] = frame[(size_t)pdq_grid_pixel(i, height) * width + pdq_grid_pixel(j, width)];
    free(frame);
    pdq_spectrum_hash(grid, result);
    return 0;
}
