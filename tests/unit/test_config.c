#include "prescreen/config/config.h"

#include "config/schema.h"
#include "config_texts.h"
#include "tap.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static const struct policy_rules *rules_of(const struct config *config, const char *name,
                                           enum audience audience)
{
    const struct config_profile *profile = config_find_profile(config, name);

    ck_assert_msg(profile != NULL, "no profile %s", name);
    return &profile->rules[audience];
}

START_TEST(defaults_are_those_of_the_interface)
{
    struct config *config = parse("");

    ck_assert_int_eq(config->listen.kind, LISTEN_TCP);
    ck_assert_str_eq(config->listen.host, "127.0.0.1");
    ck_assert_uint_eq(config->listen.port, 8750);
    ck_assert(config->listen.loopback);
    ck_assert_int_eq(config->admin_listen.kind, LISTEN_NONE);
    ck_assert_str_eq(config->data_dir, "./prescreen-data");
    ck_assert_uint_ge(config->workers, 1);
    ck_assert_uint_eq(config->limits.body_bytes, 32u << 20);
    ck_assert_uint_eq(config->limits.import_bytes, (uint64_t)4 << 30);
    ck_assert_uint_eq(config->limits.pixels, 100000000);
    ck_assert_uint_eq(config->limits.frames, 500);
    ck_assert_uint_eq(config->limits.worker_memory_bytes, 512u << 20);
    ck_assert_uint_eq(config->limits.job_time_us, 2000000);
    ck_assert_uint_eq(config->limits.snapshot_interval_us, 600000000);
    ck_assert_uint_eq(config->limits.upload_time_us, 30000000);
    ck_assert_uint_eq(config->key_count, 0);
    ck_assert_uint_eq(config->profile_count, 1);
    ck_assert_str_eq(config->profiles[0].name, "default");
    ck_assert_str_eq(config->origin, "test.yaml");
    for (int audience = 0; audience < AUDIENCE_COUNT; audience++) {
        const struct policy_rules *rules = rules_of(config, "default", (enum audience)audience);

        ck_assert_int_eq(rules->effort, EFFORT_STANDARD);
        ck_assert_uint_eq(rules->view_radius, 24);
        ck_assert_int_eq(rules->view_action, VERDICT_BLOCK);
        ck_assert_uint_eq(rules->max_list_age_us, 0);
        ck_assert_uint_eq(rules->quality_floor, 50);
        ck_assert(!rules->record_allow);
        for (int reason = REASON_MEDIA_FIRST; reason < REASON_COUNT; reason++)
            ck_assert_int_eq(rules->on[reason],
                             reason == REASON_MEDIA_LOW_QUALITY ? VERDICT_ALLOW : VERDICT_BLOCK);
    }
    config_free(config);
}
END_TEST

START_TEST(workers_0_is_one_for_each_core_of_this_process)
{
    cpu_set_t allowed;
    struct config *config = parse("workers: 0");

    ck_assert_int_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    ck_assert_uint_eq(config->workers, (unsigned int)CPU_COUNT(&allowed));
    config_free(config);
    config = parse("workers: 1024");
    ck_assert_uint_eq(config->workers, 1024);
    config_free(config);
    refuse("workers: 1025", "test.yaml:1: workers: \"1025\" is not taken");
}
END_TEST

START_TEST(each_limit_is_taken_at_its_ends_and_refused_past_them)
{
    const struct config_limit_row *row = &config_limit_rows[_i];
    const uint64_t step = row->unit == UNIT_TIME ? 1000 : 1;
    const uint64_t good[] = {row->minimum, row->minimum + step, row->maximum - step, row->maximum};
    const uint64_t bad[] = {row->minimum - step, row->maximum + step};
    char text[128];

    for (size_t i = 0; i < 4; i++) {
        snprintf(text, sizeof text, "limits: { %s: %" PRIu64 "%s }", row->name, good[i] / step,
                 row->unit == UNIT_TIME ? "ms" : "");
        struct config *config = parse(text);
        ck_assert_uint_eq(limit_value(&config->limits, row), good[i]);
        for (size_t other = 0; other < config_limit_count; other++) {
            if (other != (size_t)_i)
                ck_assert_uint_eq(limit_value(&config->limits, &config_limit_rows[other]),
                                  config_limit_rows[other].standard);
        }
        config_free(config);
    }
    for (size_t i = 0; i < 2; i++) {
        char told[64];

        snprintf(text, sizeof text, "limits:\n  %s: %" PRIu64 "%s", row->name, bad[i] / step,
                 row->unit == UNIT_TIME ? "ms" : "");
        snprintf(told, sizeof told, "test.yaml:2: limits.%s: ", row->name);
        refuse(text, told);
    }
}
END_TEST

