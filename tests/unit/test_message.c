#include "prescreen/hash/pdq.h"

#include "tap.h"
#include "worker/message.h"

#include <errno.h>
#include <string.h>

static const struct job examine_job = {.type = JOB_EXAMINE,
                                       .number = 7,
                                       .size = 1000,
                                       .pixels_max = 100,
                                       .time_us = 9,
                                       .frames_max = 5,
                                       .effort = EFFORT_THOROUGH,
                                       .enrolment = true};
static const struct job self_test_job = {.type = JOB_SELF_TEST, .number = 8};
static const struct job probe_job = {
    .type = JOB_PROBE, .number = 9, .call = PROBE_KILL_PARENT, .parent_pid = 4321};
static const struct job measure_job = {.type = JOB_MEASURE,
                                       .number = 10,
                                       .size = 0,
                                       .pixels_max = 1,
                                       .time_us = 1,
                                       .frames_max = 1,
                                       .repeats = 100};
static const struct job *const jobs[] = {&examine_job, &self_test_job, &probe_job, &measure_job};

/* Where the fields are in a packet, so that a test can do what no writer of ours does. */
enum { AT_MAGIC = 0, AT_VERSION = 4, AT_TYPE = 6, AT_NUMBER = 8, AT_BODY = 16 };

static uint8_t packet[MESSAGE_REPLY_MAX + 1];
static struct examination examination;
static struct examination copy;

static void put_u32(size_t at, uint32_t value)
{
    memcpy(packet + at, &value, sizeof value);
}

static void put_u64(size_t at, uint64_t value)
{
    memcpy(packet + at, &value, sizeof value);
}

START_TEST(jobs_arrive_as_they_were_sent)
{
    struct job job;
    const struct job *sent = jobs[_i];
    unsigned int files = message_job_files(sent->type);

    message_write_job(sent, packet);
    ck_assert_int_eq(message_read_job(packet, MESSAGE_JOB_SIZE, files, &job), 0);
    ck_assert_int_eq(job.type, sent->type);
    ck_assert_uint_eq(job.number, sent->number);
    ck_assert_uint_eq(job.size, sent->size);
    ck_assert_uint_eq(job.pixels_max, sent->pixels_max);
    ck_assert_uint_eq(job.frames_max, sent->frames_max);
    ck_assert_uint_eq(job.time_us, sent->time_us);
    ck_assert_int_eq(job.effort, sent->effort);
    ck_assert_int_eq(job.enrolment, sent->enrolment);
    ck_assert_uint_eq(job.repeats, sent->repeats);
    ck_assert_int_eq(job.call, sent->call);
    ck_assert_uint_eq(job.parent_pid, sent->parent_pid);
    ck_assert_int_eq(message_read_job(packet, MESSAGE_JOB_SIZE, 1 - files, &job), -EPROTO);
    ck_assert_int_eq(message_read_job(packet, MESSAGE_JOB_SIZE, 2, &job), -EPROTO);
    ck_assert_int_eq(message_read_job(packet, MESSAGE_JOB_SIZE - 1, files, &job), -EPROTO);
    ck_assert_int_eq(message_read_job(packet, MESSAGE_JOB_SIZE + 1, files, &job), -EPROTO);
    ck_assert_int_eq(message_read_job(packet, 0, files, &job), -EPROTO);
}
END_TEST

enum {
    JOB_AT_SIZE = 16,
    JOB_AT_PIXELS = 24,
    JOB_AT_TIME = 32,
    JOB_AT_FRAMES = 40,
    JOB_AT_EFFORT = 44,
    JOB_AT_ENROLMENT = 46,
    JOB_AT_REPEATS = 48,
    JOB_AT_CALL = 52,
    JOB_AT_PID = 56,
    JOB_AT_UNUSED = 60
};

