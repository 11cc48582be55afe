#include "prescreen/store/lists.h"

#include "entries.h"
#include "store_folder.h"
#include "tap.h"

#include <errno.h>

/* The slow, obvious twin of the store: a few lists of a few entries in arrays, and followers that keep what
 * they were told. */
enum { LISTS = 3, IDS = 24, CONTENTS = 40, FOLLOWERS = 4, ROWS_MAX = 40000, STEPS = 600 };

struct model_list {
    bool there;
    uint32_t number;
    enum list_action action;
    int content[IDS]; /* -1 = not on the list */
};

struct model_follower {
    uint64_t version;
    uint32_t *list; /* of each row; 0 = not in force */
    struct known_hashes *hashes;
};

static struct store_folder folder;
static struct list_store *store;
static struct diag diag;
static uint64_t state = 0x1157;
static struct model_list lists[LISTS];
static struct model_follower followers[FOLLOWERS];
static struct known_hashes contents[CONTENTS];
static uint64_t last_version;

static const char *name_of(unsigned int list)
{
    static const char *const names[LISTS] = {"alpha", "beta", "gamma"};

    return names[list];
}

/* Ids in an order of their own, some a prefix of others. */
static const char *id_of(unsigned int id)
{
    static char text[IDS][32];

    snprintf(text[id], sizeof text[id], "%.*s%u", (int)(id % 4), "xxx", id * 7 % 10 + (id / 10) * 100);
    return text[id];
}

static struct list_entry entry_with(unsigned int id, unsigned int content)
{
    return (struct list_entry){
        .entry_id = id_of(id), .hashes = contents[content], .classification = "", .note = ""};
}

static void expect_counts(const struct list_change *change, unsigned int added, unsigned int changed,
                          unsigned int removed, unsigned int unchanged)
{
    ck_assert_uint_eq(change->added, added);
    ck_assert_uint_eq(change->changed, changed);
    ck_assert_uint_eq(change->removed, removed);
    ck_assert_uint_eq(change->unchanged, unchanged);
    ck_assert_uint_eq(change->lists_version, last_version + 1);
    last_version++;
}

static void change_entries(unsigned int which)
{
    struct model_list *list = &lists[which];
    enum list_change_mode mode = random_below(&state, 2) == 0 ? LIST_MERGE : LIST_REPLACE;
    unsigned int density = 1 + random_below(&state, 4);
    unsigned int added = 0, changed = 0, removed = 0, unchanged = 0;
    struct list_draft *draft = NULL;
    struct list_change change;

    int begun = list_draft_begin(store, name_of(which), mode, &draft, &diag);
    ck_assert_int_eq(begun, list->there ? 0 : LIST_STORE_NOT_FOUND);
    if (begun != 0)
        return;
    for (unsigned int k = 0; k < IDS; k++) {
        unsigned int id = k * 5 % IDS;
        bool was = list->content[id] >= 0;

        if (random_below(&state, density) != 0) {
            removed += mode == LIST_REPLACE && was;
            if (mode == LIST_REPLACE)
                list->content[id] = -1;
        } else if (random_below(&state, 4) == 0) {
            ck_assert_int_eq(list_draft_remove(draft, id_of(id), &diag), 0);
            removed += was;
            unchanged += !was;
            list->content[id] = -1;
        } else {
            int content =
                was && random_below(&state, 2) == 0 ? list->content[id] : (int)random_below(&state, CONTENTS);
            struct list_entry entry = entry_with(id, (unsigned int)content);
            ck_assert_int_eq(list_draft_upsert(draft, &entry, &diag), 0);
            added += !was;
            changed += was && content != list->content[id];
            unchanged += was && content == list->content[id];
            list->content[id] = content;
        }
    }
    ck_assert_msg(list_draft_commit(draft, "model", "import", &change, &diag) == 0, "%s", diag.text);
    expect_counts(&change, added, changed, removed, unchanged);
}

static void change_list(unsigned int which)
{
    struct model_list *list = &lists[which];
    struct list_properties properties = {.action = (enum list_action)random_below(&state, ACTION_COUNT)};
    struct list_change change;

    strcpy(properties.name, name_of(which));
    ck_assert_int_eq(list_store_put(store, &properties, "model", &change, &diag), 0);
    last_version += !list->there || list->action != properties.action;
    ck_assert_uint_eq(change.lists_version, last_version);
    list->there = true;
    list->action = properties.action;
}

static void delete_list(unsigned int which)
{
    struct model_list *list = &lists[which];
    struct list_change change;
    unsigned int entries = 0;

    for (unsigned int id = 0; id < IDS; id++) {
        entries += list->content[id] >= 0;
        list->content[id] = -1;
    }
    int deleted = list_store_delete(store, name_of(which), "model", &change, &diag);
    ck_assert_int_eq(deleted, list->there ? 0 : LIST_STORE_NOT_FOUND);
    if (deleted == 0)
        expect_counts(&change, 0, 0, entries, 0);
    list->there = false;
}

static int keep_number(void *context, const struct list_info *info)
{
    (void)context;
    for (unsigned int i = 0; i < LISTS; i++) {
        if (strcmp(info->properties.name, name_of(i)) == 0) {
            ck_assert(lists[i].there);
            ck_assert_int_eq(info->properties.action, lists[i].action);
            lists[i].number = info->number;
        }
    }
    return 0;
}

static int drop_row(void *context, uint64_t row)
{
    struct model_follower *follower = context;

    ck_assert_uint_lt(row, ROWS_MAX);
    ck_assert_msg(follower->list[row] != 0, "row %u removed that was not there", (unsigned int)row);
    follower->list[row] = 0;
    return 0;
}

