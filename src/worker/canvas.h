/* One picture on its way to hashes: a PDQ stream for each way in which it may be seen. Runs only inside a
 * worker. */
#ifndef PRESCREEN_WORKER_CANVAS_H
#define PRESCREEN_WORKER_CANVAS_H

#include "prescreen/base/cpu.h"
#include "prescreen/hash/pdq.h"
#include "prescreen/image/rows.h"
#include "prescreen/worker/examination.h"

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
};

/* Begins a picture; one that is too small for a hash has no streams. Errors: -ENOMEM, the canvas empty. */
int canvas_begin(struct canvas *canvas, const struct picture_shape *shape, enum cpu_level cpu);

void canvas_add_row(struct canvas *canvas, const uint8_t *samples);

/* Ends the picture and empties the canvas. Writes its views, the main one first, each other only when its
 * hash is another. Returns how many; 0 when not a row has arrived or the picture is too small. */
uint32_t canvas_finish(struct canvas *canvas, struct examined_view views[CANVAS_VIEWS_MAX]);

void canvas_clear(struct canvas *canvas);

#endif
