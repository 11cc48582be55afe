#include "http/answer.h"
#include "tap.h"

#include <jansson.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

START_TEST(problem_is_what_rfc_9457_says)
{
    char *json = problem_to_json(PROBLEM_TOO_LARGE, "at most 7 bytes", "id-1");
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, NULL);

    ck_assert_ptr_nonnull(object);
    ck_assert_str_eq(text_of(object, "type"), "urn:prescreen:problem:too-large");
    ck_assert_str_eq(text_of(object, "title"), "The body is too large");
    ck_assert_int_eq(json_integer_value(json_object_get(object, "status")), 413);
    ck_assert_str_eq(text_of(object, "detail"), "at most 7 bytes");
    ck_assert_str_eq(text_of(object, "request_id"), "id-1");
    json_decref(object);
    free(json);
}
END_TEST

START_TEST(every_problem_has_its_words_and_a_status_of_an_error)
{
    for (int i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++) {
        const struct problem_row *row = problem_describe((enum problem)i);
        ck_assert_msg(row->name != NULL && row->title != NULL, "%d", i);
        ck_assert_uint_ge(row->status, 400);
        ck_assert_uint_lt(row->status, 600);
        ck_assert_int_eq(row->status == 503, row->retry_after_s != 0);
        for (int other = PROBLEM_NONE + 1; other < i; other++)
            ck_assert_str_ne(row->name, problem_describe((enum problem)other)->name);
    }
}
END_TEST

START_TEST(detail_with_odd_bytes_is_still_json)
{
    /* A text that was cut in the midst of a character, and one with control characters and quotes. */
    static const char *const details[] = {"caf\xc3", "\xff\xfe", "a\"b\\c\n\x01", "caf\xc3\xa9"};

    for (size_t i = 0; i < sizeof details / sizeof details[0]; i++) {
        char *json = problem_to_json(PROBLEM_MALFORMED, details[i], "id");
        json_t *object = json_loads(json, 0, NULL);
        ck_assert_ptr_nonnull(object);
        ck_assert_int_eq(strcmp(text_of(object, "detail"), "caf\xc3\xa9") == 0, i == 3);
        json_decref(object);
        free(json);
    }
}
END_TEST

START_TEST(whole_response_carries_its_headers_and_closes)
{
    struct answer answer = {0};
    char text[ANSWER_TEXT_MAX];

    answer_set_problem(&answer, PROBLEM_NO_KEY, "send a key", "id-1");
    size_t size = answer_format(&answer, "id-1", text);
    ck_assert_uint_eq(size, strlen(text));
    ck_assert(strncmp(text, "HTTP/1.1 401 Unauthorized\r\n", 27) == 0);
    ck_assert_ptr_nonnull(strstr(text, "\r\nContent-Type: application/problem+json\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nWWW-Authenticate: Bearer realm=\"prescreen\"\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nX-Request-Id: id-1\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nCache-Control: no-store\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nX-Content-Type-Options: nosniff\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nConnection: close\r\n"));
    ck_assert_ptr_null(strstr(text, "Retry-After"));
    const char *body = strstr(text, "\r\n\r\n") + 4;
    char length[64];
    snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", strlen(body));
    ck_assert_ptr_nonnull(strstr(text, length));
    ck_assert_str_eq(body, answer.body);
    answer_set_problem(&answer, PROBLEM_BUSY, "", "id-1");
    answer_format(&answer, "id-1", text);
    ck_assert_ptr_nonnull(strstr(text, "\r\nRetry-After: 1\r\n"));
    ck_assert_ptr_null(strstr(text, "WWW-Authenticate"));
    answer_clear(&answer);
}
END_TEST

START_TEST(longest_problem_fits_a_whole_response)
{
    struct answer answer = {0};
    char text[ANSWER_TEXT_MAX], detail[600], id[129];

    memset(detail, '"', sizeof detail - 1);
    detail[sizeof detail - 1] = '\0';
    memset(id, 'i', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    for (int i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++) {
        answer_set_problem(&answer, (enum problem)i, detail, id);
        memset(answer.allow, 'A', sizeof answer.allow - 1);
        ck_assert_uint_gt(answer_format(&answer, id, text), 0);
    }
    answer_clear(&answer);
}
END_TEST

START_TEST(response_that_does_not_fit_is_none)
{
    struct answer answer = {0};
    char text[ANSWER_TEXT_MAX];

    answer_set_json(&answer, 200, strdup("1234"));
    /* What stands around a body whose length has four digits, three more than this one's. */
    const size_t around = answer_format(&answer, "id", text) - strlen("1234") + 3;
    for (size_t size = ANSWER_TEXT_MAX - around - 20; size < ANSWER_TEXT_MAX - around + 20; size++) {
        char *body = calloc(1, size + 1);
        memset(body, 'x', size);
        answer_set_json(&answer, 200, body);
        size_t written = answer_format(&answer, "id", text);
        ck_assert_uint_eq(written, around + size < ANSWER_TEXT_MAX ? around + size : 0);
    }
    answer_clear(&answer);
}
END_TEST

START_TEST(lack_of_memory_for_words_is_an_answer_without_words)
{
    struct answer answer = {0};

    answer_set_json(&answer, 200, NULL);
    ck_assert_uint_eq(answer.status, 500);
    ck_assert_uint_eq(answer.size, 0);
    answer_clear(&answer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http answer");
    TCase *cases = tcase_create("answer");

    tcase_add_test(cases, problem_is_what_rfc_9457_says);
    tcase_add_test(cases, every_problem_has_its_words_and_a_status_of_an_error);
    tcase_add_test(cases, detail_with_odd_bytes_is_still_json);
    tcase_add_test(cases, whole_response_carries_its_headers_and_closes);
    tcase_add_test(cases, longest_problem_fits_a_whole_response);
    tcase_add_test(cases, response_that_does_not_fit_is_none);
    tcase_add_test(cases, lack_of_memory_for_words_is_an_answer_without_words);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