static const struct {
    const char *name;
    const struct job *job;
    size_t at;
    size_t width;
    uint64_t value;
} bad_jobs[] = {
    {"magic", &examine_job, AT_MAGIC, 4, 0},
    {"version", &examine_job, AT_VERSION, 2, 3},
    {"unknown type", &examine_job, AT_TYPE, 2, 0},
    {"type past the last", &examine_job, AT_TYPE, 2, 5},
    {"an answer's type", &examine_job, AT_TYPE, 2, 101},
    {"number 0", &examine_job, AT_NUMBER, 8, 0},
    {"no pixels", &examine_job, JOB_AT_PIXELS, 8, 0},
    {"no frames", &examine_job, JOB_AT_FRAMES, 4, 0},
    {"no time", &examine_job, JOB_AT_TIME, 8, 0},
    {"effort past the last", &examine_job, JOB_AT_EFFORT, 2, EFFORT_COUNT},
    {"enrolment neither true nor false", &examine_job, JOB_AT_ENROLMENT, 2, 2},
    {"an unused field", &examine_job, JOB_AT_UNUSED, 4, 1},
    {"enrolment in measure", &measure_job, JOB_AT_ENROLMENT, 2, 1},
    {"time in self-test", &self_test_job, JOB_AT_TIME, 8, 1},
    {"effort in probe", &probe_job, JOB_AT_EFFORT, 2, 1},
    {"repeats in examine", &examine_job, JOB_AT_REPEATS, 4, 1},
    {"call in examine", &examine_job, JOB_AT_CALL, 4, 1},
    {"pid in examine", &examine_job, JOB_AT_PID, 4, 1},
    {"size in self-test", &self_test_job, JOB_AT_SIZE, 8, 1},
    {"pixels in self-test", &self_test_job, JOB_AT_PIXELS, 8, 1},
    {"frames in self-test", &self_test_job, JOB_AT_FRAMES, 4, 1},
    {"call past the last", &probe_job, JOB_AT_CALL, 4, PROBE_COUNT},
    {"no pid", &probe_job, JOB_AT_PID, 4, 0},
    {"a group's pid", &probe_job, JOB_AT_PID, 4, 0xffffffff},
    {"pixels in probe", &probe_job, JOB_AT_PIXELS, 8, 1},
    {"no repeats", &measure_job, JOB_AT_REPEATS, 4, 0},
    {"too many repeats", &measure_job, JOB_AT_REPEATS, 4, 101},
};

START_TEST(a_job_with_any_field_out_of_range_is_refused)
{
    struct job job;
    const struct job *good = bad_jobs[_i].job;
    unsigned int files = message_job_files(good->type);

    message_write_job(good, packet);
    ck_assert_int_eq(message_read_job(packet, MESSAGE_JOB_SIZE, files, &job), 0);
    memcpy(packet + bad_jobs[_i].at, &bad_jobs[_i].value, bad_jobs[_i].width);
    ck_assert_msg(message_read_job(packet, MESSAGE_JOB_SIZE, files, &job) == -EPROTO, "%s",
                  bad_jobs[_i].name);
}
END_TEST

static void fill_examination(uint32_t view_count)
{
    memset(&examination, 0, sizeof examination);
    examination.format = FORMAT_WEBP;
    examination.width = 640;
    examination.height = 480;
    examination.frames = EXAMINATION_VIEWS_MAX;
    examination.reasons = REASON_BIT(REASON_MEDIA_CORRUPT);
    examination.trailing = TRAILING_ZIP;
    examination.trailing_bytes = 123;
    strcpy(examination.detail, "the data ends before the picture");
    examination.view_count = view_count;
    for (uint32_t i = 0; i < view_count; i++) {
        examination.views[i].view = i % VIEW_COUNT;
        examination.views[i].frame = i / VIEW_COUNT;
        examination.views[i].quality = i % 101;
        for (int o = 0; o < ORIENTATION_COUNT; o++)
            memset(&examination.views[i].hashes[o], (int)(i + (uint32_t)o), PDQ_SIZE);
    }
}

