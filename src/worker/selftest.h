/* The built-in pictures that a worker must read before it reads anybody else's. Runs only inside a worker. */
#ifndef PRESCREEN_WORKER_SELFTEST_H
#define PRESCREEN_WORKER_SELFTEST_H

#include "prescreen/base/cpu.h"
#include "prescreen/decode/decode.h"
#include "prescreen/worker/examination.h"

#include <stdbool.h>
#include <stdint.h>

/* Examines a picture of each format that is among the codecs. Returns whether each gave its size and hash.
 * examination is room to work in. */
bool selftest_passes(const struct decode_codecs *codecs, uint64_t memory_bytes, enum cpu_level cpu,
                     struct examination *examination);

#endif
