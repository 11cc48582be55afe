#include "timing.h"

#include "prescreen/base/clock.h"
#include "prescreen/hash/pdq.h"

#include "slow_way.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PARTS_MAX = 5 };

/* A decoded picture as 8-bit luma. */
struct frame {
    struct picture_shape shape; /* layout PIXEL_GRAY */
    enum pixel_layout source;
    uint8_t *luma;
    uint32_t rows;
};

/* Everything that is measured, and what it is measured on. */
struct subject {
    const uint8_t *data;
    size_t size;
    struct examine_orders orders;
    struct frame frame;
    float *float_luma; /* what the reference takes */
    struct pdq_result result;
    struct pdq_result reference_result;
    struct pdq_result full_result;
    struct examination *examination;
};

static int begin_nothing(void *context, const struct picture_shape *shape)
{
    unsigned int *pictures = context;

    (void)shape;
    return (*pictures)++ > 0 ? ROW_SINK_ENOUGH : 0;
}

static int drop_row(void *context, const uint8_t *samples)
{
    (void)context;
    (void)samples;
    return 0;
}

static unsigned int reduce_for_pdq(void *context, uint32_t width, uint32_t height)
{
    (void)context;
    return pdq_reduction_max(width, height);
}

static int begin_frame(void *context, const struct picture_shape *shape)
{
    struct frame *frame = context;

    if (frame->luma != NULL)
        return ROW_SINK_ENOUGH;
    if (shape->width < PDQ_EDGE_MIN || shape->height < PDQ_EDGE_MIN)
        return -EINVAL;
    frame->shape = *shape;
    frame->shape.layout = PIXEL_GRAY;
    frame->source = shape->layout;
    frame->luma = calloc(shape->height, shape->width);
    return frame->luma == NULL ? -ENOMEM : 0;
}

static int keep_row(void *context, const uint8_t *samples)
{
    struct frame *frame = context;
    unsigned int bytes = pixel_layout_bytes(frame->source);
    bool colour = bytes >= 3;

    if (frame->rows >= frame->shape.height)
        return 0;
    uint8_t *row = frame->luma + (size_t)frame->rows++ * frame->shape.width;
    for (uint32_t x = 0; x < frame->shape.width; x++, samples += bytes) {
        unsigned int luma = samples[0];
        if (colour)
            luma = (299U * samples[0] + 587U * samples[1] + 114U * samples[2] + 500U) / 1000U;
        row[x] = (uint8_t)luma;
    }
    return 0;
}

static int run_decode(struct subject *subject)
{
    unsigned int pictures = 0;
    struct row_sink sink = {
        .context = &pictures, .begin = begin_nothing, .row = drop_row, .reduction = reduce_for_pdq};
    struct decode_report report = {.format = FORMAT_UNKNOWN};
    int result = decode_picture(subject->orders.codecs, subject->data, subject->size,
                                &subject->orders.limits.decode, &sink, &report);

    return result < 0 ? result : 0;
}

static int examine_with(struct subject *subject, enum effort effort)
{
    subject->orders.effort = effort;
    examine_upload(subject->data, subject->size, &subject->orders, subject->examination);
    return 0;
}

static int run_fast(struct subject *subject)
{
    return examine_with(subject, EFFORT_FAST);
}

static int run_standard(struct subject *subject)
{
    return examine_with(subject, EFFORT_STANDARD);
}

static int run_thorough(struct subject *subject)
{
    return examine_with(subject, EFFORT_THOROUGH);
}

static int run_full(struct subject *subject)
{
    return slow_way_hash(subject->orders.codecs, subject->data, subject->size, &subject->orders.limits.decode,
                         &subject->full_result);
}

static int run_hash(struct subject *subject)
{
    const struct frame *frame = &subject->frame;
    struct pdq_stream *stream = NULL;
    int result = pdq_stream_create(&frame->shape, PDQ_OVER_WHITE, subject->orders.cpu, &stream);

    if (result != 0)
        return result;
    for (uint32_t y = 0; y < frame->shape.height; y++)
        pdq_stream_add_row(stream, frame->luma + (size_t)y * frame->shape.width);
    pdq_stream_finish(stream, &subject->result);
    pdq_stream_free(stream);
    return 0;
}

static int run_reference(struct subject *subject)
{
    const struct picture_shape *shape = &subject->frame.shape;

    return pdq_hash_reference(subject->float_luma, shape->width, shape->height, &subject->reference_result);
}

