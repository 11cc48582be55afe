/* Every call to the disk and every allocation of a record store fails once: what is answered is on disk, and
 * what failed is not there. */
#include "prescreen/store/records.h"

#include "allocation_faults.h"
#include "disk_faults.h"
#include "store_folder.h"
#include "tap.h"

#include <pthread.h>

enum { POINTS_MAX = 20000, THREADS = 32 };

static struct store_folder folder;
static struct record_store *store;
static struct diag diag;

static void set_up(void)
{
    folder = make_folder();
    ck_assert_msg(record_store_open(folder.path, &store, &diag) == 0, "%s", diag.text);
}

static void tear_down(void)
{
    record_store_close(store);
    remove_folder(&folder);
}

static struct screening_record record_of(const char *screening_id)
{
    return (struct screening_record){.screening_id = screening_id,
                                     .verdict = VERDICT_REPORT,
                                     .reasons_json = "[]",
                                     .matches_json = "[]",
                                     .media_json = "",
                                     .hashes_json = "",
                                     .profile = "default",
                                     .policy_version = "",
                                     .content_id = "",
                                     .account_ref = "",
                                     .key_name = "",
                                     .request_id = ""};
}

/* Adds the record of a number with an idempotent request of its own. */
static int add(unsigned long number, struct diag *why)
{
    char id[32];
    char *first = NULL;

    snprintf(id, sizeof id, "%lu", number);
    struct screening_record record = record_of(id);
    struct idempotent_request request = {.key_name = "k", .idempotency_key = id};
    int result = record_store_add(store, &record, 1, &request, id, &first, why);
    /* No assertion here: it would allocate, and that may be what fails. */
    return first != NULL ? RECORD_REPEATED : result;
}

/* The record, its row of the outbox and its answer are there, all or none. */
static void expect_kept(unsigned long number, bool kept)
{
    char sql[256];

    snprintf(sql, sizeof sql,
             "SELECT (SELECT count(*) FROM record WHERE screening_id = '%lu') ||"
             " (SELECT count(*) FROM outbox WHERE screening_id = '%lu') ||"
             " (SELECT count(*) FROM answer WHERE idempotency_key = '%lu')",
             number, number, number);
    ck_assert_str_eq(ask_sql(&folder, "records.sqlite", sql), kept ? "111" : "000");
}

START_TEST(failing_disk_keeps_all_or_nothing_and_says_so)
{
    static const int systems[] = {EIO, ENOSPC};
    unsigned long number = 0;

    for (size_t kind = 0; kind < 4; kind++) {
        bool failed = true;
        unsigned long nth = 1;

        for (; failed && nth < POINTS_MAX; nth++) {
            fail_disk(nth, kind % 2 != 0, systems[kind / 2]);
            int result = add(++number, &diag);
            failed = disk_has_failed();
            heal_disk();
            ck_assert_msg(result == 0 || (failed && (result == -EIO || result == -ENOSPC) &&
                                          strstr(diag.text, "records.sqlite: ") != NULL),
                          "call %lu: %d %s", nth, result, diag.text);
            expect_kept(number, result == 0);
        }
        ck_assert_uint_gt(nth, 5);
    }
    ck_assert_str_eq(ask_sql(&folder, "records.sqlite", "PRAGMA integrity_check"), "ok");
}
END_TEST

START_TEST(failing_disk_fails_the_probe)
{
    fail_disk(1, true, ENOSPC);
    ck_assert_int_lt(record_store_probe(store, &diag), 0);
    heal_disk();
    ck_assert_int_eq(record_store_probe(store, &diag), 0);
}
END_TEST

START_TEST(every_add_and_probe_is_flushed_before_it_returns)
{
    unsigned long before = disk.syncs;

    ck_assert_int_eq(add(1, &diag), 0);
    ck_assert_uint_eq(disk.syncs, before + 1);
    ck_assert_int_eq(add(2, &diag), 0);
    ck_assert_uint_eq(disk.syncs, before + 2);
    ck_assert_int_eq(record_store_probe(store, &diag), 0);
    ck_assert_uint_eq(disk.syncs, before + 3);
}
END_TEST

/* SQLite's json_valid() takes text for wrong when it has no memory to read it. */
static bool tells_of_memory(int result)
{
    return result == -ENOMEM || (result == -EINVAL && strstr(diag.text, "cannot store BLOB value") != NULL);
}

