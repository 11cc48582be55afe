/* Both kinds of workers behind one door, with the real programs, beside the folder of this test. */
#include "prescreen/base/clock.h"
#include "prescreen/os/files.h"
#include "prescreen/os/memfile.h"
#include "prescreen/worker/decoders.h"

#include "decode_recorder.h"
#include "tap.h"
#include "worker/child.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECOND_US = 1000000, PATH_ROOM = PATH_MAX + 64 };
#define MIB       ((uint64_t)1 << 20)
#define BIT(name) REASON_BIT(REASON_MEDIA_##name)

static struct decoders *decoders;
static struct examination examination;
static char paths[WORKER_KIND_COUNT][PATH_ROOM];
static char obituary[256];
static int heif_pid;

static void note_event(void *context, enum worker_event event, const char *text)
{
    (void)context;
    if (event == WORKER_STARTED)
        sscanf(text, "HEIF worker %d", &heif_pid);
    else
        snprintf(obituary, sizeof obituary, "%s", text);
}

static void find_workers(void)
{
    char directory[PATH_MAX];

    ck_assert_int_eq(files_executable_directory(directory, sizeof directory), 0);
    *strrchr(directory, '/') = '\0';
    for (int kind = 0; kind < WORKER_KIND_COUNT; kind++)
        snprintf(paths[kind], PATH_ROOM, "%s/%s", directory, worker_kind_program((enum worker_kind)kind));
}

static struct decoders_options options_of_both(void)
{
    find_workers();
    return (struct decoders_options){.pool = {.worker_path = paths[WORKER_PLAIN],
                                              .count = 1,
                                              .job_time_us = 20 * SECOND_US,
                                              .queue_time_us = 20 * SECOND_US,
                                              .queue_max = 100,
                                              .memory_bytes = 512 * MIB,
                                              .pixels_max = 100000000,
                                              .frames_max = 500,
                                              .recycle_after = 1000,
                                              .cpu = cpu_choose(),
                                              .on_event = note_event},
                                     .heif_path = paths[WORKER_HEIF],
                                     .heif_count = 1};
}

static void create(const struct decoders_options *options)
{
    struct diag diag = {""};
    int result = decoders_create(options, &decoders, &diag);

    ck_assert_msg(result == 0, "%s", diag.text);
}

static void end(void)
{
    decoders_free(decoders);
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
}

static void examine_bytes(const uint8_t *data, size_t size)
{
    struct examination_request request = {.size = size};
    int fd = -1;

    ck_assert_int_eq(memfile_create("test", &fd), 0);
    ck_assert_int_eq(memfile_append(fd, data, size), 0);
    ck_assert_int_eq(memfile_seal(fd), 0);
    request.memory_fd = fd;
    ck_assert_int_eq(decoders_examine(decoders, &request, &examination), 0);
    close(fd);
}

/* Cut: how many bytes are left of the file; 0 = all. */
static void examine_file(const char *path, size_t cut)
{
    size_t size = 0;
    uint8_t *data = read_file(path, &size);

    examine_bytes(data, cut > 0 && cut < size ? cut : size);
    free(data);
}

static struct worker_pool_status status_of(enum worker_kind kind)
{
    struct worker_pool_status status;

    decoders_read_status(decoders, kind, &status);
    return status;
}

static void await_heif_worker(void)
{
    uint64_t deadline_us = clock_monotonic_us() + 10 * SECOND_US;

    while (status_of(WORKER_HEIF).alive == 0 && clock_monotonic_us() < deadline_us)
        usleep(1000);
}

