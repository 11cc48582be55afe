/* The bytes of a file that the command line names; "-" is standard input. */
#ifndef PRESCREEN_CLI_SOURCE_H
#define PRESCREEN_CLI_SOURCE_H

#include "prescreen/base/bytes.h"
#include "prescreen/base/diag.h"
#include "prescreen/screen/upload.h"

#include <stddef.h>
#include <stdint.h>

struct source {
    int fd;        /* -1 = closed */
    uint64_t size; /* SOURCE_SIZE_UNKNOWN for what is no regular file */
};
#define SOURCE_SIZE_UNKNOWN UINT64_MAX

/* Standard input can be read once: refuses operands that name it twice. Errors: -EINVAL with diag. */
int source_check_names(const char *const *names, size_t count, struct diag *diag);

/* Errors: negative errno with diag. Ownership: *source is the caller's to source_close() on 0. */
int source_open(const char *name, struct source *source, struct diag *diag);
void source_close(struct source *source);

/* Reads up to size bytes. Returns how many, 0 at the end, negative errno with diag. */
int64_t source_read(const struct source *source, void *data, size_t size, struct diag *diag);

/* Reads everything into content, to its maximum. Errors: -EFBIG, others, with diag; content is the caller's
 * to clear in any case. */
int source_read_all(const char *name, struct bytes *content, struct diag *diag);

/* Reads everything into a finished upload. Errors: -EFBIG past maximum, others, with diag. Ownership: *upload
 * is the caller's on 0. */
int source_read_upload(const char *name, uint64_t maximum, struct upload **upload, struct diag *diag);

#endif