START_TEST(lack_of_memory_keeps_all_or_nothing_and_says_so)
{
    bool failed = true;
    unsigned long nth = 1;

    for (; failed && nth < POINTS_MAX; nth++) {
        fail_allocation(nth);
        int result = add(nth, &diag);
        failed = allocation_has_failed();
        fail_allocation(0);
        ck_assert_msg(result == 0 || (failed && tells_of_memory(result)), "allocation %lu: %d %s", nth,
                      result, diag.text);
        expect_kept(nth, result == 0);
    }
    ck_assert_uint_gt(nth, 10);
}
END_TEST

START_TEST(lack_of_memory_is_told_to_a_reader)
{
    struct idempotent_request request = {.key_name = "k", .idempotency_key = "1"};
    bool failed = true;
    unsigned long nth = 1;

    ck_assert_int_eq(add(1, &diag), 0);
    for (; failed && nth < POINTS_MAX; nth++) {
        char *text = NULL;

        fail_allocation(nth);
        int result = record_store_get(store, "1", &text, &diag);
        failed = allocation_has_failed();
        fail_allocation(0);
        ck_assert_msg(failed ? result == -ENOMEM || result == 0 : result == 0, "%lu: %d", nth, result);
        ck_assert_int_eq(text != NULL, result == 0);
        free(text);
        text = NULL;
        fail_allocation(nth);
        result = record_store_find_answer(store, &request, &text, &diag);
        failed = failed || allocation_has_failed();
        fail_allocation(0);
        ck_assert_int_eq(result, text != NULL ? RECORD_REPEATED : -ENOMEM);
        free(text);
    }
    ck_assert_uint_gt(nth, 5);
}
END_TEST

START_TEST(lack_of_memory_lets_no_half_store_open)
{
    bool failed = true;
    unsigned long nth = 1;

    for (; failed && nth < POINTS_MAX; nth += nth < 20 ? 1 : 11) {
        struct record_store *other = NULL;

        fail_allocation(nth);
        int result = record_store_open(folder.path, &other, &diag);
        failed = allocation_has_failed();
        fail_allocation(0);
        ck_assert_msg(result == 0 || result == -ENOMEM, "%lu: %d %s", nth, result, diag.text);
        ck_assert_int_eq(result == 0, other != NULL);
        record_store_close(other);
    }
    ck_assert_uint_gt(nth, 100);
}
END_TEST

struct adder {
    pthread_t thread;
    unsigned long number;
    int outcome;
    struct diag diag;
};

static void *add_one(void *context)
{
    struct adder *adder = context;

    adder->outcome = add(adder->number, &adder->diag);
    return NULL;
}

/* A disk that fails in the middle of a shared transaction: each is told the truth about its own record. */
START_TEST(failing_disk_under_many_adds_tells_each_the_truth)
{
    static struct adder adders[THREADS];
    unsigned int kept = 0;
    unsigned int lost = 0;

    for (unsigned long round = 1; round <= 60; round++) {
        fail_disk(round, round % 3 == 0, ENOSPC);
        for (unsigned long i = 0; i < THREADS; i++) {
            adders[i] = (struct adder){.number = round * 100 + i};
            ck_assert_int_eq(pthread_create(&adders[i].thread, NULL, add_one, &adders[i]), 0);
        }
        for (unsigned int i = 0; i < THREADS; i++)
            pthread_join(adders[i].thread, NULL);
        heal_disk();
        for (unsigned int i = 0; i < THREADS; i++) {
            ck_assert_int_le(adders[i].outcome, 0);
            expect_kept(adders[i].number, adders[i].outcome == 0);
            kept += adders[i].outcome == 0;
            lost += adders[i].outcome != 0;
        }
    }
    ck_assert_uint_gt(kept, 100);
    ck_assert_uint_gt(lost, 20);
    ck_assert_int_eq(add(1, &diag), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("record_store_faults");
    TCase *tests = tcase_create("record_store_faults");

    install_disk_faults();
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, failing_disk_keeps_all_or_nothing_and_says_so);
    tcase_add_test(tests, failing_disk_fails_the_probe);
    tcase_add_test(tests, every_add_and_probe_is_flushed_before_it_returns);
    tcase_add_test(tests, lack_of_memory_keeps_all_or_nothing_and_says_so);
    tcase_add_test(tests, lack_of_memory_is_told_to_a_reader);
    tcase_add_test(tests, lack_of_memory_lets_no_half_store_open);
    tcase_add_test(tests, failing_disk_under_many_adds_tells_each_the_truth);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