START_TEST(limits_are_described_as_they_are_spelled)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(stream);
    config_describe_limits(stream);
    fclose(stream);
    ck_assert_ptr_nonnull(strstr(text, "  body              32MiB      1KiB to 1GiB: largest upload"));
    ck_assert_ptr_nonnull(strstr(text, "  job_time          2s         10ms to 10m: "));
    ck_assert_ptr_nonnull(strstr(text, "  pixels            100000000  1 to 4294836225: "));
    for (size_t i = 0; i < config_limit_count; i++)
        ck_assert_ptr_nonnull(strstr(text, config_limit_rows[i].reason));
    free(text);
}
END_TEST

START_TEST(addresses_are_read_in_every_form)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
        bool loopback;
    } good[] = {
        {"127.0.0.1:8750", "127.0.0.1", 8750, true},
        {"127.255.0.9:0", "127.255.0.9", 0, true},
        {"localhost:65535", "localhost", 65535, true},
        {"\"[::1]:1\"", "::1", 1, true},
        {"0.0.0.0:80", "0.0.0.0", 80, false},
        {"128.0.0.1:80", "128.0.0.1", 80, false},
        {"\"[::]:80\"", "::", 80, false},
        {"\"[2001:db8::7]:80\"", "2001:db8::7", 80, false},
        {"\"[::ffff:127.0.0.1]:80\"", "::ffff:127.0.0.1", 80, false},
    };
    char text[256];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(text, sizeof text,
                 "listen: %s\nkeys: [{ name: a, sha256: %064d, rights: [screen] }]\nadmin_listen: "
                 "unix:/run/a.sock\n",
                 good[i].text, 7);
        struct config *config = parse(text);
        ck_assert_int_eq(config->listen.kind, LISTEN_TCP);
        ck_assert_str_eq(config->listen.host, good[i].host);
        ck_assert_uint_eq(config->listen.port, good[i].port);
        ck_assert_int_eq(config->listen.loopback, good[i].loopback);
        ck_assert_int_eq(config->admin_listen.kind, LISTEN_UNIX);
        ck_assert_str_eq(config->admin_listen.path, "/run/a.sock");
        ck_assert(config->admin_listen.loopback);
        config_free(config);
    }
}
END_TEST

START_TEST(a_socket_path_has_at_most_107_bytes)
{
    char text[256];
    struct config *config = NULL;

    snprintf(text, sizeof text, "listen: unix:/%0106d", 0);
    config = parse(text);
    ck_assert_uint_eq(strlen(config->listen.path), 107);
    config_free(config);
    snprintf(text, sizeof text, "listen: unix:/%0107d", 0);
    refuse(text, "test.yaml:1: listen: the path of a socket has at most 107 bytes");
}
END_TEST

START_TEST(keys_are_read_with_their_rights)
{
    struct config *config =
        parse("listen: 0.0.0.0:8750\n"
              "keys:\n"
              "- { name: up-load.1, sha256: "
              "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08, "
              "rights: [screen] }\n"
              "- name: moderators\n"
              "  rights: [lists, detail, screen]\n"
              "  sha256: \"0000000000000000000000000000000000000000000000000000000000000001\"\n");

    ck_assert_uint_eq(config->key_count, 2);
    ck_assert_str_eq(config->keys[0].name, "up-load.1");
    ck_assert_uint_eq(config->keys[0].sha256[0], 0x9f);
    ck_assert_uint_eq(config->keys[0].sha256[31], 0x08);
    ck_assert_uint_eq(config->keys[0].rights, RIGHT_SCREEN);
    ck_assert_str_eq(config->keys[1].name, "moderators");
    ck_assert_uint_eq(config->keys[1].sha256[31], 1);
    ck_assert_uint_eq(config->keys[1].rights, RIGHT_SCREEN | RIGHT_DETAIL | RIGHT_LISTS);
    config_free(config);
}
END_TEST

/* A text with count keys or profiles. */
static char *make_many(const char *head, const char *format, unsigned int count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(stream);
    fputs(head, stream);
    for (unsigned int i = 1; i <= count; i++) {
        fprintf(stream, format, i, i);
        fputc('\n', stream);
    }
    fclose(stream);
    return text;
}

