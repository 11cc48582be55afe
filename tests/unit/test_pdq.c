#include "prescreen/hash/pdq.h"

#include "reference_rasters.h"
#include "tap.h"

#include <errno.h>
#include <signal.h>

static void check_result(const char *what, const struct pdq_result *found, const struct pdq_result *expected)
{
    ck_assert_msg(found->quality == expected->quality, "%s: quality %d for %d", what, found->quality,
                  expected->quality);
    for (int i = 0; i < ORIENTATION_COUNT; i++) {
        unsigned int bits = pdq_distance(&found->hashes[i], &expected->hashes[i]);
        ck_assert_msg(bits == 0, "%s, %s: %u bits differ", what, orientation_name((enum orientation)i), bits);
    }
}

static float luma_of(const uint8_t *pixel, enum pixel_layout layout)
{
    if (layout == PIXEL_GRAY || layout == PIXEL_GRAY_ALPHA)
        return (float)pixel[0];
    return 0.299F * (float)pixel[0] + 0.587F * (float)pixel[1] + 0.114F * (float)pixel[2];
}

/* The twin's answer for a picture whose alpha, if any, shows this backdrop. */
static void hash_by_twin(const struct picture_shape *shape, const uint8_t *samples, float backdrop,
                         struct pdq_result *result)
{
    size_t values = pixel_layout_bytes(shape->layout);
    size_t pixels = (size_t)shape->width * shape->height;
    float *luma = malloc(pixels * sizeof *luma);

    ck_assert_ptr_nonnull(luma);
    for (size_t i = 0; i < pixels; i++) {
        const uint8_t *pixel = samples + i * values;
        luma[i] = luma_of(pixel, shape->layout);
        if (values % 2 == 0 && backdrop >= 0)
            luma[i] += (backdrop - luma[i]) * (float)(255 - pixel[values - 1]) / 255;
    }
    ck_assert_int_eq(pdq_hash_reference(luma, shape->width, shape->height, result), 0);
    free(luma);
}

/* Reads ../shared/pdq. Quality 0 is a flat picture: its bits are the rounding of the reference's own sums. */
START_TEST(every_raster_gets_the_reference_s_hashes_at_every_level)
{
    FILE *table = rasters_open();
    struct raster raster;
    struct pdq_result result;

    if (table == NULL)
        return;
    while (rasters_next(table, &raster)) {
        for (int level = CPU_PLAIN; level <= (int)cpu_detect(); level++) {
            picture_hash(&raster.shape, PDQ_OVER_WHITE, (enum cpu_level)level, raster.samples, &result);
            if (raster.expected.quality > 0)
                check_result(raster.name, &result, &raster.expected);
            ck_assert_int_eq(result.quality, raster.expected.quality);
        }
        free(raster.samples);
    }
    fclose(table);
}
END_TEST

START_TEST(every_raster_gets_the_reference_s_hashes_from_the_twin)
{
    FILE *table = rasters_open();
    struct raster raster;
    struct pdq_result result;

    if (table == NULL)
        return;
    while (rasters_next(table, &raster)) {
        hash_by_twin(&raster.shape, raster.samples, -1, &result);
        check_result(raster.name, &result, &raster.expected);
        free(raster.samples);
    }
    fclose(table);
}
END_TEST

/* What the twin that met all of the reference's values gave for this drawing. */
START_TEST(a_drawing_keeps_its_hash)
{
    static const char hex[] = "4d0c6a9d707c103ea07cec7a4e1d4eab07e29798a62a52ba42bca4d6f5c7b5c3";
    struct picture_shape shape = {.width = 333, .height = 222, .layout = PIXEL_RGB};
    uint8_t *samples = picture_draw(&shape, 1);
    struct pdq_result result;
    char text[PDQ_HEX_SIZE];

    picture_hash(&shape, PDQ_OVER_WHITE, CPU_PLAIN, samples, &result);
    pdq_to_hex(&result.hashes[ORIENTATION_ORIGINAL], text);
    ck_assert_str_eq(text, hex);
    hash_by_twin(&shape, samples, -1, &result);
    pdq_to_hex(&result.hashes[ORIENTATION_ORIGINAL], text);
    ck_assert_str_eq(text, hex);
    free(samples);
}
END_TEST

/* Lengths around which windows grow, are cut, or the decimation repeats samples. */
static const uint32_t edges[] = {5,   6,   7,   31,  32,  33,  63,  64,  65,
                                 127, 128, 129, 255, 256, 257, 383, 385, 641};
