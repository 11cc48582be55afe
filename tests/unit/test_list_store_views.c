#include "prescreen/lists/reader.h"
#include "prescreen/lists/writer.h"
#include "prescreen/store/lists.h"

#include "entries.h"
#include "store_folder.h"
#include "tap.h"

#include <errno.h>

static struct store_folder folder;
static struct list_store *store;
static struct diag diag;

static void set_up(void)
{
    folder = make_folder();
    ck_assert_msg(list_store_open(folder.path, true, &store, &diag) == 0, "%s", diag.text);
}

static void tear_down(void)
{
    list_store_close(store);
    store = NULL;
    remove_folder(&folder);
}

static void put(const char *name)
{
    struct list_properties properties = {.action = ACTION_BLOCK, .source = "", .max_distance = 31};
    struct list_change change;

    strcpy(properties.name, name);
    ck_assert_msg(list_store_put(store, &properties, "tester", &change, &diag) == 0, "%s", diag.text);
}

static struct list_info info_of(const char *name)
{
    struct list_info info;

    ck_assert_msg(list_store_get(store, name, &info, &diag) == 0, "%s", diag.text);
    return info;
}

static void fill_views(struct entry_view *views, size_t count, uint64_t seed)
{
    uint64_t state = seed;

    for (size_t i = 0; i < count; i++) {
        views[i].view = (enum view)(1 + i % (VIEW_COUNT - 1));
        for (size_t word = 0; word < 4; word++)
            views[i].hash.words[word] = random_next(&state);
    }
}

static struct list_change change_entry(const char *list, const struct list_entry *entry, bool removing)
{
    struct list_draft *draft = NULL;
    struct list_change change;

    ck_assert_int_eq(list_draft_begin(store, list, LIST_MERGE, &draft, &diag), 0);
    int result =
        removing ? list_draft_remove(draft, entry->entry_id, &diag) : list_draft_upsert(draft, entry, &diag);
    ck_assert_msg(result == 0, "%s", diag.text);
    ck_assert_msg(list_draft_commit(draft, "tester", "entries", &change, &diag) == 0, "%s", diag.text);
    return change;
}

static struct list_entry entry_with(const struct entry_view *views, size_t count)
{
    return (struct list_entry){.entry_id = "e",
                               .hashes = {.kinds = HASH_BIT(HASH_SHA256), .pdq_quality = -1},
                               .classification = "",
                               .note = "",
                               .views = views,
                               .view_count = count};
}

/* What a follower hears of rows and their views, as text. */
static int hear_list(void *context, const struct list_info *info)
{
    (void)context;
    (void)info;
    return 0;
}

static int hear_removed(void *context, uint64_t row)
{
    char *said = context;

    sprintf(said + strlen(said), "-%d ", (int)row);
    return 0;
}

static int hear_added(void *context, uint64_t row, uint32_t list, const struct known_hashes *hashes)
{
    char *said = context;

    (void)list;
    (void)hashes;
    sprintf(said + strlen(said), "+%d ", (int)row);
    return 0;
}

static int hear_view(void *context, uint64_t row, const struct entry_view *view)
{
    char *said = context;

    sprintf(said + strlen(said), "%d:%s:%04x ", (int)row, view_name(view->view),
            (unsigned int)(view->hash.words[0] & 0xffff));
    return 0;
}

static const char *follow(uint64_t since)
{
    static char said[8192];
    struct list_follower follower = {said, hear_list, hear_removed, hear_added, hear_view, NULL};
    uint64_t version = 0;

    said[0] = '\0';
    ck_assert_msg(list_store_follow(store, since, &follower, &version, &diag) == 0, "%s", diag.text);
    return said;
}

