#include "prescreen/store/rulings.h"

#include "entries.h"
#include "store_folder.h"
#include "tap.h"

#include <errno.h>

static struct store_folder folder;
static struct list_store *store;
static struct diag diag;
static struct list_change change;
static struct config_list rules[] = {{.name = "a", .is_signed = false}};
static struct config config = {.lists = rules, .list_count = 1};

static void put(const char *name)
{
    struct list_properties properties = {.action = ACTION_REPORT, .max_distance = 31};

    strcpy(properties.name, name);
    ck_assert_msg(list_store_put(store, &properties, "tester", &change, &diag) == 0, "%s", diag.text);
}

static void set_up(void)
{
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

/* Hashes of a picture; those of another picture are others. */
static struct known_hashes picture(unsigned int number, unsigned int kinds)
{
    uint64_t state = number;

    return random_hashes(&state, kinds);
}

enum { M = HASH_BIT(HASH_MD5), S = HASH_BIT(HASH_SHA1), P = HASH_BIT(HASH_PDQ) };

static void upsert(const char *list, const char *entry_id, const struct known_hashes *hashes,
                   enum list_change_mode mode)
{
    const struct list_entry entry = {
        .entry_id = entry_id, .hashes = *hashes, .classification = "", .note = ""};
    struct list_draft *draft = NULL;

    ck_assert_int_eq(list_draft_begin(store, list, mode, &draft, &diag), 0);
    ck_assert_int_eq(list_draft_upsert(draft, &entry, &diag), 0);
    ck_assert_msg(list_draft_commit(draft, "tester", "import", &change, &diag) == 0, "%s", diag.text);
}

static void put_picture(const char *entry_id, unsigned int number)
{
    const struct known_hashes hashes = picture(number, M | P);

    upsert("a", entry_id, &hashes, LIST_MERGE);
}

static void take_away(const char *entry_id)
{
    struct list_draft *draft = NULL;

    ck_assert_int_eq(list_draft_begin(store, "a", LIST_MERGE, &draft, &diag), 0);
    ck_assert_int_eq(list_draft_remove(draft, entry_id, &diag), 0);
    ck_assert_int_eq(list_draft_commit(draft, "tester", "entries", &change, &diag), 0);
}

static int rule(enum ruling_act act, const char *entry_id, const char *note)
{
    const struct ruling_call call = {
        .list = "a", .act = act, .entry_ids = &entry_id, .count = 1, .who = "staff", .note = note};

    diag.text[0] = '\0';
    return list_store_rule(store, &call, &change, &diag);
}

/* What follows from the store of the one row that is ruled. */
struct follow {
    enum entry_ruling ruling;
    uint64_t row;
    uint64_t last_row;
    int count;
};

static int on_list(void *context, const struct list_info *info)
{
    (void)context;
    (void)info;
    return 0;
}

static int on_removed(void *context, uint64_t row)
{
    (void)context;
    (void)row;
    return 0;
}

static int on_added(void *context, uint64_t row, uint32_t list, const struct known_hashes *hashes)
{
    struct follow *follow = context;

    (void)list;
    (void)hashes;
    follow->last_row = row;
    return 0;
}

static int on_ruling(void *context, uint64_t row, enum entry_ruling ruling)
{
    struct follow *follow = context;

    ck_assert_uint_gt(row, follow->row);
    follow->row = row;
    follow->ruling = ruling;
    follow->count++;
    return 0;
}

static struct follow follow(void)
{
    struct follow found = {.ruling = RULING_NONE};
    const struct list_follower follower = {&found, on_list, on_removed, on_added, NULL, on_ruling};
    uint64_t version = 0;

    ck_assert_int_eq(list_store_follow(store, 0, &follower, &version, &diag), 0);
    return found;
}

static void expect_ruling(enum entry_ruling ruling)
{
    const struct follow found = follow();

    ck_assert_int_eq(found.ruling, ruling);
    ck_assert_int_eq(found.count, ruling != RULING_NONE);
    if (ruling != RULING_NONE)
        ck_assert_uint_eq(found.row, found.last_row);
}

struct ruled_list {
    struct entry_ruled items[8];
    int count;
};

static int keep_ruled(void *context, const struct entry_ruled *ruled)
{
    struct ruled_list *list = context;

    list->items[list->count++] = *ruled;
    return 0;
}

static struct ruled_list list_ruled(enum entry_ruling ruling)
{
    struct ruled_list list = {.count = 0};

    ck_assert_int_eq(list_store_each_ruled(store, "a", ruling, keep_ruled, &list, &diag), 0);
    return list;
}

START_TEST(an_exemption_says_who_when_and_why)
{
    struct list_info before;
    struct list_info info;

    put_picture("1", 1);
    ck_assert_int_eq(list_store_get(store, "a", &before, &diag), 0);
    ck_assert_msg(rule(RULING_ACT_EXEMPT, "1", "a holiday picture") == 0, "%s", diag.text);
    ck_assert_uint_eq(change.changed, 1);
    ck_assert_uint_eq(change.lists_version, before.version + 1);
    expect_ruling(RULING_EXEMPT);
    const struct ruled_list list = list_ruled(RULING_EXEMPT);
    ck_assert_int_eq(list.count, 1);
    ck_assert_str_eq(list.items[0].entry_id, "1");
    ck_assert_str_eq(list.items[0].who, "staff");
    ck_assert_str_eq(list.items[0].note, "a holiday picture");
    ck_assert(list.items[0].present && !list.items[0].lapsed);
    ck_assert_uint_gt(list.items[0].at_us, before.updated_us - 1);
    ck_assert_uint_eq(list.items[0].version, change.lists_version);
    /* A ruling is no news from the list's source. */
    ck_assert_int_eq(list_store_get(store, "a", &info, &diag), 0);
    ck_assert_uint_eq(info.updated_us, before.updated_us);
    ck_assert_uint_eq(info.version, change.lists_version);
    ck_assert_uint_eq(info.exempt, 1);
    ck_assert_uint_eq(info.entries, 1);
}
END_TEST

START_TEST(an_exemption_outlives_imports_of_the_same_picture)
{
    const struct known_hashes more = picture(1, M | P | S);
    const struct known_hashes less = picture(1, M);
    const struct known_hashes other = picture(2, M);
    uint64_t version = 0;

    put_picture("1", 1);
    version = change.lists_version;
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why"), 0);
    upsert("a", "1", &more, LIST_REPLACE);
    ck_assert_uint_eq(change.changed, 1);
    ck_assert_uint_eq(change.lapsed, 0);
    expect_ruling(RULING_EXEMPT);
    upsert("a", "1", &less, LIST_REPLACE);
    expect_ruling(RULING_EXEMPT);
    /* Off the list it waits. */
    upsert("a", "2", &other, LIST_REPLACE);
    expect_ruling(RULING_NONE);
    ck_assert(!list_ruled(RULING_EXEMPT).items[0].present);
    put_picture("1", 1);
    expect_ruling(RULING_EXEMPT);
    ck_assert_int_eq(list_store_revert(store, "a", version, "tester", &change, &diag), 0);
    expect_ruling(RULING_EXEMPT);
}
END_TEST

/* How the hashes of an entry may change. */
static const struct {
    unsigned int kinds_before;
    struct {
        unsigned int picture, kinds;
    } now[2]; /* the hashes of the entry after, from up to two pictures */
    bool lapses;
} changes[] = {
    {M, {{2, M}, {0, 0}}, true},  {P, {{2, P}, {0, 0}}, true},      {M | P, {{1, M}, {2, P}}, true},
    {M, {{2, S}, {0, 0}}, true},  {M | P, {{1, P}, {2, M}}, true},  {M, {{1, M}, {2, P}}, false},
    {P, {{1, P}, {2, S}}, false}, {M | P, {{1, P}, {0, 0}}, false}, {M | P, {{1, P | M | S}, {0, 0}}, false},
};

static struct known_hashes combine(const struct known_hashes *one, const struct known_hashes *other)
{
    struct known_hashes both = *one;

    both.kinds |= other->kinds;
    both.pdq_quality = -1;
    if ((other->kinds & M) != 0)
        memcpy(both.md5, other->md5, sizeof both.md5);
    if ((other->kinds & S) != 0)
        memcpy(both.sha1, other->sha1, sizeof both.sha1);
    if ((other->kinds & P) != 0)
        both.pdq = other->pdq;
    return both;
}

START_TEST(an_exemption_lapses_when_the_entry_is_another_picture)
{
    const struct known_hashes before = picture(1, changes[_i].kinds_before);
    const struct known_hashes one = picture(changes[_i].now[0].picture, changes[_i].now[0].kinds);
    const struct known_hashes other = picture(changes[_i].now[1].picture + 7, changes[_i].now[1].kinds);
    const struct known_hashes now = combine(&one, &other);

    upsert("a", "1", &before, LIST_MERGE);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why"), 0);
    upsert("a", "1", &now, LIST_MERGE);
    ck_assert_uint_eq(change.lapsed, changes[_i].lapses);
    expect_ruling(changes[_i].lapses ? RULING_NONE : RULING_EXEMPT);
    const struct ruled_list list = list_ruled(RULING_EXEMPT);
    ck_assert_int_eq(list.count, 1);
    ck_assert_int_eq(list.items[0].lapsed, changes[_i].lapses);
    ck_assert_int_eq(list.items[0].lapsed_us > 0, changes[_i].lapses);
}
END_TEST

START_TEST(what_lapsed_stays_so_until_people_look_at_it)
{
    put_picture("1", 1);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why"), 0);
    put_picture("1", 2);
    ck_assert_uint_eq(change.lapsed, 1);
    put_picture("1", 1);
    expect_ruling(RULING_NONE);
    ck_assert_int_eq(rule(RULING_ACT_LIFT, "1", ""), LIST_STORE_NOT_FOUND);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why again"), 0);
    expect_ruling(RULING_EXEMPT);
    ck_assert_int_eq(list_ruled(RULING_EXEMPT).count, 1);
    ck_assert_str_eq(list_ruled(RULING_EXEMPT).items[0].note, "why again");
}
END_TEST

START_TEST(a_revert_to_another_picture_ends_an_exemption)
{
    uint64_t version = 0;

    put_picture("1", 1);
    version = change.lists_version;
    put_picture("1", 2);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why"), 0);
    ck_assert_int_eq(list_store_revert(store, "a", version, "tester", &change, &diag), 0);
    ck_assert_uint_eq(change.lapsed, 1);
    expect_ruling(RULING_NONE);
}
END_TEST

START_TEST(an_exemption_can_be_lifted)
{
    put_picture("1", 1);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why"), 0);
    ck_assert_int_eq(rule(RULING_ACT_LIFT, "1", "it was right"), 0);
    expect_ruling(RULING_NONE);
    ck_assert_int_eq(list_ruled(RULING_EXEMPT).count, 0);
    ck_assert_str_eq(ask_sql(&folder, "lists.sqlite", "SELECT ending || ended_by || ended_note FROM ruling"),
                     "liftedstaffit was right");
    ck_assert_int_eq(rule(RULING_ACT_LIFT, "1", ""), LIST_STORE_NOT_FOUND);
    ck_assert_str_eq(diag.text, "list a has no entry 1 that is exempt");
}
END_TEST

START_TEST(what_changes_nothing_makes_no_version)
{
    put_picture("1", 1);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why"), 0);
    const uint64_t version = change.lists_version;
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why"), 0);
    ck_assert_uint_eq(change.lists_version, version);
    ck_assert_uint_eq(change.changed, 0);
    ck_assert_uint_eq(change.unchanged, 1);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why not"), 0);
    ck_assert_uint_eq(change.lists_version, version + 1);
    ck_assert_str_eq(list_ruled(RULING_EXEMPT).items[0].note, "why not");
}
END_TEST

START_TEST(several_entries_are_ruled_together_or_not_at_all)
{
    static const char *const ids[] = {"1", "2", "3"};
    struct ruling_call call = {
        .list = "a", .act = RULING_ACT_EXEMPT, .entry_ids = ids, .count = 3, .who = "staff", .note = "why"};

    put_picture("1", 1);
    put_picture("3", 3);
    ck_assert_int_eq(list_store_rule(store, &call, &change, &diag), LIST_STORE_NOT_FOUND);
    ck_assert_str_eq(diag.text, "list a has no entry 2");
    expect_ruling(RULING_NONE);
    put_picture("2", 2);
    ck_assert_int_eq(list_store_rule(store, &call, &change, &diag), 0);
    ck_assert_uint_eq(change.changed, 3);
    ck_assert_int_eq(follow().count, 3);
}
END_TEST

START_TEST(the_flood_guard_yields_to_people)
{
    put_picture("1", 1);
    ck_assert_int_eq(rule(RULING_ACT_FLOOD, "1", "many"), 0);
    expect_ruling(RULING_SET_ASIDE);
    ck_assert_int_eq(rule(RULING_ACT_RELEASE, "1", "it is right"), 0);
    expect_ruling(RULING_CONFIRMED);
    ck_assert_int_eq(list_ruled(RULING_SET_ASIDE).count, 0);
    ck_assert_str_eq(list_ruled(RULING_CONFIRMED).items[0].note, "it is right");
    ck_assert_int_eq(rule(RULING_ACT_FLOOD, "1", "many"), 0);
    ck_assert_uint_eq(change.changed, 0);
    expect_ruling(RULING_CONFIRMED);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why"), 0);
    ck_assert_int_eq(rule(RULING_ACT_FLOOD, "1", "many"), 0);
    expect_ruling(RULING_EXEMPT);
    /* An entry that went meanwhile is none of its business. */
    ck_assert_int_eq(rule(RULING_ACT_FLOOD, "9", "many"), 0);
    /* A picture that nobody looked at is watched again. */
    put_picture("1", 2);
    ck_assert_int_eq(rule(RULING_ACT_FLOOD, "1", "many"), 0);
    expect_ruling(RULING_SET_ASIDE);
}
END_TEST

START_TEST(an_entry_can_be_released_while_it_is_off_the_list)
{
    put_picture("1", 1);
    ck_assert_int_eq(rule(RULING_ACT_SET_ASIDE, "1", ""), 0);
    take_away("1");
    ck_assert_int_eq(rule(RULING_ACT_RELEASE, "1", ""), 0);
    put_picture("1", 1);
    expect_ruling(RULING_CONFIRMED);
    put_picture("1", 2);
    ck_assert_uint_eq(change.lapsed, 1);
}
END_TEST

START_TEST(rulings_stand_beside_a_signature)
{
    bool found = false;

    put_picture("1", 1);
    const uint64_t version = change.lists_version;
    rules[0].is_signed = true;
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why"), 0);
    expect_ruling(RULING_EXEMPT);
    ck_assert_int_eq(list_store_revert(store, "a", version, "tester", &change, &diag), LIST_STORE_REFUSED);
    /* A version that signed files made is still one after a ruling. */
    const struct known_hashes hashes = picture(1, M);
    const struct list_entry entry = {.entry_id = "1", .hashes = hashes, .classification = "", .note = ""};
    struct list_draft *draft = NULL;
    ck_assert_int_eq(list_draft_begin(store, "a", LIST_REPLACE, &draft, &diag), 0);
    ck_assert_int_eq(list_draft_upsert(draft, &entry, &diag), 0);
    list_draft_vouch(draft);
    ck_assert_int_eq(list_draft_commit(draft, "tester", "signed replacement", &change, &diag), 0);
    ck_assert_int_eq(rule(RULING_ACT_LIFT, "1", ""), 0);
    const uint64_t lifted = change.lists_version;
    found = list_store_revert(store, "a", lifted, "tester", &change, &diag) == 0;
    ck_assert_msg(found, "%s", diag.text);
}
END_TEST

START_TEST(rulings_end_with_their_list)
{
    put_picture("1", 1);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why"), 0);
    ck_assert_int_eq(list_store_delete(store, "a", "tester", &change, &diag), 0);
    put("a");
    put_picture("1", 1);
    expect_ruling(RULING_NONE);
    ck_assert_int_eq(list_ruled(RULING_EXEMPT).count, 0);
}
END_TEST

START_TEST(rulings_outlive_the_process_and_are_never_deleted)
{
    put_picture("1", 1);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why"), 0);
    list_store_close(store);
    ck_assert_int_ne(run_sql(&folder, "lists.sqlite", "DELETE FROM ruling"), SQLITE_OK);
    ck_assert_int_eq(list_store_open(folder.path, false, &store, &diag), 0);
    expect_ruling(RULING_EXEMPT);
}
END_TEST

START_TEST(a_store_of_an_older_layout_takes_rulings)
{
    put_picture("1", 1);
    list_store_close(store);
    ck_assert_int_eq(run_sql(&folder, "lists.sqlite", "DROP TABLE ruling; PRAGMA user_version = 3"),
                     SQLITE_OK);
    ck_assert_int_eq(list_store_open(folder.path, false, &store, &diag), 0);
    list_store_guard(store, &config);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why"), 0);
    expect_ruling(RULING_EXEMPT);
}
END_TEST

START_TEST(calls_that_are_no_rulings_are_refused)
{
    char note[RULING_NOTE_MAX + 2];
    const char *id = "1";
    struct ruling_call call = {
        .list = "b", .act = RULING_ACT_EXEMPT, .entry_ids = &id, .count = 1, .who = "staff", .note = "why"};

    put_picture("1", 1);
    ck_assert_int_eq(list_store_rule(store, &call, &change, &diag), LIST_STORE_NOT_FOUND);
    call.list = "a";
    call.count = 0;
    ck_assert_int_eq(list_store_rule(store, &call, &change, &diag), LIST_STORE_REFUSED);
    call.count = RULED_AT_ONCE_MAX + 1;
    ck_assert_int_eq(list_store_rule(store, &call, &change, &diag), LIST_STORE_REFUSED);
    memset(note, 'x', sizeof note);
    note[RULING_NOTE_MAX + 1] = '\0';
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", note), LIST_STORE_REFUSED);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "a\nb"), LIST_STORE_REFUSED);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", ""), LIST_STORE_REFUSED);
    ck_assert_int_eq(rule(RULING_ACT_RELEASE, "1", ""), LIST_STORE_NOT_FOUND);
    ck_assert_int_eq(list_store_each_ruled(store, "b", RULING_EXEMPT, keep_ruled, NULL, &diag),
                     LIST_STORE_NOT_FOUND);
    expect_ruling(RULING_NONE);
    note[RULING_NOTE_MAX] = '\0';
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", note), 0);
}
END_TEST

