#include "slow_way.h"

#include "prescreen/image/orientation.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* A picture as luma. */
struct raster {
    struct picture_shape shape;
    float *luma;
    uint32_t rows; /* so far */
};

static int begin_raster(void *context, const struct picture_shape *shape)
{
    struct raster *raster = context;

    if (raster->luma != NULL)
        return ROW_SINK_ENOUGH;
    if (shape->width < PDQ_EDGE_MIN || shape->height < PDQ_EDGE_MIN)
        return -EINVAL;
    raster->shape = *shape;
    raster->luma = calloc((size_t)shape->height * shape->width, sizeof *raster->luma);
    return raster->luma == NULL ? -ENOMEM : 0;
}

/* The reference's luma. */
static void take_colours(float *row, const uint8_t *samples, uint32_t width, unsigned int bytes)
{
    for (size_t x = 0; x < width; x++, samples += bytes)
        row[x] = 0.299F * (float)samples[0] + 0.587F * (float)samples[1] + 0.114F * (float)samples[2];
}

static void put_over_white(float *row, const uint8_t *alpha, uint32_t width, unsigned int bytes)
{
    for (size_t x = 0; x < width; x++, alpha += bytes)
        row[x] = 255.0F + (row[x] - 255.0F) * (float)alpha[0] / 255.0F;
}

static int take_row(void *context, const uint8_t *samples)
{
    struct raster *raster = context;
    uint32_t width = raster->shape.width;
    unsigned int bytes = pixel_layout_bytes(raster->shape.layout);

    if (raster->rows == raster->shape.height)
        return 0;
    float *row = raster->luma + (size_t)raster->rows++ * width;
    if (bytes >= 3)
        take_colours(row, samples, width, bytes);
    else
        for (size_t x = 0; x < width; x++)
            row[x] = samples[x * bytes];
    if (bytes % 2 == 0)
        put_over_white(row, samples + bytes - 1, width, bytes);
    return 0;
}

/* Errors: -ENOMEM. */
static int turn_upright(struct raster *raster)
{
    struct orientation_steps steps = orientation_steps(orientation_from_exif(raster->shape.exif));
    size_t width = raster->shape.width;
    size_t height = raster->shape.height;

    if (!steps.flips_rows && !steps.flips_columns && !steps.transposes)
        return 0;
    float *turned = malloc(width * height * sizeof *turned);
    if (turned == NULL)
        return -ENOMEM;
    for (size_t y = 0; y < height; y++) {
        size_t down = steps.flips_rows ? height - 1 - y : y;
        for (size_t x = 0; x < width; x++) {
            size_t across = steps.flips_columns ? width - 1 - x : x;
            turned[steps.transposes ? across * height + down : down * width + across] =
                raster->luma[y * width + x];
        }
    }
    free(raster->luma);
    raster->luma = turned;
    if (steps.transposes) {
        raster->shape.width = (uint32_t)height;
        raster->shape.height = (uint32_t)width;
    }
    return 0;
}

int slow_way_hash(const struct decode_codecs *codecs, const uint8_t *data, size_t size,
                  const struct decode_limits *limits, struct pdq_result *result)
{
    struct raster raster = {.luma = NULL};
    const struct row_sink sink = {
        .context = &raster, .begin = begin_raster, .row = take_row, .colours = true};
    struct decode_report report = {.format = FORMAT_UNKNOWN};
    int status = decode_picture(codecs, data, size, limits, &sink, &report);

    if (status >= 0)
        status = raster.luma == NULL || raster.rows < raster.shape.height ? -EINVAL : turn_upright(&raster);
    if (status == 0)
        status = pdq_hash_reference(raster.luma, raster.shape.width, raster.shape.height, result);
    free(raster.luma);
    return status;
}