START_TEST(views_come_change_and_go_with_their_entry)
{
    struct entry_view views[3] = {
        {VIEW_THUMBNAIL, {{0x1111}}}, {VIEW_UNDER_ALPHA, {{0x2222}}}, {VIEW_OVER_BLACK, {{3}}}};
    struct list_entry entry = entry_with(views, 2);

    put("a");
    ck_assert_uint_eq(change_entry("a", &entry, false).added, 1);
    ck_assert_uint_eq(info_of("a").views, 2);
    ck_assert_str_eq(follow(0), "+1 1:thumbnail:1111 1:under_alpha:2222 ");
    ck_assert_uint_eq(change_entry("a", &entry, false).unchanged, 1);
    /* A bit, a name, one more, one less. */
    views[1].hash.words[3] ^= 1;
    ck_assert_uint_eq(change_entry("a", &entry, false).changed, 1);
    views[1].view = VIEW_OVER_BLACK;
    ck_assert_uint_eq(change_entry("a", &entry, false).changed, 1);
    entry.view_count = 3;
    ck_assert_uint_eq(change_entry("a", &entry, false).changed, 1);
    ck_assert_uint_eq(info_of("a").views, 3);
    ck_assert_str_eq(follow(5), "-3 +4 4:thumbnail:1111 4:over_black:2222 4:over_black:0003 ");
    entry.view_count = 0;
    ck_assert_uint_eq(change_entry("a", &entry, false).changed, 1);
    ck_assert_uint_eq(info_of("a").views, 0);
    ck_assert_str_eq(follow(0), "+5 ");
    entry.view_count = 1;
    ck_assert_uint_eq(change_entry("a", &entry, false).changed, 1);
    ck_assert_uint_eq(info_of("a").views, 1);
    ck_assert_uint_eq(change_entry("a", &entry, true).removed, 1);
    ck_assert_uint_eq(info_of("a").views, 0);
    ck_assert_str_eq(follow(0), "");
}
END_TEST

START_TEST(a_list_that_ends_takes_its_views_along)
{
    struct entry_view views[2];
    struct list_entry entry = entry_with(views, 2);
    struct list_change change;

    fill_views(views, 2, 1);
    put("a");
    change_entry("a", &entry, false);
    ck_assert_int_eq(list_store_delete(store, "a", "tester", &change, &diag), 0);
    ck_assert_str_eq(follow(2), "-1 ");
    put("a");
    ck_assert_uint_eq(info_of("a").views, 0);
}
END_TEST

START_TEST(views_are_held_to_their_rules)
{
    struct entry_view views[ENTRY_VIEWS_MAX + 1];
    struct list_draft *draft = NULL;
    struct list_entry entry = entry_with(views, ENTRY_VIEWS_MAX + 1);

    fill_views(views, ENTRY_VIEWS_MAX + 1, 2);
    put("a");
    ck_assert_int_eq(list_draft_begin(store, "a", LIST_MERGE, &draft, &diag), 0);
    ck_assert_int_eq(list_draft_upsert(draft, &entry, &diag), LIST_STORE_REFUSED);
    ck_assert_str_eq(diag.text, "views: 65 hashes, at most 64 are allowed");
    entry.view_count = 1;
    views[0].view = VIEW_MAIN;
    ck_assert_int_eq(list_draft_upsert(draft, &entry, &diag), LIST_STORE_REFUSED);
    views[0].view = VIEW_COUNT;
    ck_assert_int_eq(list_draft_upsert(draft, &entry, &diag), LIST_STORE_REFUSED);
    ck_assert_str_eq(diag.text, "views: not a view other than main");
    list_draft_abandon(draft);
    entry.view_count = ENTRY_VIEWS_MAX;
    views[0].view = VIEW_COUNT - 1;
    change_entry("a", &entry, false);
    ck_assert_uint_eq(info_of("a").views, ENTRY_VIEWS_MAX);
}
END_TEST

static int check_entry(void *context, const struct list_entry *entry)
{
    const struct list_entry *expected = context;

    ck_assert_uint_eq(entry->view_count, expected->view_count);
    for (size_t i = 0; i < entry->view_count; i++) {
        ck_assert_int_eq(entry->views[i].view, expected->views[i].view);
        ck_assert_uint_eq(pdq_distance(&entry->views[i].hash, &expected->views[i].hash), 0);
    }
    return 0;
}

static int ignore_entry(void *context, const struct list_entry *entry)
{
    (void)context;
    (void)entry;
    return 0;
}

START_TEST(views_that_cannot_be_are_reported_as_damage)
{
    static const char *const values[] = {
        "x'00'",
        "zeroblob(33)",
        "zeroblob(34)",
        "zeroblob(65*33)",
        "x'ff00000000000000000000000000000000000000000000000000000000000000ff'",
        "x''"};
    struct entry_view views[ENTRY_VIEWS_MAX];
    struct list_entry entry = entry_with(views, ENTRY_VIEWS_MAX);
    char sql[256];

    fill_views(views, ENTRY_VIEWS_MAX, 3);
    put("a");
    change_entry("a", &entry, false);
    ck_assert_int_eq(list_store_each_entry(store, "a", check_entry, &entry, &diag), 0);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct list_follower follower = {NULL, hear_list, hear_removed, hear_added, hear_view, NULL};
        char said[64] = "";
        uint64_t version = 0;

        snprintf(sql, sizeof sql, "UPDATE entry SET views = %s", values[i]);
        ck_assert_int_eq(run_sql(&folder, "lists.sqlite", sql), SQLITE_OK);
        ck_assert_int_eq(list_store_each_entry(store, "a", ignore_entry, NULL, &diag), -EBADMSG);
        follower.context = said;
        ck_assert_int_eq(list_store_follow(store, 0, &follower, &version, &diag), -EBADMSG);
        ck_assert_str_eq(said, "");
    }
}
END_TEST

