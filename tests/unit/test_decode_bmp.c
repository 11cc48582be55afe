#include "decode_pictures.h"
#include "decode_recorder.h"
#include "tap.h"

#define CORRUPT     REASON_BIT(REASON_MEDIA_CORRUPT)
#define UNSUPPORTED REASON_BIT(REASON_MEDIA_UNSUPPORTED)

enum { WIDTH = 13, HEIGHT = 7 };

struct bmp_wish {
    uint32_t header_bytes; /* 12, 40, 56 or 124 */
    unsigned int bits;
    uint32_t compression;
    bool top_down;
    uint32_t masks[4];
    uint32_t colours; /* that the palette has; 0 = all */
};

/* What stands at a place: an index where there is a palette, else red, green, blue in as many bits as fit. */
static uint32_t value_at(uint32_t x, uint32_t y, unsigned int bits)
{
    uint32_t value = (x * 37 + y * 101 + x * y) & 0xffffff;

    return bits < 24 ? value & ((1U << bits) - 1) : value * 0x01010101U;
}

static void put_pixel(uint8_t *row, uint32_t x, uint32_t value, unsigned int bits)
{
    if (bits >= 8)
        put_le(row + (size_t)x * bits / 8, value, bits / 8);
    else
        row[x * bits / 8] = (uint8_t)(row[x * bits / 8] | value << (8 - bits - x * bits % 8));
}

static void palette_colour(uint32_t index, uint8_t rgb[3])
{
    rgb[0] = (uint8_t)(index * 7);
    rgb[1] = (uint8_t)(255 - index);
    rgb[2] = (uint8_t)(index * 31);
}

static struct made begin_bmp(const struct bmp_wish *wish)
{
    uint8_t header[14 + 124] = {'B', 'M'};
    struct made made = {NULL, 0};
    bool core = wish->header_bytes == 12;
    uint32_t colours = wish->bits > 8 ? 0 : wish->colours > 0 ? wish->colours : 1U << wish->bits;
    uint32_t masks = wish->header_bytes == 40 && wish->compression == 3 ? 12 : 0;

    put_le(header + 14, wish->header_bytes, 4);
    put_le(header + 18, WIDTH, core ? 2 : 4);
    put_le(header + (core ? 20 : 22), wish->top_down ? 0U - HEIGHT : HEIGHT, core ? 2 : 4);
    put_le(header + (core ? 22 : 26), 1, 2);
    put_le(header + (core ? 24 : 28), wish->bits, 2);
    if (!core) {
        put_le(header + 30, wish->compression, 4);
        put_le(header + 46, wish->colours, 4);
    }
    for (int i = 0; i < 4 && wish->header_bytes >= 56; i++)
        put_le(header + 14 + 40 + 4 * i, wish->masks[i], 4);
    put_le(header + 10, 14 + wish->header_bytes + masks + colours * (core ? 3 : 4), 4);
    made_append(&made, header, 14 + wish->header_bytes);
    for (int i = 0; i < 3 && masks > 0; i++) {
        uint8_t mask[4];
        put_le(mask, wish->masks[i], 4);
        made_append(&made, mask, 4);
    }
    for (uint32_t i = 0; i < colours; i++) {
        uint8_t rgb[3];
        palette_colour(i, rgb);
        made_append(&made, (uint8_t[4]){rgb[2], rgb[1], rgb[0], 0}, core ? 3 : 4);
    }
    return made;
}

static struct made make_bmp(const struct bmp_wish *wish)
{
    struct made made = begin_bmp(wish);
    size_t stride = (WIDTH * wish->bits + 31) / 32 * 4;

    for (uint32_t i = 0; i < HEIGHT; i++) {
        uint32_t y = wish->top_down ? i : HEIGHT - 1 - i;
        uint8_t row[64] = {0};
        for (uint32_t x = 0; x < WIDTH; x++)
            put_pixel(row, x, value_at(x, y, wish->bits), wish->bits);
        made_append(&made, row, stride);
    }
    return made;
}

static uint8_t scaled(uint32_t value, uint32_t mask)
{
    uint32_t maximum = mask >> __builtin_ctz(mask);

    return (uint8_t)((((value & mask) >> __builtin_ctz(mask)) * 255 + maximum / 2) / maximum);
}

