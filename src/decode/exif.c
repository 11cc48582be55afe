#include "codec.h"

#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY_BYTES = 12 };

struct tiff {
    const uint8_t *data;
    size_t size;
    bool big_endian;
};

/* The caller has checked that two bytes are there. */
static uint32_t read16(const struct tiff *tiff, size_t at)
{
    const uint8_t *p = tiff->data + at;

    return tiff->big_endian ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static uint32_t read32(const struct tiff *tiff, size_t at)
{
    uint32_t first = read16(tiff, at);
    uint32_t second = read16(tiff, at + 2);

    return tiff->big_endian ? first << 16 | second : second << 16 | first;
}

static bool open_tiff(struct tiff *tiff)
{
    if (tiff->size < 8)
        return false;
    tiff->big_endian = memcmp(tiff->data, "MM", 2) == 0;
    return (tiff->big_endian || memcmp(tiff->data, "II", 2) == 0) && read16(tiff, 2) == 42;
}

unsigned int exif_orientation(const uint8_t *data, size_t size)
{
    struct tiff tiff = {data, size, false};

    if (!open_tiff(&tiff))
        return 1;
    size_t at = read32(&tiff, 4);
    if (at > size || size - at < 2)
        return 1;
    size_t present = (size - at - 2) / ENTRY_BYTES; /* whatever the directory claims */
    size_t count = read16(&tiff, at);
    if (count > present)
        count = present;
    for (at += 2; count > 0; count--, at += ENTRY_BYTES) {
        if (read16(&tiff, at) != TAG_ORIENTATION)
            continue;
        uint32_t value = read16(&tiff, at + 8);
        bool valid =
            read16(&tiff, at + 2) == TYPE_SHORT && read32(&tiff, at + 4) == 1 && value >= 1 && value <= 8;
        return valid ? value : 1;
    }
    return 1;
}