static int keep_row(void *context, uint64_t row, uint32_t list, const struct known_hashes *hashes)
{
    struct model_follower *follower = context;

    ck_assert_uint_lt(row, ROWS_MAX);
    ck_assert_uint_eq(follower->list[row], 0);
    follower->list[row] = list;
    follower->hashes[row] = *hashes;
    return 0;
}

/* Every entry of the model has one row with its hashes, and there are no others. */
static void expect_followed(const struct model_follower *follower)
{
    unsigned int expected = 0;
    unsigned int rows = 0;
    struct stored_entry stored;

    for (unsigned int i = 0; i < LISTS; i++) {
        for (unsigned int id = 0; id < IDS; id++)
            expected += lists[i].content[id] >= 0;
    }
    for (uint64_t row = 0; row < ROWS_MAX; row++) {
        if (follower->list[row] == 0)
            continue;
        rows++;
        ck_assert_int_eq(list_store_get_row(store, row, &stored, &diag), 0);
        ck_assert_uint_eq(stored.list, follower->list[row]);
        unsigned int list = 0;
        unsigned int id = 0;
        while (list < LISTS && (!lists[list].there || lists[list].number != stored.list))
            list++;
        ck_assert_uint_lt(list, LISTS);
        while (id < IDS && strcmp(id_of(id), stored.entry_id) != 0)
            id++;
        ck_assert_uint_lt(id, IDS);
        ck_assert_int_ge(lists[list].content[id], 0);
        ck_assert(same_hashes(&follower->hashes[row], &contents[lists[list].content[id]]));
    }
    ck_assert_uint_eq(rows, expected);
}

static void catch_up(struct model_follower *follower)
{
    struct list_follower sinks = {follower, keep_number, drop_row, keep_row, NULL, NULL};

    ck_assert_msg(list_store_follow(store, follower->version, &sinks, &follower->version, &diag) == 0, "%s",
                  diag.text);
    ck_assert_uint_eq(follower->version, last_version);
    expect_followed(follower);
}

static void expect_list(unsigned int which)
{
    const struct model_list *list = &lists[which];
    struct kept_entries kept = {0};
    struct list_info info;
    uint64_t entries = 0;
    uint64_t kinds[HASH_KIND_COUNT] = {0};

    ck_assert_int_eq(list_store_get(store, name_of(which), &info, &diag),
                     list->there ? 0 : LIST_STORE_NOT_FOUND);
    if (!list->there)
        return;
    ck_assert_int_eq(list_store_each_entry(store, name_of(which), keep_entry, &kept, &diag), 0);
    for (size_t i = 0; i < kept.count; i++) {
        unsigned int id = 0;

        ck_assert(i == 0 || strcmp(kept.items[i - 1].entry_id, kept.items[i].entry_id) < 0);
        while (strcmp(id_of(id), kept.items[i].entry_id) != 0)
            id++;
        ck_assert_int_ge(list->content[id], 0);
        ck_assert(same_hashes(&kept.items[i].hashes, &contents[list->content[id]]));
    }
    for (unsigned int id = 0; id < IDS; id++) {
        if (list->content[id] < 0)
            continue;
        entries++;
        for (unsigned int kind = 0; kind < HASH_KIND_COUNT; kind++)
            kinds[kind] += (contents[list->content[id]].kinds & HASH_BIT(kind)) != 0;
    }
    ck_assert_uint_eq(kept.count, entries);
    ck_assert_uint_eq(info.entries, entries);
    ck_assert_mem_eq(info.kinds, kinds, sizeof kinds);
    forget_entries(&kept);
}

START_TEST(random_changes_are_followed_exactly)
{
    folder = make_folder();
    ck_assert_int_eq(list_store_open(folder.path, true, &store, &diag), 0);
    for (unsigned int i = 0; i < CONTENTS; i++)
        contents[i] = random_hashes(&state, 1 + random_below(&state, 15));
    for (unsigned int i = 0; i < LISTS; i++)
        memset(lists[i].content, 0xff, sizeof lists[i].content);
    for (unsigned int i = 0; i < FOLLOWERS; i++) {
        followers[i].list = calloc(ROWS_MAX, sizeof *followers[i].list);
        followers[i].hashes = calloc(ROWS_MAX, sizeof *followers[i].hashes);
        ck_assert(followers[i].list != NULL && followers[i].hashes != NULL);
    }
    for (unsigned int i = 0; i < LISTS; i++)
        change_list(i);
    for (unsigned int step = 0; step < STEPS; step++) {
        unsigned int which = random_below(&state, LISTS);
        unsigned int what = random_below(&state, 20);

        if (what == 0)
            delete_list(which);
        else if (what < 4)
            change_list(which);
        else
            change_entries(which);
        /* The last follower catches up rarely, the first all the time. */
        for (unsigned int i = 0; i < FOLLOWERS; i++) {
            if (random_below(&state, 1u << (3 * i)) == 0)
                catch_up(&followers[i]);
        }
        expect_list(which);
        if (step % 100 == 0) {
            list_store_close(store);
            ck_assert_int_eq(list_store_open(folder.path, false, &store, &diag), 0);
        }
    }
    for (unsigned int i = 0; i < FOLLOWERS; i++) {
        catch_up(&followers[i]);
        free(followers[i].list);
        free(followers[i].hashes);
    }
    list_store_close(store);
    ck_assert_str_eq(ask_sql(&folder, "lists.sqlite", "PRAGMA integrity_check"), "ok");
    remove_folder(&folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("list_store_model");
    TCase *tests = tcase_create("list_store_model");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, random_changes_are_followed_exactly);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
