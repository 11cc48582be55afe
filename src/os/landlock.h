/* Landlock, a kernel's sandbox for the unprivileged, used to forbid everything it can forbid. */
#ifndef PRESCREEN_OS_LANDLOCK_H
#define PRESCREEN_OS_LANDLOCK_H

/* Gives up every access that the running kernel's Landlock knows, to any file, port, abstract socket and
 * process outside. *abi is the version it reports, 0 when it has none, which is no error. Errors: -errno.
 * no_new_privs must be set. Source: linux/landlock.h, Documentation/userspace-api/landlock.rst. */
int landlock_forbid_all(unsigned int *abi);

#endif