START_TEST(there_are_at_most_1000_keys_and_1000_profiles)
{
#define KEY_FORMAT "- { name: k%u, sha256: %064x, rights: [screen] }"
    char *text = make_many("keys:\n", KEY_FORMAT, CONFIG_KEYS_MAX);
    struct config *config = parse(text);

    ck_assert_uint_eq(config->key_count, CONFIG_KEYS_MAX);
    config_free(config);
    free(text);
    text = make_many("keys:\n", KEY_FORMAT, CONFIG_KEYS_MAX + 1);
    refuse(text, "test.yaml:1: keys: has 1001 entries; at most 1000 are taken");
    free(text);
    text = make_many("profiles:\n", "  p%u: { view_radius: %u }", 60);
    config = parse(text);
    ck_assert_uint_eq(config->profile_count, 61);
    ck_assert_uint_eq(rules_of(config, "p60", AUDIENCE_CHILD)->view_radius, 60);
    config_free(config);
    free(text);
    text = make_many("profiles:\n", "  p%u: {} # %u", CONFIG_PROFILES_MAX);
    config = parse(text);
    ck_assert_uint_eq(config->profile_count, CONFIG_PROFILES_MAX + 1);
    ck_assert_ptr_null(config_find_profile(config, "p0"));
    ck_assert_ptr_null(config_find_profile(config, "q"));
    ck_assert_ptr_nonnull(config_find_profile(config, "p1000"));
    config_free(config);
    free(text);
    text = make_many("profiles:\n", "  p%u: {} # %u", CONFIG_PROFILES_MAX + 1);
    refuse(text, "test.yaml:1: profiles: there are 1001; at most 1000 are taken");
    free(text);
}
END_TEST

START_TEST(a_profile_has_from_default_what_it_does_not_set)
{
    struct config *config =
        parse("profiles:\n"
              "  default: { effort: fast, quality_floor: 30, on: { media.corrupt: report } }\n"
              "  post: { quality_floor: 40, max_list_age: 36h, stale_lists: serve, record: all }\n");
    const struct policy_rules *post = rules_of(config, "post", AUDIENCE_ADULT);
    const struct policy_rules *standard = rules_of(config, "default", AUDIENCE_ADULT);

    ck_assert_int_eq(post->effort, EFFORT_FAST);
    ck_assert_uint_eq(post->quality_floor, 40);
    ck_assert_uint_eq(post->max_list_age_us, (uint64_t)36 * 3600 * 1000000);
    ck_assert(post->record_allow && post->serve_stale);
    ck_assert_uint_eq(post->view_radius, 24);
    ck_assert_int_eq(post->on[REASON_MEDIA_CORRUPT], VERDICT_REPORT);
    ck_assert_uint_eq(standard->quality_floor, 30);
    ck_assert_uint_eq(standard->max_list_age_us, 0);
    ck_assert(!standard->record_allow && !standard->serve_stale);
    config_free(config);
}
END_TEST

START_TEST(a_file_may_name_profiles_without_default)
{
    struct config *config = parse("profiles: { avatar: { effort: thorough } }");

    ck_assert_uint_eq(config->profile_count, 2);
    ck_assert_int_eq(rules_of(config, "avatar", AUDIENCE_CHILD)->effort, EFFORT_THOROUGH);
    ck_assert_int_eq(rules_of(config, "default", AUDIENCE_CHILD)->effort, EFFORT_STANDARD);
    config_free(config);
    config = parse("profiles: {}");
    ck_assert_uint_eq(config->profile_count, 1);
    config_free(config);
    config = parse("{}");
    ck_assert_uint_eq(config->profile_count, 1);
    config_free(config);
}
END_TEST

START_TEST(an_audience_overrides_the_profile_for_itself_alone)
{
    struct config *config = parse("profiles:\n"
                                  "  default:\n"
                                  "    view_action: allow\n"
                                  "    audience:\n"
                                  "      child: { view_action: report, on: { media.low_quality: block } }\n"
                                  "  post:\n"
                                  "    view_action: block\n"
                                  "    audience: { unknown: { view_radius: 9 } }\n");

    ck_assert_int_eq(rules_of(config, "default", AUDIENCE_CHILD)->view_action, VERDICT_REPORT);
    ck_assert_int_eq(rules_of(config, "default", AUDIENCE_ADULT)->view_action, VERDICT_ALLOW);
    ck_assert_int_eq(rules_of(config, "default", AUDIENCE_UNKNOWN)->view_action, VERDICT_ALLOW);
    ck_assert_int_eq(rules_of(config, "default", AUDIENCE_CHILD)->on[REASON_MEDIA_LOW_QUALITY],
                     VERDICT_BLOCK);
    ck_assert_int_eq(rules_of(config, "default", AUDIENCE_ADULT)->on[REASON_MEDIA_LOW_QUALITY],
                     VERDICT_ALLOW);
    ck_assert_int_eq(rules_of(config, "post", AUDIENCE_CHILD)->view_action, VERDICT_REPORT);
    ck_assert_int_eq(rules_of(config, "post", AUDIENCE_ADULT)->view_action, VERDICT_BLOCK);
    ck_assert_uint_eq(rules_of(config, "post", AUDIENCE_UNKNOWN)->view_radius, 9);
    ck_assert_uint_eq(rules_of(config, "post", AUDIENCE_ADULT)->view_radius, 24);
    ck_assert_uint_eq(rules_of(config, "default", AUDIENCE_UNKNOWN)->view_radius, 24);
    config_free(config);
}
END_TEST