START_TEST(heic_and_avif_go_to_the_workers_that_decode_them)
{
    struct decoders_options options = options_of_both();

    create(&options);
    examine_file("tests/data/photo_a.heic", 0);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert_int_eq(examination.format, FORMAT_HEIC);
    ck_assert(examination.width == 300 && examination.height == 200);
    struct pdq_hash heic = examination.views[0].hashes[ORIENTATION_ORIGINAL];
    examine_file("tests/data/photo_a.avif", 0);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert_int_eq(examination.format, FORMAT_AVIF);
    ck_assert_int_le(pdq_distance(&heic, &examination.views[0].hashes[ORIENTATION_ORIGINAL]), 16);
    examine_file("tests/data/photo_a.jpg", 0);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert_int_le(pdq_distance(&heic, &examination.views[0].hashes[ORIENTATION_ORIGINAL]), 16);
    ck_assert_uint_eq(status_of(WORKER_PLAIN).jobs, 3);
    ck_assert_uint_eq(status_of(WORKER_HEIF).jobs, 2);
    end();
}
END_TEST

START_TEST(without_the_program_they_are_unsupported)
{
    struct decoders_options options = options_of_both();

    options.heif_path = NULL;
    create(&options);
    ck_assert(decoders_have(decoders, WORKER_PLAIN) && !decoders_have(decoders, WORKER_HEIF));
    examine_file("tests/data/photo_a.heic", 0);
    ck_assert_uint_eq(examination.reasons, BIT(UNSUPPORTED));
    ck_assert_int_eq(examination.format, FORMAT_HEIC);
    ck_assert_uint_eq(status_of(WORKER_HEIF).count, 0);
    end();
}
END_TEST

START_TEST(what_no_kind_decodes_stays_unsupported)
{
    struct decoders_options options = options_of_both();

    create(&options);
    examine_bytes((const uint8_t *)"8BPS\0\1", 7);
    ck_assert_uint_eq(examination.reasons, BIT(UNSUPPORTED));
    ck_assert_uint_eq(status_of(WORKER_HEIF).jobs, 0);
    end();
}
END_TEST

START_TEST(a_kind_that_does_not_start_leaves_nothing_running)
{
    struct decoders_options options = options_of_both();
    struct diag diag = {""};

    options.heif_path = "/nowhere/prescreen-heif-worker";
    ck_assert_int_eq(decoders_create(&options, &decoders, &diag), -ENOENT);
    ck_assert_ptr_nonnull(strstr(diag.text, "/nowhere/prescreen-heif-worker"));
    options = options_of_both();
    options.heif_count = 0;
    ck_assert_int_eq(decoders_create(&options, &decoders, &diag), -EINVAL);
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
}
END_TEST

START_TEST(a_broken_file_costs_its_worker_which_is_replaced)
{
    struct decoders_options options = options_of_both();

    create(&options);
    examine_file("tests/data/photo_a.heic", 3000);
    ck_assert_uint_eq(examination.reasons, BIT(CORRUPT));
    ck_assert_int_eq(examination.format, FORMAT_HEIC);
    await_heif_worker();
    struct worker_pool_status status = status_of(WORKER_HEIF);
    ck_assert(status.recycled == 1 && status.died == 0 && status.alive == 1);
    ck_assert_msg(strstr(obituary, "replaced after a broken file: HEIF worker ") == obituary, "%s", obituary);
    examine_file("tests/data/photo_a.heic", 0);
    ck_assert_uint_eq(examination.reasons, 0);
    end();
}
END_TEST

START_TEST(a_worker_that_dies_of_a_file_leaves_its_format_known)
{
    struct decoders_options options = options_of_both();

    create(&options);
    ck_assert_int_gt(heif_pid, 0);
    kill(heif_pid, SIGSTOP);
    pid_t killer = fork();
    if (killer == 0) {
        usleep(300000);
        kill(heif_pid, SIGKILL);
        _exit(0);
    }
    examine_file("tests/data/photo_a.avif", 0);
    ck_assert_uint_eq(examination.reasons, BIT(DECODER_DIED));
    ck_assert_int_eq(examination.format, FORMAT_AVIF);
    ck_assert_int_eq(waitpid(killer, NULL, 0), killer);
    examine_file("tests/data/photo_a.avif", 0);
    ck_assert_uint_eq(examination.reasons, 0);
    ck_assert_uint_eq(status_of(WORKER_HEIF).died, 1);
    end();
}
END_TEST

