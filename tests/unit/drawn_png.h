/* PNG files in memory, of pictures that a test draws pixel by pixel. */
#ifndef PRESCREEN_TESTS_UNIT_DRAWN_PNG_H
#define PRESCREEN_TESTS_UNIT_DRAWN_PNG_H

#include "prescreen/image/rows.h"

#include <check.h>
#include <png.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct drawing {
    uint32_t width, height;
    enum pixel_layout layout;
    bool interlaced;
    unsigned int exif; /* orientation in an eXIf chunk, 0 = none */
    /* Fills a row with width pixels of the layout. */
    void (*draw)(const struct drawing *drawing, uint32_t y, uint8_t *row);
    const void *context;
};

struct drawn_file {
    uint8_t *data; /* the caller's to free() */
    size_t size;
};

static inline void drawn_keep(png_structp png, png_bytep data, size_t size)
{
    struct drawn_file *file = png_get_io_ptr(png);
    uint8_t *grown = realloc(file->data, file->size + size);

    ck_assert_ptr_nonnull(grown);
    memcpy(grown + file->size, data, size);
    file->data = grown;
    file->size += size;
}

static inline void drawn_write_header(png_structp png, png_infop info, const struct drawing *drawing)
{
    static const int colour_types[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                       PNG_COLOR_TYPE_RGBA};
    /* One entry: tag 0x0112, SHORT, one value. */
    uint8_t exif[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0,
                      3,   0,   0, 0,  1, 0, 0, 0, 0, 0, 0,    0,    0};

    exif[19] = (uint8_t)drawing->exif;
    png_set_compression_level(png, 1);
    png_set_filter(png, 0, PNG_FILTER_NONE);
    png_set_IHDR(png, info, drawing->width, drawing->height, 8, colour_types[drawing->layout],
                 drawing->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (drawing->exif != 0)
        png_set_eXIf_1(png, info, sizeof exif, exif);
    png_write_info(png, info);
}

static inline struct drawn_file draw_png(const struct drawing *drawing)
{
    struct drawn_file file = {NULL, 0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    uint8_t *row = malloc((size_t)drawing->width * pixel_layout_bytes(drawing->layout));

    ck_assert_int_eq(setjmp(png_jmpbuf(png)), 0);
    png_set_write_fn(png, &file, drawn_keep, NULL);
    drawn_write_header(png, info, drawing);
    for (int passes = png_set_interlace_handling(png); passes > 0; passes--) {
        for (uint32_t y = 0; y < drawing->height; y++) {
            drawing->draw(drawing, y, row);
            png_write_row(png, row);
        }
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    free(row);
    return file;
}

/* A picture with something to tell: a few soft waves, a bright disc and a dark bar, lopsided. 0-255. */
static inline uint8_t drawn_scene(uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    uint32_t u = x * 256 / width;
    uint32_t v = y * 256 / height;
    uint32_t across = u > 170 ? u - 170 : 170 - u;
    uint32_t down = v > 80 ? v - 80 : 80 - v;

    if (across * across + down * down < 45 * 45)
        return 235;
    if (u > 30 && u < 60 && v > 90)
        return 20;
    return (uint8_t)(60 + (u * v / 700) + (v > 150 + u / 5 ? 70 : 0));
}

/* The scene in any layout; without transparency where there is alpha. */
static inline void draw_scene(const struct drawing *drawing, uint32_t y, uint8_t *row)
{
    unsigned int bytes = pixel_layout_bytes(drawing->layout);
    bool alpha = drawing->layout == PIXEL_GRAY_ALPHA || drawing->layout == PIXEL_RGBA;

    for (uint32_t x = 0; x < drawing->width; x++) {
        memset(row + (size_t)x * bytes, drawn_scene(x, y, drawing->width, drawing->height), bytes);
        if (alpha)
            row[(size_t)x * bytes + bytes - 1] = 255;
    }
}

/* Horizontal bands, quickly drawn. */
static inline void draw_bands(const struct drawing *drawing, uint32_t y, uint8_t *row)
{
    memset(row, (int)(y * 5 / 64) & 0xff, (size_t)drawing->width * pixel_layout_bytes(drawing->layout));
}

#endif
