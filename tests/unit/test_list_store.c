#include "prescreen/base/clock.h"
#include "prescreen/lists/reader.h"
#include "prescreen/lists/writer.h"
#include "prescreen/store/lists.h"

#include "entries.h"
#include "store_folder.h"
#include "tap.h"

#include <errno.h>
#include <pthread.h>

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

static struct list_change put(const char *name, enum list_action action)
{
    struct list_properties properties = {.action = action, .source = "a source", .max_distance = 31};
    struct list_change change;

    strcpy(properties.name, name);
    ck_assert_msg(list_store_put(store, &properties, "tester", &change, &diag) == 0, "%s", diag.text);
    return change;
}

static struct list_draft *begin(const char *name, enum list_change_mode mode)
{
    struct list_draft *draft = NULL;

    ck_assert_msg(list_draft_begin(store, name, mode, &draft, &diag) == 0, "%s", diag.text);
    return draft;
}

/* An entry whose hashes follow from a number. */
static struct kept_entry numbered(const char *entry_id, unsigned int number)
{
    uint64_t state = number + 1;
    struct kept_entry made = {.entry_id = "", .hashes = random_hashes(&state, 1 + number % 15)};

    strcpy(made.entry_id, entry_id);
    snprintf(made.classification, sizeof made.classification, "C%u", number % 3);
    return made;
}

static void upsert(struct list_draft *draft, const char *entry_id, unsigned int number)
{
    struct kept_entry made = numbered(entry_id, number);
    struct list_entry entry = entry_of(&made);

    ck_assert_msg(list_draft_upsert(draft, &entry, &diag) == 0, "%s", diag.text);
}

static void drop(struct list_draft *draft, const char *entry_id)
{
    ck_assert_msg(list_draft_remove(draft, entry_id, &diag) == 0, "%s", diag.text);
}

static struct list_change commit(struct list_draft *draft)
{
    struct list_change change;

    ck_assert_msg(list_draft_commit(draft, "tester", "import", &change, &diag) == 0, "%s", diag.text);
    return change;
}

static struct list_info info_of(const char *name)
{
    struct list_info info;

    ck_assert_msg(list_store_get(store, name, &info, &diag) == 0, "%s", diag.text);
    return info;
}

static uint64_t version(void)
{
    uint64_t value = 99;

    ck_assert_int_eq(list_store_version(store, &value, &diag), 0);
    return value;
}

static void expect_change(struct list_change change, uint64_t lists_version, unsigned int added,
                          unsigned int changed, unsigned int removed, unsigned int unchanged)
{
    ck_assert_uint_eq(change.lists_version, lists_version);
    ck_assert_uint_eq(change.added, added);
    ck_assert_uint_eq(change.changed, changed);
    ck_assert_uint_eq(change.removed, removed);
    ck_assert_uint_eq(change.unchanged, unchanged);
    ck_assert_uint_eq(version(), lists_version);
}

/* What a follower was told, as sorted text is not needed: rows ascend. */
struct told {
    char lists[256];
    uint64_t removed[64], added[64];
    uint32_t added_list[64];
    struct known_hashes hashes[64];
    size_t removed_count, added_count;
    uint64_t version;
    int stop_at; /* calls until a callback stops */
};

static int tick(struct told *told)
{
    return --told->stop_at == 0 ? -ECANCELED : 0;
}

static int told_list(void *context, const struct list_info *info)
{
    struct told *told = context;

    ck_assert_uint_eq(told->removed_count + told->added_count, 0);
    snprintf(told->lists + strlen(told->lists), sizeof told->lists - strlen(told->lists), "%s ",
             info->properties.name);
    return tick(told);
}

static int told_removed(void *context, uint64_t row)
{
    struct told *told = context;

    ck_assert_uint_eq(told->added_count, 0);
    told->removed[told->removed_count++] = row;
    return tick(told);
}

static int told_added(void *context, uint64_t row, uint32_t list, const struct known_hashes *hashes)
{
    struct told *told = context;

    ck_assert(told->added_count == 0 || told->added[told->added_count - 1] < row);
    told->added[told->added_count] = row;
    told->added_list[told->added_count] = list;
    told->hashes[told->added_count++] = *hashes;
    return tick(told);
}

static int follow(struct list_store *from, uint64_t since, struct told *told, int stop_at)
{
    *told = (struct told){.version = 12345, .stop_at = stop_at};
    struct list_follower follower = {told, told_list, told_removed, told_added, NULL, NULL};

    return list_store_follow(from, since, &follower, &told->version, &diag);
}

START_TEST(store_is_for_its_owner_alone)
{
    char inner[300];
    struct list_store *other = NULL;
    mode_t mask = umask(0);

    snprintf(inner, sizeof inner, "%s/data", folder.path);
    ck_assert_int_eq(list_store_open(inner, false, &other, &diag), -ENOENT);
    ck_assert_ptr_null(other);
    ck_assert_int_eq(list_store_open(inner, true, &other, &diag), 0);
    umask(mask);
    ck_assert_uint_eq(mode_of(inner), 0700);
    ck_assert_uint_eq(mode_of(file_in(&folder, "data/lists.sqlite")), 0600);
    ck_assert_uint_eq(mode_of(file_in(&folder, "data/lists.sqlite-wal")), 0600);
    ck_assert_uint_eq(mode_of(file_in(&folder, "data/lists.sqlite-shm")), 0600);
    list_store_close(other);
    ck_assert_int_eq(unlink(file_in(&folder, "data/lists.sqlite")), 0);
    ck_assert_int_eq(list_store_open(inner, false, &other, &diag), -ENOENT);
    ck_assert_ptr_nonnull(strstr(diag.text, "there is no list store"));
    ck_assert_int_eq(rmdir(inner), 0);
}
END_TEST

