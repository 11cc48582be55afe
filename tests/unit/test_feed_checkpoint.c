#include "prescreen/feed/checkpoint.h"

#include "store_folder.h"
#include "tap.h"

#include <errno.h>

static struct store_folder folder;
static struct diag diag;
static struct list_info lists[CONFIG_FEED_LISTS_MAX];
static struct config_feed feed;
static struct feed_checkpoint checkpoint;

static void set_up(void)
{
    folder = make_folder();
    feed = (struct config_feed){
        .name = "f", .kind = FEED_NCMEC, .url = "https://h/p", .lists = {"a", "b"}, .list_count = 2};
    lists[0] = (struct list_info){.number = 3, .version = 12};
    lists[1] = (struct list_info){.number = 4, .version = 13};
    checkpoint = (struct feed_checkpoint){
        .from_s = 1700000000, .pulled_us = 1700000005123456, .list_count = 2, .lists = {{3, 12}, {4, 13}}};
}

static void tear_down(void)
{
    remove_folder(&folder);
}

static int read_back(struct feed_checkpoint *read)
{
    diag.text[0] = '\0';
    return feed_checkpoint_read(folder.path, &feed, lists, read, &diag);
}

static void write_text(const char *text, size_t size)
{
    FILE *file = fopen(file_in(&folder, "f.checkpoint"), "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, size, file), size);
    fclose(file);
}

/* The file's text; static storage. */
static char *text_of_file(void)
{
    static char text[FEED_CHECKPOINT_FILE_MAX + 1];
    FILE *file = fopen(file_in(&folder, "f.checkpoint"), "r");

    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

START_TEST(what_is_written_is_read_back)
{
    struct feed_checkpoint read = {.from_s = 7};

    ck_assert_int_eq(read_back(&read), FEED_CHECKPOINT_NONE);
    ck_assert_int_eq(feed_checkpoint_write(folder.path, &feed, &checkpoint, &diag), 0);
    ck_assert_msg(read_back(&read) == 0, "%s", diag.text);
    ck_assert_uint_eq(read.from_s, 1700000000);
    ck_assert_uint_eq(read.pulled_us, 1700000005123456);
    ck_assert_uint_eq(read.list_count, 2);
    ck_assert_uint_eq(read.lists[1].number, 4);
    ck_assert_uint_eq(read.lists[1].version, 13);
    ck_assert_str_eq(names_in(&folder), "f.checkpoint ");
    ck_assert_uint_eq(mode_of(file_in(&folder, "f.checkpoint")), 0600);
    /* Over the one that is there; a later list is as good. */
    checkpoint.from_s++;
    lists[0].version = 99;
    ck_assert_int_eq(feed_checkpoint_write(folder.path, &feed, &checkpoint, &diag), 0);
    ck_assert_int_eq(read_back(&read), 0);
    ck_assert_uint_eq(read.from_s, 1700000001);
}
END_TEST

START_TEST(the_largest_checkpoint_fits)
{
    struct feed_checkpoint read;

    memset(feed.url, 'u', sizeof feed.url - 1);
    feed.list_count = checkpoint.list_count = CONFIG_FEED_LISTS_MAX;
    checkpoint.from_s = checkpoint.pulled_us = UINT64_MAX;
    for (size_t i = 0; i < CONFIG_FEED_LISTS_MAX; i++) {
        memset(feed.lists[i], 'a' + (int)i, CONFIG_NAME_MAX);
        checkpoint.lists[i].number = lists[i].number = UINT32_MAX;
        checkpoint.lists[i].version = lists[i].version = UINT64_MAX;
    }
    ck_assert_int_eq(feed_checkpoint_write(folder.path, &feed, &checkpoint, &diag), 0);
    ck_assert_msg(read_back(&read) == 0, "%s", diag.text);
    ck_assert_uint_eq(read.lists[CONFIG_FEED_LISTS_MAX - 1].version, UINT64_MAX);
}
END_TEST

static void refuse(const char *words)
{
    struct feed_checkpoint read = {.from_s = 7};

    ck_assert_int_eq(read_back(&read), FEED_CHECKPOINT_FOREIGN);
    ck_assert_msg(strstr(diag.text, words) != NULL, "\"%s\" does not say \"%s\"", diag.text, words);
    ck_assert_ptr_nonnull(strstr(diag.text, "f.checkpoint"));
    ck_assert_ptr_nonnull(strstr(diag.text, "remove it to fetch everything anew"));
    ck_assert_uint_eq(read.from_s, 7);
}

START_TEST(another_source_or_other_lists_are_refused)
{
    ck_assert_int_eq(feed_checkpoint_write(folder.path, &feed, &checkpoint, &diag), 0);
    strcpy(feed.url, "https://h/q");
    refuse("another url");
    strcpy(feed.url, "https://h/p");
    feed.kind = FEED_STOPNCII;
    refuse("another kind");
    feed.kind = FEED_NCMEC;
    strcpy(feed.lists[1], "c");
    refuse("of other lists");
    strcpy(feed.lists[1], "b");
    feed.list_count = 1;
    refuse("of other lists");
    feed.list_count = 3;
    refuse("of other lists");
    feed.list_count = 2;
    lists[1].number = 5;
    refuse("a list was deleted and made again");
    lists[1].number = 4;
    lists[0].version = 11;
    refuse("a list is older than the last pull");
}
END_TEST

START_TEST(a_damaged_file_is_refused_wherever_it_ends)
{
    char whole[FEED_CHECKPOINT_FILE_MAX + 2];

    ck_assert_int_eq(feed_checkpoint_write(folder.path, &feed, &checkpoint, &diag), 0);
    strcpy(whole, text_of_file());
    for (size_t size = 0; size < strlen(whole); size++) {
        write_text(whole, size);
        refuse("remove it");
    }
    strcat(whole, "\n");
    write_text(whole, strlen(whole));
    refuse("damaged");
    write_text("\0\0\0", 3);
    refuse("no checkpoint");
    memset(whole, 'x', sizeof whole);
    write_text(whole, sizeof whole);
    struct feed_checkpoint read;
    ck_assert_int_eq(read_back(&read), -EFBIG);
}
END_TEST

START_TEST(a_number_that_is_none_is_refused)
{
    static const char *const lines[][2] = {{"from 1700000000", "from -1"},
                                           {"from 1700000000", "from "},
                                           {"from 1700000000", "from 18446744073709551616"},
                                           {"from 1700000000", "form 1700000000"},
                                           {"pulled 1700000005123456", "pulled x"},
                                           {"list a 3 12", "list a 3"},
                                           {"list a 3 12", "list a 4294967296 12"},
                                           {"list a 3 12", "list a 3 12 1"},
                                           {"list a 3 12", "list a  12"}};
    char text[FEED_CHECKPOINT_FILE_MAX];
    char whole[FEED_CHECKPOINT_FILE_MAX + 1];

    ck_assert_int_eq(feed_checkpoint_write(folder.path, &feed, &checkpoint, &diag), 0);
    strcpy(whole, text_of_file());
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *place = strstr(whole, lines[i][0]);

        ck_assert_ptr_nonnull(place);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(place - whole), whole, lines[i][1],
                 place + strlen(lines[i][0]));
        write_text(text, strlen(text));
        refuse("remove it");
    }
}
END_TEST

START_TEST(a_folder_that_cannot_be_written_is_named)
{
    char missing[300];

    snprintf(missing, sizeof missing, "%s/none", folder.path);
    ck_assert_int_eq(feed_checkpoint_write(missing, &feed, &checkpoint, &diag), -ENOENT);
    ck_assert_ptr_nonnull(strstr(diag.text, "none/f.checkpoint"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("feed checkpoint");
    TCase *tests = tcase_create("feed checkpoint");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_written_is_read_back);
    tcase_add_test(tests, the_largest_checkpoint_fits);
    tcase_add_test(tests, another_source_or_other_lists_are_refused);
    tcase_add_test(tests, a_damaged_file_is_refused_wherever_it_ends);
    tcase_add_test(tests, a_number_that_is_none_is_refused);
    tcase_add_test(tests, a_folder_that_cannot_be_written_is_named);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
