/* The proof that the sandbox holds on this machine, before any upload. */
#ifndef PRESCREEN_WORKER_TRIAL_H
#define PRESCREEN_WORKER_TRIAL_H

#include "child.h"

/* Starts a scratch worker for each forbidden call and has it try: each must be killed for it. Errors: -EPERM
 * when one survived, -EPROTO when one ended otherwise, -ETIMEDOUT, -errno; diag names the call or the step
 * that failed. Nothing is left running. Cost: some ten milliseconds. */
int trial_run(const struct child_plan *plan, struct diag *diag);

#endif
