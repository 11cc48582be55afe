#include "prescreen/lists/signature.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

enum { BASE64_SIZE = 88, DECODED_SIZE = 66 }; /* 64 bytes and two fillers */

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool list_signature_read(const void *data, size_t size, uint8_t signature[LIST_SIGNATURE_SIZE])
{
    const char *text = data;
    uint8_t decoded[DECODED_SIZE];

    if (size == LIST_SIGNATURE_SIZE) {
        memcpy(signature, data, LIST_SIGNATURE_SIZE);
        return true;
    }
    while (size > 0 && is_white(text[size - 1]))
        size--;
    while (size > 0 && is_white(*text)) {
        text++;
        size--;
    }
    if (size != BASE64_SIZE || memchr(text, '=', size) != text + BASE64_SIZE - 2 ||
        text[BASE64_SIZE - 1] != '=' ||
        EVP_DecodeBlock(decoded, (const uint8_t *)text, BASE64_SIZE) != DECODED_SIZE)
        return false;
    memcpy(signature, decoded, LIST_SIGNATURE_SIZE);
    return true;
}

int list_signature_verify(const uint8_t key[CONFIG_SIGNATURE_KEY_SIZE],
                          const uint8_t signature[LIST_SIGNATURE_SIZE], const void *data, size_t size)
{
    EVP_PKEY *public_key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, CONFIG_SIGNATURE_KEY_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int result = -ENOMEM;

    if (public_key == NULL || context == NULL)
        goto out;
    result = -EIO;
    if (EVP_DigestVerifyInit(context, NULL, NULL, NULL, public_key) != 1)
        goto out;
    result =
        EVP_DigestVerify(context, signature, LIST_SIGNATURE_SIZE, data, size) == 1 ? 0 : LIST_SIGNATURE_WRONG;
out:
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public_key);
    return result;
}
