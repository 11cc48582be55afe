#include "prescreen/hash/pdq.h"

#include "hash/pdq_axis.h"
#include "tap.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Every length up to some hundred, and those around what the arithmetic turns on. */
static const uint32_t lengths[] = {1023, 1024, 1025, 1300, 3000, 4000, 5119, 5120, 5121, 32768, 100001};

/* Row i by definition: the mean over the window at its pixel of the means over the windows there. */
static void row_by_definition(uint32_t i, uint32_t length, double *weights)
{
    struct pdq_window outer = pdq_window_at(pdq_grid_pixel(i, length), length);

    memset(weights, 0, length * sizeof *weights);
    for (uint32_t j = outer.first; j <= outer.last; j++) {
        struct pdq_window inner = pdq_window_at(j, length);
        for (uint32_t k = inner.first; k <= inner.last; k++)
            weights[k] += 1.0 / pdq_window_count(inner) / pdq_window_count(outer);
    }
}

static void check_rows(const struct pdq_axis *axis, uint32_t length, bool is_reversed)
{
    double *defined = calloc(length, sizeof *defined);

    ck_assert_ptr_nonnull(defined);
    for (uint32_t i = 0; i < PDQ_GRID; i++) {
        const struct pdq_taps *taps = &axis->rows[i];
        row_by_definition(is_reversed ? PDQ_GRID - 1 - i : i, length, defined);
        ck_assert_uint_le((uint64_t)taps->first + taps->count, length);
        double worst = 0;
        for (uint32_t k = 0; k < length; k++) {
            double expected = defined[is_reversed ? length - 1 - k : k];
            bool is_inside = k >= taps->first && k - taps->first < taps->count;
            double found = is_inside ? (double)taps->weights[k - taps->first] / taps->sum : 0;
            worst = fmax(worst, fabs(found - expected));
        }
        ck_assert_msg(worst <= 1e-13, "length %u row %u: off by %g", length, i, worst);
    }
    free(defined);
}

/* What lets a stream keep two bands open and close them in order, and sum without rounding. */
static void check_order(const struct pdq_axis *axis, uint32_t length)
{
    for (uint32_t i = 0; i < PDQ_GRID; i++) {
        const struct pdq_taps *taps = &axis->rows[i];
        double sum = 0;
        bool is_whole = true;
        for (uint32_t k = 0; k < taps->count; k++) {
            is_whole = is_whole && taps->weights[k] > 0 && taps->weights[k] == rintf(taps->weights[k]);
            sum += (double)taps->weights[k];
        }
        ck_assert(is_whole);
        ck_assert(sum == taps->sum);
        ck_assert(length > 5120 || sum * 255 <= 16777216);
        if (i > 0) {
            ck_assert_uint_ge(taps->first, taps[-1].first);
            ck_assert_uint_ge(taps->first + taps->count, taps[-1].first + taps[-1].count);
        }
        if (i > 1 && taps->count > 1)
            ck_assert_uint_ge(taps->first, taps[-2].first + taps[-2].count);
        if (i > 0 && taps->first == taps[-1].first)
            ck_assert_uint_eq(taps->count, 1);
    }
}

static void check_length(uint32_t length)
{
    struct pdq_axis axis;

    ck_assert_int_eq(pdq_axis_init(&axis, length), 0);
    check_order(&axis, length);
    check_rows(&axis, length, false);
    pdq_axis_reverse(&axis);
    check_order(&axis, length);
    check_rows(&axis, length, true);
    pdq_axis_clear(&axis);
}

START_TEST(the_matrix_is_two_box_filters_and_a_decimation)
{
    for (uint32_t length = PDQ_EDGE_MIN; length <= 700; length++)
        check_length(length);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        check_length(lengths[i]);
}
END_TEST

/* A sample weighs what its pixels weigh, from either end. */
static void check_reduced(const struct pdq_axis *full, const struct pdq_axis *reduced, unsigned int reduction)
{
    uint32_t samples = (full->length - 1) / (1U << reduction) + 1;
    double *weights = calloc(samples, sizeof *weights);

    ck_assert_ptr_nonnull(weights);
    for (uint32_t i = 0; i < PDQ_GRID; i++) {
        const struct pdq_taps *taps = &reduced->rows[i];
        memset(weights, 0, samples * sizeof *weights);
        for (uint32_t k = 0; k < full->rows[i].count; k++)
            weights[(full->rows[i].first + k) >> reduction] += (double)full->rows[i].weights[k];
        ck_assert_uint_le((uint64_t)taps->first + taps->count, samples);
        ck_assert(taps->sum == full->rows[i].sum);
        bool is_right = true;
        for (uint32_t k = 0; k < samples; k++) {
            bool is_inside = k >= taps->first && k - taps->first < taps->count;
            is_right = is_right && weights[k] == (is_inside ? (double)taps->weights[k - taps->first] : 0);
        }
        ck_assert(is_right);
        /* What lets a stream keep two bands open. */
        if (i > 1)
            ck_assert_uint_ge(taps->first, taps[-2].first + taps[-2].count);
    }
    free(weights);
}

