/* How decoded pixels travel: row by row from a decoder to whoever hashes them. */
#ifndef PRESCREEN_IMAGE_ROWS_H
#define PRESCREEN_IMAGE_ROWS_H

#include "prescreen/base/vocabulary.h"

#include <stdbool.h>
#include <stdint.h>

/* Samples of one pixel, 8 bits each, in this order. Alpha is straight, not premultiplied. */
enum pixel_layout { PIXEL_GRAY, PIXEL_GRAY_ALPHA, PIXEL_RGB, PIXEL_RGBA };

enum { PICTURE_REDUCTION_MAX = 3 };

/* One picture of a file. What is 0 is the ordinary case. */
struct picture_shape {
    uint32_t width;  /* pixels, at least 1, as stored: EXIF orientation is not applied; */
    uint32_t height; /* also of a picture that is delivered reduced */
    enum pixel_layout layout;
    uint32_t frame;         /* which of the pictures that are shown, from 0; of a thumbnail: whose it is */
    unsigned int reduction; /* at most PICTURE_REDUCTION_MAX: a sample is the mean of a square of 1 <<
                               reduction pixels' edge, or of what of it lies in the picture */
    enum view view;         /* VIEW_MAIN or VIEW_THUMBNAIL */
    unsigned int exif;      /* orientation 1-8; 0 = 1 */
};

/* Positive outcome of a sink: no more is wanted. */
enum { ROW_SINK_ENOUGH = 1 };

/* Takes pictures one after the other: begin, then its rows of ascending y, each at most once; fewer rows than
 * the height when the data ends early. The next begin ends it. Whatever other than 0 either call returns (a
 * negative errno, or ROW_SINK_ENOUGH) stops the decoder, which forwards it. Called on the decoder's thread.
 */
struct row_sink {
    void *context;
    int (*begin)(void *context, const struct picture_shape *shape);
    int (*row)(void *context,
               const uint8_t *samples); /* picture_shape_columns() samples, borrowed for the call */
    bool colours; /* pixels with the colours that viewers show, where a decoder could do with luma alone */
    /* How far a picture of that many pixels may be delivered reduced; NULL = not at all. */
    unsigned int (*reduction)(void *context, uint32_t width, uint32_t height);
};

/* Bytes of one pixel. */
static inline unsigned int pixel_layout_bytes(enum pixel_layout layout)
{
    static const unsigned int bytes[] = {1, 2, 3, 4};

    return bytes[layout];
}

/* Samples of one delivered row, and how many rows there are. */
static inline uint32_t picture_shape_columns(const struct picture_shape *shape)
{
    return (shape->width - 1) / (1U << shape->reduction) + 1;
}

static inline uint32_t picture_shape_rows(const struct picture_shape *shape)
{
    return (shape->height - 1) / (1U << shape->reduction) + 1;
}

#endif
