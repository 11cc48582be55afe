/* Choosing the shape of a near index: how many chunks, how wide, and how a radius is shared among them. */
#ifndef PRESCREEN_SRC_INDEX_NEAR_PLAN_H
#define PRESCREEN_SRC_INDEX_NEAR_PLAN_H

#include "near_layout.h"

/* Sets chunk_count, the chunks' bits and flips, raises and scan_from of index for its count. */
void near_plan(struct near_index *index);

/* The number of flipped bits above the low ones that the widest allowed search reaches. */
unsigned int near_plan_flips(const struct near_index *index);

#endif