START_TEST(examinations_arrive_as_they_were_sent)
{
    static const uint32_t counts[] = {0, 1, 3, MESSAGE_VIEWS_MAX};
    uint32_t count = counts[_i];
    uint32_t present = 0;

    fill_examination(count);
    size_t size = message_write_examined(5, &examination, packet);
    ck_assert_uint_le(size, MESSAGE_REPLY_MAX);
    memset(&copy, 0, sizeof copy);
    ck_assert_int_eq(message_read_examined(packet, size, 5, &copy, &present), 0);
    ck_assert_uint_eq(present, count);
    ck_assert_mem_eq(&copy, &examination, sizeof copy);
    ck_assert_int_eq(message_read_examined(packet, size, 4, &copy, &present), -EPROTO);
    ck_assert_int_eq(message_read_examined(packet, size - 1, 5, &copy, &present), -EPROTO);
    ck_assert_int_eq(message_read_examined(packet, size + 1, 5, &copy, &present), -EPROTO);
    ck_assert_int_eq(message_read_examined(packet, 0, 5, &copy, &present), -EPROTO);
    ck_assert_int_eq(message_read_examined(packet, AT_BODY, 5, &copy, &present), -EPROTO);
}
END_TEST

START_TEST(many_views_arrive_in_packets_of_their_own)
{
    static const uint32_t counts[] = {MESSAGE_VIEWS_MAX + 1, 2 * MESSAGE_VIEWS_MAX, EXAMINATION_VIEWS_MAX};
    uint32_t count = counts[_i];
    uint32_t sent = MESSAGE_VIEWS_MAX;
    uint32_t present = 0;

    fill_examination(count);
    memset(&copy, 0, sizeof copy);
    size_t size = message_write_examined(5, &examination, packet);
    ck_assert_int_eq(message_read_examined(packet, size, 5, &copy, &present), 0);
    while (present < count) {
        ck_assert_uint_eq(present, sent);
        size = message_write_views(5, &examination, &sent, packet);
        ck_assert_uint_le(size, MESSAGE_REPLY_MAX);
        ck_assert_int_eq(message_read_views(packet, size, 4, &copy, &present), -EPROTO);
        ck_assert_int_eq(message_read_views(packet, size - 1, 5, &copy, &present), -EPROTO);
        ck_assert_int_eq(message_read_views(packet, size + 1, 5, &copy, &present), -EPROTO);
        ck_assert_int_eq(message_read_views(packet, AT_BODY - 1, 5, &copy, &present), -EPROTO);
        ck_assert_int_eq(message_read_views(packet, size, 5, &copy, &present), 0);
    }
    ck_assert_mem_eq(&copy, &examination, sizeof copy);
    ck_assert_int_eq(message_read_views(packet, size, 5, &copy, &present), -EPROTO);
}
END_TEST

START_TEST(a_view_out_of_range_is_refused_in_a_later_packet_too)
{
    uint32_t sent = MESSAGE_VIEWS_MAX;
    uint32_t present = 0;

    fill_examination(MESSAGE_VIEWS_MAX + 2);
    size_t size = message_write_examined(5, &examination, packet);
    ck_assert_int_eq(message_read_examined(packet, size, 5, &copy, &present), 0);
    size = message_write_views(5, &examination, &sent, packet);
    put_u32(AT_BODY, VIEW_COUNT);
    ck_assert_int_eq(message_read_views(packet, size, 5, &copy, &present), -EPROTO);
}
END_TEST

