#include "codec.h"

#include <string.h>

enum {
    TAG_ORIENTATION = 0x0112,
    TAG_THUMBNAIL_START = 0x0201,
    TAG_THUMBNAIL_LENGTH = 0x0202,
    TYPE_SHORT = 3,
    TYPE_LONG = 4,
    ENTRY_BYTES = 12,
};

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

/* A directory: its entries that are present, whatever it claims. */
struct directory {
    size_t entries; /* where they start */
    size_t count;
    size_t end; /* where the offset of the next directory stands */
};

static bool open_directory(const struct tiff *tiff, size_t at, struct directory *directory)
{
    if (at > tiff->size || tiff->size - at < 2)
        return false;
    size_t present = (tiff->size - at - 2) / ENTRY_BYTES;
    size_t claimed = read16(tiff, at);
    directory->entries = at + 2;
    directory->count = claimed < present ? claimed : present;
    directory->end = at + 2 + claimed * ENTRY_BYTES;
    return true;
}

/* Finds the first entry of the tag. Returns its place, 0 when there is none. */
static size_t find_entry(const struct tiff *tiff, const struct directory *directory, uint32_t tag)
{
    size_t at = directory->entries;

    for (size_t i = 0; i < directory->count; i++, at += ENTRY_BYTES) {
        if (read16(tiff, at) == tag)
            return at;
    }
    return 0;
}

/* The one number of that type in the entry at that place, 0 when it is anything else. */
static uint32_t read_number(const struct tiff *tiff, size_t entry, uint32_t type)
{
    if (entry == 0 || read16(tiff, entry + 2) != type || read32(tiff, entry + 4) != 1)
        return 0;
    return type == TYPE_SHORT ? read16(tiff, entry + 8) : read32(tiff, entry + 8);
}

unsigned int exif_orientation(const uint8_t *data, size_t size)
{
    struct tiff tiff = {data, size, false};
    struct directory first;

    if (!open_tiff(&tiff) || !open_directory(&tiff, read32(&tiff, 4), &first))
        return 1;
    uint32_t value = read_number(&tiff, find_entry(&tiff, &first, TAG_ORIENTATION), TYPE_SHORT);
    return value >= 1 && value <= 8 ? value : 1;
}

void codec_read_exif(const struct codec_job *job, const uint8_t *tiff, size_t size)
{
    size_t start = 0;
    size_t length = 0;

    job->report->exif = exif_orientation(tiff, size);
    if (exif_thumbnail(tiff, size, &start, &length))
        codec_note_thumbnail(job, 0, tiff + start, length);
}

bool exif_thumbnail(const uint8_t *data, size_t size, size_t *start, size_t *length)
{
    struct tiff tiff = {data, size, false};
    struct directory first;
    struct directory second;

    if (!open_tiff(&tiff) || !open_directory(&tiff, read32(&tiff, 4), &first) || first.end > size ||
        size - first.end < 4)
        return false;
    size_t at = read32(&tiff, first.end);
    if (at == 0 || !open_directory(&tiff, at, &second))
        return false;
    *start = read_number(&tiff, find_entry(&tiff, &second, TAG_THUMBNAIL_START), TYPE_LONG);
    *length = read_number(&tiff, find_entry(&tiff, &second, TAG_THUMBNAIL_LENGTH), TYPE_LONG);
    if (*start == 0 || *start >= size || *length == 0)
        return false;
    if (*length > size - *start)
        *length = size - *start;
    return true;
}
