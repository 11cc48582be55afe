#include "prescreen/base/text.h"

#include <stdio.h>
#include <string.h>

struct unit {
    const char *suffix;
    uint64_t factor;
};

static const char *parse_digits(const char *text, uint64_t *value)
{
    uint64_t sum = 0;
    const char *c = text;

    for (; *c >= '0' && *c <= '9'; c++) {
        if (__builtin_mul_overflow(sum, (uint64_t)10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*c - '0'), &sum))
            return NULL;
    }
    *value = sum;
    return c == text ? NULL : c;
}

bool text_parse_u64(const char *text, uint64_t maximum, uint64_t *value)
{
    uint64_t number = 0;
    const char *end = parse_digits(text, &number);

    if (end == NULL || *end != '\0' || number > maximum)
        return false;
    *value = number;
    return true;
}

static bool parse_with_unit(const char *text, const struct unit *units, size_t count, uint64_t *value)
{
    uint64_t number = 0;
    const char *end = parse_digits(text, &number);

    if (end == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(end, units[i].suffix) == 0) {
            if (__builtin_mul_overflow(number, units[i].factor, &number))
                return false;
            *value = number;
            return true;
        }
    }
    return false;
}

bool text_parse_size(const char *text, uint64_t *value)
{
    static const struct unit units[] = {
        {"", 1}, {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

    return parse_with_unit(text, units, sizeof units / sizeof units[0], value);
}

bool text_parse_duration(const char *text, uint64_t *value_us)
{
    static const struct unit units[] = {
        {"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {"h", 3600000000U}, {"d", 86400000000U}};

    if (strcmp(text, "0") == 0) {
        *value_us = 0;
        return true;
    }
    return parse_with_unit(text, units, sizeof units / sizeof units[0], value_us);
}

bool text_is_token(const char *text, size_t maximum)
{
    size_t length = strlen(text);

    return length >= 1 && length <= maximum &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}

/* Returns the bytes of the sequence that starts at text, 0 when it is not well-formed. */
static size_t utf8_sequence(const unsigned char *text, size_t left)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t length;
    } forms[] = {{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
                 {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
                 {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};

    if (text[0] < 0x80)
        return text[0] >= 0x20 && text[0] != 0x7f ? 1 : 0;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (text[0] < forms[i].first_low || text[0] > forms[i].first_high)
            continue;
        if (left < forms[i].length || text[1] < forms[i].second_low || text[1] > forms[i].second_high)
            return 0;
        for (size_t k = 2; k < forms[i].length; k++) {
            if ((text[k] & 0xc0) != 0x80)
                return 0;
        }
        return forms[i].length;
    }
    return 0;
}

bool text_is_printable_utf8(const char *text, size_t size)
{
    size_t at = 0;

    while (at < size) {
        size_t step = utf8_sequence((const unsigned char *)text + at, size - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

const char *text_show(const char *text, char shown[TEXT_SHOWN_SIZE])
{
    enum { WHOLE_MAX = 16, BEGINNING_MAX = 8 };
    const size_t left = strlen(text);
    const size_t limit = left <= WHOLE_MAX ? left : BEGINNING_MAX;
    size_t at = 0;
    size_t size = 0;

    shown[size++] = '"';
    while (at < limit) {
        size_t step = utf8_sequence((const unsigned char *)text + at, left - at);
        if (at + step > limit)
            break;
        if (step == 0)
            shown[size++] = '?';
        for (size_t i = 0; i < step; i++)
            shown[size++] = text[at + i];
        at += step > 0 ? step : 1;
    }
    snprintf(shown + size, TEXT_SHOWN_SIZE - size, "%s\"", at < left ? "…" : "");
    return shown;
}

bool text_copy(char *target, size_t capacity, const char *source)
{
    size_t length = strlen(source);

    if (length >= capacity)
        return false;
    memcpy(target, source, length + 1);
    return true;
}
