/* What rows and columns of a picture tell about where one picture ends and another begins. */
#ifndef PRESCREEN_SRC_VIEW_LINES_H
#define PRESCREEN_SRC_VIEW_LINES_H

#include "prescreen/view/sketch.h"

#include <stdbool.h>

/* Part of a picture, in its samples. */
struct view_rect {
    uint32_t left, top, width, height;
};

/* Takes uniform rows and columns off all four sides of the rectangle, on each side those of one colour, until
 * there is none. Returns whether any was. Again on the result takes off the next colour: a picture may have a
 * margin of its own. */
bool lines_peel(const struct luma_picture *picture, struct view_rect *rect);

/* Narrows the rectangle to the largest block of rows and columns in which the background, the commonest
 * level, hardly shows: what is shown on a screen between bars and words. Returns whether it did. */
bool lines_find_content(const struct luma_picture *picture, struct view_rect *rect);

/* Narrows it to the largest block of rows and columns with detail: what is shown on a blurred background.
 * Returns whether it did. */
bool lines_find_sharp(const struct luma_picture *picture, struct view_rect *rect);

/* The rectangle's edges to a part of a sample: the lines on both sides of an edge tell how much of each one
 * is in the lines between them. Edges of the picture stay. */
struct pdq_area lines_refine(const struct luma_picture *picture, const struct view_rect *rect);

#endif
