/* The exit codes by which a worker tells its parent why it ended. */
#ifndef PRESCREEN_WORKER_EXIT_CODE_H
#define PRESCREEN_WORKER_EXIT_CODE_H

#include "prescreen/os/sandbox.h"

enum worker_exit_code {
    WORKER_EXIT_PARENT_GONE = 0, /* the other end of the socket was closed: the orderly end */
    WORKER_EXIT_USAGE = 64,      /* arguments or descriptor 3 are not what prescreen gives */
    WORKER_EXIT_BAD_MESSAGE,     /* a message that no parent of this version sends */
    WORKER_EXIT_BAD_FILE,        /* a job's file is not sealed or not of the size that the job says */
    WORKER_EXIT_SOCKET,          /* the socket failed */
    WORKER_EXIT_OUT_OF_MEMORY,
    WORKER_EXIT_SELF_TEST,         /* the built-in pictures did not decode to their hashes */
    WORKER_EXIT_SANDBOX_STEP = 80, /* + enum sandbox_step: that step failed */
    WORKER_EXIT_END = WORKER_EXIT_SANDBOX_STEP + SANDBOX_STEP_COUNT
};

#endif
