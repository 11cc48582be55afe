/* The daemon: creates the parts in order, serves until it is told to stop, takes them down in reverse. */
#include "prescreen/base/clock.h"
#include "prescreen/config/config.h"
#include "prescreen/http/server.h"
#include "prescreen/log/log.h"
#include "prescreen/metrics/metrics.h"
#include "prescreen/os/files.h"
#include "prescreen/os/notify.h"
#include "prescreen/screen/decoding.h"
#include "prescreen/screen/screener.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STOP_GRACE_US = 10000000, FORGET_PERIOD_US = 600000000, STALE_WARNING_PERIOD_US = 60000000 };

struct parts {
    struct config *config;
    struct log *log;
    struct metrics *metrics;
    struct list_store *list_store;
    struct record_store *record_store;
    struct catalog *catalog;
    struct decoders *decoders;
    struct examination_cache *cache; /* NULL: nothing is kept */
    struct screener *screener;
    struct http_server *server;
    _Atomic uint64_t stale_warned_us; /* when it was last said that lists are stale; monotonic */
};

static void print_usage(FILE *out)
{
    fputs("usage: prescreend [--config FILE]\n"
          "\n"
          "Serves prescreen's HTTP interface until SIGTERM or SIGINT.\n"
          "  --config FILE   configuration (default: /etc/prescreen/prescreen.yaml, else built-in)\n"
          "  --version       print the version\n"
          "  --help          print this\n"
          "PRESCREEN_LISTEN, PRESCREEN_DATA_DIR and PRESCREEN_WORKERS override the configuration.\n"
          "PRESCREEN_CPU (plain, avx2, avx512) lowers the instruction set in use.\n",
          out);
}

/* Returns -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, const char **config_path)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option = 0;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'c') {
            *config_path = optarg;
        } else if (option == 'v') {
            puts("prescreend " PRESCREEN_VERSION);
            return EXIT_SUCCESS;
        } else {
            print_usage(option == 'h' ? stdout : stderr);
            return option == 'h' ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "prescreend: unexpected argument %s\n", argv[optind]);
        return EXIT_FAILURE;
    }
    return -1;
}

static void on_worker_event(void *context, enum worker_event event, const char *text)
{
    static const struct {
        enum log_level level;
        const char *name;
    } rows[] = {[WORKER_STARTED] = {LOG_DEBUG, "worker_started"},
                [WORKER_RECYCLED] = {LOG_DEBUG, "worker_recycled"},
                [WORKER_DIED] = {LOG_WARN, "worker_died"},
                [WORKER_TIMED_OUT] = {LOG_WARN, "worker_timed_out"},
                [WORKER_SPOKE_NONSENSE] = {LOG_ERROR, "worker_spoke_nonsense"},
                [WORKER_START_FAILED] = {LOG_ERROR, "worker_start_failed"}};

    log_event(context, rows[event].level, rows[event].name,
              (struct log_field[]){LOG_TEXT("detail", text), LOG_END});
}

/* Counted each time, said once a minute at most. */
static void warn_of_stale_lists(struct parts *parts, const struct screening *screening)
{
    const uint64_t now_us = clock_monotonic_us();
    uint64_t warned_us = parts->stale_warned_us;

    metrics_count_stale_screening(parts->metrics);
    if (warned_us != 0 && now_us - warned_us < STALE_WARNING_PERIOD_US)
        return;
    if (atomic_compare_exchange_strong(&parts->stale_warned_us, &warned_us, now_us))
        log_event(parts->log, LOG_WARN, "lists_stale",
                  (struct log_field[]){LOG_TEXT("detail", "screenings go on with lists past max_list_age "
                                                          "(stale_lists: serve); see list_age_seconds"),
                                       LOG_TEXT("profile", screening->profile), LOG_END});
}

static void on_flood(void *context, const struct flood_event *event)
{
    struct parts *parts = context;

    metrics_count_set_aside(parts->metrics, event->entries);
    log_event(parts->log, event->failed ? LOG_ERROR : LOG_WARN,
              event->failed ? "flood_not_set_aside" : "entries_set_aside",
              (struct log_field[]){LOG_TEXT("list", event->list), LOG_NUMBER("entries", event->entries),
                                   LOG_TEXT("detail", event->detail), LOG_END});
}

