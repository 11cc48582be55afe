#include "prescreen/feed/run.h"

#include "prescreen/base/bug.h"
#include "prescreen/base/clock.h"
#include "prescreen/feed/pull.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* What one pull works with. */
struct outside {
    const struct feed_run *run;
    struct fetcher *fetcher;
};

static int get(void *context, const char *url, struct fetch_answer *answer, struct diag *diag)
{
    const struct outside *outside = context;

    return fetcher_get(outside->fetcher, url, answer, diag);
}

static bool is_to_stop(void *context)
{
    const struct outside *outside = context;
    sigset_t pending;

    sigpending(&pending);
    for (int number = 1; number < NSIG; number++) {
        if (sigismember(outside->run->signals, number) == 1 && sigismember(&pending, number) == 1)
            return true;
    }
    return false;
}

/* Takes the signal, so that whoever learns of it here has to end. */
static bool wait_until(const struct feed_run *run, uint64_t deadline_us)
{
    for (;;) {
        const int left_ms = clock_poll_timeout_ms(deadline_us);
        const struct timespec time = {.tv_sec = left_ms / 1000, .tv_nsec = left_ms % 1000 * 1000000L};

        if (sigtimedwait(run->signals, NULL, &time) > 0)
            return false;
        if (left_ms == 0)
            return true;
    }
}

static bool wait_for(void *context, uint64_t time_us)
{
    const struct outside *outside = context;

    return wait_until(outside->run, clock_monotonic_us() + time_us);
}

static uint64_t now_us(void *context)
{
    (void)context;
    return clock_wall_us();
}

static uint32_t chance(void *context)
{
    uint32_t number = 0;

    (void)context;
    /* Without randomness every wait has its full length. */
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return 0;
    return number;
}

static void say_pulled(const struct feed_run *run, const struct config_feed *feed,
                       const struct feed_report *report)
{
    /* What was decided about an entry that is another now is for people to look at. */
    log_event(
        run->log, report->change.lapsed > 0 ? LOG_WARN : LOG_INFO, "feed_pulled",
        (struct log_field[]){
            LOG_TEXT("feed", feed->name), LOG_NUMBER("pages", report->pages),
            LOG_NUMBER("records", report->records), LOG_NUMBER("added", report->change.added),
            LOG_NUMBER("changed", report->change.changed), LOG_NUMBER("removed", report->change.removed),
            LOG_NUMBER("unchanged", report->change.unchanged), LOG_NUMBER("lapsed", report->change.lapsed),
            LOG_NUMBER("lists_version", report->change.lists_version), LOG_NUMBER("whole", report->whole),
            LOG_END});
}

static void say_ended(const struct feed_run *run, const struct config_feed *feed, enum feed_outcome outcome,
                      const struct diag *diag)
{
    static const struct {
        enum log_level level;
        const char *event;
    } rows[FEED_OUTCOME_COUNT] = {[FEED_FAILED] = {LOG_ERROR, "feed_failed"},
                                  [FEED_DENIED] = {LOG_ERROR, "feed_denied"},
                                  [FEED_STOPPED] = {LOG_INFO, "feed_stopped"}};

    log_event(run->log, rows[outcome].level, rows[outcome].event,
              (struct log_field[]){LOG_TEXT("feed", feed->name), LOG_TEXT("detail", diag->text), LOG_END});
}

/* Credentials are read for each pull, so that new ones need no restart, and stay in memory no longer. */
static enum feed_outcome pull_with(const struct feed_run *run, const struct config_feed *feed,
                                   struct feed_report *report, struct diag *diag)
{
    struct outside outside = {.run = run};
    const struct feed_world world = {
        .context = &outside, .get = get, .wait = wait_for, .now_us = now_us, .chance = chance};
    const struct feed_pull_parts parts = {
        .config = run->config, .feed = feed, .store = run->store, .log = run->log, .world = &world};
    struct feed_credentials credentials = {0};
    const struct fetcher_options options = {.feed = feed,
                                            .credentials = &credentials,
                                            .page_bytes_max = run->config->limits.feed_page_bytes,
                                            .time_us_max = run->config->limits.feed_time_us,
                                            .is_to_stop = is_to_stop,
                                            .context = &outside};
    enum feed_outcome outcome = FEED_FAILED;
    int result = feed_credentials_read(feed, &credentials, diag);

    if (result == 0)
        result = fetcher_create(&options, &outside.fetcher, diag);
    if (result == 0)
        outcome = feed_pull(&parts, report, diag);
    fetcher_free(outside.fetcher);
    feed_credentials_clear(&credentials);
    return outcome;
}

static enum feed_outcome pull(const struct feed_run *run, const struct config_feed *feed,
                              struct feed_report *report)
{
    struct diag diag = {""};