enum { EDGES = sizeof edges / sizeof *edges };

START_TEST(the_stream_agrees_with_the_twin_on_pictures_of_any_shape)
{
    struct pdq_result found;
    struct pdq_result expected;
    char what[64];

    for (int i = 0; i < EDGES; i++) {
        struct picture_shape shape = {.width = edges[_i], .height = edges[i]};
        shape.layout = i % 2 ? PIXEL_RGB : PIXEL_GRAY;
        uint8_t *samples = picture_draw(&shape, (uint64_t)(_i * EDGES + i));
        hash_by_twin(&shape, samples, -1, &expected);
        picture_hash(&shape, PDQ_OVER_WHITE, cpu_detect(), samples, &found);
        snprintf(what, sizeof what, "%ux%u", shape.width, shape.height);
        check_result(what, &found, &expected);
        free(samples);
    }
}
END_TEST

/* Every sample of a delivered picture repeated over the square of pixels that it is the mean of. */
static uint8_t *spread(const struct picture_shape *reduced, const uint8_t *samples)
{
    size_t columns = picture_shape_columns(reduced);
    uint8_t *pixels = malloc((size_t)reduced->width * reduced->height);

    ck_assert_ptr_nonnull(pixels);
    for (size_t y = 0; y < reduced->height; y++)
        for (size_t x = 0; x < reduced->width; x++)
            pixels[y * reduced->width + x] =
                samples[(y >> reduced->reduction) * columns + (x >> reduced->reduction)];
    return pixels;
}

static void hash_rows(const struct picture_shape *shape, enum orientation upright, const uint8_t *samples,
                      struct pdq_result *result)
{
    struct pdq_stream *stream = NULL;

    ck_assert_int_eq(pdq_stream_create(shape, PDQ_OVER_WHITE, cpu_detect(), &stream), 0);
    pdq_stream_turn(stream, upright);
    for (size_t y = 0; y < picture_shape_rows(shape); y++)
        pdq_stream_add_row(stream, samples + y * picture_shape_columns(shape));
    pdq_stream_finish(stream, result);
    pdq_stream_free(stream);
}

START_TEST(a_picture_that_comes_reduced_hashes_as_its_pixels)
{
    static const struct {
        uint32_t width, height;
        unsigned int reduction;
    } sizes[] = {{641, 700, 1}, {1409, 1410, 2}, {2945, 3001, 3}, {3000, 1411, 2}};
    struct picture_shape reduced = {
        .width = sizes[_i].width, .height = sizes[_i].height, .reduction = sizes[_i].reduction};
    struct picture_shape drawn = {.width = picture_shape_columns(&reduced),
                                  .height = picture_shape_rows(&reduced)};
    struct picture_shape full = {.width = reduced.width, .height = reduced.height};
    uint8_t *samples = picture_draw(&drawn, (uint64_t)_i);
    uint8_t *pixels = spread(&reduced, samples);
    struct pdq_result found;
    struct pdq_result expected;

    ck_assert_uint_eq(pdq_reduction_max(reduced.width, reduced.height), reduced.reduction);
    for (int turn = 0; turn < ORIENTATION_COUNT; turn++) {
        hash_rows(&full, (enum orientation)turn, pixels, &expected);
        hash_rows(&reduced, (enum orientation)turn, samples, &found);
        check_result(orientation_name((enum orientation)turn), &found, &expected);
    }
    free(samples);
    free(pixels);
}
END_TEST

START_TEST(a_picture_that_is_reduced_too_far_is_refused)
{
    struct picture_shape shape = {.width = 3000, .height = 2945, .reduction = 3};
    struct pdq_stream *stream = NULL;

    ck_assert_int_eq(pdq_stream_create(&shape, PDQ_OVER_WHITE, CPU_PLAIN, &stream), 0);
    pdq_stream_free(stream);
    shape.height = 2944;
    ck_assert_int_eq(pdq_stream_create(&shape, PDQ_OVER_WHITE, CPU_PLAIN, &stream), -EINVAL);
    ck_assert_uint_eq(pdq_reduction_max(5, 100000), 0);
}
END_TEST

