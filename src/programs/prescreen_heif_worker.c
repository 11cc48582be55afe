#include "prescreen/worker/exit_code.h"
#include "prescreen/worker/run.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* libheif is C++: where it does not look whether memory was had, its program ends in abort(). */
static void on_abort(int signal_number)
{
    if (errno == ENOMEM)
        _exit(WORKER_EXIT_OUT_OF_MEMORY);
    raise(signal_number);
}

int main(int argc, char **argv)
{
    const struct sigaction once = {.sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

    sigaction(SIGABRT, &once, NULL);
    worker_run(argc, argv, &decode_codecs_heif, true);
}
