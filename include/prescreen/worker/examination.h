/* What examining one upload found: numbers, never pixels. */
#ifndef PRESCREEN_WORKER_EXAMINATION_H
#define PRESCREEN_WORKER_EXAMINATION_H

#include "prescreen/base/vocabulary.h"
#include "prescreen/hash/hashes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of all frames together. Bounds what one upload may cost the index: eight look-ups a view. */
enum { EXAMINATION_VIEWS_MAX = 4096 };

/* How an upload is to be examined. */
struct examination_request {
    int memory_fd; /* sealed, borrowed */
    uint64_t size; /* of the file, bytes */
    enum effort effort;
    bool enrolment; /* also the views of a picture that is put on a list, which its copies may show */
};

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
    reason_set reasons; /* media reasons except media.low_quality; 0 = all of it was examined */
    uint64_t decode_us; /* from hand-over to answer */
    enum trailing_data trailing;
    uint64_t trailing_bytes;
    char detail[128];    /* the decoder's own words for the log, printable ASCII */
    uint32_t view_count; /* 0 when nothing could be hashed; in the order of decoding, the main view of a
                            frame before its others; of a view there may be several hashes; a frame that
                            looks like the one before it has none */
    struct examined_view views[EXAMINATION_VIEWS_MAX];
};

/* The main hash of the picture that is shown first, NULL when it has none. */
static inline const struct examined_view *examination_main_view(const struct examination *examination)
{
    const struct examined_view *first = &examination->views[0];
    bool is_main = examination->view_count > 0 && first->view == VIEW_MAIN && first->frame == 0;

    return is_main ? first : NULL;
}

#endif
