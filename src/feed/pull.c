#include "prescreen/feed/pull.h"

#include "prescreen/base/bug.h"
#include "prescreen/os/files.h"
#include "prescreen/store/import.h"

#include "protocol.h"
#include "seen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct pull {
    const struct feed_pull_parts *parts;
    const struct config_feed *feed;
    const struct feed_protocol *protocol;
    struct feed_report *report;
    char folder[CONFIG_PATH_MAX]; /* of checkpoints and locks */
    int lock_fd;
    struct list_info lists[CONFIG_FEED_LISTS_MAX]; /* as they were found */
    struct feed_checkpoint checkpoint;
    bool has_checkpoint;
    struct feed_plan plan;
    struct list_import *imports[CONFIG_FEED_LISTS_MAX];
    struct seen *seen;
    uint64_t bytes;          /* of all pages */
    unsigned int skipped;    /* records that were told of */
    enum feed_outcome ended; /* how, when it does not succeed */
};

static int find_folder(struct pull *pull, struct diag *diag)
{
    const char *data_dir = pull->parts->config->data_dir;

    if (snprintf(pull->folder, sizeof pull->folder, "%s/feeds", data_dir) >= (int)sizeof pull->folder)
        return diag_fail(diag, -ENAMETOOLONG, "data_dir: the path is too long");
    return files_make_directory(pull->folder, diag);
}

/* Two pulls of one feed at once could bring the older state in after the newer one. The kernel ends the lock
 * with the process. */
static int take_lock(struct pull *pull, struct diag *diag)
{
    char path[CONFIG_PATH_MAX + CONFIG_NAME_MAX + 8];

    snprintf(path, sizeof path, "%s/%s.lock", pull->folder, pull->feed->name);
    pull->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (pull->lock_fd < 0)
        return diag_fail(diag, -errno, "%s cannot be opened: %s", path, strerror(errno));
    if (flock(pull->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return diag_fail(diag, -EBUSY, "another process is pulling feed %s", pull->feed->name);
    return diag_fail(diag, -errno, "%s cannot be locked: %s", path, strerror(errno));
}

static int read_lists(struct pull *pull, struct diag *diag)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < pull->feed->list_count; i++) {
        result = list_store_get(pull->parts->store, pull->feed->lists[i], &pull->lists[i], diag);
        if (result == LIST_STORE_NOT_FOUND)
            diag_set(diag, "there is no list %s; prescreen list create %s --action … makes it",
                     pull->feed->lists[i], pull->feed->lists[i]);
    }
    return result;
}

static int read_checkpoint(struct pull *pull, struct diag *diag)
{
    int result = feed_checkpoint_read(pull->folder, pull->feed, pull->lists, &pull->checkpoint, diag);

    pull->has_checkpoint = result == 0;
    return result == FEED_CHECKPOINT_NONE ? 0 : result;
}

/* Waits after a call that failed. False: it was the last one, or this process is to end. */
static bool wait_for_next_call(struct pull *pull, unsigned int failures, uint64_t asked_us, struct diag *diag)
{
    const struct feed_world *world = pull->parts->world;

    pull->report->asked_us = asked_us;
    if (failures >= FEED_CALLS_MAX || asked_us > FEED_ASKED_WAIT_MAX_US)
        return false;
    uint64_t wait_us =
        feed_call_wait_us(pull->feed->retry_us, failures, asked_us, world->chance(world->context));
    log_event(pull->parts->log, LOG_WARN, "feed_retried",
              (struct log_field[]){LOG_TEXT("feed", pull->feed->name), LOG_TEXT("detail", diag->text),
                                   LOG_NUMBER("calls", failures), LOG_NUMBER("wait_ms", wait_us / 1000),
                                   LOG_END});
    if (world->wait(world->context, wait_us))
        return true;
    pull->ended = FEED_STOPPED;
    diag_set(diag, "stopped");
    return false;
}

static int read_page(const struct pull *pull, const struct bytes *body, struct list_page *page,
                     struct diag *diag)
{
    struct diag why = {""};
    int result = list_page_read(pull->protocol->format, body->data, body->size, page, &why);

    /* Most likely it was cut: HTTP/1.0 has no way to tell. */
    if (result == LIST_READER_BAD)
        return diag_fail(diag, FETCH_AGAIN, "the page is cut or is none: %s", why.text);
    return result == 0 ? 0 : diag_fail(diag, result, "%s", why.text);
}

/* Calls once. */
static int call(struct pull *pull, const char *url, struct list_page *page, struct fetch_answer *answer,
                struct diag *diag)
{
    const struct feed_world *world = pull->parts->world;
    int result = world->get(world->context, url, answer, diag);