START_TEST(foreign_newer_and_damaged_files_are_refused)
{
    struct list_store *other = NULL;
    FILE *file;

    ck_assert_int_eq(run_sql(&folder, "lists.sqlite", "PRAGMA user_version=1000"), SQLITE_OK);
    ck_assert_int_eq(list_store_open(folder.path, true, &other, &diag), -ENOTSUP);
    ck_assert_ptr_nonnull(
        strstr(diag.text, "written by a newer prescreen (layout 1000, this program knows 4)"));
    ck_assert_int_eq(run_sql(&folder, "lists.sqlite", "PRAGMA application_id=7"), SQLITE_OK);
    ck_assert_int_eq(list_store_open(folder.path, true, &other, &diag), -EINVAL);
    ck_assert_ptr_nonnull(strstr(diag.text, "is not a list store of prescreen"));
    list_store_close(store);
    file = fopen(file_in(&folder, "lists.sqlite"), "w");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 1000; i++)
        fputs("no data base", file);
    fclose(file);
    ck_assert_int_eq(list_store_open(folder.path, true, &store, &diag), -EBADMSG);
    ck_assert_ptr_nonnull(strstr(diag.text, "lists.sqlite: "));
    store = NULL;
}
END_TEST

START_TEST(value_that_cannot_be_is_reported_as_damage)
{
    struct told told;
    struct list_info info;
    struct stored_entry entry;

    put("a", ACTION_BLOCK);
    struct list_draft *draft = begin("a", LIST_MERGE);
    upsert(draft, "x", 14);
    commit(draft);
    ck_assert_int_eq(run_sql(&folder, "lists.sqlite", "UPDATE entry SET md5 = x'00'"), SQLITE_OK);
    ck_assert_int_eq(follow(store, 0, &told, 0), -EBADMSG);
    ck_assert_ptr_nonnull(strstr(diag.text, "lists.sqlite: holds a value that cannot be"));
    ck_assert_int_eq(run_sql(&folder, "lists.sqlite", "UPDATE entry SET entry_id = printf('%0257d', 1)"),
                     SQLITE_OK);
    ck_assert_int_eq(list_store_get_row(store, 1, &entry, &diag), -EBADMSG);
    ck_assert_int_eq(run_sql(&folder, "lists.sqlite", "UPDATE list SET action = 'burn'"), SQLITE_OK);
    ck_assert_int_eq(list_store_get(store, "a", &info, &diag), -EBADMSG);
}
END_TEST

START_TEST(list_is_made_changed_and_found)
{
    uint64_t before = clock_wall_us();

    ck_assert_uint_eq(version(), 0);
    expect_change(put("hotline-a", ACTION_REPORT), 1, 0, 0, 0, 0);
    struct list_info info = info_of("hotline-a");
    ck_assert_str_eq(info.properties.name, "hotline-a");
    ck_assert_int_eq(info.properties.action, ACTION_REPORT);
    ck_assert_str_eq(info.properties.source, "a source");
    ck_assert_uint_eq(info.properties.max_distance, 31);
    ck_assert_uint_eq(info.version, 1);
    ck_assert_uint_eq(info.entries, 0);
    ck_assert(info.created_us >= before && info.created_us <= clock_wall_us());
    ck_assert_uint_eq(info.updated_us, info.created_us);

    expect_change(put("hotline-a", ACTION_REPORT), 1, 0, 0, 0, 0);
    expect_change(put("hotline-a", ACTION_OBSERVE), 2, 0, 0, 0, 0);
    struct list_info changed = info_of("hotline-a");
    ck_assert_int_eq(changed.properties.action, ACTION_OBSERVE);
    ck_assert_uint_eq(changed.number, info.number);
    ck_assert_uint_eq(changed.version, 2);
    ck_assert_uint_eq(changed.created_us, info.created_us);
    ck_assert_uint_eq(changed.updated_us, info.updated_us);
    ck_assert_int_eq(list_store_get(store, "hotline-b", &info, &diag), LIST_STORE_NOT_FOUND);
    ck_assert_str_eq(diag.text, "there is no list hotline-b");
}
END_TEST

START_TEST(each_property_alone_makes_a_new_version)
{
    struct list_properties properties = {
        .name = "a", .action = ACTION_BLOCK, .source = "s", .max_distance = 31};
    struct list_change change;

    ck_assert_int_eq(list_store_put(store, &properties, "x", &change, &diag), 0);
    strcpy(properties.source, "t");
    ck_assert_int_eq(list_store_put(store, &properties, "x", &change, &diag), 0);
    ck_assert_uint_eq(change.lists_version, 2);
    properties.max_distance = 30;
    ck_assert_int_eq(list_store_put(store, &properties, "x", &change, &diag), 0);
    ck_assert_uint_eq(change.lists_version, 3);
    ck_assert_uint_eq(info_of("a").properties.max_distance, 30);
    ck_assert_str_eq(info_of("a").properties.source, "t");
}
END_TEST

