#include "prescreen/hash/pdq.h"

#include "drawn_png.h"
#include "tap.h"
#include "worker/examine.h"
#include "worker/selftest.h"
#include "worker/slow_way.h"

#include <errno.h>

#define MIB ((uint64_t)1 << 20)

static struct examination examination;

/* What the slow way finds for the drawing as a PNG. */
static struct pdq_result slow_result(const struct drawing *drawing)
{
    struct drawn_file file = draw_png(drawing);
    struct examine_limits limits =
        examine_limits_for(&decode_codecs_plain, file.size, 512 * MIB, 100000000, 500);
    struct pdq_result result;

    ck_assert_int_eq(slow_way_hash(&decode_codecs_plain, file.data, file.size, &limits.decode, &result), 0);
    free(file.data);
    return result;
}

static void examine_with(const struct drawn_file *file, uint64_t memory_bytes, uint64_t pixels_max)
{
    struct examine_orders orders = {
        .codecs = &decode_codecs_plain,
        .limits = examine_limits_for(&decode_codecs_plain, file->size, memory_bytes, pixels_max, 500),
        .deadline_us = UINT64_MAX,
        .cpu = cpu_choose()};

    memset(&examination, 0xa5, sizeof examination);
    examine_upload(file->data, file->size, &orders, &examination);
}

/* Examines the drawing as a PNG. */
static void examine(const struct drawing *drawing)
{
    struct drawn_file file = draw_png(drawing);

    examine_with(&file, 512 * MIB, 100000000);
    free(file.data);
}

/* The hashes of grey rows, straight from PDQ. */
static struct pdq_result hash_of(uint32_t width, uint32_t height,
                                 uint8_t (*luma)(uint32_t x, uint32_t y, uint32_t width, uint32_t height))
{
    struct picture_shape shape = {.width = width, .height = height, .layout = PIXEL_GRAY};
    struct pdq_stream *stream = NULL;
    struct pdq_result result;
    uint8_t *row = malloc(width);

    ck_assert_int_eq(pdq_stream_create(&shape, PDQ_OVER_WHITE, cpu_choose(), &stream), 0);
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++)
            row[x] = luma(x, y, width, height);
        pdq_stream_add_row(stream, row);
    }
    pdq_stream_finish(stream, &result);
    pdq_stream_free(stream);
    free(row);
    return result;
}

static void check_view(uint32_t index, enum view view, const struct pdq_result *expected)
{
    const struct examined_view *found = &examination.views[index];

    ck_assert_uint_gt(examination.view_count, index);
    ck_assert_uint_eq(found->view, view);
    ck_assert_uint_eq(found->frame, 0);
    ck_assert_uint_eq(found->unused, 0);
    ck_assert_uint_eq(found->quality, (unsigned int)expected->quality);
    for (int o = 0; o < ORIENTATION_COUNT; o++)
        ck_assert_uint_eq(pdq_distance(&found->hashes[o], &expected->hashes[o]), 0);
}

START_TEST(an_opaque_picture_has_its_one_hash)
{
    struct drawing drawing = {
        .width = 320, .height = 200, .layout = (enum pixel_layout)_i, .draw = draw_scene};
    struct pdq_result expected = hash_of(320, 200, drawn_scene);

    examine(&drawing);
    ck_assert_int_eq(examination.format, FORMAT_PNG);
    ck_assert(examination.width == 320 && examination.height == 200 && examination.frames == 1);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert_uint_eq(examination.decode_us, 0);
    ck_assert_str_eq(examination.detail, "");
    ck_assert_uint_eq(examination.view_count, 1);
    ck_assert_uint_gt(examination.views[0].quality, 50);
    check_view(0, VIEW_MAIN, &expected);
}
END_TEST

static uint8_t white(uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    (void)x;
    (void)y;
    (void)width;
    (void)height;
    return 255;
}

/* A picture that nobody sees: the scene under full transparency. */
static void draw_hidden(const struct drawing *drawing, uint32_t y, uint8_t *row)
{
    unsigned int bytes = pixel_layout_bytes(drawing->layout);

    draw_scene(drawing, y, row);
    for (uint32_t x = 0; x < drawing->width; x++)
        row[(size_t)x * bytes + bytes - 1] = 0;
}

