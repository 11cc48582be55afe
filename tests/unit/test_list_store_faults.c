/* Every call to the disk and every allocation of a list store fails once: the change is made wholly or not at
 * all, and what failed is said. */
#include "prescreen/store/rulings.h"

#include "allocation_faults.h"
#include "disk_faults.h"
#include "entries.h"
#include "store_folder.h"
#include "tap.h"

enum { POINTS_MAX = 20000 };

static struct store_folder folder;
static struct diag diag;

/* What is tried, on a store that holds the list "a" with three entries, at version 2. */
typedef int operation(struct list_store *store);

static int put(struct list_store *store)
{
    struct list_properties properties = {.name = "b", .action = ACTION_BLOCK, .max_distance = 31};
    struct list_change change;

    return list_store_put(store, &properties, "x", &change, &diag);
}

static int delete_list(struct list_store *store)
{
    struct list_change change;

    return list_store_delete(store, "a", "x", &change, &diag);
}

static int replace_with(struct list_store *store, unsigned int count, unsigned int seed)
{
    struct list_draft *draft = NULL;
    struct list_change change;
    uint64_t state = seed;
    char id[16];
    int result = list_draft_begin(store, "a", LIST_REPLACE, &draft, &diag);

    for (unsigned int i = 0; i < count && result == 0; i++) {
        struct list_entry entry = {.entry_id = id, .classification = "", .note = ""};

        snprintf(id, sizeof id, "%u", i * seed);
        entry.hashes = random_hashes(&state, 15);
        result = list_draft_upsert(draft, &entry, &diag);
    }
    if (result != 0) {
        list_draft_abandon(draft);
        return result;
    }
    return list_draft_commit(draft, "x", "import", &change, &diag);
}

static int replace(struct list_store *store)
{
    return replace_with(store, 40, 3);
}

/* Rules about one of the entries that make_store() puts. */
static int exempt(struct list_store *store)
{
    const char *id = "0";
    const struct ruling_call call = {
        .list = "a", .act = RULING_ACT_EXEMPT, .entry_ids = &id, .count = 1, .who = "x", .note = "why"};
    struct list_change change;

    return list_store_rule(store, &call, &change, &diag);
}

static int ignore_ruled(void *context, const struct entry_ruled *ruled)
{
    (void)context;
    (void)ruled;
    return 0;
}

static int ignore_list(void *context, const struct list_info *info)
{
    (void)context;
    (void)info;
    return 0;
}

static int ignore_row(void *context, uint64_t row)
{
    (void)context;
    (void)row;
    return 0;
}

static int ignore_added(void *context, uint64_t row, uint32_t list, const struct known_hashes *hashes)
{
    (void)context;
    (void)row;
    (void)list;
    (void)hashes;
    return 0;
}

static int ignore_entry(void *context, const struct list_entry *entry)
{
    (void)context;
    (void)entry;
    return 0;
}

/* Everything that reads. */
static int read_all(struct list_store *store)
{
    struct list_follower follower = {NULL, ignore_list, ignore_row, ignore_added, NULL, NULL};
    struct list_info info;
    struct stored_entry entry;
    uint64_t version = 0;
    int result = list_store_version(store, &version, &diag);

    if (result == 0)
        result = list_store_get(store, "a", &info, &diag);
    if (result == 0)
        result = list_store_get_row(store, 2, &entry, &diag);
    if (result == 0)
        result = list_store_each(store, ignore_list, NULL, &diag);
    if (result == 0)
        result = list_store_each_entry(store, "a", ignore_entry, NULL, &diag);
    if (result == 0)
        result = list_store_follow(store, 1, &follower, &version, &diag);
    if (result == 0)
        result = list_store_each_ruled(store, "a", RULING_EXEMPT, ignore_ruled, NULL, &diag);
    return result;
}

static struct list_store *open_store(void)
{
    struct list_store *store = NULL;

    ck_assert_msg(list_store_open(folder.path, true, &store, &diag) == 0, "%s", diag.text);
    return store;
}

static struct list_store *make_store(void)
{
    struct list_properties properties = {.name = "a", .action = ACTION_REPORT, .max_distance = 31};
    struct list_change change;

    folder = make_folder();
    struct list_store *store = open_store();
    ck_assert_int_eq(list_store_put(store, &properties, "x", &change, &diag), 0);
    ck_assert_int_eq(replace_with(store, 3, 1), 0);
    return store;
}

/* The change was made if and only if it said so. */
static void expect_old_or_new(bool made)
{
    uint64_t version = 0;
    struct list_store *store = open_store();

    ck_assert_int_eq(list_store_version(store, &version, &diag), 0);
    ck_assert_uint_eq(version, made ? 3 : 2);
    list_store_close(store);
    ck_assert_str_eq(ask_sql(&folder, "lists.sqlite", "PRAGMA integrity_check"), "ok");
    remove_folder(&folder);
}

/* Fails the disk at the nth call of a change. Returns false when there is no such call. */
static bool try_disk(operation *tried, unsigned long nth, bool stays, int system)
{
    struct list_store *store = make_store();

    fail_disk(nth, stays, system);
    int result = tried(store);
    bool failed = disk_has_failed();
    heal_disk();
    list_store_close(store);
    if (result != 0)
        ck_assert_msg(failed && result < 0 && strstr(diag.text, "lists.sqlite: ") != NULL, "call %lu: %d %s",
                      nth, result, diag.text);
    expect_old_or_new(result == 0);
    return failed;
}

