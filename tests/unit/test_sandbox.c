#include "prescreen/os/memfile.h"
#include "prescreen/os/sandbox.h"
#include "prescreen/os/spawn.h"

#include "os/landlock.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SURVIVED = 40,
    FIRST_FAILED_STEP = 50,
    SPARE_FD = 4,
    THREAD_FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                   CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
};
#define MIB ((uint64_t)1 << 20)

static const struct sandbox_limits roomy = {.memory_bytes = 256 * MIB, .cpu_seconds = 10};
static const struct sandbox_limits threaded = {.memory_bytes = 256 * MIB, .cpu_seconds = 10, .threads = true};

/* Leaves the descriptors that a worker has: 0-2, the socket at 3, and one file at SPARE_FD when that is
 * given. */
static void arrange_descriptors(int socket_fd, int spare_fd)
{
    int high_socket = fcntl(socket_fd, F_DUPFD, 100);
    int high_spare = spare_fd < 0 ? -1 : fcntl(spare_fd, F_DUPFD, 100);

    dup2(high_socket, SPAWN_SOCKET_FD);
    if (high_spare >= 0)
        dup2(high_spare, SPARE_FD);
    syscall(SYS_close_range, high_spare >= 0 ? SPARE_FD + 1 : SPARE_FD, ~0U, 0);
}

struct confined {
    pid_t pid;
    int socket_fd;
};

/* Runs act in a confined child, which then exits with SURVIVED or what act returned. */
static struct confined start_confined(const struct sandbox_limits *limits, int spare_fd, int (*act)(void))
{
    struct sandbox_report report = {0};
    struct diag diag = {""};
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        arrange_descriptors(pair[1], spare_fd);
        if (sandbox_enter(limits, &report, &diag) != 0)
            _exit(FIRST_FAILED_STEP + (int)report.failed);
        int result = act();
        _exit(result == 0 ? SURVIVED : result);
    }
    close(pair[1]);
    return (struct confined){pid, pair[0]};
}

static int wait_confined(struct confined confined)
{
    int status = 0;

    ck_assert_int_eq(waitpid(confined.pid, &status, 0), confined.pid);
    close(confined.socket_fd);
    return status;
}

static int run_confined(int (*act)(void))
{
    return wait_confined(start_confined(&roomy, -1, act));
}

static int use_memory(void);

static void *answer_argument(void *argument)
{
    return argument;
}

static void *use_memory_there(void *argument)
{
    static char use_memory_failed;

    (void)argument;
    return use_memory() == 0 ? NULL : &use_memory_failed;
}

static void *open_there(void *argument)
{
    syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
    return argument;
}

static void *abort_there(void *argument)
{
    (void)argument;
    abort();
}

struct ball {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int number; /* the thread makes it even again */
};

static void *return_balls(void *argument)
{
    struct ball *ball = argument;

    pthread_mutex_lock(&ball->lock);
    while (ball->number < 2000) {
        while (ball->number % 2 == 0)
            pthread_cond_wait(&ball->moved, &ball->lock);
        ball->number++;
        pthread_cond_signal(&ball->moved);
    }
    pthread_mutex_unlock(&ball->lock);
    return NULL;
}

