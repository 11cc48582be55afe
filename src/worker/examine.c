#include "examine.h"

#include "prescreen/base/bug.h"
#include "prescreen/hash/pdq.h"
#include "prescreen/image/orientation.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
    /* Panoramas end below this; beyond it a row costs more memory than its picture is worth. */
    EDGE_MAX = 32768,
    /* A progressive JPEG of a camera or an editor has 10; each scan costs a pass over the whole picture. */
    SCANS_MAX = 100,
};
/* Program, libraries and stack, and the little that is allocated beside the codec. */
static const uint64_t memory_reserve = (uint64_t)40 << 20;

static const enum pdq_backdrop backdrops[VIEW_COUNT] = {
    [VIEW_MAIN] = PDQ_OVER_WHITE,
    [VIEW_UNDER_ALPHA] = PDQ_UNDER_ALPHA,
    [VIEW_OVER_BLACK] = PDQ_OVER_BLACK,
};

/* The hashes in progress. A view that is not taken has no stream. */
struct canvas {
    enum cpu_level cpu;
    const struct decode_report *report; /* its EXIF orientation is known before the first row */
    uint64_t rows;
    struct pdq_stream *streams[VIEW_COUNT]; /* of the picture as shown */
    struct pdq_stream *stored;              /* of the picture as stored, when that is turned */
};

struct examine_limits examine_limits_for(uint64_t size, uint64_t memory_bytes, uint64_t pixels_max,
                                         uint32_t frames_max)
{
    uint64_t taken = size > UINT64_MAX - memory_reserve ? UINT64_MAX : size + memory_reserve;

    return (struct examine_limits){
        .decode = {.pixels = pixels_max,
                   .edge = EDGE_MAX,
                   .scans = SCANS_MAX,
                   .memory_bytes = memory_bytes > taken ? memory_bytes - taken : 0},
        .frames = frames_max,
    };
}

static int begin_hashes(void *context, const struct picture_shape *shape)
{
    struct canvas *canvas = context;
    bool alpha = shape->layout == PIXEL_GRAY_ALPHA || shape->layout == PIXEL_RGBA;
    enum orientation upright = orientation_from_exif(canvas->report->exif);
    int result = 0;

    BUG_ON(canvas->streams[VIEW_MAIN] != NULL);
    if (shape->width < PDQ_EDGE_MIN || shape->height < PDQ_EDGE_MIN)
        return 0;
    for (int view = 0; result == 0 && view < (alpha ? VIEW_COUNT : VIEW_MAIN + 1); view++) {
        result = pdq_stream_create(shape, backdrops[view], canvas->cpu, &canvas->streams[view]);
        if (result == 0)
            pdq_stream_turn(canvas->streams[view], upright);
    }
    /* PDQ is not quite symmetric (up to 30 bits), and lists are also made from pictures without heeding their
     * EXIF. */
    if (result == 0 && upright != ORIENTATION_ORIGINAL)
        result = pdq_stream_create(shape, PDQ_OVER_WHITE, canvas->cpu, &canvas->stored);
    return result;
}

static int hash_row(void *context, const uint8_t *samples)
{
    struct canvas *canvas = context;

    canvas->rows++;
    for (int view = 0; view < VIEW_COUNT; view++) {
        if (canvas->streams[view] != NULL)
            pdq_stream_add_row(canvas->streams[view], samples);
    }
    if (canvas->stored != NULL)
        pdq_stream_add_row(canvas->stored, samples);
    return 0;
}

/* before: the turn that result's hashes have not had yet; hashes[o] is always of the picture as shown turned
 * by o. */
static void add_view(struct examination *examination, enum view view, enum orientation before,
                     const struct pdq_result *result)
{
    struct examined_view *added = &examination->views[examination->view_count++];

    *added = (struct examined_view){.view = (uint32_t)view, .quality = (uint32_t)result->quality};
    for (int o = 0; o < ORIENTATION_COUNT; o++)
        added->hashes[o] = result->hashes[orientation_compose(before, (enum orientation)o)];
}

static void finish_views(struct canvas *canvas, struct examination *examination)
{
    struct pdq_result main_result;
    struct pdq_result result;

    if (canvas->streams[VIEW_MAIN] == NULL || canvas->rows == 0)
        return;
    pdq_stream_finish(canvas->streams[VIEW_MAIN], &main_result);
    add_view(examination, VIEW_MAIN, ORIENTATION_ORIGINAL, &main_result);
    if (canvas->stored != NULL) {
        pdq_stream_finish(canvas->stored, &result);
        add_view(examination, VIEW_MAIN, orientation_from_exif(canvas->report->exif), &result);
    }
    for (int view = VIEW_MAIN + 1; view < VIEW_COUNT; view++) {
        if (canvas->streams[view] == NULL)
            continue;
        pdq_stream_finish(canvas->streams[view], &result);
        if (pdq_distance(&result.hashes[ORIENTATION_ORIGINAL], &main_result.hashes[ORIENTATION_ORIGINAL]) !=
            0)
            add_view(examination, (enum view)view, ORIENTATION_ORIGINAL, &result);
    }
}

static void note_picture(const struct decode_report *report, enum orientation upright,
                         struct examination *examination)
{
    bool turned = orientation_steps(upright).transposes;

    examination->format = report->format;
    examination->width = turned ? report->height : report->width;
    examination->height = turned ? report->width : report->height;
    examination->frames = report->frames;
    examination->reasons = report->reasons;
    memcpy(examination->detail, report->detail, sizeof examination->detail);
}

void examine_upload(const uint8_t *data, size_t size, const struct examine_limits *limits, enum cpu_level cpu,
                    struct examination *examination)
{
    struct decode_report report = {.format = FORMAT_UNKNOWN};
    struct canvas canvas = {.cpu = cpu, .report = &report};
    struct row_sink sink = {.context = &canvas, .begin = begin_hashes, .row = hash_row};
    int result = decode_picture(data, size, &limits->decode, &sink, &report);
    enum orientation upright = orientation_from_exif(report.exif);

    *examination = (struct examination){.view_count = 0};
    note_picture(&report, upright, examination);
    if (result != 0)
        examination->reasons |=
            REASON_BIT(result == -ENOMEM ? REASON_MEDIA_LIMIT_MEMORY : REASON_MEDIA_CORRUPT);
    if (report.frames > limits->frames)
        examination->reasons |= REASON_BIT(REASON_MEDIA_LIMIT_FRAMES);
    if (result == 0)
        finish_views(&canvas, examination);
    if (canvas.rows == 0 && examination->reasons == 0)
        examination->reasons =
            REASON_BIT(REASON_MEDIA_CORRUPT); /* whatever the codec says: nothing was seen */
    for (int view = 0; view < VIEW_COUNT; view++)
        pdq_stream_free(canvas.streams[view]);
    pdq_stream_free(canvas.stored);
}
