#include "prescreen/base/bug.h"
#include "prescreen/base/text.h"

#include "settings.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define S   ((uint64_t)1000000)
#define DAY (86400 * S)

enum { PLACE_SIZE = 96, HOST_SIZE = 256 };

static const char *const kind_names[FEED_KIND_COUNT] = {[FEED_NCMEC] = "ncmec", [FEED_STOPNCII] = "stopncii"};

const char *feed_kind_name(enum feed_kind kind)
{
    BUG_ON(kind >= FEED_KIND_COUNT);
    return kind_names[kind];
}

/* One value on its way from text. */
struct reading {
    struct config_source *source;
    char place[PLACE_SIZE]; /* "feeds[0].url" */
    const char *text;
};

static int read_name(const struct reading *reading, struct config_feed *feed)
{
    if (!text_is_token(reading->text, CONFIG_NAME_MAX))
        return config_refuse(reading->source, reading->place,
                             "\"%.80s\" is no name; a name is 1 to %d of A-Z a-z 0-9 . _ -", reading->text,
                             CONFIG_NAME_MAX);
    text_copy(feed->name, sizeof feed->name, reading->text);
    return 0;
}

static int read_kind(const struct reading *reading, struct config_feed *feed)
{
    for (unsigned int kind = 0; kind < FEED_KIND_COUNT; kind++) {
        if (strcmp(reading->text, kind_names[kind]) == 0) {
            feed->kind = (enum feed_kind)kind;
            return 0;
        }
    }
    return config_refuse(reading->source, reading->place, "\"%.40s\" is not taken; use ncmec or stopncii",
                         reading->text);
}

static bool is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;

    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

/* Reads "HOST", "HOST:PORT", "[IPv6]" or "[IPv6]:PORT"; nothing else, above all no user. */
static bool read_authority(const char *text, size_t size, char host[HOST_SIZE])
{
    const bool bracketed = size > 0 && text[0] == '[';
    const char *begin = bracketed ? text + 1 : text;
    const char *letters = bracketed ? "0123456789abcdefABCDEF:."
                                    : "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_";
    size_t length = strspn(begin, letters);
    const char *rest = begin + length;
    uint64_t port = 0;
    char digits[8] = "";

    if (length == 0 || length >= HOST_SIZE || (bracketed && *rest++ != ']'))
        return false;
    memcpy(host, begin, length);
    host[length] = '\0';
    if (rest == text + size)
        return true;
    size_t left = (size_t)(text + size - rest);
    if (*rest != ':' || rest > text + size || left < 2 || left >= sizeof digits)
        return false;
    memcpy(digits, rest + 1, left - 1);
    return text_parse_u64(digits, UINT16_MAX, &port) && port > 0;
}

/* The path of a base: plain segments, so that what is added behind it stays on this host. */
static bool is_plain_path(const char *text)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~/";

    return text[strspn(text, letters)] == '\0' && strstr(text, "//") == NULL && strstr(text, "/.") == NULL;
}

static int read_url(const struct reading *reading, struct config_feed *feed)
{
    const char *text = reading->text;
    const bool secure = strncmp(text, "https://", 8) == 0;
    const char *authority = text + (secure ? 8 : 7);
    char host[HOST_SIZE];

    if (!secure && strncmp(text, "http://", 7) != 0)
        return config_refuse(reading->source, reading->place, "must begin with https://");
    size_t size = strcspn(authority, "/?#");
    if (!read_authority(authority, size, host) || !is_plain_path(authority + size))
        return config_refuse(reading->source, reading->place,
                             "must be https://HOST/PATH, without user, query and fragment");
    if (!secure && !is_loopback(host))
        return config_refuse(reading->source, reading->place,
                             "http is taken on this machine only; use https for %.80s", host);
    if (!text_copy(feed->url, sizeof feed->url, text))
        return config_refuse(reading->source, reading->place, "longer than %d bytes", CONFIG_URL_MAX - 1);
    for (size_t end = strlen(feed->url); feed->url[end - 1] == '/'; end--)
        feed->url[end - 1] = '\0';
    return 0;
}

static int read_credentials(const struct reading *reading, struct config_feed *feed)
{
    if (reading->text[0] != '/' && !text_is_token(reading->text, CONFIG_NAME_MAX))
        return config_refuse(reading->source, reading->place,
                             "must be a path from /, or the name of a credential that systemd passes on");
    text_copy(feed->credentials, sizeof feed->credentials, reading->text);
    return 0;
}

static int read_ca_file(const struct reading *reading, struct config_feed *feed)
{
    if (reading->text[0] != '/')
        return config_refuse(reading->source, reading->place, "must be a path from /");
    text_copy(feed->ca_file, sizeof feed->ca_file, reading->text);
    return 0;
}

static int read_time(const struct reading *reading, uint64_t minimum_us, uint64_t maximum_us,
                     const char *range, uint64_t *value_us)
{
    uint64_t time_us = 0;

    if (!text_parse_duration(reading->text, &time_us) || time_us < minimum_us || time_us > maximum_us)
        return config_refuse(reading->source, reading->place, "\"%.40s\" is not taken; use a time from %s",
                             reading->text, range);
    *value_us = time_us;
    return 0;
}

static int read_interval(const struct reading *reading, struct config_feed *feed)
{
    return read_time(reading, 60 * S, 30 * DAY, "1m to 30d", &feed->interval_us);
}