static int try_open(void)
{
    return (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
}

static int try_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int try_execve(void)
{
    char *none[] = {NULL};

    return execve("/bin/true", none, none);
}

static int try_fork(void)
{
    return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static int try_clone3(void)
{
    return (int)syscall(SYS_clone3, NULL, 0);
}

static int try_kill(void)
{
    return kill(0, 0);
}

static int try_signalling_init(void)
{
    return (int)syscall(SYS_tgkill, 1, 1, SIGABRT);
}

static int try_other_signal_to_itself(void)
{
    return (int)syscall(SYS_tgkill, getpid(), getpid(), SIGTERM);
}

static int try_ptrace(void)
{
    return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int try_ioctl(void)
{
    return (int)syscall(SYS_ioctl, 0, 0x5401, NULL);
}

static int try_prctl(void)
{
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int try_seccomp(void)
{
    return (int)syscall(SYS_seccomp, 0, 0, NULL);
}

static int try_io_uring(void)
{
    return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static int try_process_vm(void)
{
    return (int)syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0);
}

static int try_prlimit(void)
{
    struct rlimit limit = {0, 0};

    return (int)syscall(SYS_prlimit64, 0, RLIMIT_CORE, &limit, NULL);
}

static int try_read(void)
{
    char byte;

    return (int)syscall(SYS_read, 0, &byte, 1);
}

static int try_write_to_output(void)
{
    return (int)syscall(SYS_write, 1, "", 0);
}

static int try_write_to_socket(void)
{
    return (int)syscall(SYS_write, SPAWN_SOCKET_FD, "x", 1);
}

static int try_sendmsg_elsewhere(void)
{
    struct msghdr message = {0};

    return (int)sendmsg(2, &message, 0);
}

static int try_recvmsg_elsewhere(void)
{
    struct msghdr message = {0};

    return (int)recvmsg(0, &message, 0);
}

static int try_executable_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int try_making_memory_executable(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return mprotect(memory, 4096, PROT_READ | PROT_EXEC);
}

static int try_duplicating(void)
{
    return fcntl(0, F_DUPFD, 0);
}

static int try_stat(void)
{
    struct stat status;

    return stat("/etc/passwd", &status);
}

static int try_memfd(void)
{
    return memfd_create("x", 0);
}

static int try_unshare(void)
{
    return unshare(CLONE_NEWUSER);
}

static int try_getppid(void)
{
    return (int)syscall(SYS_getppid);
}

static const struct {
    const char *name;
    int (*act)(void);
} forbidden[] = {
    {"open", try_open},
    {"socket", try_socket},
    {"execve", try_execve},
    {"fork", try_fork},
    {"clone3", try_clone3},
    {"kill", try_kill},
    {"tgkill of another", try_signalling_init},
    {"another signal to itself", try_other_signal_to_itself},
    {"ptrace", try_ptrace},
    {"ioctl", try_ioctl},
    {"prctl", try_prctl},
    {"seccomp", try_seccomp},
    {"io_uring", try_io_uring},
    {"process_vm_readv", try_process_vm},
    {"prlimit", try_prlimit},
    {"read", try_read},
    {"write to stdout", try_write_to_output},
    {"write to the socket", try_write_to_socket},
    {"sendmsg elsewhere", try_sendmsg_elsewhere},
    {"recvmsg elsewhere", try_recvmsg_elsewhere},
    {"executable memory", try_executable_memory},
    {"making memory executable", try_making_memory_executable},
    {"fcntl F_DUPFD", try_duplicating},
    {"stat of a path", try_stat},
    {"memfd_create", try_memfd},
    {"unshare", try_unshare},
    {"getppid", try_getppid},
};

START_TEST(a_forbidden_call_ends_the_process_with_sigsys)
{
    int status = run_confined(forbidden[_i].act);

    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%s: wait status %x", forbidden[_i].name,
                  (unsigned int)status);
    ck_assert_int_eq(WCOREDUMP(status), 0);
}
END_TEST

static int start_thread(void)
{
    static char given;
    pthread_t thread;
    void *answer = NULL;
    int error = pthread_create(&thread, NULL, answer_argument, &given);

    if (error != 0)
        return error;
    error = pthread_join(thread, &answer);
    return error != 0 ? error : answer != &given;
}

START_TEST(a_thread_is_the_end_of_a_process_that_may_start_none)
{
    int status = run_confined(start_thread);

    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}
END_TEST

static int start_many_threads(void)
{
    int result = 0;

    for (int i = 0; result == 0 && i < 50; i++)
        result = start_thread();
    return result;
}

/* Two threads pass a number to and fro. */
static int talk_with_a_thread(void)
{
    struct ball ball = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, return_balls, &ball);

    for (int i = 0; error == 0 && i < 1000; i++) {
        pthread_mutex_lock(&ball.lock);
        ball.number++;
        pthread_cond_signal(&ball.moved);
        while (ball.number % 2 != 0)
            pthread_cond_wait(&ball.moved, &ball.lock);
        pthread_mutex_unlock(&ball.lock);
    }
    return error == 0 ? pthread_join(thread, NULL) : error;
}

static int use_memory_in_a_thread(void)
{
    pthread_t thread;
    void *answer = NULL;
    int error = pthread_create(&thread, NULL, use_memory_there, NULL);

    return error != 0 ? error : pthread_join(thread, &answer) != 0 || answer != NULL;
}

/* The libraries take these answers and go on. */
static int see_what_is_answered(void)
{
    cpu_set_t cores;

    if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
        return 1;
    memset(&cores, 0xff, sizeof cores);
    return sched_getaffinity(0, sizeof cores, &cores) == 0 && CPU_COUNT(&cores) == 0 ? 0 : 2;
}

static int (*const thread_acts[])(void) = {start_thread, start_many_threads, talk_with_a_thread,
                                           use_memory_in_a_thread, see_what_is_answered};

START_TEST(a_process_that_may_start_threads_starts_them)
{
    int status = wait_confined(start_confined(&threaded, -1, thread_acts[_i]));

    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == SURVIVED, "wait status %x",
                  (unsigned int)status);
}
END_TEST

static int try_fork_with_parent(void)
{
    return (int)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}

static int try_thread_in_a_namespace(void)
{
    return (int)syscall(SYS_clone, THREAD_FLAGS | CLONE_NEWUSER, 0, 0, 0, 0);
}

static int try_thread_of_its_own_memory(void)
{
    return (int)syscall(SYS_clone, THREAD_FLAGS & ~CLONE_VM, 0, 0, 0, 0);
}

static int try_vfork(void)
{
    return (int)syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
}

static int try_pinning(void)
{
    cpu_set_t cores;

    CPU_ZERO(&cores);
    CPU_SET(0, &cores);
    return sched_setaffinity(0, sizeof cores, &cores);
}

static int try_open_in_a_thread(void)
{
    pthread_t thread;

    return pthread_create(&thread, NULL, open_there, NULL) == 0 ? pthread_join(thread, NULL) : 1;
}

static int (*const forbidden_with_threads[])(void) = {
    try_fork_with_parent, try_thread_in_a_namespace, try_thread_of_its_own_memory, try_vfork,
    try_pinning,          try_open_in_a_thread};

START_TEST(a_process_with_threads_may_do_nothing_else)
{
    const int count = sizeof forbidden / sizeof forbidden[0];
    int (*act)(void) = _i < count ? forbidden[_i].act : forbidden_with_threads[_i - count];

    if (act == try_clone3)
        return; /* refused, above */
    int status = wait_confined(start_confined(&threaded, -1, act));
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%d: wait status %x", _i,
                  (unsigned int)status);
}
END_TEST