static void on_screening(void *context, const struct screening *screening)
{
    struct parts *parts = context;

    if (screening->stale_lists)
        warn_of_stale_lists(parts, screening);
    metrics_count_screening(parts->metrics, screening->verdict, screening->complete, screening->reasons,
                            screening->timing.total_us, screening->timing.decode_us);
    if (screening->verdict == VERDICT_ALLOW && screening->reasons == 0)
        return;
    log_event(parts->log, LOG_INFO, "screening",
              (struct log_field[]){LOG_TEXT("screening_id", screening->screening_id),
                                   LOG_TEXT("verdict", verdict_name(screening->verdict)),
                                   LOG_NUMBER("complete", screening->complete),
                                   LOG_NUMBER("matches", screening->match_total),
                                   LOG_TEXT("format", media_format_name(screening->media.format)),
                                   LOG_TEXT("detail", screening->detail), LOG_END});
}

static int start_decoders(struct parts *parts, struct diag *diag)
{
    int result = decoding_start(parts->config, SIZE_MAX, on_worker_event, parts->log, &parts->decoders, diag);

    if (result == 0 && !decoders_have(parts->decoders, WORKER_HEIF))
        log_event(parts->log, LOG_WARN, "no_heif",
                  (struct log_field[]){LOG_TEXT("detail", "prescreen-heif-worker is not installed: HEIC and "
                                                          "AVIF are answered media.unsupported"),
                                       LOG_END});
    return result;
}

static int start_cache(struct parts *parts, struct diag *diag)
{
    const uint64_t bytes_max = parts->config->limits.cache_bytes;
    int result = bytes_max > 0 ? examination_cache_create(bytes_max, &parts->cache) : 0;

    return result == 0 ? 0 : diag_fail(diag, result, "no memory for the cache");
}

static void on_catalog_event(void *context, enum catalog_event event, const char *text)
{
    static const struct {
        enum log_level level;
        const char *name;
    } rows[CATALOG_EVENT_COUNT] = {[CATALOG_LOADED] = {LOG_INFO, "lists_loaded"},
                                   [CATALOG_SNAPSHOT_REFUSED] = {LOG_WARN, "snapshot_refused"},
                                   [CATALOG_SNAPSHOT_WRITTEN] = {LOG_INFO, "snapshot_written"},
                                   [CATALOG_SNAPSHOT_FAILED] = {LOG_ERROR, "snapshot_failed"},
                                   [CATALOG_UNREADABLE] = {LOG_ERROR, "lists_unreadable"},
                                   [CATALOG_MERGE_FAILED] = {LOG_ERROR, "merge_failed"}};

    log_event(context, rows[event].level, rows[event].name,
              (struct log_field[]){LOG_TEXT("detail", text), LOG_END});
}

static int start_catalog(struct parts *parts, struct diag *diag)
{
    const struct catalog_options options = {.store = parts->list_store,
                                            .cpu = cpu_choose(),
                                            .folder = parts->config->data_dir,
                                            .snapshot_interval_us =
                                                parts->config->limits.snapshot_interval_us,
                                            .on_event = on_catalog_event,
                                            .context = parts->log};
    int result = catalog_create(&options, &parts->catalog, diag);

    if (result == 0) {
        result = catalog_keep(parts->catalog);
        if (result != 0)
            diag_set(diag, "the thread that keeps the lists cannot start: %s", strerror(-result));
    }
    return result;
}

static int start_parts(struct parts *parts, struct diag *diag)
{
    int result = files_make_directory(parts->config->data_dir, diag);

    if (result == 0)
        result = list_store_open(parts->config->data_dir, true, &parts->list_store, diag);
    if (result == 0)
        list_store_guard(parts->list_store, parts->config);
    if (result == 0)
        result = record_store_open(parts->config->data_dir, &parts->record_store, diag);
    if (result == 0)
        result = start_decoders(parts, diag);
    if (result == 0)
        result = start_cache(parts, diag);
    if (result == 0)
        result = start_catalog(parts, diag);
    if (result != 0)
        return result;
    struct screener_parts screener = {.config = parts->config,
                                      .decoders = parts->decoders,
                                      .cache = parts->cache,
                                      .catalog = parts->catalog,
                                      .list_store = parts->list_store,
                                      .record_store = parts->record_store,
                                      .on_screening = on_screening,
                                      .on_flood = on_flood,
                                      .on_screening_context = parts};
    result = screener_create(&screener, &parts->screener);
    if (result != 0)
        return diag_fail(diag, result, "no memory to start");
    struct http_server_parts server = {.config = parts->config,
                                       .screener = parts->screener,
                                       .catalog = parts->catalog,
                                       .list_store = parts->list_store,
                                       .record_store = parts->record_store,
                                       .decoders = parts->decoders,
                                       .cache = parts->cache,
                                       .metrics = parts->metrics,
                                       .log = parts->log};
    return http_server_start(&server, &parts->server, diag);
}

