#include "prescreen/base/bytes.h"
#include "prescreen/base/clock.h"
#include "prescreen/base/cpu.h"
#include "prescreen/base/diag.h"
#include "prescreen/base/text.h"
#include "prescreen/base/uuid.h"
#include "prescreen/base/vocabulary.h"

#include "tap.h"

#include <errno.h>
#include <string.h>

START_TEST(hex_round_trips_and_refuses_other_text)
{
    uint8_t raw[3] = {0x00, 0xa5, 0xff};
    uint8_t back[3] = {1, 2, 3};
    char text[7];

    hex_encode(raw, sizeof raw, text);
    ck_assert_str_eq(text, "00a5ff");
    ck_assert(hex_decode("00A5fF", 6, back, sizeof back));
    ck_assert_mem_eq(raw, back, sizeof raw);
    ck_assert(!hex_decode("00a5f", 5, back, sizeof back));
    ck_assert(!hex_decode("00a5fg", 6, back, sizeof back));
    ck_assert(!hex_decode("00a5ff00", 8, back, sizeof back));
}
END_TEST

START_TEST(buffer_stops_at_its_maximum_and_keeps_its_content)
{
    struct bytes bytes;

    bytes_init(&bytes, 5);
    ck_assert_int_eq(bytes_append(&bytes, "abcd", 4), 0);
    ck_assert_int_eq(bytes_append(&bytes, "ef", 2), -EFBIG);
    ck_assert_int_eq(bytes_append(&bytes, "e", 1), 0);
    ck_assert_int_eq(bytes_append(&bytes, "f", 1), -EFBIG);
    ck_assert_uint_eq(bytes.size, 5);
    ck_assert_mem_eq(bytes.data, "abcde", 5);
    bytes_clear(&bytes);
    ck_assert_ptr_null(bytes.data);
}
END_TEST

START_TEST(secret_comparison_sees_every_byte)
{
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};

    ck_assert(bytes_equal_secret(a, b, sizeof a));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] = 1;
        ck_assert(!bytes_equal_secret(a, b, sizeof a));
        b[i] = 0;
    }
}
END_TEST

START_TEST(sizes_and_durations_take_units_and_refuse_overflow)
{
    uint64_t value = 7;

    ck_assert(text_parse_size("32MiB", &value) && value == 32u << 20);
    ck_assert(text_parse_size("12", &value) && value == 12);
    ck_assert(text_parse_size("4GiB", &value) && value == (uint64_t)4 << 30);
    ck_assert(!text_parse_size("17179869184GiB", &value));
    ck_assert(!text_parse_size("1MB", &value));
    ck_assert(!text_parse_size("", &value));
    ck_assert(!text_parse_size("-1", &value));
    ck_assert(text_parse_duration("2s", &value) && value == 2000000);
    ck_assert(text_parse_duration("250ms", &value) && value == 250000);
    ck_assert(text_parse_duration("1d", &value) && value == 86400000000U);
    ck_assert(text_parse_duration("0", &value) && value == 0);
    ck_assert(!text_parse_duration("5", &value));
    ck_assert(!text_parse_u64("18446744073709551616", UINT64_MAX, &value));
    ck_assert(!text_parse_u64("11", 10, &value));
    ck_assert(text_parse_u64("10", 10, &value) && value == 10);
}
END_TEST

