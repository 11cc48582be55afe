/* What an examination finds in a file that shows more than one picture. */
#include "prescreen/hash/pdq.h"

#include "decode_pictures.h"
#include "tap.h"
#include "worker/examine.h"

static const struct jpeg_wish scene = {.width = 400, .height = 300, .from = JCS_RGB, .to = JCS_YCbCr};
static const struct jpeg_wish other = {
    .width = 300, .height = 200, .from = JCS_RGB, .to = JCS_YCbCr, .shift = 99};

static struct examination examination;

static void examine(const struct made *made, uint32_t frames_max)
{
    struct examine_orders orders = {.codecs = &decode_codecs_plain,
                                    .limits = examine_limits_for(&decode_codecs_plain, made->size,
                                                                 (uint64_t)512 << 20, 100000000, frames_max),
                                    .deadline_us = UINT64_MAX,
                                    .cpu = cpu_choose()};

    memset(&examination, 0xa5, sizeof examination);
    examine_upload(made->data, made->size, &orders, &examination);
}

/* The hash of the picture alone. */
static struct pdq_hash hash_of(const struct made *made)
{
    examine(made, 500);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert_uint_ge(examination.view_count, 1);
    return examination.views[0].hashes[ORIENTATION_ORIGINAL];
}

static unsigned int distance_of_view(uint32_t index, const struct pdq_hash *hash)
{
    ck_assert_uint_lt(index, examination.view_count);
    return pdq_distance(&examination.views[index].hashes[ORIENTATION_ORIGINAL], hash);
}

START_TEST(a_picture_behind_another_has_its_views)
{
    struct made made = make_jpeg(scene);
    struct made hidden = make_jpeg(other);
    struct pdq_hash expected = hash_of(&hidden);

    made_append(&made, hidden.data, hidden.size);
    examine(&made, 500);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert_uint_eq(examination.frames, 2);
    ck_assert_uint_eq(examination.view_count, 2);
    ck_assert(examination.views[1].frame == 1 && examination.views[1].view == VIEW_MAIN);
    ck_assert_uint_eq(distance_of_view(1, &expected), 0);
    ck_assert_int_eq(examination.trailing, TRAILING_PICTURE);
    made_free(&made);
    made_free(&hidden);
}
END_TEST

START_TEST(pictures_past_the_limit_of_frames_are_left_out_and_said_to_be)
{
    struct made made = make_jpeg(scene);
    struct made hidden = make_jpeg(other);

    made_append(&made, hidden.data, hidden.size);
    for (uint32_t frames = 1; frames <= 3; frames++) {
        examine(&made, frames);
        ck_assert_uint_eq(examination.reasons, frames < 2 ? REASON_BIT(REASON_MEDIA_LIMIT_FRAMES) : 0);
        ck_assert_uint_eq(examination.view_count, frames < 2 ? 1 : 2);
        ck_assert_uint_eq(examination.frames, 2);
    }
    made_free(&made);
    made_free(&hidden);
}
END_TEST

START_TEST(a_thumbnail_of_another_picture_has_a_view)
{
    struct made made = make_jpeg(scene);
    struct made hidden = make_jpeg(other);
    struct pdq_hash expected = hash_of(&hidden);

    jpeg_add_exif(&made, 1, &hidden);
    examine(&made, 500);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert_uint_eq(examination.frames, 1);
    ck_assert_uint_eq(examination.view_count, 2);
    ck_assert(examination.views[1].frame == 0 && examination.views[1].view == VIEW_THUMBNAIL);
    ck_assert_uint_eq(distance_of_view(1, &expected), 0);
    made_free(&made);
    made_free(&hidden);
}
END_TEST

/* Shown both ways by a viewer that turns it: then there is a view of it as stored, too. */
START_TEST(a_thumbnail_of_its_own_picture_adds_nothing)
{
    struct made made = make_jpeg(scene);
    struct made copy = make_jpeg(scene);

    jpeg_add_exif(&made, (unsigned int)_i, &copy);
    examine(&made, 500);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert_uint_eq(examination.view_count, _i == 1 ? 1 : 2);
    for (uint32_t i = 0; i < examination.view_count; i++)
        ck_assert_uint_eq(examination.views[i].view, VIEW_MAIN);
    made_free(&made);
    made_free(&copy);
}
END_TEST

/* A listed picture's thumbnail, in the file of the second picture, is no copy of the first. */
START_TEST(a_thumbnail_is_compared_with_the_picture_that_it_is_of)
{
    struct made made = make_jpeg(scene);
    struct made second = make_jpeg(other);
    struct made thumbnail = make_jpeg(scene);

    jpeg_add_exif(&second, 1, &thumbnail);
    made_append(&made, second.data, second.size);
    examine(&made, 500);
    ck_assert_uint_eq(examination.view_count, 3);
    ck_assert(examination.views[2].view == VIEW_THUMBNAIL && examination.views[2].frame == 1);
    made_free(&made);
    made_free(&second);
    made_free(&thumbnail);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("examine_parts");
    TCase *tests = tcase_create("examine_parts");

    tcase_add_test(tests, a_picture_behind_another_has_its_views);
    tcase_add_test(tests, pictures_past_the_limit_of_frames_are_left_out_and_said_to_be);
    tcase_add_test(tests, a_thumbnail_of_another_picture_has_a_view);
    tcase_add_loop_test(tests, a_thumbnail_of_its_own_picture_adds_nothing, 1, 9);
    tcase_add_test(tests, a_thumbnail_is_compared_with_the_picture_that_it_is_of);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