static void expected_pixel(const struct bmp_wish *wish, uint32_t x, uint32_t y, uint8_t pixel[4])
{
    uint32_t value = value_at(x, y, wish->bits);

    if (wish->bits <= 8) {
        memset(pixel, 0, 3);
        if (wish->colours == 0 || value < wish->colours)
            palette_colour(value, pixel);
        return;
    }
    const uint32_t fifteen[] = {0x7c00, 0x3e0, 0x1f, 0};
    const uint32_t full[] = {0xff0000, 0xff00, 0xff, 0};
    const uint32_t *masks = wish->compression == 3 ? wish->masks : wish->bits == 16 ? fifteen : full;
    for (int i = 0; i < 4; i++)
        pixel[i] = masks[i] == 0 ? 255 : scaled(value, masks[i]);
}

static void check_pixels(const struct bmp_wish *wish, const struct made *made)
{
    struct recorder recorder = {.keeps = 0};
    struct decode_report report;

    ck_assert_int_eq(record(made->data, made->size, &roomy, &recorder, &report), 0);
    ck_assert_msg(report.reasons == 0, "%s", report.detail);
    ck_assert(report.format == FORMAT_BMP && report.width == WIDTH && report.height == HEIGHT);
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++) {
            uint8_t pixel[4];
            expected_pixel(wish, x, y, pixel);
            ck_assert_mem_eq(recorder_pixel(&recorder, x, y), pixel,
                             pixel_layout_bytes(recorder.shape.layout));
        }
    recorder_free(&recorder);
}

static const struct bmp_wish wishes[] = {
    {.header_bytes = 12, .bits = 1},
    {.header_bytes = 12, .bits = 24},
    {.header_bytes = 40, .bits = 1},
    {.header_bytes = 40, .bits = 2},
    {.header_bytes = 40, .bits = 4},
    {.header_bytes = 40, .bits = 4, .colours = 9},
    {.header_bytes = 40, .bits = 8},
    {.header_bytes = 40, .bits = 8, .top_down = true},
    {.header_bytes = 40, .bits = 16},
    {.header_bytes = 40, .bits = 16, .compression = 3, .masks = {0xf800, 0x7e0, 0x1f}},
    {.header_bytes = 40, .bits = 24, .top_down = true},
    {.header_bytes = 40, .bits = 32},
    {.header_bytes = 40, .bits = 32, .compression = 3, .masks = {0xff, 0xff00, 0xff0000}},
    {.header_bytes = 56, .bits = 32, .compression = 3, .masks = {0xff0000, 0xff00, 0xff, 0xff000000}},
    {.header_bytes = 124, .bits = 16, .compression = 3, .masks = {0xf00, 0xf0, 0xf, 0xf000}},
};
enum { WISHES = sizeof wishes / sizeof wishes[0] };

START_TEST(every_depth_gives_its_colours)
{
    struct made made = make_bmp(&wishes[_i]);

    check_pixels(&wishes[_i], &made);
    made_free(&made);
}
END_TEST

