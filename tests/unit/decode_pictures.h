/* Pictures that the tests make for themselves, through the encoders of the same libraries. Every result is a
 * struct made with malloc, freed by made_free(). */
#ifndef PRESCREEN_TESTS_UNIT_DECODE_PICTURES_H
#define PRESCREEN_TESTS_UNIT_DECODE_PICTURES_H

#include <check.h>
/* clang-format off */
#include <stdio.h> /* jpeglib.h needs it before itself */
#include <jpeglib.h>
/* clang-format on */
#include <png.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <webp/encode.h>

struct made {
    uint8_t *data;
    size_t size;
};

static inline void made_free(struct made *made)
{
    free(made->data);
    made->data = NULL;
}

/* Puts bytes in at a place of made. */
static inline void made_insert(struct made *made, size_t at, const void *bytes, size_t size)
{
    ck_assert(at <= made->size && size < 1 << 20);
    uint8_t *data = malloc(made->size + size);

    if (at > 0)
        memcpy(data, made->data, at);
    memcpy(data + at, bytes, size);
    if (at < made->size)
        memcpy(data + at + size, made->data + at, made->size - at);
    free(made->data);
    made->data = data;
    made->size += size;
}

static inline void made_append(struct made *made, const void *bytes, size_t size)
{
    made_insert(made, made->size, bytes, size);
}

/* Some value that looks like nothing, always the same for a place. */
static inline unsigned int noise(uint32_t x, uint32_t y, uint32_t channel)
{
    uint32_t h = (x * 0x9e3779b1u) ^ (y * 0x85ebca77u) ^ (channel * 0xc2b2ae3du);

    h ^= h >> 15;
    h *= 0x2c1b3c6du;
    return h ^ (h >> 13);
}

/* --- PNG --- */

struct png_wish {
    uint32_t width, height;
    int colour_type, depth;
    bool interlaced;
    bool
        transparency; /* a tRNS chunk: of a palette the first two entries, else the colour of the pixel 0,0 */
};

static inline unsigned int png_channels(int colour_type)
{
    return colour_type == PNG_COLOR_TYPE_RGB          ? 3
           : colour_type == PNG_COLOR_TYPE_RGB_ALPHA  ? 4
           : colour_type == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
                                                      : 1;
}

/* The sample as stored. */
static inline unsigned int png_sample(const struct png_wish *wish, uint32_t x, uint32_t y, uint32_t channel)
{
    return noise(x, y, channel) & ((1u << wish->depth) - 1);
}

static inline png_color png_palette_entry(unsigned int index)
{
    return (png_color){(png_byte)(index * 7 + 1), (png_byte)(255 - index), (png_byte)(index * 31)};
}

static inline void png_take(png_structp png, png_bytep bytes, size_t size)
{
    made_append(png_get_io_ptr(png), bytes, size);
}

static inline void png_pack_row(const struct png_wish *wish, uint32_t y, uint8_t *row)
{
    unsigned int channels = png_channels(wish->colour_type);
    size_t bit = 0;

    for (uint32_t x = 0; x < wish->width; x++) {
        for (uint32_t channel = 0; channel < channels; channel++, bit += (size_t)wish->depth) {
            unsigned int value = png_sample(wish, x, y, channel);
            if (wish->depth == 16) {
                row[bit / 8] = (uint8_t)(value >> 8);
                row[bit / 8 + 1] = (uint8_t)value;
            } else {
                row[bit / 8] |= (uint8_t)(value << (8 - wish->depth - (int)(bit % 8)));
            }
        }
    }
}

static inline void png_add_colours(png_structp png, png_infop info, const struct png_wish *wish)
{
    png_color palette[256];
    png_byte alpha[2] = {0, 100};
    png_color_16 key = {0};

    for (unsigned int i = 0; i < 256; i++)
        palette[i] = png_palette_entry(i);
    if (wish->colour_type == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, 1 << wish->depth);
    if (!wish->transparency)
        return;
    key.gray = key.red = (png_uint_16)png_sample(wish, 0, 0, 0);
    key.green = (png_uint_16)png_sample(wish, 0, 0, 1);
    key.blue = (png_uint_16)png_sample(wish, 0, 0, 2);
    png_set_tRNS(png, info, alpha, 2, &key);
}

