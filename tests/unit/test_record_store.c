#include "prescreen/base/clock.h"
#include "prescreen/store/records.h"

#include "store_folder.h"
#include "tap.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { THREADS = 64, ADDS = 12, KILLS = 50 };

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

static struct screening_record record_of(const char *screening_id, enum verdict verdict)
{
    return (struct screening_record){.screening_id = screening_id,
                                     .at_us = 1700000000000001,
                                     .verdict = verdict,
                                     .complete = true,
                                     .reasons_json = "[\"match.exact\"]",
                                     .matches_json = "[]",
                                     .media_json = "{\"format\":\"jpeg\"}",
                                     .hashes_json = "",
                                     .profile = "default",
                                     .audience = AUDIENCE_CHILD,
                                     .policy_version = "p1",
                                     .lists_version = 42,
                                     .content_id = "c\"1\"",
                                     .account_ref = "",
                                     .key_name = "upload",
                                     .request_id = "r-1"};
}

static int add(const char *screening_id, enum verdict verdict)
{
    struct screening_record record = record_of(screening_id, verdict);

    return record_store_add(store, &record, 1, NULL, NULL, NULL, &diag);
}

static const char *ask(const char *sql)
{
    return ask_sql(&folder, "records.sqlite", sql);
}

static struct idempotent_request request_of(const char *key_name, const char *key, uint8_t fingerprint)
{
    struct idempotent_request request = {.key_name = key_name, .idempotency_key = key};

    memset(request.fingerprint, fingerprint, sizeof request.fingerprint);
    return request;
}

START_TEST(store_is_for_its_owner_alone_and_newer_ones_are_refused)
{
    struct record_store *other = NULL;

    ck_assert_uint_eq(mode_of(file_in(&folder, "records.sqlite")), 0600);
    ck_assert_uint_eq(mode_of(file_in(&folder, "records.sqlite-wal")), 0600);
    ck_assert_str_eq(ask("PRAGMA journal_mode"), "wal");
    ck_assert_int_eq(run_sql(&folder, "records.sqlite", "PRAGMA user_version=3"), SQLITE_OK);
    ck_assert_int_eq(record_store_open(folder.path, &other, &diag), -ENOTSUP);
    ck_assert_ptr_null(other);
    ck_assert_int_eq(run_sql(&folder, "records.sqlite", "PRAGMA user_version=2"), SQLITE_OK);
    ck_assert_int_eq(record_store_open(folder.path, &other, &diag), 0);
    record_store_close(other);
    record_store_close(NULL);
}
END_TEST

START_TEST(record_comes_back_whole)
{
    struct screening_record record = record_of("one", VERDICT_BLOCK);
    char *json = NULL;

    ck_assert_int_eq(record_store_add(store, &record, 1, NULL, NULL, NULL, &diag), 0);
    ck_assert_int_eq(record_store_get(store, "one", &json, &diag), 0);
    ck_assert_str_eq(json,
                     "{\"screening_id\":\"one\",\"at\":\"2023-11-14T22:13:20.000001Z\",\"verdict\":\"block\","
                     "\"complete\":true,\"reasons\":[\"match.exact\"],\"matches\":[],"
                     "\"media\":{\"format\":\"jpeg\"},\"hashes\":null,\"profile\":\"default\","
                     "\"audience\":\"child\",\"policy_version\":\"p1\",\"lists_version\":42,"
                     "\"content_id\":\"c\\\"1\\\"\",\"account_ref\":null,\"key_name\":\"upload\","
                     "\"request_id\":\"r-1\"}");
    free(json);
    json = NULL;
    record.screening_id = "two";
    record.complete = false;
    ck_assert_int_eq(record_store_add(store, &record, 1, NULL, NULL, NULL, &diag), 0);
    ck_assert_int_eq(record_store_get(store, "two", &json, &diag), 0);
    ck_assert_ptr_nonnull(strstr(json, "\"complete\":false"));
    free(json);
    json = NULL;
    ck_assert_int_eq(record_store_get(store, "three", &json, &diag), RECORD_NOT_FOUND);
    ck_assert_ptr_null(json);
}
END_TEST

