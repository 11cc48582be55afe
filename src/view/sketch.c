#include "prescreen/view/sketch.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sketch {
    enum pixel_layout layout;
    uint32_t columns; /* of a delivered row */
    uint32_t rows;    /* that are delivered */
    uint32_t across;  /* delivered samples that one sample covers */
    uint32_t down;
    double pixels;          /* of the picture, along the edge of a delivered sample */
    uint32_t width, height; /* of the picture in pixels */
    uint32_t rows_taken;
    uint32_t rows_summed; /* of the current rectangles */
    uint8_t *luma;        /* of a row, unless it comes as such */
    uint16_t *sums;       /* of the current rectangles, each delivered column apart */
    struct luma_picture picture;
};

_Static_assert(255 * 257 <= UINT16_MAX, "sums of up to 257 rows do not overflow");
enum { STEP_MAX = 257 };

static uint32_t step_for(uint32_t edge, uint32_t step)
{
    uint32_t most = edge / SKETCH_EDGE_MIN > 0 ? edge / SKETCH_EDGE_MIN : 1;

    return step < most ? step : most;
}

int sketch_create(const struct picture_shape *shape, struct sketch **sketch)
{
    struct sketch *new = calloc(1, sizeof *new);

    if (new == NULL)
        return -ENOMEM;
    new->layout = shape->layout;
    new->columns = picture_shape_columns(shape);
    new->rows = picture_shape_rows(shape);
    new->pixels = 1U << shape->reduction;
    new->width = shape->width;
    new->height = shape->height;
    uint32_t longest = new->columns > new->rows ? new->columns : new->rows;
    uint32_t step = (longest - 1) / SKETCH_EDGE_MAX + 1;
    step = step < STEP_MAX ? step : STEP_MAX;
    new->across = step_for(new->columns, step);
    new->down = step_for(new->rows, step);
    new->picture.width = (new->columns - 1) / new->across + 1;
    new->picture.height = (new->rows - 1) / new->down + 1;
    new->luma = malloc(new->columns);
    new->sums = calloc(new->columns, sizeof *new->sums);
    new->picture.samples = calloc(new->picture.height, new->picture.width);
    if (new->luma == NULL || new->sums == NULL || new->picture.samples == NULL) {
        sketch_free(new);
        return -ENOMEM;
    }
    *sketch = new;
    return 0;
}

/* PDQ's luma in 256ths. */
static inline unsigned int luma_of(const uint8_t *rgb)
{
    return (77U * rgb[0] + 150U * rgb[1] + 29U * rgb[2] + 128U) >> 8;
}

static inline uint8_t over_white(unsigned int luma, unsigned int alpha)
{
    return (uint8_t)((luma * alpha + 255U * (255U - alpha) + 127U) / 255U);
}

static const uint8_t *luma_row(struct sketch *sketch, const uint8_t *samples)
{
    switch (sketch->layout) {
    case PIXEL_GRAY:
        return samples;
    case PIXEL_GRAY_ALPHA:
        for (size_t x = 0; x < sketch->columns; x++)
            sketch->luma[x] = over_white(samples[2 * x], samples[2 * x + 1]);
        break;
    case PIXEL_RGB:
        for (size_t x = 0; x < sketch->columns; x++)
            sketch->luma[x] = (uint8_t)luma_of(samples + 3 * x);
        break;
    case PIXEL_RGBA:
        for (size_t x = 0; x < sketch->columns; x++)
            sketch->luma[x] = over_white(luma_of(samples + 4 * x), samples[4 * x + 3]);
        break;
    }
    return sketch->luma;
}

/* The mean of count samples, rounded. */
struct divisor {
    uint64_t inverse; /* in 2^32ths, rounded up */
    uint32_t half;
};

static struct divisor divisor_for(uint32_t count)
{
    return (struct divisor){((uint64_t)1 << 32) / count + 1, count / 2};
}

static uint8_t mean_of(const uint16_t *sums, uint32_t columns, struct divisor divisor)
{
    uint32_t sum = divisor.half;

    for (uint32_t i = 0; i < columns; i++)
        sum += sums[i];
    return (uint8_t)((sum * divisor.inverse) >> 32);
}

/* The rectangles of one row of the sketch are full, or the picture ends. */
static void close_row(struct sketch *sketch)
{
    uint8_t *row =
        sketch->picture.samples + (size_t)((sketch->rows_taken - 1) / sketch->down) * sketch->picture.width;
    uint32_t whole = sketch->columns / sketch->across;
    uint32_t rest = sketch->columns - whole * sketch->across;
    struct divisor divisor = divisor_for(sketch->across * sketch->rows_summed);

    for (uint32_t x = 0; x < whole; x++)
        row[x] = mean_of(sketch->sums + (size_t)x * sketch->across, sketch->across, divisor);
    if (rest > 0)
        row[whole] = mean_of(sketch->sums + (size_t)whole * sketch->across, rest,
                             divisor_for(rest * sketch->rows_summed));
    memset(sketch->sums, 0, sketch->columns * sizeof *sketch->sums);
    sketch->rows_summed = 0;
}

void sketch_add_row(struct sketch *sketch, const uint8_t *samples)
{
    if (sketch->rows_taken == sketch->rows)
        return;
    const uint8_t *luma = luma_row(sketch, samples);
    for (size_t x = 0; x < sketch->columns; x++)
        sketch->sums[x] = (uint16_t)(sketch->sums[x] + luma[x]);
    sketch->rows_taken++;
    sketch->rows_summed++;
    if (sketch->rows_summed == sketch->down)
        close_row(sketch);
}

const struct luma_picture *sketch_finish(struct sketch *sketch, bool *square)
{
    if (sketch->rows_taken == 0)
        return NULL;
    if (sketch->rows_summed > 0)
        close_row(sketch);
    sketch->picture.height = (sketch->rows_taken - 1) / sketch->down + 1;
    sketch->picture.right = sketch->width / (sketch->pixels * sketch->across);
    double rows = fmin(sketch->rows_taken, sketch->height / sketch->pixels);
    sketch->picture.bottom = rows / sketch->down;
    *square = sketch->across == sketch->down;
    return &sketch->picture;
}

void sketch_free(struct sketch *sketch)
{
    if (sketch == NULL)
        return;
    free(sketch->luma);
    free(sketch->sums);
    free(sketch->picture.samples);
    free(sketch);
}