START_TEST(exemptions_have_a_bound)
{
    put_picture("1", 1);
    ck_assert_int_eq(run_sql(&folder, "lists.sqlite",
                             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)"
                             " INSERT INTO ruling(list, entry_id, ruling, since, at_us, who, note)"
                             " SELECT 1, 'x' || i, 'exempt', 1, 1, '', '' FROM n"),
                     SQLITE_OK);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "1", "why"), 0);
    put_picture("2", 2);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "2", "why"), LIST_STORE_REFUSED);
    ck_assert_int_eq(rule(RULING_ACT_LIFT, "1", ""), 0);
    ck_assert_int_eq(rule(RULING_ACT_EXEMPT, "2", "why"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("list rulings");
    TCase *tests = tcase_create("list rulings");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, an_exemption_says_who_when_and_why);
    tcase_add_test(tests, an_exemption_outlives_imports_of_the_same_picture);
    tcase_add_loop_test(tests, an_exemption_lapses_when_the_entry_is_another_picture, 0,
                        (int)(sizeof changes / sizeof changes[0]));
    tcase_add_test(tests, what_lapsed_stays_so_until_people_look_at_it);
    tcase_add_test(tests, a_revert_to_another_picture_ends_an_exemption);
    tcase_add_test(tests, an_exemption_can_be_lifted);
    tcase_add_test(tests, what_changes_nothing_makes_no_version);
    tcase_add_test(tests, several_entries_are_ruled_together_or_not_at_all);
    tcase_add_test(tests, the_flood_guard_yields_to_people);
    tcase_add_test(tests, an_entry_can_be_released_while_it_is_off_the_list);
    tcase_add_test(tests, rulings_stand_beside_a_signature);
    tcase_add_test(tests, rulings_end_with_their_list);
    tcase_add_test(tests, rulings_outlive_the_process_and_are_never_deleted);
    tcase_add_test(tests, a_store_of_an_older_layout_takes_rulings);
    tcase_add_test(tests, calls_that_are_no_rulings_are_refused);
    tcase_add_test(tests, exemptions_have_a_bound);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