START_TEST(media_limit_stands_for_the_four_that_its_map_does_not_name)
{
    struct config *config = parse("profiles:\n"
                                  "  default: { on: { media.limit.time: allow } }\n"
                                  "  post: { on: { media.limit.frames: allow, media.limit: report } }\n"
                                  "  chat: { on: { media.limit.frames: allow } }\n");
    const enum verdict *standard = rules_of(config, "default", AUDIENCE_ADULT)->on;
    const enum verdict *post = rules_of(config, "post", AUDIENCE_ADULT)->on;
    const enum verdict *chat = rules_of(config, "chat", AUDIENCE_ADULT)->on;

    ck_assert_int_eq(standard[REASON_MEDIA_LIMIT_PIXELS], VERDICT_BLOCK);
    ck_assert_int_eq(standard[REASON_MEDIA_LIMIT_TIME], VERDICT_ALLOW);
    ck_assert_int_eq(post[REASON_MEDIA_LIMIT_PIXELS], VERDICT_REPORT);
    ck_assert_int_eq(post[REASON_MEDIA_LIMIT_FRAMES], VERDICT_ALLOW);
    ck_assert_int_eq(post[REASON_MEDIA_LIMIT_TIME], VERDICT_REPORT);
    ck_assert_int_eq(post[REASON_MEDIA_LIMIT_MEMORY], VERDICT_REPORT);
    ck_assert_int_eq(post[REASON_MEDIA_CORRUPT], VERDICT_BLOCK);
    ck_assert_int_eq(post[REASON_MEDIA_DECODER_DIED], VERDICT_BLOCK);
    ck_assert_int_eq(chat[REASON_MEDIA_LIMIT_FRAMES], VERDICT_ALLOW);
    ck_assert_int_eq(chat[REASON_MEDIA_LIMIT_TIME], VERDICT_ALLOW);
    ck_assert_int_eq(chat[REASON_MEDIA_LIMIT_MEMORY], VERDICT_BLOCK);
    config_free(config);
}
END_TEST

/* Each value that a profile can have, once for the profile and once for an audience. */
START_TEST(the_policy_version_tells_every_value_apart)
{
    static const char *const values[] = {"effort: fast",
                                         "effort: thorough",
                                         "view_radius: 23",
                                         "view_action: allow",
                                         "view_action: report",
                                         "max_list_age: 1ms",
                                         "max_list_age: 3650d",
                                         "stale_lists: serve",
                                         "quality_floor: 49",
                                         "record: all",
                                         "on: { media.unrecognised: allow }",
                                         "on: { media.unsupported: allow }",
                                         "on: { media.corrupt: allow }",
                                         "on: { media.limit: allow }",
                                         "on: { media.limit.pixels: allow }",
                                         "on: { media.limit.frames: allow }",
                                         "on: { media.limit.time: allow }",
                                         "on: { media.limit.memory: allow }",
                                         "on: { media.decoder_died: allow }",
                                         "on: { media.low_quality: block }",
                                         "on: { media.low_quality: report }",
                                         "effort: standard"};
    enum { VALUES = sizeof values / sizeof values[0], VERSIONS = VALUES * 4 };
    static char versions[VERSIONS][17];
    char text[256];

    for (size_t i = 0; i < VERSIONS; i++) {
        static const char *const frames[] = {"profiles: { default: { %s } }",
                                             "profiles: { default: { audience: { child: { %s } } } }",
                                             "profiles: { default: { audience: { adult: { %s } } } }",
                                             "profiles: { default: { audience: { unknown: { %s } } } }"};
        char frame[64];

        snprintf(frame, sizeof frame, "%s", frames[i % 4]);
        char *hole = strstr(frame, "%s");
        snprintf(text, sizeof text, "%.*s%s%s", (int)(hole - frame), frame, values[i / 4], hole + 2);
        struct config *config = parse(text);
        memcpy(versions[i], config->profiles[0].version, sizeof versions[i]);
        ck_assert_uint_eq(strspn(versions[i], "0123456789abcdef"), 16);
        config_free(config);
    }
    for (size_t i = 0; i < VERSIONS; i++) {
        for (size_t k = 0; k < i; k++) {
            bool same_values = k >= VERSIONS - 4;
            ck_assert_msg((strcmp(versions[i], versions[k]) == 0) == same_values, "%zu and %zu", i, k);
        }
    }
}
END_TEST

