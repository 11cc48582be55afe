#include "skew.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

enum {
    /* How far a sample may be from the colour of the corner it is seen from and still be empty. */
    EMPTY_RANGE = 16,
    /* Slopes are taken over one part in so many of an edge. */
    SPAN_SHARE = 8,
    /* The part of an edge that must be empty. */
    EMPTY_SHARE = 6,
    /* Samples between a depth and the line that it belongs to. */
    NEAR_LINE = 2,
    SLOPES_MAX = SKETCH_EDGE_MAX,
};

/* The least slope that is told from none, and how far those of two edges may be apart. */
static const double least_slope = 0.008;
static const double slopes_apart = 0.04;

/* How a picture is looked at from one side: lines go inwards from it. */
struct look {
    const uint8_t *start; /* the first sample of the first line */
    ptrdiff_t along;      /* from line to line */
    ptrdiff_t inward;
    uint32_t lines;
    uint32_t depth;
};

static struct look look_from(const struct luma_picture *picture, int side)
{
    ptrdiff_t stride = (ptrdiff_t)picture->width;
    uint32_t width = picture->width;
    uint32_t height = picture->height;
    const uint8_t *last = picture->samples + (size_t)width * height - 1;

    /* Clockwise: top from the left, right from the top, bottom from the right, left from the bottom. */
    switch (side) {
    case 0:
        return (struct look){picture->samples, 1, stride, width, height};
    case 1:
        return (struct look){picture->samples + width - 1, stride, -1, height, width};
    case 2:
        return (struct look){last, -1, -stride, width, height};
    default:
        return (struct look){last - (width - 1), -stride, 1, height, width};
    }
}

static bool is_empty(uint8_t sample, uint8_t corner)
{
    return abs(sample - corner) <= EMPTY_RANGE;
}

/* How deep each line is empty, as seen from its side. Either end of the side may be the empty corner. */
static void measure_depths(const struct look *look, int16_t depths[SKETCH_EDGE_MAX])
{
    uint8_t first = look->start[0];
    uint8_t last = look->start[(ptrdiff_t)(look->lines - 1) * look->along];

    for (uint32_t i = 0; i < look->lines; i++) {
        const uint8_t *at = look->start + (ptrdiff_t)i * look->along;
        uint8_t corner = is_empty(*at, first) ? first : last;
        int16_t depth = 0;
        while ((uint32_t)depth < look->depth / 2 && is_empty(*at, corner)) {
            at += look->inward;
            depth++;
        }
        depths[i] = depth;
    }
}

/* Shell's sort: the C library's asks the kernel about memory, which a worker must not. */
static void sort_values(double *values, uint32_t count)
{
    static const uint32_t gaps[] = {132, 57, 23, 10, 4, 1};

    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        for (uint32_t i = gaps[g]; i < count; i++) {
            double value = values[i];
            uint32_t at = i;
            for (; at >= gaps[g] && values[at - gaps[g]] > value; at -= gaps[g])
                values[at] = values[at - gaps[g]];
            values[at] = value;
        }
    }
}

/* The slope that most of the empty part of a side has, roughly. */
static bool rough_slope(const int16_t *depths, uint32_t lines, double *slope)
{
    double slopes[SLOPES_MAX];
    uint32_t span = lines / SPAN_SHARE;
    uint32_t count = 0;

    for (uint32_t i = 0; i + span < lines; i++) {
        if (depths[i] > 0 && depths[i + span] > 0)
            slopes[count++] = (double)(depths[i + span] - depths[i]) / span;
    }
    if (count < lines / EMPTY_SHARE)
        return false;
    sort_values(slopes, count);
    *slope = slopes[count / 2];
    return true;
}

/* The line through those depths that are near the rough one, by least squares. */
static bool fit_slope(const int16_t *depths, uint32_t lines, double *slope)
{
    double rests[SLOPES_MAX];
    uint32_t count = 0;
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;

    for (uint32_t i = 0; i < lines; i++) {
        if (depths[i] > 0)
            rests[count++] = depths[i] - *slope * i;
    }
    sort_values(rests, count);
    double offset = rests[count / 2];
    for (uint32_t i = 0; i < lines; i++) {
        if (depths[i] == 0 || fabs(depths[i] - *slope * i - offset) > NEAR_LINE)
            continue;
        n++;
        x += i;
        y += depths[i];
        xx += (double)i * i;
        xy += (double)i * depths[i];
    }
    double spread = n * xx - x * x;
    if (n < (double)lines / EMPTY_SHARE || spread <= 0)
        return false;
    *slope = (n * xy - x * y) / spread;
    return true;
}

/* The slope of a side: positive where it is deeper the farther along. Returns false when there is no empty
 * corner on it. */
static bool slope_of(const struct look *look, double *slope)
{
    int16_t depths[SKETCH_EDGE_MAX];

    measure_depths(look, depths);
    return rough_slope(depths, look->lines, slope) && fabs(*slope) < 1 &&
           fit_slope(depths, look->lines, slope) && fabs(*slope) < 1;
}

bool skew_find(const struct luma_picture *picture, double *angle)
{
    double slopes[4];
    unsigned int count = 0;

    for (int side = 0; side < 4; side++) {
        struct look look = look_from(picture, side);
        double slope = 0;
        if (look.lines >= SKETCH_EDGE_MIN && look.lines <= SKETCH_EDGE_MAX && slope_of(&look, &slope))
            slopes[count++] = slope;
    }
    if (count < 2)
        return false;
    sort_values(slopes, count);
    /* The two that agree best. */
    unsigned int best = 0;
    for (unsigned int i = 1; i + 1 < count; i++) {
        if (slopes[i + 1] - slopes[i] < slopes[best + 1] - slopes[best])
            best = i;
    }
    double slope = (slopes[best] + slopes[best + 1]) / 2;
    if (slopes[best + 1] - slopes[best] > slopes_apart || fabs(slope) < least_slope)
        return false;
    *angle = atan(slope);
    return true;
}
