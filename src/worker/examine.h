/* From an upload's bytes to the hashes of what it shows. Runs only inside a worker. */
#ifndef PRESCREEN_WORKER_EXAMINE_H
#define PRESCREEN_WORKER_EXAMINE_H

#include "prescreen/base/cpu.h"
#include "prescreen/decode/decode.h"
#include "prescreen/worker/examination.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct examine_limits {
    struct decode_limits decode;
    uint32_t frames;
};

/* The decoder's limits for a file of size bytes in a process of memory_bytes of address space. */
struct examine_limits examine_limits_for(const struct decode_codecs *codecs, uint64_t size,
                                         uint64_t memory_bytes, uint64_t pixels_max, uint32_t frames_max);

/* How one upload is to be examined. */
struct examine_orders {
    const struct decode_codecs *codecs;
    struct examine_limits limits;
    uint64_t deadline_us; /* of the monotonic clock: past it no more is looked at, media.limit.time */
    enum effort effort;
    bool enrolment;
    enum cpu_level cpu;
};

/* Decodes the upload and hashes each of its pictures row by row: over white and, where it has alpha, its
 * stored colours and over black as well, each of the two when its hash is another. EXIF orientation is
 * applied. A frame that looks like the one before, and a thumbnail that looks like its picture, add nothing.
 * What cannot be examined is told in examination->reasons; decode_us is 0. Cost: the codec's, and PDQ's for
 * each view. */
void examine_upload(const uint8_t *data, size_t size, const struct examine_orders *orders,
                    struct examination *examination);

#endif
