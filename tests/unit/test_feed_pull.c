#include "feed_bench.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>

static void start_ncmec(void)
{
    start_bench(FEED_NCMEC);
}

static void start_stopncii(void)
{
    start_bench(FEED_STOPNCII);
}

START_TEST(a_pull_asks_the_clock_then_the_pages_then_moves_on)
{
    bench.feed.list_count = 2;
    ck_assert_int_eq(PULL({.body = QUERY IMAGE("1", MD5_A) NEXT("start=2")},
                          {.body = QUERY IMAGE("2", MD5_B) GONE("3") LAST}),
                     FEED_PULLED);
    ck_assert_uint_eq(bench.calls, 3);
    ck_assert_str_eq(bench.urls[0], "http://127.0.0.1:1/base/v2/status");
    ck_assert_str_eq(bench.urls[1],
                     "http://127.0.0.1:1/base/v2/entries?from=1970-01-01T00:00:00Z&to=2023-11-14T22:13:15Z");
    ck_assert_str_eq(bench.urls[2], "http://127.0.0.1:1/base/v2/entries?start=2");
    ck_assert_uint_eq(bench.report.pages, 2);
    ck_assert_uint_eq(bench.report.records, 3);
    ck_assert_uint_eq(bench.report.change.added, 2);
    ck_assert(bench.report.whole);
    ck_assert_uint_eq(bench_list("a").entries, 2);
    ck_assert_uint_eq(bench_list("b").entries, 0);
    /* Ten seconds of the last range come again. */
    bench.now_s = bench.date_s = FEED_NOW_S + 100;
    ck_assert_int_eq(PULL({.body = QUERY GONE("1") LAST}), FEED_PULLED);
    ck_assert_str_eq(bench.urls[1],
                     "http://127.0.0.1:1/base/v2/entries?from=2023-11-14T22:13:05Z&to=2023-11-14T22:14:55Z");
    ck_assert(!bench.report.whole);
    ck_assert_uint_eq(bench.report.change.removed, 1);
    ck_assert_uint_eq(bench_list("a").entries, 1);
}
END_TEST

START_TEST(a_pull_that_finds_nothing_makes_the_lists_young_and_no_version)
{
    ck_assert_int_eq(PULL({.body = QUERY LAST}), FEED_PULLED);
    struct list_info before = bench_list("a");
    usleep(2000);
    bench.now_s += 100;
    bench.date_s += 100;
    ck_assert_int_eq(PULL({.body = QUERY LAST}), FEED_PULLED);
    struct list_info after = bench_list("a");
    ck_assert_uint_gt(after.updated_us, before.updated_us);
    ck_assert_uint_eq(after.version, before.version);
    /* Within a second of the last one nothing is even asked. */
    usleep(2000);
    ck_assert_int_eq(PULL({.outcome = FETCH_FAILED}), FEED_PULLED);
    ck_assert_uint_eq(bench.calls, 1);
    ck_assert_uint_gt(bench_list("a").updated_us, after.updated_us);
}
END_TEST

#define AGAIN                                                                                                \
    {                                                                                                        \
        .outcome = FETCH_AGAIN                                                                               \
    }

START_TEST(calls_that_fail_are_made_again_with_growing_waits)
{
    ck_assert_int_eq(PULL(AGAIN, AGAIN, AGAIN, AGAIN, AGAIN, AGAIN,
                          {.body = QUERY IMAGE("1", MD5_A) NEXT("x")}, AGAIN, {.body = QUERY LAST}),
                     FEED_PULLED);
    static const uint64_t seconds[] = {1, 2, 4, 8, 16, 32, 1};
    ck_assert_uint_eq(bench.wait_count, 7);
    for (size_t i = 0; i < 7; i++)
        ck_assert_uint_eq(bench.waits[i], seconds[i] * 1000000);
    ck_assert_uint_eq(bench.report.asked_us, 0);
    ck_assert_uint_eq(bench_list("a").entries, 1);
}
END_TEST

