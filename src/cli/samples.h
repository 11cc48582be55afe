/* Measured times and what they say together. */
#ifndef PRESCREEN_CLI_SAMPLES_H
#define PRESCREEN_CLI_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

/* The value that the share (0 to 1) of all values is not above: 0.5 is the median, 0.99 the p99; 0 when count
 * is 0. Sorts values. */
uint64_t samples_quantile(uint64_t *values, size_t count, double share);

#endif
