/* The sentence that tells a person what went wrong and what to do about it. */
#ifndef PRESCREEN_BASE_DIAG_H
#define PRESCREEN_BASE_DIAG_H

enum { DIAG_TEXT_MAX = 512 };

struct diag {
    char text[DIAG_TEXT_MAX]; /* UTF-8, terminated, cut when longer; "" = nothing said yet */
};

/* Replaces the text. diag may be NULL. Control bytes are replaced by '?' so that the text is safe in a log
 * line. */
void diag_set(struct diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Replaces the text and returns code, so that a fault can be described and forwarded in one line. */
int diag_fail(struct diag *diag, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