START_TEST(the_seventh_failure_of_a_call_is_the_last)
{
    ck_assert_int_eq(PULL(AGAIN, AGAIN, AGAIN, AGAIN, AGAIN, AGAIN, AGAIN, {.body = QUERY LAST}),
                     FEED_FAILED);
    ck_assert_uint_eq(bench.wait_count, 6);
    ck_assert_uint_eq(bench.told, 7);
    ck_assert_str_eq(bench.diag.text, "scripted outcome 1");
    ck_assert_int_ne(access(bench_path("f.checkpoint"), F_OK), 0);
}
END_TEST

START_TEST(a_page_that_is_cut_is_asked_for_again)
{
    ck_assert_int_eq(PULL({.body = ""}, {.body = QUERY}, {.body = QUERY IMAGE("1", MD5_A) LAST}),
                     FEED_PULLED);
    ck_assert_uint_eq(bench.wait_count, 2);
    ck_assert_uint_eq(bench.report.pages, 1);
}
END_TEST

START_TEST(what_the_source_asks_for_is_waited_for_up_to_a_bound)
{
    ck_assert_int_eq(PULL({.outcome = FETCH_AGAIN, .asked_us = FEED_ASKED_WAIT_MAX_US}, {.body = QUERY LAST}),
                     FEED_PULLED);
    ck_assert_uint_eq(bench.waits[0], FEED_ASKED_WAIT_MAX_US);
    bench.now_s += 100;
    bench.date_s += 100;
    ck_assert_int_eq(
        PULL({.outcome = FETCH_AGAIN, .asked_us = FEED_ASKED_WAIT_MAX_US + 1}, {.body = QUERY LAST}),
        FEED_FAILED);
    ck_assert_uint_eq(bench.wait_count, 0);
    ck_assert_uint_eq(bench.report.asked_us, FEED_ASKED_WAIT_MAX_US + 1);
}
END_TEST

static const struct {
    int said;
    enum feed_outcome outcome;
} endings[] = {{FETCH_DENIED, FEED_DENIED},
               {FETCH_FAILED, FEED_FAILED},
               {FETCH_STOPPED, FEED_STOPPED},
               {-ENOMEM, FEED_FAILED}};

START_TEST(other_outcomes_end_a_pull_at_once_wherever_they_come)
{
    bench.clock_outcome = endings[_i].said;
    ck_assert_int_eq(PULL({.body = QUERY LAST}), endings[_i].outcome);
    ck_assert_uint_eq(bench.calls, 1);
    bench.clock_outcome = 0;
    ck_assert_int_eq(PULL({.body = QUERY IMAGE("1", MD5_A) NEXT("x")}, {.outcome = endings[_i].said}),
                     endings[_i].outcome);
    ck_assert_uint_eq(bench.calls, 3);
    ck_assert_uint_eq(bench.wait_count, 0);
    ck_assert_uint_eq(bench_list("a").entries, 0);
    ck_assert_int_ne(access(bench_path("f.checkpoint"), F_OK), 0);
}
END_TEST

START_TEST(a_wait_ends_when_the_process_is_to_end)
{
    bench.stop_after = 2;
    ck_assert_int_eq(PULL(AGAIN, AGAIN, {.body = QUERY LAST}), FEED_STOPPED);
    ck_assert_uint_eq(bench.told, 2);
    ck_assert_str_eq(bench.diag.text, "stopped");
}
END_TEST

START_TEST(all_pages_together_have_a_limit)
{
    static const char first[] = QUERY IMAGE("1", MD5_A) NEXT("x");
    static const char second[] = QUERY IMAGE("2", MD5_A) LAST;

    bench.config.limits.import_bytes = sizeof first - 1 + sizeof second - 1 - 1;
    ck_assert_int_eq(PULL({.body = first}, {.body = second}), FEED_FAILED);
    ck_assert_ptr_nonnull(strstr(bench.diag.text, "limits.import"));
    bench.config.limits.import_bytes++;
    ck_assert_int_eq(PULL({.body = first}, {.body = second}), FEED_PULLED);
}
END_TEST

