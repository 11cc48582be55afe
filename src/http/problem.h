/* What can be wrong with a request, each with its status, public words and weight in the log. */
#ifndef PRESCREEN_HTTP_PROBLEM_H
#define PRESCREEN_HTTP_PROBLEM_H

#include "prescreen/base/diag.h"
#include "prescreen/log/log.h"

enum problem {
    PROBLEM_NONE, /* nothing is wrong: what functions of this module return on success */
    PROBLEM_MALFORMED,
    PROBLEM_FRAMING,
    PROBLEM_NO_KEY,
    PROBLEM_NO_RIGHT,
    PROBLEM_WEB_PAGE,
    PROBLEM_NO_ROUTE,
    PROBLEM_NO_PROFILE,
    PROBLEM_NO_LIST,
    PROBLEM_NO_ENTRY,
    PROBLEM_METHOD,
    PROBLEM_LATE,
    PROBLEM_NO_LENGTH,
    PROBLEM_TOO_LARGE,
    PROBLEM_TARGET_TOO_LONG,
    PROBLEM_NO_FILE,
    PROBLEM_ENCODED,
    PROBLEM_EXPECTATION,
    PROBLEM_CONFLICT,
    PROBLEM_HEADER_TOO_LARGE,
    PROBLEM_INTERNAL,
    PROBLEM_BUSY,
    PROBLEM_STALE_LISTS,
    PROBLEM_NOT_RECORDED,
    PROBLEM_NOT_READY,
    PROBLEM_COUNT
};

/* Puts the detail of a problem into diag and gives the problem, so that both can be returned in one line. */
#define problem_fail(diag, kind, ...) (diag_set((diag), __VA_ARGS__), (enum problem)(kind))

struct problem_row {
    const char *name; /* last part of the type, and of the log */
    const char *title;
    unsigned int status;
    enum log_level level;
    unsigned int retry_after_s; /* 0 = no Retry-After */
};

/* Any problem but PROBLEM_NONE. Static storage. */
const struct problem_row *problem_describe(enum problem problem);

/* The problem as application/problem+json, compact; the caller's to free(). NULL on -ENOMEM. detail may hold
 * any bytes; what is not printable UTF-8 is replaced. Source: RFC 9457. */
char *problem_to_json(enum problem problem, const char *detail, const char *request_id);

#endif