START_TEST(alpha_that_is_nowhere_set_is_no_alpha)
{
    struct bmp_wish wish = wishes[13];
    struct made made = make_bmp(&wish);
    struct recorder recorder = {.keeps = 0};
    struct decode_report report;

    ck_assert_int_eq(record(made.data, made.size, &roomy, &recorder, &report), 0);
    ck_assert_int_eq(recorder.shape.layout, PIXEL_RGBA);
    recorder_free(&recorder);
    for (size_t i = 14 + 56 + 3; i < made.size; i += 4)
        made.data[i] = 0;
    recorder = (struct recorder){.keeps = 0};
    ck_assert_int_eq(record(made.data, made.size, &roomy, &recorder, &report), 0);
    ck_assert_int_eq(recorder.shape.layout, PIXEL_RGB);
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

/* Runs, pixels as they are, a jump, an early end of line and of the picture, from the bottom row up. */
START_TEST(run_lengths_are_undone)
{
    static const uint8_t eight[] = {3, 5, 0, 3, 1, 2, 3, 0, 0, 0, 0, 2, 4, 1, 2, 9, 0, 1};
    static const uint8_t four[] = {3, 0x56, 0, 5, 0x12, 0x34, 0x50, 0, 0, 0, 0, 2, 4, 1, 2, 0x98, 0, 1};
    static const uint8_t rows[2][3][8] = {{{5, 5, 5, 1, 2, 3}, {0}, {0, 0, 0, 0, 9, 9}},
                                          {{5, 6, 5, 1, 2, 3, 4, 5}, {0}, {0, 0, 0, 0, 9, 8}}};
    struct bmp_wish wish = {.header_bytes = 40, .bits = _i == 0 ? 8 : 4, .compression = _i == 0 ? 1 : 2};
    struct made made = begin_bmp(&wish);
    struct recorder recorder = {.keeps = 0};
    struct decode_report report;

    made_append(&made, _i == 0 ? eight : four, _i == 0 ? sizeof eight : sizeof four);
    ck_assert_int_eq(record(made.data, made.size, &roomy, &recorder, &report), 0);
    ck_assert_msg(report.reasons == 0, "%s", report.detail);
    for (uint32_t row = 0; row < 3; row++)
        for (uint32_t x = 0; x < 8; x++) {
            uint8_t rgb[3];
            palette_colour(rows[_i][row][x], rgb);
            ck_assert_mem_eq(recorder_pixel(&recorder, x, HEIGHT - 1 - row), rgb, 3);
        }
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

START_TEST(a_bmp_cut_anywhere_is_told_and_reads_nothing_beyond)
{
    struct made made = make_bmp(&wishes[_i]);

    for (size_t size = 14; size < made.size; size++) {
        struct recorder recorder = {.keeps = 0};
        struct decode_report report;
        uint8_t *copy = malloc(size);
        memcpy(copy, made.data, size);
        ck_assert_int_eq(record(copy, size, &roomy, &recorder, &report), 0);
        /* The padding of the last row may be missing. */
        size_t padding = (WIDTH * wishes[_i].bits + 31) / 32 * 4 - (WIDTH * wishes[_i].bits + 7) / 8;
        if (report.format == FORMAT_BMP)
            ck_assert_uint_eq(report.reasons, size + padding >= made.size ? 0 : CORRUPT);
        recorder_free(&recorder);
        free(copy);
    }
    made_free(&made);
}
END_TEST

static reason_set reasons_after(size_t at, uint32_t value, unsigned int bytes,
                                const struct decode_limits *limits)
{
    struct made made = make_bmp(&wishes[6]);
    struct recorder recorder = {.keeps = 0};
    struct decode_report report;

    put_le(made.data + at, value, bytes);
    ck_assert_int_eq(record(made.data, made.size, limits, &recorder, &report), 0);
    recorder_free(&recorder);
    made_free(&made);
    return report.reasons;
}

START_TEST(headers_that_lie_are_refused)
{
    struct decode_limits limits = roomy;

    ck_assert_uint_eq(reasons_after(14, 40, 4, &roomy), 0);
    ck_assert_uint_eq(reasons_after(28, 7, 2, &roomy), UNSUPPORTED);   /* a depth that there is not */
    ck_assert_uint_eq(reasons_after(30, 4, 4, &roomy), UNSUPPORTED);   /* a JPEG inside */
    ck_assert_uint_eq(reasons_after(30, 2, 4, &roomy), UNSUPPORTED);   /* runs of 4 bits in 8 */
    ck_assert_uint_eq(reasons_after(10, 1 << 30, 4, &roomy), CORRUPT); /* or behind the end */
    ck_assert_uint_eq(reasons_after(18, 0, 4, &roomy), CORRUPT);
    ck_assert_uint_eq(reasons_after(18, 0x7fffffff, 4, &roomy), REASON_BIT(REASON_MEDIA_LIMIT_PIXELS));
    ck_assert_uint_eq(reasons_after(22, 0x80000000, 4, &roomy), REASON_BIT(REASON_MEDIA_LIMIT_PIXELS));
    limits.pixels = WIDTH * HEIGHT - 1;
    ck_assert_uint_eq(reasons_after(14, 40, 4, &limits), REASON_BIT(REASON_MEDIA_LIMIT_PIXELS));
    limits.pixels = WIDTH * HEIGHT;
    ck_assert_uint_eq(reasons_after(14, 40, 4, &limits), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode_bmp");
    TCase *tests = tcase_create("decode_bmp");

    tcase_add_loop_test(tests, every_depth_gives_its_colours, 0, WISHES);
    tcase_add_test(tests, alpha_that_is_nowhere_set_is_no_alpha);
    tcase_add_loop_test(tests, run_lengths_are_undone, 0, 2);
    tcase_add_loop_test(tests, a_bmp_cut_anywhere_is_told_and_reads_nothing_beyond, 2, WISHES);
    tcase_add_test(tests, headers_that_lie_are_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