    if (result == 0 && page != NULL) {
        result = read_page(pull, &answer->body, page, diag);
        if (result != 0)
            bytes_clear(&answer->body);
    }
    if (result == FETCH_DENIED)
        pull->ended = FEED_DENIED;
    if (result == FETCH_STOPPED)
        pull->ended = FEED_STOPPED;
    return result;
}

/* Gets an address, as often as it takes. page is NULL when the answer is not looked at. On 0 the answer's
 * body is the caller's to clear. */
static int get(struct pull *pull, const char *url, struct list_page *page, struct fetch_answer *answer,
               struct diag *diag)
{
    unsigned int failures = 0;
    int result = FETCH_AGAIN;

    for (;;) {
        result = call(pull, url, page, answer, diag);
        if (result != FETCH_AGAIN || !wait_for_next_call(pull, ++failures, answer->asked_us, diag))
            break;
    }
    if (result == 0)
        pull->report->asked_us = 0;
    return result;
}

/* Asks for the source's clock where it matters, which also shows early whether the credentials are taken. */
static int make_plan(struct pull *pull, struct diag *diag)
{
    const struct feed_world *world = pull->parts->world;
    struct feed_clocks clocks = {.there_s = 0};
    char url[FEED_URL_MAX];
    int result = 0;

    if (pull->protocol->clock_path != NULL) {
        struct fetch_answer answer;

        snprintf(url, sizeof url, "%s%s", pull->feed->url, pull->protocol->clock_path);
        result = get(pull, url, NULL, &answer, diag);
        if (result != 0)
            return result;
        clocks.there_s = answer.date_s;
        bytes_clear(&answer.body);
    }
    clocks.here_s = world->now_us(world->context) / 1000000;
    result = pull->protocol->plan(pull->feed, pull->has_checkpoint ? &pull->checkpoint : NULL, &clocks,
                                  &pull->plan, diag);
    if (result == 0)
        pull->report->whole = !pull->has_checkpoint || pull->plan.mode == LIST_REPLACE;
    return result;
}

static void tell_skipped(void *context, const char *place, const char *why)
{
    struct pull *pull = context;

    if (++pull->skipped > FEED_SKIPS_LOGGED_MAX)
        return;
    log_event(pull->parts->log, LOG_WARN, "feed_record_skipped",
              (struct log_field[]){LOG_TEXT("feed", pull->feed->name), LOG_TEXT("place", place),
                                   LOG_TEXT("detail", why), LOG_END});
}

static int begin_imports(struct pull *pull, struct diag *diag)
{
    struct list_import_options options = {.config = pull->parts->config,
                                          .format = pull->protocol->format,
                                          .mode = pull->plan.mode,
                                          .skip_bad = pull->feed->skip_bad,
                                          .spare_versions = true,
                                          .on_skip = tell_skipped,
                                          .context = pull};
    int result = 0;

    for (size_t i = 0; result == 0 && i < pull->feed->list_count; i++) {
        options.list = pull->feed->lists[i];
        result = list_import_begin(pull->parts->store, &options, &pull->imports[i], diag);
    }
    return result;
}

static int import_page(struct pull *pull, const struct bytes *body, struct diag *diag)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < pull->feed->list_count; i++) {
        struct list_import *import = pull->imports[i];
        struct diag why = {""};

        result = list_import_begin_file(import, NULL, &why);
        if (result == 0)
            result = list_import_feed(import, body->data, body->size, &why);
        if (result == 0)
            result = list_import_end_file(import, &why);
        if (result != 0)
            diag_set(diag, "list %s, page %llu: %s", pull->feed->lists[i],
                     (unsigned long long)pull->report->pages, why.text);
    }
    return result;
}

/* A source that goes in circles must not keep us for ever, and one that leaves a page out by giving another
 * one twice must not be believed. */
static int check_new(struct pull *pull, const struct list_page *page, struct diag *diag)
{
    int result = 0;

    if (pull->report->pages >= FEED_PAGES_MAX)
        return diag_fail(diag, -EPROTO, "more than %d pages", FEED_PAGES_MAX);
    if (page->records > 0)
        result = seen_add(pull->seen, page->digest, sizeof page->digest);
    if (result == 0 && page->more)
        result = seen_add(pull->seen, page->paging.next, strlen(page->paging.next));
    if (result == SEEN_BEFORE)
        return diag_fail(diag, -EPROTO, "page %llu is one that came before, or leads to one",
                         (unsigned long long)pull->report->pages + 1);
    return result == 0 ? 0 : diag_fail(diag, result, "no memory for the pages that were seen");
}

