#include "prescreen/base/clock.h"
#include "prescreen/screen/catalog.h"
#include "prescreen/store/lists.h"

#include "entries.h"
#include "store_folder.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

enum { PATIENCE_US = 20000000 };

static struct store_folder folder;
static struct list_store *store;   /* of the catalog */
static struct list_store *outside; /* as another process has it */
static struct catalog *catalog;
static uint64_t state;
static _Atomic unsigned int events[CATALOG_EVENT_COUNT];
static char refused[256]; /* the text of the last refusal */
static struct diag diag;

static void on_event(void *context, enum catalog_event event, const char *text)
{
    (void)context;
    events[event]++;
    if (event == CATALOG_SNAPSHOT_REFUSED)
        snprintf(refused, sizeof refused, "%s", text);
}

static void open_stores(void)
{
    ck_assert_msg(list_store_open(folder.path, true, &store, &diag) == 0, "%s", diag.text);
    ck_assert_msg(list_store_open(folder.path, true, &outside, &diag) == 0, "%s", diag.text);
}

static void close_stores(void)
{
    list_store_close(store);
    list_store_close(outside);
}

static void create_catalog(uint64_t snapshot_interval_us)
{
    const struct catalog_options options = {.store = store,
                                            .cpu = cpu_detect(),
                                            .folder = folder.path,
                                            .snapshot_interval_us = snapshot_interval_us,
                                            .on_event = on_event};

    memset((void *)events, 0, sizeof events);
    refused[0] = '\0';
    ck_assert_msg(catalog_create(&options, &catalog, &diag) == 0, "%s", diag.text);
}

static void start(void)
{
    folder = make_folder();
    state = 7;
    open_stores();
    create_catalog(0);
}

static void stop(void)
{
    catalog_free(catalog);
    close_stores();
    remove_folder(&folder);
}

/* Ends the catalog and makes another one, as a restart does. */
static void restart(void)
{
    catalog_free(catalog);
    create_catalog(0);
}

static void put_list(struct list_store *through, const char *name)
{
    struct list_properties properties = {.action = ACTION_REPORT, .max_distance = 31};
    struct list_change change;

    snprintf(properties.name, sizeof properties.name, "%s", name);
    ck_assert_msg(list_store_put(through, &properties, "test", &change, &diag) == 0, "%s", diag.text);
}

/* Upserts entries NAME-first to NAME-(first + count - 1) and removes as many from remove on. Returns the
 * version. */
static uint64_t change_list(struct list_store *through, const char *name, unsigned int first,
                            unsigned int count, unsigned int remove, unsigned int remove_count)
{
    struct list_draft *draft = NULL;
    struct list_change change;
    char entry_id[64];

    ck_assert_int_eq(list_draft_begin(through, name, LIST_MERGE, &draft, &diag), 0);
    for (unsigned int i = first; i < first + count; i++) {
        snprintf(entry_id, sizeof entry_id, "%s-%u", name, i);
        const struct list_entry entry = {.entry_id = entry_id,
                                         .hashes = random_hashes(&state, 1 + random_below(&state, 15)),
                                         .classification = "",
                                         .note = ""};
        ck_assert_int_eq(list_draft_upsert(draft, &entry, &diag), 0);
    }
    for (unsigned int i = remove; i < remove + remove_count; i++) {
        snprintf(entry_id, sizeof entry_id, "%s-%u", name, i);
        ck_assert_int_eq(list_draft_remove(draft, entry_id, &diag), 0);
    }
    ck_assert_msg(list_draft_commit(draft, "test", "entries", &change, &diag) == 0, "%s", diag.text);
    return change.lists_version;
}

static uint64_t version_in_force(void)
{
    const struct catalog_reading *reading = catalog_acquire(catalog);
    uint64_t version = reading->lists_version;

    catalog_release(catalog, reading);
    return version;
}

static struct catalog_status status(void)
{
    struct catalog_status read;

    catalog_read_status(catalog, &read);
    return read;
}

