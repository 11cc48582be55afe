#include "decode_pictures.h"
#include "decode_recorder.h"
#include "tap.h"

#include <tiffio.h>

#define CORRUPT REASON_BIT(REASON_MEDIA_CORRUPT)

enum { WIDTH = 40, HEIGHT = 24, ROOM = 1 << 20 };

/* A TIFF in memory, written by libtiff. */
struct file {
    uint8_t *data;
    uint64_t size, at;
};

static tmsize_t file_read(thandle_t handle, void *to, tmsize_t size)
{
    struct file *file = handle;
    uint64_t left = file->size > file->at ? file->size - file->at : 0;
    uint64_t taken = (uint64_t)size < left ? (uint64_t)size : left;

    memcpy(to, file->data + file->at, taken);
    file->at += taken;
    return (tmsize_t)taken;
}

static tmsize_t file_write(thandle_t handle, void *from, tmsize_t size)
{
    struct file *file = handle;

    ck_assert_uint_le(file->at + (uint64_t)size, ROOM);
    memcpy(file->data + file->at, from, (size_t)size);
    file->at += (uint64_t)size;
    file->size = file->at > file->size ? file->at : file->size;
    return size;
}

static toff_t file_seek(thandle_t handle, toff_t offset, int whence)
{
    struct file *file = handle;

    file->at = offset + (whence == SEEK_CUR ? file->at : whence == SEEK_END ? file->size : 0);
    return file->at;
}

static int file_close(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t file_size(thandle_t handle)
{
    return ((struct file *)handle)->size;
}

struct tiff_wish {
    unsigned int pages;
    uint16_t compression;
    uint16_t orientation;
    uint32_t rows_per_strip;
    int extra;     /* kind of alpha, -1 for none */
    uint8_t alpha; /* of every pixel */
};

static const struct tiff_wish plain = {
    .pages = 1, .compression = COMPRESSION_NONE, .orientation = 1, .rows_per_strip = 5, .extra = -1};

static uint8_t sample(uint32_t page, uint32_t x, uint32_t y, uint32_t channel)
{
    return (uint8_t)(noise(x, y, channel) + page * 50);
}

static void write_page(TIFF *tiff, const struct tiff_wish *wish, uint32_t page)
{
    unsigned int channels = wish->extra < 0 ? 3 : 4;
    uint16_t extra = (uint16_t)wish->extra;
    uint8_t row[WIDTH * 4];

    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, WIDTH);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, HEIGHT);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, channels);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, wish->compression);
    TIFFSetField(tiff, TIFFTAG_ORIENTATION, wish->orientation);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, wish->rows_per_strip);
    if (wish->extra >= 0)
        TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &extra);
    for (uint32_t y = 0; y < HEIGHT; y++) {
        for (uint32_t x = 0; x < WIDTH; x++)
            for (unsigned int i = 0; i < channels; i++)
                row[x * channels + i] = i == 3 ? wish->alpha : sample(page, x, y, i);
        ck_assert_int_eq(TIFFWriteScanline(tiff, row, y, 0), 1);
    }
    ck_assert_int_eq(TIFFWriteDirectory(tiff), 1);
}

static struct made make_tiff(const struct tiff_wish *wish)
{
    struct file file = {.data = calloc(1, ROOM)};
    TIFF *tiff = TIFFClientOpen("made", "w", &file, file_read, file_write, file_seek, file_close, file_size,
                                NULL, NULL);

    ck_assert_ptr_nonnull(tiff);
    for (uint32_t page = 0; page < wish->pages; page++)
        write_page(tiff, wish, page);
    TIFFClose(tiff);
    return (struct made){file.data, file.size};
}

static void decode(const struct made *made, unsigned int keeps, struct recorder *recorder,
                   struct decode_report *report)
{
    *recorder = (struct recorder){.keeps = keeps};
    ck_assert_int_eq(record(made->data, made->size, &roomy, recorder, report), 0);
}

