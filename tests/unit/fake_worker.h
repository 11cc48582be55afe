/* A worker of the tests: the test program started once more, which speaks the protocol, decodes nothing, and
 * misbehaves as it is told. What it does at its start is told by the memory limit it is given; what it does
 * with a job, by the first byte of the file. */
#ifndef PRESCREEN_TESTS_UNIT_FAKE_WORKER_H
#define PRESCREEN_TESTS_UNIT_FAKE_WORKER_H

#include "prescreen/os/spawn.h"
#include "prescreen/worker/exit_code.h"

#include "worker/channel.h"
#include "worker/message.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* At the start, as memory_bytes. */
enum fake_start {
    FAKE_SOUND = 1,
    FAKE_EXITS_UNCONFINED, /* as if sandbox step landlock had failed */
    FAKE_SURVIVES,         /* answers a probe */
    FAKE_PROBE_GARBAGE,    /* answers a probe with garbage */
    FAKE_PROBE_HANGS,
    FAKE_PROBE_ABORTS,
    FAKE_PROBE_EXITS,
    FAKE_FAILS_SELF_TEST,
    FAKE_SELF_TEST_GARBAGE,
    FAKE_SELF_TEST_OLD_NUMBER,
    FAKE_SELF_TEST_HANGS,
    FAKE_SELF_TEST_ABORTS,
    FAKE_OBEYS_FILE /* fails its self-test while the file fake_flag() exists */
};

/* With a job, as the first byte of its file. Anything else is answered at once: width is the fake's pid,
 * height the file's next four bytes. */
enum fake_deed {
    FAKE_SLOW = 's',       /* answers after 300 ms */
    FAKE_LATE = 'l',       /* answers after 900 ms */
    FAKE_HANGS = 'h',      /* never answers */
    FAKE_GARBAGE = 'g',    /* answers with random bytes */
    FAKE_EMPTY = 'e',      /* answers with an empty packet */
    FAKE_HUGE = 'u',       /* answers with more than any answer has */
    FAKE_OLD_NUMBER = 'o', /* answers the job before */
    FAKE_NEXT_NUMBER = 'n',
    FAKE_TWICE = 't',      /* answers twice */
    FAKE_OTHER_TYPE = 'y', /* answers as to a self-test */
    FAKE_BAD_FIELD = 'b',  /* answers with a view of quality 101 */
    FAKE_WITH_FILE = 'f',  /* sends a descriptor along */
    FAKE_SEGFAULTS = 'v',
    FAKE_SYSCALL = 'c', /* dies of SIGSYS */
    FAKE_CPU = 'x',     /* dies of SIGXCPU */
    FAKE_KILLED = 'k',  /* dies of SIGKILL */
    FAKE_MEMORY = 'm',  /* exits: out of memory */
    FAKE_EXITS = 'q',   /* exits: 0 */
    FAKE_CURSES = 'w'   /* writes terminal escapes to stderr and aborts */
};

/* The file that FAKE_OBEYS_FILE looks for, for a parent of this pid. */
static inline void fake_flag(int parent_pid, char path[64])
{
    snprintf(path, 64, "/tmp/prescreen-fake-%d", parent_pid);
}

struct fake {
    enum fake_start start;
    struct job job;
    uint8_t file[5];
    size_t size;
    uint8_t reply[2 * MESSAGE_REPLY_MAX];
};

static inline _Noreturn void fake_hang(void)
{
    alarm(60); /* a test that was itself killed leaves nothing behind for long */
    for (;;)
        pause();
}

static inline _Noreturn void fake_die_of(int signal_number)
{
    signal(signal_number, SIG_DFL); /* a sanitizer would report instead */
    raise(signal_number);
    _exit(99);
}

static inline void fake_send(struct fake *fake)
{
    if (channel_send(SPAWN_SOCKET_FD, fake->reply, fake->size, -1, 0) != 0)
        _exit(98);
}

static inline void fake_answer_garbage(struct fake *fake)
{
    fake->size = 200;
    memset(fake->reply, 0xa5, fake->size);
    fake_send(fake);
}

static inline void fake_probe(struct fake *fake)
{
    switch (fake->start) {
    case FAKE_SURVIVES:
        fake->size = message_write_survived(fake->job.number, fake->job.call, fake->reply);
        fake_send(fake);
        break;
    case FAKE_PROBE_GARBAGE:
        fake_answer_garbage(fake);
        break;
    case FAKE_PROBE_HANGS:
        fake_hang();
    case FAKE_PROBE_ABORTS:
        fake_die_of(SIGABRT);
    case FAKE_PROBE_EXITS:
        _exit(0);
    default:
        fake_die_of(SIGSYS);
    }
}

static inline void fake_test_itself(struct fake *fake)
{
    char flag[64];

    fake_flag(getppid(), flag);
    if (fake->start == FAKE_FAILS_SELF_TEST || (fake->start == FAKE_OBEYS_FILE && access(flag, F_OK) == 0))
        _exit(WORKER_EXIT_SELF_TEST);
    if (fake->start == FAKE_SELF_TEST_HANGS)
        fake_hang();
    if (fake->start == FAKE_SELF_TEST_ABORTS)
        fake_die_of(SIGABRT);
    if (fake->start == FAKE_SELF_TEST_GARBAGE) {
        fake_answer_garbage(fake);
        return;
    }
    uint64_t number = fake->job.number - (fake->start == FAKE_SELF_TEST_OLD_NUMBER ? 1 : 0);
    fake->size = message_write_self_tested(number, 0, fake->reply);
    fake_send(fake);
}

