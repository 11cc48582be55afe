#include "prescreen/base/clock.h"
#include "prescreen/os/memfile.h"
#include "prescreen/os/sandbox.h"
#include "prescreen/worker/pool.h"

#include "fake_worker.h"
#include "tap.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sys/wait.h>

enum { SECOND_US = 1000000, EVENTS_MAX = 512 };

/* What the pool told of its workers. */
static struct {
    pthread_mutex_t lock;
    int count;
    enum worker_event event[EVENTS_MAX];
    uint64_t at_us[EVENTS_MAX];
    char text[EVENTS_MAX][DIAG_TEXT_MAX];
} events = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct worker_pool *pool;

static void note_event(void *context, enum worker_event event, const char *text)
{
    ck_assert_ptr_eq(context, &events);
    pthread_mutex_lock(&events.lock);
    if (events.count < EVENTS_MAX) {
        events.event[events.count] = event;
        events.at_us[events.count] = clock_monotonic_us();
        snprintf(events.text[events.count], DIAG_TEXT_MAX, "%s", text);
        events.count++;
    }
    pthread_mutex_unlock(&events.lock);
}

/* Waits until that many events of the kind have come. Returns the index of the last of them. */
static int await_event(enum worker_event event, int wanted)
{
    uint64_t deadline_us = clock_monotonic_us() + 20 * SECOND_US;

    while (clock_monotonic_us() < deadline_us) {
        int seen = 0;
        pthread_mutex_lock(&events.lock);
        for (int i = 0; i < events.count; i++) {
            seen += events.event[i] == event;
            if (seen == wanted) {
                pthread_mutex_unlock(&events.lock);
                return i;
            }
        }
        pthread_mutex_unlock(&events.lock);
        usleep(1000);
    }
    ck_abort_msg("event %d did not come %d times", (int)event, wanted);
    return -1;
}

static int count_events(enum worker_event event)
{
    int seen = 0;

    pthread_mutex_lock(&events.lock);
    for (int i = 0; i < events.count; i++)
        seen += events.event[i] == event;
    pthread_mutex_unlock(&events.lock);
    return seen;
}

static struct worker_pool_options options_for(enum fake_start start)
{
    static char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);

    ck_assert_int_gt(length, 0);
    path[length] = '\0';
    return (struct worker_pool_options){.worker_path = path,
                                        .count = 1,
                                        .job_time_us = 10 * SECOND_US,
                                        .queue_time_us = 10 * SECOND_US,
                                        .queue_max = 100,
                                        .memory_bytes = (uint64_t)start,
                                        .pixels_max = 1,
                                        .frames_max = 1,
                                        .recycle_after = 1000,
                                        .cpu = CPU_PLAIN,
                                        .on_event = note_event,
                                        .event_context = &events};
}

static void create_pool(const struct worker_pool_options *options)
{
    struct diag diag = {""};
    int result = worker_pool_create(options, &pool, &diag);

    ck_assert_msg(result == 0, "%s", diag.text);
}

static void check_no_child_is_left(void)
{
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
    ck_assert_int_eq(errno, ECHILD);
}

static void free_pool(void)
{
    worker_pool_free(pool);
    pool = NULL;
    check_no_child_is_left();
}

/* A sealed file that tells the fake what to do and what to give back as height. */
static int order(enum fake_deed deed, uint32_t height)
{
    uint8_t content[5] = {(uint8_t)deed};
    int fd = -1;

    memcpy(content + 1, &height, sizeof height);
    if (memfile_create("test", &fd) != 0 || memfile_append(fd, content, sizeof content) != 0 ||
        memfile_seal(fd) != 0)
        abort();
    return fd;
}

static int ask(int fd, uint64_t size, struct examination *examination)
{
    const struct examination_request request = {.memory_fd = fd, .size = size};

    return worker_pool_examine(pool, &request, examination);
}

static int examine(enum fake_deed deed, uint32_t height, struct examination *examination)
{
    int fd = order(deed, height);
    int result = ask(fd, 5, examination);

    close(fd);
    return result;
}

