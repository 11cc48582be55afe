/* The kinds of workers: each is a program of its own, with codecs and a confinement of its own. */
#ifndef PRESCREEN_WORKER_KIND_H
#define PRESCREEN_WORKER_KIND_H

#include "prescreen/base/diag.h"

#include <stddef.h>

enum worker_kind {
    WORKER_PLAIN, /* recognises every upload and decodes what needs no threads */
    WORKER_HEIF,  /* HEIC and AVIF: may start threads */
    WORKER_KIND_COUNT
};

/* "plain", "heif"; its program; what the log calls one. The value must be in range. Static storage. */
const char *worker_kind_name(enum worker_kind kind);
const char *worker_kind_program(enum worker_kind kind);
const char *worker_kind_title(enum worker_kind kind);

/* As files_find_program(), for the kind's program. */
int worker_kind_find(enum worker_kind kind, char *path, size_t capacity, struct diag *diag);

#endif
