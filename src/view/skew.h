/* The angle by which a picture was turned, read from the corners that it left empty. */
#ifndef PRESCREEN_SRC_VIEW_SKEW_H
#define PRESCREEN_SRC_VIEW_SKEW_H

#include "prescreen/view/sketch.h"

#include <stdbool.h>

/* Finds the angle in radians, clockwise, at most 45 degrees either way. Returns false when the edges of what
 * stands in the picture do not agree about one, or it is too small to matter. Cost: one pass over the
 * corners. */
bool skew_find(const struct luma_picture *picture, double *angle);

#endif