/* The pool answers this upload right. Returns the pid of the worker that did. */
static int check_right_answer(uint32_t height)
{
    static struct examination examination;

    ck_assert_int_eq(examine('.', height, &examination), 0);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert_int_eq(examination.format, FORMAT_PNG);
    ck_assert_uint_eq(examination.height, height);
    ck_assert_uint_eq(examination.view_count, 1);
    ck_assert_uint_eq(examination.views[0].quality, 50);
    ck_assert_str_eq(examination.detail, "");
    return (int)examination.width;
}

static struct worker_pool_status status_now(void)
{
    struct worker_pool_status status;

    worker_pool_read_status(pool, &status);
    return status;
}

static const struct {
    enum fake_start start;
    int error;
    const char *named;
} bad_starts[] = {
    {FAKE_EXITS_UNCONFINED, -EPROTO, "sandbox step landlock failed"},
    {FAKE_SURVIVES, -EPERM, "the sandbox does not hold: a worker that was to open a file"},
    {FAKE_PROBE_GARBAGE, -EPERM, "the sandbox does not hold"},
    {FAKE_PROBE_HANGS, -ETIMEDOUT, "open a file"},
    {FAKE_PROBE_ABORTS, -EPROTO, "killed by SIGABRT"},
    {FAKE_PROBE_EXITS, -EPROTO, "open a file"},
    {FAKE_FAILS_SELF_TEST, -EPROTO, "self-test"},
    {FAKE_SELF_TEST_GARBAGE, -EPROTO, "nonsense"},
    {FAKE_SELF_TEST_OLD_NUMBER, -EPROTO, "nonsense"},
    {FAKE_SELF_TEST_HANGS, -EPROTO, "self-test in time"},
    {FAKE_SELF_TEST_ABORTS, -EPROTO, "killed by SIGABRT"},
};

START_TEST(a_pool_whose_worker_is_not_sound_does_not_start)
{
    struct worker_pool_options options = options_for(bad_starts[_i].start);
    struct diag diag = {""};

    options.count = 2;
    ck_assert_int_eq(worker_pool_create(&options, &pool, &diag), bad_starts[_i].error);
    ck_assert_msg(strstr(diag.text, bad_starts[_i].named) != NULL, "%s", diag.text);
    ck_assert_ptr_null(pool);
    check_no_child_is_left();
}
END_TEST

START_TEST(a_worker_that_is_not_there_is_named)
{
    struct worker_pool_options options = options_for(FAKE_SOUND);
    struct diag diag = {""};

    options.worker_path = "/nowhere/prescreen-worker";
    ck_assert_int_eq(worker_pool_create(&options, &pool, &diag), -ENOENT);
    ck_assert_ptr_nonnull(strstr(diag.text, "/nowhere/prescreen-worker"));
    options.worker_path = "prescreen-worker";
    ck_assert_int_eq(worker_pool_create(&options, &pool, &diag), -EINVAL);
    ck_assert_ptr_nonnull(strstr(diag.text, "absolute"));
}
END_TEST

START_TEST(limits_of_zero_are_refused)
{
    for (int i = 0; i < 7; i++) {
        struct worker_pool_options options = options_for(FAKE_SOUND);
        struct diag diag = {""};
        options.count = i == 0 ? 0 : i == 1 ? WORKER_POOL_COUNT_MAX + 1 : 1;
        options.job_time_us = i == 2 ? 0 : 1;
        options.memory_bytes = i == 3 ? 0 : 1;
        options.pixels_max = i == 4 ? 0 : 1;
        options.frames_max = i == 5 ? 0 : 1;
        options.recycle_after = i == 6 ? 0 : 1;
        ck_assert_int_eq(worker_pool_create(&options, &pool, &diag), -EINVAL);
        ck_assert_str_ne(diag.text, "");
    }
}
END_TEST

START_TEST(jobs_are_answered_and_counted)
{
    struct worker_pool_options options = options_for(FAKE_SOUND);

    options.count = 2;
    create_pool(&options);
    struct worker_pool_status status = status_now();
    ck_assert(status.count == 2 && status.alive == 2 && status.busy == 0 && status.waiting == 0);
    ck_assert(status.jobs == 0 && status.started == 2);
    int pid = check_right_answer(1000);
    ck_assert_int_ne(pid, getpid());
    ck_assert_int_eq(check_right_answer(1001), pid);
    status = status_now();
    ck_assert(status.jobs == 2 && status.alive == 2 && status.busy == 0);
    ck_assert(status.died == 0 && status.timed_out == 0 && status.nonsense == 0 && status.recycled == 0);
    await_event(WORKER_STARTED, 2);
    free_pool();
}
END_TEST

