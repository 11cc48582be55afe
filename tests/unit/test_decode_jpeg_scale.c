#include "prescreen/decode/decode.h"
#include "prescreen/hash/pdq.h"

#include "decode/jpeg_scans.h"
#include "decode_pictures.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 3001, HEIGHT = 2947 };

/* A picture as it was delivered. */
struct delivery {
    bool reduces;
    struct picture_shape shape;
    uint8_t *samples;
    uint32_t rows;
    struct decode_report report;
};

static unsigned int reduce_for_pdq(void *context, uint32_t width, uint32_t height)
{
    (void)context;
    return pdq_reduction_max(width, height);
}

static int begin(void *context, const struct picture_shape *shape)
{
    struct delivery *delivery = context;

    delivery->shape = *shape;
    ck_assert_int_eq(shape->layout, PIXEL_GRAY);
    delivery->samples = calloc(picture_shape_rows(shape), picture_shape_columns(shape));
    return delivery->samples == NULL ? -ENOMEM : 0;
}

static int take(void *context, const uint8_t *samples)
{
    struct delivery *delivery = context;
    size_t columns = picture_shape_columns(&delivery->shape);

    ck_assert_uint_lt(delivery->rows, picture_shape_rows(&delivery->shape));
    memcpy(delivery->samples + delivery->rows++ * columns, samples, columns);
    return 0;
}

static const struct decode_limits roomy = {
    .pixels = 50000000, .edge = 16384, .scans = 100, .memory_bytes = (uint64_t)512 << 20};

static struct delivery deliver(const uint8_t *data, size_t size, bool reduces)
{
    struct delivery delivery = {.reduces = reduces};
    const struct row_sink sink = {
        .context = &delivery, .begin = begin, .row = take, .reduction = reduces ? reduce_for_pdq : NULL};

    ck_assert_int_eq(decode_picture(&decode_codecs_plain, data, size, &roomy, &sink, &delivery.report), 0);
    return delivery;
}

/* How far the samples of a reduced picture are from the means of the pixels, at most. */
static int worst_difference(const struct delivery *full, const struct delivery *reduced)
{
    unsigned int shift = reduced->shape.reduction;
    size_t columns = picture_shape_columns(&reduced->shape);
    int worst = 0;

    for (size_t y = 0; y + 1 < reduced->rows; y++) {
        for (size_t x = 0; x + 1 < columns; x++) {
            unsigned int sum = 0;
            for (size_t i = 0; i < (size_t)1 << (2 * shift); i++)
                sum += full->samples[((y << shift) + (i >> shift)) * full->shape.width + (x << shift) +
                                     (i & ((1U << shift) - 1))];
            int difference = (int)(sum >> (2 * shift)) - reduced->samples[y * columns + x];
            worst = abs(difference) > worst ? abs(difference) : worst;
        }
    }
    return worst;
}

/* shift makes another picture. */
static struct made make_large(bool progressive, bool arithmetic, uint32_t shift)
{
    return make_jpeg((struct jpeg_wish){.width = WIDTH,
                                        .height = HEIGHT,
                                        .from = JCS_RGB,
                                        .to = JCS_YCbCr,
                                        .luma_sampling = 2,
                                        .progressive = progressive,
                                        .arithmetic = arithmetic,
                                        .detailed = progressive,
                                        .shift = shift});
}

START_TEST(a_large_picture_comes_as_the_means_of_its_blocks)
{
    struct made made = make_large((_i & 1) != 0, (_i & 2) != 0, 0);
    struct delivery full = deliver(made.data, made.size, false);
    struct delivery reduced = deliver(made.data, made.size, true);

    ck_assert_uint_eq(full.report.reasons | reduced.report.reasons, 0);
    ck_assert_uint_eq(full.shape.reduction, 0);
    ck_assert_uint_eq(reduced.shape.reduction, 3);
    ck_assert(reduced.shape.width == WIDTH && reduced.shape.height == HEIGHT);
    ck_assert_uint_eq(reduced.rows, (HEIGHT + 7) / 8);
    ck_assert_int_le(worst_difference(&full, &reduced), 2);
    free(full.samples);
    free(reduced.samples);
    made_free(&made);
}
END_TEST

