#include "prescreen/metrics/metrics.h"

#include "tap.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct metrics *metrics;
static struct bytes page;

static void create(void)
{
    ck_assert_int_eq(metrics_create(&metrics), 0);
    bytes_init(&page, 1 << 20);
}

static void destroy(void)
{
    metrics_free(metrics);
    bytes_clear(&page);
}

static const char *render(const struct metrics_reading *reading)
{
    bytes_clear(&page);
    ck_assert_int_eq(metrics_render(metrics, reading, &page), 0);
    ck_assert_int_eq(bytes_append(&page, "", 1), 0);
    return (const char *)page.data;
}

/* True when the page has exactly this line. */
static bool has_line(const char *text, const char *line)
{
    char needle[256];

    snprintf(needle, sizeof needle, "\n%s\n", line);
    return strstr(text, needle) != NULL;
}

START_TEST(screenings_are_counted_by_verdict_completeness_and_reason)
{
    metrics_count_screening(metrics, VERDICT_REPORT, true,
                            REASON_BIT(REASON_MATCH_EXACT) | REASON_BIT(REASON_MATCH_NEAR), 1, 1);
    metrics_count_screening(metrics, VERDICT_BLOCK, false, REASON_BIT(REASON_MEDIA_CORRUPT), 1, 1);
    metrics_count_screening(metrics, VERDICT_BLOCK, false, REASON_BIT(REASON_MEDIA_CORRUPT), 1, 1);
    const char *text = render(&(struct metrics_reading){.cpu = "plain"});
    ck_assert(has_line(text, "prescreen_screenings_total{verdict=\"report\",complete=\"true\"} 1"));
    ck_assert(has_line(text, "prescreen_screenings_total{verdict=\"block\",complete=\"false\"} 2"));
    ck_assert(has_line(text, "prescreen_screenings_total{verdict=\"allow\",complete=\"true\"} 0"));
    ck_assert(has_line(text, "prescreen_reasons_total{reason=\"match.exact\"} 1"));
    ck_assert(has_line(text, "prescreen_reasons_total{reason=\"match.near\"} 1"));
    ck_assert(has_line(text, "prescreen_reasons_total{reason=\"media.corrupt\"} 2"));
    ck_assert(has_line(text, "prescreen_reasons_total{reason=\"media.low_quality\"} 0"));
}
END_TEST

START_TEST(histogram_is_cumulative_and_a_bound_belongs_to_its_bucket)
{
    const uint64_t values_us[] = {999, 1000, 1001, 5000000, 5000001};

    for (size_t i = 0; i < 5; i++)
        metrics_count_screening(metrics, VERDICT_ALLOW, true, 0, values_us[i], 7);
    /* What was not decoded is no decode of no time. */
    metrics_count_screening(metrics, VERDICT_ALLOW, true, 0, 6000000, 0);
    const char *text = render(&(struct metrics_reading){.cpu = "plain"});
    ck_assert(has_line(text, "prescreen_decode_seconds_count 5"));
    ck_assert(has_line(text, "prescreen_screening_seconds_bucket{le=\"0.0005\"} 0"));
    ck_assert(has_line(text, "prescreen_screening_seconds_bucket{le=\"0.001\"} 2"));
    ck_assert(has_line(text, "prescreen_screening_seconds_bucket{le=\"0.0025\"} 3"));
    ck_assert(has_line(text, "prescreen_screening_seconds_bucket{le=\"2.5\"} 3"));
    ck_assert(has_line(text, "prescreen_screening_seconds_bucket{le=\"5\"} 4"));
    ck_assert(has_line(text, "prescreen_screening_seconds_bucket{le=\"+Inf\"} 6"));
    ck_assert(has_line(text, "prescreen_screening_seconds_count 6"));
    ck_assert(has_line(text, "prescreen_screening_seconds_sum 16.003001"));
    ck_assert(has_line(text, "prescreen_decode_seconds_bucket{le=\"0.0005\"} 5"));
    ck_assert(has_line(text, "prescreen_decode_seconds_sum 0.000035"));
}
END_TEST

