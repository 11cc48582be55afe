/* The calls of the interface: one row each. */
#ifndef PRESCREEN_HTTP_ROUTES_H
#define PRESCREEN_HTTP_ROUTES_H

#include "prescreen/base/vocabulary.h"
#include "prescreen/lists/entry.h"

#include "problem.h"
#include "service.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request;

enum {
    MATCH_BODY_MAX = 2 << 20, /* MATCH_ITEMS_MAX items of at most 2 KiB */
    ENTRIES_BODY_MAX = 16 << 20,
    LIST_BODY_MAX = 16 << 10,
    FORM_ENVELOPE_MAX = 64 << 10 /* what a form may have around its file */
};

/* What a call takes as its body. */
enum route_body {
    ROUTE_BODY_NONE,
    ROUTE_BODY_UPLOAD, /* streamed; at most limits.body, and FORM_ENVELOPE_MAX in a form */
    ROUTE_BODY_IMPORT, /* streamed; at most limits.import, and a longer deadline in proportion */
    ROUTE_BODY_JSON    /* gathered in request->buffer; at most json_maximum */
};

/* The functions return PROBLEM_NONE or a problem, with request->diag as its detail; finish also fills
 * request->answer. */
struct route {
    const char *method;
    const char *path; /* "{name}" stands for one segment, "{entry_id}" at its end for all that is left */
    enum call_kind kind;
    enum right right; /* 0: no key is needed */
    enum route_body body;
    uint64_t json_maximum;
    const char *const *parameters;                  /* of the query; ends with NULL */
    enum problem (*begin)(struct request *request); /* may be NULL */
    enum problem (*take)(struct request *request, const void *data, size_t size); /* of streamed bodies */
    enum problem (*finish)(struct request *request);
    void (*clear)(struct request *request); /* frees request->work; may be NULL */
};

extern const struct route routes[];
extern const size_t route_count;

/* What a path and a method lead to. */
struct route_match {
    const struct route *route; /* NULL: no such path, or not with this method */
    /* What stood for "{name}" and "{entry_id}", cut where it is too long to be one; "" = nothing. */
    char name[LIST_NAME_MAX + 2];
    char entry_id[ENTRY_ID_MAX + 2];
    unsigned int allowed; /* bits of routes[] that have the path, 0 when there is no such path */
};

/* Finds the route; HEAD finds GET. Only calls of the given kinds (set of enum call_kind) exist. */
void route_find(const char *path, const char *method, unsigned int kinds, struct route_match *match);

/* "GET, HEAD, PUT" of a match. */
void route_format_allowed(const struct route_match *match, char *text, size_t capacity);

#endif
