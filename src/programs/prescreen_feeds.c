/* Fetches lists from their sources: holds the credentials for them, which the daemon never sees. */
#include "prescreen/config/config.h"
#include "prescreen/feed/fetch.h"
#include "prescreen/feed/run.h"
#include "prescreen/os/notify.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum order { ORDER_SCHEDULE, ORDER_ONCE, ORDER_CHECK };

struct arguments {
    const char *config_path, *feed;
    enum order order;
};

static void print_usage(FILE *out)
{
    fputs(
        "usage: prescreen-feeds [--config FILE] [--feed NAME] [--once | --check]\n"
        "\n"
        "Fetches lists from the sources that the configuration names under feeds, by their intervals, until\n"
        "SIGTERM or SIGINT. The daemon takes in what changed within a second.\n"
        "  --once          pull each feed once, then end; exit status 1 when any did not succeed\n"
        "  --check         say whether each feed could be pulled: credentials, lists, checkpoint\n"
        "  --feed NAME     this feed alone\n"
        "  --config FILE   configuration (default: /etc/prescreen/prescreen.yaml, else built-in)\n"
        "  --version       print the version\n"
        "  --help          print this\n"
        "PRESCREEN_DATA_DIR overrides the configuration.\n",
        out);
}

/* Returns -1 to go on, else the exit status. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"feed", required_argument, NULL, 'f'},
                                            {"once", no_argument, NULL, '1'},
                                            {"check", no_argument, NULL, 'k'},
                                            {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option = 0;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'c') {
            arguments->config_path = optarg;
        } else if (option == 'f') {
            arguments->feed = optarg;
        } else if (option == '1' || option == 'k') {
            arguments->order = option == '1' ? ORDER_ONCE : ORDER_CHECK;
        } else if (option == 'v') {
            puts("prescreen-feeds " PRESCREEN_VERSION);
            return EXIT_SUCCESS;
        } else {
            print_usage(option == 'h' ? stdout : stderr);
            return option == 'h' ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "prescreen-feeds: unexpected argument %s\n", argv[optind]);
        return EXIT_FAILURE;
    }
    return -1;
}

static int refuse(struct log *log, const char *detail)
{
    log_event(log, LOG_ERROR, "start_refused", (struct log_field[]){LOG_TEXT("detail", detail), LOG_END});
    fprintf(stderr, "prescreen-feeds: %s\n", detail);
    return EXIT_FAILURE;
}

static bool has_feed(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->feed_count; i++) {
        if (name == NULL || strcmp(config->feeds[i].name, name) == 0)
            return true;
    }
    return false;
}

static int follow_order(const struct feed_run *run, enum order order)
{
    if (order == ORDER_CHECK)
        return feed_run_check(run, stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (fetch_begin() != 0)
        return refuse(run->log, "no memory to start");
    int status = EXIT_SUCCESS;
    if (order == ORDER_ONCE) {
        status = feed_run_once(run) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    } else {
        log_event(run->log, LOG_INFO, "ready",
                  (struct log_field[]){LOG_NUMBER("feeds", run->config->feed_count),
                                       LOG_TEXT("configuration", run->config->origin),
                                       LOG_TEXT("version", PRESCREEN_VERSION), LOG_END});
        notify_send("READY=1");
        if (feed_run_scheduled(run) != 0)
            status = refuse(run->log, "no memory to start");
        notify_send("STOPPING=1");
        log_event(run->log, LOG_INFO, "stopping", (struct log_field[]){LOG_END});
    }
    fetch_end();
    return status;
}

static int prepare(const struct arguments *arguments, struct config **config, struct list_store **store,
                   struct diag *diag)
{
    int result = config_load(arguments->config_path, config, diag);

    if (result == 0 && !has_feed(*config, arguments->feed))
        result = diag_fail(diag, -ENOENT, "%s",
                           arguments->feed != NULL ? "there is no feed of this name in the configuration"
                                                   : "the configuration names no feeds");
    if (result == 0)
        result = list_store_open((*config)->data_dir, false, store, diag);
    if (result == 0)
        list_store_guard(*store, *config);
    return result;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.order = ORDER_SCHEDULE};
    struct config *config = NULL;
    struct list_store *store = NULL;
    struct log *log = NULL;
    struct diag diag = {""};
    sigset_t signals;
    int status = read_arguments(argc, argv, &arguments);

    if (status >= 0)
        return status;
    /* They are never delivered, only asked for: nothing is interrupted half-way. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* A file at its limit must be an error of the write, not the end of this program. */
    signal(SIGXFSZ, SIG_IGN);
    umask(077);

    if (log_create(STDERR_FILENO, LOG_INFO, &log) != 0) {
        fputs("prescreen-feeds: no memory to start\n", stderr);
        return EXIT_FAILURE;
    }
    if (prepare(&arguments, &config, &store, &diag) != 0)
        status = refuse(log, diag.text);
    if (status < 0) {
        const struct feed_run run = {
            .config = config, .store = store, .log = log, .only = arguments.feed, .signals = &signals};
        status = follow_order(&run, arguments.order);
    }
    list_store_close(store);
    config_free(config);
    log_free(log);
    return status;
}