static int abort_in_a_thread(void)
{
    pthread_t thread;

    return pthread_create(&thread, NULL, abort_there, NULL) == 0 ? pthread_join(thread, NULL) : 1;
}

START_TEST(a_thread_that_aborts_ends_the_process_in_sigabrt)
{
    int status = wait_confined(start_confined(&threaded, -1, abort_in_a_thread));

    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
END_TEST

static int use_memory(void)
{
    for (size_t size = 16; size <= 64 * MIB; size *= 2) {
        char *block = malloc(size);
        if (block == NULL)
            return 1;
        memset(block, 1, size);
        char *grown = realloc(block, size + size / 2);
        if (grown == NULL)
            return 2;
        free(grown);
    }
    return 0;
}

START_TEST(memory_is_allowed)
{
    int status = run_confined(use_memory);

    ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1, SURVIVED);
}
END_TEST

static int take_file_and_answer(void)
{
    const uint8_t *data = NULL;
    char text[16];
    struct iovec part = {text, sizeof text};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    int fd = -1;

    if (recvmsg(SPAWN_SOCKET_FD, &message, 0) != 3 || CMSG_FIRSTHDR(&message) == NULL)
        return 1;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    if (fd != SPARE_FD || memfile_check(fd, 5) != 0 || memfile_map(fd, 5, &data) != 0)
        return 2;
    part = (struct iovec){(void *)(uintptr_t)data, 5};
    message = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
    if (sendmsg(SPAWN_SOCKET_FD, &message, 0) != 5)
        return 3;
    memfile_unmap(data, 5);
    return close(fd);
}

