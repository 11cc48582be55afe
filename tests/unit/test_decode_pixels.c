/* The right pixels: each kind of picture decodes to what was put into it. */
#include "decode_pictures.h"
#include "decode_recorder.h"
#include "tap.h"

static void decode_whole(const struct made *made, struct recorder *recorder, struct decode_report *report)
{
    *recorder = (struct recorder){.begins = 0};
    ck_assert_int_eq(record(made->data, made->size, &roomy, recorder, report), 0);
    ck_assert_msg(report->reasons == 0, "refused: %s", report->detail);
    ck_assert_uint_eq(recorder->rows, recorder->shape.height);
    ck_assert_uint_eq(recorder->shape.width, report->width);
    ck_assert_uint_eq(recorder->shape.height, report->height);
    ck_assert_uint_eq(report->frames, 1);
}

/* --- PNG --- */

struct png_pixel {
    uint8_t samples[4];
    enum pixel_layout layout;
};

/* What a decoder must make of a pixel, written down from the format and not from the decoder. */
static struct png_pixel expect_png(const struct png_wish *wish, uint32_t x, uint32_t y)
{
    unsigned int channels = png_channels(wish->colour_type);
    unsigned int top = (1u << wish->depth) - 1;
    struct png_pixel pixel = {{0}, (enum pixel_layout)(channels - 1)};

    if (wish->colour_type == PNG_COLOR_TYPE_PALETTE) {
        unsigned int index = png_sample(wish, x, y, 0);
        png_color colour = png_palette_entry(index);
        uint8_t alpha = index == 0 ? 0 : index == 1 ? 100 : 255;
        return (struct png_pixel){{colour.red, colour.green, colour.blue, alpha},
                                  wish->transparency ? PIXEL_RGBA : PIXEL_RGB};
    }
    bool is_key = true;
    for (uint32_t channel = 0; channel < channels; channel++) {
        unsigned int value = png_sample(wish, x, y, channel);
        is_key = is_key && value == png_sample(wish, 0, 0, channel);
        pixel.samples[channel] = (uint8_t)((value * 510 + top) / (2 * top)); /* the nearest of 256 levels */
    }
    if (wish->transparency) {
        pixel.samples[channels] = is_key ? 0 : 255;
        pixel.layout = channels == 1 ? PIXEL_GRAY_ALPHA : PIXEL_RGBA;
    }
    return pixel;
}

static void check_png(struct png_wish wish)
{
    struct made made = make_png(wish);
    struct recorder recorder;
    struct decode_report report;

    decode_whole(&made, &recorder, &report);
    ck_assert_uint_eq(recorder.shape.width, wish.width);
    ck_assert_uint_eq(recorder.shape.height, wish.height);
    for (uint32_t y = 0; y < wish.height; y++) {
        for (uint32_t x = 0; x < wish.width; x++) {
            struct png_pixel expected = expect_png(&wish, x, y);
            ck_assert_int_eq(recorder.shape.layout, expected.layout);
            ck_assert_msg(memcmp(recorder_pixel(&recorder, x, y), expected.samples,
                                 pixel_layout_bytes(expected.layout)) == 0,
                          "colour type %d depth %d interlaced %d transparency %d: pixel %u,%u",
                          wish.colour_type, wish.depth, wish.interlaced, wish.transparency, x, y);
        }
    }
    recorder_free(&recorder);
    made_free(&made);
}

START_TEST(png_of_every_colour_type_and_depth)
{
    static const struct {
        int colour_type, depth;
    } kinds[] = {
        {PNG_COLOR_TYPE_GRAY, 1},        {PNG_COLOR_TYPE_GRAY, 2},      {PNG_COLOR_TYPE_GRAY, 4},
        {PNG_COLOR_TYPE_GRAY, 8},        {PNG_COLOR_TYPE_GRAY, 16},     {PNG_COLOR_TYPE_RGB, 8},
        {PNG_COLOR_TYPE_RGB, 16},        {PNG_COLOR_TYPE_PALETTE, 1},   {PNG_COLOR_TYPE_PALETTE, 2},
        {PNG_COLOR_TYPE_PALETTE, 4},     {PNG_COLOR_TYPE_PALETTE, 8},   {PNG_COLOR_TYPE_GRAY_ALPHA, 8},
        {PNG_COLOR_TYPE_GRAY_ALPHA, 16}, {PNG_COLOR_TYPE_RGB_ALPHA, 8}, {PNG_COLOR_TYPE_RGB_ALPHA, 16}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        bool has_alpha = (kinds[i].colour_type & PNG_COLOR_MASK_ALPHA) != 0;
        for (int variant = 0; variant < (has_alpha ? 2 : 4); variant++)
            check_png((struct png_wish){.width = 21,
                                        .height = 13,
                                        .colour_type = kinds[i].colour_type,
                                        .depth = kinds[i].depth,
                                        .interlaced = (variant & 1) != 0,
                                        .transparency = (variant & 2) != 0});
    }
}
END_TEST