/* The size that a picture declares in its ispe box, overwritten in every such box. */
static void declare_size(uint8_t *data, size_t size, uint32_t edge)
{
    for (size_t i = 0; i + 16 <= size; i++) {
        if (memcmp(data + i, "ispe", 4) == 0) {
            for (int side = 0; side < 2; side++) {
                for (int byte = 0; byte < 4; byte++)
                    data[i + 8 + (size_t)side * 4 + (size_t)byte] = (uint8_t)(edge >> (24 - 8 * byte));
            }
        }
    }
}

START_TEST(a_picture_above_the_pixel_limit_is_refused_by_what_it_declares)
{
    static const char *const files[] = {"tests/data/photo_a.heic", "tests/data/photo_a.avif"};
    struct decoders_options options = options_of_both();

    create(&options);
    for (int i = 0; i < 2; i++) {
        size_t size = 0;
        uint8_t *data = read_file(files[i], &size);
        declare_size(data, size, 65535);
        examine_bytes(data, size);
        ck_assert_uint_eq(examination.reasons, BIT(LIMIT_PIXELS));
        declare_size(data, size, 20000);
        examine_bytes(data, size);
        ck_assert_uint_eq(examination.reasons, BIT(LIMIT_PIXELS));
        ck_assert_uint_eq(examination.width, 20000);
        free(data);
    }
    end();
}
END_TEST

START_TEST(the_least_memory_is_enough_to_start_and_a_picture_above_it_is_told)
{
    struct decoders_options options = options_of_both();
    size_t size = 0;

    options.pool.memory_bytes = 64 * MIB;
    create(&options);
    uint8_t *data = read_file("tests/data/photo_a.avif", &size);
    examine_bytes(data, size);
    ck_assert_uint_eq(examination.reasons, 0);
    declare_size(data, size, 8000);
    examine_bytes(data, size);
    ck_assert_uint_eq(examination.reasons, BIT(LIMIT_MEMORY));
    free(data);
    end();
}
END_TEST

START_TEST(each_forbidden_call_is_the_death_of_a_heif_worker)
{
    struct child_plan plan = {
        .kind = WORKER_HEIF, .memory_bytes = 512 * MIB, .cpu_seconds = 60, .path = paths[WORKER_HEIF]};
    struct job job = {.type = JOB_PROBE, .number = 1, .call = (enum probe_call)_i, .parent_pid = 1};
    struct child child = CHILD_NONE;
    struct spawn_ending ending;
    struct diag diag = {""};

    find_workers();
    ck_assert_msg(child_start(&plan, &child, &diag) == 0, "%s", diag.text);
    ck_assert_int_eq(child_send(&child, &job, -1), 0);
    ck_assert_int_eq(child_bury(&child, clock_monotonic_us() + 20 * SECOND_US, &ending, &diag), 0);
    ck_assert_int_eq(ending.signal, SIGSYS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decoders");
    TCase *tests = tcase_create("decoders");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, heic_and_avif_go_to_the_workers_that_decode_them);
    tcase_add_test(tests, without_the_program_they_are_unsupported);
    tcase_add_test(tests, what_no_kind_decodes_stays_unsupported);
    tcase_add_test(tests, a_kind_that_does_not_start_leaves_nothing_running);
    tcase_add_test(tests, a_broken_file_costs_its_worker_which_is_replaced);
    tcase_add_test(tests, a_worker_that_dies_of_a_file_leaves_its_format_known);
    tcase_add_test(tests, a_picture_above_the_pixel_limit_is_refused_by_what_it_declares);
    tcase_add_test(tests, the_least_memory_is_enough_to_start_and_a_picture_above_it_is_told);
    tcase_add_loop_test(tests, each_forbidden_call_is_the_death_of_a_heif_worker, 0, PROBE_COUNT);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
