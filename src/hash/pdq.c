#include "prescreen/hash/pdq.h"

#include "prescreen/base/bug.h"
#include "prescreen/image/orientation.h"

#include "pdq_kernels.h"
#include "pdq_spectrum.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(SIZE_MAX / UINT32_MAX >= 32, "no size of a row or its sums overflows");

/* Bands are the rows of the 64x64 picture. At most two take samples at a time (see struct pdq_axis). */
enum { OPEN_BANDS = 2, ALIGNMENT = 64 };

/* How a row of samples becomes sums, and sums become luma. */
struct method {
    void (*add)(float *restrict sums, const uint8_t *restrict samples, size_t count, float weight);
    size_t count;     /* what add is told: samples or pixels */
    size_t sums;      /* of one band */
    bool needs_folds; /* else sums are luma */
    struct pdq_sums_layout layout;
};

struct pdq_stream {
    const struct pdq_kernels *kernels;
    struct method method;
    uint32_t width;  /* of a delivered row, in samples */
    uint32_t height; /* rows to come */
    unsigned int reduction;
    size_t row_size_bytes;
    struct orientation_steps turn;
    struct pdq_axis columns; /* on delivered samples */
    struct pdq_axis rows;
    struct pdq_axis full_columns; /* on pixels, where the picture comes reduced */
    struct pdq_axis full_rows;
    uint32_t rows_taken;
    uint32_t bands_done;
    float *sums[OPEN_BANDS];
    float *luma;       /* NULL when sums are luma */
    uint8_t *last_row; /* in case it has to stand for the missing ones */
    float grid[PDQ_GRID][PDQ_GRID];
};

static struct method method_for(const struct pdq_kernels *kernels, const struct picture_shape *shape,
                                enum pdq_backdrop backdrop)
{
    size_t width = picture_shape_columns(shape);
    size_t values = pixel_layout_bytes(shape->layout);
    bool has_alpha = shape->layout == PIXEL_GRAY_ALPHA || shape->layout == PIXEL_RGBA;
    unsigned int colours = (unsigned int)values - has_alpha;
    struct method method = {.add = kernels->add_samples,
                            .count = width * values,
                            .sums = width * values,
                            .needs_folds = values > 1,
                            .layout = {.values = colours, .pitch = values, .step = 1}};

    if (has_alpha && backdrop != PDQ_UNDER_ALPHA) {
        method.add = shape->layout == PIXEL_RGBA ? kernels->add_rgba : kernels->add_gray_alpha;
        method.count = width;
        method.layout.values = colours + (backdrop == PDQ_OVER_WHITE);
        method.layout.pitch = 1;
        method.layout.step = width;
    }
    return method;
}

/* count floats on a cache line's boundary, or NULL. */
static float *floats_allocate(size_t count)
{
    size_t lines = count * sizeof(float) / ALIGNMENT + 1;

    return aligned_alloc(ALIGNMENT, lines * ALIGNMENT);
}

static int buffers_allocate(struct pdq_stream *stream)
{
    for (int i = 0; i < OPEN_BANDS; i++) {
        stream->sums[i] = floats_allocate(stream->method.sums);
        if (stream->sums[i] == NULL)
            return -ENOMEM;
    }
    if (stream->method.needs_folds) {
        stream->luma = floats_allocate(stream->width);
        if (stream->luma == NULL)
            return -ENOMEM;
    }
    stream->last_row = malloc(stream->row_size_bytes);
    return stream->last_row != NULL ? 0 : -ENOMEM;
}

static int axis_init(struct pdq_axis *axis, struct pdq_axis *full, uint32_t length, unsigned int reduction)
{
    if (reduction == 0)
        return pdq_axis_init(axis, length);
    int rc = pdq_axis_init(full, length);
    return rc != 0 ? rc : pdq_axis_init_reduced(axis, full, reduction);
}

unsigned int pdq_reduction_max(uint32_t width, uint32_t height)
{
    unsigned int reduction = PICTURE_REDUCTION_MAX;

    while (!pdq_axis_may_reduce(width, reduction) || !pdq_axis_may_reduce(height, reduction))
        reduction--;
    return reduction;
}

int pdq_stream_create(const struct picture_shape *shape, enum pdq_backdrop backdrop, enum cpu_level level,
                      struct pdq_stream **stream)
{
    int rc = -ENOMEM;

    if (shape->width < PDQ_EDGE_MIN || shape->height < PDQ_EDGE_MIN)
        return -EINVAL;
    struct pdq_stream *new = calloc(1, sizeof *new);
    if (new == NULL)
        goto out;
    new->kernels = pdq_kernels_for(level);
    new->method = method_for(new->kernels, shape, backdrop);
    new->width = picture_shape_columns(shape);
    new->height = picture_shape_rows(shape);
    new->reduction = shape->reduction;
    new->row_size_bytes = pixel_layout_bytes(shape->layout) * (size_t) new->width;
    rc = axis_init(&new->columns, &new->full_columns, shape->width, shape->reduction);
    if (rc == 0)
        rc = axis_init(&new->rows, &new->full_rows, shape->height, shape->reduction);
    if (rc == 0)
        rc = buffers_allocate(new);
    if (rc != 0)
        goto out;
    *stream = new;
    new = NULL;
out:
    pdq_stream_free(new);
    return rc;
}

