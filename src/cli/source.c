#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 65536 };

int source_check_names(const char *const *names, size_t count, struct diag *diag)
{
    size_t inputs = 0;

    for (size_t i = 0; i < count; i++)
        inputs += strcmp(names[i], "-") == 0;
    if (inputs > 1)
        return diag_fail(diag, -EINVAL, "- is named %zu times, but standard input can be read only once",
                         inputs);
    return 0;
}

int source_open(const char *name, struct source *source, struct diag *diag)
{
    struct stat facts;
    bool input = strcmp(name, "-") == 0;
    int fd = input ? dup(STDIN_FILENO) : open(name, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return diag_fail(diag, -errno, "cannot be opened: %s", strerror(errno));
    int error = fstat(fd, &facts) != 0 ? errno : S_ISDIR(facts.st_mode) ? EISDIR : 0;
    if (error != 0) {
        close(fd);
        return diag_fail(diag, -error, "cannot be read: %s", strerror(error));
    }
    *source =
        (struct source){fd, S_ISREG(facts.st_mode) && !input ? (uint64_t)facts.st_size : SOURCE_SIZE_UNKNOWN};
    return 0;
}

void source_close(struct source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
}

int64_t source_read(const struct source *source, void *data, size_t size, struct diag *diag)
{
    ssize_t got = 0;

    do
        got = read(source->fd, data, size);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return diag_fail(diag, -errno, "cannot be read: %s", strerror(errno));
    return got;
}

/* Hands everything to take in chunks. */
static int read_chunks(const char *name, int (*take)(void *context, const void *data, size_t size),
                       void *context, struct diag *diag)
{
    uint8_t chunk[CHUNK_BYTES];
    struct source source = {.fd = -1};
    int64_t got = 0;
    int result = source_open(name, &source, diag);

    while (result == 0 && (got = source_read(&source, chunk, sizeof chunk, diag)) > 0) {
        result = take(context, chunk, (size_t)got);
        if (result != 0)
            diag_set(diag, result == -EFBIG ? "larger than what is allowed here" : "%s", strerror(-result));
    }
    source_close(&source);
    return got < 0 ? (int)got : result;
}

static int take_bytes(void *context, const void *data, size_t size)
{
    return bytes_append(context, data, size);
}

static int take_upload(void *context, const void *data, size_t size)
{
    return upload_append(context, data, size);
}

int source_read_all(const char *name, struct bytes *content, struct diag *diag)
{
    return read_chunks(name, take_bytes, content, diag);
}

int source_read_upload(const char *name, uint64_t maximum, struct upload **upload, struct diag *diag)
{
    struct upload *created = NULL;
    int result = upload_create(maximum, UPLOAD_DIGESTS, &created);

    if (result != 0)
        return diag_fail(diag, result, "no memory file: %s", strerror(-result));
    result = read_chunks(name, take_upload, created, diag);
    if (result == -EFBIG)
        diag_set(diag, "larger than limits.body (%llu bytes)", (unsigned long long)maximum);
    if (result == 0) {
        result = upload_finish(created);
        if (result != 0)
            diag_set(diag, "cannot be hashed: %s", strerror(-result));
    }
    if (result != 0) {
        upload_free(created);
        return result;
    }
    *upload = created;
    return 0;
}
