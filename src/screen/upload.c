#include "prescreen/screen/upload.h"

#include "prescreen/base/clock.h"
#include "prescreen/hash/digest.h"
#include "prescreen/os/memfile.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int upload_create(uint64_t maximum, unsigned int kinds, struct upload **upload)
{
    struct upload *created = calloc(1, sizeof *created);
    int result = 0;

    if (created == NULL)
        return -ENOMEM;
    created->memory_fd = -1;
    created->hashes.pdq_quality = -1;
    created->maximum = maximum;
    created->started_us = clock_monotonic_us();
    result = digest_stream_create((kinds & UPLOAD_DIGESTS) | HASH_BIT(HASH_SHA256), &created->digests);
    if (result == 0)
        result = memfile_create("upload", &created->memory_fd);
    if (result != 0) {
        upload_free(created);
        return result;
    }
    *upload = created;
    return 0;
}

int upload_append(struct upload *upload, const void *data, size_t size)
{
    if (size > upload->maximum - upload->size)
        return -EFBIG;
    int result = memfile_append(upload->memory_fd, data, size);
    if (result != 0)
        return result;
    upload->size += size;
    uint64_t before_us = clock_monotonic_us();
    result = digest_stream_update(upload->digests, data, size);
    upload->digest_us += clock_monotonic_us() - before_us;
    return result;
}

int upload_finish(struct upload *upload)
{
    int result = memfile_seal(upload->memory_fd);

    if (result == 0)
        result = digest_stream_finish(upload->digests, &upload->hashes);
    upload->receive_us = clock_monotonic_us() - upload->started_us;
    return result;
}

static int digest_file(const struct upload *upload, unsigned int kinds, struct known_hashes *hashes)
{
    struct digest_stream *stream = NULL;
    const uint8_t *data = NULL;
    int result = digest_stream_create(kinds, &stream);

    if (result == 0 && upload->size > 0)
        result = memfile_map(upload->memory_fd, upload->size, &data);
    if (result == 0 && upload->size > 0)
        result = digest_stream_update(stream, data, upload->size);
    if (result == 0)
        result = digest_stream_finish(stream, hashes);
    if (data != NULL)
        memfile_unmap(data, upload->size);
    digest_stream_free(stream);
    return result;
}

int upload_complete(struct upload *upload, unsigned int kinds)
{
    unsigned int missing = kinds & UPLOAD_DIGESTS & ~upload->hashes.kinds;
    uint64_t before_us = clock_monotonic_us();

    if (missing == 0)
        return 0;
    int result = digest_file(upload, missing, &upload->hashes);
    upload->digest_us += clock_monotonic_us() - before_us;
    return result;
}

void upload_free(struct upload *upload)
{
    if (upload == NULL)
        return;
    digest_stream_free(upload->digests);
    if (upload->memory_fd >= 0)
        close(upload->memory_fd);
    free(upload);
}
