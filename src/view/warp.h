/* Pictures made of a picture: turned by any angle, larger than itself. */
#ifndef PRESCREEN_SRC_VIEW_WARP_H
#define PRESCREEN_SRC_VIEW_WARP_H

#include "prescreen/view/sketch.h"

/* Which part of the plane is sampled. The picture lies on it with its corner at 0, 0 and is continued beyond
 * its edges by its mirror image, without end. All in samples of the picture. */
struct warp_frame {
    double center_x, center_y;
    double width, height;
    double angle; /* radians by which the frame is turned clockwise */
};

/* The largest edge of what is made. Up to it a sample of what is made is one of the picture: fewer would
 * alias. */
enum { WARP_EDGE_MAX = 640 };

/* Samples the frame into made, whose samples has room for WARP_EDGE_MAX squared and whose size is set. Cost:
 * about 2 ns a sample. */
void warp_sample(const struct luma_picture *picture, const struct warp_frame *frame,
                 struct luma_picture *made);

#endif