/* A flat picture of an odd colour: every bit of its hash is rounding, so any other order of sums shows. */
static void make_flat(const struct picture_shape *shape, uint8_t *samples)
{
    static const uint8_t colour[4] = {77, 151, 28, 200};
    size_t values = pixel_layout_bytes(shape->layout);

    for (size_t i = 0; i < raster_row_bytes(shape) * shape->height; i++)
        samples[i] = colour[i % values];
}

START_TEST(all_levels_give_the_same_bits)
{
    struct picture_shape shape = {.layout = (enum pixel_layout)(_i / 3)};
    enum pdq_backdrop backdrop = (enum pdq_backdrop)(_i % 3);
    struct pdq_result results[CPU_LEVEL_COUNT];
    uint64_t state = 99;

    for (uint64_t round = 0; round < 24; round++) {
        shape.width = PDQ_EDGE_MIN + 3U * random_byte(&state);
        shape.height = PDQ_EDGE_MIN + 3U * random_byte(&state);
        uint8_t *samples = picture_draw(&shape, round);
        if (round % 2 == 1)
            make_flat(&shape, samples);
        for (int level = CPU_PLAIN; level <= (int)cpu_detect(); level++) {
            picture_hash(&shape, backdrop, (enum cpu_level)level, samples, &results[level]);
            check_result(cpu_level_name((enum cpu_level)level), &results[level], &results[CPU_PLAIN]);
        }
        free(samples);
    }
}
END_TEST

/* Copies a picture into the layout with alpha, opaque or with the alpha that every pixel is given. */
static uint8_t *alpha_added(const struct picture_shape *shape, const uint8_t *samples, const uint8_t *alpha)
{
    size_t values = pixel_layout_bytes(shape->layout);
    size_t pixels = (size_t)shape->width * shape->height;
    uint8_t *with_alpha = malloc(pixels * (values + 1));

    ck_assert_ptr_nonnull(with_alpha);
    for (size_t i = 0; i < pixels; i++) {
        memcpy(with_alpha + i * (values + 1), samples + i * values, values);
        with_alpha[i * (values + 1) + values] = alpha == NULL ? 255 : alpha[i];
    }
    return with_alpha;
}

static struct picture_shape shape_with_alpha(struct picture_shape shape)
{
    shape.layout = shape.layout == PIXEL_GRAY ? PIXEL_GRAY_ALPHA : PIXEL_RGBA;
    return shape;
}

START_TEST(opaque_alpha_changes_no_bit)
{
    static const struct picture_shape shapes[] = {{.width = 301, .height = 203, .layout = PIXEL_GRAY},
                                                  {.width = 301, .height = 203, .layout = PIXEL_RGB},
                                                  {.width = 64, .height = 64, .layout = PIXEL_RGB},
                                                  {.width = 5, .height = 900, .layout = PIXEL_RGB}};
    struct pdq_result plain;
    struct pdq_result result;

    for (int i = 0; i < 8; i++) {
        struct picture_shape shape = shapes[i / 2];
        struct picture_shape alpha_shape = shape_with_alpha(shape);
        uint8_t *samples = picture_draw(&shape, 5);
        if (i % 2 == 1)
            make_flat(&shape, samples);
        uint8_t *opaque = alpha_added(&shape, samples, NULL);
        for (int level = CPU_PLAIN; level <= (int)cpu_detect(); level++) {
            picture_hash(&shape, PDQ_OVER_WHITE, (enum cpu_level)level, samples, &plain);
            for (int backdrop = PDQ_OVER_WHITE; backdrop <= PDQ_UNDER_ALPHA; backdrop++) {
                picture_hash(&alpha_shape, (enum pdq_backdrop)backdrop, (enum cpu_level)level, opaque,
                             &result);
                check_result("the same picture", &result, &plain);
            }
        }
        free(samples);
        free(opaque);
    }
}
END_TEST

START_TEST(alpha_mixes_the_pixel_with_the_backdrop)
{
    static const float backdrops[] = {[PDQ_OVER_WHITE] = 255, [PDQ_OVER_BLACK] = 0, [PDQ_UNDER_ALPHA] = -1};
    struct picture_shape shape = {.width = 301, .height = 203, .layout = _i ? PIXEL_RGBA : PIXEL_GRAY_ALPHA};
    uint8_t *samples = picture_draw(&shape, 21);
    struct pdq_result results[3];
    struct pdq_result expected;

    for (int i = 0; i < 3; i++) {
        picture_hash(&shape, (enum pdq_backdrop)i, cpu_detect(), samples, &results[i]);
        hash_by_twin(&shape, samples, backdrops[i], &expected);
        check_result("mixed", &results[i], &expected);
    }
    ck_assert_uint_gt(pdq_distance(&results[0].hashes[0], &results[1].hashes[0]), 31);
    ck_assert_uint_gt(pdq_distance(&results[0].hashes[0], &results[2].hashes[0]), 31);
    ck_assert_uint_gt(pdq_distance(&results[1].hashes[0], &results[2].hashes[0]), 31);
    free(samples);
}
END_TEST

