#include "feed/protocol.h"
#include "tap.h"

#include <errno.h>
#include <string.h>

#define NOW  UINT64_C(1700000000) /* 2023-11-14T22:13:20Z */
#define BASE "https://h.example/hashsharing"

static const struct config_feed ncmec = {.name = "n", .kind = FEED_NCMEC, .url = BASE};
static const struct config_feed stopncii = {
    .name = "s", .kind = FEED_STOPNCII, .url = "https://h.example/v1"};
static struct diag diag;

static struct feed_plan plan(const struct config_feed *feed, const struct feed_checkpoint *checkpoint,
                             uint64_t here_s, uint64_t there_s)
{
    const struct feed_clocks clocks = {.here_s = here_s, .there_s = there_s};
    struct feed_plan made;

    ck_assert_msg(feed_protocol_of(feed->kind)->plan(feed, checkpoint, &clocks, &made, &diag) == 0, "%s",
                  diag.text);
    return made;
}

START_TEST(ncmec_is_asked_for_a_range_that_ends_in_the_past_by_both_clocks)
{
    struct feed_plan made = plan(&ncmec, NULL, NOW, NOW);

    ck_assert(made.more && made.mode == LIST_MERGE);
    ck_assert_str_eq(made.url, BASE "/v2/entries?from=1970-01-01T00:00:00Z&to=2023-11-14T22:13:15Z");
    ck_assert_uint_eq(made.next_from_s, NOW - 5);
    const struct feed_checkpoint checkpoint = {.from_s = NOW - 100};
    static const uint64_t there[][2] = {{0, 5}, {NOW + 3600, 5}, {NOW - 60, 65}, {NOW - 1, 6}};
    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++) {
        made = plan(&ncmec, &checkpoint, NOW, there[i][0]);
        ck_assert_uint_eq(made.from_s, NOW - 110);
        ck_assert_uint_eq(made.next_from_s, NOW - there[i][1]);
        ck_assert(made.more);
    }
}
END_TEST

START_TEST(ncmec_is_not_asked_for_an_empty_range_and_never_goes_back)
{
    const struct feed_checkpoint checkpoint = {.from_s = NOW};

    for (uint64_t later = 0; later < 8; later++) {
        struct feed_plan made = plan(&ncmec, &checkpoint, NOW + later, NOW + later);
        ck_assert(made.more == (later > 5));
        ck_assert_uint_eq(made.next_from_s, later > 5 ? NOW + later - 5 : NOW);
    }
    struct feed_plan made = plan(&ncmec, &checkpoint, NOW - 3595, NOW);
    ck_assert(!made.more);
    ck_assert_uint_eq(made.next_from_s, NOW);
    const struct feed_clocks wrong = {.here_s = NOW - 3596, .there_s = NOW};
    ck_assert_int_eq(feed_ncmec.plan(&ncmec, &checkpoint, &wrong, &made, &diag), -EPROTO);
    ck_assert_ptr_nonnull(strstr(diag.text, "3601 s ahead of the clocks"));
}
END_TEST

/* What a page with this link leads to; "" = it is refused. Static storage. */
static const char *follow_ncmec(const char *link)
{
    static struct feed_plan made;
    struct list_page page = {.more = true};

    made = plan(&ncmec, NULL, NOW, NOW);
    snprintf(page.paging.next, sizeof page.paging.next, "%s", link);
    int result = feed_ncmec.follow(&ncmec, &page, &made, &diag);
    ck_assert(result == 0 || result == -EPROTO);
    ck_assert(made.more);
    return result == 0 ? made.url : "";
}

START_TEST(links_of_ncmec_stay_below_its_address)
{
    static const char *const refused[] = {"/",
                                          "/v2/entries",
                                          "/v2/status?a",
                                          "v2/entries?a",
                                          "//evil/v2/entries?a",
                                          "https://evil/v2/entries?a",
                                          "https://h.example/v2/entries?a",
                                          "https://h.example.evil/hashsharing/v2/entries?a",
                                          BASE "evil/v2/entries?a",
                                          BASE "@evil/v2/entries?a",
                                          BASE BASE "/v2/entries?a",
                                          "http://h.example/hashsharing/v2/entries?a",
                                          "@evil/v2/entries?a",
                                          "\\\\evil/v2/entries?a",
                                          "/v2/entries?a b",
                                          "/v2/entries?\xc3\xa4",
                                          "/v2/entries?a\x7f"};

    ck_assert_str_eq(follow_ncmec("/v2/entries?from=a&start=2001"), BASE "/v2/entries?from=a&start=2001");
    ck_assert_str_eq(follow_ncmec(BASE "/v2/entries?start=1"), BASE "/v2/entries?start=1");
    ck_assert_str_eq(follow_ncmec("/v2/entries?"), BASE "/v2/entries?");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        ck_assert_msg(follow_ncmec(refused[i])[0] == '\0', "%s is followed", refused[i]);
}
END_TEST

START_TEST(the_last_page_of_ncmec_ends_it)
{
    struct feed_plan made = plan(&ncmec, NULL, NOW, NOW);
    const struct list_page page = {.more = false};

    ck_assert_int_eq(feed_ncmec.follow(&ncmec, &page, &made, &diag), 0);
    ck_assert(!made.more);
    ck_assert_uint_eq(made.next_from_s, NOW - 5);
}
END_TEST