static inline struct made make_png(struct png_wish wish)
{
    struct made made = {NULL, 0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);

    ck_assert_int_eq(setjmp(png_jmpbuf(png)), 0);
    png_set_write_fn(png, &made, png_take, NULL);
    png_set_compression_buffer_size(png, 512); /* several IDATs */
    png_set_IHDR(png, info, wish.width, wish.height, wish.depth, wish.colour_type,
                 wish.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_add_colours(png, info, &wish);
    png_write_info(png, info);
    size_t row_bytes = (size_t)wish.width * 8 + 8;
    uint8_t *row = malloc(row_bytes);
    for (int passes = png_set_interlace_handling(png); passes > 0; passes--) {
        for (uint32_t y = 0; y < wish.height; y++) {
            memset(row, 0, row_bytes);
            png_pack_row(&wish, y, row);
            png_write_row(png, row);
        }
    }
    free(row);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return made;
}

static inline uint32_t png_crc(const uint8_t *bytes, size_t size)
{
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static inline void put_be32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Where the number-th chunk of this type begins, counted from 0. */
static inline size_t png_find(const struct made *made, const char *type, unsigned int number)
{
    for (size_t at = 8; at + 12 <= made->size;) {
        const uint8_t *chunk = made->data + at;
        if (memcmp(chunk + 4, type, 4) == 0 && number-- == 0)
            return at;
        at += 12 + ((size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 | (size_t)chunk[2] << 8 | chunk[3]);
    }
    ck_abort_msg("no chunk %s", type);
}

static inline void png_insert_chunk(struct made *made, size_t at, const char *type, const void *payload,
                                    size_t size)
{
    uint8_t *chunk = malloc(size + 12);

    put_be32(chunk, (uint32_t)size);
    memcpy(chunk + 4, type, 4);
    if (size > 0)
        memcpy(chunk + 8, payload, size);
    put_be32(chunk + 8 + size, png_crc(chunk + 4, size + 4));
    made_insert(made, at, chunk, size + 12);
    free(chunk);
}

/* --- JPEG --- */

struct jpeg_wish {
    uint32_t width, height;
    J_COLOR_SPACE from; /* of the samples */
    J_COLOR_SPACE to;   /* in the file */
    bool without_adobe; /* leaves the Adobe marker out */
    bool progressive;
    bool planes_apart; /* one sequential scan for each component */
    bool arithmetic;
    unsigned int restart; /* MCUs between restart markers, 0 for none */
    int luma_sampling;    /* 1 or 2 in both directions */
    bool detailed;        /* noise of half the contrast in every pixel */
    uint32_t shift;       /* shows the areas from that one on */
};

/* A smooth picture of flat 16x16 areas, so that compression leaves it nearly as it is. */
static inline uint8_t jpeg_sample(uint32_t x, uint32_t y, uint32_t channel)
{
    return (uint8_t)(40 + noise(x / 16, y / 16, channel) % 160);
}

static inline void jpeg_write_rows(struct jpeg_compress_struct *jpeg)
{
    const struct jpeg_wish *wish = jpeg->client_data;
    unsigned int channels = (unsigned int)jpeg->input_components;
    uint8_t *row = malloc((size_t)jpeg->image_width * channels);

    while (jpeg->next_scanline < jpeg->image_height) {
        uint32_t y = jpeg->next_scanline;
        for (uint32_t x = 0; x < jpeg->image_width; x++) {
            for (uint32_t channel = 0; channel < channels; channel++) {
                int detail = wish->detailed ? (int)(noise(x, y, channel) % 80) - 40 : 0;
                row[x * channels + channel] =
                    (uint8_t)(jpeg_sample(x + 16 * wish->shift, y, channel) + detail);
            }
        }
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    free(row);
}

static inline struct made make_jpeg(struct jpeg_wish wish)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *buffer = NULL;
    unsigned long size = 0;

    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg.client_data = &wish;
    jpeg_mem_dest(&jpeg, &buffer, &size);
    jpeg.image_width = wish.width;
    jpeg.image_height = wish.height;
    jpeg.in_color_space = wish.from;
    jpeg.input_components = wish.from == JCS_CMYK ? 4 : wish.from == JCS_GRAYSCALE ? 1 : 3;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, wish.to);
    jpeg_set_quality(&jpeg, 95, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor =
        wish.luma_sampling > 0 ? wish.luma_sampling : 1;
    if (wish.without_adobe)
        jpeg.write_Adobe_marker = FALSE;
    if (wish.progressive)
        jpeg_simple_progression(&jpeg);
    static const jpeg_scan_info apart[] = {
        {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}, {1, {3}, 0, 63, 0, 0}};
    if (wish.planes_apart) {
        jpeg.scan_info = apart;
        jpeg.num_scans = jpeg.num_components;
    }
    jpeg.arith_code = wish.arithmetic ? TRUE : FALSE;
    jpeg.restart_interval = wish.restart;
    jpeg_start_compress(&jpeg, TRUE);
    jpeg_write_rows(&jpeg);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    struct made made = {malloc(size), size};
    memcpy(made.data, buffer, size);
    free(buffer);
    return made;
}

/* Where the number-th marker ff XX stands, counted from 0; SIZE_MAX when there is none. The entropy-coded
 * data of a JPEG cannot hold it by chance. */
static inline size_t jpeg_find(const struct made *made, uint8_t marker, unsigned int number)
{
    for (size_t at = 0; at + 1 < made->size; at++) {
        if (made->data[at] == 0xff && made->data[at + 1] == marker && number-- == 0)
            return at;
    }
    return SIZE_MAX;
}

/* --- WebP --- */

struct webp_wish {
    uint32_t width, height;
    bool lossless;
    bool alpha;
};

/* Flat areas where it is lossy. */
static inline uint8_t webp_sample(const struct webp_wish *wish, uint32_t x, uint32_t y, uint32_t channel)
{
    if (channel == 3)
        return wish->alpha ? (uint8_t)noise(x, y, 3) : 255;
    return wish->lossless ? (uint8_t)noise(x, y, channel) : jpeg_sample(x, y, channel);
}

static inline struct made make_webp(struct webp_wish wish)
{
    WebPConfig config;
    WebPPicture picture;
    WebPMemoryWriter writer;
    uint8_t *pixels = malloc((size_t)wish.width * wish.height * 4);

    for (size_t i = 0; i < (size_t)wish.width * wish.height * 4; i++)
        pixels[i] = webp_sample(&wish, (uint32_t)(i / 4 % wish.width), (uint32_t)(i / 4 / wish.width), i % 4);
    ck_assert(WebPConfigInit(&config) && WebPPictureInit(&picture));
    WebPMemoryWriterInit(&writer);
    config.lossless = wish.lossless;
    config.quality = wish.lossless ? 20 : 95;
    config.exact = 1; /* colours under alpha stay */
    picture.use_argb = 1;
    picture.width = (int)wish.width;
    picture.height = (int)wish.height;
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = &writer;
    ck_assert(WebPPictureImportRGBA(&picture, pixels, (int)wish.width * 4));
    ck_assert(WebPEncode(&config, &picture));
    WebPPictureFree(&picture);
    free(pixels);
    struct made made = {malloc(writer.size), writer.size};
    memcpy(made.data, writer.mem, writer.size);
    WebPMemoryWriterClear(&writer);
    return made;
}

static inline void put_le(uint8_t *at, uint32_t value, unsigned int bytes)
{
    for (unsigned int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static inline void webp_append_chunk(struct made *made, const char *type, const void *payload, size_t size)
{
    uint8_t head[8];

    memcpy(head, type, 4);
    put_le(head + 4, (uint32_t)size, 4);
    made_append(made, head, sizeof head);
    made_append(made, payload, size);
    if (size % 2 == 1)
        made_append(made, "", 1);
    put_le(made->data + 4, (uint32_t)made->size - 8, 4);
}

/* An extended file with this canvas and flags, without any picture yet. */
static inline struct made webp_begin_extended(uint8_t flags, uint32_t width, uint32_t height)
{
    struct made made = {calloc(1, 12), 12};
    uint8_t head[10] = {flags};

    memcpy(made.data, "RIFF", 4);
    memcpy(made.data + 8, "WEBP", 4);
    put_le(head + 4, width - 1, 3);
    put_le(head + 7, height - 1, 3);
    webp_append_chunk(&made, "VP8X", head, sizeof head);
    if ((flags & 2) != 0)
        webp_append_chunk(&made, "ANIM", "\0\0\0\0\0\0", 6);
    return made;
}

/* Appends a still WebP as a frame of an animation. left and top are even. */
static inline void webp_append_frame(struct made *made, const struct made *still, uint32_t left, uint32_t top,
                                     uint32_t width, uint32_t height)
{
    struct made frame = {calloc(1, 16), 16};

    put_le(frame.data, left / 2, 3);
    put_le(frame.data + 3, top / 2, 3);
    put_le(frame.data + 6, width - 1, 3);
    put_le(frame.data + 9, height - 1, 3);
    frame.data[12] = 100;
    made_append(&frame, still->data + 12, still->size - 12);
    webp_append_chunk(made, "ANMF", frame.data, frame.size);
    made_free(&frame);
}

/* --- EXIF --- */

/* A block from its TIFF header on, with this orientation and the bytes as its thumbnail. */
static inline struct made make_exif(unsigned int orientation, const struct made *thumbnail)
{
    enum { HEAD = 8 + 2 + 12 + 4 + 2 + 24 + 4 };
    static const struct {
        size_t at;
        uint32_t value;
        unsigned int bytes;
    } fields[] = {
        {8, 1, 2},       {10, 0x0112, 2}, {12, 3, 2}, {14, 1, 4}, {22, 26, 4},   /* orientation */
        {26, 2, 2},      {28, 0x0201, 2}, {30, 4, 2}, {32, 1, 4}, {36, HEAD, 4}, /* the start */
        {40, 0x0202, 2}, {42, 4, 2},      {44, 1, 4},                            /* the length */
    };
    struct made made = {calloc(1, HEAD), HEAD};

    memcpy(made.data, "II*\0\10\0\0\0", 8);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        put_le(made.data + fields[i].at, fields[i].value, fields[i].bytes);
    put_le(made.data + 18, orientation, 4);
    put_le(made.data + 48, (uint32_t)thumbnail->size, 4);
    made_append(&made, thumbnail->data, thumbnail->size);
    return made;
}

/* Puts it into a segment behind the start. */
static inline void jpeg_add_exif(struct made *made, unsigned int orientation, const struct made *thumbnail)
{
    uint8_t head[10] = {0xff, 0xe1, 0, 0, 'E', 'x', 'i', 'f', 0, 0};
    struct made exif = make_exif(orientation, thumbnail);
    size_t length = sizeof head - 2 + exif.size;

    ck_assert_uint_lt(length, 65536);
    head[2] = (uint8_t)(length >> 8);
    head[3] = (uint8_t)length;
    made_insert(made, 2, exif.data, exif.size);
    made_insert(made, 2, head, sizeof head);
    made_free(&exif);
}

/* --- one of each --- */

enum kind {
    PNG_PLAIN,
    PNG_INTERLACED,
    JPEG_BASELINE,
    JPEG_PROGRESSIVE,
    JPEG_APART,
    JPEG_ARITHMETIC,
    JPEG_CMYK,
    WEBP_LOSSY,
    WEBP_LOSSY_ALPHA,
    WEBP_LOSSLESS,
    WEBP_ANIMATED,
    KIND_COUNT
};

static inline struct made make_animation(void)
{
    struct made still = make_webp((struct webp_wish){.width = 40, .height = 24});
    struct made made = webp_begin_extended(2, 40, 24);

    webp_append_frame(&made, &still, 0, 0, 40, 24);
    made_free(&still);
    return made;
}

/* One picture of 40x24 of each kind; every way through the codecs is among them. */
static inline struct made make(enum kind kind)
{
    struct png_wish png = {.width = 40, .height = 24, .colour_type = PNG_COLOR_TYPE_RGB_ALPHA, .depth = 8};
    struct jpeg_wish jpeg = {.width = 40, .height = 24, .from = JCS_RGB, .to = JCS_YCbCr};
    struct webp_wish webp = {.width = 40, .height = 24};

    switch (kind) {
    case PNG_INTERLACED:
        png.interlaced = true;
        return make_png(png);
    case PNG_PLAIN:
        return make_png(png);
    case JPEG_CMYK:
        jpeg.from = jpeg.to = JCS_CMYK;
        return make_jpeg(jpeg);
    case JPEG_PROGRESSIVE:
    case JPEG_APART:
    case JPEG_ARITHMETIC:
        jpeg.progressive = kind == JPEG_PROGRESSIVE;
        jpeg.planes_apart = kind == JPEG_APART;
        jpeg.arithmetic = kind == JPEG_ARITHMETIC;
        return make_jpeg(jpeg);
    case WEBP_LOSSY:
    case WEBP_LOSSY_ALPHA:
    case WEBP_LOSSLESS:
        webp.alpha = kind == WEBP_LOSSY_ALPHA;
        webp.lossless = kind == WEBP_LOSSLESS;
        return make_webp(webp);
    case WEBP_ANIMATED:
        return make_animation();
    default:
        return make_jpeg(jpeg);
    }
}

#endif
