#include "jpeg_scans.h"

#include <string.h>

enum {
    MARKER_TEM = 0x01,
    MARKER_SOF0 = 0xc0,
    MARKER_SOF2 = 0xc2,
    MARKER_DHT = 0xc4,
    MARKER_JPG = 0xc8,
    MARKER_SOF10 = 0xca,
    MARKER_DAC = 0xcc,
    MARKER_SOF15 = 0xcf,
    MARKER_RST0 = 0xd0,
    MARKER_RST7 = 0xd7,
    MARKER_SOI = 0xd8,
    MARKER_EOI = 0xd9,
    MARKER_SOS = 0xda,
    MARKER_DNL = 0xdc,
    MARKER_EXP = 0xdf,
    COMPONENTS_MAX = 4,
    UNSEEN = 16, /* more bits than any mean lacks */
};

struct walk {
    const uint8_t *data;
    size_t size;
    size_t at;
    size_t kept;                          /* what is kept next starts here */
    unsigned int components;              /* of the frame; 0 before its header */
    uint8_t identifiers[COMPONENTS_MAX];  /* in the frame */
    uint8_t bits_missing[COMPONENTS_MAX]; /* of the means so far */
    unsigned int bits_spare;
    struct jpeg_pieces *pieces;
};

/* Ends the piece that is being kept before end. */
static bool keep_until(struct walk *walk, size_t end)
{
    struct jpeg_pieces *pieces = walk->pieces;

    if (end == walk->kept)
        return true;
    if (pieces->count == JPEG_PIECES_MAX)
        return false;
    pieces->piece[pieces->count].start = walk->data + walk->kept;
    pieces->piece[pieces->count].size = end - walk->kept;
    pieces->count++;
    return true;
}

/* Where the entropy-coded data from at on ends: at a marker that is no restart; size when there is none. */
static size_t end_of_scan(const struct walk *walk, size_t at)
{
    while (at + 1 < walk->size) {
        const uint8_t *found = memchr(walk->data + at, 0xff, walk->size - 1 - at);
        if (found == NULL)
            return walk->size;
        at = (size_t)(found - walk->data);
        uint8_t next = found[1];
        if (next == 0xff)
            at++; /* a fill byte */
        else if (next == 0 || (next >= MARKER_RST0 && next <= MARKER_RST7))
            at += 2;
        else
            return at;
    }
    return walk->size;
}

static bool read_frame(struct walk *walk, const uint8_t *segment, size_t length)
{
    if (walk->components != 0 || length < 8)
        return false;
    walk->components = segment[7];
    if (walk->components < 1 || walk->components > COMPONENTS_MAX ||
        length != 8 + 3 * (size_t)walk->components)
        return false;
    for (unsigned int i = 0; i < walk->components; i++) {
        walk->identifiers[i] = segment[8 + 3 * i];
        walk->bits_missing[i] = UNSEEN;
        for (unsigned int k = 0; k < i; k++) {
            if (walk->identifiers[k] == walk->identifiers[i])
                return false;
        }
    }
    return true;
}

/* One component of a scan of means: its first, or the one that adds the next bit. */
static bool take_means(struct walk *walk, uint8_t identifier, unsigned int high, unsigned int low)
{
    for (unsigned int i = 0; i < walk->components; i++) {
        if (walk->identifiers[i] != identifier)
            continue;
        bool follows = high == 0 ? walk->bits_missing[i] == UNSEEN : walk->bits_missing[i] == high;
        bool refines = high == 0 ? low <= 13 : low + 1 == high;
        walk->bits_missing[i] = (uint8_t)low;
        return follows && refines;
    }
    return false;
}

/* Reads the header of a scan. Returns false when it is not part of the expected order */
static bool read_scan(struct walk *walk, const uint8_t *segment, size_t length, bool *is_needed)
{
    size_t count = length < 3 ? 0 : segment[2];

    if (count < 1 || count > walk->components || length != 6 + 2 * count)
        return false;
    unsigned int first = segment[length - 3];
    unsigned int last = segment[length - 2];
    unsigned int high = segment[length - 1] >> 4;
    unsigned int low = segment[length - 1] & 0x0f;
    *is_needed = first == 0 && (high == 0 || high > walk->bits_spare);
    if (first > 0)
        return count == 1 && last >= first && last < 64;
    if (last != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!take_means(walk, segment[3 + 2 * i], high, low))
            return false;
    }
    return true;
}

static bool take_scan(struct walk *walk, const uint8_t *segment, size_t length)
{
    size_t start = walk->at;
    bool is_needed = false;

    if (!read_scan(walk, segment, length, &is_needed))
        return false;
    walk->at = end_of_scan(walk, walk->at + 2 + length);
    if (is_needed)
        return true;
    if (!keep_until(walk, start))
        return false;
    walk->kept = walk->at;
    return true;
}

static bool all_means_seen(const struct walk *walk)
{
    for (unsigned int i = 0; i < walk->components; i++) {
        if (walk->bits_missing[i] == UNSEEN)
            return false;
    }
    return walk->components > 0;
}

/* Takes the segment of that marker; length counts its own two bytes. */
static bool take_segment(struct walk *walk, uint8_t marker, const uint8_t *segment, size_t length)
{
    if (marker == MARKER_SOS)
        return take_scan(walk, segment, length);
    if (marker == MARKER_SOF2 || marker == MARKER_SOF10) {
        if (!read_frame(walk, segment, length))
            return false;
    } else if (marker < MARKER_SOF0 || (marker >= MARKER_DNL && marker <= MARKER_EXP) ||
               (marker <= MARKER_SOF15 && marker != MARKER_DHT && marker != MARKER_DAC) ||
               (marker >= MARKER_RST0 && marker <= MARKER_SOI)) {
        return false; /* another frame, a frame of another kind, or a marker that has no place here */
    }
    walk->at += 2 + length;
    return true;
}

bool jpeg_scans_find_means(const uint8_t *data, size_t size, unsigned int bits_spare,
                           struct jpeg_pieces *pieces)
{
    struct walk walk = {.data = data, .size = size, .at = 2, .bits_spare = bits_spare, .pieces = pieces};

    pieces->count = 0;
    while (walk.at + 4 <= size || (walk.at + 2 <= size && data[walk.at + 1] == MARKER_EOI)) {
        const uint8_t *start = data + walk.at;
        if (start[0] != 0xff)
            return false;
        if (start[1] == 0xff) {
            walk.at++;
            continue;
        }
        if (start[1] == MARKER_EOI)
            return all_means_seen(&walk) && keep_until(&walk, walk.at + 2);
        size_t length = (size_t)start[2] << 8 | start[3];
        if (length < 2 || length > size - walk.at - 2 || !take_segment(&walk, start[1], start + 2, length))
            return false;
    }
    return false;
}

size_t jpeg_scans_find_end(const uint8_t *data, size_t size, size_t at)
{
    struct walk walk = {.data = data, .size = size, .at = at};

    while ((walk.at = end_of_scan(&walk, walk.at)) < size) {
        uint8_t marker = data[walk.at + 1];
        if (marker == MARKER_EOI)
            return walk.at + 2;
        if (marker == MARKER_SOI)
            return walk.at;
        size_t left = size - walk.at - 2;
        const uint8_t *segment = data + walk.at + 2;
        size_t length = marker == MARKER_TEM ? 0 : left < 2 ? left : (size_t)segment[0] << 8 | segment[1];
        if (length > left)
            return 0;
        walk.at += 2 + length;
    }
    return 0;
}
