#include "http/head.h"
#include "tap.h"

#include <stdbool.h>
#include <string.h>

struct line {
    const char *name, *value;
};
#define END                                                                                                  \
    {                                                                                                        \
        NULL, NULL                                                                                           \
    }

static struct head head;
static struct diag diag;

/* Reads a head of the given lines. */
static enum problem read_lines(const char *version, const struct line *lines)
{
    enum problem problem = PROBLEM_NONE;

    head = (struct head){0};
    for (; lines->name != NULL && problem == PROBLEM_NONE; lines++)
        problem =
            head_add(&head, lines->name, strlen(lines->name), lines->value, strlen(lines->value), &diag);
    return problem == PROBLEM_NONE ? head_check(&head, version, &diag) : problem;
}

static enum problem read_one(const char *name, const char *value)
{
    return read_lines("HTTP/1.1", (struct line[]){{"Host", "a"}, {name, value}, END});
}

START_TEST(plain_heads_pass_and_tell_their_body)
{
    ck_assert_int_eq(read_lines("HTTP/1.1", (struct line[]){{"hOsT", "a:1"}, END}), PROBLEM_NONE);
    ck_assert(!head.has_body && !head.has_length && !head.chunked);
    ck_assert_int_eq(read_one("content-length", "12"), PROBLEM_NONE);
    ck_assert(head.has_body && head.has_length && head.length == 12);
    ck_assert_int_eq(read_one("Content-Length", "0"), PROBLEM_NONE);
    ck_assert(!head.has_body && head.has_length);
    ck_assert_int_eq(read_one("Transfer-Encoding", "Chunked"), PROBLEM_NONE);
    ck_assert(head.has_body && head.chunked && !head.has_length);
    ck_assert_int_eq(read_one("Expect", "100-Continue"), PROBLEM_NONE);
    ck_assert(head.expects_continue);
    ck_assert_int_eq(read_one("X-Odd", "\x80\xff \t"), PROBLEM_NONE);
    ck_assert_int_eq(read_lines("HTTP/1.0", (struct line[]){END}), PROBLEM_NONE);
}
END_TEST

START_TEST(body_of_two_lengths_is_refused)
{
    ck_assert_int_eq(
        read_lines("HTTP/1.1",
                   (struct line[]){{"Host", "a"}, {"Content-Length", "3"}, {"content-length", "4"}, END}),
        PROBLEM_FRAMING);
    /* Equal ones, too: who forwards them may send only one on. */
    ck_assert_int_eq(
        read_lines("HTTP/1.1",
                   (struct line[]){{"Host", "a"}, {"Content-Length", "3"}, {"Content-Length", "3"}, END}),
        PROBLEM_FRAMING);
    ck_assert_int_eq(
        read_lines(
            "HTTP/1.1",
            (struct line[]){{"Host", "a"}, {"Content-Length", "3"}, {"Transfer-Encoding", "chunked"}, END}),
        PROBLEM_FRAMING);
    ck_assert_int_eq(read_lines("HTTP/1.1", (struct line[]){{"Host", "a"},
                                                            {"Transfer-Encoding", "chunked"},
                                                            {"Transfer-Encoding", "chunked"},
                                                            END}),
                     PROBLEM_FRAMING);
}
END_TEST

