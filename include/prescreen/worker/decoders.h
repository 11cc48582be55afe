/* All the decoders of a process: a pool of each kind of worker, and which of them an upload goes to. */
#ifndef PRESCREEN_WORKER_DECODERS_H
#define PRESCREEN_WORKER_DECODERS_H

#include "prescreen/worker/pool.h"

struct decoders_options {
    struct worker_pool_options pool; /* of the plain kind; the other gets the same limits, and room for its
                                        libraries */
    const char *heif_path;           /* NULL = none: HEIC and AVIF are media.unsupported */
    unsigned int heif_count;         /* with heif_path 1 to WORKER_POOL_COUNT_MAX */
};

struct decoders;

/* Starts the pools, each as worker_pool_create() does. Errors: of the first pool that did not start; nothing
 * is left running then. Ownership: *decoders is the caller's. */
int decoders_create(const struct decoders_options *options, struct decoders **decoders, struct diag *diag);

/* Has the upload examined as worker_pool_examine() does: by a plain worker, and when that recognises a format
 * which only another kind decodes, by one of that kind. decode_us is the sum. */
int decoders_examine(struct decoders *decoders, const struct examination_request *request,
                     struct examination *examination);

/* Whether there are workers of that kind, and a consistent copy of their counters, all 0 when there are none.
 */
bool decoders_have(const struct decoders *decoders, enum worker_kind kind);
void decoders_read_status(struct decoders *decoders, enum worker_kind kind,
                          struct worker_pool_status *status);

/* As worker_pool_free(), for all. */
void decoders_free(struct decoders *decoders);

#endif
