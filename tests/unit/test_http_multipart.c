#include "http/multipart.h"
#include "tap.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What a form was taken apart into: "name=bytes;" for each part. */
static char parts[65536];
static size_t parts_size;
static struct diag diag;

static void put(const void *data, size_t size)
{
    ck_assert_uint_lt(parts_size + size, sizeof parts);
    memcpy(parts + parts_size, data, size);
    parts_size += size;
    parts[parts_size] = '\0';
}

static enum problem on_part(void *context, const char *name, struct diag *said)
{
    (void)context;
    if (strcmp(name, "refused") == 0)
        return problem_fail(said, PROBLEM_TOO_LARGE, "as asked");
    put(";", 1);
    put(name, strlen(name));
    put("=", 1);
    return PROBLEM_NONE;
}

static enum problem on_data(void *context, const void *data, size_t size, struct diag *said)
{
    (void)context;
    (void)said;
    put(data, size);
    return PROBLEM_NONE;
}

/* Reads a form that comes in pieces of step bytes. */
static enum problem read_form(const char *type, const char *body, size_t size, size_t step)
{
    const struct multipart_sink sink = {.on_part = on_part, .on_data = on_data};
    struct multipart *multipart = NULL;
    enum problem problem = PROBLEM_NONE;

    parts_size = 0;
    parts[0] = '\0';
    problem = multipart_create(type, &sink, &multipart, &diag);
    for (size_t at = 0; at < size && problem == PROBLEM_NONE; at += step)
        problem = multipart_feed(multipart, body + at, size - at < step ? size - at : step, &diag);
    if (problem == PROBLEM_NONE)
        problem = multipart_finish(multipart, &diag);
    multipart_free(multipart);
    return problem;
}

#define TYPE "multipart/form-data; boundary=AaB"
#define NAME "Content-Disposition: form-data; name="

/* The verdict must be the same however the bytes are cut. */
static void expect(const char *body, size_t size, enum problem problem, const char *wanted)
{
    for (size_t step = 1; step <= size; step++) {
        ck_assert_msg(read_form(TYPE, body, size, step) == problem, "step %zu: %s", step, diag.text);
        if (problem == PROBLEM_NONE)
            ck_assert_str_eq(parts, wanted);
    }
}
#define EXPECT(body, wanted) expect(body, sizeof(body) - 1, PROBLEM_NONE, wanted)
#define REFUSE(body)         expect(body, sizeof(body) - 1, PROBLEM_MALFORMED, NULL)

START_TEST(parts_are_taken_apart_wherever_the_bytes_are_cut)
{
    EXPECT("--AaB\r\n" NAME
           "\"file\"; filename=\"x.jpg\"\r\nContent-Type: image/jpeg\r\n\r\nbytes\r\n--AaB\r\n" NAME
           "profile\r\n\r\navatar\r\n--AaB--\r\n",
           ";file=bytes;profile=avatar");
    EXPECT("\r\n--AaB \t\r\n" NAME "a\r\n\r\nx\r\n--AaB--", ";a=x");
    EXPECT("--AaB\r\n" NAME "a\r\n\r\n\r\n--AaB--\r\n", ";a=");
    EXPECT("--AaB\r\n" NAME "a\r\n\r\n--AaB--\r\n", ";a=");
    EXPECT("--AaB--", "");
}
END_TEST

START_TEST(bytes_that_look_like_a_boundary_are_data)
{
    EXPECT("--AaB\r\n" NAME "a\r\n\r\n\r\r\n\n\r\n-\r\n--\r\n--A\r\n--Aa\r\n--Aab--AaB\r\n--AaB--",
           ";a=\r\r\n\n\r\n-\r\n--\r\n--A\r\n--Aa\r\n--Aab--AaB");
    EXPECT("--AaB\r\n" NAME "a\r\n\r\n\r\n-x\r\n--AaB--", ";a=\r\n-x");
    EXPECT("--AaB\r\n" NAME "a\r\n\r\n-x\r\n--AaB--", ";a=-x");
}
END_TEST

START_TEST(names_are_read_in_every_legal_spelling)
{
    EXPECT("--AaB\r\ncontent-disposition:FORM-DATA;name=a\r\n\r\n\r\n--AaB--", ";a=");
    EXPECT("--AaB\r\nContent-Disposition: form-data ; NAME=\"a\"\r\n\r\n\r\n--AaB--", ";a=");
    EXPECT("--AaB\r\n" NAME "\"a \\\"q\\\" \\\\ \\b;\"\r\n\r\n\r\n--AaB--", ";a \"q\" \\ \\b;=");
    EXPECT("--AaB\r\nContent-Disposition: form-data; filename=\"; name=\\\"x\\\"\"; "
           "name=\"a\";\r\n\r\n\r\n--AaB--",
           ";a=");
    EXPECT("--AaB\r\n" NAME "a\r\nContent-Transfer-Encoding: binary\r\nX-Other: 1\r\n\r\n\r\n--AaB--", ";a=");
}
END_TEST

START_TEST(form_that_stops_early_is_refused)
{
    static const char body[] = "--AaB\r\n" NAME "a\r\n\r\nxyz\r\n--AaB--";

    for (size_t size = 0; size < sizeof body - 1; size++)
        ck_assert_msg(read_form(TYPE, body, size, 7) == PROBLEM_MALFORMED, "%zu", size);
    ck_assert_int_eq(read_form(TYPE, body, sizeof body - 1, 7), PROBLEM_NONE);
}
END_TEST

