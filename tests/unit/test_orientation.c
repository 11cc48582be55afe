#include "prescreen/image/orientation.h"

#include "reference_rasters.h"
#include "tap.h"

/* Turns a raster by definition, pixel by pixel. The result's samples are the caller's. */
static struct raster raster_turned(const struct raster *raster, struct orientation_steps steps)
{
    size_t bytes = pixel_layout_bytes(raster->shape.layout);
    uint32_t width = raster->shape.width;
    uint32_t height = raster->shape.height;
    struct raster turned = *raster;

    if (steps.transposes) {
        turned.shape.width = height;
        turned.shape.height = width;
    }
    turned.samples = malloc(bytes * width * height);
    ck_assert_ptr_nonnull(turned.samples);
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            size_t row = steps.flips_rows ? height - 1 - y : y;
            size_t column = steps.flips_columns ? width - 1 - x : x;
            size_t at = steps.transposes ? column * height + row : row * width + column;
            memcpy(turned.samples + bytes * at, raster->samples + bytes * (y * width + x), bytes);
        }
    }
    return turned;
}

static struct raster raster_of_steps(uint8_t samples[12])
{
    struct raster raster = {.shape = {4, 3, PIXEL_GRAY, 0}, .samples = samples};

    for (uint8_t i = 0; i < 12; i++)
        samples[i] = i;
    return raster;
}

/* What the words mean to a person: the corners of a 4x3 raster, clockwise from the top left. */
START_TEST(words_turn_counterclockwise_and_flip_about_the_axis_that_stays)
{
    static const uint8_t corners[ORIENTATION_COUNT][4] = {
        [ORIENTATION_ORIGINAL] = {0, 3, 11, 8},   [ORIENTATION_ROTATE90] = {3, 11, 8, 0},
        [ORIENTATION_ROTATE180] = {11, 8, 0, 3},  [ORIENTATION_ROTATE270] = {8, 0, 3, 11},
        [ORIENTATION_FLIP_X] = {8, 11, 3, 0},     [ORIENTATION_FLIP_Y] = {3, 0, 8, 11},
        [ORIENTATION_FLIP_PLUS1] = {0, 8, 11, 3}, [ORIENTATION_FLIP_MINUS1] = {11, 3, 0, 8},
    };
    uint8_t samples[12];
    struct raster raster = raster_of_steps(samples);

    for (int i = 0; i < ORIENTATION_COUNT; i++) {
        struct raster turned = raster_turned(&raster, orientation_steps((enum orientation)i));
        size_t width = turned.shape.width;
        size_t height = turned.shape.height;
        ck_assert_uint_eq(turned.samples[0], corners[i][0]);
        ck_assert_uint_eq(turned.samples[width - 1], corners[i][1]);
        ck_assert_uint_eq(turned.samples[width * height - 1], corners[i][2]);
        ck_assert_uint_eq(turned.samples[width * (height - 1)], corners[i][3]);
        free(turned.samples);
    }
}
END_TEST

START_TEST(composition_is_one_change_after_the_other)
{
    uint8_t samples[12];
    struct raster raster = raster_of_steps(samples);

    for (int i = 0; i < ORIENTATION_COUNT * ORIENTATION_COUNT; i++) {
        enum orientation first = (enum orientation)(i / ORIENTATION_COUNT);
        enum orientation second = (enum orientation)(i % ORIENTATION_COUNT);
        struct raster once = raster_turned(&raster, orientation_steps(first));
        struct raster twice = raster_turned(&once, orientation_steps(second));
        struct raster both = raster_turned(&raster, orientation_steps(orientation_compose(first, second)));
        ck_assert_uint_eq(both.shape.width, twice.shape.width);
        ck_assert_mem_eq(both.samples, twice.samples, sizeof samples);
        free(once.samples);
        free(twice.samples);
        free(both.samples);
    }
}
END_TEST

