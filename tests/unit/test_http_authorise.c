#include "prescreen/hash/digest.h"

#include "http/authorise.h"
#include "tap.h"

#include <string.h>

static struct config_key keys[2] = {{.name = "first", .rights = RIGHT_SCREEN},
                                    {.name = "second", .rights = RIGHT_SCREEN | RIGHT_DETAIL}};
static struct config with_keys = {.keys = keys, .key_count = 2};
static struct config without_keys;
static struct caller caller;
static struct diag diag;

static void hash_text(const char *text, uint8_t sha256[SHA256_SIZE])
{
    struct digest_stream *stream = NULL;
    struct known_hashes hashes = {0};

    ck_assert_int_eq(digest_stream_create(HASH_BIT(HASH_SHA256), &stream), 0);
    ck_assert_int_eq(digest_stream_update(stream, text, strlen(text)), 0);
    ck_assert_int_eq(digest_stream_finish(stream, &hashes), 0);
    digest_stream_free(stream);
    memcpy(sha256, hashes.sha256, SHA256_SIZE);
}

static void make_keys(void)
{
    hash_text("one", keys[0].sha256);
    hash_text("two", keys[1].sha256);
}

static enum problem ask(const struct config *config, const char *authorization, const char *origin)
{
    const struct head head = {.fields = {[HEAD_AUTHORIZATION] = authorization, [HEAD_ORIGIN] = origin}};

    caller = (struct caller){"nobody", 0};
    return authorise(config, &head, &caller, &diag);
}

START_TEST(known_key_is_its_caller_with_its_rights)
{
    ck_assert_int_eq(ask(&with_keys, "Bearer one", NULL), PROBLEM_NONE);
    ck_assert_str_eq(caller.name, "first");
    ck_assert_uint_eq(caller.rights, RIGHT_SCREEN);
    ck_assert_int_eq(ask(&with_keys, "bearer  two", NULL), PROBLEM_NONE);
    ck_assert_str_eq(caller.name, "second");
    ck_assert_uint_eq(caller.rights, RIGHT_SCREEN | RIGHT_DETAIL);
    /* A key is no cookie: a page that knows it may use it. */
    ck_assert_int_eq(ask(&with_keys, "Bearer one", "https://admin.example"), PROBLEM_NONE);
}
END_TEST

START_TEST(anything_but_a_known_key_is_refused)
{
    static const char *const bad[] = {NULL,
                                      "",
                                      "Bearer",
                                      "Bearer ",
                                      "Bearer three",
                                      "Bearer on",
                                      "Bearer onee",
                                      "Bearer One",
                                      "Basic one",
                                      "one",
                                      "Bearerone",
                                      "Bearer one ",
                                      "Bearer one, Bearer two"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(ask(&with_keys, bad[i], NULL) == PROBLEM_NO_KEY, "%s", bad[i]);
        ck_assert_uint_eq(caller.rights, 0);
        ck_assert_ptr_null(strstr(diag.text, "three"));
    }
}
END_TEST

START_TEST(without_keys_all_is_allowed_but_web_pages)
{
    ck_assert_int_eq(ask(&without_keys, NULL, NULL), PROBLEM_NONE);
    ck_assert_str_eq(caller.name, "anonymous");
    ck_assert_uint_eq(caller.rights, RIGHT_SCREEN | RIGHT_DETAIL | RIGHT_LISTS);
    ck_assert_int_eq(ask(&without_keys, "Bearer whatever", NULL), PROBLEM_NONE);
    ck_assert_int_eq(ask(&without_keys, NULL, "null"), PROBLEM_WEB_PAGE);
    ck_assert_uint_eq(caller.rights, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http authorise");
    TCase *cases = tcase_create("authorise");

    tcase_add_checked_fixture(cases, make_keys, NULL);
    tcase_add_test(cases, known_key_is_its_caller_with_its_rights);
    tcase_add_test(cases, anything_but_a_known_key_is_refused);
    tcase_add_test(cases, without_keys_all_is_allowed_but_web_pages);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
