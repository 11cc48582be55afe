/* The dihedral group of a square: EXIF's orientation numbers in PDQ's words. PDQ's reference counts turns
 * counterclockwise and names a flip by the axis that stays: flip_x is upside down, flip_y left to right,
 * flip_plus1 the transposition, flip_minus1 the one along the other diagonal. */
#ifndef PRESCREEN_IMAGE_ORIENTATION_H
#define PRESCREEN_IMAGE_ORIENTATION_H

#include "prescreen/base/vocabulary.h"

#include <stdbool.h>

/* A change of a raster as simple steps, in this order. */
struct orientation_steps {
    bool flips_rows;    /* top to bottom */
    bool flips_columns; /* left to right */
    bool transposes;    /* row y becomes column y */
};

struct orientation_steps orientation_steps(enum orientation orientation);

/* The change that turns a stored picture with this EXIF orientation (1-8) upright; any other number means
 * none. Source: Exif 2.32 tag 0x0112; the names are those of the hashes in PDQ's reference. */
enum orientation orientation_from_exif(unsigned int exif);

/* The orientation that applying first, then second gives. The hash of an upright picture turned by o is the
 * stored raster's hash at orientation_compose(orientation_from_exif(exif), o). */
enum orientation orientation_compose(enum orientation first, enum orientation second);

#endif
