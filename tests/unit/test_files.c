#include "prescreen/os/files.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static const char *in_folder(const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/prescreen-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    static const char *const names[] = {"data", "file", "file.new", "pipe"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        remove(in_folder(names[i], path));
    rmdir(folder);
}

static void write_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < size; i++)
        fputc('x', file);
    fclose(file);
}

START_TEST(a_new_directory_is_its_owners_alone)
{
    char path[PATH_MAX];
    struct stat status;
    struct diag diag = {""};

    umask(0);
    ck_assert_int_eq(files_make_directory(in_folder("data", path), &diag), 0);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0700);
    ck_assert_int_eq(files_make_directory(path, &diag), 0);
}
END_TEST

START_TEST(a_directory_that_cannot_be_made_is_named)
{
    char path[PATH_MAX];
    struct diag diag = {""};

    write_file(in_folder("file", path), 1);
    ck_assert_int_eq(files_make_directory(path, &diag), -ENOTDIR);
    ck_assert_ptr_nonnull(strstr(diag.text, path));
    ck_assert_int_eq(files_make_directory(in_folder("none/data", path), &diag), -ENOENT);
    ck_assert_ptr_nonnull(strstr(diag.text, path));
}
END_TEST

START_TEST(a_file_is_read_up_to_the_maximum)
{
    char path[PATH_MAX];
    struct bytes content;
    struct diag diag = {""};

    write_file(in_folder("file", path), 20000);
    for (size_t maximum = 19999; maximum <= 20001; maximum++) {
        bytes_init(&content, maximum);
        int result = files_read(path, &content, &diag);
        ck_assert_int_eq(result, maximum < 20000 ? -EFBIG : 0);
        ck_assert(maximum < 20000 || content.size == 20000);
        bytes_clear(&content);
    }
    ck_assert_ptr_nonnull(strstr(diag.text, "19999"));
}
END_TEST

START_TEST(what_is_not_a_regular_file_is_not_read)
{
    char path[PATH_MAX];
    struct bytes content;
    struct diag diag = {""};

    bytes_init(&content, 10);
    ck_assert_int_eq(mkfifo(in_folder("pipe", path), 0600), 0);
    ck_assert_int_eq(files_read(path, &content, &diag), -EINVAL);
    ck_assert_int_eq(files_read(folder, &content, &diag), -EINVAL);
    ck_assert_int_eq(files_read(in_folder("none", path), &content, &diag), -ENOENT);
    ck_assert_ptr_nonnull(strstr(diag.text, path));
}
END_TEST

START_TEST(programs_are_found_beside_this_one)
{
    char directory[PATH_MAX];
    char path[PATH_MAX];
    char expected[2 * PATH_MAX];
    struct diag diag = {""};

    ck_assert_int_eq(files_executable_directory(directory, sizeof directory), 0);
    ck_assert_int_eq(files_find_program("test_files", path, sizeof path, &diag), 0);
    snprintf(expected, sizeof expected, "%s/test_files", directory);
    ck_assert_str_eq(path, expected);
    ck_assert_int_eq(files_find_program("no-such-program", path, sizeof path, &diag), -ENOENT);
    ck_assert_ptr_nonnull(strstr(diag.text, "no-such-program"));
    ck_assert_ptr_nonnull(strstr(diag.text, directory));
    ck_assert_ptr_nonnull(strstr(diag.text, PRESCREEN_LIBEXECDIR));
}
END_TEST

START_TEST(a_secret_is_read_from_a_file_of_its_owner_alone)
{
    static const mode_t open_to_others[] = {0640, 0620, 0610, 0604, 0602, 0601};
    char path[PATH_MAX];
    struct bytes content;
    struct diag diag = {""};

    write_file(in_folder("file", path), 10);
    bytes_init(&content, 100);
    for (size_t i = 0; i < sizeof open_to_others / sizeof open_to_others[0]; i++) {
        ck_assert_int_eq(chmod(path, open_to_others[i]), 0);
        ck_assert_int_eq(files_read_private(path, &content, &diag), -EPERM);
        ck_assert_ptr_nonnull(strstr(diag.text, "chmod 600"));
        ck_assert_uint_eq(content.size, 0);
    }
    ck_assert_int_eq(chmod(path, 0400), 0);
    ck_assert_int_eq(files_read_private(path, &content, &diag), 0);
    ck_assert_uint_eq(content.size, 10);
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(path, 12345, 12345), 0);
        ck_assert_int_eq(files_read_private(path, &content, &diag), -EPERM);
    }
    bytes_clear(&content);
    ck_assert_int_eq(files_read_private(folder, &content, &diag), -EINVAL);
}
END_TEST

