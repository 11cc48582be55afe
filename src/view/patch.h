/* Flat shapes that may have been laid over a picture: stickers, words, censor bars. */
#ifndef PRESCREEN_SRC_VIEW_PATCH_H
#define PRESCREEN_SRC_VIEW_PATCH_H

#include "prescreen/view/sketch.h"

enum { PATCH_SHAPES_MAX = 200 };

/* Samples of one colour that hang together and stand out from what is around them. */
struct patch_shape {
    uint32_t size; /* samples */
    uint8_t colour;
    uint32_t left, top, right, bottom; /* what it lies in */
};

struct patch_shapes {
    uint8_t *labels; /* the caller's: of each sample, the number of its shape or one that is none */
    unsigned int count;
    struct patch_shape shapes[PATCH_SHAPES_MAX];
};

/* Finds the shapes of a picture, from the top. Errors: -ENOMEM. Cost: about 10 ns a sample. */
int patch_find(const struct luma_picture *picture, struct patch_shapes *found);

/* Makes 0 the samples of kept that the shape covers, with what it encloses and its soft edge; the others are
 * left. */
void patch_cover(const struct luma_picture *picture, const struct patch_shapes *found, unsigned int number,
                 uint8_t *kept);

#endif
