#include "trailing.h"

#include "prescreen/decode/decode.h"

#include <stdbool.h>
#include <string.h>

enum {
    /* Other programs find their data behind a little noise: PDF readers look through the first kilobyte. */
    WINDOW_BYTES = 1024,
    /* A ZIP is found from its end: a record of 22 bytes and a comment. */
    ZIP_TAIL_BYTES = 22 + 65535,
};

struct mark {
    const char *bytes;
    size_t size;
    enum trailing_data is;
};

static const struct mark first_marks[] = {
    {"PK\3\4", 4, TRAILING_ZIP},
    {"Rar!\x1a\7", 6, TRAILING_ARCHIVE},
    {"7z\xbc\xaf\x27\x1c", 6, TRAILING_ARCHIVE},
    {"\x1f\x8b\x08", 3, TRAILING_ARCHIVE},
    {"#!", 2, TRAILING_SCRIPT},
};

/* Anywhere in the window. */
static const struct mark later_marks[] = {
    {"%PDF-", 5, TRAILING_PDF},    {"<?php", 5, TRAILING_SCRIPT},     {"<script", 7, TRAILING_SCRIPT},
    {"<html", 5, TRAILING_SCRIPT}, {"<!DOCTYPE", 9, TRAILING_SCRIPT}, {"<svg", 4, TRAILING_SCRIPT},
    {"<?xml", 5, TRAILING_SCRIPT},
};

static bool is_padding(const uint8_t *data, size_t size, size_t at)
{
    switch (data[at]) {
    case 0xff: /* also how a JPEG and a JPEG 2000 codestream start */
        return at + 1 == size || (data[at + 1] != 0xd8 && data[at + 1] != 0x4f);
    case 0:
    case ' ':
    case '\r':
    case '\n':
        return true;
    default:
        return false;
    }
}

/* A box that opens a file: its length, of which most bytes are like padding, then its type. */
static bool starts_box(const uint8_t *data, size_t size, size_t at)
{
    return size - at >= 8 && (memcmp(data + at + 4, "ftyp", 4) == 0 ||
                              memcmp(data + at + 4, "jP  ", 4) == 0 || memcmp(data + at + 4, "JXL ", 4) == 0);
}

size_t trailing_padding(const uint8_t *data, size_t size)
{
    size_t length = 0;

    while (length < size && is_padding(data, size, length))
        length++;
    for (size_t at = length < 4 ? 0 : length - 4; at < length; at++) {
        if (starts_box(data, size, at))
            return at;
    }
    return length;
}

static enum trailing_data find_first_mark(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < sizeof first_marks / sizeof first_marks[0]; i++) {
        if (size >= first_marks[i].size && memcmp(data, first_marks[i].bytes, first_marks[i].size) == 0)
            return first_marks[i].is;
    }
    return TRAILING_UNKNOWN;
}

static enum trailing_data find_later_mark(const uint8_t *data, size_t size)
{
    size_t window = size < WINDOW_BYTES ? size : WINDOW_BYTES;

    for (size_t i = 0; i < sizeof later_marks / sizeof later_marks[0]; i++) {
        if (memmem(data, window, later_marks[i].bytes, later_marks[i].size) != NULL)
            return later_marks[i].is;
    }
    return TRAILING_UNKNOWN;
}

/* A drawing in XML is a document, and may hold scripts. */
static bool is_picture(const uint8_t *data, size_t size)
{
    enum media_format format = decode_sniff(data, size);

    return format != FORMAT_UNKNOWN && format != FORMAT_SVG;
}

/* The end of a ZIP's directory, whatever stands before the archive. */
static bool ends_as_zip(const uint8_t *data, size_t size)
{
    size_t tail = size < ZIP_TAIL_BYTES ? size : ZIP_TAIL_BYTES;

    return memmem(data + size - tail, tail, "PK\5\6", 4) != NULL;
}

enum trailing_data trailing_recognise(const uint8_t *data, size_t size)
{
    size_t padding = trailing_padding(data, size);

    if (padding == size)
        return TRAILING_PADDING;
    const uint8_t *start = data + padding;
    size_t left = size - padding;
    enum trailing_data found = find_first_mark(start, left);
    if (found == TRAILING_UNKNOWN && is_picture(start, left)) /* whatever its comments hold */
        found = TRAILING_PICTURE;
    if (found == TRAILING_UNKNOWN)
        found = find_later_mark(start, left);
    if (found == TRAILING_UNKNOWN && ends_as_zip(start, left))
        found = TRAILING_ZIP;
    if (found == TRAILING_UNKNOWN && left >= 12 && memcmp(start + 4, "ftyp", 4) == 0)
        found = TRAILING_VIDEO;
    return found;
}
