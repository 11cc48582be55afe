#include "screen/steps.h"
#include "tap.h"

/* What a flood is, at 100 matches and 10 times the usual. */
static const struct {
    uint64_t recent;
    double usual;
    bool exceeds;
} examples[] = {
    {1, 0, false},     {99, 0, false},     {100, 0, true},    {100, 9.9, true},      {100, 10, false},
    {101, 10, true},   {1000, 100, false}, {1001, 100, true}, {5000, 499.9, true},   {5000, 500, false},
    {99, 0.01, false}, {10000, 999, true}, {0, 0, false},     {UINT64_MAX, 0, true},
};

START_TEST(a_flood_is_many_and_far_above_what_is_usual)
{
    const struct config_limits limits = {.flood_matches = 100, .flood_factor = 10};

    ck_assert_int_eq(flood_exceeds(&limits, examples[_i].recent, examples[_i].usual), examples[_i].exceeds);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flood");
    TCase *tests = tcase_create("flood");

    tcase_add_loop_test(tests, a_flood_is_many_and_far_above_what_is_usual, 0,
                        (int)(sizeof examples / sizeof examples[0]));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
