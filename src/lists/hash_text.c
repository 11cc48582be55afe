#include "hash_text.h"

#include "prescreen/base/bytes.h"
#include "prescreen/base/text.h"
#include "prescreen/lists/entry.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

int hash_text_check_digits(const char *text, struct diag *why)
{
    size_t digits = strspn(text, "0123456789abcdefABCDEF");
    char shown[TEXT_SHOWN_SIZE];

    if (text[digits] != '\0')
        return diag_fail(why, LIST_ENTRY_BAD, "character %zu is not a hexadecimal digit: %s", digits + 1,
                         text_show(text, shown));
    return 0;
}

int hash_text_read(const char *text, enum hash_kind kind, struct known_hashes *hashes, struct diag *why)
{
    size_t length = strlen(text);
    char shown[TEXT_SHOWN_SIZE];

    if (known_hashes_parse(hashes, kind, text, length))
        return 0;
    int outcome = hash_text_check_digits(text, why);
    if (outcome != 0)
        return outcome;
    return diag_fail(why, LIST_ENTRY_BAD, "%zu hexadecimal digits, expected %zu: %s", length,
                     2 * hash_kind_size(kind), text_show(text, shown));
}

int hash_text_name_entry(const struct known_hashes *hashes, char entry_id[DERIVED_ID_SIZE])
{
    static const enum hash_kind by_strength[] = {HASH_SHA256, HASH_SHA1, HASH_MD5, HASH_PDQ};
    char hex[PDQ_HEX_SIZE];
    char value[PDQ_HEX_SIZE + 8];
    uint8_t digest[SHA256_DIGEST_LENGTH];
    size_t first = 0;

    while ((hashes->kinds & HASH_BIT(by_strength[first])) == 0)
        first++;
    known_hashes_format(hashes, by_strength[first], hex);
    int length = snprintf(value, sizeof value, "%s:%s", hash_kind_name(by_strength[first]), hex);
    if (SHA256((const unsigned char *)value, (size_t)length, digest) == NULL)
        return -EIO;
    hex_encode(digest, (DERIVED_ID_SIZE - 1) / 2, entry_id);
    return 0;
}
