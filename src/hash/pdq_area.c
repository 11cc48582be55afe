#include "prescreen/base/bug.h"
#include "prescreen/hash/pdq.h"

#include "pdq_kernels.h"
#include "pdq_spectrum.h"

#include <math.h>
#include <string.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

enum {
    /* Taps come in whole units of the kernels, the last ones of weight 0: a remainder would cost more. */
    UNIT = 8,
    /* Of a tent to both sides of its middle, and what is cut at either end. */
    TAPS_MAX = (2 * PDQ_AREA_EDGE_MAX / (2 * PDQ_GRID) + 3 + UNIT - 1) / UNIT * UNIT,
};

/* An axis whose weights are its own. */
struct own_axis {
    struct pdq_axis axis;
    float weights[PDQ_GRID][TAPS_MAX];
};

/* The share of a tent of that half width around 0 that lies before a place. */
static double share_before(double place, double half_width)
{
    double at = place / half_width;

    if (at <= -1)
        return 0;
    if (at >= 1)
        return 1;
    return at < 0 ? (1 + at) * (1 + at) / 2 : 1 - (1 - at) * (1 - at) / 2;
}

/* The tent around a place, weighed by the samples it covers. What of it lies outside the plane is left out;
 * when that is all, the sample at the edge stands for it. */
static void fill_taps(struct pdq_taps *taps, float weights[TAPS_MAX], double center, double half_width,
                      uint32_t length)
{
    double from = floor(center - half_width);
    double to = ceil(center + half_width);
    double last = length - 1;

    from = from < 0 ? 0 : from > last ? last : from;
    to = to > last + 1 ? last + 1 : to < from + 1 ? from + 1 : to;
    *taps = (struct pdq_taps){
        .first = (uint32_t)from, .count = (uint32_t)(to - from), .weights = weights, .sum = 0};
    double before = share_before(from - center, half_width);
    for (uint32_t k = 0; k < taps->count; k++) {
        double after = share_before(from + k + 1 - center, half_width);
        weights[k] = (float)(after - before);
        taps->sum += (double)weights[k];
        before = after;
    }
    if (taps->sum <= 0) {
        taps->first += center > last ? taps->count - 1 : 0;
        taps->count = 1;
        taps->sum = (double)(weights[0] = 1);
    }
}

static void pad_taps(struct pdq_axis *axis)
{
    for (int i = 0; i < PDQ_GRID; i++) {
        struct pdq_taps *taps = &axis->rows[i];
        float *weights = axis->weights + (size_t)i * TAPS_MAX;
        while (taps->count % UNIT != 0)
            weights[taps->count++] = 0;
    }
}

/* PDQ's two windows along an axis of such length are a tent of a 64th of it to either side. A sample is
 * itself a mean over its width and is taken to be level, which widens the tent: it is made so much narrower.
 */
static void fill_axis(struct own_axis *own, double start, double end, uint32_t length)
{
    double window = (end - start) / (2 * PDQ_GRID);
    double half_width = sqrt(fmax(window * window - 1, 0.25));

    own->axis.weights = own->weights[0];
    for (int i = 0; i < PDQ_GRID; i++)
        fill_taps(&own->axis.rows[i], own->weights[i], start + (i + 0.5) * (end - start) / PDQ_GRID,
                  half_width, length);
}

void pdq_area_sample(const struct pdq_plane *plane, const struct pdq_area *area, enum cpu_level level,
                     float grid[PDQ_GRID][PDQ_GRID])
{
    const struct pdq_kernels *kernels = pdq_kernels_for(level);
    struct own_axis columns;
    struct own_axis rows;
    float sums[PDQ_AREA_EDGE_MAX + UNIT];

    BUG_ON(!(area->right > area->left) || !(area->bottom > area->top));
    BUG_ON(area->right - area->left > PDQ_AREA_EDGE_MAX || area->bottom - area->top > PDQ_AREA_EDGE_MAX);
    BUG_ON(plane->width > PDQ_AREA_EDGE_MAX);
    fill_axis(&columns, area->left, area->right, plane->width);
    fill_axis(&rows, area->top, area->bottom, plane->height);
    uint32_t first = columns.axis.rows[0].first;
    const struct pdq_taps *last = &columns.axis.rows[PDQ_GRID - 1];
    size_t count = last->first + last->count - first;
    for (int i = 0; i < PDQ_GRID; i++)
        columns.axis.rows[i].first -= first;
    pad_taps(&columns.axis);
    for (int i = 0; i < PDQ_GRID; i++) {
        const struct pdq_taps *taps = &rows.axis.rows[i];
        const uint8_t *row = plane->samples + (size_t)taps->first * plane->width + first;
        memset(sums, 0, (count + UNIT) * sizeof *sums);
        for (uint32_t k = 0; k < taps->count; k++, row += plane->width)
            kernels->add_samples(sums, row, count, taps->weights[k]);
        kernels->reduce(grid[i], sums, &columns.axis, taps->sum);
    }
}

void pdq_grid_hash(const float grid[PDQ_GRID][PDQ_GRID], struct pdq_result *result)
{
    pdq_spectrum_hash(grid, result);
}