static void refuse_put(const struct list_properties *properties, const char *member)
{
    struct list_change change = {.lists_version = 77};

    ck_assert_int_eq(list_store_put(store, properties, "x", &change, &diag), LIST_STORE_REFUSED);
    ck_assert_msg(strncmp(diag.text, member, strlen(member)) == 0, "%s", diag.text);
    ck_assert_uint_eq(change.lists_version, 77);
    ck_assert_uint_eq(version(), 0);
}

START_TEST(properties_are_held_to_their_rules)
{
    static const struct list_properties good = {
        .name = "a", .action = ACTION_BLOCK, .source = "", .max_distance = 64};
    static const char *const names[] = {"", ".", "..", "a b", "a/b", "\xc3\xa4"};
    struct list_properties properties = good;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        strcpy(properties.name, names[i]);
        refuse_put(&properties, "name: ");
    }
    memset(properties.name, 'n', sizeof properties.name);
    refuse_put(&properties, "name: ");
    properties = good;
    properties.action = ACTION_COUNT;
    refuse_put(&properties, "action: ");
    properties = good;
    strcpy(properties.source, "a\nb");
    refuse_put(&properties, "source: ");
    memset(properties.source, 's', sizeof properties.source);
    refuse_put(&properties, "source: ");
    properties = good;
    properties.max_distance = LIST_DISTANCE_MAX + 1;
    refuse_put(&properties, "max_distance: 65, at most 64 is allowed");

    struct list_change change;
    properties = good;
    memset(properties.name, 'n', LIST_NAME_MAX);
    memset(properties.source, 's', LIST_SOURCE_MAX);
    ck_assert_int_eq(list_store_put(store, &properties, "x", &change, &diag), 0);
    ck_assert_str_eq(info_of(properties.name).properties.source, properties.source);
    strcpy(properties.name, "...");
    ck_assert_int_eq(list_store_put(store, &properties, "x", &change, &diag), 0);
}
END_TEST

START_TEST(lists_come_in_order_of_name)
{
    struct told told = {.stop_at = 0};

    put("b", ACTION_BLOCK);
    put("B", ACTION_BLOCK);
    put("a", ACTION_BLOCK);
    ck_assert_int_eq(list_store_each(store, told_list, &told, &diag), 0);
    ck_assert_str_eq(told.lists, "B a b ");
    told = (struct told){.stop_at = 2};
    ck_assert_int_eq(list_store_each(store, told_list, &told, &diag), -ECANCELED);
    ck_assert_str_eq(told.lists, "B a ");
}
END_TEST

START_TEST(merge_adds_changes_and_leaves_the_rest)
{
    put("a", ACTION_BLOCK);
    struct list_draft *draft = begin("a", LIST_MERGE);
    upsert(draft, "1", 1);
    upsert(draft, "2", 2);
    upsert(draft, "3", 3);
    expect_change(commit(draft), 2, 3, 0, 0, 0);
    draft = begin("a", LIST_MERGE);
    upsert(draft, "4", 4);
    upsert(draft, "2", 12);
    upsert(draft, "3", 3);
    drop(draft, "1");
    drop(draft, "nowhere");
    expect_change(commit(draft), 3, 1, 1, 1, 2);
    ck_assert_uint_eq(info_of("a").entries, 3);
    ck_assert_uint_eq(info_of("a").version, 3);
}
END_TEST

START_TEST(replace_removes_what_was_not_named)
{
    put("a", ACTION_BLOCK);
    put("other", ACTION_BLOCK);
    struct list_draft *draft = begin("other", LIST_MERGE);
    upsert(draft, "1", 1);
    commit(draft);
    draft = begin("a", LIST_REPLACE);
    for (unsigned int i = 0; i < 9; i++)
        upsert(draft, (const char[2]){(char)('1' + i), 0}, i);
    expect_change(commit(draft), 4, 9, 0, 0, 0);
    draft = begin("a", LIST_REPLACE);
    upsert(draft, "0", 1);
    upsert(draft, "2", 1);
    upsert(draft, "5", 15);
    upsert(draft, "8", 7);
    upsert(draft, "99", 1);
    drop(draft, "7");
    drop(draft, "77");
    /* 2 and 8 are as they were, and so is the absent 77; 5 changed; 1 3 4 6 7 9 went. */
    expect_change(commit(draft), 5, 2, 1, 6, 3);
    ck_assert_uint_eq(info_of("a").entries, 5);
    expect_change(commit(begin("a", LIST_REPLACE)), 6, 0, 0, 5, 0);
    ck_assert_uint_eq(info_of("a").entries, 0);
    ck_assert_uint_eq(info_of("other").entries, 1);
}
END_TEST

START_TEST(unchanged_import_writes_no_row_but_moves_the_date)
{
    struct told told;

    put("a", ACTION_BLOCK);
    struct list_draft *draft = begin("a", LIST_REPLACE);
    upsert(draft, "1", 14);
    upsert(draft, "2", 2);
    commit(draft);
    struct list_info before = info_of("a");
    usleep(2000);
    draft = begin("a", LIST_REPLACE);
    upsert(draft, "2", 2);
    upsert(draft, "1", 14);
    expect_change(commit(draft), 3, 0, 0, 0, 2);
    ck_assert_uint_gt(info_of("a").updated_us, before.updated_us);
    ck_assert_int_eq(follow(store, 2, &told, 0), 0);
    ck_assert_str_eq(told.lists, "a ");
    ck_assert_uint_eq(told.removed_count + told.added_count, 0);
    ck_assert_str_eq(ask_sql(&folder, "lists.sqlite", "SELECT count(*) FROM entry"), "2");
}
END_TEST

