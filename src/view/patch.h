/* Flat shapes that were laid over a picture, filled with what is around them. */
#ifndef PRESCREEN_SRC_VIEW_PATCH_H
#define PRESCREEN_SRC_VIEW_PATCH_H

#include "prescreen/view/sketch.h"

#include <stdbool.h>

/* Writes the picture into patched, which has its size, with shapes of one colour (stickers, words, censor
 * bars) filled from their surroundings. Returns false when there is none, or when they are so much of the
 * picture that they are the picture. Errors: -ENOMEM through *status. Cost: about 20 ns a sample. */
bool patch_fill(const struct luma_picture *picture, struct luma_picture *patched, int *status);

#endif
