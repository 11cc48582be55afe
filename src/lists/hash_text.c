#include "hash_text.h"

#include "prescreen/lists/entry.h"

#include <string.h>

int hash_text_check_digits(const char *text, struct diag *why)
{
    size_t digits = strspn(text, "0123456789abcdefABCDEF");

    if (text[digits] != '\0')
        return diag_fail(why, LIST_ENTRY_BAD, "character %zu is not a hexadecimal digit", digits + 1);
    return 0;
}

int hash_text_read(const char *text, enum hash_kind kind, struct known_hashes *hashes, struct diag *why)
{
    size_t length = strlen(text);

    if (known_hashes_parse(hashes, kind, text, length))
        return 0;
    int outcome = hash_text_check_digits(text, why);
    if (outcome != 0)
        return outcome;
    return diag_fail(why, LIST_ENTRY_BAD, "%zu hexadecimal digits, expected %zu", length,
                     2 * hash_kind_size(kind));
}