static uint64_t stamp(void)
{
    uint64_t now = 0;

    ck_assert_int_eq(list_store_stamp(store, &now, &diag), 0);
    return now;
}

START_TEST(a_sparing_change_makes_a_version_only_when_it_changes_something)
{
    struct told told;

    put("a", ACTION_BLOCK);
    struct list_draft *draft = begin("a", LIST_MERGE);
    list_draft_spare_versions(draft);
    upsert(draft, "1", 14);
    expect_change(commit(draft), 2, 1, 0, 0, 0);
    struct list_info before = info_of("a");
    uint64_t stamp_before = stamp();
    ck_assert_uint_eq(stamp(), stamp_before);
    usleep(2000);
    /* Nothing at all, and what is there already. */
    for (unsigned int entries = 0; entries < 2; entries++) {
        draft = begin("a", LIST_MERGE);
        list_draft_spare_versions(draft);
        if (entries > 0)
            upsert(draft, "1", 14);
        expect_change(commit(draft), 2, 0, 0, 0, entries);
        struct list_info after = info_of("a");
        ck_assert_uint_gt(after.updated_us, before.updated_us);
        ck_assert_uint_eq(after.version, 2);
        ck_assert_uint_ne(stamp(), stamp_before);
        before = after;
        stamp_before = stamp();
        usleep(2000);
    }
    ck_assert_str_eq(ask_sql(&folder, "lists.sqlite", "SELECT count(*) FROM change WHERE version > 0"), "2");
    ck_assert_int_eq(follow(store, 2, &told, 0), 0);
    ck_assert_str_eq(told.lists, "a ");
    /* A preview moves nothing. */
    struct list_change change;
    draft = begin("a", LIST_MERGE);
    list_draft_spare_versions(draft);
    ck_assert_int_eq(list_draft_preview(draft, &change, &diag), 0);
    ck_assert_uint_eq(info_of("a").updated_us, before.updated_us);
    draft = begin("a", LIST_REPLACE);
    list_draft_spare_versions(draft);
    expect_change(commit(draft), 3, 0, 0, 1, 0);
    ck_assert_uint_eq(info_of("a").version, 3);
}
END_TEST

/* Each difference alone makes an entry a changed one. */
START_TEST(any_difference_changes_an_entry)
{
    struct kept_entry versions[10];
    size_t last = 10; /* none */

    put("a", ACTION_BLOCK);
    for (size_t i = 0; i < 10; i++)
        versions[i] = numbered("1", 14);
    versions[1].hashes.md5[15] ^= 1;
    versions[2].hashes.sha1[19] ^= 1;
    versions[3].hashes.sha256[31] ^= 1;
    versions[4].hashes.pdq.words[0] ^= 1;
    versions[5].hashes.pdq_quality = versions[0].hashes.pdq_quality == 50 ? 51 : 50;
    versions[6].hashes.pdq_quality = -1;
    strcpy(versions[7].classification, "other");
    strcpy(versions[8].note, "other");
    versions[9].hashes.kinds = 14;
    for (size_t i = 0; i < 10; i++) {
        for (size_t step = 0; step < 2; step++) {
            struct list_draft *draft = begin("a", LIST_MERGE);
            struct list_entry entry = entry_of(&versions[i * step]);

            ck_assert_int_eq(list_draft_upsert(draft, &entry, &diag), 0);
            struct list_change change = commit(draft);
            ck_assert_uint_eq(change.unchanged, i * step == last);
            ck_assert_uint_eq(change.changed, i * step != last && last < 10);
            last = i * step;
        }
    }
}
END_TEST

START_TEST(entries_are_counted_by_kind)
{
    put("a", ACTION_BLOCK);
    struct list_draft *draft = begin("a", LIST_MERGE);
    upsert(draft, "1", 14); /* kinds 15: all */
    upsert(draft, "2", 0);  /* kinds 1: md5 */
    upsert(draft, "3", 7);  /* kinds 8: pdq */
    commit(draft);
    struct list_info info = info_of("a");
    ck_assert_uint_eq(info.entries, 3);
    ck_assert_uint_eq(info.kinds[HASH_MD5], 2);
    ck_assert_uint_eq(info.kinds[HASH_SHA1], 1);
    ck_assert_uint_eq(info.kinds[HASH_SHA256], 1);
    ck_assert_uint_eq(info.kinds[HASH_PDQ], 2);
    draft = begin("a", LIST_MERGE);
    upsert(draft, "1", 1); /* kinds 2: sha1 */
    drop(draft, "3");
    commit(draft);
    info = info_of("a");
    ck_assert_uint_eq(info.entries, 2);
    ck_assert_uint_eq(info.kinds[HASH_MD5], 1);
    ck_assert_uint_eq(info.kinds[HASH_SHA1], 1);
    ck_assert_uint_eq(info.kinds[HASH_SHA256], 0);
    ck_assert_uint_eq(info.kinds[HASH_PDQ], 0);
}
END_TEST

static void expect_refused(struct list_draft *draft, const char *sentence)
{
    struct list_change change = {.lists_version = 77};
    uint64_t before = version();

    ck_assert_int_eq(list_draft_commit(draft, "x", "import", &change, &diag), LIST_STORE_REFUSED);
    ck_assert_str_eq(diag.text, sentence);
    ck_assert_uint_eq(change.lists_version, 77);
    ck_assert_uint_eq(version(), before);
    ck_assert_uint_eq(info_of("a").entries, 0);
}

