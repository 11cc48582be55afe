/* One worker process as its parent sees it. */
#ifndef PRESCREEN_WORKER_CHILD_H
#define PRESCREEN_WORKER_CHILD_H

#include "prescreen/base/cpu.h"
#include "prescreen/base/diag.h"
#include "prescreen/os/spawn.h"
#include "prescreen/worker/kind.h"

#include "message.h"

#include <stddef.h>
#include <stdint.h>

struct child_plan {
    const char *path; /* of the kind's program, absolute */
    enum worker_kind kind;
    uint64_t memory_bytes;
    uint64_t cpu_seconds;
    enum cpu_level cpu;
};

/* {.process = {-1, -1}, .socket_fd = -1, .error_fd = -1} is no child. */
struct child {
    struct spawn_child process;
    pid_t pid; /* stays for the obituary, as the kind does */
    enum worker_kind kind;
    int socket_fd;
    int error_fd; /* where its last words wait; -1 in a sanitized build, whose reports go to our own stderr */
    uint64_t job; /* number of the last one sent, 0 = none */
};

#define CHILD_NONE ((struct child){.process = {-1, -1}, .pid = -1, .socket_fd = -1, .error_fd = -1})

/* Starts a worker. Errors: -errno with diag. Ownership: child is the caller's to child_bury(). */
int child_start(const struct child_plan *plan, struct child *child, struct diag *diag);

/* Sends a job, with its file when its type takes one, else -1. Errors: -EPIPE when the worker is gone,
 * -errno. */
int child_send(struct child *child, const struct job *job, int file_fd);

/* Waits for the answer until the deadline. Errors: -ETIMEDOUT; -EPIPE when the worker is gone; -EPROTO when
 * it is longer than any answer or brings files; -errno. */
int child_receive(const struct child *child, uint64_t deadline_us, uint8_t *packet, size_t capacity,
                  size_t *size);

/* Sends SIGKILL. */
void child_kill(const struct child *child);

/* Waits for its end until the deadline, reaps it and frees what is left of it. Writes how it ended and an
 * obituary into diag: pid, cause, last job, last words. Errors: -ETIMEDOUT, and the child is as before. */
int child_bury(struct child *child, uint64_t deadline_us, struct spawn_ending *ending, struct diag *diag);

#endif
