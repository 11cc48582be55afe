#include "config_texts.h"
#include "tap.h"

#include <stdio.h>

#define S ((uint64_t)1000000)
#define LISTS                                                                                                \
    "lists:\n- { name: a, classes: { report: [A1] } }\n- { name: b, classes: { block: [B2] } }\n"            \
    "- { name: sealed, signature_key: 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=,"                         \
    " classes: { report: [A1] } }\n- { name: bare }\n"
#define NEEDED "name: f, kind: ncmec, url: 'https://h/p', credentials: /c, lists: [a]"

START_TEST(feeds_are_read_in_the_order_of_the_file)
{
    struct config *config = parse(
        LISTS
        "feeds:\n- { name: one, kind: ncmec, url: 'https://report.example.org/hashsharing/', lists: [a, b],\n"
        "    credentials: /c/one, interval: 10m, retry: 50ms, ca_file: /c/ca.pem, bad_records: skip }\n"
        "- { name: two, kind: stopncii, url: 'https://api.example.org:8443/v1', lists: [other],\n"
        "    credentials: stopncii }\n");

    ck_assert_uint_eq(config->feed_count, 2);
    const struct config_feed *one = &config->feeds[0];
    const struct config_feed *two = &config->feeds[1];
    ck_assert_str_eq(one->name, "one");
    ck_assert_int_eq(one->kind, FEED_NCMEC);
    ck_assert_str_eq(one->url, "https://report.example.org/hashsharing");
    ck_assert_str_eq(one->credentials, "/c/one");
    ck_assert_str_eq(one->ca_file, "/c/ca.pem");
    ck_assert_uint_eq(one->list_count, 2);
    ck_assert_str_eq(one->lists[0], "a");
    ck_assert_str_eq(one->lists[1], "b");
    ck_assert_uint_eq(one->interval_us, 600 * S);
    ck_assert_uint_eq(one->retry_us, S / 20);
    ck_assert(one->skip_bad && !two->skip_bad);
    ck_assert_str_eq(two->name, "two");
    ck_assert_int_eq(two->kind, FEED_STOPNCII);
    ck_assert_str_eq(feed_kind_name(two->kind), "stopncii");
    ck_assert_str_eq(two->url, "https://api.example.org:8443/v1");
    ck_assert_str_eq(two->credentials, "stopncii");
    ck_assert_str_eq(two->ca_file, "");
    ck_assert_uint_eq(two->interval_us, 3600 * S);
    ck_assert_uint_eq(two->retry_us, S);
    config_free(config);
}
END_TEST

START_TEST(nothing_is_fetched_by_default)
{
    struct config *config = parse("");

    ck_assert_uint_eq(config->feed_count, 0);
    config_free(config);
}
END_TEST

static const char *const good_urls[] = {"https://h",
                                        "https://h/",
                                        "https://h.example:65535/a/b-c_d.e~f",
                                        "https://[2001:db8::1]/x",
                                        "http://127.0.0.1:1",
                                        "http://127.9.9.9/x",
                                        "http://[::1]:80/x",
                                        "http://localhost:80"};

START_TEST(a_source_is_asked_by_https_or_on_this_machine)
{
    char text[512];

    snprintf(text, sizeof text,
             LISTS "feeds: [{ name: f, kind: ncmec, url: '%s', credentials: /c, lists: [a] }]",
             good_urls[_i]);
    struct config *config = parse(text);
    ck_assert_int_eq(strncmp(config->feeds[0].url, good_urls[_i], strlen(config->feeds[0].url)), 0);
    ck_assert(config->feeds[0].url[strlen(config->feeds[0].url) - 1] != '/');
    config_free(config);
}
END_TEST

static const char *const bad_urls[] = {"",
                                       "ftp://h",
                                       "HTTPS://h",
                                       "https:/h",
                                       "https://",
                                       "https:///x",
                                       "https://h:",
                                       "https://h:0",
                                       "https://h:65536",
                                       "https://h:1:2",
                                       "https://h:1x/",
                                       "https://user@h",
                                       "https://user:password@h/",
                                       "https://h@evil/",
                                       "https://h\\@evil/",
                                       "https://h/?a=b",
                                       "https://h/#a",
                                       "https://h#@evil",
                                       "https://h?x",
                                       "https://h//x",
                                       "https://h/../x",
                                       "https://h/.",
                                       "https://h/%2e",
                                       "https://h/a b",
                                       "https://h x/",
                                       "https://[::1",
                                       "https://[]/",
                                       "https://[::1]x/",
                                       "https://[h]/",
                                       "http://h",
                                       "http://10.0.0.1",
                                       "http://127.0.0.1.evil",
                                       "http://localhost.evil/",
                                       "http://[2001:db8::1]/"};

START_TEST(any_other_address_is_refused)
{
    char text[512];

    snprintf(text, sizeof text,
             LISTS "feeds: [{ name: f, kind: ncmec, url: '%s', credentials: /c, lists: [a] }]", bad_urls[_i]);
    refuse(text, "feeds[0].url: ");
}
END_TEST