/* The list as a CSV file. */
struct file {
    char text[4 * LIST_CSV_ROW_MAX];
    size_t size;
};

static int write_row(void *context, const struct list_entry *entry)
{
    struct file *file = context;
    size_t size = list_csv_format_row(entry, true, file->text + file->size, sizeof file->text - file->size);

    ck_assert_uint_gt(size, 0);
    file->size += size;
    return 0;
}

static int take_row(void *context, const struct list_entry *entry)
{
    return list_draft_upsert(context, entry, &diag);
}

START_TEST(an_exported_list_brings_its_views_back)
{
    struct entry_view views[ENTRY_VIEWS_MAX];
    struct list_entry entry = entry_with(views, ENTRY_VIEWS_MAX);
    struct list_reader_options options = {.format = LIST_FORMAT_CSV, .on_entry = take_row};
    struct list_reader *reader = NULL;
    struct list_draft *draft = NULL;
    struct list_change change;
    static struct file file;

    fill_views(views, ENTRY_VIEWS_MAX, 4);
    put("a");
    change_entry("a", &entry, false);
    struct list_entry plain = entry_with(NULL, 0);
    plain.entry_id = "plain";
    change_entry("a", &plain, false);
    file.size = list_csv_format_header(true, file.text, sizeof file.text);
    ck_assert_int_eq(list_store_each_entry(store, "a", write_row, &file, &diag), 0);

    ck_assert_int_eq(list_draft_begin(store, "a", LIST_REPLACE, &draft, &diag), 0);
    options.context = draft;
    ck_assert_int_eq(list_reader_create(&options, &reader), 0);
    ck_assert_msg(list_reader_feed(reader, file.text, file.size, &diag) == 0, "%s", diag.text);
    ck_assert_int_eq(list_reader_finish(reader, &diag), 0);
    list_reader_free(reader);
    ck_assert_int_eq(list_draft_commit(draft, "tester", "import", &change, &diag), 0);
    ck_assert_uint_eq(change.unchanged, 2);
}
END_TEST

/* A store as the version before made it. */
static const char first_layout[] =
    "CREATE TABLE list("
    " number INTEGER PRIMARY KEY, name TEXT NOT NULL, action TEXT NOT NULL, source TEXT NOT NULL,"
    " max_distance INTEGER NOT NULL, entries INTEGER NOT NULL DEFAULT 0, md5s INTEGER NOT NULL DEFAULT 0,"
    " sha1s INTEGER NOT NULL DEFAULT 0, sha256s INTEGER NOT NULL DEFAULT 0, pdqs INTEGER NOT NULL DEFAULT 0,"
    " created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL, version INTEGER NOT NULL, until INTEGER) "
    "STRICT;"
    "CREATE UNIQUE INDEX list_in_force ON list(name) WHERE until IS NULL;"
    "CREATE TABLE entry("
    " row INTEGER PRIMARY KEY, list INTEGER NOT NULL REFERENCES list(number), since INTEGER NOT NULL,"
    " until INTEGER, entry_id TEXT NOT NULL, md5 BLOB, sha1 BLOB, sha256 BLOB, pdq BLOB, pdq_quality INTEGER,"
    " classification TEXT NOT NULL, note TEXT NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX entry_in_force ON entry(list, entry_id) WHERE until IS NULL;"
    "CREATE INDEX entry_past ON entry(until) WHERE until IS NOT NULL;"
    "CREATE TABLE change("
    " version INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,"
    " list INTEGER NOT NULL REFERENCES list(number), action TEXT NOT NULL, source TEXT NOT NULL,"
    " max_distance INTEGER NOT NULL, added INTEGER NOT NULL, changed INTEGER NOT NULL, removed INTEGER NOT "
    "NULL,"
    " unchanged INTEGER NOT NULL, last_row INTEGER NOT NULL) STRICT;"
    "CREATE TRIGGER list_stays BEFORE DELETE ON list BEGIN SELECT raise(ABORT, 'lists are never deleted'); "
    "END;"
    "CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT raise(ABORT, 'no'); END;"
    "CREATE TRIGGER change_stays BEFORE DELETE ON change BEGIN SELECT raise(ABORT, 'no'); END;"
    "CREATE TRIGGER change_is BEFORE UPDATE ON change BEGIN SELECT raise(ABORT, 'no'); END;"
    "INSERT INTO list VALUES(1, 'old', 'report', 'src', 20, 1, 1, 0, 0, 0, 5, 6, 3, NULL);"
    "INSERT INTO entry VALUES(1, 1, 2, 3, 'gone', zeroblob(16), NULL, NULL, NULL, NULL, '', '');"
    "INSERT INTO entry VALUES(2, 1, 2, NULL, 'there', zeroblob(16), NULL, NULL, NULL, NULL, 'A1', 'n');"
    "INSERT INTO change VALUES(1, 5, 'w', 'create', 1, 'report', 'src', 20, 0, 0, 0, 0, 0);"
    "INSERT INTO change VALUES(2, 6, 'w', 'import', 1, 'report', 'src', 20, 2, 0, 0, 0, 2);"
    "INSERT INTO change VALUES(3, 7, 'w', 'entries', 1, 'report', 'src', 20, 0, 0, 1, 0, 2);"
    "PRAGMA application_id=0x50534c53; PRAGMA user_version=1;";

