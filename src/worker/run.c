#include "prescreen/worker/run.h"

#include "prescreen/os/sandbox.h"
#include "prescreen/worker/exit_code.h"
#include "prescreen/worker/serve.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#if SANDBOX_SANITIZED
/* A report inside the sandbox can neither look up symbols nor, at the end, stop itself to look for leaks. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "symbolize=0:detect_leaks=0:allocator_may_return_null=1";
}
#endif

static void say(const char *text)
{
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

void worker_run(int argc, char **argv, const struct decode_codecs *codecs, bool threads)
{
    struct worker_setup setup;
    struct sandbox_report sandbox = {.landlock_abi = 0};
    struct diag diag = {""};

    if (!worker_setup_read(argc, argv, &setup)) {
        say("this program is started by prescreend and by prescreen, with a socket; see prescreen --help\n");
        _exit(WORKER_EXIT_USAGE);
    }
    /* This process may write no file: what a library says into a log that is one must fail, not end it. */
    signal(SIGXFSZ, SIG_IGN);
    setup.limits.threads = threads;
    if (sandbox_enter(&setup.limits, &sandbox, &diag) != 0) {
        say(diag.text);
        _exit(WORKER_EXIT_SANDBOX_STEP + (int)sandbox.failed);
    }
    /* Nothing is left to flush, and handlers of exit() would only widen what must be allowed. */
    _exit(worker_serve(&setup, codecs, &sandbox));
}
