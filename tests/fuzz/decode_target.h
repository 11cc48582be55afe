/* What every fuzz target of a decoder does: decodes the bytes into a sink that holds the decoder to its
 * contract. */
#ifndef PRESCREEN_TESTS_FUZZ_DECODE_TARGET_H
#define PRESCREEN_TESTS_FUZZ_DECODE_TARGET_H

#include "prescreen/base/bug.h"
#include "prescreen/decode/decode.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef FUZZ_CODECS
#define FUZZ_CODECS decode_codecs_plain
#endif

/* Small enough for thousands of inputs a second, large enough for every path. */
static const struct decode_limits fuzz_limits = {
    .pixels = 1 << 17, .edge = 4096, .scans = 12, .memory_bytes = 1 << 24};

enum { FUZZ_PICTURES = 24 };

struct fuzz_sink {
    struct picture_shape first;
    struct picture_shape shape; /* of the picture under way */
    unsigned int begins;
    uint32_t rows; /* of the picture under way */
    uint32_t all_rows;
    uint32_t last_frame;
    uint32_t refuse_row; /* the row that is refused, counted over all pictures, UINT32_MAX for none */
    int refusal;
    bool partial;         /* a main picture ended before its last row */
    volatile uint8_t sum; /* so that every sample is read, also by an optimiser */
};

static void fuzz_end_picture(struct fuzz_sink *sink)
{
    if (sink->begins > 0 && sink->shape.view == VIEW_MAIN && sink->rows < sink->shape.height)
        sink->partial = true;
}

static int fuzz_begin(void *context, const struct picture_shape *shape)
{
    struct fuzz_sink *sink = context;

    BUG_ON(sink->refusal != 0);
    BUG_ON(shape->width == 0 || shape->height == 0);
    BUG_ON(shape->width > fuzz_limits.edge || shape->height > fuzz_limits.edge);
    BUG_ON((uint64_t)shape->width * shape->height > fuzz_limits.pixels);
    BUG_ON(shape->layout > PIXEL_RGBA || shape->reduction != 0 || shape->exif > 8);
    BUG_ON(shape->view != VIEW_MAIN && shape->view != VIEW_THUMBNAIL);
    if (shape->view == VIEW_MAIN) {
        BUG_ON(sink->begins > 0 && (sink->shape.view != VIEW_MAIN || shape->frame <= sink->last_frame));
        sink->last_frame = shape->frame;
    }
    fuzz_end_picture(sink);
    if (sink->begins == 0)
        sink->first = *shape;
    sink->shape = *shape;
    sink->rows = 0;
    sink->refusal = ++sink->begins > FUZZ_PICTURES ? ROW_SINK_ENOUGH : 0;
    return sink->refusal;
}

static int fuzz_row(void *context, const uint8_t *samples)
{
    struct fuzz_sink *sink = context;
    size_t bytes = (size_t)sink->shape.width * pixel_layout_bytes(sink->shape.layout);
    uint8_t sum = 0;

    BUG_ON(sink->begins == 0 || sink->refusal != 0);
    BUG_ON(sink->rows++ >= sink->shape.height);
    for (size_t i = 0; i < bytes; i++)
        sum ^= samples[i];
    sink->sum = sum;
    sink->refusal = sink->all_rows++ == sink->refuse_row ? -ECANCELED : 0;
    return sink->refusal;
}

static void fuzz_check_report(const struct decode_report *report, const struct fuzz_sink *sink)
{
    const reason_set media = REASON_BIT(REASON_MEDIA_UNRECOGNISED) | REASON_BIT(REASON_MEDIA_UNSUPPORTED) |
                             REASON_BIT(REASON_MEDIA_CORRUPT) | REASON_BIT(REASON_MEDIA_LIMIT_PIXELS) |
                             REASON_BIT(REASON_MEDIA_LIMIT_FRAMES) | REASON_BIT(REASON_MEDIA_LIMIT_TIME) |
                             REASON_BIT(REASON_MEDIA_LIMIT_MEMORY);
    size_t length = strnlen(report->detail, sizeof report->detail);

    BUG_ON((report->reasons & ~media) != 0);
    BUG_ON(report->exif < 1 || report->exif > 8);
    BUG_ON(length == sizeof report->detail);
    for (size_t i = 0; i < length; i++)
        BUG_ON(report->detail[i] < 0x20 || report->detail[i] > 0x7e);
    BUG_ON(sink->begins > 0 && sink->first.view == VIEW_MAIN && sink->first.frame == 0 &&
           (sink->first.width != report->width || sink->first.height != report->height));
    BUG_ON(sink->begins > 0 && sink->last_frame >= report->frames);
    if (sink->refusal != 0)
        return;
    BUG_ON((report->reasons != 0) != (length > 0));
    bool whole = sink->begins > 0 && sink->first.view == VIEW_MAIN && !sink->partial;
    BUG_ON((report->reasons & ~REASON_BIT(REASON_MEDIA_LIMIT_FRAMES)) == 0 && !whole);
    BUG_ON((report->reasons & REASON_BIT(REASON_MEDIA_LIMIT_FRAMES)) != 0 && report->frames < 2);
}

static void fuzz_decode(const uint8_t *data, size_t size, uint32_t refuse_row)
{
    struct fuzz_sink state = {.refuse_row = refuse_row};
    const struct row_sink sink = {.context = &state, .begin = fuzz_begin, .row = fuzz_row};
    struct decode_report report;
    int status = decode_picture(&FUZZ_CODECS, data, size, &fuzz_limits, &sink, &report);

    BUG_ON(status != state.refusal);
    fuzz_end_picture(&state);
    fuzz_check_report(&report, &state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_decode(data, size, UINT32_MAX);
    if (size % 16 == 0)
        fuzz_decode(data, size, (uint32_t)size / 16 % 64);
    return 0;
}

#endif
