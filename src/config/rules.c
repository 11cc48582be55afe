#include "rules.h"

#include "prescreen/base/bug.h"
#include "prescreen/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { NUMBER_SIZE = 24 };

/* How one setting is read, and spelled when the policy's version is made from it. */
struct setting_row {
    const char *allowed;
    bool (*read)(const char *text, struct policy_rules *rules);
    const char *(*spell)(const struct policy_rules *rules, char number[NUMBER_SIZE]);
};

static const char *spell_number(uint64_t value, char number[NUMBER_SIZE])
{
    snprintf(number, NUMBER_SIZE, "%" PRIu64, value);
    return number;
}

static bool read_number(const char *text, unsigned int maximum, unsigned int *number)
{
    uint64_t value = 0;

    if (!text_parse_u64(text, maximum, &value))
        return false;
    *number = (unsigned int)value;
    return true;
}

static bool read_effort(const char *text, struct policy_rules *rules)
{
    return effort_parse(text, &rules->effort);
}

static const char *spell_effort(const struct policy_rules *rules, char number[NUMBER_SIZE])
{
    (void)number;
    return effort_name(rules->effort);
}

static bool read_view_radius(const char *text, struct policy_rules *rules)
{
    return read_number(text, POLICY_RADIUS_MAX, &rules->view_radius);
}

static const char *spell_view_radius(const struct policy_rules *rules, char number[NUMBER_SIZE])
{
    return spell_number(rules->view_radius, number);
}

static bool read_view_action(const char *text, struct policy_rules *rules)
{
    return verdict_parse(text, &rules->view_action);
}

static const char *spell_view_action(const struct policy_rules *rules, char number[NUMBER_SIZE])
{
    (void)number;
    return verdict_name(rules->view_action);
}

static bool read_max_list_age(const char *text, struct policy_rules *rules)
{
    static const uint64_t ten_years_us = (uint64_t)3650 * 24 * 3600 * 1000000;
    uint64_t age_us = 0;

    if (!text_parse_duration(text, &age_us) || age_us > ten_years_us)
        return false;
    rules->max_list_age_us = age_us;
    return true;
}

static const char *spell_max_list_age(const struct policy_rules *rules, char number[NUMBER_SIZE])
{
    return spell_number(rules->max_list_age_us, number);
}

static bool read_stale_lists(const char *text, struct policy_rules *rules)
{
    bool serve = strcmp(text, "serve") == 0;

    if (!serve && strcmp(text, "refuse") != 0)
        return false;
    rules->serve_stale = serve;
    return true;
}

static const char *spell_stale_lists(const struct policy_rules *rules, char number[NUMBER_SIZE])
{
    (void)number;
    return rules->serve_stale ? "serve" : "refuse";
}

static bool read_quality_floor(const char *text, struct policy_rules *rules)
{
    return read_number(text, POLICY_QUALITY_MAX, &rules->quality_floor);
}

static const char *spell_quality_floor(const struct policy_rules *rules, char number[NUMBER_SIZE])
{
    return spell_number(rules->quality_floor, number);
}

static bool read_record(const char *text, struct policy_rules *rules)
{
    bool all = strcmp(text, "all") == 0;

    if (!all && strcmp(text, "decisive") != 0)
        return false;
    rules->record_allow = all;
    return true;
}

static const char *spell_record(const struct policy_rules *rules, char number[NUMBER_SIZE])
{
    (void)number;
    return rules->record_allow ? "all" : "decisive";
}

static const struct setting_row setting_rows[SETTING_COUNT] = {
    [SETTING_EFFORT] = {"fast, standard or thorough", read_effort, spell_effort},
    [SETTING_VIEW_RADIUS] = {"a number of bits from 0 to 64", read_view_radius, spell_view_radius},
    [SETTING_VIEW_ACTION] = {"allow, block or report", read_view_action, spell_view_action},
    [SETTING_MAX_LIST_AGE] = {"0 for no limit, or a time of at most 3650d, such as 36h", read_max_list_age,
                              spell_max_list_age},
    [SETTING_STALE_LISTS] = {"refuse or serve", read_stale_lists, spell_stale_lists},
    [SETTING_QUALITY_FLOOR] = {"a number from 0 to 100", read_quality_floor, spell_quality_floor},
    [SETTING_RECORD] = {"decisive or all", read_record, spell_record},
};

static int refuse_rule(struct config_source *source, const char *place, const char *key, const char *text,
                       const char *allowed)
{
    char whole[2 * CONFIG_KEY_TEXT_MAX];

    snprintf(whole, sizeof whole, "%s.%s", place, key);
    return config_refuse(source, whole, "\"%.40s\" is not taken; use %s", text, allowed);
}

static bool is_limit(int reason)
{
    return reason >= REASON_MEDIA_LIMIT_PIXELS && reason <= REASON_MEDIA_LIMIT_MEMORY;
}

/* media.limit comes first, so that the four that it stands for can each be named besides. */
static int read_answers(struct config_source *source, const char *place, char *const texts[RAW_ON_COUNT],
                        struct policy_rules *rules)
{
    for (int i = RAW_ON_COUNT - 1; i >= REASON_MEDIA_FIRST; i--) {
        enum verdict answer = VERDICT_ALLOW;

        if (texts[i] == NULL)
            continue;
        if (!verdict_parse(texts[i], &answer)) {
            char key[CONFIG_KEY_TEXT_MAX];
            snprintf(key, sizeof key, "on.%s", schema_on_name(i));
            return refuse_rule(source, place, key, texts[i], "allow, block or report");
        }
        for (int reason = REASON_MEDIA_FIRST; reason < REASON_COUNT; reason++) {
            if (reason == i || (i == RAW_ON_LIMIT && is_limit(reason)))
                rules->on[reason] = answer;
        }
    }
    return 0;
}

int rules_read(struct config_source *source, const char *place, const struct raw_rules *raw,
               struct policy_rules *rules)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *text = raw->settings[i];

        if (text != NULL && !setting_rows[i].read(text, rules))
            return refuse_rule(source, place, schema_setting_name((enum rule_setting)i), text,
                               setting_rows[i].allowed);
    }
    return read_answers(source, place, raw->on, rules);
}

static int add_value(struct digest_stream *stream, enum audience audience, const char *key, const char *value)
{
    char line[128];
    int length = snprintf(line, sizeof line, "%s.%s=%s\n", audience_name(audience), key, value);

    BUG_ON(length < 0 || (size_t)length >= sizeof line);
    return digest_stream_update(stream, line, (size_t)length);
}

int rules_digest(struct digest_stream *stream, enum audience audience, const struct policy_rules *rules)
{
    char number[NUMBER_SIZE];
    int error = 0;

    for (int i = 0; error == 0 && i < SETTING_COUNT; i++)
        error = add_value(stream, audience, schema_setting_name((enum rule_setting)i),
                          setting_rows[i].spell(rules, number));
    for (int reason = REASON_MEDIA_FIRST; error == 0 && reason < REASON_COUNT; reason++)
        error =
            add_value(stream, audience, reason_name((enum reason)reason), verdict_name(rules->on[reason]));
    return error;
}
