/* Detached Ed25519 signatures of list files. */
#ifndef PRESCREEN_LISTS_SIGNATURE_H
#define PRESCREEN_LISTS_SIGNATURE_H

#include "prescreen/config/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LIST_SIGNATURE_SIZE = 64,
    LIST_SIGNATURE_TEXT_MAX = 128 /* bytes of what list_signature_read() takes at most */
};

/* Reads a signature: its 64 bytes as they are, or their base64 with white space around it. Returns false,
 * output untouched, on anything else. */
bool list_signature_read(const void *data, size_t size, uint8_t signature[LIST_SIGNATURE_SIZE]);

/* Positive outcome of list_signature_verify(). */
enum { LIST_SIGNATURE_WRONG = 1 };

/* Whether this is the signature of size bytes by the key. 0, LIST_SIGNATURE_WRONG, -ENOMEM, -EIO when the
 * library refuses. Cost: one SHA-512 of the data. Source: RFC 8032 (Ed25519, not
 * prehashed). */
int list_signature_verify(const uint8_t key[CONFIG_SIGNATURE_KEY_SIZE],
                          const uint8_t signature[LIST_SIGNATURE_SIZE], const void *data, size_t size);

#endif
