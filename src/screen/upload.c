#include "prescreen/screen/upload.h"

#include "prescreen/base/clock.h"
#include "prescreen/hash/digest.h"
#include "prescreen/os/memfile.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int upload_create(uint64_t maximum, struct upload **upload)
{
    struct upload *created = calloc(1, sizeof *created);
    int result = 0;

    if (created == NULL)
        return -ENOMEM;
    created->memory_fd = -1;
    created->hashes.pdq_quality = -1;
    created->maximum = maximum;
    created->started_us = clock_monotonic_us();
    result = digest_stream_create(HASH_BIT(HASH_MD5) | HASH_BIT(HASH_SHA1) | HASH_BIT(HASH_SHA256),
                                  &created->digests);
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

void upload_free(struct upload *upload)
{
    if (upload == NULL)
        return;
    digest_stream_free(upload->digests);
    if (upload->memory_fd >= 0)
        close(upload->memory_fd);
    free(upload);
}
