/* A sink that keeps what it is given and checks the order of the calls, for the tests of the decoders. */
#ifndef PRESCREEN_TESTS_UNIT_DECODE_RECORDER_H
#define PRESCREEN_TESTS_UNIT_DECODE_RECORDER_H

#include "prescreen/decode/decode.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDER_KEEPS_BYTES = 1 << 24 }; /* of a larger picture only the rows are counted */

struct recorder {
    struct picture_shape shape;
    unsigned int begins;
    uint32_t rows;
    size_t row_bytes;
    uint8_t *pixels;
    uint64_t sum;      /* so that every sample is read */
    int begin_status;  /* to answer */
    uint32_t fail_row; /* the row that is answered with row_status */
    int row_status;
    unsigned int late; /* calls after a refusal */
};

static inline int recorder_begin(void *context, const struct picture_shape *shape)
{
    struct recorder *recorder = context;

    ck_assert_uint_eq(recorder->begins++, 0);
    ck_assert_uint_ge(shape->width, 1);
    ck_assert_uint_ge(shape->height, 1);
    recorder->shape = *shape;
    recorder->row_bytes = (size_t)shape->width * pixel_layout_bytes(shape->layout);
    if (recorder->row_bytes * shape->height <= RECORDER_KEEPS_BYTES)
        recorder->pixels = calloc(shape->height, recorder->row_bytes);
    return recorder->begin_status;
}

static inline int recorder_row(void *context, const uint8_t *samples)
{
    struct recorder *recorder = context;

    ck_assert_uint_eq(recorder->begins, 1);
    ck_assert_uint_lt(recorder->rows, recorder->shape.height);
    if (recorder->row_status != 0 && recorder->rows > recorder->fail_row)
        recorder->late++;
    if (recorder->pixels != NULL)
        memcpy(recorder->pixels + recorder->rows * recorder->row_bytes, samples, recorder->row_bytes);
    for (size_t i = 0; i < recorder->row_bytes; i += 64)
        recorder->sum += samples[i];
    recorder->sum += samples[recorder->row_bytes - 1];
    return recorder->rows++ == recorder->fail_row ? recorder->row_status : 0;
}

static inline void recorder_free(struct recorder *recorder)
{
    free(recorder->pixels);
    recorder->pixels = NULL;
}

static inline const uint8_t *recorder_pixel(const struct recorder *recorder, uint32_t x, uint32_t y)
{
    ck_assert_ptr_nonnull(recorder->pixels);
    ck_assert_uint_lt(y, recorder->rows);
    ck_assert_uint_lt(x, recorder->shape.width);
    return recorder->pixels + y * recorder->row_bytes +
           (size_t)x * pixel_layout_bytes(recorder->shape.layout);
}

static const struct decode_limits roomy = {
    .pixels = 50000000, .edge = 16384, .scans = 100, .memory_bytes = (uint64_t)512 << 20};

/* Decodes into the recorder, which must be zero but for the answers it is to give. */
static inline int record(const uint8_t *data, size_t size, const struct decode_limits *limits,
                         struct recorder *recorder, struct decode_report *report)
{
    const struct row_sink sink = {.context = recorder, .begin = recorder_begin, .row = recorder_row};

    return decode_picture(data, size, limits, &sink, report);
}

/* Reads a file that must be there; the caller frees it. */
static inline uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");

    ck_assert_msg(file != NULL, "%s cannot be opened", path);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*size + 1);
    ck_assert_uint_eq(fread(data, 1, *size, file), *size);
    fclose(file);
    return data;
}

#endif
