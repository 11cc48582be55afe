#include "prescreen/log/log.h"

#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_SIZE = 4096, LINE_END_SIZE = 2, ESCAPE_SIZE = 8 };

struct log {
    int fd;
    enum log_level least;
};

struct line {
    char text[LINE_MAX_SIZE];
    size_t size; /* always leaves room for the end of the line */
};

int log_create(int fd, enum log_level least, struct log **log)
{
    struct log *made = calloc(1, sizeof *made);

    if (made == NULL)
        return -ENOMEM;
    made->fd = fd;
    made->least = least;
    *log = made;
    return 0;
}

void log_free(struct log *log)
{
    free(log);
}

static bool line_append(struct line *line, const char *text, size_t size)
{
    if (size > sizeof line->text - LINE_END_SIZE - line->size)
        return false;
    memcpy(line->text + line->size, text, size);
    line->size += size;
    return true;
}

/* Writes the JSON form of the first character of text. Returns the bytes of text that it stands for. */
static size_t escape_character(const char *text, char escaped[ESCAPE_SIZE])
{
    const unsigned char first = (unsigned char)text[0];
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (first == '"' || first == '\\') {
        snprintf(escaped, ESCAPE_SIZE, "\\%c", first);
        return 1;
    }
    if (first < 0x20 || first == 0x7f) {
        snprintf(escaped, ESCAPE_SIZE, "\\u%04x", first);
        return 1;
    }
    if (strnlen(text, length) < length || !text_is_printable_utf8(text, length)) {
        snprintf(escaped, ESCAPE_SIZE, "\\ufffd");
        return 1;
    }
    memcpy(escaped, text, length);
    escaped[length] = '\0';
    return length;
}

/* Appends text as a JSON string, cut to what fits. Room for the closing quote is the caller's to keep. */
static void line_append_string(struct line *line, const char *text)
{
    char escaped[ESCAPE_SIZE];

    while (*text != '\0') {
        size_t step = escape_character(text, escaped);
        if (strlen(escaped) + 1 > sizeof line->text - LINE_END_SIZE - line->size)
            break;
        line_append(line, escaped, strlen(escaped));
        text += step;
    }
    line_append(line, "\"", 1);
}

/* A field that does not fit with at least an empty value is left out. */
static void line_append_field(struct line *line, const struct log_field *field)
{
    char start[128];
    int size = field->text != NULL
                   ? snprintf(start, sizeof start, ",\"%s\":\"", field->name)
                   : snprintf(start, sizeof start, ",\"%s\":%" PRId64, field->name, field->number);

    if (size < 0 || (size_t)size >= sizeof start ||
        (size_t)size + 1 > sizeof line->text - LINE_END_SIZE - line->size)
        return;
    line_append(line, start, (size_t)size);
    if (field->text != NULL)
        line_append_string(line, field->text);
}

static void line_write(const struct line *line, int fd)
{
    ssize_t written = 0;

    do
        written = write(fd, line->text, line->size);
    while (written < 0 && errno == EINTR);
}

void log_event(struct log *log, enum log_level level, const char *event, const struct log_field *fields)
{
    static const char *const levels[] = {
        [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};
    char time[CLOCK_RFC3339_SIZE];
    struct line line;

    if (log == NULL || level < log->least)
        return;
    clock_format_rfc3339(clock_wall_us(), time);
    line.size =
        (size_t)snprintf(line.text, sizeof line.text, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%.64s\"",
                         time, levels[level], event);
    for (const struct log_field *field = fields; field != NULL && field->name != NULL; field++)
        line_append_field(&line, field);
    memcpy(line.text + line.size, "}\n", LINE_END_SIZE);
    line.size += LINE_END_SIZE;
    line_write(&line, log->fd);
}