START_TEST(one_list_that_cannot_take_a_page_stops_all)
{
    bench.feed.list_count = 2;
    bench.rules[1].class_count = 0;
    ck_assert_int_eq(PULL({.body = QUERY IMAGE("1", MD5_A) LAST}), FEED_FAILED);
    ck_assert_ptr_nonnull(strstr(bench.diag.text, "list b, page 1: line 1, record 1: classification \"A1\""));
    ck_assert_uint_eq(bench_list("a").entries, 0);
}
END_TEST

START_TEST(a_checkpoint_that_cannot_be_written_costs_a_repetition)
{
    ck_assert_int_eq(PULL({.body = QUERY LAST}), FEED_PULLED);
    ck_assert_int_eq(unlink(bench_path("f.checkpoint")), 0);
    ck_assert_int_eq(mkdir(bench_path("f.checkpoint.new"), 0700), 0);
    ck_assert_int_eq(PULL({.body = QUERY IMAGE("1", MD5_A) LAST}), FEED_FAILED);
    ck_assert_ptr_nonnull(strstr(bench.diag.text, "f.checkpoint cannot be written"));
    struct list_info before = bench_list("a");
    ck_assert_uint_eq(before.entries, 1);
    ck_assert_int_eq(rmdir(bench_path("f.checkpoint.new")), 0);
    ck_assert_int_eq(PULL({.body = QUERY IMAGE("1", MD5_A) LAST}), FEED_PULLED);
    ck_assert_uint_eq(bench_list("a").version, before.version);
}
END_TEST

START_TEST(bad_records_that_are_skipped_are_told_of_a_hundred_times)
{
    static char body[64 * 1024] = QUERY "<images>";
    char line[4096];
    unsigned int told = 0;
    int fds[2];

    for (int i = 0; i < FEED_SKIPS_LOGGED_MAX + 5; i++)
        strcat(body, "<image/>");
    strcat(body, "</images>" IMAGE("1", MD5_A) LAST);
    bench.feed.skip_bad = true;
    ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
    ck_assert_int_eq(log_create(fds[1], LOG_INFO, &bench.log), 0);
    ck_assert_int_eq(PULL({.body = body}), FEED_PULLED);
    ck_assert_uint_eq(bench_list("a").entries, 1);
    close(fds[1]);
    FILE *log = fdopen(fds[0], "r");
    while (fgets(line, sizeof line, log) != NULL)
        told += strstr(line, "feed_record_skipped") != NULL && strstr(line, "member: has no id") != NULL;
    fclose(log);
    ck_assert_uint_eq(told, FEED_SKIPS_LOGGED_MAX);
}
END_TEST

#define RECORDS(inside, more, token)                                                                         \
    "{\"nextSetTimestamp\":1699999990,\"hasMoreRecords\":" more ",\"nextPageToken\":\"" token                \
    "\",\"hashRecords\":[" inside "]}"
#define RECORD(digit, state)                                                                                 \
    "{\"signalType\":\"ImagePDQ\",\"hashStatus\":\"" state "\",\"hashValue\":\"" digit                       \
    "000000000000000000000000000000000000000000000000000000000000000\"}"

