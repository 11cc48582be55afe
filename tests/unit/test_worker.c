/* The real prescreen-worker, beside the folder of this test. */
#include "prescreen/base/clock.h"
#include "prescreen/os/files.h"
#include "prescreen/os/memfile.h"
#include "prescreen/os/sandbox.h"
#include "prescreen/worker/exit_code.h"
#include "prescreen/worker/measure.h"
#include "prescreen/worker/pool.h"

#include "drawn_png.h"
#include "tap.h"
#include "worker/channel.h"
#include "worker/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECOND_US = 1000000 };
#define MIB ((uint64_t)1 << 20)

static char worker_path[PATH_MAX];
static struct worker_pool *pool;
static int worker_pids[16];
static int worker_count;
static struct examination examination;

static void find_worker(void)
{
    char directory[PATH_MAX - 32];

    ck_assert_int_eq(files_executable_directory(directory, sizeof directory), 0);
    char *slash = strrchr(directory, '/');
    ck_assert_ptr_nonnull(slash);
    *slash = '\0';
    snprintf(worker_path, sizeof worker_path, "%s/prescreen-worker", directory);
}

static void note_start(void *context, enum worker_event event, const char *text)
{
    (void)context;
    if (event == WORKER_STARTED && worker_count < 16)
        ck_assert_int_eq(sscanf(text, "worker %d", &worker_pids[worker_count++]), 1);
}

static struct worker_pool_options real_options(void)
{
    find_worker();
    return (struct worker_pool_options){.worker_path = worker_path,
                                        .count = 1,
                                        .job_time_us = 20 * SECOND_US,
                                        .queue_time_us = 20 * SECOND_US,
                                        .queue_max = 100,
                                        .memory_bytes = 512 * MIB,
                                        .pixels_max = 100000000,
                                        .frames_max = 500,
                                        .recycle_after = 1000,
                                        .cpu = cpu_choose(),
                                        .on_event = note_start};
}

static void create_pool(const struct worker_pool_options *options)
{
    struct diag diag = {""};
    int result = worker_pool_create(options, &pool, &diag);

    ck_assert_msg(result == 0, "%s", diag.text);
}

static int sealed(const void *data, size_t size)
{
    int fd = -1;

    ck_assert_int_eq(memfile_create("test", &fd), 0);
    ck_assert_int_eq(memfile_append(fd, data, size), 0);
    ck_assert_int_eq(memfile_seal(fd), 0);
    return fd;
}

static int ask(int fd, uint64_t size, struct examination *found)
{
    const struct examination_request request = {.memory_fd = fd, .size = size};

    return worker_pool_examine(pool, &request, found);
}

static void examine(const void *data, size_t size)
{
    int fd = sealed(data, size);

    ck_assert_int_eq(ask(fd, size, &examination), 0);
    close(fd);
}

static struct drawn_file draw(uint32_t width, uint32_t height, enum pixel_layout layout)
{
    struct drawing drawing = {.width = width, .height = height, .layout = layout, .draw = draw_scene};

    return draw_png(&drawing);
}

static void check_small_picture_is_right(void)
{
    struct drawn_file picture = draw(200, 100, PIXEL_GRAY);

    examine(picture.data, picture.size);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert_int_eq(examination.format, FORMAT_PNG);
    ck_assert(examination.width == 200 && examination.height == 100);
    ck_assert_uint_eq(examination.view_count, 1);
    free(picture.data);
}

static struct child start_child(void)
{
    struct child_plan plan = {
        .memory_bytes = 512 * MIB, .cpu_seconds = 60, .cpu = CPU_PLAIN, .path = worker_path};
    struct child child = CHILD_NONE;
    struct diag diag = {""};

    find_worker();
    ck_assert_msg(child_start(&plan, &child, &diag) == 0, "%s", diag.text);
    return child;
}

static struct spawn_ending bury(struct child *child)
{
    struct spawn_ending ending = {-1, 0};
    struct diag obituary = {""};

    ck_assert_int_eq(child_bury(child, clock_monotonic_us() + 20 * SECOND_US, &ending, &obituary), 0);
    return ending;
}