START_TEST(entry_id_named_twice_refuses_the_whole_change)
{
    struct kept_entry made = numbered("same", 1);
    struct list_entry entry = entry_of(&made);

    put("a", ACTION_BLOCK);
    struct list_draft *draft = begin("a", LIST_REPLACE);
    upsert(draft, "fine", 1);
    entry.line = 3;
    ck_assert_int_eq(list_draft_upsert(draft, &entry, &diag), 0);
    entry.line = 900;
    ck_assert_int_eq(list_draft_upsert(draft, &entry, &diag), 0);
    expect_refused(draft, "line 900: the entry_id is that of line 3; name each only once: \"same\"");
    draft = begin("a", LIST_MERGE);
    upsert(draft, "fine", 1);
    upsert(draft, "same", 1);
    drop(draft, "same");
    expect_refused(draft, "removal 1: the entry_id is that of upsert 2; name each only once: \"same\"");
    draft = begin("a", LIST_MERGE);
    drop(draft, "same");
    drop(draft, "same");
    expect_refused(draft, "removal 2: the entry_id is that of removal 1; name each only once: \"same\"");
}
END_TEST

START_TEST(bad_entry_is_refused_and_the_draft_goes_on)
{
    struct list_entry bad = {.entry_id = "", .classification = "", .note = ""};
    char long_id[ENTRY_ID_MAX + 2];

    put("a", ACTION_BLOCK);
    struct list_draft *draft = begin("a", LIST_MERGE);
    memset(long_id, 'i', sizeof long_id - 1);
    long_id[ENTRY_ID_MAX + 1] = '\0';
    ck_assert_int_eq(list_draft_upsert(draft, &bad, &diag), LIST_STORE_REFUSED);
    ck_assert_str_eq(diag.text, "entry_id: empty");
    ck_assert_int_eq(list_draft_remove(draft, "", &diag), LIST_STORE_REFUSED);
    ck_assert_int_eq(list_draft_remove(draft, long_id, &diag), LIST_STORE_REFUSED);
    ck_assert_str_eq(diag.text, "entry_id: 257 bytes, 1 to 256 are allowed");
    long_id[ENTRY_ID_MAX] = '\0';
    upsert(draft, long_id, 3);
    drop(draft, long_id + 1);
    expect_change(commit(draft), 2, 1, 0, 0, 1);
}
END_TEST

START_TEST(deleted_list_is_gone_but_its_rows_are_known)
{
    struct told told;
    struct stored_entry entry;
    struct list_change change;

    put("a", ACTION_BLOCK);
    struct list_draft *draft = begin("a", LIST_MERGE);
    upsert(draft, "1", 1);
    upsert(draft, "2", 2);
    commit(draft);
    uint32_t number = info_of("a").number;
    ck_assert_int_eq(list_store_delete(store, "nowhere", "x", &change, &diag), LIST_STORE_NOT_FOUND);
    ck_assert_int_eq(list_store_delete(store, "a", "deleter", &change, &diag), 0);
    expect_change(change, 3, 0, 0, 2, 0);
    struct list_info info;
    ck_assert_int_eq(list_store_get(store, "a", &info, &diag), LIST_STORE_NOT_FOUND);
    ck_assert_int_eq(list_store_each_entry(store, "a", NULL, NULL, &diag), LIST_STORE_NOT_FOUND);
    ck_assert_int_eq(list_draft_begin(store, "a", LIST_MERGE, &draft, &diag), LIST_STORE_NOT_FOUND);
    ck_assert_int_eq(follow(store, 2, &told, 0), 0);
    ck_assert_str_eq(told.lists, "");
    ck_assert_uint_eq(told.removed_count, 2);
    ck_assert_int_eq(list_store_get_row(store, told.removed[1], &entry, &diag), 0);
    ck_assert_str_eq(entry.entry_id, "2");
    ck_assert_str_eq(entry.classification, "C2");
    ck_assert_uint_eq(entry.list, number);
    ck_assert_uint_eq(entry.row, told.removed[1]);
    ck_assert_int_eq(list_store_get_row(store, 3, &entry, &diag), LIST_STORE_NOT_FOUND);

    put("a", ACTION_BLOCK);
    ck_assert_uint_ne(info_of("a").number, number);
    ck_assert_uint_eq(info_of("a").entries, 0);
}
END_TEST

START_TEST(draft_of_a_list_that_ends_meanwhile_finds_it_gone)
{
    struct list_change change = {.lists_version = 77};
    struct list_change deletion;

    put("a", ACTION_BLOCK);
    struct list_draft *draft = begin("a", LIST_MERGE);
    upsert(draft, "1", 1);
    ck_assert_int_eq(list_store_delete(store, "a", "x", &deletion, &diag), 0);
    ck_assert_int_eq(list_draft_commit(draft, "x", "import", &change, &diag), LIST_STORE_NOT_FOUND);
    put("a", ACTION_BLOCK);
    draft = begin("a", LIST_MERGE);
    ck_assert_int_eq(list_store_delete(store, "a", "x", &deletion, &diag), 0);
    put("a", ACTION_BLOCK);
    ck_assert_int_eq(list_draft_commit(draft, "x", "import", &change, &diag), LIST_STORE_NOT_FOUND);
    ck_assert_uint_eq(change.lists_version, 77);
}
END_TEST

