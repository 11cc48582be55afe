#include "prescreen/hash/digest.h"

#include "prescreen/base/bug.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>

/* The kinds that are digests of bytes come first in enum hash_kind. */
enum { DIGEST_COUNT = HASH_SHA256 + 1 };

struct digest_stream {
    EVP_MD_CTX *contexts[DIGEST_COUNT]; /* NULL for a kind that was not asked for */
    bool is_finished;
};

static int context_create(enum hash_kind kind, EVP_MD_CTX **context)
{
    static const char *const names[DIGEST_COUNT] = {"MD5", "SHA1", "SHA2-256"};
    EVP_MD *digest = NULL;
    int rc = -ENOMEM;

    EVP_MD_CTX *new = EVP_MD_CTX_new();
    if (new == NULL)
        goto out;
    rc = -EIO;
    digest = EVP_MD_fetch(NULL, names[kind], NULL);
    if (digest == NULL || !EVP_DigestInit_ex2(new, digest, NULL))
        goto out;
    *context = new;
    new = NULL;
    rc = 0;
out:
    EVP_MD_free(digest); /* the context holds its own reference */
    EVP_MD_CTX_free(new);
    return rc;
}

int digest_stream_create(unsigned int kinds, struct digest_stream **stream)
{
    int rc = 0;

    BUG_ON(kinds >= HASH_BIT(DIGEST_COUNT));
    struct digest_stream *new = calloc(1, sizeof *new);
    if (new == NULL)
        return -ENOMEM;
    for (unsigned int kind = 0; kind < DIGEST_COUNT && rc == 0; kind++)
        if (kinds & HASH_BIT(kind))
            rc = context_create((enum hash_kind)kind, &new->contexts[kind]);
    if (rc == 0)
        *stream = new;
    else
        digest_stream_free(new);
    return rc;
}

int digest_stream_update(struct digest_stream *stream, const void *data, size_t size)
{
    BUG_ON(stream->is_finished);
    for (unsigned int kind = 0; kind < DIGEST_COUNT; kind++)
        if (stream->contexts[kind] != NULL && !EVP_DigestUpdate(stream->contexts[kind], data, size))
            return -EIO;
    return 0;
}

int digest_stream_finish(struct digest_stream *stream, struct known_hashes *hashes)
{
    struct known_hashes result = *hashes;
    uint8_t *const values[DIGEST_COUNT] = {result.md5, result.sha1, result.sha256};

    BUG_ON(stream->is_finished);
    stream->is_finished = true;
    for (unsigned int kind = 0; kind < DIGEST_COUNT; kind++) {
        if (stream->contexts[kind] == NULL)
            continue;
        if (!EVP_DigestFinal_ex(stream->contexts[kind], values[kind], NULL))
            return -EIO;
        result.kinds |= HASH_BIT(kind);
    }
    *hashes = result;
    return 0;
}

void digest_stream_free(struct digest_stream *stream)
{
    if (stream == NULL)
        return;
    for (unsigned int kind = 0; kind < DIGEST_COUNT; kind++)
        EVP_MD_CTX_free(stream->contexts[kind]);
    free(stream);
}
