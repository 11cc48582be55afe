/* PDQ's two box filters and its decimation along one axis: first as defined, then as one sparse matrix of 64
 * rows. */
#ifndef PRESCREEN_HASH_PDQ_AXIS_H
#define PRESCREEN_HASH_PDQ_AXIS_H

#include "prescreen/hash/pdq.h"

#include <stdbool.h>
#include <stdint.h>

/* The pixels that the box filter's window at one pixel covers, cut at the edges, both ends included. */
struct pdq_window {
    uint32_t first;
    uint32_t last;
};

/* Window width along an axis of so many pixels, before any cut: length / 128, rounded up. */
uint32_t pdq_window_width(uint32_t length);

/* The window at a pixel. One of even width reaches one pixel farther to the right than to the left. */
struct pdq_window pdq_window_at(uint32_t pixel, uint32_t length);

uint32_t pdq_window_count(struct pdq_window window);

/* The pixel that sample i of the decimated picture is taken from. */
uint32_t pdq_grid_pixel(uint32_t i, uint32_t length);

/* Row i of the matrix: sample i is the sum of weights[k] * pixel[first + k] over k < count, divided by sum.
 * The weights are whole numbers, so that sums of 8-bit samples stay exact in float up to an axis of 5,120
 * pixels. */
struct pdq_taps {
    uint32_t first;
    uint32_t count;
    const float *weights; /* positive */
    double sum;           /* of the weights */
};

/* first and first + count never fall from one row to the next; rows i and i + 2 share no pixel unless count
 * is 1. */
struct pdq_axis {
    uint32_t length;
    struct pdq_taps rows[PDQ_GRID];
    float *weights; /* owned */
};

/* Builds the matrix for an axis of at least PDQ_EDGE_MIN pixels. Errors: -ENOMEM. Ownership: freed by
 * pdq_axis_clear(). Cost: memory and time of about length / 8 bytes. */
int pdq_axis_init(struct pdq_axis *axis, uint32_t length);

/* Makes it the matrix of the axis read from the other end: row i of the result is row 63 - i of the reversed
 * axis, on pixels counted from this end. */
void pdq_axis_reverse(struct pdq_axis *axis);

/* Whether samples of 1 << reduction pixels are still fine enough for an axis of that many pixels: the
 * filter's window covers at least three. */
bool pdq_axis_may_reduce(uint32_t length, unsigned int reduction);

/* Makes reduced the matrix of full on samples that are each the mean of 1 << reduction pixels (the last one
 * of what is left): a sample weighs what its pixels weigh together. length is still in pixels, first and
 * count are in samples. Errors: -EINVAL when it may not be reduced that far, -ENOMEM. Ownership: freed by
 * pdq_axis_clear(). */
int pdq_axis_init_reduced(struct pdq_axis *reduced, const struct pdq_axis *full, unsigned int reduction);

/* The same into an axis that pdq_axis_init_reduced() made of one of that length. */
void pdq_axis_reduce(struct pdq_axis *reduced, const struct pdq_axis *full, unsigned int reduction);

/* Legal on an axis of zeroes. */
void pdq_axis_clear(struct pdq_axis *axis);

#endif
