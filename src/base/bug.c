#include "prescreen/base/bug.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put(const char *text)
{
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

_Noreturn void bug_abort(const char *file, int line, const char *condition)
{
    char digits[12];
    size_t at = sizeof digits - 1;
    unsigned int rest = (unsigned int)line;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0 && at > 0);
    put("BUG at ");
    put(file);
    put(":");
    put(digits + at);
    put(": ");
    put(condition);
    put("\n");
    abort();
}
