/* Text from people and clients: numbers with units, tokens, UTF-8. */
#ifndef PRESCREEN_BASE_TEXT_H
#define PRESCREEN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a decimal number of digits only, at most maximum. Returns false, output untouched, on any other text.
 */
bool text_parse_u64(const char *text, uint64_t maximum, uint64_t *value);

/* Reads a size: digits and optionally B, KiB, MiB or GiB. value is in bytes. False on other text or overflow.
 */
bool text_parse_size(const char *text, uint64_t *value);

/* Reads a duration: digits and ms, s, m, h or d; a bare 0 needs no unit. value is in microseconds. False on
 * other text or overflow. */
bool text_parse_duration(const char *text, uint64_t *value_us);

/* True when text is 1 to maximum bytes of A-Z a-z 0-9 '.' '_' '-'. */
bool text_is_token(const char *text, size_t maximum);

/* True when text[0..size) is well-formed UTF-8 without control characters (below 0x20, 0x7f). Source: RFC
 * 3629. */
bool text_is_printable_utf8(const char *text, size_t size);

/* Puts a value in quotes as errors show it: whole up to 16 bytes, of a longer one about the first 8 and "…",
 * so that the place can be found and no digest or hash be read from it; what is not printable UTF-8 becomes
 * '?'. Returns shown. */
enum { TEXT_SHOWN_SIZE = 24 };
const char *text_show(const char *text, char shown[TEXT_SHOWN_SIZE]);

/* Copies source into target[0..capacity) when it fits with its terminator; else leaves target and returns
 * false. */
bool text_copy(char *target, size_t capacity, const char *source);

#endif
