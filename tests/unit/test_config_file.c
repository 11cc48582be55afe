#include "prescreen/config/config.h"

#include "config/schema.h"
#include "config_texts.h"
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const char config_default_yaml[];

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, CONFIG_FILE_MAX + 1);

    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_gt(fread(text, 1, CONFIG_FILE_MAX, file), 0);
    fclose(file);
    return text;
}

START_TEST(the_shipped_file_is_what_runs_without_one)
{
    char *text = read_text("config/prescreen.yaml");

    ck_assert_msg(strcmp(text, config_default_yaml) == 0, "the build carries another text");
    free(text);
}
END_TEST

START_TEST(the_shipped_file_and_the_table_of_limits_agree)
{
    struct config *config = parse(config_default_yaml);

    for (size_t i = 0; i < config_limit_count; i++) {
        const struct config_limit_row *row = &config_limit_rows[i];

        ck_assert_msg(limit_value(&config->limits, row) == row->standard, "limits.%s", row->name);
        ck_assert_uint_le(row->minimum, row->standard);
        ck_assert_uint_le(row->standard, row->maximum);
    }
    config_free(config);
}
END_TEST

/* The line of a text that holds a key, as a value or as a comment. */
static bool find_line(const char *text, const char *key, char *line, size_t capacity)
{
    size_t length = strlen(key);

    for (const char *at = text; at != NULL && *at != '\0'; at = strchr(at, '\n')) {
        at += *at == '\n';
        const char *word = at + strspn(at, " #{");
        if (strncmp(word, key, length) == 0 && word[length] == ':') {
            size_t size = strcspn(at, "\n");
            ck_assert_uint_lt(size, capacity);
            memcpy(line, at, size);
            line[size] = '\0';
            return true;
        }
    }
    return false;
}

START_TEST(the_shipped_file_tells_each_limits_range_and_reason)
{
    for (size_t i = 0; i < config_limit_count; i++) {
        const struct config_limit_row *row = &config_limit_rows[i];
        char line[256];
        char told[256];
        char minimum[CONFIG_LIMIT_TEXT_SIZE];
        char maximum[CONFIG_LIMIT_TEXT_SIZE];

        ck_assert_msg(find_line(config_default_yaml, row->name, line, sizeof line), "%s", row->name);
        config_limit_format(row, row->minimum, minimum);
        config_limit_format(row, row->maximum, maximum);
        snprintf(told, sizeof told, "# %s to %s: %s", minimum, maximum, row->reason);
        ck_assert_msg(strstr(line, told) != NULL, "\"%s\" does not say \"%s\"", line, told);
    }
}
END_TEST

/* Each key of the schema has its line in the text. */
static void check_documented(const cyaml_schema_field_t *fields)
{
    char line[256];

    for (; fields->key != NULL; fields++) {
        ck_assert_msg(find_line(config_default_yaml, fields->key, line, sizeof line), "%s is not documented",
                      fields->key);
        if (fields->value.type == CYAML_MAPPING)
            check_documented(fields->value.mapping.fields);
        if (fields->value.type == CYAML_SEQUENCE && fields->value.sequence.entry->type == CYAML_MAPPING)
            check_documented(fields->value.sequence.entry->mapping.fields);
    }
}

START_TEST(the_shipped_file_documents_every_key)
{
    struct config_source source = {.origin = "prescreen.yaml"};
    struct schema *schema = NULL;

    ck_assert_int_eq(config_source_copy(&source, config_default_yaml, strlen(config_default_yaml)), 0);
    ck_assert_int_eq(schema_create(&source, &schema), 0);
    check_documented(schema_root(schema)->mapping.fields);
    schema_free(schema);
    config_source_close(&source);
}
END_TEST

/* A key that the shipped file shows only as a comment must show the value that is in force. */
START_TEST(what_the_shipped_file_shows_as_comments_is_in_force)
{
    char *text = strdup(config_default_yaml);
    char hash[17];
    struct config *config = parse("");

    ck_assert_ptr_nonnull(text);
    memcpy(hash, config->profiles[0].version, sizeof hash);
    config_free(config);
    for (char *at = text; (at = strstr(at, "# media.limit.")) != NULL;) {
        at[0] = ' ';
        at[1] = ' ';
        memmove(at, at + 2, strlen(at + 2) + 1);
    }
    config = parse(text);
    ck_assert_str_eq(config->profiles[0].version, hash);
    config_free(config);
    free(text);
}
END_TEST