static void check_content(const char *path, const char *wanted)
{
    struct bytes content;
    struct diag diag = {""};

    bytes_init(&content, 100);
    ck_assert_msg(files_read(path, &content, &diag) == 0, "%s", diag.text);
    ck_assert_uint_eq(content.size, strlen(wanted));
    ck_assert_mem_eq(content.data, wanted, content.size);
    bytes_clear(&content);
}

START_TEST(a_file_is_replaced_as_a_whole_or_stays)
{
    char path[PATH_MAX];
    char aside[PATH_MAX];
    struct stat status;
    struct diag diag = {""};

    umask(0);
    /* What an earlier process left behind when it was killed does not matter. */
    write_file(in_folder("file.new", aside), 1000);
    ck_assert_int_eq(files_replace(folder, "file", "first", 5, &diag), 0);
    check_content(in_folder("file", path), "first");
    ck_assert_int_eq(stat(aside, &status), -1);
    ck_assert_int_eq(files_replace(folder, "file", "2nd", 3, &diag), 0);
    check_content(path, "2nd");
    ck_assert_int_eq(mkdir(aside, 0700), 0);
    ck_assert_int_eq(files_replace(folder, "file", "third", 5, &diag), -EISDIR);
    ck_assert_ptr_nonnull(strstr(diag.text, "/file cannot be written"));
    check_content(path, "2nd");
    /* Nor is a link followed to somebody else's file. */
    ck_assert_int_eq(rmdir(aside), 0);
    ck_assert_int_eq(symlink("/dev/null", aside), 0);
    ck_assert_int_eq(files_replace(folder, "file", "third", 5, &diag), -ELOOP);
    ck_assert_int_eq(files_replace("/none", "file", "x", 1, &diag), -ENOENT);
}
END_TEST

START_TEST(a_replaced_file_is_its_owners_alone)
{
    char path[PATH_MAX];
    struct stat status;
    struct diag diag = {""};

    umask(0);
    ck_assert_int_eq(files_replace(folder, "file", "x", 1, &diag), 0);
    ck_assert_int_eq(stat(in_folder("file", path), &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
}
END_TEST

START_TEST(a_path_that_does_not_fit_is_refused)
{
    char path[PATH_MAX];
    size_t length;

    ck_assert_int_eq(files_executable_directory(path, sizeof path), 0);
    length = strlen(path);
    ck_assert_int_eq(files_executable_directory(path, length), -ENAMETOOLONG);
    ck_assert_int_eq(files_executable_directory(path, length + 1), 0);
    length += strlen("/test_files");
    ck_assert_int_eq(files_find_program("test_files", path, length, NULL), -ENAMETOOLONG);
    ck_assert_int_eq(files_find_program("test_files", path, length + 1, NULL), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("files");
    TCase *tests = tcase_create("files");

    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, a_new_directory_is_its_owners_alone);
    tcase_add_test(tests, a_directory_that_cannot_be_made_is_named);
    tcase_add_test(tests, a_file_is_read_up_to_the_maximum);
    tcase_add_test(tests, what_is_not_a_regular_file_is_not_read);
    tcase_add_test(tests, programs_are_found_beside_this_one);
    tcase_add_test(tests, a_secret_is_read_from_a_file_of_its_owner_alone);
    tcase_add_test(tests, a_file_is_replaced_as_a_whole_or_stays);
    tcase_add_test(tests, a_replaced_file_is_its_owners_alone);
    tcase_add_test(tests, a_path_that_does_not_fit_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
