#include "codec.h"
#include "codec_limits.h"

#include <stdlib.h>
#include <string.h>

/* One BMP, by hand: no kept library in C reads them alone. Source: Microsoft, "Bitmap Storage" and the
 * structures BITMAPFILEHEADER to BITMAPV5HEADER; [MS-WMF] 2.1.1.7 for the compressions. */
enum {
    FILE_HEADER_BYTES = 14,
    CORE_HEADER_BYTES = 12,
    INFO_HEADER_BYTES = 40,
    MASKS_AT = 40, /* in a header that has them */
    PALETTE_MAX = 256,
};

enum bmp_compression { BMP_RGB, BMP_RLE8, BMP_RLE4, BMP_BITFIELDS, BMP_JPEG, BMP_PNG, BMP_ALPHABITFIELDS };

/* Where a colour lies in a pixel, and how it becomes 8 bits. */
struct bmp_channel {
    uint32_t mask;
    unsigned int shift;
    uint32_t maximum; /* 0 where the pixel does not have it */
};

struct bmp_decoder {
    const struct codec_job *job;
    uint32_t header_bytes;
    uint32_t width, height;
    bool top_down;
    unsigned int bits; /* a pixel */
    uint32_t compression;
    size_t pixels_at;
    struct bmp_channel channels[4]; /* red, green, blue, alpha */
    uint8_t palette[PALETTE_MAX][3];
    uint8_t *indexes; /* of a run-length coded picture, whole */
    uint8_t *row;     /* in the layout that is delivered */
    enum pixel_layout layout;
};

