#include "gif_blocks.h"

enum {
    HEADER_BYTES = 13,
    IMAGE_BYTES = 10, /* with the separator */
    EXTENSION = 0x21,
    IMAGE = 0x2c,
    TRAILER = 0x3b,
};

static uint32_t read_le16(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static size_t palette_bytes(uint8_t flags)
{
    return (flags & 0x80) != 0 ? (size_t)3 << ((flags & 7) + 1) : 0;
}

/* Moves past sub-blocks and their terminator. Returns false when the file ends before it. */
static bool skip_sub_blocks(const uint8_t *data, size_t size, size_t *at)
{
    while (*at < size) {
        uint8_t length = data[(*at)++];
        if (length == 0)
            return true;
        if (length > size - *at) {
            *at = size;
            return false;
        }
        *at += length;
    }
    return false;
}

static bool skip_image(const uint8_t *data, size_t size, size_t *at, struct gif_survey *survey)
{
    const uint8_t *head = data + *at;

    if (size - *at < IMAGE_BYTES) {
        *at = size;
        return false;
    }
    if (survey->frames++ == 0) {
        survey->first_right = read_le16(head + 1) + read_le16(head + 5);
        survey->first_bottom = read_le16(head + 3) + read_le16(head + 7);
    }
    size_t skipped = IMAGE_BYTES + palette_bytes(head[9]) + 1; /* and the code size */
    if (skipped > size - *at) {
        *at = size;
        return false;
    }
    *at += skipped;
    return skip_sub_blocks(data, size, at);
}

/* Moves past one block. Returns false at the end of the walk. */
static bool skip_block(const uint8_t *data, size_t size, struct gif_survey *survey)
{
    size_t *at = &survey->end;

    switch (data[*at]) {
    case TRAILER:
        ++*at;
        return false;
    case IMAGE:
        survey->cut = !skip_image(data, size, at, survey);
        break;
    case EXTENSION:
        *at += size - *at < 2 ? size - *at : 2;
        survey->cut = !skip_sub_blocks(data, size, at);
        break;
    default:
        survey->cut = true;
    }
    return !survey->cut;
}

bool gif_survey_blocks(const uint8_t *data, size_t size, struct gif_survey *survey)
{
    *survey = (struct gif_survey){.end = HEADER_BYTES};
    if (size < HEADER_BYTES)
        return false;
    survey->screen_width = read_le16(data + 6);
    survey->screen_height = read_le16(data + 8);
    survey->end += palette_bytes(data[10]);
    if (survey->end > size) {
        survey->end = size;
        survey->cut = true;
        return true;
    }
    while (survey->end < size && skip_block(data, size, survey))
        continue;
    return true;
}