START_TEST(abandoned_draft_leaves_nothing)
{
    put("a", ACTION_BLOCK);
    struct list_draft *draft = begin("a", LIST_MERGE);
    upsert(draft, "1", 1);
    list_draft_abandon(draft);
    list_draft_abandon(NULL);
    ck_assert_uint_eq(version(), 1);
    ck_assert_uint_eq(info_of("a").entries, 0);
    ck_assert_str_eq(names_in(&folder), "lists.sqlite lists.sqlite-shm lists.sqlite-wal ");
}
END_TEST

START_TEST(two_drafts_gather_side_by_side)
{
    put("a", ACTION_BLOCK);
    struct list_draft *first = begin("a", LIST_MERGE);
    struct list_draft *second = begin("a", LIST_MERGE);
    upsert(first, "1", 1);
    upsert(second, "2", 2);
    upsert(second, "1", 1);
    put("b", ACTION_BLOCK);
    expect_change(commit(second), 3, 2, 0, 0, 0);
    expect_change(commit(first), 4, 0, 0, 0, 1);
}
END_TEST

START_TEST(follower_hears_what_changed_since_its_version)
{
    struct told told;

    ck_assert_int_eq(follow(store, 0, &told, 0), 0);
    ck_assert_uint_eq(told.version, 0);
    put("b", ACTION_BLOCK);
    put("a", ACTION_REPORT);
    struct list_draft *draft = begin("b", LIST_MERGE);
    upsert(draft, "1", 14);
    upsert(draft, "2", 2);
    upsert(draft, "3", 3);
    commit(draft); /* version 3 */
    draft = begin("b", LIST_MERGE);
    upsert(draft, "2", 20);
    drop(draft, "3");
    upsert(draft, "passing", 5);
    commit(draft); /* version 4 */
    draft = begin("b", LIST_MERGE);
    drop(draft, "passing");
    commit(draft); /* version 5 */

    ck_assert_int_eq(follow(store, 0, &told, 0), 0);
    ck_assert_uint_eq(told.version, 5);
    ck_assert_str_eq(told.lists, "a b ");
    ck_assert_uint_eq(told.removed_count, 0);
    ck_assert_uint_eq(told.added_count, 2);
    struct kept_entry expected = numbered("1", 14);
    ck_assert(same_hashes(&told.hashes[0], &expected.hashes));
    ck_assert_uint_eq(told.added_list[0], info_of("b").number);
    ck_assert_int_eq(follow(store, 3, &told, 0), 0);
    ck_assert_uint_eq(told.removed_count, 2);
    ck_assert_uint_eq(told.added_count, 1);
    expected = numbered("2", 20);
    ck_assert(same_hashes(&told.hashes[0], &expected.hashes));
    ck_assert_int_eq(follow(store, 4, &told, 0), 0);
    ck_assert_uint_eq(told.removed_count, 1);
    ck_assert_uint_eq(told.added_count, 0);
    ck_assert_int_eq(follow(store, 5, &told, 0), 0);
    ck_assert_uint_eq(told.removed_count + told.added_count, 0);
}
END_TEST

START_TEST(follower_ahead_of_the_store_is_told_so)
{
    struct told told;

    put("a", ACTION_BLOCK);
    ck_assert_int_eq(follow(store, 2, &told, 0), LIST_STORE_NOT_FOUND);
    ck_assert_str_eq(diag.text, "the list store never had a version 2");
    ck_assert_int_eq(follow(store, UINT64_MAX, &told, 0), LIST_STORE_NOT_FOUND);
    ck_assert_uint_eq(told.version, 12345);
    ck_assert_str_eq(told.lists, "");
}
END_TEST

START_TEST(callback_can_stop_the_following_anywhere)
{
    struct told told;

    put("a", ACTION_BLOCK);
    put("b", ACTION_BLOCK);
    struct list_draft *draft = begin("a", LIST_MERGE);
    upsert(draft, "1", 1);
    upsert(draft, "2", 2);
    commit(draft); /* version 3 */
    draft = begin("a", LIST_REPLACE);
    upsert(draft, "3", 3);
    upsert(draft, "4", 4);
    commit(draft);
    for (int stop_at = 1; stop_at <= 6; stop_at++) {
        ck_assert_int_eq(follow(store, 3, &told, stop_at), -ECANCELED);
        ck_assert_uint_eq(told.version, 12345);
    }
    ck_assert_int_eq(follow(store, 3, &told, 7), 0);
    ck_assert_uint_eq(told.version, 4);
}
END_TEST

static int use_the_store(void *context, const struct list_entry *entry)
{
    struct list_info info;
    struct list_change change;
    struct list_properties properties = {.name = "made-within"};
    struct stored_entry stored;
    uint64_t seen = 0;
    int *calls = context;

    ck_assert_str_eq(entry->entry_id, *calls == 0 ? "1" : "2");
    ck_assert_int_eq(list_store_get(store, "a", &info, &diag), 0);
    ck_assert_int_eq(list_store_get_row(store, 1, &stored, &diag), 0);
    ck_assert_int_eq(list_store_put(store, &properties, "x", &change, &diag), 0);
    ck_assert_int_eq(list_store_version(store, &seen, &diag), 0);
    ck_assert_uint_eq(seen, 3);
    ++*calls;
    return 0;
}

START_TEST(callbacks_may_use_the_store)
{
    int calls = 0;

    put("a", ACTION_BLOCK);
    struct list_draft *draft = begin("a", LIST_MERGE);
    upsert(draft, "2", 2);
    upsert(draft, "1", 1);
    commit(draft);
    ck_assert_int_eq(list_store_each_entry(store, "a", use_the_store, &calls, &diag), 0);
    ck_assert_int_eq(calls, 2);
}
END_TEST