START_TEST(a_reduced_sample_weighs_what_its_pixels_weigh)
{
    for (uint32_t length = 641; length < 5000; length += length < 3100 ? 19 : 197) {
        for (unsigned int reduction = 1; pdq_axis_may_reduce(length, reduction); reduction++) {
            struct pdq_axis full;
            struct pdq_axis reduced;
            ck_assert_int_eq(pdq_axis_init(&full, length), 0);
            ck_assert_int_eq(pdq_axis_init_reduced(&reduced, &full, reduction), 0);
            check_reduced(&full, &reduced, reduction);
            pdq_axis_reverse(&full);
            pdq_axis_reduce(&reduced, &full, reduction);
            check_reduced(&full, &reduced, reduction);
            pdq_axis_clear(&reduced);
            pdq_axis_clear(&full);
        }
    }
}
END_TEST

START_TEST(a_window_keeps_three_samples_or_is_not_reduced)
{
    struct pdq_axis full;
    struct pdq_axis reduced;

    ck_assert(pdq_axis_may_reduce(1, 0));
    ck_assert(!pdq_axis_may_reduce(640, 1)); /* 5 pixels wide */
    ck_assert(pdq_axis_may_reduce(641, 1));  /* 6 */
    ck_assert(!pdq_axis_may_reduce(2944, 3));
    ck_assert(pdq_axis_may_reduce(2945, 3));
    ck_assert_int_eq(pdq_axis_init(&full, 640), 0);
    ck_assert_int_eq(pdq_axis_init_reduced(&reduced, &full, 1), -EINVAL);
    pdq_axis_clear(&full);
}
END_TEST

START_TEST(a_window_is_cut_at_the_edges_and_leans_right_when_even)
{
    /* 1024 pixels: 8 wide, 3 to the left and 4 to the right. */
    ck_assert_uint_eq(pdq_window_width(1024), 8);
    ck_assert_uint_eq(pdq_window_at(500, 1024).first, 497);
    ck_assert_uint_eq(pdq_window_at(500, 1024).last, 504);
    ck_assert_uint_eq(pdq_window_at(2, 1024).first, 0);
    ck_assert_uint_eq(pdq_window_at(3, 1024).first, 0);
    ck_assert_uint_eq(pdq_window_at(4, 1024).first, 1);
    ck_assert_uint_eq(pdq_window_at(1018, 1024).last, 1022);
    ck_assert_uint_eq(pdq_window_at(1019, 1024).last, 1023);
    ck_assert_uint_eq(pdq_window_at(1020, 1024).last, 1023);
    /* 800 pixels: 7 wide, 3 to either side. */
    ck_assert_uint_eq(pdq_window_width(800), 7);
    ck_assert_uint_eq(pdq_window_at(400, 800).first, 397);
    ck_assert_uint_eq(pdq_window_at(400, 800).last, 403);
    ck_assert_uint_eq(pdq_window_width(128), 1);
    ck_assert_uint_eq(pdq_window_width(129), 2);
    ck_assert_uint_eq(pdq_window_width(256), 2);
    ck_assert_uint_eq(pdq_window_width(257), 3);
}
END_TEST

START_TEST(the_longest_axis_has_no_overflow)
{
    ck_assert_uint_eq(pdq_window_width(UINT32_MAX), 33554432);
    ck_assert_uint_eq(pdq_grid_pixel(63, UINT32_MAX), 4261412863U);
    ck_assert_uint_eq(pdq_window_at(UINT32_MAX - 1, UINT32_MAX).last, UINT32_MAX - 1);
    ck_assert_uint_eq(pdq_window_at(0, UINT32_MAX).last, 16777216);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pdq_axis");
    TCase *tests = tcase_create("pdq_axis");

    tcase_add_test(tests, the_matrix_is_two_box_filters_and_a_decimation);
    tcase_add_test(tests, a_reduced_sample_weighs_what_its_pixels_weigh);
    tcase_add_test(tests, a_window_keeps_three_samples_or_is_not_reduced);
    tcase_add_test(tests, a_window_is_cut_at_the_edges_and_leans_right_when_even);
    tcase_add_test(tests, the_longest_axis_has_no_overflow);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