START_TEST(utf8_is_checked_to_the_letter)
{
    ck_assert(text_is_printable_utf8("h\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10));
    ck_assert(!text_is_printable_utf8("\xc0\x80", 2));
    ck_assert(!text_is_printable_utf8("\xed\xa0\x80", 3));
    ck_assert(!text_is_printable_utf8("\xf4\x90\x80\x80", 4));
    ck_assert(!text_is_printable_utf8("\xe2\x82", 2));
    ck_assert(!text_is_printable_utf8("a\n", 2));
    ck_assert(text_is_token("AZaz09._-", 9));
    ck_assert(!text_is_token("AZaz09._-", 8));
    ck_assert(!text_is_token("", 8));
    ck_assert(!text_is_token("a b", 8));
}
END_TEST

START_TEST(uuids_are_version_7_ordered_and_distinct)
{
    char first[UUID_TEXT_SIZE];
    char second[UUID_TEXT_SIZE];
    uint64_t start = clock_wall_us() / 1000;

    ck_assert_int_eq(uuid_make_v7(first), 0);
    while (clock_wall_us() / 1000 <= start + 1)
        ;
    ck_assert_int_eq(uuid_make_v7(second), 0);
    ck_assert_uint_eq(strlen(first), 36);
    ck_assert_int_eq(first[14], '7');
    ck_assert_ptr_nonnull(strchr("89ab", first[19]));
    ck_assert_int_lt(strcmp(first, second), 0);
}
END_TEST

START_TEST(calendar_time_is_rfc3339)
{
    char text[CLOCK_RFC3339_SIZE];

    clock_format_rfc3339(951827696000001U, text);
    ck_assert_str_eq(text, "2000-02-29T12:34:56.000001Z");
}
END_TEST

START_TEST(words_have_one_spelling)
{
    enum reason reason = REASON_MATCH_EXACT;
    enum list_action action = ACTION_REPORT;
    enum right right = RIGHT_SCREEN;

    for (int i = 0; i < REASON_COUNT; i++) {
        ck_assert(reason_parse(reason_name((enum reason)i), &reason));
        ck_assert_int_eq(reason, i);
    }
    ck_assert(!reason_parse("media.limit", &reason));
    ck_assert(list_action_parse("observe", &action) && action == ACTION_OBSERVE);
    ck_assert(!list_action_parse("Report", &action));
    ck_assert(right_parse("lists", &right) && right == RIGHT_LISTS);
}
END_TEST

START_TEST(diagnosis_is_cut_and_has_no_control_bytes)
{
    struct diag diag = {""};
    char long_text[2 * DIAG_TEXT_MAX];

    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    ck_assert_int_eq(diag_fail(&diag, -EINVAL, "a\nb"), -EINVAL);
    ck_assert_str_eq(diag.text, "a?b");
    diag_set(&diag, "%s", long_text);
    ck_assert_uint_eq(strlen(diag.text), DIAG_TEXT_MAX - 1);
    diag_set(NULL, "nobody listens");
}
END_TEST

START_TEST(cpu_level_can_only_be_forced_downwards)
{
    enum cpu_level detected = cpu_detect();

    setenv("PRESCREEN_CPU", "plain", 1);
    ck_assert_int_eq(cpu_choose(), CPU_PLAIN);
    setenv("PRESCREEN_CPU", "avx512", 1);
    ck_assert_int_eq(cpu_choose(), detected);
    setenv("PRESCREEN_CPU", "nonsense", 1);
    ck_assert_int_eq(cpu_choose(), detected);
    unsetenv("PRESCREEN_CPU");
}
END_TEST

START_TEST(a_value_is_shown_so_that_no_hash_can_be_read_from_it)
{
    static const struct {
        const char *text, *shown;
    } values[] = {
        {"", "\"\""},
        {"zz", "\"zz\""},
        {"0123456789abcdef", "\"0123456789abcdef\""},
        {"0123456789abcdef0", "\"01234567…\""},
        {"d41d8cd98f00b204e9800998ecf8427e", "\"d41d8cd9…\""},
        {"a\nb\x7f", "\"a?b?\""},
        {"\xe4\xff", "\"??\""},
        {"12345é", "\"12345é\""},
        {"1234567éééééééé", "\"1234567…\""},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\"????????????????\""},
    };
    char shown[TEXT_SHOWN_SIZE];

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        ck_assert_str_eq(text_show(values[i].text, shown), values[i].shown);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base");
    TCase *tests = tcase_create("base");

    tcase_add_test(tests, hex_round_trips_and_refuses_other_text);
    tcase_add_test(tests, buffer_stops_at_its_maximum_and_keeps_its_content);
    tcase_add_test(tests, secret_comparison_sees_every_byte);
    tcase_add_test(tests, sizes_and_durations_take_units_and_refuse_overflow);
    tcase_add_test(tests, utf8_is_checked_to_the_letter);
    tcase_add_test(tests, a_value_is_shown_so_that_no_hash_can_be_read_from_it);
    tcase_add_test(tests, uuids_are_version_7_ordered_and_distinct);
    tcase_add_test(tests, calendar_time_is_rfc3339);
    tcase_add_test(tests, words_have_one_spelling);
    tcase_add_test(tests, diagnosis_is_cut_and_has_no_control_bytes);
    tcase_add_test(tests, cpu_level_can_only_be_forced_downwards);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