static int stop_at_once(void *context, const struct list_entry *entry)
{
    (void)context;
    (void)entry;
    return -EPIPE;
}

/* Writes a list out and reads it into another. */
struct exporting {
    struct list_reader *reader;
    struct list_draft *draft;
};

static int export_row(void *context, const struct list_entry *entry)
{
    struct exporting *exporting = context;
    char row[LIST_CSV_ROW_MAX];
    size_t size = list_csv_format_row(entry, false, row, sizeof row);

    ck_assert_uint_gt(size, 0);
    return list_reader_feed(exporting->reader, row, size, &diag);
}

static int import_row(void *context, const struct list_entry *entry)
{
    struct exporting *exporting = context;

    return list_draft_upsert(exporting->draft, entry, &diag);
}

START_TEST(exported_list_imports_as_the_same)
{
    uint64_t state = 7;
    struct exporting exporting = {0};
    struct list_reader_options options = {
        .format = LIST_FORMAT_CSV, .on_entry = import_row, .context = &exporting};
    struct kept_entries original = {0};
    struct kept_entries copy = {0};
    char header[LIST_CSV_ROW_MAX];

    put("a", ACTION_BLOCK);
    put("b", ACTION_BLOCK);
    struct list_draft *draft = begin("a", LIST_MERGE);
    for (unsigned int i = 0; i < 500; i++) {
        struct kept_entry made = numbered("", random_below(&state, 1000));
        snprintf(made.entry_id, sizeof made.entry_id, "%u,\"\xc3\xa4\"", i * 7919 % 500);
        snprintf(made.note, sizeof made.note, "%.*s", (int)(i % 5), " ,\"x ");
        struct list_entry entry = entry_of(&made);
        ck_assert_int_eq(list_draft_upsert(draft, &entry, &diag), 0);
    }
    commit(draft);
    exporting.draft = begin("b", LIST_REPLACE);
    ck_assert_int_eq(list_reader_create(&options, &exporting.reader), 0);
    ck_assert_int_eq(list_reader_feed(exporting.reader, header,
                                      list_csv_format_header(false, header, sizeof header), &diag),
                     0);
    ck_assert_msg(list_store_each_entry(store, "a", export_row, &exporting, &diag) == 0, "%s", diag.text);
    ck_assert_int_eq(list_reader_finish(exporting.reader, &diag), 0);
    list_reader_free(exporting.reader);
    expect_change(commit(exporting.draft), 4, 500, 0, 0, 0);

    ck_assert_int_eq(list_store_each_entry(store, "a", keep_entry, &original, &diag), 0);
    ck_assert_int_eq(list_store_each_entry(store, "b", keep_entry, &copy, &diag), 0);
    ck_assert_uint_eq(original.count, 500);
    ck_assert_uint_eq(copy.count, 500);
    for (size_t i = 0; i < 500; i++) {
        ck_assert(same_entry(&original.items[i], &copy.items[i]));
        ck_assert(i == 0 || strcmp(original.items[i - 1].entry_id, original.items[i].entry_id) < 0);
    }
    ck_assert_int_eq(list_store_each_entry(store, "a", stop_at_once, NULL, &diag), -EPIPE);
    forget_entries(&original);
    forget_entries(&copy);
}
END_TEST

enum { LARGE_COUNT = 24000 };

/* More than the sorter keeps in memory, so that the file and the merging of runs take part. The last entry
 * has the entry_id given, when one is. */
static struct list_draft *begin_large(const char *last_id)
{
    static char note[ENTRY_NOTE_MAX + 1];
    struct kept_entry made = numbered("", 14);
    struct list_draft *draft = begin("a", LIST_REPLACE);

    memset(note, 'n', sizeof note - 1);
    for (unsigned int i = 0; i < LARGE_COUNT; i++) {
        struct list_entry entry = entry_of(&made);

        snprintf(made.entry_id, sizeof made.entry_id, "%u", i * 7919 % LARGE_COUNT);
        if (i == LARGE_COUNT - 1 && last_id != NULL)
            entry.entry_id = last_id;
        entry.note = note;
        entry.line = i + 2;
        ck_assert_int_eq(list_draft_upsert(draft, &entry, &diag), 0);
    }
    ck_assert_str_eq(names_in(&folder), "lists.sqlite lists.sqlite-shm lists.sqlite-wal ");
    return draft;
}

START_TEST(large_draft_is_gathered_in_a_file)
{
    struct kept_entries kept = {0};

    put("a", ACTION_BLOCK);
    expect_refused(begin_large("0"),
                   "line 24001: the entry_id is that of line 2; name each only once: \"0\"");
    expect_change(commit(begin_large(NULL)), 2, LARGE_COUNT, 0, 0, 0);
    ck_assert_int_eq(list_store_each_entry(store, "a", keep_entry, &kept, &diag), 0);
    ck_assert_uint_eq(kept.count, LARGE_COUNT);
    forget_entries(&kept);
}
END_TEST

