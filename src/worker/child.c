#include "child.h"

#include "prescreen/base/clock.h"
#include "prescreen/os/sandbox.h"

#include "channel.h"
#include "ending.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LAST_WORDS_MAX = 200, NUMBER_TEXT_SIZE = 24, PROGRAM_NAME_SIZE = 32 };

static void close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* pair[0] and ends[0] stay here, the others go to the worker. */
static int make_channels(int pair[2], int ends[2])
{
    int buffer = 2 * MESSAGE_REPLY_MAX;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return -errno;
    /* A reply is sent in one piece; a system's default may be smaller. */
    if (setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer) != 0)
        return -errno;
    if (SANDBOX_SANITIZED)
        return 0;
    /* A worker that talks too much must not wait for a reader: what does not fit is lost. */
    return pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0 ? 0 : -errno;
}

static int start_process(const struct child_plan *plan, int socket_fd, int error_fd,
                         struct spawn_child *process)
{
    char memory[NUMBER_TEXT_SIZE];
    char seconds[NUMBER_TEXT_SIZE];
    char level[NUMBER_TEXT_SIZE];
    char name[PROGRAM_NAME_SIZE];
    char *arguments[] = {name, memory, seconds, level, NULL};
    struct spawn_plan spawn = {plan->path, arguments, socket_fd, error_fd};

    snprintf(name, sizeof name, "%s", worker_kind_program(plan->kind));
    snprintf(memory, sizeof memory, "%llu", (unsigned long long)plan->memory_bytes);
    snprintf(seconds, sizeof seconds, "%llu", (unsigned long long)plan->cpu_seconds);
    snprintf(level, sizeof level, "%s", cpu_level_name(plan->cpu));
    return spawn_start(&spawn, process);
}

int child_start(const struct child_plan *plan, struct child *child, struct diag *diag)
{
    struct spawn_child process = {-1, -1};
    int pair[2] = {-1, -1};
    int ends[2] = {-1, -1};
    int result = make_channels(pair, ends);

    if (result != 0)
        diag_set(diag, "no socket or pipe for a %s: %s", worker_kind_title(plan->kind), strerror(-result));
    if (result == 0) {
        result = start_process(plan, pair[1], ends[1], &process);
        if (result != 0)
            diag_set(diag, "worker %s cannot be started: %s", plan->path, strerror(-result));
    }
    close_if_open(&pair[1]);
    close_if_open(&ends[1]);
    if (result != 0) {
        close_if_open(&pair[0]);
        close_if_open(&ends[0]);
        return result;
    }
    *child = (struct child){.process = process,
                            .pid = process.pid,
                            .kind = plan->kind,
                            .socket_fd = pair[0],
                            .error_fd = ends[0],
                            .job = 0};
    return 0;
}

int child_send(struct child *child, const struct job *job, int file_fd)
{
    uint8_t packet[MESSAGE_JOB_SIZE];

    message_write_job(job, packet);
    child->job = job->number;
    return channel_send(child->socket_fd, packet, sizeof packet, file_fd, MSG_DONTWAIT);
}

int child_receive(const struct child *child, uint64_t deadline_us, uint8_t *packet, size_t capacity,
                  size_t *size)
{
    struct pollfd watched = {.fd = child->socket_fd, .events = POLLIN};

    for (;;) {
        int ready = poll(&watched, 1, clock_poll_timeout_ms(deadline_us));
        if (ready == 0)
            return -ETIMEDOUT;
        if (ready > 0)
            return channel_receive(child->socket_fd, packet, capacity, size, NULL, MSG_DONTWAIT);
        if (errno != EINTR)
            return -errno;
    }
}

void child_kill(const struct child *child)
{
    spawn_kill(&child->process);
}

/* What the worker wrote to its stderr: our own sentence, an abort's, or what an attacker wants a reader of
 * the log to believe; so it is cut, one line, and marked as the worker's. */
static void read_last_words(const struct child *child, char words[LAST_WORDS_MAX + 1])
{
    ssize_t got = child->error_fd < 0 ? 0 : read(child->error_fd, words, LAST_WORDS_MAX);

    words[got < 0 ? 0 : got] = '\0';
    words[strcspn(words, "\n")] = '\0';
    for (char *c = words; *c != '\0'; c++) {
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
    }
}

int child_bury(struct child *child, uint64_t deadline_us, struct spawn_ending *ending, struct diag *diag)
{
    char cause[ENDING_TEXT_SIZE];
    char words[LAST_WORDS_MAX + 1];
    char job[48] = "before its first job";
    int result = spawn_reap(&child->process, deadline_us, ending);

    if (result != 0)
        return result;
    ending_describe(ending, cause);
    read_last_words(child, words);
    if (child->job != 0)
        snprintf(job, sizeof job, "last job %llu", (unsigned long long)child->job);
    diag_set(diag, "%s %d: %s (%s)%s%s", worker_kind_title(child->kind), (int)child->pid, cause, job,
             words[0] == '\0' ? "" : "; it said: ", words);
    close_if_open(&child->socket_fd);
    close_if_open(&child->error_fd);
    *child = CHILD_NONE;
    return 0;
}