START_TEST(report_verdict_gets_its_row_of_the_outbox)
{
    uint64_t before = clock_wall_us();

    ck_assert_int_eq(add("allowed", VERDICT_ALLOW), 0);
    ck_assert_int_eq(add("blocked", VERDICT_BLOCK), 0);
    ck_assert_int_eq(add("reported", VERDICT_REPORT), 0);
    ck_assert_str_eq(ask("SELECT group_concat(screening_id || ' ' || state) FROM outbox"),
                     "reported pending");
    ck_assert_uint_ge(strtoull(ask("SELECT created_us FROM outbox"), NULL, 10), before);
    ck_assert_str_eq(ask("SELECT count(*) FROM record"), "3");
}
END_TEST

START_TEST(records_of_one_call_are_added_all_or_none)
{
    struct screening_record records[3] = {record_of("a", VERDICT_REPORT), record_of("b", VERDICT_REPORT),
                                          record_of("c", VERDICT_BLOCK)};
    struct idempotent_request request = request_of("k", "i", 1);
    char *answer = NULL;

    ck_assert_int_eq(add("b", VERDICT_ALLOW), 0);
    ck_assert_int_eq(record_store_add(store, records, 3, &request, "{}", &answer, &diag), -EEXIST);
    ck_assert_ptr_nonnull(strstr(diag.text, "records.sqlite: UNIQUE constraint failed: record.screening_id"));
    ck_assert_str_eq(ask("SELECT (SELECT count(*) FROM record) || (SELECT count(*) FROM outbox) ||"
                         " (SELECT count(*) FROM answer)"),
                     "100");
    records[1].screening_id = "d";
    ck_assert_int_eq(record_store_add(store, records, 3, &request, "{}", &answer, &diag), 0);
    ck_assert_str_eq(ask("SELECT (SELECT count(*) FROM record) || (SELECT count(*) FROM outbox) ||"
                         " (SELECT count(*) FROM answer)"),
                     "421");
    ck_assert_ptr_null(answer);
}
END_TEST

START_TEST(what_cannot_be_shown_again_is_not_kept)
{
    struct screening_record record = record_of("a", VERDICT_BLOCK);

    record.matches_json = "[";
    ck_assert_int_eq(record_store_add(store, &record, 1, NULL, NULL, NULL, &diag), -EINVAL);
    record = record_of("a", VERDICT_BLOCK);
    record.at_us = UINT64_MAX;
    ck_assert_int_eq(record_store_add(store, &record, 1, NULL, NULL, NULL, &diag), -EINVAL);
    ck_assert_str_eq(ask("SELECT count(*) FROM record"), "0");
}
END_TEST

START_TEST(records_are_only_ever_added)
{
    ck_assert_int_eq(add("a", VERDICT_REPORT), 0);
    ck_assert_int_ne(run_sql(&folder, "records.sqlite", "DELETE FROM record"), SQLITE_OK);
    ck_assert_int_ne(run_sql(&folder, "records.sqlite", "UPDATE record SET verdict = 'allow'"), SQLITE_OK);
    ck_assert_int_ne(run_sql(&folder, "records.sqlite",
                             "PRAGMA recursive_triggers=ON; REPLACE INTO record SELECT * FROM record"),
                     SQLITE_OK);
    ck_assert_str_eq(ask("SELECT verdict FROM record"), "report");
}
END_TEST

START_TEST(repeated_request_gets_the_first_answer)
{
    struct screening_record record = record_of("a", VERDICT_REPORT);
    struct idempotent_request request = request_of("k", "i", 1);
    struct idempotent_request other = request_of("k", "i", 2);
    char *answer = NULL;

    ck_assert_int_eq(record_store_find_answer(store, &request, &answer, &diag), 0);
    ck_assert_int_eq(record_store_add(store, &record, 1, &request, "{\"n\":1}", &answer, &diag), 0);
    ck_assert_ptr_null(answer);
    record.screening_id = "b";
    ck_assert_int_eq(record_store_add(store, &record, 1, &request, "{\"n\":2}", &answer, &diag),
                     RECORD_REPEATED);
    ck_assert_str_eq(answer, "{\"n\":1}");
    free(answer);
    answer = NULL;
    ck_assert_int_eq(record_store_find_answer(store, &request, &answer, &diag), RECORD_REPEATED);
    ck_assert_str_eq(answer, "{\"n\":1}");
    free(answer);
    answer = NULL;
    ck_assert_int_eq(record_store_add(store, &record, 1, &other, "{}", &answer, &diag), RECORD_CONFLICT);
    ck_assert_str_eq(diag.text, "the idempotency key was used with other bytes or parameters");
    ck_assert_int_eq(record_store_find_answer(store, &other, &answer, &diag), RECORD_CONFLICT);
    ck_assert_ptr_null(answer);
    ck_assert_str_eq(ask("SELECT (SELECT count(*) FROM record) || (SELECT count(*) FROM outbox)"), "11");
    /* The key belongs to its caller; and an answer alone can be kept. */
    request = request_of("k2", "i", 3);
    ck_assert_int_eq(record_store_add(store, NULL, 0, &request, "{}", &answer, &diag), 0);
    ck_assert_int_eq(record_store_find_answer(store, &request, &answer, &diag), RECORD_REPEATED);
    free(answer);
}
END_TEST