START_TEST(history_names_who_did_what)
{
    struct list_change change;

    put("a", ACTION_BLOCK);
    put("a", ACTION_REPORT);
    struct list_draft *draft = begin("a", LIST_MERGE);
    upsert(draft, "1", 1);
    ck_assert_int_eq(list_draft_commit(draft, "key-7", "entries", &change, &diag), 0);
    ck_assert_int_eq(list_store_delete(store, "a", "command line", &change, &diag), 0);
    ck_assert_str_eq(
        ask_sql(
            &folder, "lists.sqlite",
            "SELECT group_concat(version || ' ' || who || ' ' || what || ' ' || action || ' +' || added ||"
            " ' -' || removed, '; ') FROM change"),
        "1 tester create block +0 -0; 2 tester set report +0 -0; 3 key-7 entries report +1 -0; "
        "4 command line delete report +0 -1");
    ck_assert_int_ne(run_sql(&folder, "lists.sqlite", "DELETE FROM change"), SQLITE_OK);
    ck_assert_int_ne(run_sql(&folder, "lists.sqlite", "UPDATE change SET who = 'nobody'"), SQLITE_OK);
}
END_TEST

START_TEST(another_connection_sees_a_change_at_once)
{
    struct list_store *other = NULL;
    uint64_t seen = 0;

    ck_assert_int_eq(list_store_open(folder.path, false, &other, &diag), 0);
    ck_assert_int_eq(list_store_version(other, &seen, &diag), 0);
    ck_assert_uint_eq(seen, 0);
    put("a", ACTION_BLOCK);
    ck_assert_int_eq(list_store_version(other, &seen, &diag), 0);
    ck_assert_uint_eq(seen, 1);
    list_store_close(other);
    list_store_close(NULL);
}
END_TEST

static void *put_while_locked(void *unused)
{
    static struct diag own;
    struct list_properties properties = {.name = "late"};
    struct list_change change;

    (void)unused;
    ck_assert_int_eq(list_store_put(store, &properties, "x", &change, &own), LIST_STORE_BUSY);
    ck_assert_str_eq(own.text, "another change of the lists is still running after 5 seconds; try again");
    return NULL;
}

START_TEST(change_waits_for_another_only_so_long_and_reading_never)
{
    sqlite3 *db = NULL;
    pthread_t thread;
    struct list_change change;
    struct told told;

    put("a", ACTION_BLOCK);
    struct list_draft *draft = begin("a", LIST_MERGE);
    upsert(draft, "1", 1);
    ck_assert_int_eq(sqlite3_open(file_in(&folder, "lists.sqlite"), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE; UPDATE list SET source = 'unseen'", NULL, NULL, NULL),
                     SQLITE_OK);
    uint64_t start = clock_monotonic_us();
    ck_assert_int_eq(pthread_create(&thread, NULL, put_while_locked, NULL), 0);
    ck_assert_uint_eq(version(), 1);
    ck_assert_str_eq(info_of("a").properties.source, "a source");
    ck_assert_int_eq(follow(store, 0, &told, 0), 0);
    ck_assert_uint_lt(clock_monotonic_us() - start, 1000000);
    ck_assert_int_eq(list_draft_commit(draft, "x", "import", &change, &diag), LIST_STORE_BUSY);
    ck_assert_uint_ge(clock_monotonic_us() - start, (LIST_STORE_WAIT_MS - 500) * 1000);
    pthread_join(thread, NULL);
    ck_assert_uint_lt(clock_monotonic_us() - start, (LIST_STORE_WAIT_MS + 5000) * 1000);
    sqlite3_close(db);
    ck_assert_uint_eq(info_of("a").entries, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("list_store");
    TCase *tests = tcase_create("list_store");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, store_is_for_its_owner_alone);
    tcase_add_test(tests, foreign_newer_and_damaged_files_are_refused);
    tcase_add_test(tests, value_that_cannot_be_is_reported_as_damage);
    tcase_add_test(tests, list_is_made_changed_and_found);
    tcase_add_test(tests, each_property_alone_makes_a_new_version);
    tcase_add_test(tests, properties_are_held_to_their_rules);
    tcase_add_test(tests, lists_come_in_order_of_name);
    tcase_add_test(tests, merge_adds_changes_and_leaves_the_rest);
    tcase_add_test(tests, replace_removes_what_was_not_named);
    tcase_add_test(tests, unchanged_import_writes_no_row_but_moves_the_date);
    tcase_add_test(tests, a_sparing_change_makes_a_version_only_when_it_changes_something);
    tcase_add_test(tests, any_difference_changes_an_entry);
    tcase_add_test(tests, entries_are_counted_by_kind);
    tcase_add_test(tests, entry_id_named_twice_refuses_the_whole_change);
    tcase_add_test(tests, bad_entry_is_refused_and_the_draft_goes_on);
    tcase_add_test(tests, deleted_list_is_gone_but_its_rows_are_known);
    tcase_add_test(tests, draft_of_a_list_that_ends_meanwhile_finds_it_gone);
    tcase_add_test(tests, abandoned_draft_leaves_nothing);
    tcase_add_test(tests, two_drafts_gather_side_by_side);
    tcase_add_test(tests, follower_hears_what_changed_since_its_version);
    tcase_add_test(tests, follower_ahead_of_the_store_is_told_so);
    tcase_add_test(tests, callback_can_stop_the_following_anywhere);
    tcase_add_test(tests, callbacks_may_use_the_store);
    tcase_add_test(tests, exported_list_imports_as_the_same);
    tcase_add_test(tests, large_draft_is_gathered_in_a_file);
    tcase_add_test(tests, history_names_who_did_what);
    tcase_add_test(tests, another_connection_sees_a_change_at_once);
    tcase_add_test(tests, change_waits_for_another_only_so_long_and_reading_never);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