START_TEST(stopncii_is_fetched_whole_at_first_and_after_30_days)
{
    static const uint64_t day_us = UINT64_C(86400000000);
    struct feed_checkpoint checkpoint = {.from_s = NOW - 50,
                                         .pulled_us = NOW * 1000000 - 30 * day_us + 1000000};
    struct feed_plan made = plan(&stopncii, NULL, NOW, 0);

    ck_assert(made.more && made.mode == LIST_REPLACE);
    ck_assert_str_eq(made.url, "https://h.example/v1/FetchHashes?startTimestamp=10&pageSize=800");
    made = plan(&stopncii, &checkpoint, NOW, 0);
    ck_assert(made.more && made.mode == LIST_MERGE);
    ck_assert_str_eq(made.url, "https://h.example/v1/FetchHashes?startTimestamp=1699999950&pageSize=800");
    checkpoint.pulled_us -= 1000000;
    made = plan(&stopncii, &checkpoint, NOW, 0);
    ck_assert(made.mode == LIST_REPLACE && made.from_s == 10);
    /* A clock that was set back makes nothing old. */
    checkpoint.pulled_us = (NOW + 1000) * 1000000;
    made = plan(&stopncii, &checkpoint, NOW, 0);
    ck_assert(made.mode == LIST_MERGE);
}
END_TEST

static struct list_page page_of(bool more, const char *token, uint64_t next_time)
{
    struct list_page page = {.more = more, .paging.next_time = next_time};

    snprintf(page.paging.next, sizeof page.paging.next, "%s", token);
    return page;
}

START_TEST(tokens_of_stopncii_are_escaped)
{
    struct feed_plan made = plan(&stopncii, NULL, NOW, 0);
    struct list_page page = page_of(true, "aZ0-._~/+=&?# %\"<\xc3\xa4", NOW);

    ck_assert_int_eq(feed_stopncii.follow(&stopncii, &page, &made, &diag), 0);
    ck_assert(made.more);
    ck_assert_str_eq(made.url,
                     "https://h.example/v1/FetchHashes?startTimestamp=10&pageSize=800&nextPageToken="
                     "aZ0-._~%2F%2B%3D%26%3F%23%20%25%22%3C%C3%A4");
    /* The longest address and the longest token. */
    struct config_feed longest = stopncii;
    char token[LIST_FIELD_MAX + 1] = "";
    memset(token, '%', sizeof token - 1);
    memset(longest.url + strlen(longest.url), 'x', sizeof longest.url - 1 - strlen(longest.url));
    made = plan(&longest, NULL, NOW, 0);
    page = page_of(true, token, NOW);
    ck_assert_int_eq(feed_stopncii.follow(&longest, &page, &made, &diag), 0);
    ck_assert_uint_gt(strlen(made.url), CONFIG_URL_MAX + 3 * LIST_FIELD_MAX);
    ck_assert_str_eq(made.url + strlen(made.url) - 6, "%25%25");
}
END_TEST

START_TEST(stopncii_says_from_when_to_ask_the_next_time)
{
    const struct feed_checkpoint checkpoint = {.from_s = NOW - 50, .pulled_us = NOW * 1000000};
    struct feed_plan made = plan(&stopncii, &checkpoint, NOW, 0);
    struct list_page page = page_of(false, "", 0);

    ck_assert_int_eq(feed_stopncii.follow(&stopncii, &page, &made, &diag), 0);
    ck_assert(!made.more);
    ck_assert_uint_eq(made.next_from_s, NOW - 50);
    page = page_of(false, "ignored", NOW - 7);
    ck_assert_int_eq(feed_stopncii.follow(&stopncii, &page, &made, &diag), 0);
    ck_assert_uint_eq(made.next_from_s, NOW - 7);
    page = page_of(true, "", NOW);
    ck_assert_int_eq(feed_stopncii.follow(&stopncii, &page, &made, &diag), -EPROTO);
    ck_assert_ptr_nonnull(strstr(diag.text, "there is no nextPageToken"));
    /* Milliseconds, or a clock a day ahead: everything in between would never be asked for. */
    page = page_of(false, "", NOW + 86400);
    ck_assert_int_eq(feed_stopncii.follow(&stopncii, &page, &made, &diag), 0);
    page = page_of(false, "", NOW + 86401);
    ck_assert_int_eq(feed_stopncii.follow(&stopncii, &page, &made, &diag), -EPROTO);
    ck_assert_ptr_nonnull(strstr(diag.text, "lies in the future"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("feed protocol");
    TCase *tests = tcase_create("feed protocol");

    tcase_add_test(tests, ncmec_is_asked_for_a_range_that_ends_in_the_past_by_both_clocks);
    tcase_add_test(tests, ncmec_is_not_asked_for_an_empty_range_and_never_goes_back);
    tcase_add_test(tests, links_of_ncmec_stay_below_its_address);
    tcase_add_test(tests, the_last_page_of_ncmec_ends_it);
    tcase_add_test(tests, stopncii_is_fetched_whole_at_first_and_after_30_days);
    tcase_add_test(tests, tokens_of_stopncii_are_escaped);
    tcase_add_test(tests, stopncii_says_from_when_to_ask_the_next_time);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