START_TEST(stopncii_is_merged_then_replaced_after_30_days)
{
    ck_assert_int_eq(PULL({.body = RECORDS(RECORD("1", "Active") "," RECORD("2", "Active"), "true", "t")},
                          {.body = RECORDS(RECORD("3", "Active") "," RECORD("1", "Withdrawn"), "false", "")}),
                     FEED_PULLED);
    ck_assert_uint_eq(bench.calls, 2);
    ck_assert_str_eq(bench.urls[1], "http://127.0.0.1:1/base/FetchHashes?startTimestamp=10&pageSize=800"
                                    "&nextPageToken=t");
    ck_assert_uint_eq(bench_list("a").entries, 2);
    ck_assert(bench.report.whole);
    bench.now_s += UINT64_C(86400) * 29;
    ck_assert_int_eq(PULL({.body = RECORDS(RECORD("4", "Active"), "false", "")}), FEED_PULLED);
    ck_assert_str_eq(bench.urls[0],
                     "http://127.0.0.1:1/base/FetchHashes?startTimestamp=1699999990&pageSize=800");
    ck_assert_uint_eq(bench_list("a").entries, 3);
    bench.now_s += UINT64_C(86400) * 30;
    ck_assert_int_eq(PULL({.body = RECORDS("", "false", "")}), FEED_FAILED);
    ck_assert_ptr_nonnull(strstr(bench.diag.text, "it is not emptied"));
    ck_assert_uint_eq(bench_list("a").entries, 3);
    ck_assert_int_eq(PULL({.body = RECORDS(RECORD("5", "Active"), "false", "")}), FEED_PULLED);
    ck_assert(bench.report.whole);
    ck_assert_uint_eq(bench_list("a").entries, 1);
    ck_assert_uint_eq(bench.report.change.removed, 3);
}
END_TEST

START_TEST(a_page_that_comes_twice_ends_the_pull)
{
    ck_assert_int_eq(PULL({.body = RECORDS(RECORD("1", "Active"), "true", "t")},
                          {.body = RECORDS(RECORD("1", "Active"), "true", "u")}),
                     FEED_FAILED);
    ck_assert_ptr_nonnull(strstr(bench.diag.text, "page 2 is one that came before"));
    ck_assert_int_eq(PULL({.body = RECORDS(RECORD("1", "Active"), "true", "t")},
                          {.body = RECORDS("", "true", "u")}, {.body = RECORDS("", "true", "t")}),
                     FEED_FAILED);
    ck_assert_ptr_nonnull(strstr(bench.diag.text, "page 3 is one that came before"));
    /* Pages of nothing that can be matched are alike, and are no repetition. */
    ck_assert_int_eq(PULL({.body = RECORDS("", "true", "t")}, {.body = RECORDS("", "true", "u")},
                          {.body = RECORDS(RECORD("1", "Active"), "false", "")}),
                     FEED_PULLED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("feed pull");
    TCase *tests = tcase_create("ncmec");
    TCase *others = tcase_create("stopncii");

    tcase_add_checked_fixture(tests, start_ncmec, stop_bench);
    tcase_add_test(tests, a_pull_asks_the_clock_then_the_pages_then_moves_on);
    tcase_add_test(tests, a_pull_that_finds_nothing_makes_the_lists_young_and_no_version);
    tcase_add_test(tests, calls_that_fail_are_made_again_with_growing_waits);
    tcase_add_test(tests, the_seventh_failure_of_a_call_is_the_last);
    tcase_add_test(tests, a_page_that_is_cut_is_asked_for_again);
    tcase_add_test(tests, what_the_source_asks_for_is_waited_for_up_to_a_bound);
    tcase_add_loop_test(tests, other_outcomes_end_a_pull_at_once_wherever_they_come, 0,
                        (int)(sizeof endings / sizeof endings[0]));
    tcase_add_test(tests, a_wait_ends_when_the_process_is_to_end);
    tcase_add_test(tests, all_pages_together_have_a_limit);
    tcase_add_test(tests, one_list_that_cannot_take_a_page_stops_all);
    tcase_add_test(tests, a_checkpoint_that_cannot_be_written_costs_a_repetition);
    tcase_add_test(tests, bad_records_that_are_skipped_are_told_of_a_hundred_times);
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(others, start_stopncii, stop_bench);
    tcase_add_test(others, stopncii_is_merged_then_replaced_after_30_days);
    tcase_add_test(others, a_page_that_comes_twice_ends_the_pull);
    suite_add_tcase(suite, others);
    return run_suite(suite);
}