START_TEST(length_that_is_no_plain_number_is_refused)
{
    static const char *const bad[] = {
        "", "+3", "-3", "3,3", "0x3", "3 ", "3\t", "3a", "1.0", "9223372036854775808", "1e3", "\xd9\xa3"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(read_one("Content-Length", bad[i]) == PROBLEM_FRAMING, "%s", bad[i]);
    ck_assert_int_eq(read_one("Content-Length", "9223372036854775807"), PROBLEM_NONE);
}
END_TEST

START_TEST(transfer_coding_other_than_chunked_is_refused)
{
    static const char *const bad[] = {
        "",         "gzip",     "identity",    "gzip, chunked",    "chunked, chunked",
        "chunked ", "xchunked", "chunked;a=b", "chunked\tidentity"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(read_one("Transfer-Encoding", bad[i]) == PROBLEM_FRAMING, "%s", bad[i]);
    ck_assert_int_eq(read_lines("HTTP/1.0", (struct line[]){{"Transfer-Encoding", "chunked"}, END}),
                     PROBLEM_FRAMING);
}
END_TEST

START_TEST(host_must_be_one_and_a_host)
{
    ck_assert_int_eq(read_lines("HTTP/1.1", (struct line[]){END}), PROBLEM_FRAMING);
    ck_assert_int_eq(read_lines("HTTP/1.1", (struct line[]){{"Host", "a"}, {"Host", "a"}, END}),
                     PROBLEM_FRAMING);
    ck_assert_int_eq(read_lines("HTTP/1.0", (struct line[]){{"Host", "a"}, {"Host", "b"}, END}),
                     PROBLEM_FRAMING);
    ck_assert_int_eq(read_lines("HTTP/1.1", (struct line[]){{"Host", "a/b"}, END}), PROBLEM_FRAMING);
    ck_assert_int_eq(read_lines("HTTP/1.1", (struct line[]){{"Host", "a b"}, END}), PROBLEM_FRAMING);
    ck_assert_int_eq(read_lines("HTTP/1.1", (struct line[]){{"Host", "[::1]:8750"}, END}), PROBLEM_NONE);
    ck_assert_int_eq(read_lines("HTTP/1.1", (struct line[]){{"Host", ""}, END}), PROBLEM_NONE);
}
END_TEST

START_TEST(names_and_values_with_odd_bytes_are_refused)
{
    ck_assert_int_eq(read_one("Content-Length ", "3"), PROBLEM_FRAMING);
    ck_assert_int_eq(read_one(" X", "3"), PROBLEM_FRAMING);
    ck_assert_int_eq(read_one("", "3"), PROBLEM_FRAMING);
    ck_assert_int_eq(read_one("X\xc3\xa9", "3"), PROBLEM_FRAMING);
    ck_assert_int_eq(read_one("X(", "3"), PROBLEM_FRAMING);
    ck_assert_int_eq(read_one("X", "a\rb"), PROBLEM_FRAMING);
    ck_assert_int_eq(read_one("X", "a\x01"), PROBLEM_FRAMING);
    ck_assert_int_eq(read_one("X", "a\x7f"), PROBLEM_FRAMING);
    head = (struct head){0};
    ck_assert_int_eq(head_add(&head, "X\0Y", 3, "a", 1, &diag), PROBLEM_FRAMING);
    ck_assert_int_eq(head_add(&head, "X", 1, "a\0b", 3, &diag), PROBLEM_FRAMING);
}
END_TEST

START_TEST(lines_and_their_sizes_have_limits)
{
    static char text[HEADER_VALUE_MAX + 2];
    enum problem problem = PROBLEM_NONE;

    for (size_t size = HEADER_VALUE_MAX - 1; size <= HEADER_VALUE_MAX + 1; size++) {
        memset(text, 'x', size);
        text[size] = '\0';
        ck_assert_int_eq(read_one("X", text),
                         size <= HEADER_VALUE_MAX ? PROBLEM_NONE : PROBLEM_HEADER_TOO_LARGE);
    }
    for (size_t size = HEADER_NAME_MAX - 1; size <= HEADER_NAME_MAX + 1; size++) {
        memset(text, 'x', size);
        text[size] = '\0';
        ck_assert_int_eq(read_one(text, "y"),
                         size <= HEADER_NAME_MAX ? PROBLEM_NONE : PROBLEM_HEADER_TOO_LARGE);
    }
    head = (struct head){0};
    for (int i = 1; i <= HEADERS_MAX; i++) {
        problem = head_add(&head, "X", 1, "y", 1, &diag);
        ck_assert_int_eq(problem, PROBLEM_NONE);
    }
    ck_assert_int_eq(head_add(&head, "X", 1, "y", 1, &diag), PROBLEM_HEADER_TOO_LARGE);
}
END_TEST

START_TEST(what_would_change_the_body_is_refused)
{
    ck_assert_int_eq(read_one("Content-Encoding", "gzip"), PROBLEM_ENCODED);
    ck_assert_int_eq(read_one("Content-Encoding", "identity"), PROBLEM_NONE);
    ck_assert_int_eq(read_one("Expect", "200-ok"), PROBLEM_EXPECTATION);
    ck_assert_int_eq(read_one("Expect", ""), PROBLEM_EXPECTATION);
}
END_TEST

START_TEST(single_fields_given_twice_are_refused_and_others_are_not)
{
    static const char *const single[] = {"Authorization", "Idempotency-Key",  "Content-Type",
                                         "X-Request-Id",  "Content-Encoding", "Expect"};

    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
        ck_assert_int_eq(
            read_lines("HTTP/1.1",
                       (struct line[]){{"Host", "a"}, {single[i], "identity"}, {single[i], "identity"}, END}),
            PROBLEM_FRAMING);
    ck_assert_int_eq(
        read_lines("HTTP/1.1", (struct line[]){{"Host", "a"}, {"Accept", "a"}, {"Accept", "b"}, END}),
        PROBLEM_NONE);
}
END_TEST

START_TEST(form_is_told_by_its_whole_type)
{
    static const struct {
        const char *type;
        bool form;
    } rows[] = {{"multipart/form-data; boundary=x", true},
                {"Multipart/Form-Data;boundary=x", true},
                {"multipart/form-data", true},
                {"multipart/form-data ;x", true},
                {"multipart/form-datax", false},
                {"multipart/mixed; boundary=x", false},
                {"image/jpeg", false},
                {"", false}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(read_one("Content-Type", rows[i].type), PROBLEM_NONE);
        ck_assert_msg(head_is_form(&head) == rows[i].form, "%s", rows[i].type);
    }
    ck_assert_int_eq(read_one("X", "y"), PROBLEM_NONE);
    ck_assert(!head_is_form(&head));
}
END_TEST

/* Walks a head as the library leaves it behind: line ends, colons and what was cut as NUL bytes. offsets are
 * of target, version, then name and value of each line. */
static bool walk(const char *memory, size_t size, const size_t *offsets, size_t lines)
{
    struct head_walk state;
    const char *target = memory + offsets[0];

    head_walk_start(&state, memory, target, strlen(target), memory + offsets[1]);
    for (size_t i = 0; i < lines; i++) {
        const char *value = memory + offsets[3 + 2 * i];
        head_walk_line(&state, memory + offsets[2 + 2 * i], value, strlen(value));
    }
    return head_walk_ends(&state, memory, size);
}

START_TEST(lines_that_do_not_follow_each_other_are_seen)
{
    static const char plain[] = "GET\0/a\0HTTP/1.1\0\0Host\0 b\0\0X\0c\0\0\0";
    static const char nul[] = "GET\0/a\0HTTP/1.1\0\0Host\0 b\0z\0\0X\0c\0\0\0";
    static const char bare[] = "GET\0/a\0HTTP/1.1\0\0Host\0 b\0X\0c\0\0\0";
    static const char spaces[] = "GET\0 /a\0HTTP/1.1\0\0Host\0 b\0\0X\0c\0\0\0";
    static const char cut[] = "GET\0/a\0z\0HTTP/1.1\0\0Host\0 b\0\0X\0c\0\0\0";

    ck_assert(walk(plain, sizeof plain, (size_t[]){4, 7, 17, 23, 26, 28}, 2));
    ck_assert(!walk(nul, sizeof nul, (size_t[]){4, 7, 17, 23, 28, 30}, 2));
    ck_assert(!walk(bare, sizeof bare, (size_t[]){4, 7, 17, 23, 25, 27}, 2));
    ck_assert(!walk(spaces, sizeof spaces, (size_t[]){5, 8, 18, 24, 27, 29}, 2));
    ck_assert(!walk(cut, sizeof cut, (size_t[]){4, 9, 19, 25, 28, 30}, 2));
    /* The head goes on behind the last line that the library made of it. */
    ck_assert(!walk(plain, sizeof plain, (size_t[]){4, 7, 17, 23}, 1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http head");
    TCase *cases = tcase_create("head");

    tcase_add_test(cases, plain_heads_pass_and_tell_their_body);
    tcase_add_test(cases, body_of_two_lengths_is_refused);
    tcase_add_test(cases, length_that_is_no_plain_number_is_refused);
    tcase_add_test(cases, transfer_coding_other_than_chunked_is_refused);
    tcase_add_test(cases, host_must_be_one_and_a_host);
    tcase_add_test(cases, names_and_values_with_odd_bytes_are_refused);
    tcase_add_test(cases, lines_and_their_sizes_have_limits);
    tcase_add_test(cases, what_would_change_the_body_is_refused);
    tcase_add_test(cases, single_fields_given_twice_are_refused_and_others_are_not);
    tcase_add_test(cases, form_is_told_by_its_whole_type);
    tcase_add_test(cases, lines_that_do_not_follow_each_other_are_seen);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