static void send_file(int socket_fd, int fd)
{
    struct iovec part = {"job", 3};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};

    memset(&control, 0, sizeof control);
    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    ck_assert_int_eq(sendmsg(socket_fd, &message, 0), 3);
}

START_TEST(a_sealed_file_is_taken_read_and_answered)
{
    char text[16];
    int fd = -1;

    ck_assert_int_eq(memfile_create("test", &fd), 0);
    ck_assert_int_eq(memfile_append(fd, "hello", 5), 0);
    ck_assert_int_eq(memfile_seal(fd), 0);
    struct confined confined = start_confined(&roomy, -1, take_file_and_answer);
    send_file(confined.socket_fd, fd);
    ck_assert_int_eq(recv(confined.socket_fd, text, sizeof text, 0), 5);
    ck_assert_mem_eq(text, "hello", 5);
    int status = wait_confined(confined);
    ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1, SURVIVED);
    close(fd);
}
END_TEST

static int call_abort(void)
{
    abort();
}

START_TEST(a_broken_invariant_ends_in_sigabrt)
{
    int status = run_confined(call_abort);

    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
}
END_TEST

static int take_too_much_memory(void)
{
    char *volatile fits = malloc(128 * MIB); /* volatile: a compiler may assume that what nobody reads fits */
    char *volatile exceeds = malloc(256 * MIB);

    if (fits == NULL)
        return 1;
    return exceeds == NULL ? 0 : 2;
}

START_TEST(memory_past_the_limit_is_refused)
{
    if (SANDBOX_SANITIZED) {
        printf("# skipped: a sanitizer needs the address space\n");
        return;
    }
    int status = run_confined(take_too_much_memory);
    ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1, SURVIVED);
}
END_TEST

static int compute_for_ever(void)
{
    volatile bool stop = false;

    while (!stop)
        ;
    return 0;
}

START_TEST(processor_time_past_the_limit_ends_in_sigxcpu)
{
    struct sandbox_limits limits = {.memory_bytes = 256 * MIB, .cpu_seconds = 1};
    int status = wait_confined(start_confined(&limits, -1, compute_for_ever));

    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGXCPU);
}
END_TEST

static int say_ready_and_wait(void)
{
    char byte = 0;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    sendmsg(SPAWN_SOCKET_FD, &message, 0);
    recvmsg(SPAWN_SOCKET_FD, &message, 0);
    return 0;
}

static void read_proc(pid_t pid, const char *name, char *text, size_t capacity)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, capacity - 1, file)] = '\0';
    fclose(file);
}

START_TEST(the_kernel_shows_the_confinement)
{
    char text[8192];
    char byte;
    struct confined confined = start_confined(&roomy, -1, say_ready_and_wait);

    ck_assert_int_eq(recv(confined.socket_fd, &byte, 1, 0), 1);
    read_proc(confined.pid, "status", text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "NoNewPrivs:\t1\n"));
    ck_assert_ptr_nonnull(strstr(text, "Seccomp:\t2\n"));
    ck_assert_ptr_nonnull(strstr(text, "CapEff:\t0000000000000000\n"));
    ck_assert_ptr_nonnull(strstr(text, "CapPrm:\t0000000000000000\n"));
    read_proc(confined.pid, "limits", text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "Max core file size        0                    0 "));
    ck_assert_ptr_nonnull(strstr(text, "Max file size             0                    0 "));
    ck_assert_ptr_nonnull(strstr(text, "Max processes             0                    0 "));
    ck_assert_ptr_nonnull(strstr(text, "Max open files            5                    5 "));
    ck_assert_ptr_nonnull(strstr(text, "Max cpu time              10                   11 "));
    ck_assert(SANDBOX_SANITIZED ||
              strstr(text, "Max address space         268435456            268435456 ") != NULL);
    close(confined.socket_fd);
    int status = wait_confined((struct confined){confined.pid, -1});
    ck_assert_int_eq(WEXITSTATUS(status), SURVIVED);
}
END_TEST

