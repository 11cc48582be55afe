/* How decoded pixels travel: row by row from a decoder to whoever hashes them. */
#ifndef PRESCREEN_IMAGE_ROWS_H
#define PRESCREEN_IMAGE_ROWS_H

#include <stdint.h>

/* Samples of one pixel, 8 bits each, in this order. Alpha is straight, not premultiplied. */
enum pixel_layout { PIXEL_GRAY, PIXEL_GRAY_ALPHA, PIXEL_RGB, PIXEL_RGBA };

struct picture_shape {
    uint32_t width; /* pixels, at least 1, as stored: EXIF orientation is not applied */
    uint32_t height;
    enum pixel_layout layout;
    uint32_t frame; /* 0 for a still picture */
};

/* Takes one picture: begin once, then rows of ascending y, each at most once; fewer rows than the height when
 * the data ends early. A negative errno from either call stops the decoder, which forwards it. Called on the
 * decoder's thread. */
struct row_sink {
    void *context;
    int (*begin)(void *context, const struct picture_shape *shape);
    int (*row)(void *context, const uint8_t *samples); /* width pixels, borrowed for the call */
};

/* Bytes of one pixel. */
static inline unsigned int pixel_layout_bytes(enum pixel_layout layout)
{
    static const unsigned int bytes[] = {1, 2, 3, 4};

    return bytes[layout];
}

#endif
