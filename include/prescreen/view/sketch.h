/* A small picture in shades of grey, gathered row by row while the large one passes: what views are made of.
 */
#ifndef PRESCREEN_VIEW_SKETCH_H
#define PRESCREEN_VIEW_SKETCH_H

#include "prescreen/hash/pdq.h"
#include "prescreen/image/rows.h"

#include <stdbool.h>
#include <stdint.h>

enum { SKETCH_EDGE_MAX = 512, SKETCH_EDGE_MIN = 64 };

/* 8-bit luma, row after row without gaps. */
struct luma_picture {
    uint32_t width;
    uint32_t height;
    uint8_t *samples; /* owned by whoever made it */
    /* Where what it shows ends, in samples, as the last ones stand for less than the others; 0: with them. */
    double right, bottom;
};

static inline struct pdq_area luma_picture_extent(const struct luma_picture *picture)
{
    return (struct pdq_area){.right = picture->right > 0 ? picture->right : picture->width,
                             .bottom = picture->bottom > 0 ? picture->bottom : picture->height};
}

struct sketch;

/* Starts the sketch of a picture, over white where it has alpha. Each sample is the mean of a rectangle of
 * delivered samples: the smallest that keeps both edges at or below SKETCH_EDGE_MAX, but along an edge of a
 * long strip no more than leaves SKETCH_EDGE_MIN. Errors: -ENOMEM. Ownership: *sketch is the caller's, freed
 * by sketch_free(). Cost: at most 260 KB and three bytes a sample of a row. */
int sketch_create(const struct picture_shape *shape, struct sketch **sketch);

/* Takes the next delivered row; rows past the last are ignored. Cost: one pass over the row. */
void sketch_add_row(struct sketch *sketch, const uint8_t *samples);

/* Ends the sketch with the rows that have come; the picture is NULL when that is none. Borrowed from the
 * sketch. square says whether a sample is as high as it is wide, as pictures to be rotated must be. */
const struct luma_picture *sketch_finish(struct sketch *sketch, bool *square);

void sketch_free(struct sketch *sketch);

#endif
