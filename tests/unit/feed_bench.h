/* A store with lists, a feed of them, and a source that says what a test lets it say. For exactly one file of
 * a test program. */
#ifndef PRESCREEN_TESTS_UNIT_FEED_BENCH_H
#define PRESCREEN_TESTS_UNIT_FEED_BENCH_H

#include "prescreen/feed/pull.h"

#include "store_folder.h"

#include <errno.h>
#include <sys/stat.h>

#define FEED_NOW_S UINT64_C(1700000000)

/* One answer of the source. */
struct said {
    int outcome;
    const char *body;
    uint64_t asked_us;
};

static struct {
    struct store_folder folder;
    struct config config;
    struct config_class classes[1];
    struct config_list rules[2];
    struct config_feed feed;
    struct list_store *store;
    struct log *log;
    const struct said *script; /* of the pages, in their order */
    size_t script_count, told; /* answers given */
    int clock_outcome;         /* of what is asked before the pages */
    uint64_t now_s, date_s;
    char urls[16][256];
    size_t calls;
    uint64_t waits[16];
    size_t wait_count;
    size_t stop_after; /* waits; 0 = never */
    struct feed_report report;
    struct diag diag;
} bench;

static int say(const struct said *said, struct fetch_answer *answer, struct diag *diag)
{
    *answer = (struct fetch_answer){.date_s = bench.date_s, .asked_us = said->asked_us};
    bytes_init(&answer->body, 1 << 20);
    if (said->outcome != 0)
        return diag_fail(diag, said->outcome, "scripted outcome %d", said->outcome);
    if (bytes_append(&answer->body, said->body, strlen(said->body)) != 0)
        return diag_fail(diag, -ENOMEM, "no memory for the body");
    return 0;
}

static int get_scripted(void *context, const char *url, struct fetch_answer *answer, struct diag *diag)
{
    const struct said clock = {.outcome = bench.clock_outcome, .body = "<status/>"};
    const struct said silence = {.outcome = FETCH_FAILED};

    (void)context;
    snprintf(bench.urls[bench.calls % 16], sizeof bench.urls[0], "%s", url);
    bench.calls++;
    if (strstr(url, "/v2/status") != NULL)
        return say(&clock, answer, diag);
    return say(bench.told < bench.script_count ? &bench.script[bench.told++] : &silence, answer, diag);
}

static bool wait_not(void *context, uint64_t time_us)
{
    (void)context;
    bench.waits[bench.wait_count % 16] = time_us;
    return ++bench.wait_count != bench.stop_after;
}

static uint64_t bench_now_us(void *context)
{
    (void)context;
    return bench.now_s * 1000000;
}

static uint32_t no_chance(void *context)
{
    (void)context;
    return 0;
}

static inline void open_bench_store(void)
{
    ck_assert_msg(list_store_open(bench.folder.path, true, &bench.store, &bench.diag) == 0, "%s",
                  bench.diag.text);
    list_store_guard(bench.store, &bench.config);
}

/* Lists "a" (report) and "b" (block) of a feed of this kind; both take what has no class as their own. */
static inline void start_bench(enum feed_kind kind)
{
    memset(&bench, 0, sizeof bench);
    bench.folder = make_folder();
    bench.now_s = bench.date_s = FEED_NOW_S;
    bench.classes[0] = (struct config_class){.name = "A1", .meaning = ACTION_REPORT};
    for (int i = 0; i < 2; i++) {
        bench.rules[i] = (struct config_list){.classes = bench.classes, .class_count = 1};
        bench.rules[i].name[0] = (char)('a' + i);
    }
    bench.feed = (struct config_feed){.name = "f",
                                      .kind = kind,
                                      .url = "http://127.0.0.1:1/base",
                                      .lists = {"a", "b"},
                                      .list_count = 1,
                                      .retry_us = 1000000};
    bench.config = (struct config){
        .lists = bench.rules, .list_count = 2, .limits.import_bytes = 1 << 20, .limits.history = 1000};
    snprintf(bench.config.data_dir, sizeof bench.config.data_dir, "%s", bench.folder.path);
    open_bench_store();
    for (int i = 0; i < 2; i++) {
        struct list_properties properties = {.action = i == 0 ? ACTION_REPORT : ACTION_BLOCK};
        struct list_change change;

        properties.name[0] = (char)('a' + i);
        ck_assert_int_eq(list_store_put(bench.store, &properties, "test", &change, &bench.diag), 0);
    }
}

static inline const char *bench_path(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/feeds/%s", bench.folder.path, name);
    return path;
}

static inline void remove_feeds_folder(void)
{
    struct store_folder inner;

    snprintf(inner.path, sizeof inner.path, "%.240s/feeds", bench.folder.path);
    if (access(inner.path, F_OK) == 0)
        remove_folder(&inner);
}

static inline void stop_bench(void)
{
    list_store_close(bench.store);
    bench.store = NULL;
    log_free(bench.log);
    remove_feeds_folder();
    remove_folder(&bench.folder);
}

/* Pulls while the source says this. */
static inline enum feed_outcome pull(const struct said *script, size_t count)
{
    const struct feed_world world = {
        .get = get_scripted, .wait = wait_not, .now_us = bench_now_us, .chance = no_chance};
    const struct feed_pull_parts parts = {.config = &bench.config,
                                          .feed = &bench.feed,
                                          .store = bench.store,
                                          .log = bench.log,
                                          .world = &world};

    bench.script = script;
    bench.script_count = count;
    bench.told = bench.calls = bench.wait_count = 0;
    bench.diag.text[0] = '\0';
    return feed_pull(&parts, &bench.report, &bench.diag);
}

#define PULL(...)                                                                                            \
    pull((const struct said[]){__VA_ARGS__}, sizeof((const struct said[]){__VA_ARGS__}) / sizeof(struct said))

static inline struct list_info bench_list(const char *name)
{
    struct list_info info;

    ck_assert_int_eq(list_store_get(bench.store, name, &info, &bench.diag), 0);
    return info;
}

#define QUERY    "<queryResult xmlns=\"https://hashsharing.ncmec.org/hashsharing/v2\">"
#define NEXT(to) "<paging><next>/v2/entries?" to "</next></paging></queryResult>"
#define LAST     "</queryResult>"
#define GONE(id)                                                                                             \
    "<images><deletedImage><member id=\"1\"/><id>" id "</id><timestamp>2026-01-01T00:00:05Z</timestamp>"     \
    "</deletedImage></images>"
#define IMAGE(id, md5)                                                                                       \
    "<images><image><member id=\"1\"/><id>" id "</id><timestamp>2026-01-01T00:00:01Z</timestamp>"            \
    "<classification>A1</classification><fingerprints><md5>" md5 "</md5></fingerprints></image></images>"
#define MD5_A "00112233445566778899aabbccddeeff"
#define MD5_B "ffeeddccbbaa99887766554433221100"

#endif