static void stop_parts(struct parts *parts)
{
    http_server_stop(parts->server, STOP_GRACE_US);
    screener_free(parts->screener);
    catalog_free(parts->catalog);
    examination_cache_free(parts->cache);
    decoders_free(parts->decoders);
    record_store_close(parts->record_store);
    list_store_close(parts->list_store);
    metrics_free(parts->metrics);
    config_free(parts->config);
}

static void announce_ready(const struct parts *parts)
{
    if (parts->config->key_count == 0)
        log_event(
            parts->log, LOG_WARN, "no_keys",
            (struct log_field[]){
                LOG_TEXT("detail", "no API keys are configured: every local caller is allowed, and only "
                                   "loopback and unix addresses are served"),
                LOG_END});
    log_event(parts->log, LOG_INFO, "ready",
              (struct log_field[]){LOG_TEXT("url", http_server_url(parts->server)),
                                   LOG_TEXT("configuration", parts->config->origin),
                                   LOG_TEXT("version", PRESCREEN_VERSION), LOG_END});
    dprintf(STDERR_FILENO, "ready %s\n", http_server_url(parts->server));
    notify_send("READY=1");
}

/* Waits for the order to stop; now and then forgets old answers. */
static int serve(struct parts *parts, const sigset_t *signals)
{
    const struct timespec second = {.tv_sec = 1};
    uint64_t forgotten_us = 0;

    for (;;) {
        struct diag diag = {""};
        int signal_number = sigtimedwait(signals, NULL, &second);
        if (signal_number > 0)
            return signal_number;
        if (clock_monotonic_us() - forgotten_us < FORGET_PERIOD_US && forgotten_us != 0)
            continue;
        forgotten_us = clock_monotonic_us();
        if (record_store_forget_answers(parts->record_store, clock_wall_us(), &diag) != 0)
            log_event(parts->log, LOG_ERROR, "answers_not_forgotten",
                      (struct log_field[]){LOG_TEXT("detail", diag.text), LOG_END});
        if (record_store_forget_hits(parts->record_store, clock_wall_us(), &diag) != 0)
            log_event(parts->log, LOG_ERROR, "hits_not_forgotten",
                      (struct log_field[]){LOG_TEXT("detail", diag.text), LOG_END});
    }
}

int main(int argc, char **argv)
{
    struct parts parts = {0};
    struct diag diag = {""};
    const char *config_path = NULL;
    sigset_t signals;
    int status = read_arguments(argc, argv, &config_path);

    if (status >= 0)
        return status;
    /* Before any thread exists, so that every thread inherits it and serve() alone takes them. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* A file at its limit must be an error of the write, not the end of the daemon. */
    signal(SIGXFSZ, SIG_IGN);

    status = EXIT_FAILURE;
    if (log_create(STDERR_FILENO, LOG_INFO, &parts.log) != 0 || metrics_create(&parts.metrics) != 0) {
        fputs("prescreend: no memory to start\n", stderr);
    } else if (config_load(config_path, &parts.config, &diag) != 0 || start_parts(&parts, &diag) != 0) {
        log_event(parts.log, LOG_ERROR, "start_refused",
                  (struct log_field[]){LOG_TEXT("detail", diag.text), LOG_END});
        fprintf(stderr, "prescreend: %s\n", diag.text);
    } else {
        announce_ready(&parts);
        int signal_number = serve(&parts, &signals);
        notify_send("STOPPING=1");
        log_event(parts.log, LOG_INFO, "stopping",
                  (struct log_field[]){LOG_TEXT("signal", strsignal(signal_number)), LOG_END});
        status = EXIT_SUCCESS;
    }
    stop_parts(&parts);
    log_free(parts.log);
    return status;
}