START_TEST(each_forbidden_call_is_the_workers_death)
{
    struct child child = start_child();
    struct job job = {
        .type = JOB_PROBE, .number = 1, .call = (enum probe_call)_i, .parent_pid = (uint32_t)getpid()};

    ck_assert_int_eq(child_send(&child, &job, -1), 0);
    struct spawn_ending ending = bury(&child);
    ck_assert_int_eq(ending.signal, SIGSYS);
}
END_TEST

START_TEST(a_sound_worker_passes_its_self_test_at_every_cpu_level)
{
    uint8_t packet[256];
    size_t size = 0;
    uint32_t landlock_abi = 0;
    struct child_plan plan = {.memory_bytes = 64 * MIB, .cpu_seconds = 60, .path = worker_path};
    struct job job = {.type = JOB_SELF_TEST, .number = 1};
    struct diag diag = {""};

    find_worker();
    for (int level = CPU_PLAIN; level <= (int)cpu_detect(); level++) {
        struct child child = CHILD_NONE;
        plan.cpu = (enum cpu_level)level;
        ck_assert_int_eq(child_start(&plan, &child, &diag), 0);
        ck_assert_int_eq(child_send(&child, &job, -1), 0);
        ck_assert_int_eq(
            child_receive(&child, clock_monotonic_us() + 20 * SECOND_US, packet, sizeof packet, &size), 0);
        ck_assert_int_eq(message_read_self_tested(packet, size, 1, &landlock_abi), 0);
        close(child.socket_fd);
        child.socket_fd = -1;
        ck_assert_int_eq(bury(&child).exit_code, WORKER_EXIT_PARENT_GONE);
    }
}
END_TEST

/* What a parent of ours never sends. */
enum misuse {
    BAD_MAGIC,
    TOO_SHORT,
    TOO_LONG,
    EXAMINE_WITHOUT_FILE,
    SELF_TEST_WITH_FILE,
    TWO_FILES,
    UNSEALED_FILE,
    SIZE_TOO_SMALL,
    SIZE_TOO_LARGE,
    NOT_A_FILE,
    MISUSE_COUNT
};

static void send_two_files(int socket_fd, const uint8_t *packet, size_t size, int file_fd)
{
    struct iovec part = {(void *)(uintptr_t)packet, size};
    int files[2] = {file_fd, file_fd};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof files)];
    } control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};

    memset(&control, 0, sizeof control);
    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof files), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), files, sizeof files);
    ck_assert_int_eq(sendmsg(socket_fd, &message, MSG_NOSIGNAL), (ssize_t)size);
}

static int file_for(enum misuse misuse)
{
    int fd = -1;

    if (misuse == EXAMINE_WITHOUT_FILE || misuse <= TOO_LONG)
        return -1;
    if (misuse == NOT_A_FILE)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (misuse != UNSEALED_FILE)
        return sealed("hello", 5);
    ck_assert_int_eq(memfile_create("test", &fd), 0);
    ck_assert_int_eq(memfile_append(fd, "hello", 5), 0);
    return fd;
}

START_TEST(a_worker_ends_at_any_doubt)
{
    enum misuse misuse = (enum misuse)_i;
    struct child child = start_child();
    bool plain = misuse <= TOO_LONG || misuse == SELF_TEST_WITH_FILE;
    struct job job = {.type = plain ? JOB_SELF_TEST : JOB_EXAMINE,
                      .number = 1,
                      .size = misuse == SIZE_TOO_SMALL   ? 4
                              : misuse == SIZE_TOO_LARGE ? 5000
                                                         : 5,
                      .pixels_max = 1,
                      .time_us = 1000000,
                      .frames_max = 1};
    uint8_t packet[MESSAGE_JOB_SIZE + 1] = {0};
    int file_fd = file_for(misuse);

    if (plain)
        job.size = job.pixels_max = job.time_us = job.frames_max = 0;
    message_write_job(&job, packet);
    packet[0] = (uint8_t)(packet[0] ^ (misuse == BAD_MAGIC));
    size_t size = MESSAGE_JOB_SIZE;
    size = misuse == TOO_SHORT ? size - 1 : misuse == TOO_LONG ? size + 1 : size;
    if (misuse == TWO_FILES)
        send_two_files(child.socket_fd, packet, size, file_fd);
    else
        ck_assert_int_eq(channel_send(child.socket_fd, packet, size, file_fd, 0), 0);
    struct spawn_ending ending = bury(&child);
    ck_assert_int_eq(ending.exit_code,
                     misuse >= UNSEALED_FILE ? WORKER_EXIT_BAD_FILE : WORKER_EXIT_BAD_MESSAGE);
    if (file_fd >= 0)
        close(file_fd);
}
END_TEST

