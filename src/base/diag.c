#include "prescreen/base/diag.h"

#include <stdarg.h>
#include <stdio.h>

static void set_text(struct diag *diag, const char *format, va_list arguments)
{
    if (diag == NULL)
        return;
    if (vsnprintf(diag->text, sizeof diag->text, format, arguments) < 0)
        diag->text[0] = '\0';
    for (char *c = diag->text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || (unsigned char)*c == 0x7f)
            *c = '?';
    }
}

void diag_set(struct diag *diag, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set_text(diag, format, arguments);
    va_end(arguments);
}

int diag_fail(struct diag *diag, int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set_text(diag, format, arguments);
    va_end(arguments);
    return code;
}
