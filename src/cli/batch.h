/* The same work for many items on several threads, its products taken in order. */
#ifndef PRESCREEN_CLI_BATCH_H
#define PRESCREEN_CLI_BATCH_H

#include "prescreen/base/diag.h"

#include <stddef.h>

struct batch {
    size_t count;       /* items */
    unsigned int lanes; /* threads, at least 1 */
    void *context;      /* of both */
    /* Works on one item; *product may be set to something to free(). Threads: one at a time for each lane. */
    int (*work)(void *context, unsigned int lane, size_t index, void **product, struct diag *diag);
    /* Takes what work made and returned, in order of index, on the caller's thread; product is borrowed.
     * Anything but 0 ends the batch. */
    int (*take)(void *context, size_t index, int result, const void *product, const struct diag *diag);
};

/* Returns 0, what take returned, or -EAGAIN, -ENOMEM when no thread could be started. A slow item holds back
 * at most a few later ones for each lane. */
int batch_run(const struct batch *batch);

#endif
