/* Views: the same picture without what people put around it or do to it, so that its hash is near again. The
 * edits, and how many of them each effort sees through, are measured by tests/accuracy. */
#ifndef PRESCREEN_VIEW_VIEWS_H
#define PRESCREEN_VIEW_VIEWS_H

#include "prescreen/base/cpu.h"
#include "prescreen/base/vocabulary.h"
#include "prescreen/hash/pdq.h"
#include "prescreen/view/sketch.h"

#include <stdbool.h>

enum { VIEWS_MAX = 192 }; /* of one picture, at any effort */

/* Takes one view, the most valuable first. Anything but 0 ends the derivation, which forwards it. */
struct view_sink {
    void *context;
    int (*take)(void *context, enum view view, const struct pdq_result *result);
};

/* What views are derived from. */
struct view_source {
    const struct luma_picture *picture; /* as stored, like the hashes */
    bool square;                        /* its samples are */
    const struct pdq_result *shown;     /* the hashes of the picture as shown */
    enum cpu_level cpu;
};

/* Derives the views of an upload: none at EFFORT_FAST. A view that tells little (PDQ quality below 20) or
 * that is within 3 bits of one before it is left out. Errors: -ENOMEM, what the sink returned. Cost: about
 * 140 us a view at EFFORT_STANDARD, 500 us at EFFORT_THOROUGH, on a sketch of 400 x 267 and a busy machine.
 */
int views_derive(const struct view_source *source, enum effort effort, const struct view_sink *sink);

/* Derives the parts of a picture that is put on a list which its copies may show: crops and halves. Errors
 * and cost as above. */
int views_enrol(const struct view_source *source, const struct view_sink *sink);

#endif
