#include "trial.h"

#include "prescreen/base/clock.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum { TRIAL_TIME_US = 5000000, BURIAL_TIME_US = 5000000 };

static const char *const call_names[PROBE_COUNT] = {
    [PROBE_OPEN] = "open a file",
    [PROBE_SOCKET] = "make a socket",
    [PROBE_EXECVE] = "execute a program",
    [PROBE_FORK] = "fork",
    [PROBE_KILL_PARENT] = "signal its parent",
};

static int start_probe(const struct child_plan *plan, enum probe_call call, struct child *child,
                       struct diag *diag)
{
    struct job job = {
        .type = JOB_PROBE, .number = (uint64_t)call + 1, .call = call, .parent_pid = (uint32_t)getpid()};
    int result = child_start(plan, child, diag);

    /* A worker that could not be confined is gone already: its ending tells more than the socket does. */
    if (result == 0)
        (void)child_send(child, &job, -1);
    return result;
}

/* The worker is dead, or killed because it was silent or survived (received says which). */
static int judge_ending(struct child *child, enum probe_call call, int received, struct diag *diag)
{
    struct spawn_ending ending;
    struct diag obituary = {""};
    int result = child_bury(child, clock_monotonic_us() + BURIAL_TIME_US, &ending, &obituary);

    if (result != 0)
        return diag_fail(diag, result, "a scratch worker cannot be ended");
    if (received == -ETIMEDOUT)
        return diag_fail(diag, received, "a scratch worker that was to %s did not end within %d s",
                         call_names[call], TRIAL_TIME_US / 1000000);
    if (received != -EPIPE)
        return diag_fail(diag, -EPERM,
                         "the sandbox does not hold: a worker that was to %s and die for it answered instead",
                         call_names[call]);
    if (ending.signal != SIGSYS)
        return diag_fail(diag, -EPROTO, "a scratch worker that was to %s and die for it ended otherwise: %s",
                         call_names[call], obituary.text);
    return 0;
}

static int await_probe(struct child *child, enum probe_call call, uint64_t deadline_us, struct diag *diag)
{
    uint8_t packet[MESSAGE_JOB_SIZE];
    size_t size = 0;
    int received = child_receive(child, deadline_us, packet, sizeof packet, &size);

    if (received != -EPIPE)
        child_kill(child);
    return judge_ending(child, call, received, diag);
}

int trial_run(const struct child_plan *plan, struct diag *diag)
{
    struct child children[PROBE_COUNT];
    struct diag unheard;
    uint64_t deadline_us = clock_monotonic_us() + TRIAL_TIME_US;
    int started = 0;
    int result = 0;

    for (; result == 0 && started < PROBE_COUNT; started += result == 0)
        result = start_probe(plan, (enum probe_call)started, &children[started], diag);
    for (int i = 0; i < started; i++) {
        if (result != 0)
            child_kill(&children[i]);
        /* The first failure is the one to tell. */
        int ended = await_probe(&children[i], (enum probe_call)i, deadline_us, result == 0 ? diag : &unheard);
        if (result == 0)
            result = ended;
    }
    return result;
}