    *report = (struct feed_report){.pages = 0};
    enum feed_outcome outcome = pull_with(run, feed, report, &diag);
    if (outcome == FEED_PULLED)
        say_pulled(run, feed, report);
    else
        say_ended(run, feed, outcome, &diag);
    return outcome;
}

static bool is_meant(const struct feed_run *run, const struct config_feed *feed)
{
    return run->only == NULL || strcmp(run->only, feed->name) == 0;
}

size_t feed_run_once(const struct feed_run *run)
{
    size_t failed = 0;

    for (size_t i = 0; i < run->config->feed_count; i++) {
        struct feed_report report;

        if (!is_meant(run, &run->config->feeds[i]))
            continue;
        enum feed_outcome outcome = pull(run, &run->config->feeds[i], &report);
        failed += outcome != FEED_PULLED;
        if (outcome == FEED_STOPPED)
            break;
    }
    return failed;
}

/* Where a feed stands in the schedule. */
struct appointment {
    uint64_t due_us; /* monotonic */
    unsigned int failures;
};

/* After a restart a feed is not asked again before its time. */
static uint64_t first_due_us(const struct feed_run *run, const struct config_feed *feed)
{
    const struct feed_pull_parts parts = {.config = run->config, .feed = feed, .store = run->store};
    uint64_t from_s = 0;
    uint64_t pulled_us = 0;
    uint64_t now = clock_wall_us();
    struct diag diag = {""};

    if (feed_check(&parts, &from_s, &pulled_us, &diag) != 0 || pulled_us == 0 || pulled_us > now ||
        now - pulled_us >= feed->interval_us)
        return clock_monotonic_us();
    return clock_monotonic_us() + feed->interval_us - (now - pulled_us);
}

static enum feed_outcome keep_appointment(const struct feed_run *run, const struct config_feed *feed,
                                          struct appointment *appointment)
{
    struct feed_report report;
    enum feed_outcome outcome = pull(run, feed, &report);

    appointment->failures = outcome == FEED_PULLED ? 0 : appointment->failures + 1;
    appointment->due_us =
        clock_monotonic_us() +
        feed_pull_wait_us(feed->interval_us, outcome, appointment->failures, report.asked_us, chance(NULL));
    return outcome;
}

/* The feed whose turn is next. */
static size_t find_next(const struct feed_run *run, const struct appointment *appointments)
{
    size_t next = run->config->feed_count;

    for (size_t i = 0; i < run->config->feed_count; i++) {
        if (is_meant(run, &run->config->feeds[i]) &&
            (next == run->config->feed_count || appointments[i].due_us < appointments[next].due_us))
            next = i;
    }
    BUG_ON(next == run->config->feed_count);
    return next;
}

int feed_run_scheduled(const struct feed_run *run)
{
    struct appointment *appointments = calloc(run->config->feed_count + 1, sizeof *appointments);
    enum feed_outcome outcome = FEED_PULLED;

    if (appointments == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < run->config->feed_count; i++)
        appointments[i].due_us = first_due_us(run, &run->config->feeds[i]);
    while (outcome != FEED_STOPPED) {
        size_t next = find_next(run, appointments);

        if (!wait_until(run, appointments[next].due_us))
            break;
        outcome = keep_appointment(run, &run->config->feeds[next], &appointments[next]);
    }
    free(appointments);
    return 0;
}

static int check_feed(const struct feed_run *run, const struct config_feed *feed, char *state,
                      size_t capacity, struct diag *diag)
{
    const struct feed_pull_parts parts = {.config = run->config, .feed = feed, .store = run->store};
    struct feed_credentials credentials = {0};
    char pulled[CLOCK_RFC3339_SIZE];
    uint64_t from_s = 0;
    uint64_t pulled_us = 0;
    int result = feed_credentials_read(feed, &credentials, diag);

    feed_credentials_clear(&credentials);
    if (result == 0)
        result = feed_check(&parts, &from_s, &pulled_us, diag);
    clock_format_rfc3339(pulled_us, pulled);
    snprintf(state, capacity, "%s %s, %s%s", feed_kind_name(feed->kind), feed->url,
             pulled_us != 0 ? "pulled " : "not pulled yet", pulled_us != 0 ? pulled : "");
    return result;
}

size_t feed_run_check(const struct feed_run *run, FILE *out)
{
    size_t failed = 0;

    for (size_t i = 0; i < run->config->feed_count; i++) {
        const struct config_feed *feed = &run->config->feeds[i];
        char state[CONFIG_URL_MAX + 128];
        struct diag diag = {""};

        if (!is_meant(run, feed))
            continue;
        bool good = check_feed(run, feed, state, sizeof state, &diag) == 0;
        fprintf(out, "%-20s %-7s %s\n", feed->name, good ? "ok" : "FAILED", good ? state : diag.text);
        failed += !good;
    }
    return failed;
}
