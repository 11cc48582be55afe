/* Sorting records by their digests, in place. */
#ifndef PRESCREEN_SRC_INDEX_EXACT_SORT_H
#define PRESCREEN_SRC_INDEX_EXACT_SORT_H

#include "prescreen/index/build.h"

#include <stddef.h>
#include <stdint.h>

/* Sorts count records of so many words by their first digest_size bytes. Cost: linear on digests, at most
 * count * log(count) comparisons on whatever else is there; allocates nothing. */
void exact_sort(uint32_t *records, size_t count, size_t words, size_t digest_size,
                const struct index_pace *pace);

#endif
