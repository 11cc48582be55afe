#include "examine.h"

#include "prescreen/base/clock.h"
#include "prescreen/image/orientation.h"

#include "canvas.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
    /* Panoramas end below this; beyond it a row costs more memory than its picture is worth. */
    EDGE_MAX = 32768,
    /* A progressive JPEG of a camera or an editor has 10; each scan costs a pass over the whole picture. */
    SCANS_MAX = 100,
    /* A look at the clock costs about as much as a row of 100 pixels. */
    ROWS_BETWEEN_LOOKS = 16,
    /* Derived views of frames stand before it. */
    DERIVED_END = EXAMINATION_VIEWS_MAX / 2,
    /* The radius of the main picture (31) less that of a thumbnail (24), by default: what is near a thumbnail
     * that is as near to its picture is near the picture, too. */
    THUMBNAIL_REPEATS_BITS = 7,
};

/* An examination in progress. */
struct examiner {
    const struct examine_orders *orders;
    struct examination *examination;
    struct canvas canvas;
    uint64_t rows;        /* of all pictures */
    uint32_t frame_first; /* the views of the frame before: from here */
    uint32_t frame_count; /* so many */
    reason_set reasons;   /* why it stopped before the decoder did */
};

struct examine_limits examine_limits_for(const struct decode_codecs *codecs, uint64_t size,
                                         uint64_t memory_bytes, uint64_t pixels_max, uint32_t frames_max)
{
    uint64_t reserve = decode_codecs_memory(codecs);
    uint64_t taken = size > UINT64_MAX - reserve ? UINT64_MAX : size + reserve;

    return (struct examine_limits){
        .decode = {.pixels = pixels_max,
                   .edge = EDGE_MAX,
                   .scans = SCANS_MAX,
                   .memory_bytes = memory_bytes > taken ? memory_bytes - taken : 0},
        .frames = frames_max,
    };
}

static int stop_for(struct examiner *examiner, enum reason reason)
{
    examiner->reasons |= REASON_BIT(reason);
    return ROW_SINK_ENOUGH;
}

/* Looks the same as the frame before, all eight ways and under its alpha. */
static bool repeats_frame_before(const struct examiner *examiner, const struct examined_view *views,
                                 uint32_t count)
{
    const struct examined_view *before = &examiner->examination->views[examiner->frame_first];

    if (count != examiner->frame_count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (views[i].view != before[i].view || views[i].quality != before[i].quality ||
            memcmp(views[i].hashes, before[i].hashes, sizeof views[i].hashes) != 0)
            return false;
    }
    return true;
}

/* A thumbnail that shows what its picture shows finds nothing that the picture does not. */
static bool repeats_its_picture(const struct examiner *examiner, const struct examined_view *thumbnail)
{
    const struct examination *examination = examiner->examination;

    for (uint32_t i = 0; thumbnail->view == VIEW_THUMBNAIL && i < examination->view_count; i++) {
        const struct examined_view *view = &examination->views[i];
        if (view->view == VIEW_MAIN && view->frame == thumbnail->frame &&
            pdq_distance(&view->hashes[ORIENTATION_ORIGINAL], &thumbnail->hashes[ORIENTATION_ORIGINAL]) <=
                THUMBNAIL_REPEATS_BITS)
            return true;
    }
    return false;
}

static bool derives(const struct examine_orders *orders, const struct picture_shape *shape)
{
    return (orders->effort != EFFORT_FAST || orders->enrolment) && shape->view == VIEW_MAIN;
}

/* Further views of the picture whose main view is the last that was found. Half of the room is kept for the
 * main views of frames to come: a long animation is looked at frame by frame, but seen through only as far as
 * that goes. */
