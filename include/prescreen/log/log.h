/* The log: one JSON object a line on stderr. Never picture bytes, secrets or hashes of lists. */
#ifndef PRESCREEN_LOG_LOG_H
#define PRESCREEN_LOG_LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* A named value of an event: text when not NULL, else number. The array ends with LOG_END. */
struct log_field {
    const char *name;
    const char *text;
    int64_t number;
};
#define LOG_TEXT(name, value)   ((struct log_field){(name), (value), 0})
#define LOG_NUMBER(name, value) ((struct log_field){(name), 0, (int64_t)(value)})
#define LOG_END                 ((struct log_field){0, 0, 0})

struct log;

/* Errors: -ENOMEM. Writes to fd, which stays the caller's; events below least are dropped. */
int log_create(int fd, enum log_level least, struct log **log);
void log_free(struct log *log);

/* Writes {"time":…,"level":…,"event":…,fields…} as one line of at most 4096 bytes in one write, texts escaped
 * and cut when longer. log may be NULL. Threads: any. Cost: one system call. */
void log_event(struct log *log, enum log_level level, const char *event, const struct log_field *fields);

#endif
