/* Every call to the disk and every allocation of a pull fails once: the list is as it was or as the source
 * says, and the checkpoint never says more than the list has. */
#include "allocation_faults.h"
#include "disk_faults.h"
#include "feed_bench.h"
#include "tap.h"

#include <libxml/xmlerror.h>

enum { POINTS_MAX = 20000 };

static void say_nothing(void *context, const char *format, ...)
{
    (void)context;
    (void)format;
}

/* libxml2 keeps what it needs for good, sets itself up at its first use, and would print each failure. */
static void warm_up(void)
{
    xmlSetGenericErrorFunc(NULL, say_nothing);
    start_bench(FEED_NCMEC);
    ck_assert_int_eq(PULL({.body = QUERY LAST}), FEED_PULLED);
    stop_bench();
}

static bool has_checkpoint(void)
{
    return access(bench_path("f.checkpoint"), F_OK) == 0;
}

/* Pulls two pages while something fails; begin_failing and end_failing say what. False: nothing failed. */
static bool pull_with_fault(unsigned long nth, void (*begin_failing)(unsigned long nth),
                            bool (*end_failing)(void))
{
    start_bench(FEED_NCMEC);
    begin_failing(nth);
    enum feed_outcome outcome =
        PULL({.body = QUERY IMAGE("1", MD5_A) NEXT("x")}, {.body = QUERY IMAGE("2", MD5_B) LAST});
    const bool failed = end_failing();
    const uint64_t entries = bench_list("a").entries;

    /* A page that was misread for want of memory is asked for again, and the script has no more. */
    ck_assert_msg(outcome == FEED_PULLED || (failed && outcome == FEED_FAILED), "%lu: %s", nth,
                  bench.diag.text);
    ck_assert_msg(entries == 0 || entries == 2, "%lu: %d", nth, (int)entries);
    ck_assert_msg(!has_checkpoint() || entries == 2, "%lu: a checkpoint without its list", nth);
    ck_assert_msg(outcome != FEED_PULLED || (has_checkpoint() && entries == 2), "%lu: not pulled", nth);
    if (outcome != FEED_PULLED) {
        ck_assert_msg(bench.diag.text[0] != '\0', "%lu: nothing is said", nth);
        /* The next one is right, whatever was left behind. */
        bench.now_s += 100;
        bench.date_s += 100;
        ck_assert_msg(PULL({.body = QUERY IMAGE("1", MD5_A) IMAGE("2", MD5_B) LAST}) == FEED_PULLED,
                      "%lu: %s", nth, bench.diag.text);
        ck_assert_uint_eq(bench_list("a").entries, 2);
    }
    stop_bench();
    return failed;
}

static bool end_allocation_faults(void)
{
    bool failed = allocation_has_failed();

    fail_allocation(0);
    return failed;
}

/* Each of so many tests takes every so manieth: together they take some seconds, and longer when sanitized.
 */
enum { SHARES = 8 };

START_TEST(every_allocation_may_fail)
{
    unsigned long nth = 1 + (unsigned long)_i;

    warm_up();
    while (pull_with_fault(nth, fail_allocation, end_allocation_faults)) {
        nth += SHARES;
        ck_assert_uint_lt(nth, POINTS_MAX);
    }
    ck_assert_uint_gt(nth, 50);
}
END_TEST

static void begin_disk_faults(unsigned long nth)
{
    fail_disk(nth, true, ENOSPC);
}

static bool end_disk_faults(void)
{
    bool failed = disk_has_failed();

    heal_disk();
    return failed;
}

START_TEST(every_call_to_the_disk_may_fail)
{
    unsigned long nth = 1;

    warm_up();
    while (pull_with_fault(nth, begin_disk_faults, end_disk_faults)) {
        nth++;
        ck_assert_uint_lt(nth, POINTS_MAX);
    }
    ck_assert_uint_gt(nth, 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("feed faults");
    TCase *tests = tcase_create("feed faults");

    install_disk_faults();
    tcase_add_loop_test(tests, every_allocation_may_fail, 0, SHARES);
    tcase_add_test(tests, every_call_to_the_disk_may_fail);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