START_TEST(what_is_not_sealed_or_of_another_size_is_not_handed_over)
{
    struct worker_pool_options options = options_for(FAKE_SOUND);
    static struct examination examination;
    int fd = -1;

    create_pool(&options);
    ck_assert_int_eq(memfile_create("test", &fd), 0);
    ck_assert_int_eq(memfile_append(fd, "abcde", 5), 0);
    ck_assert_int_eq(ask(fd, 5, &examination), -EINVAL);
    ck_assert_int_eq(memfile_seal(fd), 0);
    ck_assert_int_eq(ask(fd, 4, &examination), -EINVAL);
    ck_assert_int_eq(ask(fd, 6, &examination), -EINVAL);
    ck_assert_int_eq(ask(-1, 5, &examination), -EINVAL);
    ck_assert_int_eq(ask(fd, 5, &examination), 0);
    ck_assert_uint_eq(status_now().jobs, 1);
    close(fd);
    free_pool();
}
END_TEST

static const enum fake_deed nonsense[] = {FAKE_GARBAGE,    FAKE_HUGE,      FAKE_OLD_NUMBER, FAKE_NEXT_NUMBER,
                                          FAKE_OTHER_TYPE, FAKE_BAD_FIELD, FAKE_WITH_FILE};

START_TEST(nonsense_costs_the_worker_its_life_and_the_next_job_is_right)
{
    struct worker_pool_options options = options_for(FAKE_SOUND);
    static struct examination examination;

    create_pool(&options);
    int pid = check_right_answer(1000);
    ck_assert_int_eq(examine(nonsense[_i], 1001, &examination), 0);
    ck_assert_uint_eq(examination.reasons, REASON_BIT(REASON_MEDIA_DECODER_DIED));
    ck_assert_uint_eq(examination.view_count, 0);
    ck_assert_int_eq(examination.format, FORMAT_UNKNOWN);
    ck_assert_int_ne(check_right_answer(1002), pid);
    struct worker_pool_status status = status_now();
    ck_assert(status.nonsense == 1 && status.died == 0 && status.jobs == 3 && status.started == 2);
    ck_assert_ptr_nonnull(strstr(events.text[await_event(WORKER_SPOKE_NONSENSE, 1)], "answered nonsense"));
    free_pool();
}
END_TEST

START_TEST(an_answer_that_comes_twice_is_never_taken_for_the_next_job)
{
    struct worker_pool_options options = options_for(FAKE_SOUND);
    static struct examination examination;

    create_pool(&options);
    ck_assert_int_eq(examine(FAKE_TWICE, 1000, &examination), 0);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert_uint_eq(examination.height, 1000);
    ck_assert_int_eq(examine('.', 1001, &examination), 0);
    ck_assert_uint_eq(examination.reasons, REASON_BIT(REASON_MEDIA_DECODER_DIED));
    check_right_answer(1002);
    free_pool();
}
END_TEST

static const struct {
    enum fake_deed deed;
    enum reason reason;
    const char *detail;
} deaths[] = {
    {FAKE_SEGFAULTS, REASON_MEDIA_DECODER_DIED, "killed by SIGSEGV"},
    {FAKE_SYSCALL, REASON_MEDIA_DECODER_DIED, "killed by SIGSYS: it made a forbidden system call"},
    {FAKE_CPU, REASON_MEDIA_LIMIT_TIME, "killed by SIGXCPU"},
    {FAKE_KILLED, REASON_MEDIA_DECODER_DIED, "killed by SIGKILL"},
    {FAKE_MEMORY, REASON_MEDIA_LIMIT_MEMORY, "ran out of memory"},
    {FAKE_EXITS, REASON_MEDIA_DECODER_DIED, "ended as if its parent were gone"},
    {FAKE_EMPTY, REASON_MEDIA_DECODER_DIED, "killed by SIGKILL"},
};

