#include "hash/pdq_kernels.h"
#include "reference_rasters.h"
#include "tap.h"

/* Odd counts leave a rest at every width of the unit; the weights have no short binary form, so that a
 * product and a sum contracted into one operation would round differently. */
enum { COUNT_MAX = 331, SUMS = 4 * COUNT_MAX };
static const float odd_weight = 0.123456789F;

struct buffers {
    float sums[SUMS];
    uint8_t samples[SUMS];
};

static void fill(struct buffers *buffers, uint64_t seed)
{
    uint64_t state = 2 * seed + 1;

    for (int i = 0; i < SUMS; i++) {
        buffers->samples[i] = random_byte(&state);
        buffers->sums[i] = (float)random_byte(&state) / 7 + (float)random_byte(&state) * 11;
    }
}

START_TEST(sums_are_the_same_to_the_bit_at_every_level)
{
    const struct pdq_kernels *plain = pdq_kernels_for(CPU_PLAIN);
    const struct pdq_kernels *kernels = pdq_kernels_for((enum cpu_level)_i);

    for (size_t count = 1; count <= COUNT_MAX; count++) {
        struct buffers a;
        struct buffers b;
        fill(&a, count);
        b = a;
        plain->add_samples(a.sums, a.samples, count, odd_weight);
        kernels->add_samples(b.sums, b.samples, count, odd_weight);
        plain->add_gray_alpha(a.sums, a.samples, count, odd_weight);
        kernels->add_gray_alpha(b.sums, b.samples, count, odd_weight);
        plain->add_rgba(a.sums, a.samples, count, odd_weight);
        kernels->add_rgba(b.sums, b.samples, count, odd_weight);
        ck_assert_mem_eq(a.sums, b.sums, sizeof a.sums);
    }
}
END_TEST

START_TEST(folds_are_the_same_to_the_bit_at_every_level)
{
    const struct pdq_kernels *plain = pdq_kernels_for(CPU_PLAIN);
    const struct pdq_kernels *kernels = pdq_kernels_for((enum cpu_level)_i);
    struct buffers input;
    float a[COUNT_MAX];
    float b[COUNT_MAX];

    for (size_t width = 1; width <= COUNT_MAX; width++) {
        fill(&input, width);
        for (unsigned int values = 1; values <= 4; values++) {
            for (int planar = 0; planar < 2; planar++) {
                struct pdq_sums_layout layout = {values, planar ? 1 : values, planar ? width : 1};
                plain->fold(a, input.sums, width, layout);
                kernels->fold(b, input.sums, width, layout);
                ck_assert_mem_eq(a, b, width * sizeof *a);
            }
        }
    }
}
END_TEST

START_TEST(reductions_are_the_same_to_the_bit_at_every_level)
{
    const struct pdq_kernels *plain = pdq_kernels_for(CPU_PLAIN);
    const struct pdq_kernels *kernels = pdq_kernels_for((enum cpu_level)_i);
    struct buffers input;
    struct pdq_axis axis;
    float a[PDQ_GRID];
    float b[PDQ_GRID];

    for (uint32_t width = 5; width <= SUMS; width += 3) {
        fill(&input, width);
        ck_assert_int_eq(pdq_axis_init(&axis, width), 0);
        plain->reduce(a, input.sums, &axis, 3.7);
        kernels->reduce(b, input.sums, &axis, 3.7);
        ck_assert_mem_eq(a, b, sizeof a);
        pdq_axis_clear(&axis);
    }
}
END_TEST

START_TEST(every_alpha_splits_a_pixel_between_colour_and_backdrop)
{
    const struct pdq_kernels *kernels = pdq_kernels_for((enum cpu_level)_i);
    float off = 0;

    for (unsigned int i = 0; i < 65536; i++) {
        uint8_t alpha = (uint8_t)(i / 256);
        uint8_t gray[2] = {(uint8_t)i, alpha};
        uint8_t rgba[4] = {(uint8_t)i, (uint8_t)(255 - i % 256), 7, alpha};
        float two[2] = {0};
        float four[4] = {0};
        kernels->add_gray_alpha(two, gray, 1, 1);
        kernels->add_rgba(four, rgba, 1, 1);
        for (int k = 0; k < 3; k++) {
            float exact = (float)(rgba[k] * alpha) / 255;
            float error = four[k] > exact ? four[k] - exact : exact - four[k];
            off = alpha == 0 || alpha == 255 ? (error == 0 ? off : 1) : (error > off ? error : off);
        }
        if (two[0] != four[0] || two[1] != four[3] || four[3] != (float)(255 - alpha))
            off = 1;
    }
    ck_assert_msg(off <= 0.0001F, "off by %g", (double)off);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pdq_kernels");
    TCase *tests = tcase_create("pdq_kernels");
    int levels = (int)cpu_detect() + 1;

    tcase_add_loop_test(tests, sums_are_the_same_to_the_bit_at_every_level, 0, levels);
    tcase_add_loop_test(tests, folds_are_the_same_to_the_bit_at_every_level, 0, levels);
    tcase_add_loop_test(tests, reductions_are_the_same_to_the_bit_at_every_level, 0, levels);
    tcase_add_loop_test(tests, every_alpha_splits_a_pixel_between_colour_and_backdrop, 0, levels);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
