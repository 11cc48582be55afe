#include "http/target.h"
#include "tap.h"

#include <stdio.h>
#include <string.h>

static struct target target;
static struct diag diag;

static void clear(void)
{
    target_clear(&target);
}

static enum problem parse(const char *raw)
{
    target_clear(&target);
    return target_parse(raw, &target, &diag);
}

START_TEST(path_and_parameters_are_decoded)
{
    ck_assert_int_eq(parse("/v1/lists/a%2Db?content_id=a%20b+c%C3%A9&flag&empty=&x=1=2"), PROBLEM_NONE);
    ck_assert_str_eq(target.path, "/v1/lists/a-b");
    ck_assert_str_eq(target_find(&target, "content_id"), "a b c\xc3\xa9");
    ck_assert_str_eq(target_find(&target, "flag"), "");
    ck_assert_str_eq(target_find(&target, "empty"), "");
    ck_assert_str_eq(target_find(&target, "x"), "1=2");
    ck_assert_ptr_null(target_find(&target, "y"));
    ck_assert_int_eq(parse("/a+b"), PROBLEM_NONE);
    ck_assert_str_eq(target.path, "/a+b");
}
END_TEST

START_TEST(absolute_form_leads_to_its_path)
{
    ck_assert_int_eq(parse("HTTP://host:1/v1/screen?profile=x"), PROBLEM_NONE);
    ck_assert_str_eq(target.path, "/v1/screen");
    ck_assert_str_eq(target_find(&target, "profile"), "x");
    ck_assert_int_eq(parse("http://host"), PROBLEM_NO_ROUTE);
    ck_assert_int_eq(parse("*"), PROBLEM_NO_ROUTE);
    ck_assert_int_eq(parse("host:443"), PROBLEM_NO_ROUTE);
    ck_assert_int_eq(parse(""), PROBLEM_NO_ROUTE);
}
END_TEST

START_TEST(parameter_given_twice_is_refused_by_name)
{
    ck_assert_int_eq(parse("/?a=1&b=2&%61=3"), PROBLEM_MALFORMED);
    ck_assert_ptr_nonnull(strstr(diag.text, "\"a\""));
    ck_assert_ptr_null(target.text);
}
END_TEST

START_TEST(unknown_parameter_is_refused_by_name)
{
    static const char *const allowed[] = {"a", "b", NULL};

    ck_assert_int_eq(parse("/?a=1&c=2&b"), PROBLEM_NONE);
    ck_assert_int_eq(target_check_names(&target, allowed, &diag), PROBLEM_MALFORMED);
    ck_assert_ptr_nonnull(strstr(diag.text, "\"c\""));
    ck_assert_int_eq(parse("/?a=1&b"), PROBLEM_NONE);
    ck_assert_int_eq(target_check_names(&target, allowed, &diag), PROBLEM_NONE);
    ck_assert_int_eq(parse("/?A=1"), PROBLEM_NONE);
    ck_assert_int_eq(target_check_names(&target, allowed, &diag), PROBLEM_MALFORMED);
}
END_TEST

START_TEST(broken_escapes_and_bytes_that_must_be_escaped_are_refused)
{
    static const char *const bad[] = {"/%",      "/%4",        "/%zz",    "/%00",    "/?a=%",
                                      "/?a=%0",  "/?a=%0g",    "/?a=%00", "/?a=%0a", "/?%7f=1",
                                      "/?a=%ff", "/?a=%c3%28", "/a#b",    "/a\"b",   "/<a>",
                                      "/a\\b",   "/\xc3\xa9",  "/a\tb",   "/?a=\x7f"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(parse(bad[i]) == PROBLEM_MALFORMED, "%s", bad[i]);
    /* Where the target ends is not known, so what else the head says is not known either. */
    ck_assert_int_eq(parse("/a b"), PROBLEM_FRAMING);
    ck_assert_int_eq(parse("/a "), PROBLEM_FRAMING);
}
END_TEST

START_TEST(size_and_number_of_parameters_have_limits)
{
    char raw[TARGET_SIZE_MAX + 2];
    char many[256] = "/?";

    for (size_t size = TARGET_SIZE_MAX - 1; size <= TARGET_SIZE_MAX + 1; size++) {
        memset(raw, 'a', size);
        raw[0] = '/';
        raw[size] = '\0';
        ck_assert_int_eq(parse(raw), size <= TARGET_SIZE_MAX ? PROBLEM_NONE : PROBLEM_TARGET_TOO_LONG);
    }
    for (int count = 1; count <= PARAMETERS_MAX + 1; count++) {
        size_t end = strlen(many);
        snprintf(many + end, sizeof many - end, "p%d&", count);
        ck_assert_int_eq(parse(many), count <= PARAMETERS_MAX ? PROBLEM_NONE : PROBLEM_MALFORMED);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http target");
    TCase *cases = tcase_create("target");

    tcase_add_checked_fixture(cases, NULL, clear);
    tcase_add_test(cases, path_and_parameters_are_decoded);
    tcase_add_test(cases, absolute_form_leads_to_its_path);
    tcase_add_test(cases, parameter_given_twice_is_refused_by_name);
    tcase_add_test(cases, unknown_parameter_is_refused_by_name);
    tcase_add_test(cases, broken_escapes_and_bytes_that_must_be_escaped_are_refused);
    tcase_add_test(cases, size_and_number_of_parameters_have_limits);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
