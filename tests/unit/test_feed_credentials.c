#include "prescreen/feed/credentials.h"

#include "store_folder.h"
#include "tap.h"

#include <errno.h>
#include <sys/stat.h>

static struct store_folder folder;
static struct config_feed feed;
static struct diag diag;

static void set_up(void)
{
    folder = make_folder();
    feed = (struct config_feed){.name = "f", .kind = FEED_NCMEC};
    strcpy(feed.credentials, file_in(&folder, "secret"));
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void tear_down(void)
{
    remove_folder(&folder);
}

static int read_text(const char *text, size_t size, struct feed_credentials *credentials)
{
    FILE *file = fopen(file_in(&folder, "secret"), "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fchmod(fileno(file), 0600), 0);
    ck_assert_uint_eq(fwrite(text, 1, size, file), size);
    fclose(file);
    diag.text[0] = '\0';
    return feed_credentials_read(&feed, credentials, &diag);
}

static void expect_secrets(const char *text, const char *first, const char *second)
{
    struct feed_credentials credentials;

    ck_assert_msg(read_text(text, strlen(text), &credentials) == 0, "%s", diag.text);
    ck_assert_str_eq(credentials.secrets[FEED_SECRET_FIRST], first);
    ck_assert_str_eq(credentials.secrets[FEED_SECRET_SECOND], second);
    feed_credentials_clear(&credentials);
    ck_assert_str_eq(credentials.secrets[FEED_SECRET_FIRST], "");
}

START_TEST(each_kind_has_its_keys)
{
    struct feed_credentials credentials;

    expect_secrets("username: u\npassword: p:w #d\n", "u", "p:w #d");
    expect_secrets("\n# note: x\r\n  password:\tp  \r\n \n username:u", "u", "p");
    feed.kind = FEED_STOPNCII;
    expect_secrets("functions_key: a==\nsubscription_key: b\n", "a==", "b");
    ck_assert_int_eq(read_text("username: u\npassword: p\n", 24, &credentials), -EINVAL);
    ck_assert_ptr_nonnull(strstr(diag.text, "line 1: an unknown key; it takes functions_key"));
}
END_TEST

static const struct {
    const char *text, *words;
} refused[] = {
    {"", "username is missing"},
    {"username: u\n", "password is missing"},
    {"password: u\n", "username is missing"},
    {"username u\n", "line 1: no KEY: VALUE"},
    {"user: hush\n", "line 1: an unknown key"},
    {"username : u\n", "line 1: an unknown key"},
    {"username: u\n\nusername: hush\n", "line 3: a key that was there before"},
    {"username:\n", "line 1: the value is empty"},
    {"username: hu\tsh\n", "line 1: the value is empty, too long or no text"},
    {"username: hu\xffsh\n", "line 1: the value is empty, too long or no text"},
};

START_TEST(what_is_wrong_is_named_without_any_of_it)
{
    struct feed_credentials credentials = {.secrets = {"before"}};

    ck_assert_int_eq(read_text(refused[_i].text, strlen(refused[_i].text), &credentials), -EINVAL);
    ck_assert_msg(strstr(diag.text, refused[_i].words) != NULL, "\"%s\" does not say \"%s\"", diag.text,
                  refused[_i].words);
    ck_assert_ptr_null(strstr(diag.text, "hush"));
    ck_assert_str_eq(credentials.secrets[FEED_SECRET_FIRST], "before");
}
END_TEST

START_TEST(secrets_and_their_file_have_a_limit)
{
    struct feed_credentials credentials;
    char secret[FEED_SECRET_MAX + 2];
    char text[FEED_CREDENTIALS_FILE_MAX + 2];

    for (int longer = 0; longer < 2; longer++) {
        memset(secret, 's', sizeof secret);
        secret[FEED_SECRET_MAX + longer] = '\0';
        int size = snprintf(text, sizeof text, "username: u\npassword: %s\n", secret);
        ck_assert_int_eq(read_text(text, (size_t)size, &credentials), longer == 0 ? 0 : -EINVAL);
    }
    int size = snprintf(text, sizeof text, "username: u\npassword: p\n#");
    memset(text + size, 'x', sizeof text - (size_t)size);
    ck_assert_int_eq(read_text(text, FEED_CREDENTIALS_FILE_MAX, &credentials), 0);
    ck_assert_int_eq(read_text(text, FEED_CREDENTIALS_FILE_MAX + 1, &credentials), -EFBIG);
    text[20] = '\0';
    ck_assert_int_eq(read_text(text, 100, &credentials), -EINVAL);
    ck_assert_ptr_nonnull(strstr(diag.text, "no text"));
}
END_TEST

START_TEST(a_file_that_others_may_read_is_refused)
{
    struct feed_credentials credentials;

    expect_secrets("username: u\npassword: p\n", "u", "p");
    ck_assert_int_eq(chmod(file_in(&folder, "secret"), 0640), 0);
    ck_assert_int_eq(feed_credentials_read(&feed, &credentials, &diag), -EPERM);
    ck_assert_int_eq(unlink(file_in(&folder, "secret")), 0);
    ck_assert_int_eq(feed_credentials_read(&feed, &credentials, &diag), -ENOENT);
    ck_assert_ptr_nonnull(strstr(diag.text, "secret"));
}
END_TEST

START_TEST(a_name_is_looked_for_where_systemd_puts_it)
{
    struct feed_credentials credentials;

    expect_secrets("username: u\npassword: p\n", "u", "p");
    strcpy(feed.credentials, "secret");
    ck_assert_int_eq(feed_credentials_read(&feed, &credentials, &diag), -ENOENT);
    ck_assert_ptr_nonnull(strstr(diag.text, "$CREDENTIALS_DIRECTORY is not set"));
    setenv("CREDENTIALS_DIRECTORY", folder.path, 1);
    ck_assert_int_eq(feed_credentials_read(&feed, &credentials, &diag), 0);
    char longest[CONFIG_PATH_MAX + 1];
    memset(longest, 'd', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    setenv("CREDENTIALS_DIRECTORY", longest, 1);
    ck_assert_int_eq(feed_credentials_read(&feed, &credentials, &diag), -ENAMETOOLONG);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("feed credentials");
    TCase *tests = tcase_create("feed credentials");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, each_kind_has_its_keys);
    tcase_add_loop_test(tests, what_is_wrong_is_named_without_any_of_it, 0,
                        (int)(sizeof refused / sizeof refused[0]));
    tcase_add_test(tests, secrets_and_their_file_have_a_limit);
    tcase_add_test(tests, a_file_that_others_may_read_is_refused);
    tcase_add_test(tests, a_name_is_looked_for_where_systemd_puts_it);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