/* Small pictures leave some of the seven passes without a pixel. */
START_TEST(png_of_every_small_size_plain_and_interlaced)
{
    for (uint32_t size = 0; size < 81; size++) {
        struct png_wish wish = {
            .width = 1 + size % 9, .height = 1 + size / 9, .colour_type = PNG_COLOR_TYPE_RGB, .depth = 8};
        check_png(wish);
        wish.interlaced = true;
        check_png(wish);
    }
}
END_TEST

/* --- JPEG --- */

static void check_near(const uint8_t *found, const double *expected, unsigned int channels, double tolerance,
                       const char *what)
{
    for (unsigned int i = 0; i < channels; i++)
        ck_assert_msg(found[i] >= expected[i] - tolerance && found[i] <= expected[i] + tolerance,
                      "%s, channel %u: %u instead of %.1f", what, i, found[i], expected[i]);
}

static double luma(const double *rgb)
{
    return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
}

/* Decodes and compares in the middle of the flat areas. */
static void check_jpeg(struct jpeg_wish wish, const char *what)
{
    struct made made = make_jpeg(wish);
    struct recorder recorder;
    struct decode_report report;

    decode_whole(&made, &recorder, &report);
    bool gray = wish.to == JCS_GRAYSCALE || wish.to == JCS_YCbCr;
    ck_assert_int_eq(recorder.shape.layout, gray ? PIXEL_GRAY : PIXEL_RGB);
    for (uint32_t y = 8; y < wish.height; y += 16) {
        for (uint32_t x = 8; x < wish.width; x += 16) {
            double colour[4];
            for (uint32_t channel = 0; channel < 4; channel++)
                colour[channel] = jpeg_sample(x, y, channel);
            for (int i = 0; i < 3 && wish.from == JCS_CMYK; i++)
                colour[i] = colour[i] * colour[3] / 255; /* stored inverted: 255 is no ink */
            double expected = wish.from == JCS_GRAYSCALE ? colour[0] : luma(colour);
            check_near(recorder_pixel(&recorder, x, y), gray ? &expected : colour, gray ? 1 : 3, 3, what);
        }
    }
    recorder_free(&recorder);
    made_free(&made);
}

START_TEST(jpeg_of_every_colour_space)
{
    struct jpeg_wish wish = {.width = 69, .height = 51, .from = JCS_RGB, .to = JCS_YCbCr};

    check_jpeg(wish, "YCbCr");
    wish.to = JCS_RGB;
    check_jpeg(wish, "RGB");
    wish.from = wish.to = JCS_GRAYSCALE;
    check_jpeg(wish, "grey");
    wish.from = wish.to = JCS_CMYK;
    check_jpeg(wish, "CMYK");
    wish.to = JCS_YCCK;
    check_jpeg(wish, "YCCK");
    wish.to = JCS_CMYK;
    wish.without_adobe = true;
    check_jpeg(wish, "CMYK without the Adobe marker");
}
END_TEST

START_TEST(jpeg_of_every_process)
{
    const struct jpeg_wish plain = {.width = 69, .height = 51, .from = JCS_RGB, .to = JCS_YCbCr};
    struct jpeg_wish wish = plain;

    wish.luma_sampling = 2;
    check_jpeg(wish, "4:2:0");
    wish.restart = 2;
    check_jpeg(wish, "restart markers");
    wish.progressive = true;
    check_jpeg(wish, "progressive");
    wish = plain;
    wish.planes_apart = true;
    check_jpeg(wish, "a scan for each component");
    wish = plain;
    wish.arithmetic = true;
    check_jpeg(wish, "arithmetic");
    wish.progressive = true;
    check_jpeg(wish, "progressive arithmetic");
    wish = plain;
    wish.width = wish.height = 9;
    check_jpeg(wish, "9x9");
}
END_TEST

/* 8x8 pixels without cyan, magenta and yellow, with this much left white of black. */
static struct made make_black_ink(uint8_t left_white)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct made made = {NULL, 0};
    uint8_t row[8 * 4];
    uint8_t *rows = row;

    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &made.data, &made.size);
    jpeg.image_width = jpeg.image_height = 8;
    jpeg.in_color_space = JCS_CMYK;
    jpeg.input_components = 4;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    for (size_t i = 0; i < sizeof row; i++)
        row[i] = i % 4 == 3 ? left_white : 255;
    while (jpeg.next_scanline < 8)
        jpeg_write_scanlines(&jpeg, &rows, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return made;
}

