/* Straight edges: places between two rows, or columns, of a picture at which most of the line changes at
 * once. */
#ifndef PRESCREEN_SRC_VIEW_CUTS_H
#define PRESCREEN_SRC_VIEW_CUTS_H

#include "lines.h"

enum { CUTS_MAX = 8, BORDERS_MAX = CUTS_MAX + 2 };

struct cut {
    uint32_t at;       /* the first row after it, from the picture's top */
    unsigned int jump; /* 35th percentile of the differences across it */
};

struct cuts {
    unsigned int count;
    struct cut at[CUTS_MAX]; /* in ascending order of place */
};

/* A rectangle's edges and the cuts between them, in ascending order of place: between any two of them is a
 * strip. */
struct borders {
    unsigned int count;
    struct cut at[BORDERS_MAX];
};

/* By the numbers of the two borders that a strip lies between, the lesser first. */
struct strip_cuts {
    struct cuts of[BORDERS_MAX][BORDERS_MAX];
};

/* Finds the strongest cuts between the rows of each strip of the rectangle, or between its columns; borders
 * are those of the strips, and cross these lines. Cost: one pass over the rectangle, however many strips
 * there are. */
void cuts_find(const struct luma_picture *picture, const struct view_rect *rect, bool columns,
               const struct borders *borders, struct strip_cuts *found);

#endif
