/* Step one of a screening: the bytes as they arrive, into a sealed memory file, digested on the way. */
#ifndef PRESCREEN_SCREEN_UPLOAD_H
#define PRESCREEN_SCREEN_UPLOAD_H

#include "prescreen/hash/hashes.h"

#include <stddef.h>
#include <stdint.h>

struct upload {
    int memory_fd;              /* sealed once finished */
    uint64_t size;              /* bytes */
    struct known_hashes hashes; /* digests; known once finished */
    uint64_t receive_us;        /* from creation to finish, digests included */
    uint64_t digest_us;         /* of receive_us, what the digests took */
    /* Private to upload.c. */
    struct digest_stream *digests;
    uint64_t maximum;
    uint64_t started_us;
};

/* Starts an upload of at most maximum bytes. Errors: negative errno. Ownership: *upload is the caller's. */
int upload_create(uint64_t maximum, struct upload **upload);

/* Takes more bytes. Errors: -EFBIG past the maximum, -ENOMEM, -ENOSPC. */
int upload_append(struct upload *upload, const void *data, size_t size);

/* Seals the bytes and completes the digests. Errors: negative errno. */
int upload_finish(struct upload *upload);

void upload_free(struct upload *upload);

#endif