/* Makes every answer as old as its life, and then that many seconds younger. */
static void age_answers(int younger_s)
{
    char sql[128];
    int64_t life_us = IDEMPOTENCY_LIFE_HOURS * INT64_C(3600000000);

    snprintf(sql, sizeof sql, "UPDATE answer SET created_us = %lld",
             (long long)((int64_t)clock_wall_us() - life_us + younger_s * INT64_C(1000000)));
    ck_assert_int_eq(run_sql(&folder, "records.sqlite", sql), SQLITE_OK);
}

START_TEST(answer_lives_for_a_day)
{
    struct idempotent_request request = request_of("k", "i", 1);
    struct idempotent_request other = request_of("k", "i", 2);
    char *answer = NULL;

    ck_assert_int_eq(record_store_add(store, NULL, 0, &request, "1", &answer, &diag), 0);
    age_answers(30);
    ck_assert_int_eq(record_store_find_answer(store, &request, &answer, &diag), RECORD_REPEATED);
    free(answer);
    answer = NULL;
    ck_assert_int_eq(record_store_find_answer(store, &other, &answer, &diag), RECORD_CONFLICT);
    age_answers(0);
    ck_assert_int_eq(record_store_find_answer(store, &request, &answer, &diag), 0);
    ck_assert_int_eq(record_store_find_answer(store, &other, &answer, &diag), 0);
    ck_assert_int_eq(record_store_add(store, NULL, 0, &other, "2", &answer, &diag), 0);
    ck_assert_int_eq(record_store_find_answer(store, &other, &answer, &diag), RECORD_REPEATED);
    ck_assert_str_eq(answer, "2");
    free(answer);
    answer = NULL;
    ck_assert_int_eq(record_store_find_answer(store, &request, &answer, &diag), RECORD_CONFLICT);
}
END_TEST

START_TEST(answers_past_their_life_are_forgotten)
{
    uint64_t now = clock_wall_us();
    uint64_t life_us = IDEMPOTENCY_LIFE_HOURS * UINT64_C(3600000000);
    char sql[512];

    /* 1201 at the end of their life, 3 one microsecond younger. */
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1204)"
             " INSERT INTO answer(key_name, idempotency_key, fingerprint, answer, created_us)"
             " SELECT 'k', i, zeroblob(32), '{}', %llu + (i > 1201) FROM n",
             (unsigned long long)(now - life_us));
    ck_assert_int_eq(run_sql(&folder, "records.sqlite", sql), SQLITE_OK);
    ck_assert_int_eq(record_store_forget_answers(store, now - 1, &diag), 0);
    ck_assert_str_eq(ask("SELECT count(*) FROM answer"), "1204");
    ck_assert_int_eq(record_store_forget_answers(store, now, &diag), 0);
    ck_assert_str_eq(ask("SELECT count(*) FROM answer"), "3");
    ck_assert_int_eq(record_store_forget_answers(store, 5, &diag), 0);
    ck_assert_str_eq(ask("SELECT count(*) FROM answer"), "3");
}
END_TEST

START_TEST(probe_leaves_nothing_behind)
{
    ck_assert_int_eq(record_store_probe(store, &diag), 0);
    ck_assert_int_eq(record_store_probe(store, &diag), 0);
    ck_assert_str_eq(ask("SELECT (SELECT count(*) FROM probe) || (SELECT count(*) FROM record)"), "00");
}
END_TEST

