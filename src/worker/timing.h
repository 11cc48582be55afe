/* The clock held to the parts of an examination. Runs only inside a worker. */
#ifndef PRESCREEN_WORKER_TIMING_H
#define PRESCREEN_WORKER_TIMING_H

#include "prescreen/worker/measure.h"

#include "examine.h"

/* Measures as worker_measure() promises. Returns 0, or the reasons (media reasons) why there is nothing to
 * measure: the file does not decode completely, it is too small for a hash, memory. */
reason_set timing_measure(const uint8_t *data, size_t size, const struct examine_orders *orders,
                          uint32_t repeats, struct worker_measurement *measured);

#endif
