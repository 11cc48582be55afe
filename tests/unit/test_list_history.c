#include "prescreen/store/history.h"

#include "entries.h"
#include "store_folder.h"
#include "tap.h"

#include <errno.h>

enum { IDS = 12, STEPS = 150, VERSIONS = STEPS + 8 };

/* What the list holds: for each id a number that its hash is made of; 0 = it is not there. */
struct state {
    unsigned int value[IDS];
};

static struct store_folder folder;
static struct list_store *store;
static struct diag diag;
static struct list_change change;
static struct config_list rules[] = {{.name = "a", .is_signed = false}};
static struct config config = {.lists = rules, .list_count = 1};
static uint64_t seed;

static void put(const char *name)
{
    struct list_properties properties = {.action = ACTION_BLOCK, .max_distance = 31};

    strcpy(properties.name, name);
    ck_assert_msg(list_store_put(store, &properties, "tester", &change, &diag) == 0, "%s", diag.text);
}

static void set_up(void)
{
    seed = 4711;
    rules[0].is_signed = false;
    config.limits.history = 1000;
    folder = make_folder();
    ck_assert_int_eq(list_store_open(folder.path, true, &store, &diag), 0);
    list_store_guard(store, &config);
    put("a");
}

static void tear_down(void)
{
    list_store_close(store);
    remove_folder(&folder);
}

static struct list_entry make_entry(unsigned int value, const char *entry_id)
{
    uint64_t state = value;

    return (struct list_entry){.entry_id = entry_id,
                               .hashes = random_hashes(&state, value % 2 == 0 ? HASH_BIT(HASH_MD5) : 15),
                               .classification = value % 3 == 0 ? "x" : "",
                               .note = ""};
}

/* Writes a state to the list. */
static void write_state(const char *name, const struct state *state, enum list_change_mode mode, bool vouched,
                        const char *what)
{
    struct list_draft *draft = NULL;

    ck_assert_int_eq(list_draft_begin(store, name, mode, &draft, &diag), 0);
    for (unsigned int i = 0; i < IDS; i++) {
        char id[8];

        snprintf(id, sizeof id, "%02u", i);
        const struct list_entry entry = make_entry(state->value[i], id);
        if (state->value[i] != 0)
            ck_assert_int_eq(list_draft_upsert(draft, &entry, &diag), 0);
        else if (mode == LIST_MERGE)
            ck_assert_int_eq(list_draft_remove(draft, id, &diag), 0);
    }
    if (vouched)
        list_draft_vouch(draft);
    ck_assert_msg(list_draft_commit(draft, "tester", what, &change, &diag) == 0, "%s", diag.text);
}

static int compare_with_state(void *context, const struct list_entry *entry)
{
    struct state *left = context;
    unsigned int id = (unsigned int)atoi(entry->entry_id);
    const struct list_entry wanted = make_entry(left->value[id], entry->entry_id);

    ck_assert_uint_ne(left->value[id], 0);
    ck_assert(same_hashes(&wanted.hashes, &entry->hashes));
    ck_assert_str_eq(wanted.classification, entry->classification);
    left->value[id] = 0;
    return 0;
}

static void expect_state(const char *name, const struct state *state)
{
    struct state left = *state;
    struct list_info info;
    uint64_t count = 0;

    for (int i = 0; i < IDS; i++)
        count += state->value[i] != 0;
    ck_assert_int_eq(list_store_get(store, name, &info, &diag), 0);
    ck_assert_uint_eq(info.entries, count);
    ck_assert_int_eq(list_store_each_entry(store, name, compare_with_state, &left, &diag), 0);
    for (int i = 0; i < IDS; i++)
        ck_assert_uint_eq(left.value[i], 0);
}

/* What a difference said of each id: a sign, or a blank. */
struct difference {
    char sign[IDS + 1];
    int fault;
};

static int take_difference(void *context, enum list_difference kind, const char *entry_id)
{
    struct difference *difference = context;

    difference->sign[atoi(entry_id)] = "+~-"[kind];
    return difference->fault;
}