START_TEST(a_death_in_a_job_is_told_and_the_next_job_is_right)
{
    struct worker_pool_options options = options_for(FAKE_SOUND);
    static struct examination examination;

    create_pool(&options);
    int pid = check_right_answer(1000);
    ck_assert_int_eq(examine(deaths[_i].deed, 1001, &examination), 0);
    ck_assert_uint_eq(examination.reasons, REASON_BIT(deaths[_i].reason));
    ck_assert_uint_eq(examination.view_count, 0);
    ck_assert_str_eq(examination.detail, deaths[_i].detail);
    ck_assert_int_ne(check_right_answer(1002), pid);
    struct worker_pool_status status = status_now();
    ck_assert(status.died == 1 && status.nonsense == 0 && status.timed_out == 0 && status.jobs == 3);
    int obituary = await_event(WORKER_DIED, 1);
    ck_assert_ptr_nonnull(strstr(events.text[obituary], deaths[_i].detail));
    ck_assert_ptr_nonnull(strstr(events.text[obituary], "last job 3"));
    free_pool();
}
END_TEST

START_TEST(a_job_past_its_time_is_ended_and_the_next_job_is_right)
{
    static const enum fake_deed deeds[] = {FAKE_HANGS, FAKE_LATE};
    struct worker_pool_options options = options_for(FAKE_SOUND);
    static struct examination examination;

    options.job_time_us = 400000;
    create_pool(&options);
    int pid = check_right_answer(1000);
    uint64_t start_us = clock_monotonic_us();
    ck_assert_int_eq(examine(deeds[_i], 1001, &examination), 0);
    uint64_t taken_us = clock_monotonic_us() - start_us;
    ck_assert_uint_eq(examination.reasons, REASON_BIT(REASON_MEDIA_LIMIT_TIME));
    ck_assert_uint_ge(taken_us, 400000);
    ck_assert_uint_lt(taken_us, 800000);
    ck_assert_uint_ge(examination.decode_us, 400000);
    ck_assert_int_ne(check_right_answer(1002), pid);
    ck_assert_uint_eq(status_now().timed_out, 1);
    ck_assert_ptr_nonnull(strstr(events.text[await_event(WORKER_TIMED_OUT, 1)], "stalled"));
    /* Long enough for the late answer, had anybody been left to give it. */
    usleep(600000);
    check_right_answer(1003);
    ck_assert_uint_eq(status_now().nonsense, 0);
    free_pool();
}
END_TEST

START_TEST(a_worker_that_died_idle_costs_no_upload_its_answer)
{
    struct worker_pool_options options = options_for(FAKE_SOUND);

    create_pool(&options);
    for (int i = 0; i < 6; i++) {
        int pid = check_right_answer(1000);
        kill(pid, SIGKILL);
        while (kill(pid, 0) == 0 && i % 2 == 0) /* half of the time the pool has seen it first */
            usleep(1000);
        /* A job that is sent before the kernel has closed the dying worker's socket dies with it. */
        static struct examination examination;
        ck_assert_int_eq(examine('.', 1001, &examination), 0);
        ck_assert(examination.reasons == 0 || examination.reasons == REASON_BIT(REASON_MEDIA_DECODER_DIED));
        ck_assert(i % 2 != 0 || examination.reasons == 0);
        check_right_answer(1002);
    }
    ck_assert_uint_eq(status_now().died, 6);
    free_pool();
}
END_TEST

START_TEST(a_worker_is_replaced_after_its_share_of_jobs)
{
    struct worker_pool_options options = options_for(FAKE_SOUND);

    options.recycle_after = 3;
    create_pool(&options);
    int first = check_right_answer(1000);
    ck_assert_int_eq(check_right_answer(1001), first);
    ck_assert_int_eq(check_right_answer(1002), first);
    int second = check_right_answer(1003);
    ck_assert_int_ne(second, first);
    ck_assert_int_eq(check_right_answer(1004), second);
    struct worker_pool_status status = status_now();
    ck_assert(status.recycled == 1 && status.died == 0 && status.started == 2);
    await_event(WORKER_RECYCLED, 1);
    free_pool();
}
END_TEST