/* One page: FEED_PAGE when another one follows. */
static int take_page(struct pull *pull, struct diag *diag)
{
    const uint64_t maximum = pull->parts->config->limits.import_bytes;
    struct list_page page;
    struct fetch_answer answer;
    int result = get(pull, pull->plan.url, &page, &answer, diag);

    if (result != 0)
        return result;
    pull->bytes += answer.body.size;
    result = check_new(pull, &page, diag);
    if (result == 0 && pull->bytes > maximum)
        result =
            diag_fail(diag, -EFBIG, "larger than limits.import (%llu bytes)", (unsigned long long)maximum);
    if (result == 0) {
        pull->report->pages++;
        pull->report->records += page.records;
        result = import_page(pull, &answer.body, diag);
    }
    bytes_clear(&answer.body);
    return result != 0 ? result : pull->protocol->follow(pull->feed, &page, &pull->plan, diag);
}

/* Replacing a list by nothing at all is more likely the source's fault than its word. */
static int check_replacement(const struct pull *pull, struct diag *diag)
{
    for (size_t i = 0; i < pull->feed->list_count; i++) {
        if (pull->plan.mode == LIST_REPLACE && pull->lists[i].entries > 0 &&
            list_import_tally(pull->imports[i])->taken == 0)
            return diag_fail(diag, -EPROTO,
                             "the source named nothing for list %s, which has entries: it is not emptied",
                             pull->feed->lists[i]);
    }
    return 0;
}

static int commit(struct pull *pull, struct diag *diag)
{
    struct list_change *sum = &pull->report->change;
    char who[CONFIG_NAME_MAX + sizeof "feed:"];
    int result = check_replacement(pull, diag);

    snprintf(who, sizeof who, "feed:%s", pull->feed->name);
    for (size_t i = 0; result == 0 && i < pull->feed->list_count; i++) {
        struct list_change change;

        result = list_import_commit(pull->imports[i], who, false, &change, diag);
        if (result != 0)
            break;
        sum->lists_version = change.lists_version;
        sum->added += change.added;
        sum->changed += change.changed;
        sum->removed += change.removed;
        sum->unchanged += change.unchanged;
        sum->lapsed += change.lapsed;
    }
    return result;
}

/* The lists come first: a range that is fetched again changes nothing, one that is left out would be missing.
 */
static int write_checkpoint(struct pull *pull, struct diag *diag)
{
    const struct feed_world *world = pull->parts->world;
    struct feed_checkpoint next = {.from_s = pull->plan.next_from_s,
                                   .pulled_us = world->now_us(world->context),
                                   .list_count = pull->feed->list_count};
    int result = read_lists(pull, diag);

    for (size_t i = 0; result == 0 && i < next.list_count; i++) {
        next.lists[i].number = pull->lists[i].number;
        next.lists[i].version = pull->lists[i].version;
    }
    return result != 0 ? result : feed_checkpoint_write(pull->folder, pull->feed, &next, diag);
}

static int begin(struct pull *pull, const struct feed_pull_parts *parts, struct feed_report *report,
                 struct diag *diag)
{
    *report = (struct feed_report){.pages = 0};
    *pull = (struct pull){.parts = parts,
                          .feed = parts->feed,
                          .protocol = feed_protocol_of(parts->feed->kind),
                          .report = report,
                          .lock_fd = -1,
                          .ended = FEED_FAILED};
    int result = find_folder(pull, diag);

    if (result == 0)
        result = take_lock(pull, diag);
    if (result == 0)
        result = read_lists(pull, diag);
    return result != 0 ? result : read_checkpoint(pull, diag);
}

static void end(struct pull *pull)
{
    for (size_t i = 0; i < CONFIG_FEED_LISTS_MAX; i++)
        list_import_free(pull->imports[i]);
    seen_free(pull->seen);
    if (pull->lock_fd >= 0)
        close(pull->lock_fd);
}

enum feed_outcome feed_pull(const struct feed_pull_parts *parts, struct feed_report *report,
                            struct diag *diag)
{
    struct pull pull;
    int result = begin(&pull, parts, report, diag);

    if (result == 0 && seen_create(&pull.seen) != 0)
        result = diag_fail(diag, -ENOMEM, "no memory for a pull");
    if (result == 0)
        result = make_plan(&pull, diag);
    if (result == 0)
        result = begin_imports(&pull, diag);
    while (result == 0 && pull.plan.more)
        result = take_page(&pull, diag);
    if (result == 0)
        result = commit(&pull, diag);
    if (result == 0)
        result = write_checkpoint(&pull, diag);
    end(&pull);
    return result == 0 ? FEED_PULLED : pull.ended;
}

int feed_check(const struct feed_pull_parts *parts, uint64_t *from_s, uint64_t *pulled_us, struct diag *diag)
{
    struct feed_report report;
    struct pull pull;
    int result = begin(&pull, parts, &report, diag);

    if (result == 0) {
        *from_s = pull.checkpoint.from_s;
        *pulled_us = pull.checkpoint.pulled_us;
    }
    end(&pull);
    return result;
}
