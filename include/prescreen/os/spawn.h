/* Programs of ours, started with nothing but a socket. The only place that starts processes. */
#ifndef PRESCREEN_OS_SPAWN_H
#define PRESCREEN_OS_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

enum { SPAWN_SOCKET_FD = 3 };

struct spawn_plan {
    const char *path;       /* absolute */
    char *const *arguments; /* ends with NULL; the first is the program's name */
    int socket_fd;          /* becomes SPAWN_SOCKET_FD; stays the caller's here */
    int error_fd;           /* becomes standard error; -1 keeps this process's own */
};

struct spawn_child {
    pid_t pid;
    int pid_fd; /* readable when the process has ended */
};

/* How a process ended. Neither is known when somebody else has reaped it. */
struct spawn_ending {
    int exit_code; /* -1 when it did not exit */
    int signal;    /* 0 when none ended it */
};

/* Starts the program in "/" and in a process group of its own, with an empty environment, default signals,
 * /dev/null as input and output and no other descriptor than the two of the plan. Errors: -errno of the step
 * that failed, also of exec. Ownership: the caller must spawn_reap() the child. Threads: any. Cost: about a
 * millisecond, whatever the size of this process. */
int spawn_start(const struct spawn_plan *plan, struct spawn_child *child);

/* Waits until the process has ended or the deadline (CLOCK_MONOTONIC) has passed and tells how it ended; it
 * stays unreaped, so that its pid cannot become another process's. Errors: -ETIMEDOUT, -errno. */
int spawn_await(const struct spawn_child *child, uint64_t deadline_us, struct spawn_ending *ending);

/* As spawn_await(), and on success reaps it and closes pid_fd. One thread only may reap a child. */
int spawn_reap(struct spawn_child *child, uint64_t deadline_us, struct spawn_ending *ending);

/* Sends SIGKILL. The child must not have been reaped. */
void spawn_kill(const struct spawn_child *child);

/* Makes ended children wait for spawn_reap() where this process inherited that they vanish (SIGCHLD ignored).
 * To be called once before the first spawn_start(). */
void spawn_keep_children(void);

#endif