static int is_found(void *context, uint64_t row, uint32_t list, const struct known_hashes *hashes)
{
    const struct index_generation *generation = context;
    const uint8_t radius_by_list[] = {0, 0, 0, 0, 0, 0, 0, 0};
    const struct index_filter filter = {radius_by_list, sizeof radius_by_list};
    struct index_hit rows[20];
    struct index_hits hits = {.rows = rows, .capacity = 20};
    const struct index_query query = {hashes->pdq, 0, INDEX_HASHES_SKIPPED};

    if ((hashes->kinds & HASH_BIT(HASH_PDQ)) != 0)
        ck_assert_int_eq(index_generation_search_near(generation, &query, 1, &filter, &hits), 0);
    else
        ck_assert_int_eq(index_generation_search_exact(generation, hashes, &filter, &hits), 0);
    for (size_t i = 0; i < hits.count; i++) {
        if (rows[i].row == row && rows[i].list == list)
            return 0;
    }
    ck_abort_msg("row %llu is not found", (unsigned long long)row);
    return -1;
}

static int skip_list(void *context, const struct list_info *info)
{
    (void)context;
    (void)info;
    return 0;
}

static int skip_row(void *context, uint64_t row)
{
    (void)context;
    (void)row;
    return 0;
}

/* Holds what is in force against everything that is in the store. */
static void check_in_force(void)
{
    const struct catalog_reading *reading = catalog_acquire(catalog);
    const struct list_follower follower = {.context = (void *)(uintptr_t)reading->generation,
                                           .on_list = skip_list,
                                           .on_removed = skip_row,
                                           .on_added = is_found};
    struct index_statistics statistics;
    uint64_t version = 0;
    uint64_t entries = 0;

    ck_assert_int_eq(list_store_follow(store, 0, &follower, &version, &diag), 0);
    ck_assert_uint_eq(version, reading->lists_version);
    for (size_t i = 0; i < reading->list_count; i++)
        entries += reading->lists[i].entries;
    index_generation_read_statistics(reading->generation, &statistics);
    ck_assert_uint_eq(statistics.entries, entries);
    catalog_release(catalog, reading);
}

/* Waits until the keeper has come to something. */
static void await(bool (*reached)(void))
{
    const uint64_t deadline_us = clock_monotonic_us() + PATIENCE_US;

    while (!reached() && clock_monotonic_us() < deadline_us)
        usleep(5000);
    ck_assert(reached());
}

START_TEST(what_another_process_changes_is_in_force_for_the_next_screening)
{
    put_list(outside, "a");
    for (unsigned int i = 0; i < 5; i++) {
        uint64_t version = change_list(outside, "a", i * 10, 10, 0, i);
        ck_assert_int_eq(catalog_catch_up(catalog, &diag), 0);
        ck_assert_uint_eq(version_in_force(), version);
        check_in_force();
    }
}
END_TEST

START_TEST(what_this_process_changes_is_in_force_when_it_is_answered)
{
    put_list(store, "a");
    uint64_t version = change_list(store, "a", 0, 10, 0, 0);

    /* Not answered yet: a screening need not wait for it. */
    ck_assert_int_eq(catalog_catch_up(catalog, &diag), 0);
    ck_assert_uint_lt(version_in_force(), version);
    ck_assert_int_eq(catalog_refresh(catalog, &diag), 0);
    ck_assert_uint_eq(version_in_force(), version);
    check_in_force();
}
END_TEST

START_TEST(a_change_of_another_process_between_own_ones_is_not_missed)
{
    put_list(store, "a");
    ck_assert_int_eq(catalog_refresh(catalog, &diag), 0);
    uint64_t foreign = change_list(outside, "a", 0, 10, 0, 0);
    uint64_t own = change_list(store, "a", 10, 10, 0, 0);

    ck_assert_uint_eq(own, foreign + 1);
    ck_assert_int_eq(catalog_catch_up(catalog, &diag), 0);
    ck_assert_uint_ge(version_in_force(), foreign);
    /* A change that failed is nobody's. */
    struct list_draft *draft = NULL;
    struct list_change change;
    ck_assert_int_eq(list_draft_begin(store, "a", LIST_MERGE, &draft, &diag), 0);
    ck_assert_int_eq(list_draft_remove(draft, "twice", &diag), 0);
    ck_assert_int_eq(list_draft_remove(draft, "twice", &diag), 0);
    ck_assert_int_eq(list_draft_commit(draft, "test", "entries", &change, &diag), LIST_STORE_REFUSED);
    foreign = change_list(outside, "a", 30, 10, 0, 0);
    ck_assert_int_eq(catalog_catch_up(catalog, &diag), 0);
    ck_assert_uint_eq(version_in_force(), foreign);
    check_in_force();
}
END_TEST

