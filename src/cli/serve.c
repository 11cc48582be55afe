#include "prescreen/os/files.h"

#include "command.h"
#include "output.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int command_serve(const struct invocation *invocation)
{
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    struct diag diag = {""};
    char path[PATH_MAX];
    char **words = calloc(invocation->operand_count + 2, sizeof *words);

    if (words == NULL) {
        say("no memory");
        return EXIT_STATUS_ERROR;
    }
    if (files_find_program("prescreend", path, sizeof path, &diag) != 0) {
        say("%s", diag.text);
    } else {
        words[0] = path;
        for (size_t i = 0; i < invocation->operand_count; i++)
            words[i + 1] = (char *)invocation->operands[i];
        sigaction(SIGPIPE, &standard, NULL);
        execv(path, words);
        say("%s cannot be run: %s", path, strerror(errno));
    }
    free(words);
    return EXIT_STATUS_ERROR;
}
