/* One picture on its way to hashes: a PDQ stream for each way in which it may be seen. Runs only inside a
 * worker. */
#ifndef PRESCREEN_WORKER_CANVAS_H
#define PRESCREEN_WORKER_CANVAS_H

#include "prescreen/base/cpu.h"
#include "prescreen/hash/pdq.h"
#include "prescreen/image/rows.h"
#include "prescreen/view/sketch.h"
#include "prescreen/view/views.h"
#include "prescreen/worker/examination.h"

#include <stdbool.h>

enum {
    CANVAS_BACKDROPS = VIEW_OVER_BLACK + 1,
    CANVAS_VIEWS_MAX = CANVAS_BACKDROPS + 1, /* and one of the picture as stored */
};

/* All zero when there is no picture. */
struct canvas {
    struct picture_shape shape;
    uint64_t rows; /* that have arrived */
    struct pdq_stream
        *streams[CANVAS_BACKDROPS]; /* of the picture as shown; NULL for a view that is not taken */
    struct pdq_stream *stored;      /* as stored, when that is turned; else NULL */
    struct sketch *sketch;          /* as stored, over white; NULL when nothing is to be derived */
};

/* Begins a picture; one that is too small for a hash has no streams. Errors: -ENOMEM, the canvas empty. */
int canvas_begin(struct canvas *canvas, const struct picture_shape *shape, bool derives, enum cpu_level cpu);

void canvas_add_row(struct canvas *canvas, const uint8_t *samples);

/* Ends the picture. Writes its views, the main one first, each other only when its hash is another. Returns
 * how many; 0 when not a row has arrived or the picture is too small. */
uint32_t canvas_finish(struct canvas *canvas, struct examined_view views[CANVAS_VIEWS_MAX]);

/* Where derived views go: at most room of them. */
struct canvas_derived {
    struct examined_view *views;
    uint32_t count;
    uint32_t room;
};

/* After canvas_finish() gave views: derives further ones of the effort, or those of an enrolment, shown being
 * the first that was given. What does not fit is left out. Errors: -ENOMEM. */
int canvas_derive(const struct canvas *canvas, const struct examined_view *shown, enum effort effort,
                  enum cpu_level cpu, struct canvas_derived *derived);
int canvas_enrol(const struct canvas *canvas, const struct examined_view *shown, enum cpu_level cpu,
                 struct canvas_derived *derived);

/* Empties the canvas. */
void canvas_clear(struct canvas *canvas);

#endif