START_TEST(a_picture_hidden_under_transparency_is_seen)
{
    struct drawing drawing = {
        .width = 320, .height = 200, .layout = _i == 0 ? PIXEL_RGBA : PIXEL_GRAY_ALPHA, .draw = draw_hidden};
    struct pdq_result scene = hash_of(320, 200, drawn_scene);
    struct pdq_result blank = hash_of(320, 200, white);

    examine(&drawing);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert_uint_ge(examination.view_count, 2);
    ck_assert_uint_eq(examination.views[0].view, VIEW_MAIN);
    ck_assert_uint_eq(examination.views[0].quality, (unsigned int)blank.quality);
    check_view(1, VIEW_UNDER_ALPHA, &scene);
}
END_TEST

static uint8_t backwards(uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    return drawn_scene(width - 1 - x, y, width, height);
}

/* The colours are all black; alpha paints the scene, so it shows over white (as its negative) and not under
 * alpha. */
static void draw_silhouette(const struct drawing *drawing, uint32_t y, uint8_t *row)
{
    for (uint32_t x = 0; x < drawing->width; x++) {
        row[2 * x] = 0;
        row[2 * x + 1] = (uint8_t)(255 - drawn_scene(x, y, drawing->width, drawing->height));
    }
}

START_TEST(a_picture_painted_by_alpha_alone_is_seen)
{
    struct drawing drawing = {
        .width = 320, .height = 200, .layout = PIXEL_GRAY_ALPHA, .draw = draw_silhouette};
    struct pdq_result scene = hash_of(320, 200, drawn_scene);

    examine(&drawing);
    check_view(0, VIEW_MAIN, &scene);
    ck_assert_uint_ge(examination.view_count, 2);
    ck_assert_uint_eq(examination.views[1].view, VIEW_UNDER_ALPHA);
    ck_assert_uint_eq(examination.views[1].quality, 0);
}
END_TEST

/* The scene stored so that a viewer which applies the orientation shows it upright. Source: Exif 2.32, tag
 * 0x0112: where the first row and the first column of the stored picture are in the picture as shown. */
static void draw_stored(const struct drawing *drawing, uint32_t row_index, uint8_t *row)
{
    bool turned = drawing->exif >= 5;
    uint32_t width = turned ? drawing->height : drawing->width; /* as shown */
    uint32_t height = turned ? drawing->width : drawing->height;
    bool row_is_right = drawing->exif == 6 || drawing->exif == 7;
    bool row_is_bottom = drawing->exif == 3 || drawing->exif == 4;
    bool column_is_right = drawing->exif == 2 || drawing->exif == 3;
    bool column_is_bottom = drawing->exif == 7 || drawing->exif == 8;

    for (uint32_t i = 0; i < drawing->width; i++) {
        uint32_t across = turned ? row_index : i;
        uint32_t down = turned ? i : row_index;
        uint32_t x = row_is_right || column_is_right ? width - 1 - across : across;
        uint32_t y = row_is_bottom || column_is_bottom ? height - 1 - down : down;
        row[i] = drawn_scene(x, y, width, height);
    }
}

START_TEST(exif_orientation_is_applied_to_size_and_hashes)
{
    unsigned int exif = (unsigned int)_i;
    struct drawing drawing = {.width = exif >= 5 ? 800 : 1280,
                              .height = exif >= 5 ? 1280 : 800,
                              .layout = PIXEL_GRAY,
                              .exif = exif,
                              .draw = draw_stored};
    struct pdq_result upright = hash_of(1280, 800, drawn_scene);
    struct pdq_result mirrored = hash_of(1280, 800, backwards);

    ck_assert_uint_gt(pdq_distance(&upright.hashes[0], &mirrored.hashes[0]), 60);
    examine(&drawing);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert(examination.width == 1280 && examination.height == 800);
    for (int o = 0; o < ORIENTATION_COUNT; o++)
        ck_assert_uint_eq(pdq_distance(&examination.views[0].hashes[o], &upright.hashes[o]), 0);
    struct pdq_result slow = slow_result(&drawing);
    ck_assert_uint_eq(pdq_distance(&slow.hashes[0], &upright.hashes[0]), 0);
    /* A turned picture is also hashed as stored: decimation takes other samples from the other end. */
    ck_assert_uint_eq(examination.view_count, exif == 1 ? 1 : 2);
    for (int o = 0; exif != 1 && o < ORIENTATION_COUNT; o++) {
        ck_assert_uint_eq(examination.views[1].view, VIEW_MAIN);
        ck_assert_uint_le(pdq_distance(&examination.views[1].hashes[o], &upright.hashes[o]), 16);
    }
}
END_TEST