START_TEST(pixels_come_as_they_are_stored)
{
    static const uint16_t compressions[] = {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE,
                                            COMPRESSION_PACKBITS};
    static const uint32_t strips[] = {1, 5, HEIGHT, 1000};
    struct tiff_wish wish = plain;
    struct recorder recorder;
    struct decode_report report;

    wish.compression = compressions[_i % 4];
    wish.rows_per_strip = strips[_i / 4];
    struct made made = make_tiff(&wish);
    decode(&made, 0, &recorder, &report);
    ck_assert_msg(report.reasons == 0, "%s", report.detail);
    ck_assert(report.format == FORMAT_TIFF && report.width == WIDTH && report.height == HEIGHT);
    ck_assert(report.frames == 1 && recorder.shape.layout == PIXEL_RGB);
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            for (uint32_t i = 0; i < 3; i++)
                ck_assert_uint_eq(recorder_pixel(&recorder, x, y)[i], sample(0, x, y, i));
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

START_TEST(every_page_is_a_frame)
{
    struct tiff_wish wish = plain;
    struct recorder recorder;
    struct decode_report report;

    wish.pages = 3;
    struct made made = make_tiff(&wish);
    for (unsigned int page = 0; page < 3; page++) {
        decode(&made, page, &recorder, &report);
        ck_assert(report.reasons == 0 && report.frames == 3 && recorder.begins == 3);
        ck_assert_uint_eq(recorder.shape.frame, page);
        ck_assert_uint_eq(recorder_pixel(&recorder, 7, 9)[1], sample(page, 7, 9, 1));
        recorder_free(&recorder);
    }
    made_free(&made);
}
END_TEST

START_TEST(orientation_is_told_and_not_applied)
{
    struct tiff_wish wish = plain;
    struct recorder recorder;
    struct decode_report report;

    wish.orientation = (uint16_t)_i;
    struct made made = make_tiff(&wish);
    decode(&made, 0, &recorder, &report);
    ck_assert_uint_eq(recorder.shape.exif, (unsigned int)_i);
    ck_assert_uint_eq(report.exif, (unsigned int)_i);
    ck_assert_uint_eq(recorder_pixel(&recorder, 3, 1)[0], sample(0, 3, 1, 0));
    ck_assert_uint_eq(recorder_pixel(&recorder, 3, 22)[0], sample(0, 3, 22, 0));
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

START_TEST(colours_under_alpha_are_kept)
{
    struct tiff_wish wish = plain;
    struct recorder recorder;
    struct decode_report report;

    wish.extra = EXTRASAMPLE_UNASSALPHA;
    wish.alpha = (uint8_t)_i;
    struct made made = make_tiff(&wish);
    decode(&made, 0, &recorder, &report);
    ck_assert_int_eq(recorder.shape.layout, PIXEL_RGBA);
    ck_assert_uint_eq(recorder_pixel(&recorder, 5, 6)[2], sample(0, 5, 6, 2));
    ck_assert_uint_eq(recorder_pixel(&recorder, 5, 6)[3], (unsigned int)_i);
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

START_TEST(colours_dimmed_by_alpha_are_brightened)
{
    struct tiff_wish wish = plain;
    struct recorder recorder;
    struct decode_report report;

    wish.extra = EXTRASAMPLE_ASSOCALPHA;
    wish.alpha = 128;
    struct made made = make_tiff(&wish);
    decode(&made, 0, &recorder, &report);
    unsigned int bright = (sample(0, 5, 6, 2) * 255U + 64) / 128;
    ck_assert_uint_eq(recorder_pixel(&recorder, 5, 6)[2], bright < 255 ? bright : 255);
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

START_TEST(a_tiff_cut_anywhere_is_told_and_reads_nothing_beyond)
{
    struct tiff_wish wish = plain;

    wish.pages = 2;
    wish.compression = COMPRESSION_LZW;
    struct made made = make_tiff(&wish);
    for (size_t size = 8; size < made.size; size += size < 64 ? 1 : 7) {
        struct recorder recorder = {.keeps = 0};
        struct decode_report report;
        uint8_t *copy = malloc(size);
        memcpy(copy, made.data, size);
        ck_assert_int_eq(record(copy, size, &roomy, &recorder, &report), 0);
        ck_assert_uint_ne(report.reasons, 0);
        recorder_free(&recorder);
        free(copy);
    }
    made_free(&made);
}
END_TEST

START_TEST(size_and_memory_are_held_to_the_limits)
{
    struct tiff_wish wish = plain;
    struct decode_limits limits = roomy;

    wish.rows_per_strip = HEIGHT;
    struct made made = make_tiff(&wish);
    for (int above = 0; above < 2; above++) {
        struct recorder recorder = {.keeps = 0};
        struct decode_report report;
        limits.pixels = WIDTH * HEIGHT - (uint64_t)above;
        ck_assert_int_eq(record(made.data, made.size, &limits, &recorder, &report), 0);
        ck_assert_uint_eq(report.reasons, above ? REASON_BIT(REASON_MEDIA_LIMIT_PIXELS) : 0);
        recorder_free(&recorder);
    }
    limits = roomy;
    for (int above = 0; above < 2; above++) {
        struct recorder recorder = {.keeps = 0};
        struct decode_report report;
        limits.memory_bytes = WIDTH * HEIGHT * 12 - (uint64_t)above;
        ck_assert_int_eq(record(made.data, made.size, &limits, &recorder, &report), 0);
        ck_assert_uint_eq(report.reasons, above ? REASON_BIT(REASON_MEDIA_LIMIT_MEMORY) : 0);
        recorder_free(&recorder);
    }
    made_free(&made);
}
END_TEST

START_TEST(a_chain_of_pages_that_bites_its_tail_ends)
{
    struct tiff_wish wish = plain;
    struct recorder recorder;
    struct decode_report report;
    struct made made = make_tiff(&wish);
    uint32_t first = (uint32_t)made.data[4] | (uint32_t)made.data[5] << 8 | (uint32_t)made.data[6] << 16;
    uint32_t tags = (uint32_t)made.data[first] | (uint32_t)made.data[first + 1] << 8;

    put_le(made.data + first + 2 + 12 * (size_t)tags, first, 4);
    decode(&made, 0, &recorder, &report);
    ck_assert_uint_le(recorder.begins, 1);
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode_tiff");
    TCase *tests = tcase_create("decode_tiff");

    tcase_add_loop_test(tests, pixels_come_as_they_are_stored, 0, 16);
    tcase_add_test(tests, every_page_is_a_frame);
    tcase_add_loop_test(tests, orientation_is_told_and_not_applied, 1, 9);
    tcase_add_loop_test(tests, colours_under_alpha_are_kept, 0, 2);
    tcase_add_test(tests, colours_dimmed_by_alpha_are_brightened);
    tcase_add_test(tests, a_tiff_cut_anywhere_is_told_and_reads_nothing_beyond);
    tcase_add_test(tests, size_and_memory_are_held_to_the_limits);
    tcase_add_test(tests, a_chain_of_pages_that_bites_its_tail_ends);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
