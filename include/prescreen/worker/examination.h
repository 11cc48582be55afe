/* What examining one upload found: numbers, never pixels. */
#ifndef PRESCREEN_WORKER_EXAMINATION_H
#define PRESCREEN_WORKER_EXAMINATION_H

#include "prescreen/base/vocabulary.h"
#include "prescreen/hash/hashes.h"

#include <stdint.h>

enum { EXAMINATION_VIEWS_MAX = 256 };

/* One perceptual hash of the upload, turned all eight ways; index ORIENTATION_ORIGINAL is the picture as
 * shown (EXIF applied). */
struct examined_view {
    uint32_t view;    /* enum view */
    uint32_t frame;   /* 0 for a still picture */
    uint32_t quality; /* 0-100 */
    uint32_t unused;  /* 0 */
    struct pdq_hash hashes[ORIENTATION_COUNT];
};

struct examination {
    enum media_format format;
    uint32_t width; /* pixels as shown: EXIF orientation applied; 0 when unknown */
    uint32_t height;
    uint32_t frames;
    reason_set reasons;  /* media reasons except media.low_quality; 0 = all of it was examined */
    uint64_t decode_us;  /* from hand-over to answer */
    char detail[128];    /* the decoder's own words for the log, printable ASCII */
    uint32_t view_count; /* 0 when nothing could be hashed; else views[0] is VIEW_MAIN of frame 0; by frame,
                            then view, of which one may have several hashes */
    struct examined_view views[EXAMINATION_VIEWS_MAX];
};

#endif
