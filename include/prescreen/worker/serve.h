/* The worker's side: one job at a time over an inherited socket. Runs only in a worker's program. */
#ifndef PRESCREEN_WORKER_SERVE_H
#define PRESCREEN_WORKER_SERVE_H

#include "prescreen/base/cpu.h"
#include "prescreen/decode/decode.h"
#include "prescreen/os/sandbox.h"

#include <stdbool.h>

/* What the parent decides before anything else. */
struct worker_setup {
    struct sandbox_limits limits;
    enum cpu_level cpu;
};

/* Reads the three arguments (memory in bytes, processor seconds, "plain" | "avx2" | "avx512"), sets
 * limits.threads to false, and checks that descriptor 3 is the parent's socket. Returns false on anything
 * else, also on a level above cpu_detect(). */
bool worker_setup_read(int argc, char **argv, struct worker_setup *setup);

/* Answers jobs until the parent is gone or there is any doubt. To be called confined. Returns the exit code,
 * an enum worker_exit_code. */
int worker_serve(const struct worker_setup *setup, const struct decode_codecs *codecs,
                 const struct sandbox_report *sandbox);

#endif
