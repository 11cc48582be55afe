#include "prescreen/hash/hashes.h"

#include "prescreen/base/bug.h"
#include "prescreen/base/bytes.h"

#include <string.h>

size_t hash_kind_size(enum hash_kind kind)
{
    static const size_t sizes[HASH_KIND_COUNT] = {MD5_SIZE, SHA1_SIZE, SHA256_SIZE, PDQ_SIZE};

    BUG_ON(kind >= HASH_KIND_COUNT);
    return sizes[kind];
}

void pdq_to_bytes(const struct pdq_hash *hash, uint8_t bytes[PDQ_SIZE])
{
    for (unsigned int i = 0; i < PDQ_SIZE; i++) {
        unsigned int low_bit = 8 * (PDQ_SIZE - 1 - i);
        bytes[i] = (uint8_t)(hash->words[low_bit / 64] >> (low_bit % 64));
    }
}

void pdq_from_bytes(const uint8_t bytes[PDQ_SIZE], struct pdq_hash *hash)
{
    struct pdq_hash result = {{0}};

    for (unsigned int i = 0; i < PDQ_SIZE; i++) {
        unsigned int low_bit = 8 * (PDQ_SIZE - 1 - i);
        result.words[low_bit / 64] |= (uint64_t)bytes[i] << (low_bit % 64);
    }
    *hash = result;
}

void pdq_to_hex(const struct pdq_hash *hash, char text[PDQ_HEX_SIZE])
{
    uint8_t bytes[PDQ_SIZE];

    pdq_to_bytes(hash, bytes);
    hex_encode(bytes, sizeof bytes, text);
}

bool pdq_from_hex(const char *text, size_t length, struct pdq_hash *hash)
{
    uint8_t bytes[PDQ_SIZE];

    if (!hex_decode(text, length, bytes, sizeof bytes))
        return false;
    pdq_from_bytes(bytes, hash);
    return true;
}

static uint8_t *digest_of(struct known_hashes *hashes, enum hash_kind kind)
{
    return kind == HASH_MD5 ? hashes->md5 : kind == HASH_SHA1 ? hashes->sha1 : hashes->sha256;
}

void known_hashes_format(const struct known_hashes *hashes, enum hash_kind kind, char text[PDQ_HEX_SIZE])
{
    if (kind == HASH_PDQ) {
        pdq_to_hex(&hashes->pdq, text);
        return;
    }
    const uint8_t *digest = kind == HASH_MD5    ? hashes->md5
                            : kind == HASH_SHA1 ? hashes->sha1
                                                : hashes->sha256;
    hex_encode(digest, hash_kind_size(kind), text);
}

bool known_hashes_parse(struct known_hashes *hashes, enum hash_kind kind, const char *text, size_t length)
{
    bool good = kind == HASH_PDQ ? pdq_from_hex(text, length, &hashes->pdq)
                                 : hex_decode(text, length, digest_of(hashes, kind), hash_kind_size(kind));

    if (good)
        hashes->kinds |= HASH_BIT(kind);
    return good;
}