START_TEST(the_view_count_is_held_against_the_bytes_that_are_there)
{
    enum { AT_VIEW_COUNT = 36, VIEW_SIZE = 272 };
    uint32_t present = 0;

    fill_examination(2);
    size_t size = message_write_examined(5, &examination, packet);
    put_u32(AT_VIEW_COUNT, 1);
    ck_assert_int_eq(message_read_examined(packet, size, 5, &copy, &present), -EPROTO);
    ck_assert_int_eq(message_read_examined(packet, size - VIEW_SIZE, 5, &copy, &present), 0);
    put_u32(AT_VIEW_COUNT, 3);
    ck_assert_int_eq(message_read_examined(packet, size, 5, &copy, &present), -EPROTO);
    put_u32(AT_VIEW_COUNT, EXAMINATION_VIEWS_MAX + 1);
    ck_assert_int_eq(
        message_read_examined(packet, size + (MESSAGE_VIEWS_MAX - 2) * VIEW_SIZE, 5, &copy, &present),
        -EPROTO);
    put_u32(AT_VIEW_COUNT, UINT32_MAX);
    ck_assert_int_eq(message_read_examined(packet, size, 5, &copy, &present), -EPROTO);
}
END_TEST

enum {
    AT_FORMAT = 16,
    AT_WIDTH = 20,
    AT_HEIGHT = 24,
    AT_FRAMES = 28,
    AT_REASONS = 32,
    AT_TRAILING_BYTES = 40,
    AT_TRAILING = 48,
    AT_UNUSED = 52,
    AT_DETAIL = 56,
    AT_VIEWS = 184,
    AT_VIEW_2 = AT_VIEWS + 272,
};

static const struct {
    const char *name;
    size_t at;
    uint32_t value;
} bad_examinations[] = {
    {"magic", AT_MAGIC, 1},
    {"format past the last", AT_FORMAT, FORMAT_COUNT},
    {"hashes of no format", AT_FORMAT, FORMAT_UNKNOWN},
    {"hashes of a picture without pixels", AT_WIDTH, 0},
    {"trailing data past the last kind", AT_TRAILING, TRAILING_COUNT},
    {"trailing data of no kind", AT_TRAILING, TRAILING_NONE},
    {"a kind of no trailing data", AT_TRAILING_BYTES, 0},
    {"an unused field of the head", AT_UNUSED, 1},
    {"hashes of no frame", AT_FRAMES, 0},
    {"a match as a reason", AT_REASONS, REASON_BIT(REASON_MATCH_EXACT)},
    {"low quality, which the parent finds", AT_REASONS, REASON_BIT(REASON_MEDIA_LOW_QUALITY)},
    {"its own death", AT_REASONS, REASON_BIT(REASON_MEDIA_DECODER_DIED)},
    {"a reason past the last", AT_REASONS, REASON_BIT(REASON_COUNT)},
    {"the highest bit as a reason", AT_REASONS, 0x80000000},
    {"a control byte", AT_DETAIL, 0x0a414141},
    {"a byte that is not ASCII", AT_DETAIL, 0x414141c3},
    {"text after the end", AT_DETAIL + 124, 0x00414141},
    {"text without an end", AT_DETAIL + 124, 0x41414141},
    {"quality above 100", AT_VIEWS + 8, 101},
    {"an unused field", AT_VIEWS + 12, 1},
    {"a view past the last", AT_VIEW_2, VIEW_COUNT},
    {"a frame past the last", AT_VIEW_2 + 4, EXAMINATION_VIEWS_MAX},
};

START_TEST(an_examination_with_any_field_out_of_range_is_refused)
{
    uint32_t present = 0;

    fill_examination(3);
    size_t size = message_write_examined(5, &examination, packet);
    ck_assert_int_eq(message_read_examined(packet, size, 5, &copy, &present), 0);
    put_u32(bad_examinations[_i].at, bad_examinations[_i].value);
    ck_assert_msg(message_read_examined(packet, size, 5, &copy, &present) == -EPROTO, "%s",
                  bad_examinations[_i].name);
}
END_TEST

