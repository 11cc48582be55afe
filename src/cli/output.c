#include "output.h"

#include "prescreen/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_BYTES = 4096 };

void say(const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    char clean[LINE_MAX_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "prescreen: %s\n", printable(text, clean, sizeof clean));
}

/* Bytes of the printable character that text[0..size) starts with, 0 when it starts with none. */
static size_t printable_character(const char *text, size_t size)
{
    for (size_t length = 1; length <= 4 && length <= size; length++) {
        if (text_is_printable_utf8(text, length))
            return length;
    }
    return 0;
}

const char *printable(const char *text, char *target, size_t capacity)
{
    size_t size = strlen(text);
    size_t at = 0;
    size_t used = 0;

    while (at < size) {
        size_t length = printable_character(text + at, size - at);
        const char *from = length > 0 ? text + at : "?";
        size_t taken = length > 0 ? length : 1;
        if (used + taken >= capacity)
            break;
        memcpy(target + used, from, taken);
        used += taken;
        at += taken;
    }
    target[used] = '\0';
    return target;
}

const char *noun(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

int output_finish(void)
{
    if (fflush(stdout) != 0)
        return -errno;
    return ferror(stdout) ? -EIO : 0;
}
