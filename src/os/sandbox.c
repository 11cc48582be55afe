#include "prescreen/os/sandbox.h"

#include "prescreen/os/spawn.h"

#include "landlock.h"
#include "system_calls.h"

#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREAD_STACK_BYTES = 1 << 20 };

static int forbid_new_privileges(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;
}

static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

    memset(none, 0, sizeof none);
    return syscall(SYS_capset, &header, none) == 0 ? 0 : -errno;
}

static int die_with_parent(void)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 ? 0 : -errno;
}

static int forbid_dumps(void)
{
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : -errno;
}

static int lower_limit(__rlimit_resource_t resource, rlim_t soft, rlim_t hard)
{
    struct rlimit current;

    if (getrlimit(resource, &current) != 0)
        return -errno;
    /* What the system allows may be less already, and then cannot be raised. */
    struct rlimit wanted = {.rlim_cur = soft < current.rlim_max ? soft : current.rlim_max,
                            .rlim_max = hard < current.rlim_max ? hard : current.rlim_max};
    return setrlimit(resource, &wanted) == 0 ? 0 : -errno;
}

static void *do_nothing(void *argument)
{
    return argument;
}

/* With its first thread the C library makes calls that it never makes again. */
static int start_first_thread(void)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, do_nothing, NULL);

    return error == 0 ? pthread_join(thread, NULL) : error;
}

/* Of the address space a thread would take 8 MB for its stack and reserve 128 MB for a heap of its own. */
static int prepare_threads(void)
{
    pthread_attr_t attributes;
    int error = SANDBOX_SANITIZED || mallopt(M_ARENA_MAX, 1) == 1 ? 0 : EINVAL;

    if (error == 0)
        error = pthread_attr_init(&attributes);
    if (error != 0)
        return -error;
    error = pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    if (error == 0)
        error = pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
    if (error == 0)
        error = start_first_thread();
    return -error;
}

static int lower_limits(const struct sandbox_limits *limits)
{
    const struct {
        __rlimit_resource_t resource;
        rlim_t soft, hard;
    } rows[] = {
        {RLIMIT_CORE, 0, 0},
        {RLIMIT_FSIZE, 0, 0},
        {RLIMIT_NPROC, 0, 0},
        /* 0-3 and the one file of a job; Landlock's ruleset needs the same place before that. */
        {RLIMIT_NOFILE, SPAWN_SOCKET_FD + 2, SPAWN_SOCKET_FD + 2},
        /* The first second over the limit ends in SIGXCPU, which tells the parent why. */
        {RLIMIT_CPU, (rlim_t)limits->cpu_seconds, (rlim_t)limits->cpu_seconds + 1},
        {RLIMIT_AS, (rlim_t)limits->memory_bytes, (rlim_t)limits->memory_bytes},
    };

    int result = limits->threads ? prepare_threads() : 0;

    for (size_t i = 0; result == 0 && i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].resource == RLIMIT_AS && SANDBOX_SANITIZED)
            continue;
        /* It counts the threads of all processes of the user: the filter of system calls stands in for it. */
        if (rows[i].resource == RLIMIT_NPROC && limits->threads)
            continue;
        result = lower_limit(rows[i].resource, rows[i].soft, rows[i].hard);
    }
    return result;
}

static int take_step(enum sandbox_step step, const struct sandbox_limits *limits, unsigned int *landlock_abi)
{
    switch (step) {
    case SANDBOX_NO_NEW_PRIVS:
        return forbid_new_privileges();
    case SANDBOX_CAPABILITIES:
        return drop_capabilities();
    case SANDBOX_PARENT_DEATH:
        return die_with_parent();
    case SANDBOX_DUMPABLE:
        return forbid_dumps();
    case SANDBOX_RLIMITS:
        return lower_limits(limits);
    case SANDBOX_LANDLOCK:
        return landlock_forbid_all(landlock_abi);
    case SANDBOX_SECCOMP:
        return system_calls_restrict(limits->threads);
    case SANDBOX_STEP_COUNT:
        break;
    }
    return -EINVAL;
}

int sandbox_enter(const struct sandbox_limits *limits, struct sandbox_report *report, struct diag *diag)
{
    for (int i = 0; i < SANDBOX_STEP_COUNT; i++) {
        int result = take_step((enum sandbox_step)i, limits, &report->landlock_abi);
        if (result == 0)
            continue;
        report->failed = (enum sandbox_step)i;
        return diag_fail(diag, result, "sandbox step %s failed: %s", sandbox_step_name((enum sandbox_step)i),
                         strerror(-result));
    }
    return 0;
}
