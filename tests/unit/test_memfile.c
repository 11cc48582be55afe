#include "prescreen/os/memfile.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int sealed_file(const char *text)
{
    int fd = -1;

    ck_assert_int_eq(memfile_create("test", &fd), 0);
    ck_assert_int_eq(memfile_append(fd, text, strlen(text)), 0);
    ck_assert_int_eq(memfile_seal(fd), 0);
    return fd;
}

START_TEST(what_was_appended_is_mapped_after_sealing)
{
    const uint8_t *data = NULL;
    int fd = -1;

    ck_assert_int_eq(memfile_create("test", &fd), 0);
    ck_assert_int_eq(memfile_append(fd, "abc", 3), 0);
    ck_assert_int_eq(memfile_append(fd, "", 0), 0);
    ck_assert_int_eq(memfile_append(fd, "defg", 4), 0);
    ck_assert_int_eq(memfile_seal(fd), 0);
    ck_assert_int_eq(memfile_check(fd, 7), 0);
    ck_assert_int_eq(memfile_map(fd, 7, &data), 0);
    ck_assert_mem_eq(data, "abcdefg", 7);
    memfile_unmap(data, 7);
    close(fd);
}
END_TEST

START_TEST(a_sealed_file_can_be_changed_by_nobody)
{
    int fd = sealed_file("abc");

    ck_assert_int_eq(memfile_append(fd, "d", 1), -EPERM);
    ck_assert_int_eq(ftruncate(fd, 1), -1);
    ck_assert_int_eq(ftruncate(fd, 100), -1);
    ck_assert_int_eq(memfile_seal(fd), -EPERM);
    ck_assert_ptr_eq(mmap(NULL, 3, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    close(fd);
}
END_TEST

START_TEST(the_receiver_refuses_a_missing_seal)
{
    static const int all[] = {F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE};
    int fd = -1;

    for (int missing = 0; missing < 3; missing++) {
        ck_assert_int_eq(memfile_create("test", &fd), 0);
        ck_assert_int_eq(memfile_append(fd, "abc", 3), 0);
        for (int i = 0; i < 3; i++)
            ck_assert(i == missing || fcntl(fd, F_ADD_SEALS, all[i]) == 0);
        ck_assert_int_eq(memfile_check(fd, 3), -EPERM);
        ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, all[missing]), 0);
        ck_assert_int_eq(memfile_check(fd, 3), 0);
        close(fd);
    }
}
END_TEST

START_TEST(the_receiver_refuses_another_size)
{
    int fd = sealed_file("abc");

    ck_assert_int_eq(memfile_check(fd, 2), -EMSGSIZE);
    ck_assert_int_eq(memfile_check(fd, 3), 0);
    ck_assert_int_eq(memfile_check(fd, 4), -EMSGSIZE);
    ck_assert_int_eq(memfile_check(fd, UINT64_MAX), -EMSGSIZE);
    close(fd);
}
END_TEST

START_TEST(the_receiver_refuses_what_is_no_memory_file)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(memfile_check(ends[0], 0), -EPERM);
    ck_assert_int_eq(memfile_check(-1, 0), -EPERM);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(an_empty_file_is_sealed_but_not_mapped)
{
    const uint8_t *data = NULL;
    int fd = sealed_file("");

    ck_assert_int_eq(memfile_check(fd, 0), 0);
    ck_assert_int_eq(memfile_map(fd, 0, &data), -EINVAL);
    memfile_unmap(data, 0);
    close(fd);
}
END_TEST

START_TEST(a_file_that_is_mapped_writable_is_not_sealed)
{
    int fd = -1;

    ck_assert_int_eq(memfile_create("test", &fd), 0);
    ck_assert_int_eq(memfile_append(fd, "abc", 3), 0);
    void *mapped = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(mapped, MAP_FAILED);
    ck_assert_int_eq(memfile_seal(fd), -EBUSY);
    munmap(mapped, 3);
    ck_assert_int_eq(memfile_seal(fd), 0);
    close(fd);
}
END_TEST

START_TEST(a_memory_file_is_closed_on_exec)
{
    int fd = sealed_file("abc");

    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memfile");
    TCase *tests = tcase_create("memfile");

    tcase_add_test(tests, what_was_appended_is_mapped_after_sealing);
    tcase_add_test(tests, a_sealed_file_can_be_changed_by_nobody);
    tcase_add_test(tests, the_receiver_refuses_a_missing_seal);
    tcase_add_test(tests, the_receiver_refuses_another_size);
    tcase_add_test(tests, the_receiver_refuses_what_is_no_memory_file);
    tcase_add_test(tests, an_empty_file_is_sealed_but_not_mapped);
    tcase_add_test(tests, a_file_that_is_mapped_writable_is_not_sealed);
    tcase_add_test(tests, a_memory_file_is_closed_on_exec);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