START_TEST(a_worker_without_proper_arguments_or_socket_refuses)
{
    static const char *const bad[][4] = {
        {"0", "60", "plain", NULL},    {"1000000", "0", "plain", NULL}, {"1000000", "60", "none", NULL},
        {"1000000", "60", NULL, NULL}, {"-1", "60", "plain", NULL},     {"67108864", "60", "plain", NULL},
    };
    struct spawn_child child;
    struct spawn_ending ending;
    int pair[2];
    int ends[2];

    find_worker();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *arguments[5] = {"prescreen-worker"};
        for (int k = 0; k < 4; k++)
            arguments[k + 1] = (char *)(uintptr_t)bad[i][k];
        bool socket_is_bad = i == sizeof bad / sizeof bad[0] - 1;
        struct spawn_plan plan = {worker_path, arguments, socket_is_bad ? ends[0] : pair[1], ends[1]};
        ck_assert_int_eq(spawn_start(&plan, &child), 0);
        ck_assert_int_eq(spawn_reap(&child, clock_monotonic_us() + 20 * SECOND_US, &ending), 0);
        ck_assert_int_eq(ending.exit_code, WORKER_EXIT_USAGE);
    }
}
END_TEST

static void check_descriptors(int pid)
{
    char path[64];
    int count = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    DIR *directory = opendir(path);
    if (directory == NULL) {
        ck_assert_int_eq(errno, EACCES);
        printf("# skipped: only root may look at the descriptors of a process that cannot be traced\n");
        return;
    }
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (entry->d_name[0] == '.')
            continue;
        ck_assert_int_le(atoi(entry->d_name), SPAWN_SOCKET_FD);
        count++;
    }
    closedir(directory);
    ck_assert_int_eq(count, SPAWN_SOCKET_FD + 1);
}

static void check_environment(int pid)
{
    char path[64];
    char byte;

    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        ck_assert_int_eq(errno, EACCES);
        return;
    }
    ck_assert_int_le(read(fd, &byte, 1), 0);
    close(fd);
}

static void check_status(int pid)
{
    char path[64];
    char text[8192];

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    ck_assert_ptr_nonnull(strstr(text, "NoNewPrivs:\t1\n"));
    ck_assert_ptr_nonnull(strstr(text, "Seccomp:\t2\n"));
    ck_assert_ptr_nonnull(strstr(text, "CapEff:\t0000000000000000\n"));
    ck_assert_ptr_nonnull(strstr(text, "Threads:\t1\n"));
}

START_TEST(a_running_worker_holds_nothing_that_it_does_not_need)
{
    struct worker_pool_options options = real_options();

    ck_assert_int_ge(open("/dev/null", O_RDONLY), 0); /* without close-on-exec */
    setenv("PRESCREEN_SECRET", "value", 1);
    create_pool(&options);
    for (int i = 0; i < 3; i++) {
        check_small_picture_is_right();
        check_descriptors(worker_pids[0]);
    }
    check_environment(worker_pids[0]);
    check_status(worker_pids[0]);
    worker_pool_free(pool);
}
END_TEST

START_TEST(an_upload_that_is_no_picture_is_told)
{
    struct worker_pool_options options = real_options();

    create_pool(&options);
    examine("", 0);
    ck_assert_uint_eq(examination.reasons, REASON_BIT(REASON_MEDIA_UNRECOGNISED));
    examine("<html>", 6);
    ck_assert_uint_eq(examination.reasons, REASON_BIT(REASON_MEDIA_UNRECOGNISED));
    ck_assert_uint_eq(examination.view_count, 0);
    examine("8BPS\0\1\0\0\0\0\0\0\0\3", 14);
    ck_assert_uint_eq(examination.reasons, REASON_BIT(REASON_MEDIA_UNSUPPORTED));
    ck_assert_int_eq(examination.format, FORMAT_PSD);
    check_small_picture_is_right();
    worker_pool_free(pool);
}
END_TEST

