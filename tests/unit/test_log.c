#include "prescreen/log/log.h"

#include "tap.h"

#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_SIZE = 4096 };

static char page[4 * LINE_MAX_SIZE];

/* Logs one event through a pipe and returns what came out, terminated. */
static const char *logged(enum log_level least, enum log_level level, const struct log_field *fields)
{
    struct log *log = NULL;
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    ck_assert_int_eq(log_create(ends[1], least, &log), 0);
    log_event(log, level, "something", fields);
    log_free(log);
    ssize_t size = read(ends[0], page, sizeof page - 1);
    page[size > 0 ? size : 0] = '\0';
    close(ends[0]);
    close(ends[1]);
    return page;
}

/* The line as a JSON object; checks that it is one whole line. */
static json_t *logged_object(const struct log_field *fields)
{
    const char *line = logged(LOG_DEBUG, LOG_WARN, fields);
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

    ck_assert_ptr_nonnull(object);
    ck_assert_uint_le(strlen(line), LINE_MAX_SIZE);
    ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
    return object;
}

static const char *member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

START_TEST(event_is_one_json_line_with_its_fields_in_order)
{
    json_t *object = logged_object(
        (struct log_field[]){LOG_TEXT("url", "http://127.0.0.1:1"), LOG_NUMBER("count", -7), LOG_END});

    ck_assert_str_eq(member(object, "level"), "warn");
    ck_assert_str_eq(member(object, "event"), "something");
    ck_assert_str_eq(member(object, "url"), "http://127.0.0.1:1");
    ck_assert_int_eq(json_integer_value(json_object_get(object, "count")), -7);
    ck_assert_uint_eq(strlen(member(object, "time")), strlen("2026-01-31T23:59:59.123456Z"));
    ck_assert(strncmp(page, "{\"time\":", 8) == 0);
    ck_assert(strstr(page, "\"url\"") < strstr(page, "\"count\""));
    json_decref(object);
}
END_TEST

START_TEST(events_below_the_least_level_are_dropped)
{
    struct log_field none[] = {LOG_END};

    ck_assert_str_eq(logged(LOG_WARN, LOG_INFO, none), "");
    ck_assert_str_ne(logged(LOG_WARN, LOG_WARN, none), "");
    ck_assert_str_ne(logged(LOG_WARN, LOG_ERROR, none), "");
    log_event(NULL, LOG_ERROR, "nowhere", none);
}
END_TEST

START_TEST(text_from_outside_cannot_break_the_line)
{
    json_t *object =
        logged_object((struct log_field[]){LOG_TEXT("a", "\"},{\"x\":\"\\\n\r\t\x01\x7f"),
                                           LOG_TEXT("b", "caf\xc3\xa9 \xff\xc3(\xe2\x82"), LOG_END});

    ck_assert_str_eq(member(object, "a"), "\"},{\"x\":\"\\\n\r\t\x01\x7f");
    ck_assert_str_eq(member(object, "b"), "caf\xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd");
    json_decref(object);
}
END_TEST

START_TEST(long_text_is_cut_and_the_line_stays_whole)
{
    static char text[2 * LINE_MAX_SIZE];

    /* Every length around the limit, with characters of one byte, of two, and ones that grow when escaped. */
    for (int form = 0; form < 3; form++) {
        for (size_t size = LINE_MAX_SIZE - 140; size < LINE_MAX_SIZE + 20; size++) {
            for (size_t i = 0; i < size; i++)
                text[i] = form == 0 ? 'x' : form == 1 ? "\xc3\xa9"[i % 2] : '\x01';
            text[size] = '\0';
            json_t *object = logged_object(
                (struct log_field[]){LOG_TEXT("long", text), LOG_NUMBER("after", 1234567890), LOG_END});
            ck_assert_uint_ge(json_string_length(json_object_get(object, "long")), 600);
            json_decref(object);
        }
    }
}
END_TEST

START_TEST(line_of_the_largest_size_is_used_fully)
{
    static char text[2 * LINE_MAX_SIZE];

    memset(text, 'x', sizeof text - 1);
    json_decref(logged_object((struct log_field[]){LOG_TEXT("long", text), LOG_END}));
    ck_assert_uint_eq(strlen(page), LINE_MAX_SIZE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *cases = tcase_create("log");

    tcase_add_test(cases, event_is_one_json_line_with_its_fields_in_order);
    tcase_add_test(cases, events_below_the_least_level_are_dropped);
    tcase_add_test(cases, text_from_outside_cannot_break_the_line);
    tcase_add_test(cases, long_text_is_cut_and_the_line_stays_whole);
    tcase_add_test(cases, line_of_the_largest_size_is_used_fully);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
