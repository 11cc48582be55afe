#include "prescreen/base/clock.h"
#include "prescreen/os/spawn.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECOND_US = 1000000 };

static struct spawn_child start_shell(const char *script, int socket_fd, int error_fd)
{
    char *arguments[] = {"sh", "-c", (char *)(uintptr_t)script, NULL};
    struct spawn_plan plan = {"/bin/sh", arguments, socket_fd, error_fd};
    struct spawn_child child = {-1, -1};

    ck_assert_int_eq(spawn_start(&plan, &child), 0);
    return child;
}

static struct spawn_ending end_of(struct spawn_child *child)
{
    struct spawn_ending ending = {0, 0};

    ck_assert_int_eq(spawn_reap(child, clock_monotonic_us() + 10 * SECOND_US, &ending), 0);
    ck_assert_int_eq(child->pid, -1);
    return ending;
}

/* Everything that the script writes to its stderr. */
static void run_shell(const char *script, char *said, size_t capacity)
{
    int pair[2];
    int ends[2];
    size_t length = 0;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    ck_assert_int_eq(pipe(ends), 0);
    struct spawn_child child = start_shell(script, pair[1], ends[1]);
    close(ends[1]);
    for (ssize_t got = 1; got > 0 && length + 1 < capacity; length += (size_t)got) {
        got = read(ends[0], said + length, capacity - 1 - length);
        ck_assert_int_ge(got, 0);
    }
    said[length] = '\0';
    ck_assert_int_eq(end_of(&child).exit_code, 0);
    close(ends[0]);
    close(pair[0]);
    close(pair[1]);
}

/* Where a descriptor of the child leads: "socket", "pipe", "/dev/null", "" when there is none. */
static void read_descriptor(const struct spawn_child *child, int fd, char target[64])
{
    char link[64];

    snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)child->pid, fd);
    ssize_t length = readlink(link, target, 63);
    target[length < 0 ? 0 : length] = '\0';
    target[strcspn(target, ":")] = '\0';
}

static void check_descriptors(struct spawn_child *child)
{
    static const char *const expected[] = {"/dev/null", "/dev/null", "pipe", "socket"};
    char target[64];

    for (int fd = 0; fd < 256; fd++) {
        read_descriptor(child, fd, target);
        ck_assert_str_eq(target, fd < 4 ? expected[fd] : "");
    }
}

START_TEST(a_child_holds_four_descriptors_and_no_environment)
{
    char *arguments[] = {"sleep", "100", NULL};
    struct spawn_plan plan = {"/bin/sleep", arguments, -1, -1};
    struct spawn_child child = {-1, -1};
    char path[64];
    char byte;
    int pair[2];
    int ends[2];

    ck_assert_int_ge(open("/dev/null", O_RDONLY), 0); /* without close-on-exec */
    setenv("PRESCREEN_SECRET", "value", 1);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    ck_assert_int_eq(pipe(ends), 0);
    plan.socket_fd = pair[1];
    plan.error_fd = ends[1];
    ck_assert_int_eq(spawn_start(&plan, &child), 0);
    check_descriptors(&child);
    snprintf(path, sizeof path, "/proc/%d/environ", (int)child.pid);
    int environment = open(path, O_RDONLY);
    ck_assert_int_ge(environment, 0);
    ck_assert_int_eq(read(environment, &byte, 1), 0);
    spawn_kill(&child);
    ck_assert_int_eq(end_of(&child).signal, SIGKILL);
}
END_TEST

START_TEST(descriptors_in_the_way_of_each_other_are_dealt_out_right)
{
    char *arguments[] = {"sleep", "100", NULL};
    struct spawn_plan plan = {"/bin/sleep", arguments, 2, 3};
    struct spawn_child child = {-1, -1};
    int pair[2];
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    ck_assert_int_eq(pipe(ends), 0);
    /* The test framework may use 2 and 3 itself, so nothing is asserted while they are ours. */
    int saved_2 = dup(2);
    int saved_3 = dup(3);
    dup2(pair[1], 2);
    dup2(ends[1], 3);
    int result = spawn_start(&plan, &child);
    dup2(saved_2, 2);
    if (saved_3 >= 0)
        dup2(saved_3, 3);
    ck_assert_int_eq(result, 0);
    check_descriptors(&child);
    spawn_kill(&child);
    ck_assert_int_eq(end_of(&child).signal, SIGKILL);
}
END_TEST

