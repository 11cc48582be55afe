#include "pdq_axis.h"

#include "prescreen/base/bug.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* With fewer, hashes drift by more than 4 bits from those of the full picture. */
enum { WINDOW_SAMPLES_MIN = 3 };

uint32_t pdq_window_width(uint32_t length)
{
    return length / (2 * PDQ_GRID) + (length % (2 * PDQ_GRID) != 0);
}

struct pdq_window pdq_window_at(uint32_t pixel, uint32_t length)
{
    uint32_t width = pdq_window_width(length);
    uint32_t right = width / 2;
    uint32_t left = width - 1 - right;

    return (struct pdq_window){.first = pixel < left ? 0 : pixel - left,
                               .last = length - 1 - pixel < right ? length - 1 : pixel + right};
}

uint32_t pdq_window_count(struct pdq_window window)
{
    return window.last - window.first + 1;
}

uint32_t pdq_grid_pixel(uint32_t i, uint32_t length)
{
    return (uint32_t)((2 * (uint64_t)i + 1) * length / (2ul * PDQ_GRID));
}

/* Writes the differences of the weights, then sums them up. A pixel weighs 1 / count for every window that
 * holds it; times the least number that makes all of these whole. Only the last row meets a window that is
 * cut, and by one pixel (an even width's last). */
static double weights_fill(float *weights, struct pdq_window outer, uint32_t length)
{
    uint32_t width = pdq_window_width(length);
    uint32_t first = pdq_window_at(outer.first, length).first;
    uint32_t last = pdq_window_at(outer.last, length).last;
    bool is_cut = pdq_window_count(pdq_window_at(outer.last, length)) != width;
    double weight = 0;
    double sum = 0;

    for (uint32_t k = 0; k <= last - first; k++)
        weights[k] = 0;
    for (uint32_t j = outer.first; j <= outer.last; j++) {
        struct pdq_window inner = pdq_window_at(j, length);
        uint32_t count = pdq_window_count(inner);
        BUG_ON(count != width && (count != width - 1 || j != outer.last));
        float share = count != width ? (float)width : is_cut ? (float)(width - 1) : 1;
        weights[inner.first - first] += share;
        if (inner.last < last)
            weights[inner.last + 1 - first] -= share;
    }
    for (uint32_t k = 0; k <= last - first; k++) {
        weight += (double)weights[k];
        weights[k] = (float)weight;
        sum += weight;
    }
    return sum;
}

int pdq_axis_init(struct pdq_axis *axis, uint32_t length)
{
    size_t taps_max = 2 * (size_t)pdq_window_width(length);
    float *weights = calloc(2 * taps_max, sizeof *weights);
    double sum = 0;

    if (weights == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < PDQ_GRID; i++) {
        struct pdq_window outer = pdq_window_at(pdq_grid_pixel(i, length), length);
        uint32_t first = pdq_window_at(outer.first, length).first;
        uint32_t last = pdq_window_at(outer.last, length).last;
        /* Every row but the last is the same tent, moved. */
        float *row = i < PDQ_GRID - 1 ? weights : weights + taps_max;
        if (i == 0 || i == PDQ_GRID - 1)
            sum = weights_fill(row, outer, length);
        axis->rows[i] =
            (struct pdq_taps){.first = first, .count = last - first + 1, .weights = row, .sum = sum};
    }
    axis->length = length;
    axis->weights = weights;
    return 0;
}

static void weights_reverse(float *weights, uint32_t count)
{
    for (uint32_t k = 0; k < count / 2; k++) {
        float kept = weights[k];
        weights[k] = weights[count - 1 - k];
        weights[count - 1 - k] = kept;
    }
}

void pdq_axis_reverse(struct pdq_axis *axis)
{
    struct pdq_taps rows[PDQ_GRID];

    for (int i = 0; i < PDQ_GRID; i++) {
        rows[i] = axis->rows[PDQ_GRID - 1 - i];
        rows[i].first = axis->length - rows[i].first - rows[i].count;
    }
    memcpy(axis->rows, rows, sizeof rows);
    /* The tent is the same from both ends; the row of its own is not. */
    weights_reverse(axis->weights + 2 * (size_t)pdq_window_width(axis->length), rows[0].count);
}

bool pdq_axis_may_reduce(uint32_t length, unsigned int reduction)
{
    return reduction == 0 || pdq_window_width(length) >= (uint32_t)WINDOW_SAMPLES_MIN << reduction;
}

static size_t reduced_taps_max(uint32_t length, unsigned int reduction)
{
    return (2 * (size_t)pdq_window_width(length) >> reduction) + 2;
}

void pdq_axis_reduce(struct pdq_axis *reduced, const struct pdq_axis *full, unsigned int reduction)
{
    size_t taps_max = reduced_taps_max(full->length, reduction);

    for (uint32_t i = 0; i < PDQ_GRID; i++) {
        const struct pdq_taps *taps = &full->rows[i];
        uint32_t first = taps->first >> reduction;
        uint32_t last = (taps->first + taps->count - 1) >> reduction;
        float *weights = reduced->weights + i * taps_max;
        BUG_ON(last - first >= taps_max);
        for (uint32_t k = 0; k <= last - first; k++)
            weights[k] = 0;
        for (uint32_t k = 0; k < taps->count; k++)
            weights[((taps->first + k) >> reduction) - first] += taps->weights[k];
        reduced->rows[i] = (struct pdq_taps){
            .first = first, .count = last - first + 1, .weights = weights, .sum = taps->sum};
    }
    reduced->length = full->length;
}

int pdq_axis_init_reduced(struct pdq_axis *reduced, const struct pdq_axis *full, unsigned int reduction)
{
    if (!pdq_axis_may_reduce(full->length, reduction))
        return -EINVAL;
    float *weights = calloc(PDQ_GRID * reduced_taps_max(full->length, reduction), sizeof *weights);
    if (weights == NULL)
        return -ENOMEM;
    reduced->weights = weights;
    pdq_axis_reduce(reduced, full, reduction);
    return 0;
}

void pdq_axis_clear(struct pdq_axis *axis)
{
    free(axis->weights);
    *axis = (struct pdq_axis){.weights = NULL};
}