START_TEST(answers_are_counted_by_status_and_odd_ones_ignored)
{
    const unsigned int statuses[] = {99, 100, 200, 200, 503, 599, 600};

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        metrics_count_response(metrics, statuses[i]);
    metrics_count_stale_screening(metrics);
    metrics_count_stale_screening(metrics);
    metrics_count_set_aside(metrics, 3);
    metrics_count_set_aside(metrics, 0);
    metrics_count_connection(metrics, 3);
    metrics_count_connection(metrics, -1);
    const char *text = render(&(struct metrics_reading){.cpu = "plain"});
    ck_assert(has_line(text, "prescreen_http_responses_total{status=\"100\"} 1"));
    ck_assert(has_line(text, "prescreen_http_responses_total{status=\"200\"} 2"));
    ck_assert(has_line(text, "prescreen_http_responses_total{status=\"503\"} 1"));
    ck_assert(has_line(text, "prescreen_http_responses_total{status=\"599\"} 1"));
    ck_assert_ptr_null(strstr(text, "status=\"99\""));
    ck_assert_ptr_null(strstr(text, "status=\"600\""));
    ck_assert_ptr_null(strstr(text, "status=\"404\""));
    ck_assert(has_line(text, "prescreen_http_connections 2"));
    ck_assert(has_line(text, "prescreen_stale_screenings_total 2"));
    ck_assert(has_line(text, "prescreen_flood_set_aside_total 3"));
}
END_TEST

START_TEST(page_shows_lists_workers_and_build)
{
    struct list_info lists[2] = {
        {.properties = {.name = "hotline", .action = ACTION_REPORT},
         .entries = 12,
         .updated_us = 1000000,
         .exempt = 4,
         .set_aside = 5},
        {.properties = {.name = "odd\"\\\nname", .action = ACTION_ALLOW}, .updated_us = 9000000}};
    struct metrics_reading reading = {
        .workers[WORKER_PLAIN] =
            {.count = 4, .alive = 3, .busy = 2, .waiting = 5, .jobs = 6, .started = 7, .died = 8},
        .cache = {.hits = 21, .misses = 22, .evictions = 23, .entries = 24, .bytes = 25},
        .lists = lists,
        .list_count = 2,
        .lists_version = 42,
        .index_entries = 13,
        .index_bytes = 4096,
        .index_segments = 3,
        .index_merges = 17,
        .index_from_snapshot = true,
        .index_load_us = 1250000,
        .snapshot_version = 41,
        .snapshots_written = 6,
        .snapshots_failed = 2,
        .now_us = 3500000,
        .cpu = "avx2",
        .ready = true};
    const char *text = render(&reading);

    ck_assert(has_line(text, "prescreen_build_info{version=\"" PRESCREEN_VERSION "\",cpu=\"avx2\"} 1"));
    ck_assert(has_line(text, "prescreen_ready 1"));
    ck_assert(has_line(text, "prescreen_workers{kind=\"plain\",state=\"busy\"} 2"));
    ck_assert(has_line(text, "prescreen_workers{kind=\"plain\",state=\"idle\"} 1"));
    ck_assert(has_line(text, "prescreen_workers{kind=\"plain\",state=\"missing\"} 1"));
    ck_assert(has_line(text, "prescreen_worker_queue{kind=\"plain\"} 5"));
    ck_assert(has_line(text, "prescreen_worker_jobs_total{kind=\"plain\"} 6"));
    ck_assert(has_line(text, "prescreen_worker_events_total{kind=\"plain\",event=\"started\"} 7"));
    ck_assert(has_line(text, "prescreen_worker_events_total{kind=\"plain\",event=\"died\"} 8"));
    ck_assert(has_line(text, "prescreen_cache_lookups_total{result=\"hit\"} 21"));
    ck_assert(has_line(text, "prescreen_cache_lookups_total{result=\"miss\"} 22"));
    ck_assert(has_line(text, "prescreen_cache_evictions_total 23"));
    ck_assert(has_line(text, "prescreen_cache_entries 24"));
    ck_assert(has_line(text, "prescreen_cache_bytes 25"));
    ck_assert(has_line(text, "prescreen_lists_version 42"));
    ck_assert(has_line(text, "prescreen_index_entries 13"));
    ck_assert(has_line(text, "prescreen_index_bytes 4096"));
    ck_assert(has_line(text, "prescreen_index_segments 3"));
    ck_assert(has_line(text, "prescreen_index_merges_total 17"));
    ck_assert(has_line(text, "prescreen_index_load_seconds{source=\"snapshot\"} 1.250000"));
    ck_assert(has_line(text, "prescreen_snapshot_version 41"));
    ck_assert(has_line(text, "prescreen_snapshots_total{result=\"written\"} 6"));
    ck_assert(has_line(text, "prescreen_snapshots_total{result=\"failed\"} 2"));
    ck_assert(has_line(text, "prescreen_list_entries{list=\"hotline\",action=\"report\"} 12"));
    ck_assert(has_line(text, "prescreen_list_age_seconds{list=\"hotline\"} 2.500"));
    ck_assert(has_line(text, "prescreen_entries_exempt{list=\"hotline\"} 4"));
    ck_assert(has_line(text, "prescreen_entries_set_aside{list=\"hotline\"} 5"));
    ck_assert(has_line(text, "prescreen_entries_set_aside{list=\"odd\\\"\\\\\\nname\"} 0"));
    ck_assert(has_line(text, "prescreen_list_age_seconds{list=\"odd\\\"\\\\\\nname\"} 0.000"));
}
END_TEST