START_TEST(nothing_seen_and_no_reason_is_nonsense)
{
    uint32_t present = 0;

    fill_examination(0);
    examination.width = PDQ_EDGE_MIN - 1;
    examination.reasons = 0;
    size_t size = message_write_examined(5, &examination, packet);
    ck_assert_int_eq(message_read_examined(packet, size, 5, &copy, &present), 0);
    put_u32(AT_WIDTH, PDQ_EDGE_MIN);
    ck_assert_int_eq(message_read_examined(packet, size, 5, &copy, &present), -EPROTO);
    put_u32(AT_WIDTH, 0);
    ck_assert_int_eq(message_read_examined(packet, size, 5, &copy, &present), -EPROTO);
    put_u32(AT_WIDTH, 1);
    ck_assert_int_eq(message_read_examined(packet, size, 5, &copy, &present), 0);
    put_u32(AT_FORMAT, FORMAT_UNKNOWN);
    ck_assert_int_eq(message_read_examined(packet, size, 5, &copy, &present), -EPROTO);
    put_u32(AT_REASONS, REASON_BIT(REASON_MEDIA_UNRECOGNISED));
    ck_assert_int_eq(message_read_examined(packet, size, 5, &copy, &present), 0);
}
END_TEST

START_TEST(an_answer_is_taken_only_for_its_own_job)
{
    uint32_t abi = 0;
    uint32_t present = 0;
    size_t size = message_write_self_tested(3, 7, packet);

    ck_assert_int_eq(message_read_self_tested(packet, size, 3, &abi), 0);
    ck_assert_uint_eq(abi, 7);
    ck_assert_int_eq(message_read_self_tested(packet, size, 2, &abi), -EPROTO);
    ck_assert_int_eq(message_read_survived(packet, size, 3, PROBE_OPEN), -EPROTO);
    ck_assert_int_eq(message_read_examined(packet, size, 3, &copy, &present), -EPROTO);
    ck_assert_int_eq(message_read_self_tested(packet, size + 1, 3, &abi), -EPROTO);
    put_u32(AT_BODY + 4, 1);
    ck_assert_int_eq(message_read_self_tested(packet, size, 3, &abi), -EPROTO);

    size = message_write_survived(4, PROBE_FORK, packet);
    ck_assert_int_eq(message_read_survived(packet, size, 4, PROBE_FORK), 0);
    ck_assert_int_eq(message_read_survived(packet, size, 4, PROBE_OPEN), -EPROTO);
    ck_assert_int_eq(message_read_survived(packet, size, 5, PROBE_FORK), -EPROTO);
}
END_TEST

static const struct worker_measurement measurement = {.format = FORMAT_JPEG,
                                                      .width = 4000,
                                                      .height = 3000,
                                                      .decode = {1, 2},
                                                      .examine = {{3, 4}, {9, 10}, {11, 12}},
                                                      .full = {13, 14},
                                                      .full_distance_bits = 255,
                                                      .hash = {5, 6},
                                                      .reference = {7, 8},
                                                      .distance_bits = 256,
                                                      .quality = 100,
                                                      .reference_quality = 99};

START_TEST(measurements_arrive_as_they_were_sent)
{
    struct worker_measurement read;
    reason_set reasons = 1;
    size_t size = message_write_measured(6, 0, &measurement, packet);

    ck_assert_int_eq(message_read_measured(packet, size, 6, &reasons, &read), 0);
    ck_assert_uint_eq(reasons, 0);
    ck_assert_int_eq(read.format, FORMAT_JPEG);
    ck_assert(read.width == 4000 && read.height == 3000);
    ck_assert(read.decode.minimum_us == 1 && read.decode.median_us == 2);
    for (int effort = 0; effort < EFFORT_COUNT; effort++)
        ck_assert_mem_eq(&read.examine[effort], &measurement.examine[effort], sizeof read.examine[effort]);
    ck_assert(read.full.minimum_us == 13 && read.full.median_us == 14 && read.full_distance_bits == 255);
    ck_assert(read.hash.minimum_us == 5 && read.hash.median_us == 6);
    ck_assert(read.reference.minimum_us == 7 && read.reference.median_us == 8);
    ck_assert(read.distance_bits == 256 && read.quality == 100 && read.reference_quality == 99);
    ck_assert_int_eq(message_read_measured(packet, size, 7, &reasons, &read), -EPROTO);
    ck_assert_int_eq(message_read_measured(packet, size - 1, 6, &reasons, &read), -EPROTO);
    size = message_write_measured(6, REASON_BIT(REASON_MEDIA_CORRUPT), &measurement, packet);
    ck_assert_int_eq(message_read_measured(packet, size, 6, &reasons, &read), 0);
    ck_assert_uint_eq(reasons, REASON_BIT(REASON_MEDIA_CORRUPT));
    ck_assert_uint_eq(read.width, 0);
}
END_TEST