START_TEST(a_picture_hidden_under_transparency_shows_under_alpha_only)
{
    struct picture_shape shape = {.width = 300, .height = 200, .layout = _i ? PIXEL_RGB : PIXEL_GRAY};
    struct picture_shape alpha_shape = shape_with_alpha(shape);
    uint8_t *samples = picture_draw(&shape, 8);
    uint8_t *clear = calloc(shape.width, shape.height);
    struct pdq_result plain;
    struct pdq_result result;

    ck_assert_ptr_nonnull(clear);
    uint8_t *hidden = alpha_added(&shape, samples, clear);
    picture_hash(&shape, PDQ_OVER_WHITE, CPU_PLAIN, samples, &plain);
    picture_hash(&alpha_shape, PDQ_UNDER_ALPHA, CPU_PLAIN, hidden, &result);
    check_result("the same picture", &result, &plain);
    picture_hash(&alpha_shape, PDQ_OVER_WHITE, CPU_PLAIN, hidden, &result);
    ck_assert_int_eq(result.quality, 0);
    picture_hash(&alpha_shape, PDQ_OVER_BLACK, CPU_PLAIN, hidden, &result);
    ck_assert_int_eq(result.quality, 0);
    free(samples);
    free(clear);
    free(hidden);
}
END_TEST

START_TEST(a_picture_in_the_alpha_alone_shows_over_white_and_black)
{
    struct picture_shape mask = {.width = 300, .height = 200, .layout = PIXEL_GRAY};
    struct picture_shape shape = {.width = 300, .height = 200, .layout = PIXEL_GRAY_ALPHA};
    uint8_t *alpha = picture_draw(&mask, 9);
    uint8_t *white = malloc((size_t)300 * 200);
    struct pdq_result plain;
    struct pdq_result result;

    ck_assert_ptr_nonnull(white);
    memset(white, 255, (size_t)300 * 200);
    uint8_t *samples = alpha_added(&mask, white, alpha);
    picture_hash(&mask, PDQ_OVER_WHITE, CPU_PLAIN, alpha, &plain);
    picture_hash(&shape, PDQ_OVER_BLACK, CPU_PLAIN, samples, &result);
    check_result("white seen through the mask, over black", &result, &plain);
    picture_hash(&shape, PDQ_OVER_WHITE, CPU_PLAIN, samples, &result);
    ck_assert_int_eq(result.quality, 0);
    free(alpha);
    free(white);
    free(samples);
}
END_TEST

static void hash_first_rows(const struct picture_shape *shape, const uint8_t *samples, uint32_t rows,
                            struct pdq_result *result)
{
    struct pdq_stream *stream = NULL;

    ck_assert_int_eq(pdq_stream_create(shape, PDQ_OVER_WHITE, cpu_detect(), &stream), 0);
    for (uint32_t y = 0; y < rows; y++)
        pdq_stream_add_row(stream, samples + (size_t)y * raster_row_bytes(shape));
    pdq_stream_finish(stream, result);
    pdq_stream_free(stream);
}

START_TEST(missing_rows_repeat_the_last_one)
{
    static const uint32_t heights[] = {5, 64, 100, 128, 300};
    struct picture_shape shape = {.width = 301, .height = heights[_i], .layout = PIXEL_RGB};
    size_t row = raster_row_bytes(&shape);
    uint8_t *samples = picture_draw(&shape, 3);
    uint8_t *filled = malloc(row * shape.height);
    struct pdq_result found;
    struct pdq_result expected;

    ck_assert_ptr_nonnull(filled);
    for (uint32_t rows = 1; rows <= shape.height; rows += 1 + rows / 8) {
        for (size_t y = 0; y < shape.height; y++)
            memcpy(filled + y * row, samples + (y < rows ? y : rows - 1) * row, row);
        hash_first_rows(&shape, samples, rows, &found);
        picture_hash(&shape, PDQ_OVER_WHITE, cpu_detect(), filled, &expected);
        check_result("the same picture", &found, &expected);
    }
    free(samples);
    free(filled);
}
END_TEST