/* Callers on threads of their own. */
struct caller {
    pthread_t thread;
    enum fake_deed deed;
    uint32_t height;
    int result;
    uint64_t taken_us;
    int rank; /* in the order of answers */
    struct examination examination;
};
static int answers; /* guarded by events.lock */

static void *call(void *argument)
{
    struct caller *caller = argument;
    uint64_t start_us = clock_monotonic_us();

    caller->result = examine(caller->deed, caller->height, &caller->examination);
    caller->taken_us = clock_monotonic_us() - start_us;
    pthread_mutex_lock(&events.lock);
    caller->rank = answers++;
    pthread_mutex_unlock(&events.lock);
    return NULL;
}

static void start_caller(struct caller *caller, enum fake_deed deed, uint32_t height)
{
    caller->deed = deed;
    caller->height = height;
    ck_assert_int_eq(pthread_create(&caller->thread, NULL, call, caller), 0);
}

static void await_status(unsigned int busy, unsigned int waiting)
{
    uint64_t deadline_us = clock_monotonic_us() + 20 * SECOND_US;
    struct worker_pool_status status = status_now();

    while ((status.busy != busy || status.waiting != waiting) && clock_monotonic_us() < deadline_us) {
        usleep(1000);
        status = status_now();
    }
    ck_assert_uint_eq(status.busy, busy);
    ck_assert_uint_eq(status.waiting, waiting);
}

START_TEST(waiting_callers_are_served_in_the_order_in_which_they_came)
{
    enum { CALLERS = 8 };
    static struct caller callers[CALLERS];
    struct worker_pool_options options = options_for(FAKE_SOUND);

    create_pool(&options);
    for (unsigned int i = 0; i < CALLERS; i++) {
        start_caller(&callers[i], i == 0 ? FAKE_SLOW : '.', 1000 + i);
        await_status(1, i);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        ck_assert_int_eq(callers[i].result, 0);
        ck_assert_uint_eq(callers[i].examination.height, 1000 + (unsigned int)i);
    }
    /* A thread may be delayed between its answer and its rank, but not past all the others. */
    ck_assert_int_lt(callers[1].rank, callers[7].rank);
    free_pool();
}
END_TEST

START_TEST(the_queue_has_an_end_and_the_wait_a_deadline)
{
    static struct caller callers[3];
    struct worker_pool_options options = options_for(FAKE_SOUND);
    static struct examination examination;

    options.queue_max = 2;
    options.queue_time_us = 100000;
    create_pool(&options);
    start_caller(&callers[0], FAKE_SLOW, 1000);
    await_status(1, 0);
    start_caller(&callers[1], '.', 1001);
    start_caller(&callers[2], '.', 1002);
    await_status(1, 2);
    uint64_t start_us = clock_monotonic_us();
    ck_assert_int_eq(examine('.', 1003, &examination), WORKER_POOL_BUSY);
    ck_assert_uint_lt(clock_monotonic_us() - start_us, 50000);
    for (int i = 0; i < 3; i++)
        pthread_join(callers[i].thread, NULL);
    ck_assert_int_eq(callers[0].result, 0);
    ck_assert_int_eq(callers[1].result, WORKER_POOL_BUSY);
    ck_assert_int_eq(callers[2].result, WORKER_POOL_BUSY);
    ck_assert_uint_ge(callers[1].taken_us, 100000);
    ck_assert_uint_lt(callers[1].taken_us, 290000);
    ck_assert_uint_eq(status_now().waiting, 0);
    check_right_answer(1004);
    free_pool();
}
END_TEST

START_TEST(without_a_queue_nobody_waits)
{
    static struct caller caller;
    struct worker_pool_options options = options_for(FAKE_SOUND);
    static struct examination examination;

    options.queue_max = 0;
    create_pool(&options);
    start_caller(&caller, FAKE_SLOW, 1000);
    await_status(1, 0);
    ck_assert_int_eq(examine('.', 1001, &examination), WORKER_POOL_BUSY);
    pthread_join(caller.thread, NULL);
    check_right_answer(1002);
    free_pool();
}
END_TEST

