#include "prescreen/feed/backoff.h"

#include "tap.h"

#define S      UINT64_C(1000000)
#define MINUTE (60 * S)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

enum { LEAST = 0 };
#define MOST UINT32_MAX

START_TEST(waits_between_calls_double_up_to_64_times)
{
    static const uint64_t factors[] = {1, 2, 4, 8, 16, 32, 64, 64, 64};

    for (unsigned int i = 0; i < sizeof factors / sizeof factors[0]; i++)
        ck_assert_uint_eq(feed_call_wait_us(S, i + 1, 0, LEAST), factors[i] * S);
    ck_assert_uint_eq(feed_call_wait_us(S, 4000000000u, 0, LEAST), 64 * S);
    ck_assert_uint_eq(feed_call_wait_us(S, 0, 0, LEAST), S);
}
END_TEST

START_TEST(chance_takes_up_to_half_of_a_wait_between_calls)
{
    uint64_t before = feed_call_wait_us(60 * S, 7, 0, LEAST);

    for (uint64_t chance = 0; chance <= MOST; chance += 1 << 24) {
        uint64_t wait_us = feed_call_wait_us(60 * S, 7, 0, (uint32_t)chance);
        ck_assert_uint_le(wait_us, before);
        before = wait_us;
    }
    uint64_t least = feed_call_wait_us(60 * S, 7, 0, MOST);
    ck_assert_uint_ge(least, 64 * 30 * S);
    ck_assert_uint_le(least, 64 * 31 * S);
}
END_TEST

START_TEST(no_wait_is_shorter_than_the_source_asked_for)
{
    ck_assert_uint_eq(feed_call_wait_us(S, 1, 10 * S, LEAST), 10 * S);
    ck_assert_uint_eq(feed_call_wait_us(S, 1, 10 * S, MOST), 10 * S);
    ck_assert_uint_eq(feed_call_wait_us(20 * S, 1, 10 * S, LEAST), 20 * S);
    ck_assert_uint_eq(feed_pull_wait_us(MINUTE, FEED_PULLED, 0, 2 * HOUR, MOST), 2 * HOUR);
    ck_assert_uint_eq(feed_pull_wait_us(MINUTE, FEED_FAILED, 1, 2 * HOUR, LEAST), 2 * HOUR);
    /* But not for ever. */
    ck_assert_uint_eq(feed_pull_wait_us(MINUTE, FEED_FAILED, 1, 400 * DAY, LEAST), DAY);
}
END_TEST

START_TEST(after_a_success_the_next_pull_comes_within_the_interval)
{
    ck_assert_uint_eq(feed_pull_wait_us(HOUR, FEED_PULLED, 0, 0, LEAST), HOUR);
    uint64_t least = feed_pull_wait_us(HOUR, FEED_PULLED, 0, 0, MOST);
    ck_assert_uint_ge(least, 54 * MINUTE);
    ck_assert_uint_le(least, 55 * MINUTE);
    ck_assert_uint_ge(feed_pull_wait_us(30 * DAY, FEED_PULLED, 0, 0, MOST), 27 * DAY);
}
END_TEST

START_TEST(after_a_failure_the_next_pull_comes_soon_then_less_so)
{
    ck_assert_uint_eq(feed_pull_wait_us(DAY, FEED_FAILED, 1, 0, LEAST), MINUTE);
    ck_assert_uint_eq(feed_pull_wait_us(DAY, FEED_FAILED, 2, 0, LEAST), 2 * MINUTE);
    ck_assert_uint_eq(feed_pull_wait_us(DAY, FEED_FAILED, 7, 0, LEAST), 64 * MINUTE);
    ck_assert_uint_eq(feed_pull_wait_us(DAY, FEED_FAILED, 1000, 0, LEAST), 64 * MINUTE);
    ck_assert_uint_eq(feed_pull_wait_us(10 * MINUTE, FEED_FAILED, 7, 0, LEAST), 10 * MINUTE);
}
END_TEST

START_TEST(credentials_that_are_not_taken_are_not_shown_again_soon)
{
    ck_assert_uint_eq(feed_pull_wait_us(MINUTE, FEED_DENIED, 1, 0, LEAST), HOUR);
    ck_assert_uint_eq(feed_pull_wait_us(MINUTE, FEED_DENIED, 5, 0, LEAST), HOUR);
    ck_assert_uint_eq(feed_pull_wait_us(DAY, FEED_DENIED, 2, 0, LEAST), 2 * HOUR);
    ck_assert_uint_eq(feed_pull_wait_us(DAY, FEED_DENIED, 9, 0, LEAST), DAY);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("feed backoff");
    TCase *tests = tcase_create("feed backoff");

    tcase_add_test(tests, waits_between_calls_double_up_to_64_times);
    tcase_add_test(tests, chance_takes_up_to_half_of_a_wait_between_calls);
    tcase_add_test(tests, no_wait_is_shorter_than_the_source_asked_for);
    tcase_add_test(tests, after_a_success_the_next_pull_comes_within_the_interval);
    tcase_add_test(tests, after_a_failure_the_next_pull_comes_soon_then_less_so);
    tcase_add_test(tests, credentials_that_are_not_taken_are_not_shown_again_soon);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