START_TEST(without_a_row_there_is_no_quality)
{
    struct picture_shape shape = {.width = 300, .height = 200, .layout = PIXEL_RGB};
    struct pdq_result result;
    struct pdq_hash zero = {{0}};

    hash_first_rows(&shape, NULL, 0, &result);
    ck_assert_int_eq(result.quality, 0);
    for (int i = 0; i < ORIENTATION_COUNT; i++)
        ck_assert_mem_eq(&result.hashes[i], &zero, sizeof zero);
}
END_TEST

START_TEST(rows_past_the_height_are_ignored)
{
    struct picture_shape shape = {.width = 300, .height = 200, .layout = PIXEL_RGB};
    struct picture_shape taller = {.width = 300, .height = 210, .layout = PIXEL_RGB};
    uint8_t *samples = picture_draw(&taller, 4);
    struct pdq_result found;
    struct pdq_result expected;

    hash_first_rows(&shape, samples, 210, &found);
    hash_first_rows(&shape, samples, 200, &expected);
    check_result("the same picture", &found, &expected);
    free(samples);
}
END_TEST

START_TEST(edges_below_five_are_refused)
{
    static const float luma[36] = {0};
    struct pdq_result result;

    for (uint32_t edge = 0; edge <= 6; edge++) {
        int expected = edge < 5 ? -EINVAL : 0;
        for (int upright = 0; upright < 2; upright++) {
            struct picture_shape shape = {
                .width = upright ? 6 : edge, .height = upright ? edge : 6, .layout = PIXEL_GRAY};
            struct pdq_stream *stream = NULL;
            ck_assert_int_eq(pdq_stream_create(&shape, PDQ_OVER_WHITE, CPU_PLAIN, &stream), expected);
            ck_assert((stream == NULL) == (edge < 5));
            pdq_stream_free(stream);
            ck_assert_int_eq(pdq_hash_reference(luma, shape.width, shape.height, &result), expected);
        }
    }
}
END_TEST

START_TEST(a_frame_whose_size_overflows_is_out_of_memory)
{
    struct pdq_result result;

    ck_assert_int_eq(pdq_hash_reference(NULL, UINT32_MAX, UINT32_MAX, &result), -ENOMEM);
}
END_TEST

START_TEST(a_level_above_the_machine_s_is_a_bug)
{
    struct picture_shape shape = {.width = 300, .height = 200, .layout = PIXEL_RGB};
    struct pdq_stream *stream = NULL;

    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    pdq_stream_create(&shape, PDQ_OVER_WHITE, (enum cpu_level)(cpu_detect() + 1), &stream);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pdq");
    TCase *tests = tcase_create("pdq");

    tcase_add_test(tests, every_raster_gets_the_reference_s_hashes_at_every_level);
    tcase_add_test(tests, every_raster_gets_the_reference_s_hashes_from_the_twin);
    tcase_add_test(tests, a_drawing_keeps_its_hash);
    tcase_add_loop_test(tests, a_picture_that_comes_reduced_hashes_as_its_pixels, 0, 4);
    tcase_add_test(tests, a_picture_that_is_reduced_too_far_is_refused);
    tcase_add_loop_test(tests, the_stream_agrees_with_the_twin_on_pictures_of_any_shape, 0, EDGES);
    tcase_add_loop_test(tests, all_levels_give_the_same_bits, 0, 12);
    tcase_add_test(tests, opaque_alpha_changes_no_bit);
    tcase_add_loop_test(tests, alpha_mixes_the_pixel_with_the_backdrop, 0, 2);
    tcase_add_loop_test(tests, a_picture_hidden_under_transparency_shows_under_alpha_only, 0, 2);
    tcase_add_test(tests, a_picture_in_the_alpha_alone_shows_over_white_and_black);
    tcase_add_loop_test(tests, missing_rows_repeat_the_last_one, 0, 5);
    tcase_add_test(tests, without_a_row_there_is_no_quality);
    tcase_add_test(tests, rows_past_the_height_are_ignored);
    tcase_add_test(tests, edges_below_five_are_refused);
    tcase_add_test(tests, a_frame_whose_size_overflows_is_out_of_memory);
    tcase_add_test_raise_signal(tests, a_level_above_the_machine_s_is_a_bug, SIGABRT);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
