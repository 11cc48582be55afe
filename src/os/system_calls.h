/* The system calls that a confined process may make. */
#ifndef PRESCREEN_OS_SYSTEM_CALLS_H
#define PRESCREEN_OS_SYSTEM_CALLS_H

#include <stdbool.h>

/* Installs the allow-list: any call that is not on it ends the process with SIGSYS. With threads also what
 * starting and joining threads takes. Errors: -errno. Source: seccomp(2), libseccomp. */
int system_calls_restrict(bool threads);

#endif