static bool is_written(void)
{
    return status().snapshots_written > 0;
}

START_TEST(a_restart_goes_on_from_the_snapshot)
{
    put_list(outside, "a");
    change_list(outside, "a", 0, 5000, 0, 0);
    ck_assert_int_eq(catalog_catch_up(catalog, &diag), 0);
    ck_assert_int_eq(catalog_keep(catalog), 0);
    await(is_written);
    ck_assert_uint_eq(status().snapshot_version, version_in_force());
    ck_assert_uint_eq(mode_of(file_in(&folder, "index.snapshot")), 0600);
    restart();
    ck_assert(status().from_snapshot);
    ck_assert_uint_eq(events[CATALOG_LOADED], 1);
    ck_assert_uint_eq(events[CATALOG_SNAPSHOT_REFUSED], 0);
    check_in_force();
}
END_TEST

START_TEST(what_changed_after_the_snapshot_is_followed)
{
    put_list(outside, "a");
    change_list(outside, "a", 0, 5000, 0, 0);
    restart();
    ck_assert_int_eq(catalog_keep(catalog), 0);
    restart(); /* the end of the one before wrote it */
    ck_assert(status().from_snapshot);
    put_list(outside, "b");
    change_list(outside, "a", 4000, 1500, 100, 300);
    change_list(outside, "b", 0, 10, 0, 0);
    restart();
    ck_assert(status().from_snapshot);
    ck_assert_uint_lt(status().snapshot_version, version_in_force());
    check_in_force();
}
END_TEST

START_TEST(the_end_writes_a_snapshot_when_much_changed)
{
    put_list(outside, "a");
    change_list(outside, "a", 0, 1000, 0, 0);
    restart();
    ck_assert_int_eq(catalog_keep(catalog), 0);
    catalog_free(catalog);
    ck_assert_uint_eq(events[CATALOG_SNAPSHOT_WRITTEN], 1);
    create_catalog(PATIENCE_US);
    ck_assert_int_eq(catalog_keep(catalog), 0);
    catalog_free(catalog);
    ck_assert_uint_eq(events[CATALOG_SNAPSHOT_WRITTEN], 0);
    /* What little came to it is followed. */
    change_list(outside, "a", 1000, 1, 0, 0);
    create_catalog(PATIENCE_US);
    ck_assert_int_eq(catalog_keep(catalog), 0);
    catalog_free(catalog);
    ck_assert_uint_eq(events[CATALOG_SNAPSHOT_WRITTEN], 0);
    create_catalog(PATIENCE_US);
    ck_assert(status().from_snapshot);
    check_in_force();
}
END_TEST

/* Leaves a snapshot of some entries in the folder, and no catalog. */
static void leave_snapshot(void)
{
    put_list(outside, "a");
    change_list(outside, "a", 0, 3000, 0, 0);
    restart();
    ck_assert_int_eq(catalog_keep(catalog), 0);
    catalog_free(catalog);
    ck_assert_uint_eq(events[CATALOG_SNAPSHOT_WRITTEN], 1);
}

static void check_rebuilt(const char *why)
{
    create_catalog(0);
    ck_assert(!status().from_snapshot);
    ck_assert_uint_eq(events[CATALOG_SNAPSHOT_REFUSED], 1);
    ck_assert_msg(strstr(refused, why) != NULL, "%s", refused);
    check_in_force();
}

START_TEST(a_damaged_snapshot_is_refused_and_the_index_rebuilt)
{
    leave_snapshot();
    int file = open(file_in(&folder, "index.snapshot"), O_RDWR);
    uint8_t byte = 0;
    ck_assert_int_eq(pread(file, &byte, 1, 100000), 1);
    byte ^= 1;
    ck_assert_int_eq(pwrite(file, &byte, 1, 100000), 1);
    close(file);
    check_rebuilt("checksum");
    /* And another one is written in its place. */
    ck_assert_int_eq(catalog_keep(catalog), 0);
    restart();
    ck_assert(status().from_snapshot);
    check_in_force();
}
END_TEST

START_TEST(a_snapshot_of_another_store_is_refused)
{
    leave_snapshot();
    close_stores();
    unlink(file_in(&folder, "lists.sqlite"));
    open_stores();
    check_rebuilt("no version");
    put_list(outside, "a");
    change_list(outside, "a", 0, 3000, 0, 0);
    catalog_free(catalog);
    check_rebuilt("another list store");
}
END_TEST

