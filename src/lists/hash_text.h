/* Hashes as list files spell them. */
#ifndef PRESCREEN_LISTS_HASH_TEXT_H
#define PRESCREEN_LISTS_HASH_TEXT_H

#include "prescreen/base/diag.h"
#include "prescreen/hash/hashes.h"

/* Reads hexadecimal text of either case into hashes. 0, or LIST_ENTRY_BAD with the reason in why: the shape
 * of the text and its beginning, as text_show() gives it, never all of a hash. */
int hash_text_read(const char *text, enum hash_kind kind, struct known_hashes *hashes, struct diag *why);

/* 0 when text is hexadecimal digits only, else LIST_ENTRY_BAD with the first character that is not. */
int hash_text_check_digits(const char *text, struct diag *why);

enum { DERIVED_ID_SIZE = 25 };

/* Names an entry after its hash, the strongest digest before the PDQ: the first 24 hexadecimal digits of
 * SHA-256("TYPE:hex"). At least one hash is known. 0, or -EIO when the digest library refuses. */
int hash_text_name_entry(const struct known_hashes *hashes, char entry_id[DERIVED_ID_SIZE]);

#endif
