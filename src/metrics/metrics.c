#include "prescreen/metrics/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_FIRST = 100, STATUS_COUNT = 500, BUCKET_COUNT = 13, SAMPLE_MAX = 1024 };

/* Upper bounds: a small picture takes about a millisecond, the default deadline of a job is two seconds. */
static const uint64_t bucket_bounds_us[BUCKET_COUNT] = {
    500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000};

struct histogram {
    _Atomic uint64_t buckets[BUCKET_COUNT + 1]; /* each alone; the last one is everything longer */
    _Atomic uint64_t sum_us;
};

struct metrics {
    _Atomic uint64_t screenings[VERDICT_COUNT][2]; /* by complete */
    _Atomic uint64_t reasons[REASON_COUNT];
    _Atomic uint64_t stale_screenings;
    _Atomic uint64_t set_aside;
    _Atomic uint64_t responses[STATUS_COUNT];
    _Atomic int64_t connections;
    struct histogram total, decode;
};

/* A page that is being written; the first error sticks. */
struct page {
    struct bytes *bytes;
    int result;
};

int metrics_create(struct metrics **metrics)
{
    struct metrics *made = calloc(1, sizeof *made);

    if (made == NULL)
        return -ENOMEM;
    *metrics = made;
    return 0;
}

void metrics_free(struct metrics *metrics)
{
    free(metrics);
}

