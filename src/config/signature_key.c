#include "settings.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

enum { BASE64_SIZE = 44, PEM_MAX = 16384 };

/* Base64 of 32 bytes has 44 letters, the last of which is the one filler. */
static bool read_base64(const char *text, uint8_t value[CONFIG_SIGNATURE_KEY_SIZE])
{
    uint8_t bytes[BASE64_SIZE / 4 * 3];

    if (strlen(text) != BASE64_SIZE || strchr(text, '=') != text + BASE64_SIZE - 1 ||
        EVP_DecodeBlock(bytes, (const uint8_t *)text, BASE64_SIZE) != (int)sizeof bytes)
        return false;
    memcpy(value, bytes, CONFIG_SIGNATURE_KEY_SIZE);
    return true;
}

static bool take_public_key(BIO *file, uint8_t value[CONFIG_SIGNATURE_KEY_SIZE])
{
    EVP_PKEY *key = PEM_read_bio_PUBKEY(file, NULL, NULL, NULL);
    size_t size = CONFIG_SIGNATURE_KEY_SIZE;
    bool good = key != NULL && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
                EVP_PKEY_get_raw_public_key(key, value, &size) == 1 && size == CONFIG_SIGNATURE_KEY_SIZE;

    EVP_PKEY_free(key);
    return good;
}

static int read_pem(struct config_source *source, const char *key, const char *path,
                    uint8_t value[CONFIG_SIGNATURE_KEY_SIZE])
{
    struct config_source text = {.origin = path, .diag = source->diag};
    int error = config_source_read_raw(&text, path);

    if (error != 0)
        return error;
    BIO *memory = text.size <= PEM_MAX ? BIO_new_mem_buf(text.text, (int)text.size) : NULL;
    bool good = memory != NULL && take_public_key(memory, value);
    BIO_free(memory);
    config_source_close(&text);
    if (good)
        return 0;
    return config_refuse(source, key, "%.200s holds no Ed25519 public key in PEM", path);
}

int settings_read_signature_key(struct config_source *source, const char *key, const char *text,
                                uint8_t value[CONFIG_SIGNATURE_KEY_SIZE])
{
    if (text[0] == '/')
        return read_pem(source, key, text, value);
    if (read_base64(text, value))
        return 0;
    return config_refuse(source, key,
                         "must be an Ed25519 public key: base64 of its 32 bytes, or the path of a PEM file "
                         "that begins with /");
}