struct stopped_job {
    struct drawn_file picture;
    struct examination result;
};

static void *examine_aside(void *argument)
{
    struct stopped_job *job = argument;
    int fd = sealed(job->picture.data, job->picture.size);

    ck_assert_int_eq(ask(fd, job->picture.size, &job->result), 0);
    close(fd);
    return NULL;
}

START_TEST(a_worker_killed_in_the_middle_of_a_job_is_told_and_the_next_job_is_right)
{
    static struct stopped_job job;
    struct worker_pool_options options = real_options();
    struct worker_pool_status status = {.busy = 0};
    pthread_t thread;

    create_pool(&options);
    job.picture = draw(200, 100, PIXEL_GRAY);
    kill(worker_pids[0], SIGSTOP); /* so that the job is surely not done before */
    ck_assert_int_eq(pthread_create(&thread, NULL, examine_aside, &job), 0);
    while (status.busy == 0)
        worker_pool_read_status(pool, &status);
    usleep(50000);
    kill(worker_pids[0], SIGKILL);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(job.result.reasons, REASON_BIT(REASON_MEDIA_DECODER_DIED));
    ck_assert_str_eq(job.result.detail, "killed by SIGKILL");
    check_small_picture_is_right();
    free(job.picture.data);
    worker_pool_free(pool);
}
END_TEST

START_TEST(a_worker_that_stalls_is_killed_in_time)
{
    static struct stopped_job job;
    struct worker_pool_options options = real_options();

    options.job_time_us = SECOND_US / 2;
    create_pool(&options);
    job.picture = draw(200, 100, PIXEL_GRAY);
    kill(worker_pids[0], SIGSTOP);
    uint64_t start_us = clock_monotonic_us();
    examine_aside(&job);
    ck_assert_uint_lt(clock_monotonic_us() - start_us, SECOND_US);
    ck_assert_uint_eq(job.result.reasons, REASON_BIT(REASON_MEDIA_LIMIT_TIME));
    check_small_picture_is_right();
    free(job.picture.data);
    worker_pool_free(pool);
}
END_TEST

START_TEST(a_picture_above_the_limit_of_pixels_is_refused)
{
    struct worker_pool_options options = real_options();

    options.pixels_max = 200 * 100;
    create_pool(&options);
    check_small_picture_is_right();
    struct drawn_file picture = draw(201, 100, PIXEL_GRAY);
    examine(picture.data, picture.size);
    ck_assert_uint_eq(examination.reasons, REASON_BIT(REASON_MEDIA_LIMIT_PIXELS));
    ck_assert_uint_eq(examination.view_count, 0);
    free(picture.data);
    worker_pool_free(pool);
}
END_TEST

START_TEST(a_picture_that_needs_too_much_memory_is_refused)
{
    struct worker_pool_options options = real_options();
    struct drawing drawing = {
        .width = 3500, .height = 3500, .layout = PIXEL_RGBA, .interlaced = true, .draw = draw_bands};
    struct drawn_file picture = draw_png(&drawing);

    options.memory_bytes = 64 * MIB; /* the frame alone would take 46 MiB, next to program and upload */
    create_pool(&options);
    examine(picture.data, picture.size);
    ck_assert_uint_eq(examination.reasons, REASON_BIT(REASON_MEDIA_LIMIT_MEMORY));
    check_small_picture_is_right();
    struct worker_pool_status status;
    worker_pool_read_status(pool, &status);
    ck_assert_uint_eq(status.died, 0);
    free(picture.data);
    worker_pool_free(pool);
}
END_TEST

START_TEST(an_upload_larger_than_the_workers_memory_is_told)
{
    struct worker_pool_options options = real_options();

    if (SANDBOX_SANITIZED) {
        printf("# skipped: a sanitizer needs the address space\n");
        return;
    }
    options.memory_bytes = 64 * MIB;
    create_pool(&options);
    size_t size = 65 * MIB;
    char *data = calloc(1, size);
    ck_assert_ptr_nonnull(data);
    examine(data, size);
    free(data);
    ck_assert_uint_eq(examination.reasons, REASON_BIT(REASON_MEDIA_LIMIT_MEMORY));
    ck_assert_str_eq(examination.detail, "ran out of memory");
    check_small_picture_is_right();
    worker_pool_free(pool);
}
END_TEST