START_TEST(damaged_answer_is_an_error_and_not_a_conflict)
{
    struct idempotent_request request = request_of("k", "i", 1);
    char *answer = NULL;

    ck_assert_int_eq(record_store_add(store, NULL, 0, &request, "1", &answer, &diag), 0);
    ck_assert_int_eq(run_sql(&folder, "records.sqlite", "UPDATE answer SET fingerprint = x'01'"), SQLITE_OK);
    ck_assert_int_eq(record_store_find_answer(store, &request, &answer, &diag), -EBADMSG);
    ck_assert_int_eq(record_store_add(store, NULL, 0, &request, "1", &answer, &diag), -EBADMSG);
    ck_assert_ptr_null(answer);
}
END_TEST

struct adder {
    pthread_t thread;
    unsigned int number;
    int outcomes[ADDS];
    char *answers[ADDS];
    struct diag diag;
};

static struct adder adders[THREADS];

static void run_adders(void *(*body)(void *))
{
    memset(adders, 0, sizeof adders);
    for (unsigned int i = 0; i < THREADS; i++) {
        adders[i].number = i;
        ck_assert_int_eq(pthread_create(&adders[i].thread, NULL, body, &adders[i]), 0);
    }
    for (unsigned int i = 0; i < THREADS; i++)
        pthread_join(adders[i].thread, NULL);
}

/* Every fourth thread adds, after a record of its own, one that is there already: neither may stay. */
static void *add_some(void *context)
{
    struct adder *adder = context;

    for (unsigned int i = 0; i < ADDS; i++) {
        char id[32];
        enum verdict verdict = i % 2 == 0 ? VERDICT_REPORT : VERDICT_BLOCK;

        snprintf(id, sizeof id, "%u-%u", adder->number, i);
        struct screening_record records[2] = {record_of(id, verdict), record_of("there", verdict)};
        adder->outcomes[i] =
            record_store_add(store, records, adder->number % 4 == 3 ? 2 : 1, NULL, NULL, NULL, &adder->diag);
    }
    return NULL;
}

START_TEST(adds_at_once_succeed_and_fail_each_for_itself)
{
    ck_assert_int_eq(add("there", VERDICT_ALLOW), 0);
    run_adders(add_some);
    for (unsigned int i = 0; i < THREADS; i++) {
        for (unsigned int k = 0; k < ADDS; k++)
            ck_assert_msg(adders[i].outcomes[k] == (i % 4 == 3 ? -EEXIST : 0), "%s", adders[i].diag.text);
    }
    ck_assert_int_eq(atoi(ask("SELECT count(*) FROM record")), 1 + THREADS * 3 / 4 * ADDS);
    ck_assert_int_eq(atoi(ask("SELECT count(*) FROM outbox")), THREADS * 3 / 4 * ADDS / 2);
}
END_TEST

/* All threads send the same requests, every third with other bytes. */
static void *repeat_some(void *context)
{
    struct adder *adder = context;

    for (unsigned int i = 0; i < ADDS; i++) {
        char id[32];
        char key[32];

        snprintf(id, sizeof id, "\"%u-%u\"", adder->number, i);
        snprintf(key, sizeof key, "key %u", i);
        struct screening_record record = record_of(id, VERDICT_REPORT);
        struct idempotent_request request = request_of("k", key, adder->number % 3 == 0);
        adder->outcomes[i] =
            record_store_add(store, &record, 1, &request, id, &adder->answers[i], &adder->diag);
    }
    return NULL;
}

START_TEST(race_of_equal_requests_has_one_winner)
{
    run_adders(repeat_some);
    for (unsigned int k = 0; k < ADDS; k++) {
        char first[32];
        unsigned int winner = THREADS;

        for (unsigned int i = 0; i < THREADS; i++) {
            if (adders[i].outcomes[k] == 0) {
                ck_assert_uint_eq(winner, THREADS);
                winner = i;
            }
        }
        ck_assert_uint_ne(winner, THREADS);
        snprintf(first, sizeof first, "\"%u-%u\"", winner, k);
        for (unsigned int i = 0; i < THREADS; i++) {
            if (i == winner)
                continue;
            bool same = (i % 3 == 0) == (winner % 3 == 0);
            ck_assert_msg(adders[i].outcomes[k] == (same ? RECORD_REPEATED : RECORD_CONFLICT), "%s",
                          adders[i].diag.text);
            if (same)
                ck_assert_str_eq(adders[i].answers[k], first);
            else
                ck_assert_ptr_null(adders[i].answers[k]);
            free(adders[i].answers[k]);
        }
    }
    ck_assert_int_eq(atoi(ask("SELECT count(*) FROM record")), ADDS);
    ck_assert_int_eq(atoi(ask("SELECT count(*) FROM outbox")), ADDS);
}
END_TEST