START_TEST(a_child_stands_in_the_root_and_in_a_group_of_its_own)
{
    char said[256];

    run_shell("pwd >&2; echo $(test $(cut -d' ' -f5 /proc/$$/stat) = $$ && echo 1) >&2", said, sizeof said);
    ck_assert_str_eq(said, "/\n1\n");
}
END_TEST

START_TEST(a_child_starts_with_default_signals)
{
    char said[256];
    sigset_t all;

    signal(SIGPIPE, SIG_IGN);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    run_shell("grep -E 'Sig(Blk|Ign)' /proc/self/status >&2", said, sizeof said);
    ck_assert_ptr_nonnull(strstr(said, "SigBlk:\t0000000000000000\n"));
    const char *ignored = strstr(said, "SigIgn:\t");
    ck_assert_ptr_nonnull(ignored);
    /* 32 and 33 belong to the C library. */
    ck_assert_uint_eq(strtoull(ignored + strlen("SigIgn:\t"), NULL, 16) & 0x7fffffff, 0);
}
END_TEST

START_TEST(endings_are_told_apart)
{
    struct spawn_child child = start_shell("exit 7", 0, -1);
    struct spawn_ending ending = {0, 0};

    ck_assert_int_eq(spawn_await(&child, clock_monotonic_us() + 10 * SECOND_US, &ending), 0);
    ck_assert_int_eq(ending.exit_code, 7);
    ending = end_of(&child);
    ck_assert_int_eq(ending.exit_code, 7);
    ck_assert_int_eq(ending.signal, 0);

    child = start_shell("exec sleep 100", 0, -1);
    ck_assert_int_eq(spawn_await(&child, clock_monotonic_us() + SECOND_US / 20, &ending), -ETIMEDOUT);
    spawn_kill(&child);
    ending = end_of(&child);
    ck_assert_int_eq(ending.exit_code, -1);
    ck_assert_int_eq(ending.signal, SIGKILL);
}
END_TEST

START_TEST(a_program_that_is_not_there_is_an_error)
{
    char *arguments[] = {"none", NULL};
    struct spawn_plan plan = {"/none", arguments, 0, -1};
    struct spawn_child child = {-1, -1};

    ck_assert_int_eq(spawn_start(&plan, &child), -ENOENT);
    plan.path = "/etc/passwd";
    ck_assert_int_eq(spawn_start(&plan, &child), -EACCES);
    plan.socket_fd = -1;
    ck_assert_int_eq(spawn_start(&plan, &child), -EBADF);
    ck_assert_int_eq(child.pid, -1);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(an_inherited_wish_to_forget_children_is_undone)
{
    signal(SIGCHLD, SIG_IGN);
    spawn_keep_children();
    struct spawn_child child = start_shell("exit 3", 0, -1);
    ck_assert_int_eq(end_of(&child).exit_code, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spawn");
    TCase *tests = tcase_create("spawn");

    tcase_add_test(tests, a_child_holds_four_descriptors_and_no_environment);
    tcase_add_test(tests, descriptors_in_the_way_of_each_other_are_dealt_out_right);
    tcase_add_test(tests, a_child_stands_in_the_root_and_in_a_group_of_its_own);
    tcase_add_test(tests, a_child_starts_with_default_signals);
    tcase_add_test(tests, endings_are_told_apart);
    tcase_add_test(tests, a_program_that_is_not_there_is_an_error);
    tcase_add_test(tests, an_inherited_wish_to_forget_children_is_undone);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
