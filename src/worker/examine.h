/* From an upload's bytes to the hashes of what it shows. Runs only inside a worker. */
#ifndef PRESCREEN_WORKER_EXAMINE_H
#define PRESCREEN_WORKER_EXAMINE_H

#include "prescreen/base/cpu.h"
#include "prescreen/decode/decode.h"
#include "prescreen/worker/examination.h"

#include <stddef.h>
#include <stdint.h>

struct examine_limits {
    struct decode_limits decode;
    uint32_t frames;
};

/* The decoder's limits for a file of size bytes in a process of memory_bytes of address space. */
struct examine_limits examine_limits_for(uint64_t size, uint64_t memory_bytes, uint64_t pixels_max,
                                         uint32_t frames_max);

/* Decodes the picture and hashes it row by row: over white and, where it has alpha, its stored colours and
 * over black as well, each of the two when its hash is another. EXIF orientation is applied. What cannot be
 * examined is told in examination->reasons; decode_us stays 0. Cost: the codec's, and PDQ's for each view. */
void examine_upload(const uint8_t *data, size_t size, const struct examine_limits *limits, enum cpu_level cpu,
                    struct examination *examination);

#endif
