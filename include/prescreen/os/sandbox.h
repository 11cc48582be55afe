/* The confinement of a process that is about to parse what an attacker wrote. */
#ifndef PRESCREEN_OS_SANDBOX_H
#define PRESCREEN_OS_SANDBOX_H

#include "prescreen/base/diag.h"

#include <stdbool.h>
#include <stdint.h>

/* A sanitizer's runtime needs more address space and more system calls than the program; everything that is
 * different for its sake asks this constant. */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

/* In the order in which they are taken. */
enum sandbox_step {
    SANDBOX_NO_NEW_PRIVS,
    SANDBOX_CAPABILITIES,
    SANDBOX_PARENT_DEATH,
    SANDBOX_DUMPABLE,
    SANDBOX_RLIMITS,
    SANDBOX_LANDLOCK,
    SANDBOX_SECCOMP,
    SANDBOX_STEP_COUNT
};

struct sandbox_limits {
    uint64_t memory_bytes; /* address space, at least 1 */
    uint64_t cpu_seconds;  /* of processor time over the life of the process, at least 1 */
    bool threads;          /* it may start threads: small stacks, one heap for all of them */
};

struct sandbox_report {
    enum sandbox_step failed;  /* set when sandbox_enter() fails */
    unsigned int landlock_abi; /* 0: this kernel has no Landlock, the other steps stand */
};

/* Takes away, for ever, from this single-threaded process: gaining privileges, capabilities, outliving its
 * parent, being traced or dumped, memory and processor time past the limits, further processes and files, the
 * file system, the network, and every system call but the few that computing and answering over descriptor 3
 * need; any other ends it with SIGSYS. Threads are taken away too, unless limits->threads. Errors: -errno
 * with the step in report->failed and a sentence in diag; the process must then exit. Source: prctl(2),
 * landlock(7), seccomp(2). */
int sandbox_enter(const struct sandbox_limits *limits, struct sandbox_report *report, struct diag *diag);

/* "no_new_privs", "capabilities" … "seccomp". The value must be in range. Static storage. */
const char *sandbox_step_name(enum sandbox_step step);

#endif