START_TEST(a_confined_process_dies_with_its_parent)
{
    int ends[2];
    char byte;

    ck_assert_int_eq(pipe(ends), 0);
    pid_t parent = fork();
    ck_assert_int_ge(parent, 0);
    if (parent == 0) {
        struct confined confined = start_confined(&roomy, ends[1], compute_for_ever);
        (void)confined;
        usleep(200000);
        _exit(0);
    }
    close(ends[1]);
    /* The end of the pipe: the confined process, which held the last writing end and never exits, is gone. */
    ck_assert_int_eq(read(ends[0], &byte, 1), 0);
    ck_assert_int_eq(waitpid(parent, NULL, 0), parent);
    close(ends[0]);
}
END_TEST

START_TEST(the_step_that_failed_is_named)
{
    struct sandbox_report report = {0};
    struct diag diag = {""};
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        /* No descriptor is left under the limit of five for Landlock's ruleset. */
        for (int fd = 0; fd <= SPARE_FD; fd++)
            dup2(2, fd);
        int result = sandbox_enter(&roomy, &report, &diag);
        if (result == 0)
            _exit(report.landlock_abi == 0 ? 0 : 1);
        bool named = result == -EMFILE && report.failed == SANDBOX_LANDLOCK &&
                     strcmp(diag.text, "sandbox step landlock failed: Too many open files") == 0;
        _exit(named ? 0 : 2);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}
END_TEST

START_TEST(landlock_alone_forbids_the_file_system)
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        unsigned int abi = 0;
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (landlock_forbid_all(&abi) != 0)
            _exit(1);
        if (abi == 0)
            _exit(77);
        if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
            _exit(2);
        if (open("/tmp", O_RDONLY | O_DIRECTORY) >= 0 || errno != EACCES)
            _exit(3);
        if (abi >= 6 && (kill(getppid(), 0) == 0 || errno != EPERM))
            _exit(4);
        _exit(0);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        printf("# skipped: this kernel has no Landlock\n");
    else
        ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(every_step_has_a_name)
{
    for (int i = 0; i < SANDBOX_STEP_COUNT; i++)
        ck_assert_ptr_nonnull(sandbox_step_name((enum sandbox_step)i));
    ck_assert_str_eq(sandbox_step_name(SANDBOX_SECCOMP), "seccomp");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sandbox");
    TCase *tests = tcase_create("sandbox");

    tcase_add_loop_test(tests, a_forbidden_call_ends_the_process_with_sigsys, 0,
                        (int)(sizeof forbidden / sizeof forbidden[0]));
    tcase_add_test(tests, a_thread_is_the_end_of_a_process_that_may_start_none);
    tcase_add_loop_test(tests, a_process_that_may_start_threads_starts_them, 0,
                        sizeof thread_acts / sizeof thread_acts[0]);
    tcase_add_loop_test(tests, a_process_with_threads_may_do_nothing_else, 0,
                        (sizeof forbidden / sizeof forbidden[0] +
                         sizeof forbidden_with_threads / sizeof forbidden_with_threads[0]));
    tcase_add_test(tests, a_thread_that_aborts_ends_the_process_in_sigabrt);
    tcase_add_test(tests, memory_is_allowed);
    tcase_add_test(tests, a_sealed_file_is_taken_read_and_answered);
    tcase_add_test(tests, a_broken_invariant_ends_in_sigabrt);
    tcase_add_test(tests, memory_past_the_limit_is_refused);
    tcase_add_test(tests, processor_time_past_the_limit_ends_in_sigxcpu);
    tcase_add_test(tests, the_kernel_shows_the_confinement);
    tcase_add_test(tests, a_confined_process_dies_with_its_parent);
    tcase_add_test(tests, the_step_that_failed_is_named);
    tcase_add_test(tests, landlock_alone_forbids_the_file_system);
    tcase_add_test(tests, every_step_has_a_name);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
