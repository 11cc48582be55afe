/* The hash values themselves: fixed sizes, a set of which kinds are known. */
#ifndef PRESCREEN_HASH_HASHES_H
#define PRESCREEN_HASH_HASHES_H

#include "prescreen/base/vocabulary.h"

#include <stddef.h>
#include <stdint.h>

enum { MD5_SIZE = 16, SHA1_SIZE = 20, SHA256_SIZE = 32, PDQ_SIZE = 32, PDQ_HEX_SIZE = 65 };

/* 256 bits; bit k is words[k / 64] >> (k % 64) & 1. */
struct pdq_hash {
    uint64_t words[4];
};

#define HASH_BIT(kind) (1u << (unsigned int)(kind))

/* What is known of one picture. A value counts only when its bit is in kinds. */
struct known_hashes {
    unsigned int kinds; /* HASH_BIT of each known value */
    uint8_t md5[MD5_SIZE];
    uint8_t sha1[SHA1_SIZE];
    uint8_t sha256[SHA256_SIZE];
    struct pdq_hash pdq;
    int pdq_quality; /* 0-100, -1 when unknown */
};

/* Size in bytes of a kind's value. */
size_t hash_kind_size(enum hash_kind kind);

/* Number of bits in which two hashes differ, 0-256. */
static inline unsigned int pdq_distance(const struct pdq_hash *a, const struct pdq_hash *b)
{
    unsigned int bits = 0;

    for (int i = 0; i < 4; i++)
        bits += (unsigned int)__builtin_popcountll(a->words[i] ^ b->words[i]);
    return bits;
}

/* Writes 64 digits, bit 255 first, and a terminator. */
void pdq_to_hex(const struct pdq_hash *hash, char text[PDQ_HEX_SIZE]);

/* Reads exactly 64 digits of either case, bit 255 first. Returns false, output untouched, on any other text.
 */
bool pdq_from_hex(const char *text, size_t length, struct pdq_hash *hash);

/* The 32 bytes in the order of the hex text: bit 255 is the top bit of byte 0. */
void pdq_to_bytes(const struct pdq_hash *hash, uint8_t bytes[PDQ_SIZE]);
void pdq_from_bytes(const uint8_t bytes[PDQ_SIZE], struct pdq_hash *hash);

/* Writes the value of one known kind as lower-case hex; text holds 65 bytes. */
void known_hashes_format(const struct known_hashes *hashes, enum hash_kind kind, char text[PDQ_HEX_SIZE]);

/* Reads one value from hex text into hashes and sets its bit. Returns false, output untouched, when the text
 * is not the kind's hex. */
bool known_hashes_parse(struct known_hashes *hashes, enum hash_kind kind, const char *text, size_t length);

#endif