/* Exif says where the stored raster's first row and first column lie in the upright picture. */
enum side { TOP, BOTTOM, LEFT, RIGHT };
struct exif_sides {
    enum side row;
    enum side column;
};
static const struct exif_sides exif_sides[9] = {
    [1] = {TOP, LEFT}, [2] = {TOP, RIGHT}, [3] = {BOTTOM, RIGHT}, [4] = {BOTTOM, LEFT},
    [5] = {LEFT, TOP}, [6] = {RIGHT, TOP}, [7] = {RIGHT, BOTTOM}, [8] = {LEFT, BOTTOM},
};

/* The raster that a camera which writes this orientation stores of an upright picture. */
static struct raster raster_stored(const struct raster *upright, unsigned int exif)
{
    struct exif_sides sides = exif_sides[exif];
    bool is_sideways = sides.row == LEFT || sides.row == RIGHT;
    size_t bytes = pixel_layout_bytes(upright->shape.layout);
    size_t width = upright->shape.width;
    size_t height = upright->shape.height;
    struct raster stored = *upright;

    if (is_sideways) {
        stored.shape.width = upright->shape.height;
        stored.shape.height = upright->shape.width;
    }
    stored.samples = malloc(bytes * width * height);
    ck_assert_ptr_nonnull(stored.samples);
    for (size_t row = 0; row < stored.shape.height; row++) {
        for (size_t column = 0; column < stored.shape.width; column++) {
            size_t down = is_sideways ? column : row;
            size_t across = is_sideways ? row : column;
            bool from_bottom = sides.row == BOTTOM || sides.column == BOTTOM;
            bool from_right = sides.row == RIGHT || sides.column == RIGHT;
            size_t y = from_bottom ? height - 1 - down : down;
            size_t x = from_right ? width - 1 - across : across;
            memcpy(stored.samples + bytes * (row * stored.shape.width + column),
                   upright->samples + bytes * (y * width + x), bytes);
        }
    }
    return stored;
}

START_TEST(every_exif_number_is_turned_upright)
{
    uint8_t samples[12];
    struct raster raster = raster_of_steps(samples);

    for (unsigned int exif = 1; exif <= 8; exif++) {
        struct raster stored = raster_stored(&raster, exif);
        struct raster upright = raster_turned(&stored, orientation_steps(orientation_from_exif(exif)));
        ck_assert_uint_eq(upright.shape.width, 4);
        ck_assert_mem_eq(upright.samples, samples, sizeof samples);
        free(stored.samples);
        free(upright.samples);
    }
}
END_TEST

START_TEST(other_exif_numbers_change_nothing)
{
    static const unsigned int others[] = {0, 9, 10, 255, 65535, 4294967295U};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_int_eq(orientation_from_exif(others[i]), ORIENTATION_ORIGINAL);
}
END_TEST

/* The hash of the turned raster and the turned hash of the raster are the same to the bit where nothing is
 * flipped. A flip moves the samples: windows of even width reach one pixel farther to the right and below,
 * and the pixel that stands for a sample is rounded down. Seen on the reference's rasters: 0 to 30 bits. */
enum { FLIPPED_BITS_MAX = 32, OTHER_BITS_MIN = 80 };

static const char *const photographs[] = {"camera-1300x900-gray.png", "coffee-3000x2000-16colours.png",
                                          "motorcycle-741x500.png", "cat-127x129.png"};

START_TEST(the_reference_names_its_hashes_by_these_changes)
{
    struct raster raster;
    struct pdq_result result;

    if (!raster_load(photographs[_i], &raster))
        return;
    for (int i = 0; i < ORIENTATION_COUNT; i++) {
        struct orientation_steps steps = orientation_steps((enum orientation)i);
        struct raster turned = raster_turned(&raster, steps);
        picture_hash(&turned.shape, PDQ_OVER_WHITE, cpu_detect(), turned.samples, &result);
        for (int other = 0; other < ORIENTATION_COUNT; other++) {
            unsigned int bits = pdq_distance(&result.hashes[0], &raster.expected.hashes[other]);
            if (other != i)
                ck_assert_uint_ge(bits, OTHER_BITS_MIN);
            else
                ck_assert_uint_le(bits, steps.flips_rows || steps.flips_columns ? FLIPPED_BITS_MAX : 0);
        }
        free(turned.samples);
    }
    free(raster.samples);
}
END_TEST