static char folder[] = "/tmp/prescreen-config-XXXXXX";

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static const char *write_file(const char *name, const char *text, size_t size)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

static void remove_file(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    ck_assert_int_eq(remove(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(the_environment_overrides_the_file)
{
    static const char text[] = "listen: 127.0.0.1:1\ndata_dir: /srv/a\nworkers: 3\n";
    struct config *config = NULL;
    struct diag diag = {""};

    make_folder();
    const char *path = write_file("a.yaml", text, sizeof text - 1);
    ck_assert_int_eq(config_load(path, &config, &diag), 0);
    ck_assert_str_eq(config->origin, path);
    ck_assert_uint_eq(config->listen.port, 1);
    ck_assert_str_eq(config->data_dir, "/srv/a");
    ck_assert_uint_eq(config->workers, 3);
    config_free(config);
    setenv("PRESCREEN_LISTEN", "unix:/run/x.sock", 1);
    setenv("PRESCREEN_DATA_DIR", "b", 1);
    setenv("PRESCREEN_WORKERS", "5", 1);
    ck_assert_int_eq(config_load(path, &config, &diag), 0);
    ck_assert_str_eq(config->listen.path, "/run/x.sock");
    ck_assert_str_eq(config->data_dir, "b");
    ck_assert_uint_eq(config->workers, 5);
    config_free(config);
    remove_file("a.yaml");
}
END_TEST

START_TEST(the_environment_is_checked_and_named_like_the_file)
{
    static const struct {
        const char *variable, *value, *message;
    } bad[] = {
        {"PRESCREEN_LISTEN", "", "PRESCREEN_LISTEN: is empty; use ADDRESS:PORT"},
        {"PRESCREEN_LISTEN", "8750", "PRESCREEN_LISTEN: \"8750\" is not taken; use ADDRESS:PORT"},
        {"PRESCREEN_LISTEN", "0.0.0.0:8750", "PRESCREEN_LISTEN: other machines can reach this address"},
        {"PRESCREEN_DATA_DIR", "", "PRESCREEN_DATA_DIR: must be the path of a directory"},
        {"PRESCREEN_DATA_DIR", "a\nb", "PRESCREEN_DATA_DIR: must be the path of a directory"},
        {"PRESCREEN_DATA_DIR", "a\xff", "PRESCREEN_DATA_DIR: must be the path of a directory"},
        {"PRESCREEN_WORKERS", "many", "PRESCREEN_WORKERS: \"many\" is not taken; use a number from 0"},
        {"PRESCREEN_WORKERS", "1025", "PRESCREEN_WORKERS: \"1025\" is not taken"},
        {"PRESCREEN_WORKERS", "", "PRESCREEN_WORKERS: \"\" is not taken"},
    };
    static const char text[] = "workers: 1\n";

    make_folder();
    const char *path = write_file("a.yaml", text, sizeof text - 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct config *config = NULL;
        struct diag diag = {""};

        setenv(bad[i].variable, bad[i].value, 1);
        ck_assert_int_eq(config_load(path, &config, &diag), -EINVAL);
        ck_assert_msg(strncmp(diag.text, bad[i].message, strlen(bad[i].message)) == 0, "%s", diag.text);
        unsetenv(bad[i].variable);
    }
    remove_file("a.yaml");
}
END_TEST

START_TEST(a_data_dir_has_at_most_4095_bytes)
{
    static char text[CONFIG_PATH_MAX + 64];
    static char value[CONFIG_PATH_MAX + 1];
    struct config *config = NULL;
    struct diag diag = {""};

    memset(value, 'd', CONFIG_PATH_MAX);
    snprintf(text, sizeof text, "data_dir: %.*s", CONFIG_PATH_MAX - 1, value);
    config = parse(text);
    ck_assert_uint_eq(strlen(config->data_dir), CONFIG_PATH_MAX - 1);
    config_free(config);
    snprintf(text, sizeof text, "data_dir: %s", value);
    refuse(text, "test.yaml:1: data_dir: longer than 4095 bytes");
    make_folder();
    const char *path = write_file("a.yaml", "{}", 2);
    setenv("PRESCREEN_DATA_DIR", value, 1);
    ck_assert_int_eq(config_load(path, &config, &diag), -EINVAL);
    ck_assert_str_eq(diag.text, "PRESCREEN_DATA_DIR: longer than 4095 bytes");
    remove_file("a.yaml");
}
END_TEST

START_TEST(a_file_has_at_most_1_mib)
{
    static char text[CONFIG_FILE_MAX + 1];
    struct config *config = NULL;
    struct diag diag = {""};

    memset(text, '#', sizeof text);
    memcpy(text, "workers: 7\n", 11);
    make_folder();
    const char *path = write_file("a.yaml", text, CONFIG_FILE_MAX);
    ck_assert_int_eq(config_load(path, &config, &diag), 0);
    ck_assert_uint_eq(config->workers, 7);
    config_free(config);
    config = NULL;
    path = write_file("a.yaml", text, CONFIG_FILE_MAX + 1);
    ck_assert_int_eq(config_load(path, &config, &diag), -EFBIG);
    ck_assert_ptr_nonnull(strstr(diag.text, "a.yaml: larger than 1048576 bytes"));
    ck_assert_int_eq(config_parse(text, CONFIG_FILE_MAX, "t", &config, &diag), 0);
    config_free(config);
    config = NULL;
    ck_assert_int_eq(config_parse(text, CONFIG_FILE_MAX + 1, "t", &config, &diag), -EFBIG);
    ck_assert_str_eq(diag.text, "t: larger than 1048576 bytes");
    ck_assert_ptr_null(config);
    remove_file("a.yaml");
}
END_TEST

START_TEST(only_a_regular_file_is_read)
{
    struct config *config = NULL;
    struct diag diag = {""};
    char path[128];

    make_folder();
    ck_assert_int_eq(config_load(folder, &config, &diag), -EINVAL);
    ck_assert_ptr_nonnull(strstr(diag.text, ": is not a regular file"));
    snprintf(path, sizeof path, "%s/pipe", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(config_load(path, &config, &diag), -EINVAL);
    ck_assert_ptr_nonnull(strstr(diag.text, "/pipe: is not a regular file"));
    remove_file("pipe");
    ck_assert_int_eq(config_load(path, &config, &diag), -ENOENT);
    ck_assert_ptr_nonnull(strstr(diag.text, "/pipe: No such file or directory"));
    ck_assert_ptr_null(config);
}
END_TEST

START_TEST(without_any_file_the_defaults_run)
{
    struct config *config = NULL;
    struct diag diag = {"left over"};

    if (access("/etc/prescreen/prescreen.yaml", F_OK) == 0) {
        printf("skipped: this machine has /etc/prescreen/prescreen.yaml\n");
        return;
    }
    ck_assert_int_eq(config_load(NULL, &config, &diag), 0);
    ck_assert_str_eq(config->origin, "built-in defaults");
    ck_assert_str_eq(diag.text, "");
    ck_assert_uint_eq(config->profile_count, 1);
    ck_assert_uint_eq(config->listen.port, 8750);
    config_free(config);
    setenv("PRESCREEN_LISTEN", "0.0.0.0:1", 1);
    ck_assert_int_eq(config_load(NULL, &config, &diag), -EINVAL);
    ck_assert_int_eq(strncmp(diag.text, "PRESCREEN_LISTEN: other", 23), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config file");
    TCase *tests = tcase_create("config file");

    tcase_add_test(tests, the_shipped_file_is_what_runs_without_one);
    tcase_add_test(tests, the_shipped_file_and_the_table_of_limits_agree);
    tcase_add_test(tests, the_shipped_file_tells_each_limits_range_and_reason);
    tcase_add_test(tests, the_shipped_file_documents_every_key);
    tcase_add_test(tests, what_the_shipped_file_shows_as_comments_is_in_force);
    tcase_add_test(tests, the_environment_overrides_the_file);
    tcase_add_test(tests, the_environment_is_checked_and_named_like_the_file);
    tcase_add_test(tests, a_data_dir_has_at_most_4095_bytes);
    tcase_add_test(tests, a_file_has_at_most_1_mib);
    tcase_add_test(tests, only_a_regular_file_is_read);
    tcase_add_test(tests, without_any_file_the_defaults_run);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
