/* The decoders as the configuration wants them. */
#ifndef PRESCREEN_SCREEN_DECODING_H
#define PRESCREEN_SCREEN_DECODING_H

#include "prescreen/config/config.h"
#include "prescreen/worker/decoders.h"

#include <stddef.h>

/* Starts workers of each kind: as many as are configured, but no more than jobs can use. A kind other than
 * plain whose program is not installed is left out, which decoders_have() tells. on_event and its context are
 * as in struct worker_pool_options. Errors: negative errno with diag. Ownership: *decoders is the caller's.
 */
int decoding_start(const struct config *config, size_t jobs,
                   void (*on_event)(void *context, enum worker_event event, const char *text), void *context,
                   struct decoders **decoders, struct diag *diag);

#endif