START_TEST(a_smaller_picture_is_reduced_less)
{
    struct made made =
        make_jpeg((struct jpeg_wish){.width = 900, .height = 700, .from = JCS_RGB, .to = JCS_YCbCr});
    struct delivery full = deliver(made.data, made.size, false);
    struct delivery reduced = deliver(made.data, made.size, true);

    ck_assert_uint_eq(reduced.shape.reduction, 1);
    ck_assert_uint_eq(reduced.rows, 350);
    ck_assert_int_le(worst_difference(&full, &reduced), 4);
    free(full.samples);
    free(reduced.samples);
    made_free(&made);
}
END_TEST

/* Where the number-th scan with these first and last coefficients has its data. */
static size_t find_scan(const struct made *made, uint8_t first, unsigned int number)
{
    for (unsigned int i = 0;; i++) {
        size_t at = jpeg_find(made, 0xda, i);
        ck_assert_uint_ne(at, SIZE_MAX);
        size_t length = (size_t)made->data[at + 2] << 8 | made->data[at + 3];
        if (made->data[at + 2 + length - 3] == first && number-- == 0)
            return at + 2 + length;
    }
}

START_TEST(details_of_a_progressive_picture_are_not_looked_at)
{
    struct made made = make_large(true, false, 0);
    struct delivery sound = deliver(made.data, made.size, true);
    size_t details = find_scan(&made, 1, 0);

    for (size_t i = 100; i < 600; i++) { /* the scan stays one */
        if (made.data[details + i] != 0xff && made.data[details + i] != 0)
            made.data[details + i] = 0x55;
    }
    struct delivery full = deliver(made.data, made.size, false);
    struct delivery reduced = deliver(made.data, made.size, true);
    ck_assert_uint_eq(full.report.reasons, REASON_BIT(REASON_MEDIA_CORRUPT));
    ck_assert_uint_eq(reduced.report.reasons, 0);
    ck_assert_mem_eq(reduced.samples, sound.samples, (size_t)376 * 369);
    free(full.samples);
    free(reduced.samples);
    free(sound.samples);
    made_free(&made);
}
END_TEST

START_TEST(a_progressive_picture_without_its_end_is_corrupt_at_any_scale)
{
    struct made made = make_large(true, false, 0);
    struct delivery reduced = deliver(made.data, made.size * 3 / 4, true);

    ck_assert_uint_eq(reduced.report.reasons, REASON_BIT(REASON_MEDIA_CORRUPT));
    ck_assert_uint_eq(reduced.shape.reduction, 3);
    ck_assert_uint_gt(reduced.rows, 0);
    free(reduced.samples);
    made_free(&made);
}
END_TEST

/* Puts the first scan of means of another picture, with its Huffman tables, behind the scans of the first. */
static void paint_over(struct made *made, const struct made *other)
{
    size_t tables = jpeg_find(other, 0xc4, 0);
    size_t end = find_scan(other, 0, 0);

    while (other->data[end] != 0xff || other->data[end + 1] == 0)
        end++;
    made_insert(made, made->size - 2, other->data + tables, end - tables);
}

START_TEST(a_scan_that_paints_over_the_first_is_seen)
{
    struct made made = make_large(true, false, 0);
    struct made other = make_large(true, false, 9);
    struct jpeg_pieces pieces;

    ck_assert(jpeg_scans_find_means(made.data, made.size, 0, &pieces));
    struct delivery before = deliver(made.data, made.size, true);
    paint_over(&made, &other);
    ck_assert(!jpeg_scans_find_means(made.data, made.size, 0, &pieces));
    struct delivery full = deliver(made.data, made.size, false);
    struct delivery reduced = deliver(made.data, made.size, true);
    ck_assert_int_gt(worst_difference(&full, &before), 50);  /* the test has something to see */
    ck_assert_int_le(worst_difference(&full, &reduced), 40); /* clipped where the two pictures meet */
    free(before.samples);
    free(full.samples);
    free(reduced.samples);
    made_free(&made);
    made_free(&other);
}
END_TEST