static void make_first_layout(const char *more)
{
    list_store_close(store);
    store = NULL;
    remove_folder(&folder);
    folder = make_folder();
    ck_assert_int_eq(run_sql(&folder, "lists.sqlite", first_layout), SQLITE_OK);
    ck_assert_int_eq(run_sql(&folder, "lists.sqlite", more), SQLITE_OK);
}

START_TEST(a_store_of_the_first_layout_is_brought_up_and_loses_nothing)
{
    struct entry_view view = {VIEW_THUMBNAIL, {{7}}};
    struct list_entry entry = entry_with(&view, 1);
    struct list_store *second = NULL;
    uint64_t version = 0;

    make_first_layout("SELECT 1");
    ck_assert_msg(list_store_open(folder.path, false, &store, &diag) == 0, "%s", diag.text);
    ck_assert_str_ne(ask_sql(&folder, "lists.sqlite", "PRAGMA user_version"), "1");
    ck_assert_int_eq(list_store_version(store, &version, &diag), 0);
    ck_assert_uint_eq(version, 3);
    struct list_info info = info_of("old");
    ck_assert_uint_eq(info.entries, 1);
    ck_assert_uint_eq(info.kinds[HASH_MD5], 1);
    ck_assert_uint_eq(info.views, 0);
    ck_assert_uint_eq(info.properties.max_distance, 20);
    ck_assert_str_eq(follow(0), "+2 ");
    ck_assert_str_eq(follow(2), "-1 ");
    ck_assert_uint_eq(change_entry("old", &entry, false).lists_version, 4);
    ck_assert_str_eq(follow(3), "+3 3:thumbnail:0007 ");
    /* Opening it again changes nothing. */
    ck_assert_int_eq(list_store_open(folder.path, false, &second, &diag), 0);
    list_store_close(second);
    ck_assert_uint_eq(info_of("old").views, 1);
}
END_TEST

START_TEST(a_store_that_cannot_be_brought_up_stays_as_it_was)
{
    make_first_layout("ALTER TABLE entry ADD COLUMN views TEXT");
    ck_assert_int_lt(list_store_open(folder.path, false, &store, &diag), 0);
    ck_assert_str_eq(ask_sql(&folder, "lists.sqlite", "PRAGMA user_version"), "1");
    ck_assert_str_eq(ask_sql(&folder, "lists.sqlite",
                             "SELECT count(*) FROM pragma_table_info('list') WHERE name = 'views'"),
                     "0");
}
END_TEST

START_TEST(a_store_that_says_no_layout_is_not_ours)
{
    make_first_layout("PRAGMA user_version=0");
    ck_assert_int_eq(list_store_open(folder.path, false, &store, &diag), -EINVAL);
    ck_assert_ptr_nonnull(strstr(diag.text, "is not a list store of prescreen"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("list_store_views");
    TCase *tests = tcase_create("list_store_views");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, views_come_change_and_go_with_their_entry);
    tcase_add_test(tests, a_list_that_ends_takes_its_views_along);
    tcase_add_test(tests, views_are_held_to_their_rules);
    tcase_add_test(tests, views_that_cannot_be_are_reported_as_damage);
    tcase_add_test(tests, an_exported_list_brings_its_views_back);
    tcase_add_test(tests, a_store_of_the_first_layout_is_brought_up_and_loses_nothing);
    tcase_add_test(tests, a_store_that_cannot_be_brought_up_stays_as_it_was);
    tcase_add_test(tests, a_store_that_says_no_layout_is_not_ours);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