START_TEST(hashes_of_the_stored_raster_are_permuted_to_those_of_the_upright_one)
{
    struct raster upright;
    struct pdq_result found;

    if (!raster_load(photographs[_i], &upright))
        return;
    for (unsigned int exif = 1; exif <= 8; exif++) {
        struct raster stored = raster_stored(&upright, exif);
        enum orientation turn = orientation_from_exif(exif);
        struct orientation_steps steps = orientation_steps(turn);
        picture_hash(&stored.shape, PDQ_OVER_WHITE, cpu_detect(), stored.samples, &found);
        for (int i = 0; i < ORIENTATION_COUNT; i++) {
            enum orientation at = orientation_compose(turn, (enum orientation)i);
            unsigned int bits = pdq_distance(&found.hashes[at], &upright.expected.hashes[i]);
            ck_assert_uint_le(bits, steps.flips_rows || steps.flips_columns ? FLIPPED_BITS_MAX : 0);
        }
        free(stored.samples);
    }
    free(upright.samples);
}
END_TEST

START_TEST(a_turned_stream_gives_what_the_turned_raster_gives)
{
    static const uint32_t edges[] = {5, 64, 127, 200, 256, 333};
    enum { EDGES = sizeof edges / sizeof *edges };
    struct pdq_stream *stream = NULL;
    struct pdq_result found;
    struct pdq_result expected;

    for (int i = 0; i < EDGES * ORIENTATION_COUNT; i++) {
        enum orientation turn = (enum orientation)(i % ORIENTATION_COUNT);
        struct raster raster = {.shape = {edges[_i % EDGES], edges[i / ORIENTATION_COUNT], PIXEL_GRAY, 0}};
        raster.shape.layout = (enum pixel_layout)(_i / EDGES);
        raster.samples = picture_draw(&raster.shape, (uint64_t)i);
        struct raster turned = raster_turned(&raster, orientation_steps(turn));
        picture_hash(&turned.shape, PDQ_OVER_WHITE, cpu_detect(), turned.samples, &expected);
        ck_assert_int_eq(pdq_stream_create(&raster.shape, PDQ_OVER_WHITE, cpu_detect(), &stream), 0);
        pdq_stream_turn(stream, turn);
        for (uint32_t y = 0; y < raster.shape.height; y++)
            pdq_stream_add_row(stream, raster.samples + (size_t)y * raster_row_bytes(&raster.shape));
        pdq_stream_finish(stream, &found);
        pdq_stream_free(stream);
        ck_assert_int_eq(found.quality, expected.quality);
        for (int o = 0; o < ORIENTATION_COUNT; o++)
            ck_assert_uint_eq(pdq_distance(&found.hashes[o], &expected.hashes[o]), 0);
        free(raster.samples);
        free(turned.samples);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("orientation");
    TCase *tests = tcase_create("orientation");

    tcase_add_test(tests, words_turn_counterclockwise_and_flip_about_the_axis_that_stays);
    tcase_add_test(tests, composition_is_one_change_after_the_other);
    tcase_add_test(tests, every_exif_number_is_turned_upright);
    tcase_add_test(tests, other_exif_numbers_change_nothing);
    tcase_add_loop_test(tests, the_reference_names_its_hashes_by_these_changes, 0,
                        sizeof photographs / sizeof *photographs);
    tcase_add_loop_test(tests, hashes_of_the_stored_raster_are_permuted_to_those_of_the_upright_one, 0,
                        sizeof photographs / sizeof *photographs);
    tcase_add_loop_test(tests, a_turned_stream_gives_what_the_turned_raster_gives, 0, 24);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
