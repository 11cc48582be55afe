/* The head of a request, read strictly: whatever two HTTP parsers could read in two ways is refused, so that
 * no proxy before us and no client behind it disagree about where a request ends. */
#ifndef PRESCREEN_HTTP_HEAD_H
#define PRESCREEN_HTTP_HEAD_H

#include "prescreen/base/diag.h"

#include "problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEADERS_MAX = 100, HEADER_NAME_MAX = 256, HEADER_VALUE_MAX = 8192 };

/* Header fields that are read, each at most once. */
enum head_field {
    HEAD_HOST,
    HEAD_CONTENT_LENGTH,
    HEAD_TRANSFER_ENCODING,
    HEAD_CONTENT_TYPE,
    HEAD_CONTENT_ENCODING,
    HEAD_AUTHORIZATION,
    HEAD_EXPECT,
    HEAD_IDEMPOTENCY_KEY,
    HEAD_REQUEST_ID,
    HEAD_ORIGIN,
    HEAD_SIGNATURE,
    HEAD_FIELD_COUNT
};

struct head {
    const char *fields[HEAD_FIELD_COUNT]; /* NULL = absent; borrowed */
    size_t header_count;
    /* Known once head_check() has passed. */
    bool has_body; /* chunked, or a length above 0 */
    bool chunked;
    bool has_length;
    uint64_t length;
    bool expects_continue;
};

/* Takes one header line. name and value are terminated at their size and must outlive head. Returns
 * PROBLEM_NONE or a problem with diag. */
enum problem head_add(struct head *head, const char *name, size_t name_size, const char *value,
                      size_t value_size, struct diag *diag);

/* Judges the whole once all lines are in. version is "HTTP/1.0" or "HTTP/1.1" (or a later 1.x). Source: RFC
 * 9112 sections 3.2 and 6, RFC 9110 sections 8.6 and 10.1.1. */
enum problem head_check(struct head *head, const char *version, struct diag *diag);

/* True for "multipart/form-data" with or without parameters. */
bool head_is_form(const struct head *head);

/* Follows the lines of a head through memory: where the HTTP library keeps it as it came, a line that does
 * not begin right behind the last one shows what the library reads leniently: a NUL byte, a folded line, a
 * bare CR or LF, doubled spaces. */
struct head_walk {
    const char *next; /* where the next line must begin */
    bool straight;    /* so far every one did */
};
void head_walk_start(struct head_walk *walk, const char *method, const char *target, size_t target_size,
                     const char *version);
void head_walk_line(struct head_walk *walk, const char *name, const char *value, size_t value_size);
/* True when the head also ends where it must: size bytes after method. */
bool head_walk_ends(const struct head_walk *walk, const char *method, size_t size);

#endif
