#include "reference_rasters.h"
#include "tap.h"

#include <math.h>
#include <signal.h>

enum { SCALE = 4, WIDTH = 400, HEIGHT = 300 };

static const struct picture_shape large_shape = {
    .width = SCALE * WIDTH, .height = SCALE * HEIGHT, .layout = PIXEL_GRAY};

/* The large picture as a plane of means, on a plane that it fills from left, top (in large pixels) on. */
static struct pdq_plane reduced_onto(const uint8_t *large, uint32_t left, uint32_t top)
{
    uint32_t width = WIDTH + (left + SCALE - 1) / SCALE;
    uint32_t height = HEIGHT + (top + SCALE - 1) / SCALE;
    uint8_t *samples = malloc((size_t)width * height);

    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            unsigned int sum = 0;
            for (uint32_t i = 0; i < SCALE * SCALE; i++) {
                int64_t column = (int64_t)x * SCALE + i % SCALE - left;
                int64_t row = (int64_t)y * SCALE + i / SCALE - top;
                bool inside =
                    column >= 0 && row >= 0 && column < large_shape.width && row < large_shape.height;
                sum += inside ? large[row * large_shape.width + column] : 255;
            }
            samples[y * width + x] = (uint8_t)(sum / (SCALE * SCALE));
        }
    return (struct pdq_plane){samples, width, height};
}

static struct pdq_result hash_area(const struct pdq_plane *plane, struct pdq_area area, enum cpu_level level)
{
    float grid[PDQ_GRID][PDQ_GRID];
    struct pdq_result result;

    pdq_area_sample(plane, &area, level, grid);
    pdq_grid_hash((const float(*)[PDQ_GRID])grid, &result);
    return result;
}

static unsigned int bits_between(const struct pdq_result *a, const struct pdq_result *b)
{
    return pdq_distance(&a->hashes[ORIENTATION_ORIGINAL], &b->hashes[ORIENTATION_ORIGINAL]);
}

START_TEST(an_area_between_samples_hashes_as_the_picture_in_full)
{
    static const uint32_t offsets[][2] = {{0, 0}, {2, 0}, {1, 3}, {6, 5}, {41, 90}};
    uint32_t left = offsets[_i][0];
    uint32_t top = offsets[_i][1];

    for (uint64_t seed = 1; seed <= 8; seed++) {
        uint8_t *large = picture_draw(&large_shape, seed);
        struct pdq_plane plane = reduced_onto(large, left, top);
        struct pdq_area area = {left / 4.0, top / 4.0, left / 4.0 + WIDTH, top / 4.0 + HEIGHT};
        struct pdq_result expected;
        picture_hash(&large_shape, PDQ_OVER_WHITE, cpu_choose(), large, &expected);
        struct pdq_result found = hash_area(&plane, area, cpu_choose());
        ck_assert_uint_le(bits_between(&found, &expected), 12);
        ck_assert_int_le(abs(found.quality - expected.quality), 5);
        free((void *)plane.samples);
        free(large);
    }
}
END_TEST

START_TEST(an_area_is_the_same_to_the_bit_at_every_level)
{
    uint8_t *large = picture_draw(&large_shape, 9);
    struct pdq_plane plane = reduced_onto(large, 3, 0);
    static const struct pdq_area areas[] = {
        {0, 0, WIDTH, HEIGHT}, {10.3, 20.7, 77.7, 99.9}, {-40, -30, WIDTH + 35.5, HEIGHT + 20}};
    float plain[PDQ_GRID][PDQ_GRID];
    float found[PDQ_GRID][PDQ_GRID];

    pdq_area_sample(&plane, &areas[_i], CPU_PLAIN, plain);
    for (int level = CPU_PLAIN + 1; level <= (int)cpu_detect(); level++) {
        pdq_area_sample(&plane, &areas[_i], (enum cpu_level)level, found);
        ck_assert_mem_eq(found, plain, sizeof plain);
    }
    free((void *)plane.samples);
    free(large);
}
END_TEST

START_TEST(beyond_the_plane_its_edge_is_continued)
{
    static const uint8_t samples[] = {10, 20, 30, 40};
    const struct pdq_plane plane = {samples, 2, 2};
    const struct pdq_area area = {-64, -640, 66, 642};
    float grid[PDQ_GRID][PDQ_GRID];

    pdq_area_sample(&plane, &area, cpu_choose(), grid);
    ck_assert_float_eq(grid[0][0], 10);
    ck_assert_float_eq(grid[0][PDQ_GRID - 1], 20);
    ck_assert_float_eq(grid[PDQ_GRID - 1][0], 30);
    ck_assert_float_eq(grid[PDQ_GRID - 1][PDQ_GRID - 1], 40);
}
END_TEST

START_TEST(what_changes_evenly_is_sampled_at_the_middle_of_each_cell)
{
    enum { EDGE = 256 };
    uint8_t samples[EDGE * 8];
    const struct pdq_plane plane = {samples, EDGE, 8};
    const struct pdq_area area = {20, 0, 212, 8};
    float grid[PDQ_GRID][PDQ_GRID];

    for (int i = 0; i < EDGE * 8; i++)
        samples[i] = (uint8_t)(i % EDGE);
    pdq_area_sample(&plane, &area, cpu_choose(), grid);
    for (int k = 0; k < PDQ_GRID; k++)
        ck_assert_float_eq_tol(grid[5][k], (float)(20 + 3 * (k + 0.5) - 0.5), 0.01F);
}
END_TEST

static const uint8_t one_sample[] = {0};

START_TEST(an_area_that_is_empty_or_too_long_is_a_bug)
{
    static const struct pdq_area areas[] = {
        {5, 0, 5, 10}, {0, 9, 10, 8}, {0, 0, PDQ_AREA_EDGE_MAX + 1, 9}, {0, 0, NAN, 10}};
    const struct pdq_plane plane = {one_sample, 1, 1};
    float grid[PDQ_GRID][PDQ_GRID];

    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    pdq_area_sample(&plane, &areas[_i], CPU_PLAIN, grid);
}
END_TEST

START_TEST(an_area_may_be_as_long_as_the_limit)
{
    const struct pdq_plane plane = {one_sample, 1, 1};
    const struct pdq_area area = {-3, -1, PDQ_AREA_EDGE_MAX - 3, PDQ_AREA_EDGE_MAX - 1};
    float grid[PDQ_GRID][PDQ_GRID];

    pdq_area_sample(&plane, &area, cpu_choose(), grid);
    ck_assert_float_eq(grid[63][63], 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pdq_area");
    TCase *tests = tcase_create("pdq_area");

    tcase_add_loop_test(tests, an_area_between_samples_hashes_as_the_picture_in_full, 0, 5);
    tcase_add_loop_test(tests, an_area_is_the_same_to_the_bit_at_every_level, 0, 3);
    tcase_add_test(tests, beyond_the_plane_its_edge_is_continued);
    tcase_add_test(tests, what_changes_evenly_is_sampled_at_the_middle_of_each_cell);
    tcase_add_loop_test_raise_signal(tests, an_area_that_is_empty_or_too_long_is_a_bug, SIGABRT, 0, 4);
    tcase_add_test(tests, an_area_may_be_as_long_as_the_limit);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
