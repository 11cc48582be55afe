#include "canvas.h"

#include "prescreen/base/bug.h"
#include "prescreen/image/orientation.h"

#include <stdbool.h>

enum { CANVAS_FULL = 1 };

static const enum pdq_backdrop backdrops[CANVAS_BACKDROPS] = {
    [VIEW_MAIN] = PDQ_OVER_WHITE,
    [VIEW_UNDER_ALPHA] = PDQ_UNDER_ALPHA,
    [VIEW_OVER_BLACK] = PDQ_OVER_BLACK,
};

static bool has_alpha(const struct picture_shape *shape)
{
    return shape->layout == PIXEL_GRAY_ALPHA || shape->layout == PIXEL_RGBA;
}

static int begin_streams(struct canvas *canvas, enum cpu_level cpu)
{
    const struct picture_shape *shape = &canvas->shape;
    enum orientation upright = orientation_from_exif(shape->exif);
    int count = has_alpha(shape) ? CANVAS_BACKDROPS : 1;
    int result = 0;

    for (int i = 0; result == 0 && i < count; i++) {
        result = pdq_stream_create(shape, backdrops[i], cpu, &canvas->streams[i]);
        if (result == 0)
            pdq_stream_turn(canvas->streams[i], upright);
    }
    /* PDQ is not quite symmetric (up to 30 bits), and lists are also made from pictures without heeding their
     * EXIF. */
    if (result == 0 && upright != ORIENTATION_ORIGINAL)
        result = pdq_stream_create(shape, PDQ_OVER_WHITE, cpu, &canvas->stored);
    return result;
}

int canvas_begin(struct canvas *canvas, const struct picture_shape *shape, bool derives, enum cpu_level cpu)
{
    int result = 0;

    BUG_ON(canvas->streams[VIEW_MAIN] != NULL);
    *canvas = (struct canvas){.shape = *shape};
    if (shape->width >= PDQ_EDGE_MIN && shape->height >= PDQ_EDGE_MIN)
        result = begin_streams(canvas, cpu);
    if (result == 0 && derives)
        result = sketch_create(shape, &canvas->sketch);
    if (result != 0)
        canvas_clear(canvas);
    return result;
}

void canvas_add_row(struct canvas *canvas, const uint8_t *samples)
{
    canvas->rows++;
    for (int i = 0; i < CANVAS_BACKDROPS; i++) {
        if (canvas->streams[i] != NULL)
            pdq_stream_add_row(canvas->streams[i], samples);
    }
    if (canvas->stored != NULL)
        pdq_stream_add_row(canvas->stored, samples);
    if (canvas->sketch != NULL)
        sketch_add_row(canvas->sketch, samples);
}

/* before: the turn that result's hashes have not had yet; hashes[o] is always of the picture as shown turned
 * by o. */
static struct examined_view view_of(const struct canvas *canvas, enum view view, enum orientation before,
                                    const struct pdq_result *result)
{
    struct examined_view made = {.view =
                                     (uint32_t)(canvas->shape.view == VIEW_MAIN ? view : canvas->shape.view),
                                 .frame = canvas->shape.frame,
                                 .quality = (uint32_t)result->quality};

    for (int o = 0; o < ORIENTATION_COUNT; o++)
        made.hashes[o] = result->hashes[orientation_compose(before, (enum orientation)o)];
    return made;
}

static uint32_t write_views(struct canvas *canvas, struct examined_view views[CANVAS_VIEWS_MAX])
{
    struct pdq_result shown;
    struct pdq_result other;
    uint32_t count = 0;

    pdq_stream_finish(canvas->streams[VIEW_MAIN], &shown);
    views[count++] = view_of(canvas, VIEW_MAIN, ORIENTATION_ORIGINAL, &shown);
    if (canvas->stored != NULL) {
        pdq_stream_finish(canvas->stored, &other);
        views[count++] = view_of(canvas, VIEW_MAIN, orientation_from_exif(canvas->shape.exif), &other);
    }
    for (int i = VIEW_MAIN + 1; i < CANVAS_BACKDROPS; i++) {
        if (canvas->streams[i] == NULL)
            continue;
        pdq_stream_finish(canvas->streams[i], &other);
        if (pdq_distance(&other.hashes[ORIENTATION_ORIGINAL], &shown.hashes[ORIENTATION_ORIGINAL]) != 0)
            views[count++] = view_of(canvas, (enum view)i, ORIENTATION_ORIGINAL, &other);
    }
    return count;
}

uint32_t canvas_finish(struct canvas *canvas, struct examined_view views[CANVAS_VIEWS_MAX])
{
    return canvas->rows > 0 && canvas->streams[VIEW_MAIN] != NULL ? write_views(canvas, views) : 0;
}

/* A derivation for a canvas. */
struct taking {
    const struct canvas *canvas;
    struct canvas_derived *derived;
};

/* The sketch is as stored, and so are its hashes. */
static int take_derived(void *context, enum view view, const struct pdq_result *result)
{
    struct taking *taking = context;
    struct canvas_derived *derived = taking->derived;

    if (derived->count == derived->room)
        return CANVAS_FULL;
    derived->views[derived->count++] =
        view_of(taking->canvas, view, orientation_from_exif(taking->canvas->shape.exif), result);
    return 0;
}

/* The hashes of the picture as stored, from those of the picture as shown. */
static struct pdq_result stored_result(const struct canvas *canvas, const struct examined_view *shown)
{
    enum orientation upright = orientation_from_exif(canvas->shape.exif);
    struct pdq_result result = {.quality = (int)shown->quality};

    for (int o = 0; o < ORIENTATION_COUNT; o++)
        result.hashes[orientation_compose(upright, (enum orientation)o)] = shown->hashes[o];
    return result;
}

static int derive(const struct canvas *canvas, const struct examined_view *shown, bool enrols,
                  enum effort effort, enum cpu_level cpu, struct canvas_derived *derived)
{
    struct taking taking = {canvas, derived};
    const struct view_sink sink = {&taking, take_derived};
    const struct pdq_result stored = stored_result(canvas, shown);
    struct view_source source = {.shown = &stored, .cpu = cpu};

    if (canvas->sketch == NULL)
        return 0;
    source.picture = sketch_finish(canvas->sketch, &source.square);
    if (source.picture == NULL)
        return 0;
    int status = enrols ? views_enrol(&source, &sink) : views_derive(&source, effort, &sink);
    return status == CANVAS_FULL ? 0 : status;
}

int canvas_derive(const struct canvas *canvas, const struct examined_view *shown, enum effort effort,
                  enum cpu_level cpu, struct canvas_derived *derived)
{
    return derive(canvas, shown, false, effort, cpu, derived);
}

int canvas_enrol(const struct canvas *canvas, const struct examined_view *shown, enum cpu_level cpu,
                 struct canvas_derived *derived)
{
    return derive(canvas, shown, true, EFFORT_FAST, cpu, derived);
}

void canvas_clear(struct canvas *canvas)
{
    for (int i = 0; i < CANVAS_BACKDROPS; i++)
        pdq_stream_free(canvas->streams[i]);
    pdq_stream_free(canvas->stored);
    sketch_free(canvas->sketch);
    *canvas = (struct canvas){.rows = 0};
}