static int ask_difference(uint64_t from, uint64_t to, struct difference *difference)
{
    *difference = (struct difference){.fault = difference->fault};
    memset(difference->sign, ' ', IDS);
    return list_store_diff(store, "a", &from, &to, take_difference, difference, &diag);
}

static void expect_difference(const struct state *from, const struct state *to,
                              const struct difference *found)
{
    for (int i = 0; i < IDS; i++) {
        char wanted = from->value[i] == to->value[i] ? ' '
                      : from->value[i] == 0          ? '+'
                      : to->value[i] == 0            ? '-'
                                                     : '~';
        ck_assert_msg(found->sign[i] == wanted, "entry %d: '%c', not '%c'", i, found->sign[i], wanted);
    }
}

static uint64_t last_version(void)
{
    uint64_t version = 0;

    ck_assert_int_eq(list_store_version(store, &version, &diag), 0);
    return version;
}

/* Follows the store as a daemon does: the rows that it believes to be in force. */
struct follower_state {
    bool in_force[VERSIONS * IDS];
};

static int follow_list(void *context, const struct list_info *info)
{
    (void)context;
    (void)info;
    return 0;
}

static int follow_removed(void *context, uint64_t row)
{
    struct follower_state *state = context;

    state->in_force[row] = false;
    return 0;
}

static int follow_added(void *context, uint64_t row, uint32_t list, const struct known_hashes *hashes)
{
    struct follower_state *state = context;

    (void)list;
    (void)hashes;
    ck_assert_uint_lt(row, VERSIONS * IDS);
    state->in_force[row] = true;
    return 0;
}

static int follow(uint64_t since, struct follower_state *state)
{
    const struct list_follower follower = {
        .context = state, .on_list = follow_list, .on_removed = follow_removed, .on_added = follow_added};
    uint64_t version = 0;

    return list_store_follow(store, since, &follower, &version, &diag);
}

/* Takes random steps; after each, everything that is said of the past must agree with what it was. */
static void walk(uint64_t keep)
{
    static struct state past[VERSIONS];
    static struct follower_state seen[VERSIONS];
    struct state now = {{0}};
    unsigned int unknown = 0;

    config.limits.history = keep;
    past[last_version()] = now;
    for (unsigned int step = 0; step < STEPS; step++) {
        uint64_t back = 1 + random_below(&seed, (unsigned int)last_version());

        if (random_below(&seed, 4) == 0) {
            int result = list_store_revert(store, "a", back, "tester", &change, &diag);
            unknown += result == LIST_STORE_NOT_FOUND;
            ck_assert_msg(result == 0 || (result == LIST_STORE_NOT_FOUND && back + keep <= last_version()),
                          "%s", diag.text);
            if (result != 0)
                continue;
            now = past[back];
        } else {
            for (int i = 0; i < 3; i++)
                now.value[random_below(&seed, IDS)] = random_below(&seed, 3) * (1 + random_below(&seed, 3));
            write_state("a", &now, random_below(&seed, 2) == 0 ? LIST_MERGE : LIST_REPLACE, false, "entries");
        }
        uint64_t version = last_version();
        past[version] = now;
        expect_state("a", &now);
        struct difference difference = {.fault = 0};
        int result = ask_difference(back, version, &difference);
        ck_assert(result == 0 || (result == LIST_STORE_NOT_FOUND && back + keep <= version));
        if (result == 0) {
            expect_difference(&past[back], &now, &difference);
            ck_assert_int_eq(ask_difference(version, back, &difference), 0);
            expect_difference(&now, &past[back], &difference);
        }
        memset(&seen[version], 0, sizeof seen[version]);
        ck_assert_int_eq(follow(0, &seen[version]), 0);
        struct follower_state late = seen[back];
        result = back == 1 ? LIST_STORE_NOT_FOUND : follow(back, &late);
        if (result == 0)
            ck_assert_mem_eq(&late, &seen[version], sizeof late);
        else
            ck_assert(back == 1 || (result == LIST_STORE_NOT_FOUND && back + keep <= version));
    }
    ck_assert(keep > STEPS ? unknown == 0 : unknown > 0);
}

