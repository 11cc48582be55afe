#include "prescreen/os/spawn.h"

#include "prescreen/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns 0 or a positive error number, as posix_spawn's functions do. */
static int add_file_actions(posix_spawn_file_actions_t *actions, int socket_fd, int error_fd)
{
    int error = posix_spawn_file_actions_addchdir_np(actions, "/");

    if (error == 0)
        error = posix_spawn_file_actions_adddup2(actions, socket_fd, SPAWN_SOCKET_FD);
    if (error == 0 && error_fd >= 0)
        error = posix_spawn_file_actions_adddup2(actions, error_fd, STDERR_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(actions, SPAWN_SOCKET_FD + 1);
    return error;
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;

    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0)
        error = posix_spawnattr_setsigdefault(attributes, &all);
    if (error == 0)
        error = posix_spawnattr_setpgroup(attributes, 0);
    if (error == 0)
        error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                         POSIX_SPAWN_SETPGROUP);
    return error;
}

static int spawn_with(const struct spawn_plan *plan, int socket_fd, int error_fd, pid_t *pid)
{
    static char *const empty_environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);

    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    error = add_file_actions(&actions, socket_fd, error_fd);
    if (error == 0)
        error = set_attributes(&attributes);
    if (error == 0)
        error = posix_spawn(pid, plan->path, &actions, &attributes, plan->arguments, empty_environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* The descriptors that the child is given are dealt out to 0-3 there: none may already be in their way. */
static int move_out_of_the_way(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, SPAWN_SOCKET_FD + 1);

    return moved < 0 ? -errno : moved;
}

static int open_pid_fd(pid_t pid)
{
    long fd = syscall(SYS_pidfd_open, pid, 0);

    return fd < 0 ? -errno : (int)fd;
}

int spawn_start(const struct spawn_plan *plan, struct spawn_child *child)
{
    int error_fd = -1;
    pid_t pid = -1;
    int result = 0;
    int socket_fd = move_out_of_the_way(plan->socket_fd);

    if (socket_fd < 0)
        return socket_fd;
    if (plan->error_fd >= 0 && (error_fd = move_out_of_the_way(plan->error_fd)) < 0)
        result = error_fd;
    if (result == 0)
        result = -spawn_with(plan, socket_fd, error_fd, &pid);
    close(socket_fd);
    if (error_fd >= 0)
        close(error_fd);
    if (result != 0)
        return result;
    int pid_fd = open_pid_fd(pid);
    if (pid_fd < 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return pid_fd;
    }
    *child = (struct spawn_child){.pid = pid, .pid_fd = pid_fd};
    return 0;
}

static int wait_for_end(const struct spawn_child *child, uint64_t deadline_us)
{
    struct pollfd watched = {.fd = child->pid_fd, .events = POLLIN};

    for (;;) {
        int ready = poll(&watched, 1, clock_poll_timeout_ms(deadline_us));
        if (ready > 0)
            return 0;
        if (ready == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}

static int read_ending(const struct spawn_child *child, int options, struct spawn_ending *ending)
{
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | options) != 0) {
        if (errno != ECHILD)
            return -errno;
        *ending = (struct spawn_ending){.exit_code = -1, .signal = 0};
        return 0;
    }
    if (info.si_pid == 0)
        return -ETIMEDOUT;
    bool exited = info.si_code == CLD_EXITED;
    *ending = (struct spawn_ending){.exit_code = exited ? info.si_status : -1,
                                    .signal = exited ? 0 : info.si_status};
    return 0;
}

int spawn_await(const struct spawn_child *child, uint64_t deadline_us, struct spawn_ending *ending)
{
    int result = wait_for_end(child, deadline_us);

    return result == 0 ? read_ending(child, WNOWAIT, ending) : result;
}

int spawn_reap(struct spawn_child *child, uint64_t deadline_us, struct spawn_ending *ending)
{
    int result = wait_for_end(child, deadline_us);

    if (result == 0)
        result = read_ending(child, 0, ending);
    if (result != 0)
        return result;
    close(child->pid_fd);
    *child = (struct spawn_child){.pid = -1, .pid_fd = -1};
    return 0;
}

void spawn_kill(const struct spawn_child *child)
{
    syscall(SYS_pidfd_send_signal, child->pid_fd, SIGKILL, NULL, 0);
}

void spawn_keep_children(void)
{
    struct sigaction current;
    struct sigaction standard = {.sa_handler = SIG_DFL};

    if (sigaction(SIGCHLD, NULL, &current) != 0)
        return;
    bool ignored = (current.sa_flags & SA_SIGINFO) == 0 && current.sa_handler == SIG_IGN;
    if (ignored || (current.sa_flags & SA_NOCLDWAIT) != 0)
        sigaction(SIGCHLD, &standard, NULL);
}