START_TEST(cmyk_without_ink_is_white_and_with_all_of_black_is_black)
{
    for (unsigned int white = 0; white <= 255; white += 255) {
        struct made made = make_black_ink((uint8_t)white);
        struct recorder recorder;
        struct decode_report report;
        decode_whole(&made, &recorder, &report);
        for (uint32_t i = 0; i < 64; i++) {
            for (unsigned int channel = 0; channel < 3; channel++)
                ck_assert_uint_eq(recorder_pixel(&recorder, i % 8, i / 8)[channel], white);
        }
        recorder_free(&recorder);
        made_free(&made);
    }
}
END_TEST

START_TEST(jpeg_orientation_is_read_from_the_first_exif_segment)
{
    static const uint8_t segment[] = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0,    0,    'M', 'M',
                                      0,    42,   0, 0,  0,   8,   0,   1,   0x01, 0x12, 0,   3,
                                      0,    0,    0, 1,  0,   6,   0,   0,   0,    0,    0,   0};
    static const uint8_t xmp[] = {0xff, 0xe1, 0, 8, 'h', 't', 't', 'p', ':', '/'};
    struct made made =
        make_jpeg((struct jpeg_wish){.width = 8, .height = 8, .from = JCS_RGB, .to = JCS_YCbCr});
    struct recorder recorder;
    struct decode_report report;

    made_insert(&made, 2, segment, sizeof segment);
    made.data[2 + 29] = 3;
    made_insert(&made, 2, segment, sizeof segment);
    made_insert(&made, 2, xmp, sizeof xmp);
    decode_whole(&made, &recorder, &report);
    ck_assert_uint_eq(report.exif, 6);
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

/* --- WebP --- */

START_TEST(lossless_webp_is_exact_also_under_its_alpha)
{
    for (int alpha = 0; alpha < 2; alpha++) {
        struct webp_wish wish = {.width = 37, .height = 29, .lossless = true, .alpha = alpha != 0};
        struct made made = make_webp(wish);
        struct recorder recorder;
        struct decode_report report;
        decode_whole(&made, &recorder, &report);
        ck_assert_int_eq(recorder.shape.layout, alpha ? PIXEL_RGBA : PIXEL_RGB);
        for (uint32_t i = 0; i < wish.width * wish.height; i++) {
            uint32_t x = i % wish.width;
            uint32_t y = i / wish.width;
            for (uint32_t channel = 0; channel < (alpha ? 4u : 3u); channel++)
                ck_assert_uint_eq(recorder_pixel(&recorder, x, y)[channel],
                                  webp_sample(&wish, x, y, channel));
        }
        recorder_free(&recorder);
        made_free(&made);
    }
}
END_TEST

START_TEST(lossy_webp_gives_full_range_luma_and_exact_alpha)
{
    for (int alpha = 0; alpha < 2; alpha++) {
        struct webp_wish wish = {.width = 69, .height = 51, .alpha = alpha != 0};
        struct made made = make_webp(wish);
        struct recorder recorder;
        struct decode_report report;
        decode_whole(&made, &recorder, &report);
        ck_assert_int_eq(recorder.shape.layout, alpha ? PIXEL_GRAY_ALPHA : PIXEL_GRAY);
        for (uint32_t y = 8; y < wish.height; y += 16) {
            for (uint32_t x = 8; x < wish.width; x += 16) {
                double colour[3] = {jpeg_sample(x, y, 0), jpeg_sample(x, y, 1), jpeg_sample(x, y, 2)};
                double expected = luma(colour);
                const uint8_t *pixel = recorder_pixel(&recorder, x, y);
                check_near(pixel, &expected, 1, 4, "lossy WebP");
                if (alpha)
                    ck_assert_uint_eq(pixel[1], webp_sample(&wish, x, y, 3));
            }
        }
        recorder_free(&recorder);
        made_free(&made);
    }
}
END_TEST

/* A lossy picture whose luma is this everywhere, also where an encoder that starts from RGB would not go. */
static struct made make_luma(uint8_t luma)
{
    WebPConfig config;
    WebPPicture picture;
    WebPMemoryWriter writer;

    ck_assert(WebPConfigInit(&config) && WebPPictureInit(&picture));
    WebPMemoryWriterInit(&writer);
    config.quality = 100;
    picture.width = picture.height = 32;
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = &writer;
    ck_assert(WebPPictureAlloc(&picture));
    for (int y = 0; y < 32; y++)
        memset(picture.y + y * picture.y_stride, luma, 32);
    for (int y = 0; y < 16; y++) {
        memset(picture.u + y * picture.uv_stride, 128, 16);
        memset(picture.v + y * picture.uv_stride, 128, 16);
    }
    ck_assert(WebPEncode(&config, &picture));
    WebPPictureFree(&picture);
    struct made made = {malloc(writer.size), writer.size};
    memcpy(made.data, writer.mem, writer.size);
    WebPMemoryWriterClear(&writer);
    return made;
}