static void try_every_disk_call(operation *tried)
{
    static const int systems[] = {EIO, ENOSPC};

    for (size_t kind = 0; kind < 4; kind++) {
        unsigned long nth = 1;

        while (nth < POINTS_MAX && try_disk(tried, nth, kind % 2 != 0, systems[kind / 2]))
            nth++;
        ck_assert_uint_gt(nth, 5);
        ck_assert_uint_lt(nth, POINTS_MAX);
    }
}

START_TEST(failing_disk_leaves_the_lists_as_they_were)
{
    try_every_disk_call(put);
    try_every_disk_call(delete_list);
    try_every_disk_call(replace);
    try_every_disk_call(exempt);
}
END_TEST

START_TEST(failing_disk_is_told_to_a_reader)
{
    struct list_store *store = make_store();
    unsigned long nth = 1;
    bool failed = true;

    for (; failed && nth < POINTS_MAX; nth++) {
        fail_disk(nth, false, EIO);
        int result = read_all(store);
        failed = disk_has_failed();
        heal_disk();
        ck_assert_msg(result == 0 || (failed && result == -EIO), "call %lu: %d %s", nth, result, diag.text);
        ck_assert_int_eq(read_all(store), 0);
    }
    ck_assert_uint_gt(nth, 10);
    list_store_close(store);
    remove_folder(&folder);
}
END_TEST

START_TEST(failing_disk_lets_no_half_store_open)
{
    unsigned long nth = 1;
    bool failed = true;

    for (; failed && nth < POINTS_MAX; nth++) {
        struct list_store *store = NULL;

        folder = make_folder();
        fail_disk(nth, false, EIO);
        int result = list_store_open(folder.path, true, &store, &diag);
        failed = disk_has_failed();
        heal_disk();
        ck_assert_int_eq(result == 0, store != NULL);
        list_store_close(store);
        store = open_store();
        ck_assert_int_eq(put(store), 0);
        list_store_close(store);
        remove_folder(&folder);
    }
    ck_assert_uint_gt(nth, 10);
}
END_TEST

static bool try_allocation(operation *tried, unsigned long nth)
{
    struct list_store *store = make_store();

    fail_allocation(nth);
    int result = tried(store);
    bool failed = allocation_has_failed();
    fail_allocation(0);
    list_store_close(store);
    ck_assert_msg(result == 0 || (failed && result == -ENOMEM), "allocation %lu: %d %s", nth, result,
                  diag.text);
    expect_old_or_new(result == 0);
    return failed;
}

/* Every one of the first allocations, where most of the store's own are, and then every seventh: nearly all
 * are those of SQLite's parser. */
static void try_allocations(operation *tried, unsigned long first)
{
    unsigned long nth = first;

    while (nth < POINTS_MAX && try_allocation(tried, nth))
        nth += nth < 60 ? 1 : 7;
    ck_assert_uint_gt(nth, 100);
    ck_assert_uint_lt(nth, POINTS_MAX);
}

START_TEST(lack_of_memory_leaves_the_lists_as_they_were)
{
    try_allocations(put, 1);
    try_allocations(delete_list, 3);
    try_allocations(replace, 5);
    try_allocations(exempt, 2);
}
END_TEST

START_TEST(lack_of_memory_is_told_to_a_reader)
{
    struct list_store *store = make_store();
    unsigned long nth = 1;
    bool failed = true;

    for (; failed && nth < POINTS_MAX; nth++) {
        fail_allocation(nth);
        int result = read_all(store);
        failed = allocation_has_failed();
        fail_allocation(0);
        ck_assert_msg(result == 0 || (failed && result == -ENOMEM), "allocation %lu: %d %s", nth, result,
                      diag.text);
    }
    ck_assert_uint_gt(nth, 100);
    list_store_close(store);
    remove_folder(&folder);
}
END_TEST

START_TEST(every_change_is_flushed_before_it_returns)
{
    struct list_store *store = make_store();
    unsigned long before = disk.syncs;

    ck_assert_int_eq(put(store), 0);
    ck_assert_uint_gt(disk.syncs, before);
    before = disk.syncs;
    ck_assert_int_eq(replace(store), 0);
    ck_assert_uint_gt(disk.syncs, before);
    before = disk.syncs;
    ck_assert_int_eq(delete_list(store), 0);
    ck_assert_uint_gt(disk.syncs, before);
    list_store_close(store);
    remove_folder(&folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("list_store_faults");
    TCase *tests = tcase_create("list_store_faults");

    install_disk_faults();
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, failing_disk_leaves_the_lists_as_they_were);
    tcase_add_test(tests, failing_disk_is_told_to_a_reader);
    tcase_add_test(tests, failing_disk_lets_no_half_store_open);
    tcase_add_test(tests, lack_of_memory_leaves_the_lists_as_they_were);
    tcase_add_test(tests, lack_of_memory_is_told_to_a_reader);
    tcase_add_test(tests, every_change_is_flushed_before_it_returns);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