static void axis_reverse(struct pdq_axis *axis, struct pdq_axis *full, unsigned int reduction)
{
    if (reduction == 0) {
        pdq_axis_reverse(axis);
        return;
    }
    /* Squares begin at the same end still. */
    pdq_axis_reverse(full);
    pdq_axis_reduce(axis, full, reduction);
}

void pdq_stream_turn(struct pdq_stream *stream, enum orientation upright)
{
    BUG_ON(stream->rows_taken > 0);
    stream->turn = orientation_steps(upright);
    if (stream->turn.flips_rows)
        axis_reverse(&stream->rows, &stream->full_rows, stream->reduction);
    if (stream->turn.flips_columns)
        axis_reverse(&stream->columns, &stream->full_columns, stream->reduction);
}

static void close_band(struct pdq_stream *stream, const float *sums, double scale)
{
    const float *luma = sums;

    if (stream->method.needs_folds) {
        stream->kernels->fold(stream->luma, sums, stream->width, stream->method.layout);
        luma = stream->luma;
    }
    stream->kernels->reduce(stream->grid[stream->bands_done], luma, &stream->columns, scale);
    stream->bands_done++;
}

/* The weight of rows from to to - 1 in a band that begins before to. */
static float weight_of_rows(const struct pdq_taps *taps, uint32_t from, uint32_t to)
{
    double weight = 0;

    for (uint32_t k = from > taps->first ? from - taps->first : 0; k < taps->count && taps->first + k < to;
         k++)
        weight += (double)taps->weights[k];
    return (float)weight;
}

/* Takes rows from to to - 1, all with these samples. Bands close in order: the first that stays open is
 * followed by open ones only. */
static void take_rows(struct pdq_stream *stream, const uint8_t *samples, uint32_t from, uint32_t to)
{
    for (uint32_t band = stream->bands_done; band < PDQ_GRID && stream->rows.rows[band].first < to; band++) {
        const struct pdq_taps *taps = &stream->rows.rows[band];
        float *sums = stream->sums[band % OPEN_BANDS];
        if (band > 0 && taps->first == taps[-1].first) {
            /* Fewer rows than bands: this one is the previous one again. */
            memcpy(stream->grid[band], stream->grid[band - 1], sizeof stream->grid[band]);
            stream->bands_done++;
            continue;
        }
        if (from <= taps->first)
            memset(sums, 0, stream->method.sums * sizeof *sums);
        stream->method.add(sums, samples, stream->method.count, weight_of_rows(taps, from, to));
        if (taps->first + taps->count <= to)
            close_band(stream, sums, taps->sum);
    }
}

void pdq_stream_add_row(struct pdq_stream *stream, const uint8_t *samples)
{
    if (stream->rows_taken == stream->height)
        return;
    take_rows(stream, samples, stream->rows_taken, stream->rows_taken + 1);
    stream->rows_taken++;
    if (stream->rows_taken < stream->height)
        memcpy(stream->last_row, samples, stream->row_size_bytes);
}

static void grid_turn(const float grid[PDQ_GRID][PDQ_GRID], struct orientation_steps turn,
                      float turned[PDQ_GRID][PDQ_GRID])
{
    for (int i = 0; i < PDQ_GRID; i++) {
        for (int j = 0; j < PDQ_GRID; j++) {
            int row = turn.flips_rows ? PDQ_GRID - 1 - i : i;
            int column = turn.flips_columns ? PDQ_GRID - 1 - j : j;
            turned[turn.transposes ? column : row][turn.transposes ? row : column] = grid[i][j];
        }
    }
}

void pdq_stream_finish(struct pdq_stream *stream, struct pdq_result *result)
{
    float turned[PDQ_GRID][PDQ_GRID];

    if (stream->rows_taken > 0 && stream->rows_taken < stream->height)
        take_rows(stream, stream->last_row, stream->rows_taken, stream->height);
    stream->rows_taken = stream->height;
    grid_turn((const float(*)[PDQ_GRID])stream->grid, stream->turn, turned);
    pdq_spectrum_hash((const float(*)[PDQ_GRID])turned, result);
}

void pdq_stream_free(struct pdq_stream *stream)
{
    if (stream == NULL)
        return;
    for (int i = 0; i < OPEN_BANDS; i++)
        free(stream->sums[i]);
    free(stream->luma);
    free(stream->last_row);
    pdq_axis_clear(&stream->columns);
    pdq_axis_clear(&stream->rows);
    pdq_axis_clear(&stream->full_columns);
    pdq_axis_clear(&stream->full_rows);
    free(stream);
}
