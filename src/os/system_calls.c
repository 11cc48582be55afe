#include "system_calls.h"

#include "prescreen/os/sandbox.h"
#include "prescreen/os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Most arguments are ints: the kernel reads their low 32 bits and so does the filter. */
#define INT_IS(index, value)                                                                                 \
    {                                                                                                        \
        .arg = (index), .op = SCMP_CMP_MASKED_EQ, .datum_a = 0xffffffffU, .datum_b = (value)                 \
    }
#define NOT_EXECUTABLE(index)                                                                                \
    {                                                                                                        \
        .arg = (index), .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0                         \
    }

/* The flags with which the C library starts a thread: all is shared, no namespace is new. */
enum {
    THREAD_FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                   CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID
};

struct allowed_call {
    int number;
    unsigned int argument_count;
    struct scmp_arg_cmp arguments[2];
    const char *reason;
};

static const struct allowed_call allowed_calls[] = {
    {SCMP_SYS(recvmsg), 1, {INT_IS(0, SPAWN_SOCKET_FD)}, "jobs come in over the parent's socket alone"},
    {SCMP_SYS(sendmsg), 1, {INT_IS(0, SPAWN_SOCKET_FD)}, "answers go out over the parent's socket alone"},
    {SCMP_SYS(write), 1, {INT_IS(0, STDERR_FILENO)}, "last words of an invariant that broke"},
    {SCMP_SYS(writev), 1, {INT_IS(0, STDERR_FILENO)}, "last words of the C library's heap checks"},
    {SCMP_SYS(fstat), 0, {{0}}, "the size of the file that came with a job"},
    {SCMP_SYS(fcntl), 1, {INT_IS(1, F_GET_SEALS)}, "that nobody can change that file any more"},
    {SCMP_SYS(close), 0, {{0}}, "that file when the job is done"},
    {SCMP_SYS(mmap), 1, {NOT_EXECUTABLE(2)}, "that file, and memory"},
    {SCMP_SYS(mprotect), 1, {NOT_EXECUTABLE(2)}, "growth of the heap"},
    {SCMP_SYS(munmap), 0, {{0}}, "memory"},
    {SCMP_SYS(mremap), 0, {{0}}, "memory: realloc of a large block"},
    {SCMP_SYS(brk), 0, {{0}}, "memory"},
    {SCMP_SYS(madvise), 1, {INT_IS(2, MADV_DONTNEED)}, "memory: giving the heap's free end back"},
    {SCMP_SYS(futex), 1, {INT_IS(1, FUTEX_WAKE_PRIVATE)}, "the end of a pthread_once in a codec"},
    {SCMP_SYS(clock_gettime), 0, {{0}}, "time, where the kernel gives it no faster way"},
    {SCMP_SYS(sysinfo), 0, {{0}}, "qsort() of more than a kilobyte: how much memory the machine has"},
    {SCMP_SYS(getrandom), 0, {{0}}, "the heap's and the C library's own keys"},
    {SCMP_SYS(rt_sigprocmask), 0, {{0}}, "abort()"},
    {SCMP_SYS(getpid), 0, {{0}}, "abort()"},
    {SCMP_SYS(gettid), 0, {{0}}, "abort()"},
    {SCMP_SYS(exit), 0, {{0}}, "the end"},
    {SCMP_SYS(exit_group), 0, {{0}}, "the end"},
};

/* What starting, joining and ending threads takes beside that. */
static const struct allowed_call thread_calls[] = {
    {SCMP_SYS(clone), 1, {INT_IS(0, THREAD_FLAGS)}, "a thread of this process and nothing else"},
    {SCMP_SYS(set_robust_list), 0, {{0}}, "a thread's first steps"},
    {SCMP_SYS(rseq), 0, {{0}}, "a thread's first steps"},
    {SCMP_SYS(futex), 1, {INT_IS(1, FUTEX_WAIT_PRIVATE)}, "locks"},
    {SCMP_SYS(futex),
     1,
     {INT_IS(1, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME)},
     "waiting for a condition"},
    {SCMP_SYS(futex), 1, {INT_IS(1, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME)}, "waiting for a thread's end"},
};

/* Not made, but answered, so that the libraries do what is wanted of them. Without an error it is a 0. */
static const struct {
    int number;
    int error;
    const char *reason;
} answered_calls[] = {
    {SCMP_SYS(clone3), ENOSYS, "the C library falls back to clone, whose flags a filter can read"},
    {SCMP_SYS(sched_getaffinity), 0,
     "a decoder that counts no core starts no thread for each, and says nothing"},
};

/* Only in a build that carries a sanitizer, which is for tests and never for uploads. */
static const struct allowed_call sanitizer_calls[] = {
    {SCMP_SYS(madvise), 0, {{0}}, "shadow memory: no huge pages, not in a dump"},
    {SCMP_SYS(futex), 0, {{0}}, "its locks"},
    {SCMP_SYS(sched_yield), 0, {{0}}, "its locks"},
    {SCMP_SYS(sigaltstack), 0, {{0}}, "its signal handlers"},
    {SCMP_SYS(rt_sigaction), 0, {{0}}, "its signal handlers"},
    {SCMP_SYS(rt_sigreturn), 0, {{0}}, "its signal handlers"},
};

static int allow(scmp_filter_ctx filter, const struct allowed_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, calls[i].number, calls[i].argument_count,
                                            calls[i].arguments);
        if (result != 0)
            return result;
    }
    return 0;
}

static int allow_threads(scmp_filter_ctx filter)
{
    int result = allow(filter, thread_calls, sizeof thread_calls / sizeof thread_calls[0]);

    for (size_t i = 0; result == 0 && i < sizeof answered_calls / sizeof answered_calls[0]; i++)
        result = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint32_t)answered_calls[i].error),
                                        answered_calls[i].number, 0, NULL);
    return result;
}

/* abort() signals the process itself, and nobody else may be signalled. The thread's number is the process's
 * in the one thread there is, and else any in the process. */
static int allow_abort(scmp_filter_ctx filter, bool threads)
{
    struct scmp_arg_cmp arguments[] = {INT_IS(0, (scmp_datum_t)getpid()), INT_IS(2, SIGABRT),
                                       INT_IS(1, (scmp_datum_t)getpid())};

    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), threads ? 2 : 3, arguments);
}

int system_calls_restrict(bool threads)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

    if (filter == NULL)
        return -ENOMEM;
    /* Calls of another architecture's numbering would else end the thread only. */
    int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (result == 0)
        result = allow(filter, allowed_calls, sizeof allowed_calls / sizeof allowed_calls[0]);
    if (result == 0 && SANDBOX_SANITIZED)
        result = allow(filter, sanitizer_calls, sizeof sanitizer_calls / sizeof sanitizer_calls[0]);
    if (result == 0 && threads)
        result = allow_threads(filter);
    if (result == 0)
        result = allow_abort(filter, threads);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result;
}
