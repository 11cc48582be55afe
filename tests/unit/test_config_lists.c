#include "config_texts.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEY "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

START_TEST(lists_are_told_apart_by_name)
{
    struct config *config = parse("lists:\n- { name: b, columns: { entry_id: Ref no, md5: MD5 } }\n"
                                  "- { name: a, signature_key: " KEY
                                  ", classes: { report: ['1', A1], block: ['2'], ignore: [none] } }\n");
    const struct config_list *a = config_find_list(config, "a");
    const struct config_list *b = config_find_list(config, "b");
    unsigned int meaning = 99;

    ck_assert_uint_eq(config->list_count, 2);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    ck_assert_ptr_null(config_find_list(config, "c"));
    ck_assert(a->is_signed && !a->has_columns && !b->is_signed && b->has_columns);
    ck_assert_uint_eq(a->signature_key[0], 0xd7);
    ck_assert_uint_eq(a->signature_key[31], 0x1a);
    ck_assert_str_eq(b->columns[COLUMN_ENTRY_ID], "Ref no");
    ck_assert_str_eq(b->columns[COLUMN_MD5], "MD5");
    ck_assert_str_eq(b->columns[COLUMN_PDQ], "");
    ck_assert(config_find_class(a, "A1", &meaning) && meaning == ACTION_REPORT);
    ck_assert(config_find_class(a, "2", &meaning) && meaning == ACTION_BLOCK);
    ck_assert(config_find_class(a, "none", &meaning) && meaning == CLASS_IGNORED);
    ck_assert(!config_find_class(a, "3", &meaning));
    ck_assert(!config_find_class(b, "1", &meaning));
    config_free(config);
}
END_TEST

START_TEST(nothing_is_said_of_any_list_by_default)
{
    struct config *config = parse("");

    ck_assert_uint_eq(config->list_count, 0);
    ck_assert_ptr_null(config_find_list(config, "a"));
    config_free(config);
}
END_TEST

static const struct {
    const char *text, *message;
} refused[] = {
    {"lists:\n- {}\n", "test.yaml:2: lists[0]: name is missing"},
    {"lists:\n- { name: a b }\n", "test.yaml:2: lists[0].name: \"a b\" is no name"},
    {"lists:\n- { name: a }\n- { name: a }\n",
     "test.yaml:3: lists[1].name: a is the name of lists[0] already"},
    {"lists: [{ name: a, colour: x }]", "lists[0].colour: unknown key"},
    {"lists: [{ name: a, columns: { colour: x } }]", "lists[0].columns.colour: unknown key"},
    {"lists: [{ name: a, columns: { md5: '' } }]", "lists[0].columns.md5: must be a text of at least one"},
    {"lists: [{ name: a, columns: { entry_id: x } }]", "lists[0].columns: names no hash"},
    {"lists: [{ name: a, columns: { md5: x, note: x } }]", "lists[0].columns.note: \"x\" is md5 already"},
    {"lists: [{ name: a, columns: { md5: "
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx } }]",
     "lists[0].columns.md5: longer than 64 bytes"},
    {"lists: [{ name: a, classes: { report: ['1'], drop: ['2'] } }]", "lists[0].classes.drop: unknown key"},
    {"lists: [{ name: a, classes: { report: '1' } }]", "lists[0].classes.report: must be a list"},
    {"lists: [{ name: a, classes: { report: [''] } }]", "lists[0].classes.report[0]: must be a text"},
    {"lists: [{ name: a, classes: { report: ['1'], ignore: ['1'] } }]",
     "lists[0].classes: \"1\" stands under "},
    {"lists: [{ name: a, signature_key: x }]", "lists[0].signature_key: must be an Ed25519 public key"},
    {"lists: [{ name: a, signature_key: 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURoA }]",
     "lists[0].signature_key: must be an Ed25519 public key"},
    {"lists: [{ name: a, signature_key: 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUR== }]",
     "lists[0].signature_key: must be an Ed25519 public key"},
};

START_TEST(wrong_lists_are_refused_with_their_place)
{
    refuse(refused[_i].text, refused[_i].message);
}
END_TEST

/* Writes a PEM file; returns a configuration that names it. Static storage. */
static const char *with_pem(const char *content, char path[64])
{
    static char text[256];

    strcpy(path, "/tmp/prescreen-key-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, content, strlen(content)), (int)strlen(content));
    close(fd);
    snprintf(text, sizeof text, "lists: [{ name: a, signature_key: %s }]", path);
    return text;
}

START_TEST(a_key_may_lie_in_a_pem_file)
{
    char path[64];
    const char *text = with_pem("-----BEGIN PUBLIC KEY-----\n"
                                "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                                "-----END PUBLIC KEY-----\n",
                                path);
    struct config *config = parse(text);

    ck_assert(config->lists[0].is_signed);
    ck_assert_uint_eq(config->lists[0].signature_key[0], 0xd7);
    config_free(config);
    unlink(path);
    text = with_pem("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2Vw\n-----END PUBLIC KEY-----\n", path);
    refuse(text, "holds no Ed25519 public key in PEM");
    unlink(path);
    /* X25519: a key of the same size and another use. */
    text =
        with_pem("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                 "-----END PUBLIC KEY-----\n",
                 path);
    refuse(text, "holds no Ed25519 public key in PEM");
    unlink(path);
    struct config *none = NULL;
    struct diag diag = {""};
    ck_assert_int_eq(config_parse(text, strlen(text), "test.yaml", &none, &diag), -ENOENT);
    ck_assert_ptr_nonnull(strstr(diag.text, path));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config lists");
    TCase *tests = tcase_create("config lists");

    tcase_add_test(tests, lists_are_told_apart_by_name);
    tcase_add_test(tests, nothing_is_said_of_any_list_by_default);
    tcase_add_loop_test(tests, wrong_lists_are_refused_with_their_place, 0,
                        (int)(sizeof refused / sizeof refused[0]));
    tcase_add_test(tests, a_key_may_lie_in_a_pem_file);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