START_TEST(the_past_is_told_as_it_was)
{
    walk(VERSIONS + 1);
}
END_TEST

START_TEST(what_is_forgotten_is_said_to_be_and_the_rest_is_told_as_it_was)
{
    walk(10);
    ck_assert_int_gt(atoi(ask_sql(&folder, "lists.sqlite", "SELECT min(row) FROM entry")), 1);
}
END_TEST

/* Gathers versions, newest first. */
struct versions {
    struct list_version items[32];
    size_t count;
};

static int take_version(void *context, const struct list_version *version)
{
    struct versions *versions = context;

    ck_assert_uint_lt(versions->count, 32);
    versions->items[versions->count++] = *version;
    return 0;
}

START_TEST(history_tells_who_what_and_how_many)
{
    struct versions versions = {.count = 0};
    struct state state = {{1, 2, 3}};

    put("b");
    write_state("a", &state, LIST_MERGE, false, "entries");
    state.value[0] = 0;
    write_state("a", &state, LIST_REPLACE, false, "import");
    ck_assert_int_eq(list_store_revert(store, "a", 3, "someone else", &change, &diag), 0);
    ck_assert_int_eq(list_store_each_version(store, "a", 32, take_version, &versions, &diag), 0);
    ck_assert_uint_eq(versions.count, 4);
    ck_assert_str_eq(versions.items[0].who, "someone else");
    ck_assert_str_eq(versions.items[0].what, "revert to 3");
    ck_assert_uint_eq(versions.items[0].change.added, 1);
    ck_assert_str_eq(versions.items[1].what, "import");
    ck_assert_uint_eq(versions.items[1].change.removed, 1);
    ck_assert_uint_eq(versions.items[1].change.unchanged, 2);
    ck_assert_str_eq(versions.items[3].what, "create");
    ck_assert_uint_eq(versions.items[3].version, 1);
    ck_assert(versions.items[3].kept);
    versions.count = 0;
    ck_assert_int_eq(list_store_each_version(store, "a", 1, take_version, &versions, &diag), 0);
    ck_assert_uint_eq(versions.count, 1);
    ck_assert_int_eq(list_store_each_version(store, "none", 1, take_version, &versions, &diag),
                     LIST_STORE_NOT_FOUND);
}
END_TEST

START_TEST(forgetting_is_counted_and_marked)
{
    struct versions versions = {.count = 0};
    uint64_t forgotten = 0;

    config.limits.history = 10;
    for (unsigned int i = 1; i <= 20; i++) {
        struct state state = {{i}};

        write_state("a", &state, LIST_REPLACE, false, "import");
        forgotten += change.forgotten;
    }
    /* Of 20 entries one is in force; the newest ten versions have ten. */
    ck_assert_uint_eq(forgotten, 10);
    ck_assert_int_eq(list_store_each_version(store, "a", 32, take_version, &versions, &diag), 0);
    for (size_t i = 0; i < versions.count; i++)
        ck_assert_msg(versions.items[i].kept == (i < 10), "version %zu", (size_t)versions.items[i].version);
    ck_assert_int_eq(list_store_revert(store, "a", versions.items[10].version, "tester", &change, &diag),
                     LIST_STORE_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(diag.text, "no longer kept; the oldest that is is 12"));
    ck_assert_int_eq(list_store_revert(store, "a", versions.items[9].version, "tester", &change, &diag), 0);
}
END_TEST

START_TEST(a_list_that_ended_is_forgotten_in_its_time)
{
    struct state state = {{1, 2, 3}};

    config.limits.history = 10;
    put("b");
    write_state("b", &state, LIST_REPLACE, false, "import");
    ck_assert_int_eq(list_store_delete(store, "b", "tester", &change, &diag), 0);
    for (unsigned int i = 1; i <= 12; i++) {
        struct state other = {{0, 0, 0, i}};

        ck_assert_int_eq(atoi(ask_sql(&folder, "lists.sqlite", "SELECT count(*) FROM entry WHERE list = 2")),
                         i <= 10 ? 3 : 0);
        write_state("a", &other, LIST_REPLACE, false, "import");
    }
}
END_TEST

