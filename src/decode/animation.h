/* The canvas on which the frames of an animation are put together, as browsers show them. */
#ifndef PRESCREEN_SRC_DECODE_ANIMATION_H
#define PRESCREEN_SRC_DECODE_ANIMATION_H

#include "codec.h"

/* Part of a canvas; empty when width or height is 0. */
struct animation_rect {
    uint32_t left, top, width, height;
};

/* What becomes of a frame's place before the next frame. */
enum animation_disposal { DISPOSE_KEEP, DISPOSE_CLEAR, DISPOSE_RESTORE };

enum animation_blend { BLEND_OVER, BLEND_REPLACE };

struct animation {
    const struct codec_job *job;
    uint32_t width, height;
    uint8_t *canvas; /* RGBA, transparent black at first */
    uint8_t *saved;  /* the canvas before the frame, where that is to be restored; NULL before it is needed */
    struct animation_rect rect; /* of the frame under way, cut to the canvas */
    enum animation_disposal disposal;
    enum animation_blend blend;
    uint8_t *row; /* of RGB */
};

/* Starts an empty canvas of an accepted size. Returns false, the reason noted, when memory is short.
 * Ownership: ended by animation_end(), also then. */
bool animation_begin(struct animation *animation, const struct codec_job *job, uint32_t width,
                     uint32_t height);
void animation_end(struct animation *animation);

/* Disposes of the frame before and starts one, whose rectangle may reach beyond the canvas. Returns false,
 * the reason noted, when memory is short. */
bool animation_begin_frame(struct animation *animation, struct animation_rect rect,
                           enum animation_disposal disposal, enum animation_blend blend);

/* Draws row y of the frame, counted from the frame's top: width RGBA pixels of the frame as it came, straight
 * alpha. What lies beyond the canvas is left out. Source of the arithmetic: PNG 1.2 extensions, APNG's
 * blend_op; RFC 9649 section 2.7.1.2. */
void animation_draw_row(struct animation *animation, uint32_t y, const uint8_t *pixels, uint32_t width);

/* Hands the canvas to the job's sink as the frame of that number: RGB where all of it is opaque, else RGBA.
 * Returns what the sink returned. */
int animation_deliver(struct animation *animation, uint32_t frame);

#endif