START_TEST(a_snapshot_of_a_copy_that_went_its_own_way_is_refused)
{
    put_list(outside, "a");
    change_list(outside, "a", 0, 2000, 0, 0);
    char sql[600];
    snprintf(sql, sizeof sql, "VACUUM INTO '%s/copy.sqlite'", folder.path);
    ck_assert_int_eq(run_sql(&folder, "lists.sqlite", sql), SQLITE_OK);
    change_list(outside, "a", 2000, 500, 0, 0);
    restart();
    ck_assert_int_eq(catalog_keep(catalog), 0);
    catalog_free(catalog);
    ck_assert_uint_eq(events[CATALOG_SNAPSHOT_WRITTEN], 1);
    /* The older copy comes back and gets another change of the same number. */
    close_stores();
    char from[512];
    snprintf(from, sizeof from, "%s", file_in(&folder, "copy.sqlite"));
    unlink(file_in(&folder, "lists.sqlite-wal"));
    unlink(file_in(&folder, "lists.sqlite-shm"));
    ck_assert_int_eq(rename(from, file_in(&folder, "lists.sqlite")), 0);
    open_stores();
    usleep(1000);
    change_list(outside, "a", 2000, 500, 0, 0);
    check_rebuilt("another copy");
}
END_TEST

START_TEST(a_snapshot_older_than_what_is_remembered_is_refused)
{
    leave_snapshot();
    change_list(outside, "a", 0, 100, 0, 0);
    ck_assert_int_eq(run_sql(&folder, "lists.sqlite", "UPDATE list SET forgotten = version"), SQLITE_OK);
    check_rebuilt("no longer known");
}
END_TEST

static bool has_failed(void)
{
    return status().snapshots_failed > 0;
}

START_TEST(a_snapshot_that_cannot_be_written_is_told_and_harmless)
{
    /* A folder stands where the file would be written. */
    ck_assert_int_eq(mkdir(file_in(&folder, "index.snapshot.new"), 0700), 0);
    put_list(outside, "a");
    change_list(outside, "a", 0, 100, 0, 0);
    restart();
    ck_assert_int_eq(catalog_keep(catalog), 0);
    await(has_failed);
    ck_assert_uint_gt(events[CATALOG_SNAPSHOT_FAILED], 0);
    change_list(outside, "a", 100, 100, 0, 0);
    ck_assert_int_eq(catalog_catch_up(catalog, &diag), 0);
    check_in_force();
    ck_assert_int_eq(rmdir(file_in(&folder, "index.snapshot.new")), 0);
}
END_TEST

START_TEST(snapshots_keep_their_distance)
{
    put_list(outside, "a");
    change_list(outside, "a", 0, 1000, 0, 0);
    catalog_free(catalog);
    create_catalog(3600u * 1000000u);
    ck_assert_int_eq(catalog_keep(catalog), 0);
    await(is_written);
    for (unsigned int i = 0; i < 3; i++) {
        change_list(outside, "a", i * 1000, 1000, 0, 0);
        ck_assert_int_eq(catalog_catch_up(catalog, &diag), 0);
        sleep(1);
    }
    ck_assert_uint_eq(status().snapshots_written, 1);
}
END_TEST

static bool has_merged(void)
{
    const struct catalog_reading *reading = catalog_acquire(catalog);
    struct index_statistics statistics;

    index_generation_read_statistics(reading->generation, &statistics);
    catalog_release(catalog, reading);
    return status().merges > 0 && statistics.segments < 4;
}

/* Changes that a keeper has something to merge of. */
static void change_and_await_merge(void)
{
    put_list(outside, "a");
    change_list(outside, "a", 0, 150000, 0, 0);
    ck_assert_int_eq(catalog_catch_up(catalog, &diag), 0);
    ck_assert_int_eq(catalog_keep(catalog), 0);
    for (unsigned int i = 0; i < 4; i++) {
        change_list(outside, "a", 150000 + i * 70000, 70000, i * 7000, 5000);
        ck_assert_int_eq(catalog_catch_up(catalog, &diag), 0);
    }
    await(has_merged);
}

START_TEST(a_keeper_merges_what_changes_leave_behind)
{
    change_and_await_merge();
    check_in_force();
}
END_TEST