START_TEST(form_that_two_readers_could_read_differently_is_refused)
{
    REFUSE("preamble\r\n--AaB--");
    REFUSE("\r\n\r\n--AaB--");
    REFUSE("--AaBx\r\n" NAME "a\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\n" NAME "a\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r" NAME "a\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB-x");
    REFUSE("--AaB--x");
    REFUSE("--AaB--\r\n\r\n");
    REFUSE("--AaB\r\n" NAME "a\r\n\r\nx\r\n--AaBC\r\n--AaB--");
    REFUSE("--AaB\0\r\n" NAME "a\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n\r\nno head\r\n--AaB--");
    REFUSE("--AaB\r\nContent-Type: a\r\n\r\nno name\r\n--AaB--");
    REFUSE("--AaB\r\nContent-Disposition: form-data\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\nContent-Disposition: attachment; name=a\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\nContent-Disposition: form-dataname=a\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n" NAME "a; name=b\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n" NAME "a\r\n" NAME "b\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n" NAME "\"a\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n" NAME "\"a\"b\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n" NAME " \"a\"\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n" NAME "a b\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n" NAME "a; x\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n" NAME "\"a\0b\"\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n" NAME "a\nX: y\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n\rX: y\r\n" NAME "a\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n" NAME "a\r\n ; x=y\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n" NAME "a\r\nno colon\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n" NAME "a\r\n: empty\r\n\r\n\r\n--AaB--");
    REFUSE("--AaB\r\n" NAME "a\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n--AaB--");
}
END_TEST

START_TEST(boundary_must_be_one_and_legal)
{
    static const char body[] = "--AaB--";
    static const struct {
        const char *type;
        enum problem problem;
    } rows[] = {{"multipart/form-data; boundary=\"AaB\"", PROBLEM_NONE},
                {"multipart/form-data; charset=utf-8; BOUNDARY=AaB", PROBLEM_NONE},
                {"multipart/form-data;boundary=AaB;", PROBLEM_NONE},
                {"multipart/form-data", PROBLEM_MALFORMED},
                {"multipart/form-data; boundary=", PROBLEM_MALFORMED},
                {"multipart/form-data; boundary=\"\"", PROBLEM_MALFORMED},
                {"multipart/form-data; boundary=AaB; boundary=AaB", PROBLEM_MALFORMED},
                {"multipart/form-data; boundary=\"AaB", PROBLEM_MALFORMED},
                {"multipart/form-data; boundary=A\"aB", PROBLEM_MALFORMED},
                {"multipart/form-data; boundary=\"AaB \"", PROBLEM_MALFORMED},
                {"multipart/form-data; boundary=Aa@B", PROBLEM_MALFORMED},
                {"multipart/form-data boundary=AaB", PROBLEM_MALFORMED}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(read_form(rows[i].type, body, sizeof body - 1, 1) == rows[i].problem, "%s",
                      rows[i].type);
}
END_TEST

START_TEST(boundary_and_head_of_a_part_have_limits)
{
    char type[600], body[MULTIPART_PART_HEAD_MAX + 256], boundary[MULTIPART_BOUNDARY_MAX + 2];

    for (int size = MULTIPART_BOUNDARY_MAX - 1; size <= MULTIPART_BOUNDARY_MAX + 1; size++) {
        memset(boundary, 'b', (size_t)size);
        boundary[size] = '\0';
        snprintf(type, sizeof type, "multipart/form-data; boundary=%s", boundary);
        int length = snprintf(body, sizeof body, "--%s\r\n" NAME "a\r\n\r\nx\r\n--%s--", boundary, boundary);
        ck_assert_int_eq(read_form(type, body, (size_t)length, 3),
                         size <= MULTIPART_BOUNDARY_MAX ? PROBLEM_NONE : PROBLEM_MALFORMED);
    }
    for (int size = MULTIPART_PART_HEAD_MAX - 1; size <= MULTIPART_PART_HEAD_MAX + 1; size++) {
        int fill = size - (int)strlen(NAME "a\r\nX: \r\n\r\n");
        int length = snprintf(body, sizeof body, "--AaB\r\n" NAME "a\r\nX: %*s\r\n\r\n\r\n--AaB--", fill, "");
        ck_assert_int_eq(read_form(TYPE, body, (size_t)length, 100),
                         size <= MULTIPART_PART_HEAD_MAX ? PROBLEM_NONE : PROBLEM_MALFORMED);
    }
}
END_TEST

START_TEST(refusal_of_the_sink_is_handed_on)
{
    static const char body[] = "--AaB\r\n" NAME "refused\r\n\r\nx\r\n--AaB--";

    ck_assert_int_eq(read_form(TYPE, body, sizeof body - 1, sizeof body), PROBLEM_TOO_LARGE);
    ck_assert_str_eq(diag.text, "as asked");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http multipart");
    TCase *cases = tcase_create("multipart");

    tcase_add_test(cases, parts_are_taken_apart_wherever_the_bytes_are_cut);
    tcase_add_test(cases, bytes_that_look_like_a_boundary_are_data);
    tcase_add_test(cases, names_are_read_in_every_legal_spelling);
    tcase_add_test(cases, form_that_stops_early_is_refused);
    tcase_add_test(cases, form_that_two_readers_could_read_differently_is_refused);
    tcase_add_test(cases, boundary_must_be_one_and_legal);
    tcase_add_test(cases, boundary_and_head_of_a_part_have_limits);
    tcase_add_test(cases, refusal_of_the_sink_is_handed_on);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
