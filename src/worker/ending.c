#include "ending.h"

#include "prescreen/worker/exit_code.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char *exit_code_meaning(int code)
{
    switch (code) {
    case WORKER_EXIT_PARENT_GONE:
        return "ended as if its parent were gone";
    case WORKER_EXIT_USAGE:
        return "refused its arguments or its socket";
    case WORKER_EXIT_BAD_MESSAGE:
        return "got a message that it does not know: is it of another version?";
    case WORKER_EXIT_BAD_FILE:
        return "got a file that is not sealed or of another size";
    case WORKER_EXIT_SOCKET:
        return "lost its socket";
    case WORKER_EXIT_OUT_OF_MEMORY:
        return "ran out of memory";
    case WORKER_EXIT_SELF_TEST:
        return "failed its self-test: a built-in picture did not decode to its hash";
    default:
        return NULL;
    }
}

void ending_describe(const struct spawn_ending *ending, char text[ENDING_TEXT_SIZE])
{
    const char *name = ending->signal > 0 ? sigabbrev_np(ending->signal) : NULL;
    const char *meaning = exit_code_meaning(ending->exit_code);

    if (ending->signal == SIGSYS)
        snprintf(text, ENDING_TEXT_SIZE, "killed by SIGSYS: it made a forbidden system call");
    else if (name != NULL)
        snprintf(text, ENDING_TEXT_SIZE, "killed by SIG%s", name);
    else if (ending->signal > 0)
        snprintf(text, ENDING_TEXT_SIZE, "killed by signal %d", ending->signal);
    else if (ending->exit_code >= WORKER_EXIT_SANDBOX_STEP && ending->exit_code < WORKER_EXIT_END)
        snprintf(text, ENDING_TEXT_SIZE, "could not be confined: sandbox step %s failed",
                 sandbox_step_name((enum sandbox_step)(ending->exit_code - WORKER_EXIT_SANDBOX_STEP)));
    else if (meaning != NULL)
        snprintf(text, ENDING_TEXT_SIZE, "%s", meaning);
    else if (ending->exit_code < 0)
        snprintf(text, ENDING_TEXT_SIZE, "gone, and something else in this process has reaped it");
    else
        snprintf(text, ENDING_TEXT_SIZE, "exited with code %d", ending->exit_code);
}

enum reason ending_reason(const struct spawn_ending *ending)
{
    if (ending->signal == SIGXCPU)
        return REASON_MEDIA_LIMIT_TIME;
    if (ending->exit_code == WORKER_EXIT_OUT_OF_MEMORY)
        return REASON_MEDIA_LIMIT_MEMORY;
    return REASON_MEDIA_DECODER_DIED;
}