START_TEST(every_sample_follows_its_help_and_type)
{
    char metric[128] = "";
    char *rest = NULL;

    metrics_count_response(metrics, 200);
    char *text = strdup(render(&(struct metrics_reading){.cpu = "plain"}));
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        char name[128];
        if (sscanf(line, "# HELP %127s", name) == 1) {
            memcpy(metric, name, sizeof metric);
            line = strtok_r(NULL, "\n", &rest);
            ck_assert_ptr_nonnull(line);
            ck_assert_int_eq(sscanf(line, "# TYPE %127s", name), 1);
            ck_assert_str_eq(name, metric);
        } else {
            ck_assert_msg(strncmp(line, metric, strlen(metric)) == 0, "%s is not below %s", line, metric);
        }
    }
    free(text);
}
END_TEST

START_TEST(page_that_outgrows_its_buffer_is_an_error)
{
    struct bytes small;

    bytes_init(&small, 100);
    ck_assert_int_eq(metrics_render(metrics, &(struct metrics_reading){.cpu = "plain"}, &small), -EFBIG);
    bytes_clear(&small);
}
END_TEST

static void *count_many(void *unused)
{
    (void)unused;
    for (int i = 0; i < 10000; i++)
        metrics_count_screening(metrics, VERDICT_ALLOW, true, 0, 1, 1);
    return NULL;
}

START_TEST(nothing_is_lost_between_threads)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count_many, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    const char *text = render(&(struct metrics_reading){.cpu = "plain"});
    ck_assert(has_line(text, "prescreen_screenings_total{verdict=\"allow\",complete=\"true\"} 40000"));
    ck_assert(has_line(text, "prescreen_screening_seconds_count 40000"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metrics");
    TCase *cases = tcase_create("metrics");

    tcase_add_checked_fixture(cases, create, destroy);
    tcase_add_test(cases, screenings_are_counted_by_verdict_completeness_and_reason);
    tcase_add_test(cases, histogram_is_cumulative_and_a_bound_belongs_to_its_bucket);
    tcase_add_test(cases, answers_are_counted_by_status_and_odd_ones_ignored);
    tcase_add_test(cases, page_shows_lists_workers_and_build);
    tcase_add_test(cases, every_sample_follows_its_help_and_type);
    tcase_add_test(cases, page_that_outgrows_its_buffer_is_an_error);
    tcase_add_test(cases, nothing_is_lost_between_threads);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