START_TEST(luma_of_lossy_webp_is_spread_to_the_full_range_and_clipped)
{
    static const uint8_t cases[][2] = {{0, 0},     {8, 0},     {16, 0},   {126, 128},
                                       {235, 255}, {244, 255}, {255, 255}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct made made = make_luma(cases[i][0]);
        struct recorder recorder;
        struct decode_report report;
        double expected = cases[i][1];
        decode_whole(&made, &recorder, &report);
        check_near(recorder_pixel(&recorder, 16, 16), &expected, 1, 1, "flat luma");
        recorder_free(&recorder);
        made_free(&made);
    }
}
END_TEST

START_TEST(webp_orientation_is_read_with_and_without_the_jpeg_prefix)
{
    static const uint8_t exif[] = {'E', 'x', 'i',  'f',  0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0,
                                   1,   0,   0x12, 0x01, 3, 0, 1,   0,   0,  0, 8, 0, 0, 0};

    for (size_t prefix = 0; prefix <= 6; prefix += 6) {
        struct made still = make_webp((struct webp_wish){.width = 4, .height = 4, .lossless = true});
        struct made made = webp_begin_extended(0x08, 4, 4);
        struct recorder recorder;
        struct decode_report report;
        size_t length = still.size;
        made_append(&made, still.data + 12, length - 12);
        webp_append_chunk(&made, "EXIF", exif + prefix, sizeof exif - prefix);
        decode_whole(&made, &recorder, &report);
        ck_assert_uint_eq(report.exif, 8);
        recorder_free(&recorder);
        made_free(&still);
        made_free(&made);
    }
}
END_TEST

/* --- colours --- */

static void check_colours(const struct made *made, enum pixel_layout layout, double tolerance)
{
    struct recorder recorder = {.colours = true};
    struct decode_report report;

    ck_assert_int_eq(record(made->data, made->size, &roomy, &recorder, &report), 0);
    ck_assert_uint_eq(report.reasons, 0);
    ck_assert_int_eq(recorder.shape.layout, layout);
    for (uint32_t y = 8; y < recorder.shape.height; y += 16) {
        for (uint32_t x = 8; x < recorder.shape.width; x += 16) {
            double colour[3] = {jpeg_sample(x, y, 0), jpeg_sample(x, y, 1), jpeg_sample(x, y, 2)};
            check_near(recorder_pixel(&recorder, x, y), colour, layout == PIXEL_GRAY ? 1 : 3, tolerance,
                       "in colours");
        }
    }
    recorder_free(&recorder);
}

START_TEST(a_sink_that_asks_for_colours_gets_them)
{
    struct jpeg_wish jpeg = {.width = 69, .height = 51, .from = JCS_RGB, .to = JCS_YCbCr};
    struct webp_wish webp = {.width = 69, .height = 51};

    for (int progressive = 0; progressive < 2; progressive++) {
        jpeg.progressive = progressive != 0;
        struct made made = make_jpeg(jpeg);
        check_colours(&made, PIXEL_RGB, 6);
        made_free(&made);
    }
    for (int alpha = 0; alpha < 2; alpha++) {
        webp.alpha = alpha != 0;
        struct made made = make_webp(webp);
        check_colours(&made, alpha ? PIXEL_RGBA : PIXEL_RGB, 10);
        made_free(&made);
    }
    jpeg.from = jpeg.to = JCS_GRAYSCALE;
    struct made grey = make_jpeg(jpeg);
    check_colours(&grey, PIXEL_GRAY, 4);
    made_free(&grey);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode_pixels");
    TCase *tests = tcase_create("decode_pixels");

    tcase_add_test(tests, png_of_every_colour_type_and_depth);
    tcase_add_test(tests, png_of_every_small_size_plain_and_interlaced);
    tcase_add_test(tests, jpeg_of_every_colour_space);
    tcase_add_test(tests, jpeg_of_every_process);
    tcase_add_test(tests, cmyk_without_ink_is_white_and_with_all_of_black_is_black);
    tcase_add_test(tests, jpeg_orientation_is_read_from_the_first_exif_segment);
    tcase_add_test(tests, lossless_webp_is_exact_also_under_its_alpha);
    tcase_add_test(tests, lossy_webp_gives_full_range_luma_and_exact_alpha);
    tcase_add_test(tests, luma_of_lossy_webp_is_spread_to_the_full_range_and_clipped);
    tcase_add_test(tests, webp_orientation_is_read_with_and_without_the_jpeg_prefix);
    tcase_add_test(tests, a_sink_that_asks_for_colours_gets_them);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