START_TEST(the_slow_way_finds_the_same_in_every_layout)
{
    struct drawing drawing = {
        .width = 320, .height = 200, .layout = (enum pixel_layout)_i, .draw = draw_scene};

    examine(&drawing);
    struct pdq_result slow = slow_result(&drawing);
    for (int o = 0; o < ORIENTATION_COUNT; o++)
        ck_assert_uint_eq(pdq_distance(&examination.views[0].hashes[o], &slow.hashes[o]), 0);
    ck_assert_int_eq(slow.quality, (int)examination.views[0].quality);
}
END_TEST

START_TEST(the_slow_way_finds_what_shows_over_white)
{
    struct drawing drawing = {
        .width = 320, .height = 200, .layout = PIXEL_GRAY_ALPHA, .draw = draw_silhouette};
    struct pdq_result scene = hash_of(320, 200, drawn_scene);
    struct pdq_result slow = slow_result(&drawing);

    ck_assert_uint_eq(pdq_distance(&slow.hashes[0], &scene.hashes[0]), 0);
}
END_TEST

START_TEST(the_slow_way_refuses_what_is_cut_small_or_no_picture)
{
    struct drawing drawing = {.width = 320, .height = 200, .layout = PIXEL_RGB, .draw = draw_scene};
    struct drawn_file file = draw_png(&drawing);
    struct examine_limits limits =
        examine_limits_for(&decode_codecs_plain, file.size, 512 * MIB, 100000000, 500);
    struct pdq_result result;

    ck_assert_int_eq(slow_way_hash(&decode_codecs_plain, file.data, file.size / 2, &limits.decode, &result),
                     -EINVAL);
    ck_assert_int_eq(slow_way_hash(&decode_codecs_plain, file.data, 5, &limits.decode, &result), -EINVAL);
    free(file.data);
    drawing.width = 4;
    file = draw_png(&drawing);
    ck_assert_int_eq(slow_way_hash(&decode_codecs_plain, file.data, file.size, &limits.decode, &result),
                     -EINVAL);
    free(file.data);
}
END_TEST

START_TEST(a_picture_below_five_pixels_has_no_hash_and_is_complete)
{
    static const struct {
        uint32_t width, height, views;
    } sizes[] = {{4, 100, 0}, {100, 4, 0}, {1, 1, 0}, {5, 5, 1}, {5, 100, 1}};
    struct drawing drawing = {
        .width = sizes[_i].width, .height = sizes[_i].height, .layout = PIXEL_RGB, .draw = draw_scene};

    examine(&drawing);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert_uint_eq(examination.view_count, sizes[_i].views);
    ck_assert(examination.width == sizes[_i].width && examination.height == sizes[_i].height);
}
END_TEST

START_TEST(what_came_of_a_truncated_picture_is_hashed)
{
    struct drawing drawing = {.width = 320, .height = 200, .layout = PIXEL_GRAY, .draw = draw_scene};
    struct pdq_result whole = hash_of(320, 200, drawn_scene);
    struct drawn_file file = draw_png(&drawing);

    file.size = file.size * 95 / 100;
    examine_with(&file, 512 * MIB, 100000000);
    ck_assert_uint_eq(examination.reasons, REASON_BIT(REASON_MEDIA_CORRUPT));
    ck_assert_uint_eq(examination.view_count, 1);
    ck_assert_uint_le(pdq_distance(&examination.views[0].hashes[0], &whole.hashes[0]), 31);
    file.size = 40; /* the header alone */
    examine_with(&file, 512 * MIB, 100000000);
    ck_assert_uint_eq(examination.reasons, REASON_BIT(REASON_MEDIA_CORRUPT));
    ck_assert_uint_eq(examination.view_count, 0);
    free(file.data);
}
END_TEST

START_TEST(pixels_are_held_to_their_limit)
{
    struct drawing drawing = {.width = 320, .height = 200, .layout = PIXEL_GRAY, .draw = draw_scene};
    struct drawn_file file = draw_png(&drawing);

    for (uint64_t pixels = 63999; pixels <= 64001; pixels++) {
        examine_with(&file, 512 * MIB, pixels);
        ck_assert_uint_eq(examination.reasons, pixels < 64000 ? REASON_BIT(REASON_MEDIA_LIMIT_PIXELS) : 0);
        ck_assert_uint_eq(examination.view_count, pixels < 64000 ? 0 : 1);
    }
    free(file.data);
}
END_TEST

