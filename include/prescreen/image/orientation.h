/* The dihedral group of a square: EXIF's orientation numbers in PDQ's words. */
#ifndef PRESCREEN_IMAGE_ORIENTATION_H
#define PRESCREEN_IMAGE_ORIENTATION_H

#include "prescreen/base/vocabulary.h"

/* The change that turns a stored picture with this EXIF orientation (1-8) upright; any other number means
 * none. Source: Exif 2.32 tag 0x0112; the names are those of the hashes in PDQ's reference. */
enum orientation orientation_from_exif(unsigned int exif);

/* The orientation that applying first, then second gives. */
enum orientation orientation_compose(enum orientation first, enum orientation second);

#endif
