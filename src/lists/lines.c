#include "lines.h"

#include "prescreen/base/text.h"

#include <errno.h>
#include <string.h>

static const char blanks[] = " \t";

char *lines_cut_word(char *text)
{
    char *end = text + strcspn(text, blanks);

    if (*end == '\0')
        return end;
    *end = '\0';
    return end + 1 + strspn(end + 1, blanks);
}

/* A hash without a word for its kind: the number of digits tells. */
static int find_kind(const char *text, enum hash_kind *kind, struct diag *why)
{
    size_t length = strlen(text);
    char shown[TEXT_SHOWN_SIZE];

    if (hash_text_check_digits(text, why) != 0)
        return LIST_ENTRY_BAD;
    if (length == 2ul * SHA256_SIZE)
        return diag_fail(
            why, LIST_ENTRY_BAD,
            "64 hexadecimal digits are a sha256 or a pdq: put the word sha256 or pdq before them: %s",
            text_show(text, shown));
    if (length != 2ul * MD5_SIZE && length != 2ul * SHA1_SIZE)
        return diag_fail(why, LIST_ENTRY_BAD,
                         "%zu hexadecimal digits, expected 32 (md5), 40 (sha1) or 64 (sha256 or pdq): %s",
                         length, text_show(text, shown));
    *kind = length == 2ul * MD5_SIZE ? HASH_MD5 : HASH_SHA1;
    return 0;
}

int lines_read_row(char *row, char entry_id[DERIVED_ID_SIZE], struct list_entry *entry, struct diag *why)
{
    struct known_hashes hashes = {.pdq_quality = -1};
    enum hash_kind kind = HASH_MD5;
    char *text = row + strspn(row, blanks);

    if (*text == '\0' || *text == '#')
        return ROW_NOTHING;
    char *rest = lines_cut_word(text);
    bool typed = hash_kind_parse(text, &kind);
    if (typed) {
        text = rest;
        rest = lines_cut_word(text);
    }
    if (*rest != '\0')
        return diag_fail(why, LIST_ENTRY_BAD,
                         "more than a hash, or a word (md5, sha1, sha256, pdq) and a hash");
    int outcome = typed ? 0 : find_kind(text, &kind, why);
    if (outcome == 0)
        outcome = hash_text_read(text, kind, &hashes, why);
    if (outcome == 0 && hash_text_name_entry(&hashes, entry_id) != 0)
        outcome = diag_fail(why, -EIO, "the library of digests refused SHA-256");
    if (outcome == 0)
        *entry =
            (struct list_entry){.entry_id = entry_id, .hashes = hashes, .classification = "", .note = ""};
    return outcome;
}
