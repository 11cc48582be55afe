#include "prescreen/base/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void hex_encode(const uint8_t *bytes, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * size] = '\0';
}

/* Value + 1 of a digit, 0 of anything else. A table because digits and letters mix at random: every branch on
 * them would be guessed wrong half of the time, which a list of a million hashes feels. */
static const uint8_t digit_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16};

static unsigned int digit_value(char c)
{
    return digit_values[(unsigned char)c];
}

bool hex_decode(const char *text, size_t length, uint8_t *bytes, size_t size)
{
    bool good = true;

    if (length / 2 != size || length % 2 != 0)
        return false;
    for (size_t i = 0; i < length; i++)
        good &= digit_value(text[i]) != 0;
    for (size_t i = 0; good && i < size; i++)
        bytes[i] = (uint8_t)((digit_value(text[2 * i]) - 1) << 4 | (digit_value(text[2 * i + 1]) - 1));
    return good;
}

bool bytes_equal_secret(const uint8_t *a, const uint8_t *b, size_t size)
{
    volatile uint8_t difference = 0;

    for (size_t i = 0; i < size; i++)
        difference = (uint8_t)(difference | (a[i] ^ b[i]));
    return difference == 0;
}

void bytes_init(struct bytes *bytes, size_t maximum)
{
    *bytes = (struct bytes){.maximum = maximum};
}

int bytes_append(struct bytes *bytes, const void *data, size_t size)
{
    if (size > bytes->maximum - bytes->size)
        return -EFBIG;
    if (size == 0)
        return 0;
    if (size > bytes->capacity - bytes->size) {
        size_t needed = bytes->size + size;
        size_t capacity = bytes->capacity < 256 ? 256 : bytes->capacity;

        while (capacity < needed)
            capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
        if (capacity > bytes->maximum)
            capacity = bytes->maximum;
        uint8_t *grown = realloc(bytes->data, capacity);
        if (grown == NULL)
            return -ENOMEM;
        bytes->data = grown;
        bytes->capacity = capacity;
    }
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
    return 0;
}

void bytes_clear(struct bytes *bytes)
{
    free(bytes->data);
    bytes_init(bytes, bytes->maximum);
}