START_TEST(an_edge_is_held_to_its_limit)
{
    for (uint32_t edge = 32767; edge <= 32769; edge++) {
        struct drawing drawing = {.width = 8, .height = edge, .layout = PIXEL_GRAY, .draw = draw_bands};
        examine(&drawing);
        ck_assert_uint_eq(examination.reasons, edge > 32768 ? REASON_BIT(REASON_MEDIA_LIMIT_PIXELS) : 0);
    }
}
END_TEST

START_TEST(past_the_deadline_nothing_more_is_looked_at)
{
    struct drawing drawing = {.width = 320, .height = 200, .layout = PIXEL_GRAY, .draw = draw_scene};
    struct drawn_file file = draw_png(&drawing);
    struct examine_orders orders = {
        .codecs = &decode_codecs_plain,
        .limits = examine_limits_for(&decode_codecs_plain, file.size, 512 * MIB, 100000000, 500),
        .deadline_us = 1,
        .cpu = cpu_choose()};

    examine_upload(file.data, file.size, &orders, &examination);
    ck_assert_uint_eq(examination.reasons, REASON_BIT(REASON_MEDIA_LIMIT_TIME));
    ck_assert_uint_eq(examination.view_count, 0);
    free(file.data);
}
END_TEST

START_TEST(no_memory_beside_program_and_upload_is_no_memory)
{
    struct examine_limits limits = examine_limits_for(&decode_codecs_plain, 10 * MIB, 512 * MIB, 1, 1);

    ck_assert_uint_eq(limits.decode.memory_bytes, (512 - 10 - 40) * MIB);
    limits = examine_limits_for(&decode_codecs_plain, 500 * MIB, 512 * MIB, 1, 1);
    ck_assert_uint_eq(limits.decode.memory_bytes, 0);
    limits = examine_limits_for(&decode_codecs_plain, UINT64_MAX, UINT64_MAX, 1, 1);
    ck_assert_uint_eq(limits.decode.memory_bytes, 0);

    struct drawing drawing = {
        .width = 640, .height = 480, .layout = PIXEL_RGBA, .interlaced = true, .draw = draw_scene};
    struct drawn_file file = draw_png(&drawing);
    examine_with(&file, 40 * MIB + file.size + 1000, 100000000);
    ck_assert_uint_eq(examination.reasons, REASON_BIT(REASON_MEDIA_LIMIT_MEMORY));
    ck_assert_uint_eq(examination.view_count, 0);
    examine_with(&file, 512 * MIB, 100000000);
    ck_assert_uint_eq(examination.reasons, 0);
    free(file.data);
}
END_TEST

START_TEST(the_self_test_passes_at_every_cpu_level_and_not_without_memory)
{
    for (int level = CPU_PLAIN; level <= (int)cpu_detect(); level++)
        ck_assert(selftest_passes(&decode_codecs_plain, 512 * MIB, (enum cpu_level)level, &examination));
    ck_assert(!selftest_passes(&decode_codecs_plain, 1, CPU_PLAIN, &examination));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("examine");
    TCase *tests = tcase_create("examine");

    tcase_add_loop_test(tests, an_opaque_picture_has_its_one_hash, PIXEL_GRAY, PIXEL_RGBA + 1);
    tcase_add_loop_test(tests, a_picture_hidden_under_transparency_is_seen, 0, 2);
    tcase_add_test(tests, a_picture_painted_by_alpha_alone_is_seen);
    tcase_add_loop_test(tests, exif_orientation_is_applied_to_size_and_hashes, 1, 9);
    tcase_add_loop_test(tests, the_slow_way_finds_the_same_in_every_layout, PIXEL_GRAY, PIXEL_RGBA + 1);
    tcase_add_test(tests, the_slow_way_finds_what_shows_over_white);
    tcase_add_test(tests, the_slow_way_refuses_what_is_cut_small_or_no_picture);
    tcase_add_loop_test(tests, a_picture_below_five_pixels_has_no_hash_and_is_complete, 0, 5);
    tcase_add_test(tests, what_came_of_a_truncated_picture_is_hashed);
    tcase_add_test(tests, pixels_are_held_to_their_limit);
    tcase_add_test(tests, an_edge_is_held_to_its_limit);
    tcase_add_test(tests, past_the_deadline_nothing_more_is_looked_at);
    tcase_add_test(tests, no_memory_beside_program_and_upload_is_no_memory);
    tcase_add_test(tests, the_self_test_passes_at_every_cpu_level_and_not_without_memory);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
