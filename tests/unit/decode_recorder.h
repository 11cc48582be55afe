/* A sink that keeps what it is given and checks the order of the calls, for the tests of the decoders. */
#ifndef PRESCREEN_TESTS_UNIT_DECODE_RECORDER_H
#define PRESCREEN_TESTS_UNIT_DECODE_RECORDER_H

#include "prescreen/decode/decode.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORDER_KEEPS_BYTES = 1 << 24, /* of a larger picture only the rows are counted */
    RECORDER_SHAPES = 16,           /* of more pictures than these only the first are kept */
};

/* Check writes a line to a file for each ck_assert, which is dear where there is one for each row of many
 * frames.
 */
#define RECORDER_HOLDS(condition)                                                                            \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            ck_abort_msg("the recorder expects that %s", #condition);                                        \
    } while (0)

/* All zero but for wishes and answers. */
struct recorder {
    unsigned int keeps;  /* the picture of which shape, rows and pixels are kept, counted from 0 */
    bool colours;        /* are asked for */
    int begin_status;    /* to answer, to the first begin; */
    uint32_t fail_row;   /* to the row with that number, counted over all pictures: */
    int row_status;      /* that */
    unsigned int begins; /* pictures so far */
    struct picture_shape shapes[RECORDER_SHAPES];
    struct picture_shape shape;
    uint32_t rows;
    size_t row_bytes;
    uint8_t *pixels;
    struct picture_shape current; /* the picture under way, and its rows so far */
    uint32_t current_rows;
    uint32_t all_rows;
    uint32_t last_frame;  /* of a main picture */
    unsigned int partial; /* main pictures that ended before their last row */
    unsigned int late;    /* calls after a refusal */
    bool refused;
    uint64_t sum; /* so that every sample is read */
};

static inline void recorder_end_picture(struct recorder *recorder)
{
    if (recorder->begins > 0 && recorder->current.view == VIEW_MAIN &&
        recorder->current_rows < recorder->current.height)
        recorder->partial++;
}

/* Main pictures come in the order of their frames, then thumbnails. */
static inline void recorder_check_shape(const struct recorder *recorder, const struct picture_shape *shape)
{
    RECORDER_HOLDS(shape->width >= 1);
    RECORDER_HOLDS(shape->height >= 1);
    RECORDER_HOLDS(shape->layout <= PIXEL_RGBA);
    RECORDER_HOLDS(shape->reduction == 0);
    RECORDER_HOLDS(shape->exif <= 8);
    RECORDER_HOLDS(shape->view == VIEW_MAIN || shape->view == VIEW_THUMBNAIL);
    if (shape->view == VIEW_MAIN && recorder->begins > 0) {
        RECORDER_HOLDS(recorder->current.view == VIEW_MAIN);
        RECORDER_HOLDS(shape->frame > recorder->last_frame);
    }
}

static inline int recorder_begin(void *context, const struct picture_shape *shape)
{
    struct recorder *recorder = context;

    recorder->late += recorder->refused ? 1 : 0;
    recorder_check_shape(recorder, shape);
    recorder_end_picture(recorder);
    recorder->current = *shape;
    recorder->current_rows = 0;
    if (shape->view == VIEW_MAIN)
        recorder->last_frame = shape->frame;
    if (recorder->begins < RECORDER_SHAPES)
        recorder->shapes[recorder->begins] = *shape;
    if (recorder->begins++ == recorder->keeps) {
        recorder->shape = *shape;
        recorder->row_bytes = (size_t)shape->width * pixel_layout_bytes(shape->layout);
        if (recorder->row_bytes * shape->height <= RECORDER_KEEPS_BYTES)
            recorder->pixels = calloc(shape->height, recorder->row_bytes);
    }
    recorder->refused = recorder->begin_status != 0;
    return recorder->begin_status;
}

static inline int recorder_row(void *context, const uint8_t *samples)
{
    struct recorder *recorder = context;
    size_t bytes = (size_t)recorder->current.width * pixel_layout_bytes(recorder->current.layout);

    RECORDER_HOLDS(recorder->begins >= 1);
    RECORDER_HOLDS(recorder->current_rows < recorder->current.height);
    recorder->late += recorder->refused ? 1 : 0;
    if (recorder->begins == recorder->keeps + 1) {
        if (recorder->pixels != NULL)
            memcpy(recorder->pixels + recorder->rows * bytes, samples, bytes);
        recorder->rows++;
    }
    for (size_t i = 0; i < bytes; i += 64)
        recorder->sum += samples[i];
    recorder->sum += samples[bytes - 1];
    recorder->current_rows++;
    if (recorder->all_rows++ != recorder->fail_row || recorder->row_status == 0)
        return 0;
    recorder->refused = true;
    return recorder->row_status;
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

/* What holds of every decoding that the sink did not stop. */
static inline void recorder_check_report(const struct recorder *recorder, const struct decode_report *report)
{
    const reason_set left_out = REASON_BIT(REASON_MEDIA_LIMIT_FRAMES);

    for (unsigned int i = 0; i < recorder->begins && i < RECORDER_SHAPES; i++)
        ck_assert_uint_lt(recorder->shapes[i].frame, report->frames);
    if ((report->reasons & ~left_out) == 0) {
        ck_assert_uint_ge(recorder->begins, 1);
        ck_assert_uint_eq(recorder->partial, 0);
    }
}

/* Decodes into the recorder, which must be zero but for what it is to keep and to answer. */
static inline int record_with(const struct decode_codecs *codecs, const uint8_t *data, size_t size,
                              const struct decode_limits *limits, struct recorder *recorder,
                              struct decode_report *report)
{
    const struct row_sink sink = {
        .context = recorder, .begin = recorder_begin, .row = recorder_row, .colours = recorder->colours};

    int status = decode_picture(codecs, data, size, limits, &sink, report);
    recorder_end_picture(recorder);
    if (!recorder->refused)
        recorder_check_report(recorder, report);
    return status;
}

static inline int record(const uint8_t *data, size_t size, const struct decode_limits *limits,
                         struct recorder *recorder, struct decode_report *report)
{
    return record_with(&decode_codecs_plain, data, size, limits, recorder, report);
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