/* The first thread probes at once, the others add a moment later: they wait together while it holds the lead.
 */
static void *add_while_locked(void *context)
{
    struct adder *adder = context;
    char id[32];

    snprintf(id, sizeof id, "%u", adder->number);
    struct screening_record record = record_of(id, VERDICT_BLOCK);
    if (adder->number == 0) {
        adder->outcomes[0] = record_store_probe(store, &adder->diag);
    } else {
        usleep(500000);
        adder->outcomes[0] = record_store_add(store, &record, 1, NULL, NULL, NULL, &adder->diag);
    }
    return NULL;
}

static sqlite3 *lock_store(void)
{
    sqlite3 *db = NULL;

    ck_assert_int_eq(sqlite3_open(file_in(&folder, "records.sqlite"), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

START_TEST(adds_wait_only_so_long_for_another_process)
{
    sqlite3 *db = lock_store();
    char *json = NULL;
    uint64_t start = clock_monotonic_us();
    clock_t busy = clock();

    run_adders(add_while_locked);
    ck_assert_int_lt(clock() - busy, 2 * CLOCKS_PER_SEC);
    uint64_t waited = clock_monotonic_us() - start;
    ck_assert_uint_ge(waited, (RECORD_STORE_WAIT_MS - 500) * 1000);
    ck_assert_uint_lt(waited, (RECORD_STORE_WAIT_MS * 2 + 2000) * 1000);
    for (unsigned int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(adders[i].outcomes[0], -EBUSY);
        ck_assert_str_ne(adders[i].diag.text, "");
    }
    ck_assert_int_eq(record_store_get(store, "1", &json, &diag), RECORD_NOT_FOUND);
    sqlite3_close(db);
    /* The queue is whole again. */
    run_adders(add_while_locked);
    for (unsigned int i = 0; i < THREADS; i++)
        ck_assert_int_eq(adders[i].outcomes[0], 0);
    ck_assert_int_eq(atoi(ask("SELECT count(*) FROM record")), THREADS - 1);
}
END_TEST

static void *run_adders_aside(void *unused)
{
    (void)unused;
    run_adders(add_while_locked);
    return NULL;
}

START_TEST(who_waits_for_a_writer_goes_on_as_soon_as_it_is_done)
{
    sqlite3 *db = lock_store();
    pthread_t aside;
    uint64_t start = clock_monotonic_us();

    ck_assert_int_eq(pthread_create(&aside, NULL, run_adders_aside, NULL), 0);
    usleep(1000000);
    sqlite3_close(db);
    pthread_join(aside, NULL);
    ck_assert_uint_lt(clock_monotonic_us() - start, 3500000);
    for (unsigned int i = 0; i < THREADS; i++)
        ck_assert_int_eq(adders[i].outcomes[0], 0);
}
END_TEST

START_TEST(processes_add_side_by_side)
{
    pid_t children[3];

    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct record_store *own = NULL;
            int result = record_store_open(folder.path, &own, &diag);

            for (int k = 0; k < 40 && result == 0; k++) {
                char id[32];
                snprintf(id, sizeof id, "%d-%d", i, k);
                struct screening_record record = record_of(id, VERDICT_BLOCK);
                result = record_store_add(own, &record, 1, NULL, NULL, NULL, &diag);
            }
            record_store_close(own);
            _exit(result == 0 ? 0 : 1);
        }
    }
    for (int i = 0; i < 3; i++) {
        int status = -1;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_str_eq(ask("SELECT count(*) FROM record"), "120");
}
END_TEST

/* Adds until it is killed, telling each number that is on disk. */
static _Noreturn void add_for_ever(int tell, unsigned int number)
{
    struct record_store *own = NULL;

    if (record_store_open(folder.path, &own, &diag) != 0)
        _exit(1);
    for (;; number++) {
        char id[32];
        char key[32];
        char *first = NULL;

        snprintf(id, sizeof id, "%u", number);
        snprintf(key, sizeof key, "key %u", number);
        struct screening_record record = record_of(id, VERDICT_REPORT);
        struct idempotent_request request = request_of("k", key, 1);
        if (record_store_add(own, &record, 1, &request, id, &first, &diag) != 0 ||
            write(tell, &number, sizeof number) != sizeof number)
            _exit(2);
    }
}

START_TEST(killed_daemon_loses_no_record_that_it_answered)
{
    unsigned int told = 0;

    for (int round = 0; round < KILLS; round++) {
        unsigned int first = told + 1;
        int pipes[2];

        ck_assert_int_eq(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0)
            add_for_ever(pipes[1], first);
        close(pipes[1]);
        ck_assert_int_eq(read(pipes[0], &told, sizeof told), sizeof told);
        usleep((unsigned int)(clock_monotonic_us() % 7001));
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        while (read(pipes[0], &told, sizeof told) > 0)
            ;
        close(pipes[0]);
        /* The one that was not told of may be there or not, but then wholly. */
        unsigned int kept = (unsigned int)atoi(ask("SELECT count(*) FROM record"));
        ck_assert_msg(kept == told || kept == told + 1, "%u kept, %u told", kept, told);
        ck_assert_int_eq(atoi(ask("SELECT count(*) FROM outbox")), (int)kept);
        ck_assert_int_eq(atoi(ask("SELECT count(*) FROM answer")), (int)kept);
        told = kept;
    }
    ck_assert_str_eq(ask("PRAGMA integrity_check"), "ok");
}
END_TEST

static void *add_large(void *context)
{
    struct adder *adder = context;
    char matches[20003];
    char id[32];

    snprintf(id, sizeof id, "%u", adder->number);
    memset(matches, 'm', sizeof matches - 1);
    matches[sizeof matches - 1] = 0;
    matches[0] = matches[sizeof matches - 2] = '"';
    struct screening_record record = record_of(id, VERDICT_REPORT);
    record.matches_json = matches;
    adder->outcomes[0] = record_store_add(store, &record, 1, NULL, NULL, NULL, &adder->diag);
    return NULL;
}

START_TEST(full_disk_is_told_to_everybody_whom_it_concerns)
{
    struct rlimit limit = {.rlim_cur = 400000, .rlim_max = RLIM_INFINITY};
    int kept = 0;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    run_adders(add_large);
    for (unsigned int i = 0; i < THREADS; i++) {
        kept += adders[i].outcomes[0] == 0;
        if (adders[i].outcomes[0] != 0)
            ck_assert_msg(adders[i].outcomes[0] == -EFBIG &&
                              strstr(adders[i].diag.text, "records.sqlite: ") != NULL,
                          "%d %s", adders[i].outcomes[0], adders[i].diag.text);
    }
    ck_assert_int_gt(kept, 0);
    ck_assert_int_lt(kept, THREADS);
    limit.rlim_cur = 1000;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(record_store_probe(store, &diag), -EFBIG);
    limit.rlim_cur = RLIM_INFINITY;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(atoi(ask("SELECT count(*) FROM record")), kept);
    ck_assert_int_eq(atoi(ask("SELECT count(*) FROM outbox")), kept);
    ck_assert_int_eq(record_store_probe(store, &diag), 0);
    ck_assert_int_eq(add("after", VERDICT_REPORT), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("record_store");
    TCase *tests = tcase_create("record_store");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, store_is_for_its_owner_alone_and_newer_ones_are_refused);
    tcase_add_test(tests, record_comes_back_whole);
    tcase_add_test(tests, report_verdict_gets_its_row_of_the_outbox);
    tcase_add_test(tests, records_of_one_call_are_added_all_or_none);
    tcase_add_test(tests, what_cannot_be_shown_again_is_not_kept);
    tcase_add_test(tests, records_are_only_ever_added);
    tcase_add_test(tests, repeated_request_gets_the_first_answer);
    tcase_add_test(tests, answer_lives_for_a_day);
    tcase_add_test(tests, answers_past_their_life_are_forgotten);
    tcase_add_test(tests, probe_leaves_nothing_behind);
    tcase_add_test(tests, damaged_answer_is_an_error_and_not_a_conflict);
    tcase_add_test(tests, adds_at_once_succeed_and_fail_each_for_itself);
    tcase_add_test(tests, race_of_equal_requests_has_one_winner);
    tcase_add_test(tests, adds_wait_only_so_long_for_another_process);
    tcase_add_test(tests, who_waits_for_a_writer_goes_on_as_soon_as_it_is_done);
    tcase_add_test(tests, processes_add_side_by_side);
    tcase_add_test(tests, killed_daemon_loses_no_record_that_it_answered);
    tcase_add_test(tests, full_disk_is_told_to_everybody_whom_it_concerns);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
