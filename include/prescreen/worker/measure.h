/* Where the time of an examination goes, measured inside the confinement that uploads meet. */
#ifndef PRESCREEN_WORKER_MEASURE_H
#define PRESCREEN_WORKER_MEASURE_H

#include "prescreen/base/cpu.h"
#include "prescreen/base/diag.h"
#include "prescreen/base/vocabulary.h"
#include "prescreen/worker/kind.h"

#include <stdint.h>

enum { MEASURE_REPEATS_MAX = 100, MEASURE_REFERENCE_REPEATS_MAX = 3 };

struct worker_timing {
    uint64_t minimum_us;
    uint64_t median_us;
};

struct worker_measurement {
    enum media_format format;
    uint32_t width; /* pixels as stored */
    uint32_t height;
    struct worker_timing
        decode; /* the codec alone: the first picture's rows as an examination has them, dropped
                 */
    struct worker_timing examine[EFFORT_COUNT]; /* the whole examination, by effort */
    struct worker_timing full; /* the slow way: every pixel in its colours, then the reference's algorithm */
    struct worker_timing hash; /* PDQ, row by row, of the finished frame of 8-bit luma */
    struct worker_timing reference; /* the reference's algorithm on the same frame */
    uint32_t full_distance_bits;    /* between what the examination and the slow way find, 0-256 */
    uint32_t distance_bits;         /* between the two hashes of that frame, 0-256 */
    uint32_t quality;               /* 0-100, of ours */
    uint32_t reference_quality;     /* 0-100, of the frame's */
};

/* Measures the first picture of a file; only the examinations look at all of it. What takes the reference's
 * algorithm is repeated at most MEASURE_REFERENCE_REPEATS_MAX times. Starts one worker of the kind with room
 * for whole frames, has it measure size bytes of the sealed memory file, and ends it. repeats is 1 to
 * MEASURE_REPEATS_MAX. Errors: -ENOTSUP when the kind does not decode the format, -EINVAL when the picture
 * does not decode or has no hash, -ETIMEDOUT after ten minutes, negative errno; always with diag. Ownership:
 * memory_fd is borrowed. */
int worker_measure(enum worker_kind kind, const char *worker_path, int memory_fd, uint64_t size,
                   uint32_t repeats, enum cpu_level cpu, struct worker_measurement *measurement,
                   struct diag *diag);

#endif
