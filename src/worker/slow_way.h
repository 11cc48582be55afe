/* The way to a hash that others go: every pixel of the picture in its colours, a whole frame of it, turned
 * upright, then the reference's algorithm. What examinations are measured against. Runs only inside a worker.
 */
#ifndef PRESCREEN_WORKER_SLOW_WAY_H
#define PRESCREEN_WORKER_SLOW_WAY_H

#include "prescreen/decode/decode.h"
#include "prescreen/hash/pdq.h"

#include <stddef.h>
#include <stdint.h>

/* Hashes the first picture of the file as it is shown, transparent parts over white. Errors: -EINVAL when it
 * does not decode or is below PDQ_EDGE_MIN, -ENOMEM. Cost: twelve bytes and more a pixel. */
int slow_way_hash(const struct decode_codecs *codecs, const uint8_t *data, size_t size,
                  const struct decode_limits *limits, struct pdq_result *result);

#endif
