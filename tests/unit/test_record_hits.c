#include "prescreen/store/records.h"

#include "disk_faults.h"
#include "store_folder.h"
#include "tap.h"

#include <errno.h>

#define HOUR_US UINT64_C(3600000000)

/* A whole multiple of an hour. */
#define BEGIN_US (UINT64_C(500000) * HOUR_US)

static struct store_folder folder;
static struct record_store *store;
static struct diag diag;
static unsigned int records;

static void open_store(void)
{
    ck_assert_msg(record_store_open(folder.path, &store, &diag) == 0, "%s", diag.text);
}

static void set_up(void)
{
    folder = make_folder();
    open_store();
    records = 0;
}

static void tear_down(void)
{
    record_store_close(store);
    remove_folder(&folder);
}

/* One record of a source at a time that rests on so many entries: "1", "2" … */
static int try_add(uint64_t at_us, const char *source, struct record_hit *hits, size_t count)
{
    char id[40];
    struct screening_record record = {.screening_id = id,
                                      .at_us = at_us,
                                      .verdict = VERDICT_REPORT,
                                      .complete = true,
                                      .reasons_json = "[]",
                                      .matches_json = "[]",
                                      .media_json = "",
                                      .hashes_json = "",
                                      .profile = "default",
                                      .audience = AUDIENCE_UNKNOWN,
                                      .policy_version = "p",
                                      .lists_version = 1,
                                      .content_id = "",
                                      .account_ref = "",
                                      .key_name = "k",
                                      .request_id = "",
                                      .hits = hits,
                                      .hit_count = count,
                                      .hit_source = source,
                                      .hit_window_us = HOUR_US};

    snprintf(id, sizeof id, "record-%u", records++);
    return record_store_add(store, &record, 1, NULL, NULL, NULL, &diag);
}

static struct record_hit add(uint64_t at_us, const char *source)
{
    struct record_hit hit = {.list = 7, .entry_id = "1"};

    ck_assert_msg(try_add(at_us, source, &hit, 1) == 0, "%s", diag.text);
    return hit;
}

/* A match of a source that was none before. */
static struct record_hit add_other(uint64_t at_us)
{
    static unsigned int sources;
    char source[32];

    snprintf(source, sizeof source, "other-%u", sources++);
    return add(at_us, source);
}

START_TEST(matches_of_other_sources_all_count)
{
    for (uint64_t i = 1; i <= 20; i++)
        ck_assert_uint_eq(add_other(BEGIN_US + i).recent, i);
}
END_TEST

START_TEST(a_source_counts_once_a_window)
{
    ck_assert_uint_eq(add(BEGIN_US, "a").recent, 1);
    ck_assert_uint_eq(add(BEGIN_US + 1, "a").recent, 1);
    ck_assert_uint_eq(add(BEGIN_US + 2, "b").recent, 2);
    ck_assert_uint_eq(add(BEGIN_US + 3, "a").recent, 2);
    ck_assert_uint_eq(add(BEGIN_US + HOUR_US + HOUR_US / 2, "a").recent, 2); /* 1, and half of 2 */
    ck_assert_uint_eq(add(BEGIN_US + HOUR_US + HOUR_US / 2, "b").recent, 3);
    ck_assert_uint_eq(add(BEGIN_US + HOUR_US + HOUR_US / 2, "b").recent, 3);
}
END_TEST

START_TEST(entries_and_lists_are_counted_apart)
{
    struct record_hit hits[] = {
        {.list = 7, .entry_id = "1"}, {.list = 7, .entry_id = "2"}, {.list = 8, .entry_id = "1"}};

    add(BEGIN_US, "a");
    add(BEGIN_US, "b");
    ck_assert_int_eq(try_add(BEGIN_US, "c", hits, 3), 0);
    ck_assert_uint_eq(hits[0].recent, 3);
    ck_assert_uint_eq(hits[1].recent, 1);
    ck_assert_uint_eq(hits[2].recent, 1);
}
END_TEST

START_TEST(a_window_fades_into_the_next)
{
    struct record_hit hit;

    for (int i = 0; i < 40; i++)
        add_other(BEGIN_US + HOUR_US - 1);
    hit = add_other(BEGIN_US + HOUR_US);
    ck_assert_uint_eq(hit.recent, 41);
    hit = add_other(BEGIN_US + HOUR_US + HOUR_US * 3 / 4);
    ck_assert_uint_eq(hit.recent, 2 + 10);
    hit = add_other(BEGIN_US + 2 * HOUR_US);
    ck_assert_uint_eq(hit.recent, 1 + 2);
    hit = add_other(BEGIN_US + 9 * HOUR_US);
    ck_assert_uint_eq(hit.recent, 1);
}
END_TEST

START_TEST(what_is_usual_is_learnt_and_forgotten)
{
    struct record_hit hit = add_other(BEGIN_US);

    ck_assert(hit.usual < 1e-9 && hit.usual > -1e-9);
    for (uint64_t hour = 1; hour < 200; hour++) {
        for (int i = 0; i < 12; i++)
            hit = add_other(BEGIN_US + hour * HOUR_US);
        ck_assert(hit.usual <= 12);
    }
    ck_assert_msg(hit.usual > 11.9, "%f", hit.usual);
    hit = add_other(BEGIN_US + 224 * HOUR_US);
    ck_assert_msg(hit.usual > 4 && hit.usual < 5, "%f", hit.usual); /* 12 / e */
    hit = add_other(BEGIN_US + 20000 * HOUR_US);
    ck_assert_msg(hit.usual < 0.01, "%f", hit.usual);
}
END_TEST

