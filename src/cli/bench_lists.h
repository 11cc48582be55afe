/* Hashes around which the lists of a benchmark lie. */
#ifndef PRESCREEN_CLI_BENCH_LISTS_H
#define PRESCREEN_CLI_BENCH_LISTS_H

#include "prescreen/base/diag.h"
#include "prescreen/hash/hashes.h"

#include <stddef.h>

struct bench_seeds {
    struct pdq_hash *hashes; /* owned, to be freed */
    size_t count;
};

/* So many random hashes; the same ones in each run. Errors: -ENOMEM. */
int bench_seeds_random(size_t count, struct bench_seeds *seeds);

/* The hashes of so many drawn pictures that have little to tell (quality below 25): a disc, not quite sharp,
 * on an even slope. The same ones in each run. Errors: -ENOMEM. */
int bench_seeds_flat(size_t count, struct bench_seeds *seeds);

/* The hashes of a file, one a line. Errors: of the file, -EINVAL with the line for another text, -ENOMEM. */
int bench_seeds_read(const char *path, struct bench_seeds *seeds, struct diag *diag);

#endif