static int derive_views(struct examiner *examiner, const struct examined_view *shown)
{
    const struct examine_orders *orders = examiner->orders;
    struct examination *examination = examiner->examination;
    uint32_t count = examination->view_count;
    struct canvas_derived derived = {.views = &examination->views[count],
                                     .room = count < DERIVED_END ? DERIVED_END - count : 0};
    int result = orders->enrolment
                     ? canvas_enrol(&examiner->canvas, shown, orders->cpu, &derived)
                     : canvas_derive(&examiner->canvas, shown, orders->effort, orders->cpu, &derived);

    examination->view_count += derived.count;
    return result;
}

/* Errors: -ENOMEM. */
static int finish_picture(struct examiner *examiner)
{
    struct examination *examination = examiner->examination;
    struct examined_view *views = &examination->views[examination->view_count];
    uint32_t count = canvas_finish(&examiner->canvas, views);
    int result = 0;

    if (count > 0 && !repeats_frame_before(examiner, views, count) && !repeats_its_picture(examiner, views)) {
        examiner->frame_first = examination->view_count;
        examiner->frame_count = count;
        examination->view_count += count;
        result = derive_views(examiner, views);
    }
    canvas_clear(&examiner->canvas);
    return result;
}

static int begin_picture(void *context, const struct picture_shape *shape)
{
    struct examiner *examiner = context;

    int result = finish_picture(examiner);
    if (result != 0)
        return result;
    if (shape->frame >= examiner->orders->limits.frames ||
        examiner->examination->view_count > EXAMINATION_VIEWS_MAX - 2 * CANVAS_VIEWS_MAX)
        return stop_for(examiner, REASON_MEDIA_LIMIT_FRAMES);
    if (clock_monotonic_us() >= examiner->orders->deadline_us)
        return stop_for(examiner, REASON_MEDIA_LIMIT_TIME);
    return canvas_begin(&examiner->canvas, shape, derives(examiner->orders, shape), examiner->orders->cpu);
}

static int take_row(void *context, const uint8_t *samples)
{
    struct examiner *examiner = context;

    canvas_add_row(&examiner->canvas, samples);
    if (++examiner->rows % ROWS_BETWEEN_LOOKS == 0 && clock_monotonic_us() >= examiner->orders->deadline_us)
        return stop_for(examiner, REASON_MEDIA_LIMIT_TIME);
    return 0;
}

static unsigned int choose_reduction(void *context, uint32_t width, uint32_t height)
{
    (void)context;
    return pdq_reduction_max(width, height);
}

static void note_pictures(const struct decode_report *report, struct examination *examination)
{
    bool turned = orientation_steps(orientation_from_exif(report->exif)).transposes;

    examination->format = report->format;
    examination->width = turned ? report->height : report->width;
    examination->height = turned ? report->width : report->height;
    examination->frames = report->frames;
    examination->reasons = report->reasons;
    examination->trailing = report->trailing;
    examination->trailing_bytes = report->trailing_bytes;
    memcpy(examination->detail, report->detail, sizeof examination->detail);
}

void examine_upload(const uint8_t *data, size_t size, const struct examine_orders *orders,
                    struct examination *examination)
{
    struct decode_report report = {.format = FORMAT_UNKNOWN};
    struct examiner examiner = {.orders = orders, .examination = examination};
    struct row_sink sink = {
        .context = &examiner, .begin = begin_picture, .row = take_row, .reduction = choose_reduction};

    examination->view_count = 0;
    examination->decode_us = 0;
    int result = decode_picture(orders->codecs, data, size, &orders->limits.decode, &sink, &report);
    note_pictures(&report, examination);
    examination->reasons |= examiner.reasons;
    int last = finish_picture(&examiner);
    if (result >= 0)
        result = last;
    if (result < 0)
        examination->reasons |=
            REASON_BIT(result == -ENOMEM ? REASON_MEDIA_LIMIT_MEMORY : REASON_MEDIA_CORRUPT);
    if (report.frames > orders->limits.frames)
        examination->reasons |= REASON_BIT(REASON_MEDIA_LIMIT_FRAMES);
    if (examiner.rows == 0 && examination->reasons == 0)
        examination->reasons =
            REASON_BIT(REASON_MEDIA_CORRUPT); /* whatever the codec says: nothing was seen */
}
