#include "prescreen/lists/reader.h"
#include "prescreen/lists/writer.h"

#include "entries.h"
#include "tap.h"

START_TEST(header_names_every_column)
{
    char text[LIST_CSV_ROW_MAX];
    size_t size = list_csv_format_header(false, text, sizeof text);

    text[size] = '\0';
    ck_assert_str_eq(text, "entry_id,md5,sha1,sha256,pdq,pdq_quality,classification,note\n");
    ck_assert_uint_eq(list_csv_format_header(false, text, size), size);
    ck_assert_uint_eq(list_csv_format_header(false, text, size - 1), 0);
}
END_TEST

START_TEST(row_quotes_only_where_it_must)
{
    char text[LIST_CSV_ROW_MAX];
    struct list_entry entry = {.entry_id = "a,b",
                               .hashes = {.kinds = HASH_BIT(HASH_MD5), .pdq_quality = -1},
                               .classification = " A1",
                               .note = "5\" disk"};
    size_t size = list_csv_format_row(&entry, false, text, sizeof text);

    text[size] = '\0';
    ck_assert_str_eq(text, "\"a,b\",00000000000000000000000000000000,,,,,\" A1\",\"5\"\" disk\"\n");
    ck_assert_uint_eq(list_csv_format_row(&entry, false, text, size), size);
    ck_assert_uint_eq(list_csv_format_row(&entry, false, text, size - 1), 0);
}
END_TEST

/* The view with the longest name. */
static enum view longest_view(void)
{
    enum view longest = VIEW_UNDER_ALPHA;

    for (int view = VIEW_UNDER_ALPHA; view < VIEW_COUNT; view++) {
        if (strlen(view_name((enum view)view)) > strlen(view_name(longest)))
            longest = (enum view)view;
    }
    return longest;
}

START_TEST(a_row_with_views_needs_a_file_with_views)
{
    struct entry_view views[2] = {{VIEW_THUMBNAIL, {{1}}}, {VIEW_OVER_BLACK, {{2}}}};
    struct list_entry entry = {.entry_id = "a",
                               .hashes = {.kinds = HASH_BIT(HASH_MD5), .pdq_quality = -1},
                               .classification = "",
                               .note = "",
                               .views = views,
                               .view_count = 2};
    char text[LIST_CSV_ROW_MAX + 1];

    ck_assert_uint_eq(list_csv_format_row(&entry, false, text, LIST_CSV_ROW_MAX), 0);
    text[list_csv_format_row(&entry, true, text, LIST_CSV_ROW_MAX)] = '\0';
    ck_assert_str_eq(text, "a,00000000000000000000000000000000,,,,,,,"
                           "thumbnail:0000000000000000000000000000000000000000000000000000000000000001 "
                           "over_black:0000000000000000000000000000000000000000000000000000000000000002\n");
    text[list_csv_format_header(true, text, LIST_CSV_ROW_MAX)] = '\0';
    ck_assert_str_eq(text, "entry_id,md5,sha1,sha256,pdq,pdq_quality,classification,note,views\n");
}
END_TEST

/* The longest row that rules allow: every text full of quotes, every hash and view, quality 100. */
START_TEST(longest_row_fits_and_reads_back)
{
    char quotes[ENTRY_NOTE_MAX + 1];
    char text[2 * LIST_CSV_ROW_MAX];
    struct list_entry entry = {.hashes = {.kinds = 15, .pdq_quality = 100}, .note = quotes};
    struct entry_view views[ENTRY_VIEWS_MAX];
    struct kept_entries kept = {0};
    struct diag diag = {""};
    struct list_reader *reader = NULL;

    for (size_t i = 0; i < ENTRY_VIEWS_MAX; i++)
        views[i] = (struct entry_view){longest_view(), {{i}}};
    entry.views = views;
    entry.view_count = ENTRY_VIEWS_MAX;
    memset(quotes, '"', sizeof quotes - 1);
    quotes[sizeof quotes - 1] = '\0';
    entry.entry_id = quotes + ENTRY_NOTE_MAX - ENTRY_ID_MAX;
    entry.classification = quotes + ENTRY_NOTE_MAX - CLASSIFICATION_MAX;
    size_t size = list_csv_format_header(true, text, LIST_CSV_ROW_MAX);
    size_t row = list_csv_format_row(&entry, true, text + size, LIST_CSV_ROW_MAX);
    ck_assert_uint_gt(row, 0);
    ck_assert_uint_le(row, LIST_ROW_MAX + 1);

    struct list_reader_options options = {
        .format = LIST_FORMAT_CSV, .on_entry = keep_entry, .context = &kept};
    ck_assert_int_eq(list_reader_create(&options, &reader), 0);
    ck_assert_int_eq(list_reader_feed(reader, text, size + row, &diag), 0);
    ck_assert_int_eq(list_reader_finish(reader, &diag), 0);
    list_reader_free(reader);
    ck_assert_uint_eq(kept.count, 1);
    ck_assert_str_eq(kept.items[0].note, quotes);
    forget_entries(&kept);
}
END_TEST

