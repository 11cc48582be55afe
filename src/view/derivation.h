/* A derivation in progress: rectangles and frames of a picture become views that differ. */
#ifndef PRESCREEN_SRC_VIEW_DERIVATION_H
#define PRESCREEN_SRC_VIEW_DERIVATION_H

#include "prescreen/view/views.h"

#include "lines.h"
#include "warp.h"

struct derivation {
    const struct view_source *source;
    const struct view_sink *sink;
    uint8_t *scratch; /* WARP_EDGE_MAX squared */
    unsigned int count;
    struct pdq_hash seen[VIEWS_MAX + 1]; /* the picture as shown and the views so far */
};

/* Errors: -ENOMEM. Ownership: ended by derivation_end(). */
int derivation_begin(struct derivation *derivation, const struct view_source *source,
                     const struct view_sink *sink);
void derivation_end(struct derivation *derivation);

/* Each hands on one view unless it tells too little, is as good as known, or VIEWS_MAX have been taken.
 * Errors: -ENOMEM, what the sink returned. */
int derivation_add(struct derivation *derivation, enum view view, const struct pdq_result *result);
int derivation_add_rect(struct derivation *derivation, enum view view, const struct view_rect *rect);
int derivation_add_picture(struct derivation *derivation, enum view view, const struct luma_picture *picture);
int derivation_add_frame(struct derivation *derivation, enum view view, const struct warp_frame *frame);

/* The whole picture. */
struct view_rect derivation_whole(const struct derivation *derivation);

/* Views by what stands in the picture: margins and boxes; at most so many boxes. */
int boxes_derive(struct derivation *derivation, unsigned int boxes_max);

#endif
