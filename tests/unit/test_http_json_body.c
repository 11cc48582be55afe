#include "http/json_body.h"
#include "tap.h"

#include <stdio.h>
#include <string.h>

static struct diag diag;

/* Reads a body of at most values_max values; the object is the caller's, NULL when it was refused. */
static json_t *read_text(const char *text, size_t values_max)
{
    struct bytes body;
    json_t *object = NULL;

    bytes_init(&body, 1 << 20);
    ck_assert_int_eq(bytes_append(&body, text, strlen(text)), 0);
    enum problem problem = json_body_read(&body, values_max, &object, &diag);
    bytes_clear(&body);
    ck_assert_int_eq(problem, object != NULL ? PROBLEM_NONE : PROBLEM_MALFORMED);
    return object;
}

static void check_read(const char *text, size_t values_max, int fits)
{
    json_t *object = read_text(text, values_max);

    ck_assert_msg((object != NULL) == fits, "%s with %zu: %s", text, values_max, diag.text);
    json_decref(object);
}

START_TEST(values_are_counted_before_they_are_built)
{
    /* The object, three numbers, the array and its two. */
    static const char text[] = "{\"a\":1,\"b\":\"x,{[\\\",\",\"c\":[2,3]}";

    check_read(text, 5, 0);
    check_read(text, 6, 1);
    check_read(text, 7, 1);
}
END_TEST

START_TEST(depth_has_a_limit)
{
    check_read("{\"a\":[[[1]]]}", 100, 1);
    check_read("{\"a\":[[[[1]]]]}", 100, 0);
    check_read("{\"a\":[],\"b\":[],\"c\":[],\"d\":[],\"e\":[]}", 100, 1);
}
END_TEST

START_TEST(only_one_whole_object_is_taken)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "1",
                                      "null",
                                      "{",
                                      "{}x",
                                      "{\"a\"}",
                                      "{\"a\":1,}",
                                      "{\"a\":1,\"a\":2}",
                                      "{}{}",
                                      "{\"a\":\"\xff\"}",
                                      "{\"a\":\"\\u0000\"}",
                                      "\"",
                                      "{\"a\":NaN}",
                                      "\xef\xbb\xbf{}"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_read(bad[i], 100, 0);
    check_read(" {\"a\":1}\n", 100, 1);
}
END_TEST

START_TEST(unknown_member_is_refused_by_name)
{
    static const char *const allowed[] = {"a", NULL};
    json_t *object = read_text("{\"a\":1,\"other\":2}", 10);

    ck_assert_int_eq(json_body_check_members(object, allowed, "items[3]: ", &diag), PROBLEM_MALFORMED);
    ck_assert_str_eq(diag.text, "items[3]: unknown member \"other\"");
    json_object_del(object, "other");
    ck_assert_int_eq(json_body_check_members(object, allowed, "", &diag), PROBLEM_NONE);
    json_decref(object);
}
END_TEST

START_TEST(members_have_their_type_and_range)
{
    json_t *object = read_text("{\"t\":\"x\",\"n\":7,\"r\":7.0,\"b\":true,\"m\":-1,\"z\":null}", 20);
    const char *text = NULL;
    int number = 0;

    ck_assert_int_eq(json_body_read_text(object, "t", "f", "", &text, &diag), PROBLEM_NONE);
    ck_assert_str_eq(text, "x");
    ck_assert_int_eq(json_body_read_text(object, "absent", "f", "", &text, &diag), PROBLEM_NONE);
    ck_assert_str_eq(text, "f");
    ck_assert_int_eq(json_body_read_text(object, "n", "f", "", &text, &diag), PROBLEM_MALFORMED);
    ck_assert_int_eq(json_body_read_text(object, "z", "f", "", &text, &diag), PROBLEM_MALFORMED);
    ck_assert_int_eq(json_body_read_number(object, "n", 7, -1, "", &number, &diag), PROBLEM_NONE);
    ck_assert_int_eq(number, 7);
    ck_assert_int_eq(json_body_read_number(object, "absent", 7, -1, "", &number, &diag), PROBLEM_NONE);
    ck_assert_int_eq(number, -1);
    ck_assert_int_eq(json_body_read_number(object, "n", 6, -1, "", &number, &diag), PROBLEM_MALFORMED);
    ck_assert_int_eq(json_body_read_number(object, "m", 7, -1, "", &number, &diag), PROBLEM_MALFORMED);
    ck_assert_int_eq(json_body_read_number(object, "r", 7, -1, "", &number, &diag), PROBLEM_MALFORMED);
    ck_assert_int_eq(json_body_read_number(object, "b", 7, -1, "", &number, &diag), PROBLEM_MALFORMED);
    ck_assert_int_eq(json_body_read_number(object, "z", 7, -1, "", &number, &diag), PROBLEM_MALFORMED);
    json_decref(object);
}
END_TEST

static enum problem read_hashes(const char *text, struct known_hashes *hashes)
{
    json_t *object = read_text(text, 20);
    enum problem problem = json_body_read_hashes(object, "items[0]: ", hashes, &diag);

    json_decref(object);
    return problem;
}

#define MD5_TEXT "00112233445566778899AABBCCDDEEFF"

START_TEST(hashes_are_read_and_one_is_needed)
{
    struct known_hashes hashes = {0};

    ck_assert_int_eq(read_hashes("{\"md5\":\"" MD5_TEXT "\",\"pdq\":\"" MD5_TEXT MD5_TEXT "\"}", &hashes),
                     PROBLEM_NONE);
    ck_assert_uint_eq(hashes.kinds, HASH_BIT(HASH_MD5) | HASH_BIT(HASH_PDQ));
    ck_assert_uint_eq(hashes.md5[15], 0xff);
    ck_assert_int_eq(hashes.pdq_quality, -1);
    ck_assert_int_eq(read_hashes("{}", &hashes), PROBLEM_MALFORMED);
    ck_assert_int_eq(read_hashes("{\"md5\":\"\"}", &hashes), PROBLEM_MALFORMED);
    ck_assert_int_eq(read_hashes("{\"md5\":1}", &hashes), PROBLEM_MALFORMED);
    ck_assert_int_eq(read_hashes("{\"md5\":\"" MD5_TEXT "0\"}", &hashes), PROBLEM_MALFORMED);
    ck_assert_int_eq(read_hashes("{\"sha1\":\"" MD5_TEXT "\"}", &hashes), PROBLEM_MALFORMED);
    /* The answer names the member, and does not repeat the hash. */
    ck_assert_str_eq(diag.text, "items[0]: sha1 must be 40 hexadecimal digits");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http json body");
    TCase *cases = tcase_create("json body");

    tcase_add_test(cases, values_are_counted_before_they_are_built);
    tcase_add_test(cases, depth_has_a_limit);
    tcase_add_test(cases, only_one_whole_object_is_taken);
    tcase_add_test(cases, unknown_member_is_refused_by_name);
    tcase_add_test(cases, members_have_their_type_and_range);
    tcase_add_test(cases, hashes_are_read_and_one_is_needed);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
