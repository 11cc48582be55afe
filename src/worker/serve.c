#include "prescreen/worker/serve.h"

#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"
#include "prescreen/os/memfile.h"
#include "prescreen/os/spawn.h"
#include "prescreen/worker/exit_code.h"

#include "channel.h"
#include "examine.h"
#include "forbidden.h"
#include "message.h"
#include "selftest.h"
#include "timing.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct session {
    const struct worker_setup *setup;
    const struct decode_codecs *codecs;
    unsigned int landlock_abi;
    size_t reply_size;
    uint32_t views_sent; /* with the reply; those of the examination that are left follow it */
    uint8_t reply[MESSAGE_REPLY_MAX];
    struct examination examination;
};

bool worker_setup_read(int argc, char **argv, struct worker_setup *setup)
{
    struct worker_setup read = {.limits = {.threads = false}};
    int type = 0;
    socklen_t size = sizeof type;

    if (argc != 4 || !text_parse_u64(argv[1], UINT64_MAX, &read.limits.memory_bytes) ||
        !text_parse_u64(argv[2], UINT32_MAX, &read.limits.cpu_seconds) ||
        !cpu_level_parse(argv[3], &read.cpu))
        return false;
    if (read.limits.memory_bytes == 0 || read.limits.cpu_seconds == 0 || read.cpu > cpu_detect())
        return false;
    if (getsockopt(SPAWN_SOCKET_FD, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET)
        return false;
    *setup = read;
    return true;
}

/* Positive codes end the worker; this goes on. */
enum { SERVE_ON = -1 };

static struct examine_orders orders_for(const struct session *session, const struct job *job)
{
    uint64_t memory_bytes = session->setup->limits.memory_bytes;

    return (struct examine_orders){
        .codecs = session->codecs,
        .limits =
            examine_limits_for(session->codecs, job->size, memory_bytes, job->pixels_max, job->frames_max),
        .deadline_us = clock_monotonic_us() + job->time_us,
        .effort = job->effort,
        .enrolment = job->enrolment,
        .cpu = session->setup->cpu,
    };
}

static int examine(struct session *session, const struct job *job, const uint8_t *data)
{
    struct examine_orders orders = orders_for(session, job);

    examine_upload(data, (size_t)job->size, &orders, &session->examination);
    session->reply_size = message_write_examined(job->number, &session->examination, session->reply);
    session->views_sent = MESSAGE_VIEWS_MAX;
    return SERVE_ON;
}

static int measure(struct session *session, const struct job *job, const uint8_t *data)
{
    struct examine_orders orders = orders_for(session, job);
    struct worker_measurement measured;
    reason_set reasons = timing_measure(data, (size_t)job->size, &orders, job->repeats, &measured);

    session->reply_size = message_write_measured(job->number, reasons, &measured, session->reply);
    return SERVE_ON;
}

static int test_itself(struct session *session, const struct job *job)
{
    if (!selftest_passes(session->codecs, session->setup->limits.memory_bytes, session->setup->cpu,
                         &session->examination))
        return WORKER_EXIT_SELF_TEST;
    session->reply_size = message_write_self_tested(job->number, session->landlock_abi, session->reply);
    return SERVE_ON;
}

static int probe(struct session *session, const struct job *job)
{
    forbidden_try(job->call, job->parent_pid);
    session->reply_size = message_write_survived(job->number, job->call, session->reply);
    return SERVE_ON;
}

/* A job about a file: it is believed only sealed and of the size that the job says. */
static int read_file(struct session *session, const struct job *job, int file_fd)
{
    static const uint8_t nothing[1];
    const uint8_t *data = nothing;

    if (memfile_check(file_fd, job->size) != 0)
        return WORKER_EXIT_BAD_FILE;
    if (job->size > 0 && memfile_map(file_fd, job->size, &data) != 0)
        return WORKER_EXIT_OUT_OF_MEMORY;
    int result = job->type == JOB_EXAMINE ? examine(session, job, data) : measure(session, job, data);
    if (job->size > 0)
        memfile_unmap(data, job->size);
    return result;
}

static int do_job(struct session *session, const struct job *job, int file_fd)
{
    switch (job->type) {
    case JOB_EXAMINE:
    case JOB_MEASURE:
        return read_file(session, job, file_fd);
    case JOB_SELF_TEST:
        return test_itself(session, job);
    case JOB_PROBE:
        return probe(session, job);
    }
    return WORKER_EXIT_BAD_MESSAGE;
}

static int exit_code_of(int error)
{
    if (error == -EPIPE)
        return WORKER_EXIT_PARENT_GONE;
    return error == -EPROTO ? WORKER_EXIT_BAD_MESSAGE : WORKER_EXIT_SOCKET;
}

static int send_answer(struct session *session, const struct job *job)
{
    int result = channel_send(SPAWN_SOCKET_FD, session->reply, session->reply_size, -1, 0);

    while (result == 0 && job->type == JOB_EXAMINE && session->views_sent < session->examination.view_count) {
        session->reply_size =
            message_write_views(job->number, &session->examination, &session->views_sent, session->reply);
        result = channel_send(SPAWN_SOCKET_FD, session->reply, session->reply_size, -1, 0);
    }
    return result == 0 ? SERVE_ON : exit_code_of(result);
}

/* Takes one job and answers it. Returns SERVE_ON or the exit code. */
static int serve_job(struct session *session)
{
    uint8_t packet[MESSAGE_JOB_SIZE];
    struct job job;
    size_t size = 0;
    int file_fd = -1;
    int result = channel_receive(SPAWN_SOCKET_FD, packet, sizeof packet, &size, &file_fd, 0);

    if (result != 0)
        return exit_code_of(result);
    if (message_read_job(packet, size, file_fd >= 0 ? 1 : 0, &job) != 0)
        result = WORKER_EXIT_BAD_MESSAGE;
    else
        result = do_job(session, &job, file_fd);
    if (file_fd >= 0)
        close(file_fd);
    return result == SERVE_ON ? send_answer(session, &job) : result;
}

int worker_serve(const struct worker_setup *setup, const struct decode_codecs *codecs,
                 const struct sandbox_report *sandbox)
{
    struct session *session = calloc(1, sizeof *session);
    int result = SERVE_ON;

    if (session == NULL)
        return WORKER_EXIT_OUT_OF_MEMORY;
    session->setup = setup;
    session->codecs = codecs;
    session->landlock_abi = sandbox->landlock_abi;
    while (result == SERVE_ON)
        result = serve_job(session);
    free(session);
    return result;
}
