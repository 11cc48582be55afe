#include "prescreen/base/clock.h"
#include "prescreen/base/cpu.h"

#include "client.h"
#include "command.h"
#include "local.h"
#include "output.h"
#include "survey.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void report_part(const char *part, bool good, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void report_part(const char *part, bool good, const char *format, ...)
{
    char text[1024];
    char clean[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("%-14s %-7s %s\n", part, good ? "ok" : "FAILED", printable(text, clean, sizeof clean));
    fflush(stdout);
}

static bool check_configuration(const struct invocation *invocation, struct local *local)
{
    struct diag diag = {""};

    if (local_load_config(invocation, local, &diag) != 0) {
        report_part("configuration", false, "%s", diag.text);
        return false;
    }
    const struct config *config = local->config;
    report_part("configuration", true, "%s: %zu profile%s, %zu key%s, %u worker%s%s", config->origin,
                config->profile_count, config->profile_count == 1 ? "" : "s", config->key_count,
                config->key_count == 1 ? "" : "s", config->workers, config->workers == 1 ? "" : "s",
                config->key_count == 0 ? "; without keys every caller on this machine is allowed" : "");
    return true;
}

static bool check_folder(const struct local *local, bool *exists)
{
    const char *path = local->config->data_dir;
    struct stat facts;

    *exists = stat(path, &facts) == 0;
    if (!*exists && errno == ENOENT) {
        report_part("data folder", true, "%s does not exist; the daemon makes it when it starts", path);
        return true;
    }
    int error = !*exists                         ? errno
                : !S_ISDIR(facts.st_mode)        ? ENOTDIR
                : access(path, W_OK | X_OK) != 0 ? errno
                                                 : 0;
    if (error != 0)
        report_part("data folder", false, "%s: %s; the user who runs this must own it", path,
                    strerror(error));
    else if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        report_part("data folder", false, "%s is open to other users; run chmod 700 %s", path, path);
    else
        report_part("data folder", true, "%s", path);
    return error == 0 && (facts.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* The list that decides and was updated longest ago; NULL when none decides. */
static const struct list_info *oldest_list(const struct survey *survey)
{
    const struct list_info *oldest = NULL;

    for (size_t i = 0; i < survey->count; i++) {
        const struct list_info *info = &survey->lists[i];
        bool decides = info->properties.action == ACTION_REPORT || info->properties.action == ACTION_BLOCK;
        if (decides && (oldest == NULL || info->updated_us < oldest->updated_us))
            oldest = info;
    }
    return oldest;
}

/* Holds the age of the lists against every profile: past max_list_age the daemon gives no verdict, or one to
 * be warned of. */
static int judge_age(const struct config *config, const struct list_info *oldest, uint64_t now_us,
                     struct diag *diag)
{
    for (size_t i = 0; i < config->profile_count * AUDIENCE_COUNT; i++) {
        const struct config_profile *profile = &config->profiles[i / AUDIENCE_COUNT];
        uint64_t limit_us = profile->rules[i % AUDIENCE_COUNT].max_list_age_us;
        if (limit_us == 0)
            continue;
        if (oldest == NULL)
            return diag_fail(diag, -ESTALE, "profile %s sets max_list_age, but there is no list; import one",
                             profile->name);
        if (now_us > oldest->updated_us && now_us - oldest->updated_us > limit_us)
            return diag_fail(diag, -ESTALE,
                             "list %s is older than max_list_age of profile %s; import it again",
                             oldest->properties.name, profile->name);
    }
    return 0;
}

static void report_lists(const struct survey *survey, uint64_t now_us)
{
    const struct list_info *oldest = oldest_list(survey);
    uint64_t age_us = oldest != NULL && now_us > oldest->updated_us ? now_us - oldest->updated_us : 0;
    char counts[128];

    snprintf(counts, sizeof counts, "%zu %s, %llu %s, lists_version %llu", survey->count,
             noun(survey->count, "list", "lists"), (unsigned long long)survey->entries,
             noun(survey->entries, "entry", "entries"), (unsigned long long)survey->lists_version);
    if (oldest == NULL)
        report_part("lists", true, "%s; none blocks or reports", counts);
    else
        report_part("lists", true, "%s; oldest %s, updated %llu h ago", counts, oldest->properties.name,
                    (unsigned long long)(age_us / 3600000000u));
}

static bool check_lists(struct local *local, bool folder_exists)
{
    struct survey survey = {.lists = NULL};
    uint64_t now_us = clock_wall_us();
    struct diag diag = {""};
    int result =
        folder_exists ? list_store_open(local->config->data_dir, false, &local->list_store, &diag) : -ENOENT;

    if (result == 0)
        result = survey_read(local->list_store, &survey, &diag);
    if (result == 0 || (result == -ENOENT && local->list_store == NULL)) {
        int age = judge_age(local->config, oldest_list(&survey), now_us, &diag);
        if (age == 0 && result == 0)
            report_lists(&survey, now_us);
        else if (age == 0)
            report_part("lists", true, "none yet; nothing can match");
        result = age;
    }
    if (result != 0)
        report_part("lists", false, "%s", diag.text);
    survey_clear(&survey);
    return result == 0;
}

/* Whether the lists that are to be fed are there. What only prescreen-feeds may read is for it to check. */
static bool check_feeds(const struct local *local)
{
    const struct config *config = local->config;
    struct list_info info;
    struct diag diag = {"there is no list store yet; prescreen list create makes it"};

    for (size_t i = 0; i < config->feed_count; i++) {
        const struct config_feed *feed = &config->feeds[i];

        for (size_t k = 0; k < feed->list_count; k++) {
            if (local->list_store == NULL ||
                list_store_get(local->list_store, feed->lists[k], &info, &diag) != 0) {
                report_part("feeds", false, "feed %s into list %s: %s", feed->name, feed->lists[k],
                            diag.text);
                return false;
            }
        }
    }
    if (config->feed_count > 0)
        report_part("feeds", true, "%zu; prescreen-feeds --check looks at credentials and checkpoints",
                    config->feed_count);
    return true;
}

static bool check_sandbox(struct local *local)
{
    struct diag diag = {""};

    if (local_start_decoders(local, 1, &diag) != 0) {
        report_part("sandbox", false, "%s", diag.text);
        return false;
    }
    report_part(
        "sandbox", true,
        "a decoder hashed a picture; those that tried to open a file, make a socket, run a program, fork "
        "or signal were ended%s",
        decoders_have(local->decoders, WORKER_HEIF) ? "; so were those for HEIC and AVIF"
                                                    : "; prescreen-heif-worker is not installed: HEIC and "
                                                      "AVIF are answered media.unsupported");
    return true;
}

static int check_here(const struct invocation *invocation)
{
    struct local local = {.config = NULL};
    bool folder_exists = false;
    bool good = check_configuration(invocation, &local);

    if (good) {
        good = check_folder(&local, &folder_exists);
        good = check_lists(&local, folder_exists) && good;
        good = check_feeds(&local) && good;
        report_part("cpu", true, "%s%s%s", cpu_level_name(cpu_choose()),
                    cpu_choose() < cpu_detect() ? " by PRESCREEN_CPU; this machine has " : "",
                    cpu_choose() < cpu_detect() ? cpu_level_name(cpu_detect()) : "");
        good = check_sandbox(&local) && good;
    }
    local_close(&local);
    return good ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}

static int ask_ready(const char *url, struct diag *diag)
{
    struct client *client = NULL;
    struct client_answer answer;
    int result = client_create(url, "", &client, diag);

    if (result == 0)
        result = client_get(client, "/readyz", &answer, diag);
    if (result == 0) {
        result = client_judge_answer(&answer, diag);
        client_answer_clear(&answer);
    }
    client_free(client);
    return result;
}

static int check_daemon(const struct invocation *invocation)
{
    struct local local = {.config = NULL};
    struct diag diag = {""};
    char url[LOCAL_URL_MAX];
    int result = 0;

    if (option_given(invocation, OPTION_URL)) {
        snprintf(url, sizeof url, "%s", invocation->values[OPTION_URL]);
    } else {
        result = local_load_config(invocation, &local, &diag);
        if (result == 0)
            result = local_find_daemon(local.config, true, url, &diag);
    }
    if (result == 0)
        result = ask_ready(url, &diag);
    report_part("daemon", result == 0, "%s", result == 0 ? url : diag.text);
    local_close(&local);
    return result == 0 ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}

int command_check(const struct invocation *invocation)
{
    if (option_given(invocation, OPTION_READY))
        return check_daemon(invocation);
    if (option_given(invocation, OPTION_URL)) {
        say("--url is of use only with --ready");
        return EXIT_STATUS_ERROR;
    }
    return check_here(invocation);
}