START_TEST(entries_in_force_cannot_be_deleted)
{
    struct state state = {{1}};

    write_state("a", &state, LIST_REPLACE, false, "import");
    ck_assert_int_eq(run_sql(&folder, "lists.sqlite", "DELETE FROM entry"), SQLITE_CONSTRAINT);
    ck_assert_int_eq(run_sql(&folder, "lists.sqlite", "DELETE FROM change"), SQLITE_CONSTRAINT);
}
END_TEST

START_TEST(versions_outside_of_the_lists_life_are_refused)
{
    struct difference difference = {.fault = 0};
    struct state state = {{1}};

    put("b");
    write_state("b", &state, LIST_REPLACE, false, "import");
    ck_assert_int_eq(list_store_revert(store, "b", 1, "tester", &change, &diag), LIST_STORE_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(diag.text, "no version 1; its versions are 2 to 3"));
    ck_assert_int_eq(list_store_revert(store, "b", 4, "tester", &change, &diag), LIST_STORE_NOT_FOUND);
    ck_assert_int_eq(list_store_revert(store, "none", 1, "tester", &change, &diag), LIST_STORE_NOT_FOUND);
    ck_assert_int_eq(ask_difference(1, 9, &difference), LIST_STORE_NOT_FOUND);
    ck_assert_int_eq(list_store_revert(store, "b", 2, "tester", &change, &diag), 0);
    ck_assert_uint_eq(change.removed, 1);
}
END_TEST

START_TEST(a_difference_stops_when_its_sink_says_so)
{
    struct state state = {{1, 2}};
    struct difference difference = {.fault = -EPIPE};

    write_state("a", &state, LIST_REPLACE, false, "import");
    ck_assert_int_eq(ask_difference(0, 0, &difference), -EPIPE);
    ck_assert_str_eq(difference.sign, "+           ");
}
END_TEST

START_TEST(a_signed_list_goes_back_only_to_what_was_signed)
{
    struct state first = {{1}}, second = {{2}}, third = {{3}};

    write_state("a", &first, LIST_REPLACE, false, "import"); /* 2 */
    rules[0].is_signed = true;
    write_state("a", &second, LIST_MERGE, true, "signed import");        /* 3: still of unsigned origin */
    write_state("a", &second, LIST_REPLACE, true, "signed replacement"); /* 4 */
    write_state("a", &third, LIST_MERGE, true, "signed import");         /* 5 */
    for (uint64_t version = 2; version <= 3; version++) {
        ck_assert_int_eq(list_store_revert(store, "a", version, "tester", &change, &diag),
                         LIST_STORE_REFUSED);
        ck_assert_ptr_nonnull(strstr(diag.text, "not made by signed files alone"));
    }
    ck_assert_int_eq(list_store_revert(store, "a", 4, "tester", &change, &diag), 0); /* 6 */
    expect_state("a", &second);
    ck_assert_int_eq(list_store_revert(store, "a", 5, "tester", &change, &diag), 0);
    expect_state("a", &third);
    ck_assert_int_eq(list_store_revert(store, "a", 6, "tester", &change, &diag), 0);
    expect_state("a", &second);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("list_history");
    TCase *tests = tcase_create("history");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_past_is_told_as_it_was);
    tcase_add_test(tests, what_is_forgotten_is_said_to_be_and_the_rest_is_told_as_it_was);
    tcase_add_test(tests, history_tells_who_what_and_how_many);
    tcase_add_test(tests, forgetting_is_counted_and_marked);
    tcase_add_test(tests, a_list_that_ended_is_forgotten_in_its_time);
    tcase_add_test(tests, entries_in_force_cannot_be_deleted);
    tcase_add_test(tests, versions_outside_of_the_lists_life_are_refused);
    tcase_add_test(tests, a_difference_stops_when_its_sink_says_so);
    tcase_add_test(tests, a_signed_list_goes_back_only_to_what_was_signed);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