START_TEST(a_limit_of_memory_too_small_to_start_is_told_at_once)
{
    struct worker_pool_options options = real_options();
    struct diag diag = {""};

    if (SANDBOX_SANITIZED) {
        printf("# skipped: a sanitizer needs the address space\n");
        return;
    }
    options.memory_bytes = 1 * MIB;
    ck_assert_int_lt(worker_pool_create(&options, &pool, &diag), 0);
    ck_assert_msg(strstr(diag.text, "sandbox step") != NULL || strstr(diag.text, "out of memory") != NULL,
                  "%s", diag.text);
}
END_TEST

static void *examine_often(void *argument)
{
    const struct drawn_file *picture = argument;
    struct examination *mine = malloc(sizeof *mine);
    int fd = sealed(picture->data, picture->size);
    bool right = mine != NULL;

    for (int i = 0; right && i < 20; i++)
        right = ask(fd, picture->size, mine) == 0 && mine->reasons == 0 && mine->view_count == 1 &&
                mine->width == 100 + picture->size % 100;
    close(fd);
    free(mine);
    return right ? argument : NULL;
}

START_TEST(many_threads_share_few_workers)
{
    enum { THREADS = 64 };
    static struct drawn_file pictures[THREADS];
    pthread_t threads[THREADS];
    struct worker_pool_options options = real_options();

    options.count = 2;
    options.recycle_after = 100;
    create_pool(&options);
    for (uint32_t i = 0; i < THREADS; i++) {
        /* The width is told by the file's size, so that each thread knows its own answer. */
        pictures[i] = draw(100 + i, 50, PIXEL_GRAY);
        size_t padding = (i + 100 - pictures[i].size % 100) % 100;
        pictures[i].data = realloc(pictures[i].data, pictures[i].size + padding);
        ck_assert_ptr_nonnull(pictures[i].data);
        memset(pictures[i].data + pictures[i].size, 0, padding);
        pictures[i].size += padding;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, examine_often, &pictures[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *right = NULL;
        pthread_join(threads[i], &right);
        ck_assert_ptr_nonnull(right);
        free(pictures[i].data);
    }
    worker_pool_free(pool);
}
END_TEST

START_TEST(the_parts_of_an_examination_are_measured)
{
    struct drawn_file picture = draw(640, 480, PIXEL_RGBA);
    struct worker_measurement measurement;
    struct diag diag = {""};

    find_worker();
    int fd = sealed(picture.data, picture.size);
    int result =
        worker_measure(WORKER_PLAIN, worker_path, fd, picture.size, 3, cpu_choose(), &measurement, &diag);
    ck_assert_msg(result == 0, "%s", diag.text);
    ck_assert_int_eq(measurement.format, FORMAT_PNG);
    ck_assert(measurement.width == 640 && measurement.height == 480);
    ck_assert_uint_gt(measurement.decode.minimum_us, 0);
    for (int effort = 0; effort < EFFORT_COUNT; effort++)
        ck_assert_uint_gt(measurement.examine[effort].median_us, measurement.decode.minimum_us);
    ck_assert_uint_gt(measurement.full.median_us, measurement.reference.minimum_us);
    ck_assert_uint_eq(measurement.full_distance_bits, 0);
    ck_assert_uint_gt(measurement.reference.minimum_us, measurement.hash.minimum_us);
    ck_assert_uint_eq(measurement.distance_bits, 0);
    ck_assert_uint_eq(measurement.quality, measurement.reference_quality);
    ck_assert_int_eq(
        worker_measure(WORKER_PLAIN, worker_path, fd, picture.size, 0, CPU_PLAIN, &measurement, &diag),
        -EINVAL);
    ck_assert_int_eq(
        worker_measure(WORKER_PLAIN, worker_path, fd, picture.size + 1, 1, CPU_PLAIN, &measurement, &diag),
        -EINVAL);
    ck_assert_int_eq(
        worker_measure(WORKER_PLAIN, "/nowhere", fd, picture.size, 1, CPU_PLAIN, &measurement, &diag),
        -ENOENT);
    close(fd);
    fd = sealed("no picture", 10);
    ck_assert_int_eq(worker_measure(WORKER_PLAIN, worker_path, fd, 10, 1, CPU_PLAIN, &measurement, &diag),
                     -EINVAL);
    ck_assert_ptr_nonnull(strstr(diag.text, "media.unrecognised"));
    close(fd);
    free(picture.data);
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
}
END_TEST

/* Every file of the corpus that the project was given, through the real confinement: a codec that needs a
 * system call which is not allowed would show here. */
static int examine_corpus_file(const char *folder, const char *name, const char *expected)
{
    char path[PATH_MAX];
    struct bytes content;
    struct diag diag = {""};

    snprintf(path, sizeof path, "%s/corpus/%s", folder, name);
    bytes_init(&content, 64 * MIB);
    ck_assert_msg(files_read(path, &content, &diag) == 0, "%s", diag.text);
    examine(content.data == NULL ? (const void *)"" : content.data, content.size);
    bytes_clear(&content);
    ck_assert_msg((examination.reasons & REASON_BIT(REASON_MEDIA_DECODER_DIED)) == 0, "%s: %s", name,
                  examination.detail);
    if (strcmp(expected, "refuse-corrupt") == 0)
        ck_assert_msg(examination.reasons != 0, "%s", name);
    return 1;
}

START_TEST(no_file_of_the_corpus_kills_a_worker)
{
    const char *folder = getenv("PRESCREEN_SHARED");
    struct worker_pool_options options = real_options();
    char path[PATH_MAX];
    char line[1024];
    int seen = 0;

    folder = folder == NULL ? "../shared" : folder;
    snprintf(path, sizeof path, "%s/corpus/MANIFEST.tsv", folder);
    FILE *manifest = fopen(path, "r");
    if (manifest == NULL) {
        printf("# skipped: %s is not there\n", path);
        return;
    }
    create_pool(&options);
    while (fgets(line, sizeof line, manifest) != NULL) {
        char *fields[5] = {line};
        for (int i = 1; i < 5; i++) {
            fields[i] = fields[i - 1] + strcspn(fields[i - 1], "\t");
            ck_assert_int_eq(*fields[i], '\t');
            *fields[i]++ = '\0';
        }
        fields[4][strcspn(fields[4], "\t\n")] = '\0';
        if (strcmp(fields[0], "file") != 0)
            seen += examine_corpus_file(folder, fields[0], fields[4]);
    }
    fclose(manifest);
    ck_assert_int_gt(seen, 100);
    worker_pool_free(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker");
    TCase *tests = tcase_create("worker");

    tcase_add_loop_test(tests, each_forbidden_call_is_the_workers_death, 0, PROBE_COUNT);
    tcase_add_test(tests, a_sound_worker_passes_its_self_test_at_every_cpu_level);
    tcase_add_loop_test(tests, a_worker_ends_at_any_doubt, 0, MISUSE_COUNT);
    tcase_add_test(tests, a_worker_without_proper_arguments_or_socket_refuses);
    tcase_add_test(tests, a_running_worker_holds_nothing_that_it_does_not_need);
    tcase_add_test(tests, an_upload_that_is_no_picture_is_told);
    tcase_add_test(tests, a_worker_killed_in_the_middle_of_a_job_is_told_and_the_next_job_is_right);
    tcase_add_test(tests, a_worker_that_stalls_is_killed_in_time);
    tcase_add_test(tests, a_picture_above_the_limit_of_pixels_is_refused);
    tcase_add_test(tests, a_picture_that_needs_too_much_memory_is_refused);
    tcase_add_test(tests, an_upload_larger_than_the_workers_memory_is_told);
    tcase_add_test(tests, a_limit_of_memory_too_small_to_start_is_told_at_once);
    tcase_add_test(tests, many_threads_share_few_workers);
    tcase_add_test(tests, the_parts_of_an_examination_are_measured);
    tcase_add_test(tests, no_file_of_the_corpus_kills_a_worker);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