/* 64 threads, most of whose uploads are fine, and some of which end their worker in every way. */
enum { CROWD = 64, JOBS_EACH = 40 };
static const enum fake_deed mishaps[] = {FAKE_SEGFAULTS, FAKE_GARBAGE, FAKE_MEMORY, FAKE_OLD_NUMBER};

struct member {
    pthread_t thread;
    uint32_t number;
    unsigned int right, ended, busy, wrong;
    struct examination examination;
};

static void *belong(void *argument)
{
    struct member *member = argument;

    for (uint32_t i = 0; i < JOBS_EACH; i++) {
        uint32_t height = 1000 + member->number * JOBS_EACH + i;
        bool mishap = (member->number + i) % 25 == 0;
        enum fake_deed deed = mishap ? mishaps[i % 4] : '.';
        int result = examine(deed, height, &member->examination);
        if (result == WORKER_POOL_BUSY)
            member->busy++;
        else if (result == 0 && !mishap && member->examination.reasons == 0 &&
                 member->examination.height == height)
            member->right++;
        else if (result == 0 && mishap && member->examination.reasons != 0)
            member->ended++;
        else
            member->wrong++;
    }
    return NULL;
}

START_TEST(a_crowd_gets_each_its_own_answer_while_workers_die)
{
    static struct member crowd[CROWD];
    struct worker_pool_options options = options_for(FAKE_SOUND);
    unsigned int right = 0, ended = 0, busy = 0, wrong = 0;

    options.count = 4;
    options.recycle_after = 50;
    create_pool(&options);
    for (uint32_t i = 0; i < CROWD; i++) {
        crowd[i].number = i;
        ck_assert_int_eq(pthread_create(&crowd[i].thread, NULL, belong, &crowd[i]), 0);
    }
    for (int i = 0; i < CROWD; i++) {
        pthread_join(crowd[i].thread, NULL);
        right += crowd[i].right;
        ended += crowd[i].ended;
        busy += crowd[i].busy;
        wrong += crowd[i].wrong;
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(busy, 0);
    ck_assert_uint_eq(right + ended, CROWD * JOBS_EACH);
    ck_assert_uint_gt(ended, 50);
    struct worker_pool_status status = status_now();
    ck_assert_uint_eq(status.jobs, CROWD * JOBS_EACH);
    ck_assert_uint_eq(status.died + status.nonsense, ended);
    ck_assert_uint_gt(status.recycled, 0);
    free_pool();
}
END_TEST

START_TEST(freeing_the_pool_lets_waiting_callers_go)
{
    enum { CALLERS = 10 };
    static struct caller callers[CALLERS];
    struct worker_pool_options options = options_for(FAKE_SOUND);
    int served = 0;

    create_pool(&options);
    start_caller(&callers[0], FAKE_SLOW, 1000);
    await_status(1, 0);
    for (uint32_t i = 1; i < CALLERS; i++)
        start_caller(&callers[i], '.', 1000 + i);
    await_status(1, CALLERS - 1);
    uint64_t start_us = clock_monotonic_us();
    free_pool();
    ck_assert_uint_lt(clock_monotonic_us() - start_us, 5 * SECOND_US);
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        ck_assert(callers[i].result == 0 || callers[i].result == -ESHUTDOWN);
        served += callers[i].result == 0;
    }
    ck_assert_int_eq(callers[0].result, 0);
    ck_assert_uint_eq(callers[0].examination.reasons, 0);
    ck_assert_int_eq(served, 1);
}
END_TEST

START_TEST(a_worker_that_cannot_start_again_is_tried_ever_more_seldom)
{
    struct worker_pool_options options = options_for(FAKE_OBEYS_FILE);
    static struct examination examination;
    char flag[64];

    options.queue_time_us = 50000;
    create_pool(&options);
    fake_flag(getpid(), flag);
    close(open(flag, O_CREAT | O_WRONLY, 0600));
    ck_assert_int_eq(examine(FAKE_SEGFAULTS, 1000, &examination), 0);
    int sixth = await_event(WORKER_START_FAILED, 6);
    int failures = count_events(WORKER_START_FAILED);
    ck_assert_ptr_nonnull(strstr(events.text[sixth], "self-test"));
    /* 0, 10, 20, 40, 80 and 160 ms lie before the sixth. */
    int first = await_event(WORKER_START_FAILED, 1);
    ck_assert_uint_ge(events.at_us[sixth] - events.at_us[first], 290000);
    ck_assert_int_le(failures, 7);
    ck_assert_int_eq(examine('.', 1001, &examination), WORKER_POOL_BUSY);
    ck_assert_uint_eq(status_now().alive, 0);
    unlink(flag);
    await_event(WORKER_STARTED, 2);
    check_right_answer(1002);
    free_pool();
}
END_TEST

