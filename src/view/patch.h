/* Flat shapes that were laid over a picture: stickers, words, censor bars. */
#ifndef PRESCREEN_SRC_VIEW_PATCH_H
#define PRESCREEN_SRC_VIEW_PATCH_H

#include "prescreen/view/sketch.h"

/* Positive outcome: there are such shapes. */
enum { PATCH_FOUND = 1 };

/* Writes for each sample of the picture 0 where a shape of one colour covers it, else 255. Returns 0 when
 * there is none, or when they are so much of the picture that they are the picture. Errors: -ENOMEM. Cost:
 * about 10 ns a sample. */
int patch_find(const struct luma_picture *picture, uint8_t *kept);

#endif