static size_t pieces_size(const struct jpeg_pieces *pieces)
{
    size_t size = 0;

    for (unsigned int i = 0; i < pieces->count; i++)
        size += pieces->piece[i].size;
    return size;
}

START_TEST(means_are_found_without_the_scans_of_details)
{
    struct made made = make_large(true, false, 0);
    struct jpeg_pieces all;
    struct jpeg_pieces coarse;

    ck_assert(jpeg_scans_find_means(made.data, made.size, 0, &all));
    ck_assert(jpeg_scans_find_means(made.data, made.size, 1, &coarse));
    ck_assert_uint_lt(pieces_size(&all), made.size * 3 / 4);
    ck_assert_uint_lt(pieces_size(&coarse), pieces_size(&all));
    ck_assert_ptr_eq(all.piece[0].start, made.data);
    const uint8_t *end = all.piece[all.count - 1].start + all.piece[all.count - 1].size;
    ck_assert_ptr_eq(end, made.data + made.size);
    made_free(&made);
}
END_TEST

START_TEST(anything_out_of_the_ordinary_is_left_to_a_decoder_of_all_scans)
{
    static const struct {
        uint8_t marker; /* the segment that is changed, */
        size_t at;      /* the byte after its marker, */
        uint8_t value;
    } changes[] = {
        {0xc2, 7, 5},     /* five components */
        {0xc2, 11, 1},    /* two components of one name */
        {0xda, 2, 0},     /* a scan of no component */
        {0xda, 2, 9},     /* of more than there are */
        {0xda, 3, 77},    /* of one that there is not */
        {0xda, 10, 63},   /* means and details at once */
        {0xda, 11, 0x31}, /* a first scan that refines by two bits */
        {0xc4, 0, 0xff},  /* a segment longer than the file */
    };
    struct made made = make_large(true, false, 0);
    struct jpeg_pieces pieces;
    size_t at = jpeg_find(&made, changes[_i].marker, 0);

    made.data[at + 2 + changes[_i].at] = changes[_i].value;
    ck_assert(!jpeg_scans_find_means(made.data, made.size, 0, &pieces));
    made_free(&made);
}
END_TEST

START_TEST(a_file_cut_anywhere_is_not_taken_for_whole)
{
    struct made made = make_jpeg(
        (struct jpeg_wish){.width = 64, .height = 48, .from = JCS_RGB, .to = JCS_YCbCr, .progressive = true});
    struct jpeg_pieces pieces;

    ck_assert(jpeg_scans_find_means(made.data, made.size, 0, &pieces));
    for (size_t size = 0; size < made.size; size++) {
        uint8_t *copy = malloc(size + 1); /* a read past its end is seen */
        memcpy(copy, made.data, size);
        ck_assert(!jpeg_scans_find_means(copy, size, 0, &pieces));
        free(copy);
    }
    made_free(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode_jpeg_scale");
    TCase *tests = tcase_create("decode_jpeg_scale");

    tcase_add_loop_test(tests, a_large_picture_comes_as_the_means_of_its_blocks, 0, 4);
    tcase_add_test(tests, a_smaller_picture_is_reduced_less);
    tcase_add_test(tests, details_of_a_progressive_picture_are_not_looked_at);
    tcase_add_test(tests, a_progressive_picture_without_its_end_is_corrupt_at_any_scale);
    tcase_add_test(tests, a_scan_that_paints_over_the_first_is_seen);
    tcase_add_test(tests, means_are_found_without_the_scans_of_details);
    tcase_add_loop_test(tests, anything_out_of_the_ordinary_is_left_to_a_decoder_of_all_scans, 0, 8);
    tcase_add_test(tests, a_file_cut_anywhere_is_not_taken_for_whole);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
