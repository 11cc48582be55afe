/* Step one of a screening: the bytes as they arrive, into a sealed memory file, digested on the way by those
 * digests that are sure to be needed. */
#ifndef PRESCREEN_SCREEN_UPLOAD_H
#define PRESCREEN_SCREEN_UPLOAD_H

#include "prescreen/hash/hashes.h"

#include <stddef.h>
#include <stdint.h>

struct upload {
    int memory_fd;              /* sealed once finished */
    uint64_t size;              /* bytes */
    struct known_hashes hashes; /* digests; SHA-256 is among them once finished */
    uint64_t receive_us;        /* from creation to finish, digests included */
    uint64_t digest_us;         /* what the digests took, also those that were computed later */
    /* Private to upload.c. */
    struct digest_stream *digests;
    uint64_t maximum;
    uint64_t started_us;
};

enum { UPLOAD_DIGESTS = HASH_BIT(HASH_MD5) | HASH_BIT(HASH_SHA1) | HASH_BIT(HASH_SHA256) };

/* Starts an upload of at most maximum bytes, of which the digests in kinds and SHA-256 are computed as they
 * arrive. Errors: negative errno. Ownership: *upload is the caller's. */
int upload_create(uint64_t maximum, unsigned int kinds, struct upload **upload);

/* Takes more bytes. Errors: -EFBIG past the maximum, -ENOMEM, -ENOSPC. */
int upload_append(struct upload *upload, const void *data, size_t size);

/* Seals the bytes and completes the digests. Errors: negative errno. */
int upload_finish(struct upload *upload);

/* Computes those digests of kinds that are not known yet from the finished upload's bytes. Errors: negative
 * errno. Cost: a pass over the bytes when any is missing, MD5 0.8 GB/s, SHA-1 2 GB/s. */
int upload_complete(struct upload *upload, unsigned int kinds);

void upload_free(struct upload *upload);

#endif