static void random_text(uint64_t *state, char *text, size_t maximum)
{
    static const char *const parts[] = {"a", "\"", ",", " ", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                        "0", ";",  "'"};
    size_t size = 0;
    unsigned int count = random_below(state, random_below(state, 8) == 0 ? 64 : 6);

    for (unsigned int i = 0; i < count; i++) {
        const char *part = parts[random_below(state, sizeof parts / sizeof parts[0])];
        if (size + strlen(part) > maximum)
            break;
        memcpy(text + size, part, strlen(part));
        size += strlen(part);
    }
    text[size] = '\0';
}

START_TEST(random_entries_round_trip)
{
    uint64_t state = 42;
    struct kept_entries written = {0};
    struct kept_entries read = {0};
    struct list_reader *reader = NULL;
    struct diag diag = {""};
    struct list_reader_options options = {
        .format = LIST_FORMAT_CSV, .on_entry = keep_entry, .context = &read};
    char text[LIST_CSV_ROW_MAX];

    ck_assert_int_eq(list_reader_create(&options, &reader), 0);
    ck_assert_int_eq(list_reader_feed(reader, text, list_csv_format_header(false, text, sizeof text), &diag),
                     0);
    for (int i = 0; i < 3000; i++) {
        struct kept_entry made = {.entry_id = ""};

        random_text(&state, made.entry_id, ENTRY_ID_MAX - 1);
        strcat(made.entry_id, "x");
        random_text(&state, made.classification, CLASSIFICATION_MAX);
        random_text(&state, made.note, ENTRY_NOTE_MAX);
        made.hashes = random_hashes(&state, 1 + random_below(&state, 15));
        struct list_entry entry = entry_of(&made);
        ck_assert_int_eq(list_entry_check(&entry, &diag), 0);
        keep_entry(&written, &entry);
        size_t size = list_csv_format_row(&entry, false, text, sizeof text);
        ck_assert_msg(list_reader_feed(reader, text, size, &diag) == 0, "%s", diag.text);
    }
    ck_assert_int_eq(list_reader_finish(reader, &diag), 0);
    list_reader_free(reader);
    ck_assert_uint_eq(read.count, written.count);
    for (size_t i = 0; i < read.count; i++)
        ck_assert_msg(same_entry(&read.items[i], &written.items[i]), "entry %zu", i);
    forget_entries(&read);
    forget_entries(&written);
}
END_TEST

START_TEST(entry_check_refuses_what_no_file_can_carry)
{
    struct list_entry good = {.entry_id = "a",
                              .hashes = {.kinds = HASH_BIT(HASH_PDQ), .pdq_quality = 100},
                              .classification = "",
                              .note = ""};
    struct list_entry entry = good;
    struct diag diag = {""};

    ck_assert_int_eq(list_entry_check(&entry, &diag), 0);
    entry.hashes.pdq_quality = 101;
    ck_assert_int_eq(list_entry_check(&entry, &diag), LIST_ENTRY_BAD);
    ck_assert_str_eq(diag.text, "pdq_quality: not a number from 0 to 100: 101");
    entry.hashes.pdq_quality = -2;
    ck_assert_int_eq(list_entry_check(&entry, &diag), LIST_ENTRY_BAD);
    entry = good;
    entry.hashes.kinds = 0;
    ck_assert_int_eq(list_entry_check(&entry, &diag), LIST_ENTRY_BAD);
    entry.hashes.kinds = 16;
    ck_assert_int_eq(list_entry_check(&entry, &diag), LIST_ENTRY_BAD);
    entry = good;
    entry.note = "a\x7f";
    ck_assert_int_eq(list_entry_check(&entry, &diag), LIST_ENTRY_BAD);
    ck_assert_str_eq(diag.text, "note: not UTF-8 text without control characters: \"a?\"");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lists_writer");
    TCase *tests = tcase_create("lists_writer");

    tcase_add_test(tests, header_names_every_column);
    tcase_add_test(tests, row_quotes_only_where_it_must);
    tcase_add_test(tests, a_row_with_views_needs_a_file_with_views);
    tcase_add_test(tests, longest_row_fits_and_reads_back);
    tcase_add_test(tests, random_entries_round_trip);
    tcase_add_test(tests, entry_check_refuses_what_no_file_can_carry);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
