/* The rasters of ../shared/pdq with the hashes of PDQ's reference, for tests; and the drawing that stands in
 * for them where they are absent. */
#ifndef PRESCREEN_TESTS_UNIT_REFERENCE_RASTERS_H
#define PRESCREEN_TESTS_UNIT_REFERENCE_RASTERS_H

#include "prescreen/hash/pdq.h"

#include <check.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct raster {
    char name[80];
    struct picture_shape shape; /* PIXEL_GRAY or PIXEL_RGB */
    uint8_t *samples;           /* owned */
    struct pdq_result expected;
};

static inline size_t raster_row_bytes(const struct picture_shape *shape)
{
    return (size_t)shape->width * pixel_layout_bytes(shape->layout);
}

/* PRESCREEN_SHARED, or ../shared, which tests see from the repository's root. */
static inline const char *shared_folder(void)
{
    const char *folder = getenv("PRESCREEN_SHARED");

    return folder != NULL ? folder : "../shared";
}

/* Opens the table of the rasters. NULL when it is absent, which it says. */
static inline FILE *rasters_open(void)
{
    char path[512];

    snprintf(path, sizeof path, "%s/pdq/vectors.tsv", shared_folder());
    FILE *table = fopen(path, "r");
    if (table == NULL)
        printf("# skipped: reads %s, which is absent\n", path);
    return table;
}

static inline void raster_load_samples(struct raster *raster)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    char path[512];

    snprintf(path, sizeof path, "%s/pdq/rasters/%s", shared_folder(), raster->name);
    ck_assert_msg(png_image_begin_read_from_file(&png, path), "%s: %s", path, png.message);
    ck_assert_uint_eq(png.width, raster->shape.width);
    ck_assert_uint_eq(png.height, raster->shape.height);
    png.format = raster->shape.layout == PIXEL_GRAY ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    raster->samples = malloc(PNG_IMAGE_SIZE(png));
    ck_assert_ptr_nonnull(raster->samples);
    ck_assert(png_image_finish_read(&png, NULL, raster->samples, 0, NULL));
}

/* Reads the next raster of the table. Returns false at its end. Ownership: raster->samples is the caller's.
 */
static inline bool rasters_next(FILE *table, struct raster *raster)
{
    char line[1024];
    char hex[ORIENTATION_COUNT][65];
    unsigned int channels;

    raster->shape = (struct picture_shape){.width = 0};
    do {
        if (fgets(line, sizeof line, table) == NULL)
            return false;
    } while (line[0] == '#');
    ck_assert_int_eq(sscanf(line, "%79s %u %u %u %d %64s %64s %64s %64s %64s %64s %64s %64s", raster->name,
                            &raster->shape.width, &raster->shape.height, &channels, &raster->expected.quality,
                            hex[0], hex[1], hex[2], hex[3], hex[4], hex[5], hex[6], hex[7]),
                     13);
    raster->shape.layout = channels == 1 ? PIXEL_GRAY : PIXEL_RGB;
    for (int i = 0; i < ORIENTATION_COUNT; i++)
        ck_assert(pdq_from_hex(hex[i], 64, &raster->expected.hashes[i]));
    raster_load_samples(raster);
    return true;
}

/* Reads the raster of that name. Returns false when the rasters are absent. */
static inline bool raster_load(const char *name, struct raster *raster)
{
    FILE *table = rasters_open();
    bool is_found = false;

    if (table == NULL)
        return false;
    while (!is_found && rasters_next(table, raster)) {
        is_found = strcmp(raster->name, name) == 0;
        if (!is_found)
            free(raster->samples);
    }
    fclose(table);
    ck_assert_msg(is_found, "%s is not in the table", name);
    return true;
}

/* The same sequence on every machine: xorshift64*. */
static inline uint8_t random_byte(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint8_t)((*state * 0x2545f4914f6cdd1dU) >> 56);
}

/* Draws a picture of its own for each seed: squares of all sizes over each other, with some noise. Ownership:
 * the caller's. */
static inline uint8_t *picture_draw(const struct picture_shape *shape, uint64_t seed)
{
    unsigned int values = pixel_layout_bytes(shape->layout);
    size_t row = raster_row_bytes(shape);
    uint64_t state = seed * 2 + 1;
    uint8_t *samples = malloc(row * shape->height);

    ck_assert_ptr_nonnull(samples);
    memset(samples, 0x60, row * shape->height);
    for (int square = 0; square < 40; square++) {
        uint32_t size =
            1 + (shape->width > shape->height ? shape->width : shape->height) / (2 + (uint32_t)square);
        uint32_t left = (uint32_t)random_byte(&state) * shape->width / 256;
        uint32_t top = (uint32_t)random_byte(&state) * shape->height / 256;
        uint8_t colour[4];
        for (int i = 0; i < 4; i++)
            colour[i] = random_byte(&state);
        for (uint32_t y = top; y < shape->height && y - top < size; y++)
            for (uint32_t x = left; x < shape->width && x - left < size; x++)
                memcpy(samples + y * row + (size_t)x * values, colour, values);
    }
    for (size_t i = 0; i < row * shape->height; i++)
        samples[i] = (uint8_t)(samples[i] ^ (random_byte(&state) & 7));
    return samples;
}

/* Hashes a whole raster by the stream. */
static inline void picture_hash(const struct picture_shape *shape, enum pdq_backdrop backdrop,
                                enum cpu_level level, const uint8_t *samples, struct pdq_result *result)
{
    struct pdq_stream *stream = NULL;

    ck_assert_int_eq(pdq_stream_create(shape, backdrop, level, &stream), 0);
    for (uint32_t y = 0; y < shape->height; y++)
        pdq_stream_add_row(stream, samples + y * raster_row_bytes(shape));
    pdq_stream_finish(stream, result);
    pdq_stream_free(stream);
}

#endif
