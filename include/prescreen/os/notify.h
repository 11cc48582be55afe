/* Tells a service manager how the daemon stands. Source: sd_notify(3). */
#ifndef PRESCREEN_OS_NOTIFY_H
#define PRESCREEN_OS_NOTIFY_H

/* Sends state ("READY=1", "STOPPING=1") as one datagram to $NOTIFY_SOCKET; does nothing when that is not set.
 * Errors: -errno; a caller may well ignore them, since the manager notices silence itself. */
int notify_send(const char *state);

#endif
