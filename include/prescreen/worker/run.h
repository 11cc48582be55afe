/* The whole life of a worker's process. */
#ifndef PRESCREEN_WORKER_RUN_H
#define PRESCREEN_WORKER_RUN_H

#include "prescreen/decode/decode.h"

#include <stdbool.h>

/* The arguments of main and what this program decodes. Confines the process first, with threads when the
 * codecs start any, and serves its parent. */
_Noreturn void worker_run(int argc, char **argv, const struct decode_codecs *codecs, bool threads);

#endif
