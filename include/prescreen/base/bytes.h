/* Byte strings: hexadecimal text, comparison of secrets, a growing buffer with a maximum. */
#ifndef PRESCREEN_BASE_BYTES_H
#define PRESCREEN_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 2*size lower-case digits and a terminator; text has room for 2*size+1. */
void hex_encode(const uint8_t *bytes, size_t size, char *text);

/* Reads exactly 2*size digits of either case from text[0..length). Returns false, output untouched, on any
 * other text. */
bool hex_decode(const char *text, size_t length, uint8_t *bytes, size_t size);

/* Compares two secrets of equal size; the time taken depends on size only. */
bool bytes_equal_secret(const uint8_t *a, const uint8_t *b, size_t size);

struct bytes {
    uint8_t *data; /* NULL while empty */
    size_t size;
    size_t capacity;
    size_t maximum; /* never grows past this */
};

/* An empty buffer that will hold at most maximum bytes. Allocates nothing. */
void bytes_init(struct bytes *bytes, size_t maximum);

/* Appends. Errors: -EFBIG past the maximum, -ENOMEM; the content is then as before. Cost: amortised linear.
 */
int bytes_append(struct bytes *bytes, const void *data, size_t size);

/* Frees the content and leaves an empty buffer with the same maximum. */
void bytes_clear(struct bytes *bytes);

#endif
