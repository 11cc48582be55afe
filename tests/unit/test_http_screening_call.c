#include "http/list_call.h"
#include "http/screening_call.h"
#include "tap.h"

#include <errno.h>
#include <string.h>

static struct request request;

static void clear(void)
{
    answer_clear(&request.answer);
    request = (struct request){.caller = {"key", RIGHT_SCREEN}};
}

START_TEST(each_outcome_of_the_screener_is_its_problem)
{
    static const struct {
        int outcome;
        enum problem problem;
        unsigned int status;
    } rows[] = {{0, PROBLEM_NONE, 0},
                {SCREENER_REPEATED, PROBLEM_NONE, 0},
                {SCREENER_CONFLICT, PROBLEM_CONFLICT, 422},
                {SCREENER_NO_PROFILE, PROBLEM_NO_PROFILE, 404},
                {SCREENER_BUSY, PROBLEM_BUSY, 503},
                {SCREENER_STALE_LISTS, PROBLEM_STALE_LISTS, 503},
                {SCREENER_NOT_RECORDED, PROBLEM_NOT_RECORDED, 503},
                {-ENOMEM, PROBLEM_INTERNAL, 500},
                {99, PROBLEM_INTERNAL, 500}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(screening_judge(&request, rows[i].outcome), rows[i].problem);
        if (rows[i].problem != PROBLEM_NONE)
            ck_assert_uint_eq(problem_describe(rows[i].problem)->status, rows[i].status);
    }
}
END_TEST

START_TEST(each_outcome_of_the_list_store_is_its_problem)
{
    ck_assert_int_eq(list_judge(&request, 0), PROBLEM_NONE);
    ck_assert_int_eq(list_judge(&request, LIST_STORE_NOT_FOUND), PROBLEM_NO_LIST);
    ck_assert_int_eq(list_judge(&request, LIST_STORE_REFUSED), PROBLEM_MALFORMED);
    ck_assert_int_eq(list_judge(&request, LIST_STORE_BUSY), PROBLEM_BUSY);
    ck_assert_int_eq(list_judge(&request, -EIO), PROBLEM_INTERNAL);
    ck_assert_str_eq(request.diag.text, strerror(EIO));
}
END_TEST

static unsigned int reply(unsigned int rights, const char *text, bool by_status)
{
    clear();
    request.caller.rights = rights;
    enum problem problem = screening_reply(&request, strdup(text), by_status);
    return problem == PROBLEM_NONE ? request.answer.status : problem_describe(problem)->status;
}

START_TEST(status_follows_the_verdict_only_when_asked)
{
    ck_assert_uint_eq(reply(RIGHT_DETAIL, "{\"verdict\":\"report\"}", false), 200);
    ck_assert_uint_eq(reply(RIGHT_DETAIL, "{\"verdict\":\"allow\"}", true), 200);
    ck_assert_uint_eq(reply(RIGHT_DETAIL, "{\"verdict\":\"block\"}", true), 403);
    ck_assert_uint_eq(reply(RIGHT_DETAIL, "{\"verdict\":\"report\"}", true), 403);
}
END_TEST

START_TEST(answer_that_cannot_be_read_is_no_allow)
{
    ck_assert_uint_eq(reply(RIGHT_DETAIL, "{}", true), 500);
    ck_assert_uint_eq(reply(RIGHT_DETAIL, "nonsense", true), 500);
    ck_assert_uint_eq(reply(RIGHT_SCREEN, "nonsense", false), 500);
}
END_TEST

START_TEST(matches_and_hashes_need_the_right)
{
    static const char answer[] = "{\"verdict\":\"allow\",\"matches\":[1],\"hashes\":{\"md5\":\"x\"}}";

    reply(RIGHT_SCREEN | RIGHT_DETAIL, answer, false);
    ck_assert_str_eq(request.answer.body, answer);
    reply(RIGHT_SCREEN | RIGHT_LISTS, answer, false);
    ck_assert_str_eq(request.answer.body, "{\"verdict\":\"allow\"}");
}
END_TEST

START_TEST(idempotency_key_has_a_length_and_an_alphabet)
{
    char text[IDEMPOTENCY_KEY_MAX + 2];
    const char *key = NULL;

    ck_assert_int_eq(screening_read_key(&request, &key), PROBLEM_NONE);
    ck_assert_str_eq(key, "");
    for (size_t size = 0; size <= IDEMPOTENCY_KEY_MAX + 1; size++) {
        memset(text, '~', size);
        text[size] = '\0';
        request.head.fields[HEAD_IDEMPOTENCY_KEY] = text;
        ck_assert_int_eq(screening_read_key(&request, &key),
                         size >= 1 && size <= IDEMPOTENCY_KEY_MAX ? PROBLEM_NONE : PROBLEM_MALFORMED);
    }
    request.head.fields[HEAD_IDEMPOTENCY_KEY] = "a\tb";
    ck_assert_int_eq(screening_read_key(&request, &key), PROBLEM_MALFORMED);
    request.head.fields[HEAD_IDEMPOTENCY_KEY] = "a\x80";
    ck_assert_int_eq(screening_read_key(&request, &key), PROBLEM_MALFORMED);
    request.head.fields[HEAD_IDEMPOTENCY_KEY] = "a b";
    ck_assert_int_eq(screening_read_key(&request, &key), PROBLEM_NONE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http screening call");
    TCase *cases = tcase_create("screening call");

    tcase_add_checked_fixture(cases, clear, clear);
    tcase_add_test(cases, each_outcome_of_the_screener_is_its_problem);
    tcase_add_test(cases, each_outcome_of_the_list_store_is_its_problem);
    tcase_add_test(cases, status_follows_the_verdict_only_when_asked);
    tcase_add_test(cases, answer_that_cannot_be_read_is_no_allow);
    tcase_add_test(cases, matches_and_hashes_need_the_right);
    tcase_add_test(cases, idempotency_key_has_a_length_and_an_alphabet);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