START_TEST(a_clock_that_is_set_back_loses_no_count)
{
    add_other(BEGIN_US + 5 * HOUR_US);
    add_other(BEGIN_US + 5 * HOUR_US);
    ck_assert_uint_eq(add_other(BEGIN_US + HOUR_US).recent, 3);
    ck_assert_uint_eq(add_other(BEGIN_US + 5 * HOUR_US).recent, 4);
}
END_TEST

START_TEST(counts_outlive_the_process)
{
    add(BEGIN_US, "a");
    add(BEGIN_US, "b");
    record_store_close(store);
    open_store();
    ck_assert_uint_eq(add(BEGIN_US, "b").recent, 2);
    ck_assert_uint_eq(add(BEGIN_US, "c").recent, 3);
}
END_TEST

START_TEST(a_record_that_is_not_added_does_not_count)
{
    struct record_hit hit = {.list = 7, .entry_id = "1"};

    add(BEGIN_US, "a");
    records--;
    ck_assert_int_eq(try_add(BEGIN_US, "b", &hit, 1), -EEXIST);
    ck_assert_uint_eq(add(BEGIN_US, "b").recent, 2);
}
END_TEST

START_TEST(a_failing_disk_counts_all_or_nothing)
{
    bool failed = true;
    uint64_t counted = 0;
    unsigned long nth = 1;
    char source[32];

    for (; failed && nth < 200; nth++) {
        struct record_hit hits[] = {{.list = 7, .entry_id = "1"}, {.list = 7, .entry_id = "2"}};

        snprintf(source, sizeof source, "s%lu", nth);
        fail_disk(nth, false, EIO);
        int result = try_add(BEGIN_US, source, hits, 2);
        failed = disk_has_failed();
        heal_disk();
        counted += result == 0;
        ck_assert(result == 0 || (failed && result < 0));
        if (result == 0)
            ck_assert_uint_eq(hits[0].recent, counted);
        if (result == 0)
            ck_assert_uint_eq(hits[1].recent, counted);
    }
    ck_assert_uint_gt(nth, 3);
    ck_assert_uint_lt(nth, 200);
}
END_TEST

START_TEST(what_is_old_is_forgotten)
{
    add(BEGIN_US, "a");
    add(BEGIN_US + 30 * 24 * HOUR_US, "b");
    ck_assert_int_eq(record_store_forget_hits(store, BEGIN_US + 31 * 24 * HOUR_US, &diag), 0);
    ck_assert_str_eq(ask_sql(&folder, "records.sqlite", "SELECT group_concat(source) FROM hit_source"), "b");
    ck_assert_str_eq(ask_sql(&folder, "records.sqlite", "SELECT count(*) FROM hit"), "1");
    ck_assert_int_eq(record_store_forget_hits(store, BEGIN_US + 131 * 24 * HOUR_US, &diag), 0);
    ck_assert_str_eq(ask_sql(&folder, "records.sqlite", "SELECT count(*) FROM hit"), "0");
    ck_assert_int_eq(record_store_forget_hits(store, 5, &diag), 0);
}
END_TEST

START_TEST(more_than_one_portion_is_forgotten)
{
    ck_assert_int_eq(
        run_sql(&folder, "records.sqlite",
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1203)"
                " INSERT INTO hit_source(list, entry_id, source, began_us) SELECT 1, 'x', i, 1 FROM n"),
        SQLITE_OK);
    ck_assert_int_eq(record_store_forget_hits(store, BEGIN_US, &diag), 0);
    ck_assert_str_eq(ask_sql(&folder, "records.sqlite", "SELECT count(*) FROM hit_source"), "0");
}
END_TEST

START_TEST(a_store_of_an_older_layout_counts_too)
{
    add(BEGIN_US, "a");
    record_store_close(store);
    ck_assert_int_eq(
        run_sql(&folder, "records.sqlite", "DROP TABLE hit; DROP TABLE hit_source; PRAGMA user_version = 1"),
        SQLITE_OK);
    open_store();
    ck_assert_uint_eq(add(BEGIN_US, "a").recent, 1);
    ck_assert_str_eq(ask_sql(&folder, "records.sqlite", "SELECT count(*) FROM record"), "2");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("record hits");
    TCase *tests = tcase_create("record hits");

    install_disk_faults();
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, matches_of_other_sources_all_count);
    tcase_add_test(tests, a_source_counts_once_a_window);
    tcase_add_test(tests, entries_and_lists_are_counted_apart);
    tcase_add_test(tests, a_window_fades_into_the_next);
    tcase_add_test(tests, what_is_usual_is_learnt_and_forgotten);
    tcase_add_test(tests, a_clock_that_is_set_back_loses_no_count);
    tcase_add_test(tests, counts_outlive_the_process);
    tcase_add_test(tests, a_record_that_is_not_added_does_not_count);
    tcase_add_test(tests, a_failing_disk_counts_all_or_nothing);
    tcase_add_test(tests, what_is_old_is_forgotten);
    tcase_add_test(tests, more_than_one_portion_is_forgotten);
    tcase_add_test(tests, a_store_of_an_older_layout_counts_too);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