START_TEST(workers_that_uploads_kill_are_replaced_without_a_long_wait)
{
    struct worker_pool_options options = options_for(FAKE_SOUND);
    static struct examination examination;

    create_pool(&options);
    uint64_t start_us = clock_monotonic_us();
    for (int i = 0; i < 12; i++) {
        ck_assert_int_eq(examine(FAKE_SEGFAULTS, 1000, &examination), 0);
        ck_assert_uint_eq(examination.reasons, REASON_BIT(REASON_MEDIA_DECODER_DIED));
    }
    check_right_answer(1001);
    /* Doubling without the low ceiling would have waited 10 s for the last alone. */
    ck_assert_uint_lt(clock_monotonic_us() - start_us, 5 * SECOND_US);
    free_pool();
}
END_TEST

START_TEST(last_words_are_quoted_without_power_over_the_log)
{
    struct worker_pool_options options = options_for(FAKE_SOUND);
    static struct examination examination;

    create_pool(&options);
    ck_assert_int_eq(examine(FAKE_CURSES, 1000, &examination), 0);
    int obituary = await_event(WORKER_DIED, 1);
    ck_assert_ptr_nonnull(strstr(events.text[obituary], "killed by SIGABRT"));
    if (SANDBOX_SANITIZED)
        printf("# skipped: a sanitizer's report goes to standard error as it is\n");
    else
        ck_assert_ptr_nonnull(strstr(events.text[obituary], "it said: last words?[31m {\"level\":\"info\"}"));
    ck_assert_ptr_null(strstr(events.text[obituary], "second line"));
    free_pool();
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

int main(int argc, char **argv)
{
    fake_worker_run(argc, argv);
    Suite *suite = suite_create("pool");
    TCase *tests = tcase_create("pool");

    tcase_add_loop_test(tests, a_pool_whose_worker_is_not_sound_does_not_start, 0, COUNT(bad_starts));
    tcase_add_test(tests, a_worker_that_is_not_there_is_named);
    tcase_add_test(tests, limits_of_zero_are_refused);
    tcase_add_test(tests, jobs_are_answered_and_counted);
    tcase_add_test(tests, what_is_not_sealed_or_of_another_size_is_not_handed_over);
    tcase_add_loop_test(tests, nonsense_costs_the_worker_its_life_and_the_next_job_is_right, 0,
                        COUNT(nonsense));
    tcase_add_test(tests, an_answer_that_comes_twice_is_never_taken_for_the_next_job);
    tcase_add_loop_test(tests, a_death_in_a_job_is_told_and_the_next_job_is_right, 0, COUNT(deaths));
    tcase_add_loop_test(tests, a_job_past_its_time_is_ended_and_the_next_job_is_right, 0, 2);
    tcase_add_test(tests, a_worker_that_died_idle_costs_no_upload_its_answer);
    tcase_add_test(tests, a_worker_is_replaced_after_its_share_of_jobs);
    tcase_add_test(tests, waiting_callers_are_served_in_the_order_in_which_they_came);
    tcase_add_test(tests, the_queue_has_an_end_and_the_wait_a_deadline);
    tcase_add_test(tests, without_a_queue_nobody_waits);
    tcase_add_test(tests, a_crowd_gets_each_its_own_answer_while_workers_die);
    tcase_add_test(tests, freeing_the_pool_lets_waiting_callers_go);
    tcase_add_test(tests, a_worker_that_cannot_start_again_is_tried_ever_more_seldom);
    tcase_add_test(tests, workers_that_uploads_kill_are_replaced_without_a_long_wait);
    tcase_add_test(tests, last_words_are_quoted_without_power_over_the_log);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