static int compare_times(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

/* One thing to be timed. */
struct part {
    int (*run)(struct subject *subject);
    struct worker_timing *timing;
};

/* Times all parts in turn, so that a busy machine slows all of them alike. */
static int time_parts(struct subject *subject, const struct part *parts, size_t count, uint32_t repeats)
{
    uint64_t times[PARTS_MAX][MEASURE_REPEATS_MAX] = {{0}};

    for (uint32_t i = 0; i < repeats; i++) {
        for (size_t k = 0; k < count; k++) {
            uint64_t start = clock_monotonic_us();
            int result = parts[k].run(subject);
            times[k][i] = clock_monotonic_us() - start;
            if (result != 0)
                return result;
        }
    }
    for (size_t k = 0; k < count; k++) {
        qsort(times[k], repeats, sizeof times[k][0], compare_times);
        *parts[k].timing =
            (struct worker_timing){.minimum_us = times[k][0], .median_us = times[k][repeats / 2]};
    }
    return 0;
}

/* Decodes the frame that the hashes are measured on. Returns the reasons why there is none, else 0. */
static reason_set prepare(struct subject *subject, struct worker_measurement *measured)
{
    struct row_sink sink = {.context = &subject->frame, .begin = begin_frame, .row = keep_row};
    struct decode_report report = {.format = FORMAT_UNKNOWN};
    int result = decode_picture(subject->orders.codecs, subject->data, subject->size,
                                &subject->orders.limits.decode, &sink, &report);
    size_t pixels = (size_t)subject->frame.shape.width * subject->frame.shape.height;

    if ((report.reasons & ~REASON_BIT(REASON_MEDIA_LIMIT_FRAMES)) != 0)
        return report.reasons;
    if (result < 0 || subject->frame.luma == NULL)
        return REASON_BIT(result == -ENOMEM ? REASON_MEDIA_LIMIT_MEMORY : REASON_MEDIA_UNSUPPORTED);
    subject->float_luma = calloc(pixels, sizeof(float));
    subject->examination = calloc(1, sizeof *subject->examination);
    if (subject->float_luma == NULL || subject->examination == NULL)
        return REASON_BIT(REASON_MEDIA_LIMIT_MEMORY);
    for (size_t i = 0; i < pixels; i++)
        subject->float_luma[i] = subject->frame.luma[i];
    measured->format = report.format;
    measured->width = report.width;
    measured->height = report.height;
    return 0;
}

static int measure_parts(struct subject *subject, uint32_t repeats, struct worker_measurement *measured)
{
    const struct part ours[] = {
        {run_decode, &measured->decode},
        {run_fast, &measured->examine[EFFORT_FAST]},
        {run_standard, &measured->examine[EFFORT_STANDARD]},
        {run_thorough, &measured->examine[EFFORT_THOROUGH]},
        {run_hash, &measured->hash},
    };
    const struct part references[] = {{run_reference, &measured->reference}, {run_full, &measured->full}};
    uint32_t few = repeats < MEASURE_REFERENCE_REPEATS_MAX ? repeats : MEASURE_REFERENCE_REPEATS_MAX;
    int result = time_parts(subject, ours, sizeof ours / sizeof ours[0], repeats);

    if (result == 0)
        result = time_parts(subject, references, sizeof references / sizeof references[0], few);
    return result;
}

static void compare_results(const struct subject *subject, struct worker_measurement *measured)
{
    const struct examination *examination = subject->examination;
    const struct pdq_hash *full = &subject->full_result.hashes[ORIENTATION_ORIGINAL];

    measured->full_distance_bits =
        examination->view_count == 0
            ? 256
            : (uint32_t)pdq_distance(&examination->views[0].hashes[ORIENTATION_ORIGINAL], full);
    measured->distance_bits = (uint32_t)pdq_distance(&subject->result.hashes[ORIENTATION_ORIGINAL],
                                                     &subject->reference_result.hashes[ORIENTATION_ORIGINAL]);
    measured->quality = (uint32_t)subject->result.quality;
    measured->reference_quality = (uint32_t)subject->reference_result.quality;
}

reason_set timing_measure(const uint8_t *data, size_t size, const struct examine_orders *orders,
                          uint32_t repeats, struct worker_measurement *measured)
{
    struct subject subject = {.data = data, .size = size, .orders = *orders};

    *measured = (struct worker_measurement){.format = FORMAT_UNKNOWN};
    reason_set reasons = prepare(&subject, measured);
    if (reasons == 0 && measure_parts(&subject, repeats, measured) != 0)
        reasons = REASON_BIT(REASON_MEDIA_LIMIT_MEMORY);
    if (reasons == 0)
        compare_results(&subject, measured);
    else
        *measured = (struct worker_measurement){.format = FORMAT_UNKNOWN};
    free(subject.frame.luma);
    free(subject.float_luma);
    free(subject.examination);
    return reasons;
}