static void add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static uint64_t read_counter(_Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void histogram_add(struct histogram *histogram, uint64_t value_us)
{
    size_t bucket = 0;

    while (bucket < BUCKET_COUNT && value_us > bucket_bounds_us[bucket])
        bucket++;
    add(&histogram->buckets[bucket], 1);
    add(&histogram->sum_us, value_us);
}

void metrics_count_screening(struct metrics *metrics, enum verdict verdict, bool complete, reason_set reasons,
                             uint64_t total_us, uint64_t decode_us)
{
    add(&metrics->screenings[verdict][complete], 1);
    for (int reason = 0; reason < REASON_COUNT; reason++) {
        if ((reasons & REASON_BIT(reason)) != 0)
            add(&metrics->reasons[reason], 1);
    }
    histogram_add(&metrics->total, total_us);
    if (decode_us > 0)
        histogram_add(&metrics->decode, decode_us);
}

void metrics_count_set_aside(struct metrics *metrics, uint64_t entries)
{
    add(&metrics->set_aside, entries);
}

void metrics_count_stale_screening(struct metrics *metrics)
{
    add(&metrics->stale_screenings, 1);
}

void metrics_count_response(struct metrics *metrics, unsigned int status)
{
    if (status >= STATUS_FIRST && status < STATUS_FIRST + STATUS_COUNT)
        add(&metrics->responses[status - STATUS_FIRST], 1);
}

void metrics_count_connection(struct metrics *metrics, int change)
{
    atomic_fetch_add_explicit(&metrics->connections, change, memory_order_relaxed);
}

static void page_write(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void page_write(struct page *page, const char *format, ...)
{
    char text[SAMPLE_MAX];
    va_list arguments;

    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof text)
        page->result = -EFBIG;
    if (page->result == 0)
        page->result = bytes_append(page->bytes, text, (size_t)size);
}

static void page_start(struct page *page, const char *name, const char *type, const char *help)
{
    page_write(page, "# HELP prescreen_%s %s\n# TYPE prescreen_%s %s\n", name, help, name, type);
}

/* A metric of one sample without labels. */
static void page_single(struct page *page, const char *name, const char *type, const char *help,
                        uint64_t value)
{
    page_start(page, name, type, help);
    page_write(page, "prescreen_%s %" PRIu64 "\n", name, value);
}

/* Label values escape backslash, double quote and line feed. */
static const char *escape_label(const char *value, char *text, size_t capacity)
{
    size_t at = 0;

    for (; *value != '\0' && at + 3 <= capacity; value++) {
        if (*value == '\\' || *value == '"' || *value == '\n')
            text[at++] = '\\';
        text[at++] = *value == '\n' ? 'n' : *value;
    }
    text[at] = '\0';
    return text;
}

static void render_screenings(struct metrics *metrics, struct page *page)
{
    page_start(page, "screenings_total", "counter", "Screenings that came to a verdict.");
    for (int verdict = 0; verdict < VERDICT_COUNT; verdict++) {
        for (int complete = 1; complete >= 0; complete--)
            page_write(page, "prescreen_screenings_total{verdict=\"%s\",complete=\"%s\"} %" PRIu64 "\n",
                       verdict_name((enum verdict)verdict), complete == 1 ? "true" : "false",
                       read_counter(&metrics->screenings[verdict][complete]));
    }
    page_start(page, "reasons_total", "counter", "Reasons that screenings gave.");
    for (int reason = 0; reason < REASON_COUNT; reason++)
        page_write(page, "prescreen_reasons_total{reason=\"%s\"} %" PRIu64 "\n",
                   reason_name((enum reason)reason), read_counter(&metrics->reasons[reason]));
    page_single(page, "flood_set_aside_total", "counter",
                "Entries that the flood guard set aside for review.", read_counter(&metrics->set_aside));
    page_single(page, "stale_screenings_total", "counter",
                "Screenings with lists past the profile's max_list_age (stale_lists: serve).",
                read_counter(&metrics->stale_screenings));
}

static void render_histogram(struct histogram *histogram, struct page *page, const char *name,
                             const char *help)
{
    uint64_t count = 0;

    page_start(page, name, "histogram", help);
    for (size_t bucket = 0; bucket < BUCKET_COUNT; bucket++) {
        count += read_counter(&histogram->buckets[bucket]);
        page_write(page, "prescreen_%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                   (double)bucket_bounds_us[bucket] / 1e6, count);
    }
    count += read_counter(&histogram->buckets[BUCKET_COUNT]);
    page_write(page, "prescreen_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
    page_write(page, "prescreen_%s_sum %.6f\nprescreen_%s_count %" PRIu64 "\n", name,
               (double)read_counter(&histogram->sum_us) / 1e6, name, count);
}

static void render_http(struct metrics *metrics, struct page *page)
{
    int64_t connections = atomic_load_explicit(&metrics->connections, memory_order_relaxed);

    page_start(page, "http_responses_total", "counter", "Answers by HTTP status.");
    for (unsigned int i = 0; i < STATUS_COUNT; i++) {
        uint64_t count = read_counter(&metrics->responses[i]);
        if (count != 0)
            page_write(page, "prescreen_http_responses_total{status=\"%u\"} %" PRIu64 "\n", STATUS_FIRST + i,
                       count);
    }
    page_start(page, "http_connections", "gauge", "Connections that are open.");
    page_write(page, "prescreen_http_connections %" PRId64 "\n", connections);
}

/* A metric of each kind of worker. */
static void render_by_kind(struct page *page, const struct metrics_reading *reading, const char *name,
                           const char *type, const char *help,
                           uint64_t (*value)(const struct worker_pool_status *workers))
{
    page_start(page, name, type, help);
    for (int kind = 0; kind < WORKER_KIND_COUNT; kind++) {
        if (reading->workers[kind].count > 0)
            page_write(page, "prescreen_%s{kind=\"%s\"} %" PRIu64 "\n", name,
                       worker_kind_name((enum worker_kind)kind), value(&reading->workers[kind]));
    }
}

static uint64_t jobs_of(const struct worker_pool_status *workers)
{
    return workers->jobs;
}

static uint64_t queue_of(const struct worker_pool_status *workers)
{
    return workers->waiting;
}

static void render_states(const char *kind, const struct worker_pool_status *workers, struct page *page)
{
    const struct {
        const char *name;
        uint64_t value;
    } states[] = {{"busy", workers->busy},
                  {"idle", workers->alive > workers->busy ? workers->alive - workers->busy : 0},
                  {"missing", workers->count > workers->alive ? workers->count - workers->alive : 0}};

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        page_write(page, "prescreen_workers{kind=\"%s\",state=\"%s\"} %" PRIu64 "\n", kind, states[i].name,
                   states[i].value);
}

static void render_events(const char *kind, const struct worker_pool_status *workers, struct page *page)
{
    const struct {
        const char *name;
        uint64_t value;
    } events[] = {{"started", workers->started},
                  {"recycled", workers->recycled},
                  {"died", workers->died},
                  {"timed_out", workers->timed_out},
                  {"spoke_nonsense", workers->nonsense}};

    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        page_write(page, "prescreen_worker_events_total{kind=\"%s\",event=\"%s\"} %" PRIu64 "\n", kind,
                   events[i].name, events[i].value);
}

static void render_workers(const struct metrics_reading *reading, struct page *page)
{
    page_start(page, "workers", "gauge", "Workers by what they are doing.");
    for (int kind = 0; kind < WORKER_KIND_COUNT; kind++) {
        if (reading->workers[kind].count > 0)
            render_states(worker_kind_name((enum worker_kind)kind), &reading->workers[kind], page);
    }
    page_start(page, "worker_events_total", "counter", "What happened to workers.");
    for (int kind = 0; kind < WORKER_KIND_COUNT; kind++) {
        if (reading->workers[kind].count > 0)
            render_events(worker_kind_name((enum worker_kind)kind), &reading->workers[kind], page);
    }
    render_by_kind(page, reading, "worker_jobs_total", "counter", "Uploads that were handed to a worker.",
                   jobs_of);
    render_by_kind(page, reading, "worker_queue", "gauge", "Uploads that wait for a worker.", queue_of);
}

static void render_cache(const struct examination_cache_status *cache, struct page *page)
{
    page_start(page, "cache_lookups_total", "counter",
               "Uploads by whether their bytes had been examined before.");
    page_write(page, "prescreen_cache_lookups_total{result=\"hit\"} %" PRIu64 "\n", cache->hits);
    page_write(page, "prescreen_cache_lookups_total{result=\"miss\"} %" PRIu64 "\n", cache->misses);
    page_single(page, "cache_evictions_total", "counter", "Findings that made room for others.",
                cache->evictions);
    page_single(page, "cache_entries", "gauge", "Findings that are kept.", cache->entries);
    page_single(page, "cache_bytes", "gauge", "Memory of the findings that are kept.", cache->bytes);
}

/* A metric of each list. */
static void render_by_list(struct page *page, const struct metrics_reading *reading, const char *name,
                           const char *help, uint64_t (*value)(const struct list_info *list))
{
    char label[2 * LIST_NAME_MAX + 1];

    page_start(page, name, "gauge", help);
    for (size_t i = 0; i < reading->list_count; i++)
        page_write(page, "prescreen_%s{list=\"%s\"} %" PRIu64 "\n", name,
                   escape_label(reading->lists[i].properties.name, label, sizeof label),
                   value(&reading->lists[i]));
}

static uint64_t exempt_of(const struct list_info *list)
{
    return list->exempt;
}

static uint64_t set_aside_of(const struct list_info *list)
{
    return list->set_aside;
}

static void render_lists(const struct metrics_reading *reading, struct page *page)
{
    char name[2 * LIST_NAME_MAX + 1];

    page_single(page, "lists_version", "gauge", "Version of the lists in force.", reading->lists_version);
    page_single(page, "index_entries", "gauge", "Entries that are looked up.", reading->index_entries);
    page_single(page, "index_bytes", "gauge", "Memory of the index in bytes.", reading->index_bytes);
    page_single(page, "index_segments", "gauge", "Segments that a lookup searches one after the other.",
                reading->index_segments);
    page_single(page, "index_merges_total", "counter", "Merges of segments that were made aside.",
                reading->index_merges);
    page_start(page, "list_entries", "gauge", "Entries of a list.");
    for (size_t i = 0; i < reading->list_count; i++) {
        const struct list_info *list = &reading->lists[i];
        page_write(page, "prescreen_list_entries{list=\"%s\",action=\"%s\"} %" PRIu64 "\n",
                   escape_label(list->properties.name, name, sizeof name),
                   list_action_name(list->properties.action), list->entries);
    }
    render_by_list(page, reading, "entries_exempt", "Entries of a list that change no verdict.", exempt_of);
    render_by_list(page, reading, "entries_set_aside", "Entries of a list that wait for review.",
                   set_aside_of);
    page_start(page, "list_age_seconds", "gauge", "Time since a list was last updated.");
    for (size_t i = 0; i < reading->list_count; i++) {
        const struct list_info *list = &reading->lists[i];
        uint64_t age_us = reading->now_us > list->updated_us ? reading->now_us - list->updated_us : 0;
        page_write(page, "prescreen_list_age_seconds{list=\"%s\"} %.3f\n",
                   escape_label(list->properties.name, name, sizeof name), (double)age_us / 1e6);
    }
}

static void render_snapshot(const struct metrics_reading *reading, struct page *page)
{
    page_start(page, "index_load_seconds", "gauge",
               "What it took to have an index at the start, and from what.");
    page_write(page, "prescreen_index_load_seconds{source=\"%s\"} %.6f\n",
               reading->index_from_snapshot ? "snapshot" : "store", (double)reading->index_load_us / 1e6);
    page_single(page, "snapshot_version", "gauge",
                "Version of the lists that the snapshot of the index is of; 0: there is none.",
                reading->snapshot_version);
    page_start(page, "snapshots_total", "counter",
               "Snapshots of the index that were written, and those that failed.");
    page_write(page, "prescreen_snapshots_total{result=\"written\"} %" PRIu64 "\n",
               reading->snapshots_written);
    page_write(page, "prescreen_snapshots_total{result=\"failed\"} %" PRIu64 "\n", reading->snapshots_failed);
}

int metrics_render(struct metrics *metrics, const struct metrics_reading *reading, struct bytes *bytes)
{
    struct page page = {.bytes = bytes};

    page_start(&page, "build_info", "gauge", "Version and instruction set in use.");
    page_write(&page, "prescreen_build_info{version=\"%s\",cpu=\"%s\"} 1\n", PRESCREEN_VERSION, reading->cpu);
    page_single(&page, "ready", "gauge", "1 when readyz answers 200.", reading->ready);
    render_screenings(metrics, &page);
    render_histogram(&metrics->total, &page, "screening_seconds", "Time of a screening, receiving included.");
    render_histogram(&metrics->decode, &page, "decode_seconds", "Time that a worker took for an upload.");
    render_http(metrics, &page);
    render_workers(reading, &page);
    render_cache(&reading->cache, &page);
    render_lists(reading, &page);
    render_snapshot(reading, &page);
    return page.result;
}