static uint32_t read_le16(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t read_le32(const uint8_t *at)
{
    return read_le16(at) | read_le16(at + 2) << 16;
}

static bool refuse(const struct bmp_decoder *decoder, enum reason reason, const char *words)
{
    codec_refuse(decoder->job, reason, words);
    return false;
}

static struct bmp_channel channel_of(uint32_t mask)
{
    struct bmp_channel channel = {.mask = mask};

    if (mask == 0)
        return channel;
    channel.shift = (unsigned int)__builtin_ctz(mask);
    channel.maximum = mask >> channel.shift;
    return channel;
}

static void set_masks(struct bmp_decoder *decoder, uint32_t red, uint32_t green, uint32_t blue,
                      uint32_t alpha)
{
    const uint32_t masks[] = {red, green, blue, alpha};

    for (size_t i = 0; i < 4; i++)
        decoder->channels[i] = channel_of(masks[i]);
}

static void read_core_header(struct bmp_decoder *decoder, const uint8_t *header)
{
    decoder->width = read_le16(header + 4);
    decoder->height = read_le16(header + 6);
    decoder->bits = read_le16(header + 10);
}

static void read_info_header(struct bmp_decoder *decoder, const uint8_t *header)
{
    uint32_t height = read_le32(header + 8);

    decoder->width = read_le32(header + 4);
    decoder->top_down = (height & 0x80000000U) != 0;
    decoder->height = decoder->top_down ? 0U - height : height;
    decoder->bits = read_le16(header + 14);
    decoder->compression = read_le32(header + 16);
}

/* Chooses how pixels of 16 and 32 bits become colours. The masks are in the header, or follow the shortest
 * one. */
static bool read_masks(struct bmp_decoder *decoder, const uint8_t *header)
{
    bool given = decoder->compression == BMP_BITFIELDS || decoder->compression == BMP_ALPHABITFIELDS;
    size_t count =
        decoder->compression == BMP_ALPHABITFIELDS || decoder->header_bytes >= MASKS_AT + 16 ? 4 : 3;
    uint32_t masks[4] = {0};

    if (!given) {
        set_masks(decoder, decoder->bits == 16 ? 0x7c00 : 0xff0000, decoder->bits == 16 ? 0x3e0 : 0xff00,
                  decoder->bits == 16 ? 0x1f : 0xff, 0);
        return true;
    }
    if (decoder->job->size < FILE_HEADER_BYTES + MASKS_AT + count * 4)
        return refuse(decoder, REASON_MEDIA_CORRUPT, "the file ends inside its masks");
    for (size_t i = 0; i < count; i++)
        masks[i] = read_le32(header + MASKS_AT + 4 * i);
    set_masks(decoder, masks[0], masks[1], masks[2], masks[3]);
    return true;
}

static bool is_depth(unsigned int bits, uint32_t compression)
{
    switch (compression) {
    case BMP_RGB:
        return bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32;
    case BMP_RLE8:
        return bits == 8;
    case BMP_RLE4:
        return bits == 4;
    case BMP_BITFIELDS:
    case BMP_ALPHABITFIELDS:
        return bits == 16 || bits == 32;
    default:
        return false;
    }
}

/* Reads as much of the palette as stands before the pixels. Colours that it lacks are black. */
static void read_palette(struct bmp_decoder *decoder, const uint8_t *header)
{
    bool core = decoder->header_bytes == CORE_HEADER_BYTES;
    bool masks_follow = decoder->header_bytes == INFO_HEADER_BYTES && decoder->compression >= BMP_BITFIELDS;
    size_t entry = core ? 3 : 4;
    size_t at = FILE_HEADER_BYTES + (size_t)decoder->header_bytes + (masks_follow ? 12 : 0);
    size_t end = decoder->pixels_at < decoder->job->size ? decoder->pixels_at : decoder->job->size;
    uint32_t used = core ? 0 : read_le32(header + 32);
    uint32_t count = decoder->bits > 8 ? 0 : 1U << decoder->bits;

    if (used > 0 && used < count)
        count = used;
    for (uint32_t i = 0; i < count && at + entry <= end; i++, at += entry) {
        decoder->palette[i][0] = decoder->job->data[at + 2];
        decoder->palette[i][1] = decoder->job->data[at + 1];
        decoder->palette[i][2] = decoder->job->data[at];
    }
}

/* Reads both headers. Returns false, the reason noted, when there is nothing to decode. */
static bool read_headers(struct bmp_decoder *decoder)
{
    const struct codec_job *job = decoder->job;
    const uint8_t *header = job->data + FILE_HEADER_BYTES;

    if (job->size < FILE_HEADER_BYTES + CORE_HEADER_BYTES)
        return refuse(decoder, REASON_MEDIA_CORRUPT, "the file ends inside its header");
    decoder->header_bytes = read_le32(header);
    decoder->pixels_at = read_le32(job->data + 10);
    if (decoder->header_bytes != CORE_HEADER_BYTES &&
        (decoder->header_bytes < INFO_HEADER_BYTES || decoder->header_bytes > CODEC_BMP_HEADER_MAX_BYTES))
        return refuse(decoder, REASON_MEDIA_UNSUPPORTED, "a header of another size than any known");
    if (job->size - FILE_HEADER_BYTES < decoder->header_bytes)
        return refuse(decoder, REASON_MEDIA_CORRUPT, "the file ends inside its header");
    if (decoder->header_bytes == CORE_HEADER_BYTES)
        read_core_header(decoder, header);
    else
        read_info_header(decoder, header);
    if (!codec_accept_size(job, decoder->width, decoder->height))
        return false;
    if (!is_depth(decoder->bits, decoder->compression) ||
        (decoder->top_down && (decoder->compression == BMP_RLE8 || decoder->compression == BMP_RLE4)))
        return refuse(decoder, REASON_MEDIA_UNSUPPORTED, "a depth or compression that is not decoded");
    if (decoder->pixels_at < FILE_HEADER_BYTES + decoder->header_bytes || decoder->pixels_at > job->size)
        return refuse(decoder, REASON_MEDIA_CORRUPT, "the pixels lie outside the file");
    if (!read_masks(decoder, header))
        return false;
    read_palette(decoder, header);
    return true;
}

static size_t stride_of(const struct bmp_decoder *decoder)
{
    return ((size_t)decoder->width * decoder->bits + 31) / 32 * 4;
}

/* The stored row that is shown as row y, NULL when the file ends before its last byte. */
static const uint8_t *stored_row(const struct bmp_decoder *decoder, uint32_t y)
{
    uint64_t stride = stride_of(decoder);
    uint64_t number = decoder->top_down ? y : decoder->height - 1 - y;
    uint64_t left = decoder->job->size - decoder->pixels_at;

    /* The last row may lack its padding. */
    if (number * stride + ((uint64_t)decoder->width * decoder->bits + 7) / 8 > left)
        return NULL;
    return decoder->job->data + decoder->pixels_at + number * stride;
}

static void convert_indexed(const struct bmp_decoder *decoder, const uint8_t *stored)
{
    unsigned int per_byte = 8 / decoder->bits;
    unsigned int mask = (1U << decoder->bits) - 1;

    for (uint32_t x = 0; x < decoder->width; x++) {
        unsigned int shift = (per_byte - 1 - x % per_byte) * decoder->bits;
        unsigned int index = (unsigned int)stored[x / per_byte] >> shift & mask;
        memcpy(decoder->row + (size_t)x * 3, decoder->palette[index], 3);
    }
}

static uint8_t value_of(uint32_t pixel, const struct bmp_channel *channel)
{
    if (channel->maximum == 0)
        return 0;
    uint64_t value = (pixel & channel->mask) >> channel->shift;
    return (uint8_t)((value * 255 + channel->maximum / 2) / channel->maximum);
}

static void convert_masked(const struct bmp_decoder *decoder, const uint8_t *stored)
{
    unsigned int bytes = decoder->bits / 8;
    unsigned int values = pixel_layout_bytes(decoder->layout);

    for (uint32_t x = 0; x < decoder->width; x++, stored += bytes) {
        uint32_t pixel = bytes == 2 ? read_le16(stored) : read_le32(stored);
        for (unsigned int i = 0; i < values; i++)
            decoder->row[(size_t)x * values + i] = value_of(pixel, &decoder->channels[i]);
    }
}

static void convert_bgr(const struct bmp_decoder *decoder, const uint8_t *stored)
{
    for (size_t x = 0; x < decoder->width; x++) {
        decoder->row[3 * x] = stored[3 * x + 2];
        decoder->row[3 * x + 1] = stored[3 * x + 1];
        decoder->row[3 * x + 2] = stored[3 * x];
    }
}

static void convert_row(const struct bmp_decoder *decoder, uint32_t y)
{
    const uint8_t *stored = NULL;

    if (decoder->indexes != NULL) {
        const uint8_t *indexes = decoder->indexes + (size_t)y * decoder->width;
        for (size_t x = 0; x < decoder->width; x++)
            memcpy(decoder->row + 3 * x, decoder->palette[indexes[x]], 3);
        return;
    }
    stored = stored_row(decoder, y);
    if (stored == NULL) {
        memset(decoder->row, 0, (size_t)decoder->width * pixel_layout_bytes(decoder->layout));
        codec_refuse(decoder->job, REASON_MEDIA_CORRUPT, "the data ends before the picture");
    } else if (decoder->bits <= 8) {
        convert_indexed(decoder, stored);
    } else if (decoder->bits == 24) {
        convert_bgr(decoder, stored);
    } else {
        convert_masked(decoder, stored);
    }
}

/* Run-length codes. */
struct bmp_runs {
    const struct bmp_decoder *decoder;
    const uint8_t *at, *end;
    uint32_t x, row; /* row counts from the bottom */
};

static void put_index(struct bmp_runs *runs, uint8_t index)
{
    const struct bmp_decoder *decoder = runs->decoder;

    if (runs->x < decoder->width && runs->row < decoder->height)
        decoder->indexes[(size_t)(decoder->height - 1 - runs->row) * decoder->width + runs->x] = index;
    runs->x++;
}

static uint8_t nth_index(const struct bmp_runs *runs, const uint8_t *bytes, unsigned int n)
{
    if (runs->decoder->compression == BMP_RLE8)
        return bytes[n];
    return n % 2 == 0 ? bytes[n / 2] >> 4 : bytes[n / 2] & 15;
}

/* Pixels that stand as they are, padded to an even count of bytes. Returns false when the data ends. */
static bool take_absolute(struct bmp_runs *runs, unsigned int count)
{
    size_t bytes = runs->decoder->compression == BMP_RLE8 ? count : (count + 1) / 2;
    size_t left = (size_t)(runs->end - runs->at);

    if (bytes > left)
        return false;
    for (unsigned int n = 0; n < count; n++)
        put_index(runs, nth_index(runs, runs->at, n));
    bytes += bytes % 2;
    runs->at += bytes < left ? bytes : left;
    return true;
}

enum run_end { RUNS_GO_ON, RUNS_END, RUNS_CUT };

static enum run_end take_escape(struct bmp_runs *runs, uint8_t code)
{
    switch (code) {
    case 0:
        runs->x = 0;
        runs->row++;
        return RUNS_GO_ON;
    case 1:
        return RUNS_END;
    case 2:
        if (runs->end - runs->at < 2)
            return RUNS_CUT;
        runs->x += runs->at[0];
        runs->row += runs->at[1];
        runs->at += 2;
        return RUNS_GO_ON;
    default:
        return take_absolute(runs, code) ? RUNS_GO_ON : RUNS_CUT;
    }
}

static void decode_runs(const struct bmp_decoder *decoder)
{
    struct bmp_runs runs = {.decoder = decoder,
                            .at = decoder->job->data + decoder->pixels_at,
                            .end = decoder->job->data + decoder->job->size};
    enum run_end ended = RUNS_GO_ON;

    while (ended == RUNS_GO_ON && runs.row < decoder->height) {
        if (runs.end - runs.at < 2) {
            ended = RUNS_CUT;
            break;
        }
        uint8_t count = runs.at[0];
        uint8_t value = runs.at[1];
        const uint8_t pair[2] = {value, value};
        runs.at += 2;
        if (count == 0)
            ended = take_escape(&runs, value);
        for (unsigned int n = 0; n < count && runs.x < decoder->width; n++)
            put_index(&runs, decoder->compression == BMP_RLE8 ? value : nth_index(&runs, pair, n % 2));
    }
    if (ended == RUNS_CUT)
        codec_refuse(decoder->job, REASON_MEDIA_CORRUPT, "the data ends before the picture");
}

/* Many programs leave all of alpha 0 and mean an opaque picture; that is how viewers show it. */
static bool has_alpha(const struct bmp_decoder *decoder)
{
    const struct bmp_channel *alpha = &decoder->channels[3];

    if (decoder->bits < 16 || decoder->bits == 24 || alpha->maximum == 0)
        return false;
    for (uint32_t y = 0; y < decoder->height; y++) {
        const uint8_t *stored = stored_row(decoder, y);
        for (uint32_t x = 0; stored != NULL && x < decoder->width; x++) {
            uint32_t pixel =
                decoder->bits == 16 ? read_le16(stored + 2 * (size_t)x) : read_le32(stored + 4 * (size_t)x);
            if ((pixel & alpha->mask) != 0)
                return true;
        }
    }
    return false;
}

/* Returns false, the reason noted, when memory is short. */
static bool prepare(struct bmp_decoder *decoder)
{
    uint64_t pixels = (uint64_t)decoder->width * decoder->height;
    bool runs = decoder->compression == BMP_RLE8 || decoder->compression == BMP_RLE4;

    decoder->layout = has_alpha(decoder) ? PIXEL_RGBA : PIXEL_RGB;
    decoder->row = malloc((size_t)decoder->width * pixel_layout_bytes(decoder->layout));
    if (runs && !codec_accept_memory(decoder->job, pixels, 1))
        return false;
    if (runs)
        decoder->indexes = calloc(decoder->height, decoder->width);
    if (decoder->row == NULL || (runs && decoder->indexes == NULL))
        return refuse(decoder, REASON_MEDIA_LIMIT_MEMORY, "no memory to decode");
    if (runs)
        decode_runs(decoder);
    return true;
}

static int deliver(const struct bmp_decoder *decoder)
{
    const struct row_sink *sink = decoder->job->sink;
    const struct picture_shape shape = {
        .width = decoder->width, .height = decoder->height, .layout = decoder->layout};
    int status = sink->begin(sink->context, &shape);

    for (uint32_t y = 0; status == 0 && y < decoder->height; y++) {
        convert_row(decoder, y);
        status = sink->row(sink->context, decoder->row);
    }
    return status;
}

int codec_bmp_decode(const struct codec_job *job)
{
    struct bmp_decoder decoder = {.job = job};
    int status = 0;

    if (read_headers(&decoder) && prepare(&decoder))
        status = deliver(&decoder);
    free(decoder.indexes);
    free(decoder.row);
    return status;
}
