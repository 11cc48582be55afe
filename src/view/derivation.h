/* A derivation in progress: areas and frames of a picture become views that differ. */
#ifndef PRESCREEN_SRC_VIEW_DERIVATION_H
#define PRESCREEN_SRC_VIEW_DERIVATION_H

#include "prescreen/view/views.h"

#include "lines.h"
#include "warp.h"

enum { SCRATCH_EDGE = WARP_EDGE_MAX };

_Static_assert((int)SCRATCH_EDGE >= (int)SKETCH_EDGE_MAX, "a sketch fits");

struct derivation {
    const struct view_source *source;
    const struct view_sink *sink;
    uint8_t *scratch; /* SCRATCH_EDGE squared */
    unsigned int count;
    struct pdq_hash seen[VIEWS_MAX + 1]; /* the picture as shown and the views so far */
};

/* Errors: -ENOMEM. Ownership: ended by derivation_end(). */
int derivation_begin(struct derivation *derivation, const struct view_source *source,
                     const struct view_sink *sink);
void derivation_end(struct derivation *derivation);

/* Each hands on one view unless it tells too little, is as good as known, or VIEWS_MAX have been taken.
 * Errors: what the sink returned. */
int derivation_add(struct derivation *derivation, enum view view, const struct pdq_result *result);

/* What the picture shows in the area; what of it lies outside is filled from what is inside. */
int derivation_add_area(struct derivation *derivation, enum view view, const struct pdq_area *area);

/* The area within the rectangle's edges, where they lie between samples. */
int derivation_add_rect(struct derivation *derivation, enum view view, const struct view_rect *rect);

/* The same of a frame that is turned. */
int derivation_add_frame(struct derivation *derivation, enum view view, const struct warp_frame *frame);

/* The whole picture but for the samples that are 0 in kept, of 255 otherwise: they are filled. */
int derivation_add_kept(struct derivation *derivation, enum view view, const uint8_t *kept);

/* The whole picture: its samples, and how far it really reaches. */
struct view_rect derivation_whole(const struct derivation *derivation);
struct pdq_area derivation_extent(const struct derivation *derivation);

/* Views by what stands in the picture: margins and boxes; at most so many boxes. */
int boxes_derive(struct derivation *derivation, unsigned int boxes_max);

/* Views without flat shapes that may be stickers or words: each of the largest, those of a colour, all. */
int patched_derive(struct derivation *derivation);

#endif
