/* Reads multipart/form-data as it streams in; bytes may be cut anywhere. Strict: a body that two readers
 * could take apart differently is refused. Sources: RFC 7578, RFC 2046 section 5.1. */
#ifndef PRESCREEN_HTTP_MULTIPART_H
#define PRESCREEN_HTTP_MULTIPART_H

#include "prescreen/base/diag.h"

#include "problem.h"

#include <stddef.h>

enum { MULTIPART_BOUNDARY_MAX = 70, MULTIPART_PART_HEAD_MAX = 4096 };

/* Told of each part as it begins, then of its bytes. Anything but PROBLEM_NONE stops the reader. */
struct multipart_sink {
    enum problem (*on_part)(void *context, const char *name, struct diag *diag);
    enum problem (*on_data)(void *context, const void *data, size_t size, struct diag *diag);
    void *context;
};

struct multipart;

/* content_type is the header's value, which names the boundary. Returns PROBLEM_NONE or a problem with diag.
 * Ownership: *multipart is the caller's; sink is copied. */
enum problem multipart_create(const char *content_type, const struct multipart_sink *sink,
                              struct multipart **multipart, struct diag *diag);

/* Takes more of the body. After a problem only free is legal. */
enum problem multipart_feed(struct multipart *multipart, const void *data, size_t size, struct diag *diag);

/* Ends the body; refuses one that stops before its closing boundary. */
enum problem multipart_finish(const struct multipart *multipart, struct diag *diag);

void multipart_free(struct multipart *multipart);

#endif