/* Screenings that never end slow the keeper down and do not stop it. */
START_TEST(a_keeper_gets_on_beside_screenings)
{
    catalog_begin_screening(catalog);
    change_and_await_merge();
    catalog_end_screening(catalog);
    check_in_force();
}
END_TEST

static _Atomic bool ending;
static _Atomic unsigned int screenings;

/* What a screening does with the lists, again and again. */
static void *screen(void *context)
{
    struct diag own = {""};

    (void)context;
    while (!ending) {
        ck_assert_int_eq(catalog_catch_up(catalog, &own), 0);
        const struct catalog_reading *reading = catalog_acquire(catalog);
        struct index_statistics statistics;
        uint64_t entries = 0;
        for (size_t i = 0; i < reading->list_count; i++)
            entries += reading->lists[i].entries;
        index_generation_read_statistics(reading->generation, &statistics);
        ck_assert_uint_eq(statistics.entries, entries);
        catalog_release(catalog, reading);
        screenings++;
    }
    return NULL;
}

START_TEST(screenings_see_whole_versions_while_everything_changes)
{
    pthread_t threads[2];

    put_list(store, "a");
    put_list(outside, "b");
    ck_assert_int_eq(catalog_refresh(catalog, &diag), 0);
    ck_assert_int_eq(catalog_keep(catalog), 0);
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, screen, NULL), 0);
    change_list(outside, "b", 0, 250000, 0, 0); /* more than anybody takes in at once */
    for (unsigned int i = 0; i < 20; i++) {
        uint64_t own = change_list(store, "a", i * 10000, 15000, i * 3000, i > 0 ? 2000 : 0);
        ck_assert_int_eq(catalog_refresh(catalog, &diag), 0);
        ck_assert_uint_ge(version_in_force(), own);
        change_list(outside, "b", i * 500, 500, 100000 + i * 400, 400);
    }
    ck_assert_int_eq(catalog_refresh(catalog, &diag), 0);
    ending = true;
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_gt(screenings, 0);
    check_in_force();
}
END_TEST

START_TEST(without_a_store_there_are_no_lists)
{
    const struct catalog_options options = {.cpu = cpu_detect(), .folder = folder.path};
    struct catalog *none = NULL;

    ck_assert_int_eq(catalog_create(&options, &none, &diag), 0);
    ck_assert_int_eq(catalog_keep(none), 0);
    ck_assert_int_eq(catalog_refresh(none, &diag), 0);
    ck_assert_int_eq(catalog_catch_up(none, &diag), 0);
    const struct catalog_reading *reading = catalog_acquire(none);
    ck_assert_uint_eq(reading->list_count, 0);
    catalog_release(none, reading);
    catalog_free(none);
    ck_assert_str_eq(names_in(&folder), "lists.sqlite lists.sqlite-shm lists.sqlite-wal ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("catalog");
    TCase *tests = tcase_create("catalog");

    tcase_add_checked_fixture(tests, start, stop);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, what_another_process_changes_is_in_force_for_the_next_screening);
    tcase_add_test(tests, what_this_process_changes_is_in_force_when_it_is_answered);
    tcase_add_test(tests, a_change_of_another_process_between_own_ones_is_not_missed);
    tcase_add_test(tests, a_restart_goes_on_from_the_snapshot);
    tcase_add_test(tests, what_changed_after_the_snapshot_is_followed);
    tcase_add_test(tests, the_end_writes_a_snapshot_when_much_changed);
    tcase_add_test(tests, a_damaged_snapshot_is_refused_and_the_index_rebuilt);
    tcase_add_test(tests, a_snapshot_of_another_store_is_refused);
    tcase_add_test(tests, a_snapshot_of_a_copy_that_went_its_own_way_is_refused);
    tcase_add_test(tests, a_snapshot_older_than_what_is_remembered_is_refused);
    tcase_add_test(tests, a_snapshot_that_cannot_be_written_is_told_and_harmless);
    tcase_add_test(tests, snapshots_keep_their_distance);
    tcase_add_test(tests, a_keeper_merges_what_changes_leave_behind);
    tcase_add_test(tests, a_keeper_gets_on_beside_screenings);
    tcase_add_test(tests, screenings_see_whole_versions_while_everything_changes);
    tcase_add_test(tests, without_a_store_there_are_no_lists);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