static const struct {
    const char *feed, *message;
} refused[] = {
    {"{ kind: ncmec }", "test.yaml:7: feeds[0]: name is missing"},
    {"{ name: f, kind: ncmec, url: 'https://h', credentials: /c }", "feeds[0]: lists is missing"},
    {"{ " NEEDED ", colour: x }", "feeds[0].colour: unknown key"},
    {"{ name: f g, kind: ncmec, url: 'https://h', credentials: /c, lists: [a] }",
     "feeds[0].name: \"f g\" is no name"},
    {"{ name: f, kind: iwf, url: 'https://h', credentials: /c, lists: [a] }",
     "feeds[0].kind: \"iwf\" is not taken; use ncmec or stopncii"},
    {"{ name: f, kind: ncmec, url: 'https://h', credentials: c/d, lists: [a] }",
     "feeds[0].credentials: must be a path from /"},
    {"{ name: f, kind: ncmec, url: 'https://h', credentials: /c, lists: [] }",
     "feeds[0].lists: is empty; name at least one list"},
    {"{ name: f, kind: ncmec, url: 'https://h', credentials: /c, lists: [a, a] }",
     "feeds[0].lists[1]: a stands here twice"},
    {"{ name: f, kind: ncmec, url: 'https://h', credentials: /c, lists: ['a b'] }",
     "feeds[0].lists[0]: \"a b\" is no name"},
    {"{ name: f, kind: ncmec, url: 'https://h', credentials: /c, lists: [a, sealed] }",
     "feeds[0].lists[1]: sealed has a signature_key"},
    {"{ name: f, kind: ncmec, url: 'https://h', credentials: /c, lists: [bare] }",
     "feeds[0].lists[0]: bare needs its classes in lists"},
    {"{ name: f, kind: ncmec, url: 'https://h', credentials: /c, lists: [unknown] }",
     "feeds[0].lists[0]: unknown needs its classes in lists"},
    {"{ " NEEDED ", interval: 59s }", "feeds[0].interval: \"59s\" is not taken; use a time from 1m to 30d"},
    {"{ " NEEDED ", interval: 31d }", "feeds[0].interval: \"31d\" is not taken"},
    {"{ " NEEDED ", retry: 9ms }", "feeds[0].retry: \"9ms\" is not taken; use a time from 10ms to 1m"},
    {"{ " NEEDED ", retry: 61s }", "feeds[0].retry: \"61s\" is not taken"},
    {"{ " NEEDED ", ca_file: ca.pem }", "feeds[0].ca_file: must be a path from /"},
    {"{ " NEEDED ", bad_records: yes }", "feeds[0].bad_records: \"yes\" is not taken; use refuse or skip"},
    {"{ " NEEDED " }\n- { name: f, kind: ncmec, url: 'https://h', credentials: /c, lists: [b] }",
     "test.yaml:8: feeds[1].name: f is the name of feeds[0] already"},
    {"{ " NEEDED " }\n- { name: g, kind: stopncii, url: 'https://h', credentials: /c, lists: [b, a] }",
     "test.yaml:8: feeds[1].lists: a is fed by feeds[0] already"},
};

START_TEST(wrong_feeds_are_refused_with_their_place)
{
    char text[1024];

    snprintf(text, sizeof text, LISTS "feeds:\n- %s\n", refused[_i].feed);
    refuse(text, refused[_i].message);
}
END_TEST

START_TEST(a_feed_has_so_many_lists_and_no_more)
{
    char text[4096] = "feeds: [{ name: f, kind: stopncii, url: 'https://h', credentials: /c, lists: [";

    for (int i = 0; i < CONFIG_FEED_LISTS_MAX; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%sl%d", i > 0 ? ", " : "", i);
    size_t length = strlen(text);
    strcpy(text + length, "] }]");
    struct config *config = parse(text);
    ck_assert_uint_eq(config->feeds[0].list_count, CONFIG_FEED_LISTS_MAX);
    config_free(config);
    strcpy(text + length, ", more] }]");
    refuse(text, "feeds[0].lists: has 17 entries; at most 16 are taken");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config feeds");
    TCase *tests = tcase_create("config feeds");

    tcase_add_test(tests, feeds_are_read_in_the_order_of_the_file);
    tcase_add_test(tests, nothing_is_fetched_by_default);
    tcase_add_loop_test(tests, a_source_is_asked_by_https_or_on_this_machine, 0,
                        (int)(sizeof good_urls / sizeof good_urls[0]));
    tcase_add_loop_test(tests, any_other_address_is_refused, 0, (int)(sizeof bad_urls / sizeof bad_urls[0]));
    tcase_add_loop_test(tests, wrong_feeds_are_refused_with_their_place, 0,
                        (int)(sizeof refused / sizeof refused[0]));
    tcase_add_test(tests, a_feed_has_so_many_lists_and_no_more);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
