/* The request target: its path and its parameters, decoded and checked. */
#ifndef PRESCREEN_HTTP_TARGET_H
#define PRESCREEN_HTTP_TARGET_H

#include "prescreen/base/diag.h"

#include "problem.h"

#include <stdbool.h>
#include <stddef.h>

enum { TARGET_SIZE_MAX = 8192, PARAMETERS_MAX = 16 };

struct parameter {
    const char *name;
    const char *value;
};

struct target {
    const char *path; /* decoded; begins with '/' */
    struct parameter parameters[PARAMETERS_MAX];
    size_t parameter_count;
    char *text; /* owned: what all of the above points into */
};

/* Reads a target as it stood on the request line, in origin or absolute form. Every name and value is
 * printable UTF-8 and no name comes twice. Returns PROBLEM_NONE or a problem with diag; *target is empty
 * then. Ownership: target is the caller's, freed by target_clear(). Source: RFC 9112 section 3.2, RFC 3986.
 */
enum problem target_parse(const char *raw, struct target *target, struct diag *diag);
void target_clear(struct target *target);

/* The value of a parameter, NULL when it was not given. */
const char *target_find(const struct target *target, const char *name);

/* Refuses parameters other than allowed (ends with NULL), naming the first one. */
enum problem target_check_names(const struct target *target, const char *const *allowed, struct diag *diag);

#endif
