/* Cryptographic digests of bytes as they arrive. */
#ifndef PRESCREEN_HASH_DIGEST_H
#define PRESCREEN_HASH_DIGEST_H

#include "prescreen/hash/hashes.h"

#include <stddef.h>

struct digest_stream;

/* Starts the digests whose HASH_BIT is in kinds (MD5, SHA-1, SHA-256).
 * Errors: -ENOMEM, -EIO when the library refuses. Ownership: *stream is the caller's, freed by
 * digest_stream_free(). */
int digest_stream_create(unsigned int kinds, struct digest_stream **stream);

/* Takes more bytes. Errors: -EIO. */
int digest_stream_update(struct digest_stream *stream, const void *data, size_t size);

/* Writes the digests into hashes and sets their bits; other fields stay. Errors: -EIO. The stream can only be
 * freed afterwards. */
int digest_stream_finish(struct digest_stream *stream, struct known_hashes *hashes);

void digest_stream_free(struct digest_stream *stream);

#endif
