/* What a worker must not be able to do, tried. Runs only inside a scratch worker. */
#ifndef PRESCREEN_WORKER_FORBIDDEN_H
#define PRESCREEN_WORKER_FORBIDDEN_H

#include "message.h"

/* Makes the call of the probe, harmless should it succeed. Does not return in a working sandbox. */
void forbidden_try(enum probe_call call, uint32_t parent_pid);

#endif