static inline void fake_write_answer(struct fake *fake, uint64_t number)
{
    static struct examination examination;

    memset(&examination, 0, sizeof examination);
    examination.format = FORMAT_PNG;
    examination.width = (uint32_t)getpid();
    memcpy(&examination.height, fake->file + 1, sizeof examination.height);
    examination.frames = 1;
    examination.view_count = 1;
    examination.views[0].quality = 50;
    if (examination.width < 5 || examination.height < 5)
        _exit(97);
    fake->size = message_write_examined(number, &examination, fake->reply);
}

/* The deeds that answer, but not as they should. */
static inline void fake_distort_answer(struct fake *fake)
{
    enum { AT_QUALITY = 184 + 8 };

    switch (fake->file[0]) {
    case FAKE_GARBAGE:
        memset(fake->reply, 0xa5, fake->size);
        break;
    case FAKE_EMPTY:
        fake->size = 0;
        break;
    case FAKE_HUGE:
        fake->size = MESSAGE_REPLY_MAX + 1;
        break;
    case FAKE_OLD_NUMBER:
        fake_write_answer(fake, fake->job.number - 1);
        break;
    case FAKE_NEXT_NUMBER:
        fake_write_answer(fake, fake->job.number + 1);
        break;
    case FAKE_OTHER_TYPE:
        fake->size = message_write_self_tested(fake->job.number, 0, fake->reply);
        break;
    case FAKE_BAD_FIELD:
        fake->reply[AT_QUALITY] = 101;
        break;
    default:
        break;
    }
}

static inline void fake_perhaps_die(const struct fake *fake)
{
    static const struct {
        enum fake_deed deed;
        int signal;
    } deaths[] = {
        {FAKE_SEGFAULTS, SIGSEGV}, {FAKE_SYSCALL, SIGSYS}, {FAKE_CPU, SIGXCPU}, {FAKE_KILLED, SIGKILL}};

    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++) {
        if (fake->file[0] == deaths[i].deed)
            fake_die_of(deaths[i].signal);
    }
    if (fake->file[0] == FAKE_MEMORY)
        _exit(WORKER_EXIT_OUT_OF_MEMORY);
    if (fake->file[0] == FAKE_EXITS)
        _exit(0);
    if (fake->file[0] == FAKE_CURSES) {
        static const char words[] = "last words\x1b[31m {\"level\":\"info\"}\nsecond line\n";
        if (write(STDERR_FILENO, words, sizeof words - 1) < 0)
            _exit(96);
        fake_die_of(SIGABRT);
    }
}

static inline void fake_examine(struct fake *fake, int file_fd)
{
    memset(fake->file, 0, sizeof fake->file);
    if (pread(file_fd, fake->file, sizeof fake->file, 0) < 0)
        _exit(95);
    fake_perhaps_die(fake);
    if (fake->file[0] == FAKE_HANGS)
        fake_hang();
    if (fake->file[0] == FAKE_SLOW)
        usleep(300000);
    if (fake->file[0] == FAKE_LATE)
        usleep(900000);
    fake_write_answer(fake, fake->job.number);
    fake_distort_answer(fake);
    if (fake->file[0] == FAKE_WITH_FILE)
        channel_send(SPAWN_SOCKET_FD, fake->reply, fake->size, STDERR_FILENO, 0);
    else
        fake_send(fake);
    if (fake->file[0] == FAKE_TWICE)
        fake_send(fake);
}

static inline void fake_serve(struct fake *fake)
{
    uint8_t packet[MESSAGE_JOB_SIZE];
    size_t size = 0;
    int file_fd = -1;

    if (channel_receive(SPAWN_SOCKET_FD, packet, sizeof packet, &size, &file_fd, 0) != 0)
        _exit(0);
    if (message_read_job(packet, size, file_fd >= 0 ? 1 : 0, &fake->job) != 0)
        _exit(94);
    if (fake->job.type == JOB_PROBE)
        fake_probe(fake);
    else if (fake->job.type == JOB_SELF_TEST)
        fake_test_itself(fake);
    else
        fake_examine(fake, file_fd);
    if (file_fd >= 0)
        close(file_fd);
}

/* Runs the fake when this process was started as a worker; then does not return. First thing in main. */
static inline void fake_worker_run(int argc, char **argv)
{
    static struct fake fake;

    if (argc != 4 || strcmp(argv[0], "prescreen-worker") != 0)
        return;
    fake.start = (enum fake_start)strtoul(argv[1], NULL, 10);
    if (fake.start == FAKE_EXITS_UNCONFINED)
        _exit(WORKER_EXIT_SANDBOX_STEP + SANDBOX_LANDLOCK);
    for (;;)
        fake_serve(&fake);
}

#endif
