#include "prescreen/worker/kind.h"

#include "prescreen/base/bug.h"
#include "prescreen/os/files.h"

static const struct kind {
    const char *name;
    const char *program;
    const char *title;
} kinds[WORKER_KIND_COUNT] = {
    [WORKER_PLAIN] = {"plain", "prescreen-worker", "worker"},
    [WORKER_HEIF] = {"heif", "prescreen-heif-worker", "HEIF worker"},
};

static const struct kind *row_of(enum worker_kind kind)
{
    BUG_ON((int)kind < 0 || kind >= WORKER_KIND_COUNT);
    return &kinds[kind];
}

const char *worker_kind_name(enum worker_kind kind)
{
    return row_of(kind)->name;
}

const char *worker_kind_program(enum worker_kind kind)
{
    return row_of(kind)->program;
}

const char *worker_kind_title(enum worker_kind kind)
{
    return row_of(kind)->title;
}

int worker_kind_find(enum worker_kind kind, char *path, size_t capacity, struct diag *diag)
{
    return files_find_program(worker_kind_program(kind), path, capacity, diag);
}