static const struct {
    const char *name;
    size_t at;
    uint32_t value;
} bad_measurements[] = {
    {"reasons next to a measurement", 16, REASON_BIT(REASON_MEDIA_CORRUPT)},
    {"no format", 20, FORMAT_UNKNOWN},
    {"format past the last", 20, FORMAT_COUNT},
    {"too narrow for a hash", 24, PDQ_EDGE_MIN - 1},
    {"too low for a hash", 28, PDQ_EDGE_MIN - 1},
    {"a minimum above the median", 32, 3},
    {"the last minimum above its median", 128, 15},
    {"distance above 256", 144, 257},
    {"quality above 100", 148, 101},
    {"the reference's quality above 100", 152, 101},
    {"distance of the slow way above 256", 156, 257},
};

START_TEST(a_measurement_with_any_field_out_of_range_is_refused)
{
    struct worker_measurement read;
    reason_set reasons = 0;
    size_t size = message_write_measured(6, 0, &measurement, packet);

    put_u32(bad_measurements[_i].at, bad_measurements[_i].value);
    ck_assert_msg(message_read_measured(packet, size, 6, &reasons, &read) == -EPROTO, "%s",
                  bad_measurements[_i].name);
}
END_TEST

START_TEST(no_reason_to_measure_nothing_is_foreign)
{
    struct worker_measurement read;
    reason_set reasons = 0;
    size_t size = message_write_measured(6, REASON_BIT(REASON_MEDIA_LIMIT_MEMORY), &measurement, packet);

    ck_assert_int_eq(message_read_measured(packet, size, 6, &reasons, &read), 0);
    put_u32(16, REASON_BIT(REASON_MATCH_NEAR));
    ck_assert_int_eq(message_read_measured(packet, size, 6, &reasons, &read), -EPROTO);
    put_u32(16, REASON_BIT(REASON_MEDIA_LIMIT_MEMORY));
    put_u64(40, 1);
    ck_assert_int_eq(message_read_measured(packet, size, 6, &reasons, &read), -EPROTO);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

int main(void)
{
    Suite *suite = suite_create("message");
    TCase *tests = tcase_create("message");

    tcase_add_loop_test(tests, jobs_arrive_as_they_were_sent, 0, COUNT(jobs));
    tcase_add_loop_test(tests, a_job_with_any_field_out_of_range_is_refused, 0, COUNT(bad_jobs));
    tcase_add_loop_test(tests, examinations_arrive_as_they_were_sent, 0, 4);
    tcase_add_loop_test(tests, many_views_arrive_in_packets_of_their_own, 0, 3);
    tcase_add_test(tests, a_view_out_of_range_is_refused_in_a_later_packet_too);
    tcase_add_test(tests, the_view_count_is_held_against_the_bytes_that_are_there);
    tcase_add_loop_test(tests, an_examination_with_any_field_out_of_range_is_refused, 0,
                        COUNT(bad_examinations));
    tcase_add_test(tests, nothing_seen_and_no_reason_is_nonsense);
    tcase_add_test(tests, an_answer_is_taken_only_for_its_own_job);
    tcase_add_test(tests, measurements_arrive_as_they_were_sent);
    tcase_add_loop_test(tests, a_measurement_with_any_field_out_of_range_is_refused, 0,
                        COUNT(bad_measurements));
    tcase_add_test(tests, no_reason_to_measure_nothing_is_foreign);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