static int read_retry(const struct reading *reading, struct config_feed *feed)
{
    return read_time(reading, S / 100, 60 * S, "10ms to 1m", &feed->retry_us);
}

static int read_bad_records(const struct reading *reading, struct config_feed *feed)
{
    feed->skip_bad = strcmp(reading->text, "skip") == 0;
    if (!feed->skip_bad && strcmp(reading->text, "refuse") != 0)
        return config_refuse(reading->source, reading->place, "\"%.40s\" is not taken; use refuse or skip",
                             reading->text);
    return 0;
}

static int (*const readers[FEED_SETTING_COUNT])(const struct reading *reading, struct config_feed *feed) = {
    [FEED_SETTING_NAME] = read_name,         [FEED_SETTING_KIND] = read_kind,
    [FEED_SETTING_URL] = read_url,           [FEED_SETTING_CREDENTIALS] = read_credentials,
    [FEED_SETTING_INTERVAL] = read_interval, [FEED_SETTING_RETRY] = read_retry,
    [FEED_SETTING_CA_FILE] = read_ca_file,   [FEED_SETTING_BAD_RECORDS] = read_bad_records,
};

/* What is said of a list must let it be fed without people. */
static int check_list(struct config_source *source, const char *place, const struct config *config,
                      const struct config_feed *feed, const char *name)
{
    const struct config_list *rules = config_find_list(config, name);

    if (rules != NULL && rules->is_signed)
        return config_refuse(
            source, place, "%s has a signature_key in lists: it takes signed files only, and no source signs",
            name);
    if (feed->kind == FEED_NCMEC && (rules == NULL || rules->class_count == 0))
        return config_refuse(source, place, "%s needs its classes in lists: what each classification means",
                             name);
    return 0;
}

static int read_fed_lists(struct config_source *source, const struct raw_words *words, size_t at,
                          const struct config *config, struct config_feed *feed)
{
    char place[PLACE_SIZE];
    int error = 0;

    snprintf(place, sizeof place, "feeds[%zu].lists", at);
    if (words->count == 0)
        return config_refuse(source, place, "is empty; name at least one list");
    for (unsigned int i = 0; error == 0 && i < words->count; i++) {
        const char *name = words->words[i];

        snprintf(place, sizeof place, "feeds[%zu].lists[%u]", at, i);
        if (!text_is_token(name, CONFIG_NAME_MAX))
            return config_refuse(source, place,
                                 "\"%.80s\" is no name; a name is 1 to %d of A-Z a-z 0-9 . _ -", name,
                                 CONFIG_NAME_MAX);
        for (size_t k = 0; k < feed->list_count; k++) {
            if (strcmp(feed->lists[k], name) == 0)
                return config_refuse(source, place, "%s stands here twice", name);
        }
        text_copy(feed->lists[feed->list_count++], sizeof feed->lists[0], name);
        error = check_list(source, place, config, feed, name);
    }
    return error;
}

/* Two feeds into one list would undo each other's withdrawals; two of one name would share a checkpoint. */
static int check_unlike_others(struct config_source *source, const struct config_feed *feeds, size_t at)
{
    char place[PLACE_SIZE];

    for (size_t i = 0; i < at; i++) {
        if (strcmp(feeds[i].name, feeds[at].name) == 0) {
            snprintf(place, sizeof place, "feeds[%zu].name", at);
            return config_refuse(source, place, "%s is the name of feeds[%zu] already", feeds[at].name, i);
        }
        for (size_t k = 0; k < feeds[i].list_count * feeds[at].list_count; k++) {
            const char *other = feeds[i].lists[k / feeds[at].list_count];

            if (strcmp(other, feeds[at].lists[k % feeds[at].list_count]) != 0)
                continue;
            snprintf(place, sizeof place, "feeds[%zu].lists", at);
            return config_refuse(source, place, "%s is fed by feeds[%zu] already", other, i);
        }
    }
    return 0;
}

static int read_feed(struct config_source *source, const struct raw_feed *raw, const struct config *config,
                     struct config_feed *feeds, size_t at)
{
    struct config_feed *feed = &feeds[at];
    int error = 0;

    *feed = (struct config_feed){.interval_us = 3600 * S, .retry_us = S};
    for (int i = 0; error == 0 && i < FEED_SETTING_COUNT; i++) {
        struct reading reading = {.source = source, .text = raw->settings[i]};

        if (reading.text == NULL)
            continue;
        snprintf(reading.place, sizeof reading.place, "feeds[%zu].%s", at,
                 schema_feed_setting_name((enum feed_setting)i));
        error = readers[i](&reading, feed);
    }
    if (error == 0)
        error = read_fed_lists(source, &raw->lists, at, config, feed);
    return error != 0 ? error : check_unlike_others(source, feeds, at);
}

int settings_read_feeds(struct config_source *source, const struct raw_config *raw, struct config *config)
{
    int error = 0;

    if (raw->feed_count == 0)
        return 0;
    struct config_feed *feeds = calloc(raw->feed_count, sizeof *feeds);
    if (feeds == NULL)
        return config_out_of_memory(source);
    for (size_t i = 0; error == 0 && i < raw->feed_count; i++)
        error = read_feed(source, &raw->feeds[i], config, feeds, i);
    if (error != 0) {
        free(feeds);
        return error;
    }
    free(config->feeds);
    config->feeds = feeds;
    config->feed_count = raw->feed_count;
    return 0;
}
