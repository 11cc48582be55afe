#include "prescreen/lists/page.h"

#include "tap.h"

#include <string.h>

#define MD5_A       "00112233445566778899aabbccddeeff"
#define MD5_B       "ffeeddccbbaa99887766554433221100"
#define PDQ_A       "8000000000000000000000000000000000000000000000000000000000000001"
#define QUERY       "<queryResult xmlns=\"https://hashsharing.ncmec.org/hashsharing/v2\">"
#define TIME(at)    "<timestamp>2017-10-24T15:00:0" at "Z</timestamp>"
#define PAGING(to)  "<paging><next>" to "</next></paging></queryResult>"
#define GONE(id)    "<deletedImage><member id=\"1\"/><id>" id "</id>" TIME("1") "</deletedImage>"
#define IMAGES(all) "<images>" all "</images>"
#define IMAGE(id, at, md5)                                                                                   \
    "<image><member id=\"1\"/><id>" id "</id>" TIME(at) "<classification>of no meaning</classification>"     \
                                                        "<fingerprints><md5>" md5                            \
                                                        "</md5></fingerprints></image>"

static struct list_page read_page(enum list_format format, const char *text)
{
    struct list_page page;
    struct diag diag = {""};

    memset(&page, 0xaa, sizeof page);
    ck_assert_msg(list_page_read(format, text, strlen(text), &page, &diag) == 0, "%s", diag.text);
    return page;
}

START_TEST(a_page_says_where_the_next_one_is)
{
    struct list_page page =
        read_page(LIST_FORMAT_NCMEC, QUERY IMAGES(IMAGE("a", "1", MD5_A) GONE("b"))
                                         PAGING("\n /v2/entries?from=x&amp;start=2<![CDATA[&size=1]]>\n"));

    ck_assert(page.more);
    ck_assert_str_eq(page.paging.next, "/v2/entries?from=x&start=2&size=1");
    ck_assert_uint_eq(page.records, 2);
    page = read_page(LIST_FORMAT_STOPNCII, "{\"nextSetTimestamp\":1625175071,\"nextPageToken\":\"a/b==\","
                                           "\"hasMoreRecords\":true,\"hashRecords\":[]}");
    ck_assert(page.more);
    ck_assert_str_eq(page.paging.next, "a/b==");
    ck_assert_uint_eq(page.paging.next_time, 1625175071);
    ck_assert_uint_eq(page.records, 0);
}
END_TEST

START_TEST(the_last_page_says_that_none_follows)
{
    static const char *const texts[] = {QUERY "</queryResult>", QUERY PAGING(""), QUERY PAGING(" \n "),
                                        QUERY "<paging/></queryResult>"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct list_page page = read_page(LIST_FORMAT_NCMEC, texts[i]);
        ck_assert(!page.more);
        ck_assert_str_eq(page.paging.next, "");
    }
    struct list_page page =
        read_page(LIST_FORMAT_STOPNCII, "{\"nextSetTimestamp\":null,\"nextPageToken\":null,"
                                        "\"hasMoreRecords\":false,\"hashRecords\":[]}");
    ck_assert(!page.more);
    ck_assert_str_eq(page.paging.next, "");
    ck_assert_uint_eq(page.paging.next_time, 0);
}
END_TEST

/* Two pages have one digest when they bring the same, wherever each says that the next one is. */
START_TEST(the_digest_is_that_of_the_records)
{
    static const char *const unlike[] = {IMAGES(IMAGE("a", "1", MD5_A)),
                                         IMAGES(IMAGE("a", "2", MD5_A)),
                                         IMAGES(IMAGE("a", "1", MD5_B)),
                                         IMAGES(IMAGE("b", "1", MD5_A)),
                                         IMAGES(IMAGE("a", "1", MD5_A) IMAGE("b", "1", MD5_A)),
                                         IMAGES(GONE("a")),
                                         IMAGES("")};
    enum { COUNT = sizeof unlike / sizeof unlike[0] };
    struct list_page pages[COUNT];
    char text[2048];

    for (size_t i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, QUERY "%s" PAGING("/x"), unlike[i]);
        pages[i] = read_page(LIST_FORMAT_NCMEC, text);
        snprintf(text, sizeof text, QUERY "%s" PAGING("/y"), unlike[i]);
        struct list_page again = read_page(LIST_FORMAT_NCMEC, text);
        ck_assert_mem_eq(again.digest, pages[i].digest, SHA256_SIZE);
        for (size_t k = 0; k < i; k++)
            ck_assert_mem_ne(pages[k].digest, pages[i].digest, SHA256_SIZE);
    }
}
END_TEST

START_TEST(bad_records_are_passed_over)
{
    struct list_page page = read_page(
        LIST_FORMAT_NCMEC, QUERY IMAGES(IMAGE("a", "1", "xyz") IMAGE("b", "1", MD5_A)) PAGING("/x"));

    ck_assert_uint_eq(page.records, 1);
    page = read_page(LIST_FORMAT_STOPNCII,
                     "{\"hashRecords\":[{\"hashValue\":\"" PDQ_A
                     "\",\"signalType\":\"ImagePDQ\",\"hashStatus\":\"Odd\"},{\"hashValue\":\"" PDQ_A
                     "\",\"signalType\":\"ImagePDQ\",\"hashStatus\":\"Active\"}],\"hasMoreRecords\":false}");
    ck_assert_uint_eq(page.records, 1);
}
END_TEST

/* Cut anywhere, a page is none. */
START_TEST(a_page_that_was_cut_is_refused)
{
    static const struct {
        enum list_format format;
        const char *text;
    } whole[] = {
        {LIST_FORMAT_NCMEC, QUERY IMAGES(IMAGE("a", "1", MD5_A) GONE("b")) PAGING("/x")},
        {LIST_FORMAT_STOPNCII, "{\"hasMoreRecords\":false,\"nextPageToken\":\"x\",\"hashRecords\":[]}"}};

    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        read_page(whole[i].format, whole[i].text);
        for (size_t size = 0; size < strlen(whole[i].text); size++) {
            struct list_page page = {.records = 7};
            struct diag diag = {""};

            ck_assert_int_eq(list_page_read(whole[i].format, whole[i].text, size, &page, &diag),
                             LIST_READER_BAD);
            ck_assert_str_ne(diag.text, "");
            ck_assert_uint_eq(page.records, 7);
        }
    }
}
END_TEST

START_TEST(a_link_that_is_too_long_refuses_the_page)
{
    char text[2 * LIST_FIELD_MAX];
    struct list_page page;
    struct diag diag = {""};

    for (int longer = 0; longer < 2; longer++) {
        int size = snprintf(text, sizeof text, QUERY "<paging><next>%0*d</next></paging></queryResult>",
                            LIST_FIELD_MAX + longer, 0);
        int result = list_page_read(LIST_FORMAT_NCMEC, text, (size_t)size, &page, &diag);
        ck_assert_int_eq(result, longer == 0 ? 0 : LIST_READER_BAD);
    }
    ck_assert_ptr_nonnull(strstr(diag.text, "paging next: longer than 1024 bytes"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lists page");
    TCase *tests = tcase_create("lists page");

    tcase_add_test(tests, a_page_says_where_the_next_one_is);
    tcase_add_test(tests, the_last_page_says_that_none_follows);
    tcase_add_test(tests, the_digest_is_that_of_the_records);
    tcase_add_test(tests, bad_records_are_passed_over);
    tcase_add_test(tests, a_page_that_was_cut_is_refused);
    tcase_add_test(tests, a_link_that_is_too_long_refuses_the_page);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