START_TEST(the_policy_version_depends_on_nothing_else)
{
    struct config *a = parse("profiles: { default: { on: { media.corrupt: allow, media.limit: allow } } }");
    struct config *b =
        parse("listen: unix:/a\nlimits: { body: 1MiB }\nprofiles:\n"
              "  default: { on: { media.limit.time: allow, media.limit.memory: allow,\n"
              "    media.limit.frames: allow, media.limit.pixels: allow, media.corrupt: allow } }\n"
              "  post: {}\n");

    ck_assert_str_eq(a->profiles[0].version, b->profiles[0].version);
    ck_assert_str_eq(b->profiles[0].version, config_find_profile(b, "post")->version);
    config_free(a);
    config_free(b);
    /* The shipped policy's own; it changes when a default or the meaning of a rule does. */
    a = parse("");
    ck_assert_str_eq(a->profiles[0].version, "1ee60832af7ef92c");
    config_free(a);
}
END_TEST

START_TEST(without_keys_only_this_machine_is_served)
{
    static const char keyed[] = "keys: [{ name: a, sha256: "
                                "0000000000000000000000000000000000000000000000000000000000000001, "
                                "rights: [screen] }]\n";
    static const char *const open[] = {"listen: 0.0.0.0:8750\n", "listen: \"[::]:8750\"\n",
                                       "listen: 192.168.0.1:1\n", "admin_listen: 0.0.0.0:9\n"};

    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        char text[512];

        refuse(open[i], "other machines can reach this address");
        snprintf(text, sizeof text, "%s%s", open[i], keyed);
        config_free(parse(text));
    }
    config_free(parse("listen: localhost:1\n"));
    config_free(parse("listen: unix:/run/p.sock\nadmin_listen: 127.9.9.9:9\n"));
}
END_TEST

START_TEST(the_two_addresses_must_differ)
{
    refuse("admin_listen: 127.0.0.1:8750", "test.yaml:1: admin_listen: is the same as listen");
    refuse("listen: unix:/a\nadmin_listen: unix:/a", "test.yaml:2: admin_listen: is the same as listen");
    config_free(parse("listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0"));
    config_free(parse("listen: unix:/a\nadmin_listen: unix:/b"));
    config_free(parse("listen: 127.0.0.1:1\nadmin_listen: 127.0.0.1:2"));
    config_free(parse("listen: 127.0.0.1:1\nadmin_listen: 127.0.0.2:1"));
}
END_TEST

START_TEST(nothing_is_freed_where_nothing_is)
{
    config_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *tests = tcase_create("config");

    tcase_add_test(tests, defaults_are_those_of_the_interface);
    tcase_add_test(tests, workers_0_is_one_for_each_core_of_this_process);
    tcase_add_loop_test(tests, each_limit_is_taken_at_its_ends_and_refused_past_them, 0, RAW_LIMITS);
    tcase_add_test(tests, limits_are_described_as_they_are_spelled);
    tcase_add_test(tests, addresses_are_read_in_every_form);
    tcase_add_test(tests, a_socket_path_has_at_most_107_bytes);
    tcase_add_test(tests, keys_are_read_with_their_rights);
    tcase_add_test(tests, there_are_at_most_1000_keys_and_1000_profiles);
    tcase_add_test(tests, a_profile_has_from_default_what_it_does_not_set);
    tcase_add_test(tests, a_file_may_name_profiles_without_default);
    tcase_add_test(tests, an_audience_overrides_the_profile_for_itself_alone);
    tcase_add_test(tests, media_limit_stands_for_the_four_that_its_map_does_not_name);
    tcase_add_test(tests, the_policy_version_tells_every_value_apart);
    tcase_add_test(tests, the_policy_version_depends_on_nothing_else);
    tcase_add_test(tests, without_keys_only_this_machine_is_served);
    tcase_add_test(tests, the_two_addresses_must_differ);
    tcase_add_test(tests, nothing_is_freed_where_nothing_is);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
