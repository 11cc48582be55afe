#include "prescreen/config/config.h"

#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HASH_A "0000000000000000000000000000000000000000000000000000000000000001"
#define HASH_B "0000000000000000000000000000000000000000000000000000000000000002"
#define EMPTY  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Each bad file with the whole beginning of what it is told. */
static const struct {
    const char *text, *message;
} bad[] = {
    /* The text as such. */
    {"listen: \"127.0.0.1:1", "f:1: not YAML: found unexpected end of stream"},
    {"workers: 1\n\tlimits: {}\n", "f:2: not YAML: found a tab character"},
    {"limits: { body: 1MiB\nworkers: 1\n", "f:2: not YAML: "},
    {"a: b: c\n", "f:1: not YAML: mapping values are not allowed"},
    {"workers: 1\nlisten: \xff\n", "f:2: not UTF-8 text: "},
    {"workers: 1\n\nlisten: a\x01\n", "f:3: not UTF-8 text: "},
    {"\xff\xfew\0o\0", "f:1: not UTF-8 text: "},
    {"- a\n", "f:1: must be a map of keys and values"},
    {"listen\n", "f:1: must be a map of keys and values"},
    {"~\n", "f:1: has no value; write a map of keys and values"},
    {"workers: 1\n---\nworkers: 2\n", "f:2: a second document begins here"},
    {"limits: &a { body: 1MiB }\n", "f:1: anchors, aliases and tags are not taken"},
    {"workers: &a 1\nlisten: *a\n", "f:1: anchors, aliases and tags are not taken"},
    {"a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n", "f:1: anchors, aliases and tags are not taken"},
    {"workers: 1\nlimits: *x\n", "f:2: anchors, aliases and tags are not taken"},
    {"workers: !!int 1\n", "f:1: anchors, aliases and tags are not taken"},
    {"[[[[[[[[[\n", "f:1: nested deeper than 8 levels"},
    {"a: {b: {c: {d: {e: {f: {g: {h: {}}}}}}}}\n", "f:1: nested deeper than 8 levels"},
    {"a: {b: {c: {d: {e: {f: {g: {}}}}}}}\n",
     "f:1: a: unknown key; known here: listen, admin_listen, data_dir, "},

    /* Keys. */
    {"workers: 1\nlisen: x\n", "f:2: lisen: unknown key, did you mean listen? Known here: listen, admin_"},
    {"lisn: x\n", "f:1: lisn: unknown key, did you mean listen?"},
    {"lissteen: x\n", "f:1: lissteen: unknown key, did you mean listen?"},
    {"zzz: x\n", "f:1: zzz: unknown key; known here: "},
    {"Workers: 1\n", "f:1: Workers: unknown key, did you mean workers?"},
    {"database: x\n", "f:1: database: unknown key; known here: "},
    {"<<: { workers: 1 }\n", "f:1: <<: unknown key; "},
    {"? [a]\n: b\n", "f:1: a key must be a word"},
    {"? {limits: 1}\n: b\n", "f:1: a key must be a word"},
    {"\"workers\\0x\": 1\n", "f:1: workers: unknown key"},
    {"workers: 1\nlisten: localhost:1\nworkers: 1\n", "f:3: workers stands here twice, first in line 1"},
    {"limits: {}\nlimits: {}\n", "f:2: limits stands here twice, first in line 1"},
    {"limits:\n  body: 1MiB\n  frames: 1\n  body: 1MiB\n",
     "f:4: limits: body stands here twice, first in line 2"},
    {"profiles:\n  a: {}\n  b: {}\n  a: {}\n", "f:4: profiles: a stands here twice, first in line 2"},
    {"profiles: {}\nprofiles: { b: {} }\n", "f:2: profiles stands here twice, first in line 1"},
    {"limits:\n  bodi: 1MiB\n",
     "f:2: limits.bodi: unknown key, did you mean body? Known here: body, import, "},

    /* One kind of value in another's place. */
    {"listen: [a]\n", "f:1: listen: must be one value"},
    {"listen: { a: b }\n", "f:1: listen: must be one value"},
    {"limits: 5\n", "f:1: limits: must be a map of keys and values"},
    {"limits: []\n", "f:1: limits: must be a map of keys and values"},
    {"keys: {}\n", "f:1: keys: must be a list, or []"},
    {"keys: none\n", "f:1: keys: must be a list, or []"},
    {"profiles: [default]\n", "f:1: profiles: must be a map of keys and values"},
    {"profiles:\n  default: []\n", "f:2: profiles.default: must be a map of keys and values"},
    {"workers:\n", "f:1: workers: has no value; write one value, or leave the key out"},
    {"limits:\nworkers: 1\n", "f:1: limits: has no value; write a map of keys and values, or {}, or leave"},
    {"keys:\n", "f:1: keys: has no value; write a list, or [], or leave the key out"},
    {"data_dir: null\n", "f:1: data_dir: has no value"},
    {"data_dir: ~\n", "f:1: data_dir: has no value"},
    {"data_dir: \"a\\nb\"\n", "f:1: data_dir: has line breaks or other control characters"},
    {"data_dir: |\n  a\n  b\n", "f:1: data_dir: has line breaks or other control characters"},
    {"data_dir: \"a\\0b\"\n", "f:1: data_dir: has line breaks or other control characters"},
    {"data_dir: ''\n", "f:1: data_dir: must be the path of a directory"},

    /* Addresses. */
    {"listen: 8750\n", "f:1: listen: \"8750\" is not taken; use ADDRESS:PORT such as 127.0.0.1:8750, "},
    {"listen: \"\"\n", "f:1: listen: is empty; use ADDRESS:PORT"},
    {"listen: 127.0.0.1\n", "f:1: listen: \"127.0.0.1\" is not taken"},
    {"listen: \"127.0.0.1:\"\n", "f:1: listen: \"127.0.0.1:\" is not taken"},
    {"listen: 127.0.0.1:65536\n", "f:1: listen: \"127.0.0.1:65536\" is not taken"},
    {"listen: 127.0.0.1:-1\n", "f:1: listen: \"127.0.0.1:-1\" is not taken"},
    {"listen: 127.0.0.1:80x\n", "f:1: listen: \"127.0.0.1:80x\" is not taken"},
    {"listen: 127.0.0.256:80\n", "f:1: listen: \"127.0.0.256:80\" is not taken"},
    {"listen: 127.1:80\n", "f:1: listen: \"127.1:80\" is not taken"},
    {"listen: example.org:80\n", "f:1: listen: \"example.org:80\" is not taken"},
    {"listen: :80\n", "f:1: listen: \":80\" is not taken"},
    {"listen: \"::1:80\"\n", "f:1: listen: \"::1:80\" is not taken"},
    {"listen: \"[::1]\"\n", "f:1: listen: \"[::1]\" is not taken"},
    {"listen: \"[::1]80\"\n", "f:1: listen: \"[::1]80\" is not taken"},
    {"listen: \"[::1:80\"\n", "f:1: listen: \"[::1:80\" is not taken"},
    {"listen: \"[127.0.0.1]:80\"\n", "f:1: listen: \"[127.0.0.1]:80\" is not taken"},
    {"listen: \"[fe80::1%lo]:80\"\n", "f:1: listen: \"[fe80::1%lo]:80\" is not taken"},
    {"listen: \"unix:\"\n", "f:1: listen: \"unix:\" is not taken: the path must begin with /"},
    {"listen: unix:run/p.sock\n",
     "f:1: listen: \"unix:run/p.sock\" is not taken: the path must begin with /"},
    {"workers: 1\n\nlisten: 0.0.0.0:80\n",
     "f:3: listen: other machines can reach this address, and without keys"},
    {"admin_listen: \"[::]:80\"\n", "f:1: admin_listen: other machines can reach this address"},
    {"admin_listen: x\n", "f:1: admin_listen: \"x\" is not taken"},

    /* Numbers. */
    {"workers: -1\n", "f:1: workers: \"-1\" is not taken; use a number from 0 (one a core) to 1024"},
    {"workers: 1.5\n", "f:1: workers: \"1.5\" is not taken"},
    {"workers: 0x10\n", "f:1: workers: \"0x10\" is not taken"},
    {"limits:\n  frames: 1\n  body: 0\n",
     "f:3: limits.body: \"0\" is not taken; write a size in KiB, MiB or GiB, from 1KiB to "},
    {"limits: { body: 32MB }\n", "f:1: limits.body: \"32MB\" is not taken"},
    {"limits: { body: -1 }\n", "f:1: limits.body: \"-1\" is not taken"},
    {"limits: { import: 99999999999999999999GiB }\n",
     "f:1: limits.import: \"99999999999999999999GiB\" is not taken"},
    {"limits: { pixels: 100MiB }\n",
     "f:1: limits.pixels: \"100MiB\" is not taken; write a number, from 1 to 4294836225"},
    {"limits: { job_time: 2 }\n",
     "f:1: limits.job_time: \"2\" is not taken; write a time in ms, s, m or h, from 10ms to 10m"},
    {"limits: { job_time: 0 }\n", "f:1: limits.job_time: \"0\" is not taken"},

    /* Keys of the service. */
    {"keys:\n- { name: a, rights: [screen] }\n", "f:2: keys[0]: sha256 is missing"},
    {"keys:\n- { sha256: " HASH_A ", rights: [screen] }\n", "f:2: keys[0]: name is missing"},
    {"keys:\n- name: a\n  sha256: " HASH_A "\n", "f:2: keys[0]: rights is missing"},
    {"keys:\n- upload\n", "f:2: keys[0]: must be a map of keys and values"},
    {"keys:\n- { name: a, sha256: " HASH_A ", right: [screen] }\n",
     "f:2: keys[0].right: unknown key, did you mean rights?"},
    {"keys:\n- { name: a, sha256: " HASH_A ", rights: screen }\n", "f:2: keys[0].rights: must be a list"},
    {"keys:\n- { name: a, sha256: " HASH_A ", rights: [] }\n",
     "f:2: keys[0].rights: is empty; give at least one of screen"},
    {"keys:\n- name: a\n  sha256: " HASH_A "\n  rights:\n  - screen\n  - admin\n",
     "f:6: keys[0].rights[1]: \"admin\" is no right; the rights are screen, detail, lists"},
    {"keys:\n- { name: a, sha256: " HASH_A ", rights: [lists, lists] }\n",
     "f:2: keys[0].rights[1]: lists stands here twice"},
    {"keys:\n- { name: a, sha256: " HASH_A ", rights: [lists, screen, detail, lists] }\n",
     "f:2: keys[0].rights: has 4 entries; at most 3 are taken"},
    {"keys:\n- { name: a, sha256: " HASH_A ", rights: [[screen]] }\n",
     "f:2: keys[0].rights[0]: must be one value"},
    {"keys:\n- { name: a b, sha256: " HASH_A ", rights: [screen] }\n",
     "f:2: keys[0].name: \"a b\" is no name; a name is 1 to 64"},
    {"keys:\n- { name: '', sha256: " HASH_A ", rights: [screen] }\n", "f:2: keys[0].name: \"\" is no name"},
    {"keys:\n- { name: a, sha256: secret-of-mine, rights: [screen] }\n",
     "f:2: keys[0].sha256: must be the 64 hex digits"},
    {"keys:\n- { name: a, sha256: " HASH_A "0, rights: [screen] }\n",
     "f:2: keys[0].sha256: must be the 64 hex digits"},
    {"keys:\n- { name: a, sha256: " EMPTY ", rights: [screen] }\n",
     "f:2: keys[0].sha256: is the SHA-256 of an empty text"},
    {"keys:\n- { name: a, sha256: " HASH_A ", rights: [screen] }\n- { name: b, sha256: " HASH_B
     ", rights: [screen] }\n"
     "- { name: a, sha256: " EMPTY ", rights: [screen] }\n",
     "f:4: keys[2].sha256: is the SHA-256 of an empty text"},
    {"keys:\n- { name: a, sha256: " HASH_A ", rights: [screen] }\n- { name: a, sha256: " HASH_B
     ", rights: [screen] }\n",
     "f:3: keys[1].name: a is the name of keys[0] already"},
    {"keys:\n- { name: a, sha256: " HASH_A ", rights: [screen] }\n- { name: b, sha256: " HASH_A
     ", rights: [screen] }\n",
     "f:3: keys[1].sha256: is that of a already: each name needs its own key"},

    /* Profiles. */
    {"profiles:\n  my post: {}\n", "f:2: profiles: \"my post\" is no name for a profile"},
    {"profiles:\n  \"\": {}\n", "f:2: profiles: \"\" is no name for a profile"},
    {"profiles:\n  \"a\\0b\": {}\n", "f:2: profiles: \"a\" is no name for a profile"},
    {"profiles:\n  ? [a]\n  : {}\n", "f:2: profiles: \"\" is no name for a profile"},
    {"profiles: { default: { efort: fast } }\n",
     "f:1: profiles.default.efort: unknown key, did you mean effort?"},
    {"profiles:\n  default:\n    effort: quick\n",
     "f:3: profiles.default.effort: \"quick\" is not taken; use fast, standard or thorough"},
    {"profiles:\n  post:\n    view_radius: 65\n",
     "f:3: profiles.post.view_radius: \"65\" is not taken; use a number of bits from 0 to 64"},
    {"profiles: { default: { view_action: observe } }\n",
     "f:1: profiles.default.view_action: \"observe\" is not taken; use allow, block or report"},
    {"profiles: { default: { max_list_age: 3651d } }\n",
     "f:1: profiles.default.max_list_age: \"3651d\" is not taken; use 0 for no limit"},
    {"profiles: { default: { max_list_age: 7 } }\n",
     "f:1: profiles.default.max_list_age: \"7\" is not taken"},
    {"profiles: { default: { stale_lists: warn } }\n",
     "f:1: profiles.default.stale_lists: \"warn\" is not taken; use refuse or serve"},
    {"profiles: { default: { quality_floor: 101 } }\n",
     "f:1: profiles.default.quality_floor: \"101\" is not taken"},
    {"profiles: { default: { record: yes } }\n",
     "f:1: profiles.default.record: \"yes\" is not taken; use decisive or all"},
    {"profiles:\n  default:\n    on:\n      media.corupt: block\n",
     "f:4: profiles.default.on.media.corupt: unknown key, did you mean media.corrupt?"},
    {"profiles: { default: { on: { match.near: block } } }\n",
     "f:1: profiles.default.on.match.near: unknown key"},
    {"profiles:\n  default:\n    on:\n      media.limit: block\n      media.limit.time: never\n",
     "f:5: profiles.default.on.media.limit.time: \"never\" is not taken; use allow, block or report"},
    {"profiles:\n  default:\n    on:\n      media.limit.time: block\n      media.limit: Block\n",
     "f:5: profiles.default.on.media.limit: \"Block\" is not taken; use allow, block or report"},
    {"profiles: { default: { audience: { children: {} } } }\n",
     "f:1: profiles.default.audience.children: unknown key; known here: child, adult, unknown"},
    {"profiles:\n  default:\n    audience:\n      adult:\n        on:\n          media.corrupt: maybe\n",
     "f:6: profiles.default.audience.adult.on.media.corrupt: \"maybe\" is not taken"},
    {"profiles: { default: { audience: { child: { audience: {} } } } }\n",
     "f:1: profiles.default.audience.child.audience: unknown key; known here: effort, "},
    {"profiles:\n  a: {}\n  a.on: { effort: x }\n", "f:3: profiles.a.on.effort: \"x\" is not taken"},
};

static size_t bad_size(size_t at)
{
    return bad[at].text[0] == '\xff' ? 6 : strlen(bad[at].text);
}

START_TEST(each_bad_file_is_refused_by_line_and_key)
{
    struct config *config = NULL;
    struct diag diag = {""};
    int error = config_parse(bad[_i].text, bad_size((size_t)_i), "f", &config, &diag);

    ck_assert_msg(error == -EINVAL, "taken: %s", bad[_i].text);
    ck_assert_ptr_null(config);
    ck_assert_msg(strncmp(diag.text, bad[_i].message, strlen(bad[_i].message)) == 0,
                  "\"%s\" instead of \"%s\"", diag.text, bad[_i].message);
}
END_TEST

START_TEST(what_stands_in_sha256_is_never_repeated)
{
    static const char *const texts[] = {"keys: [{ name: a, sha256: my-real-key, rights: [screen] }]",
                                        "keys: [{ name: a, sha256: [my-real-key], rights: [screen] }]",
                                        "keys: [{ name: a, sha256: { my-real-key: 1 }, rights: [screen] }]"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct config *config = NULL;
        struct diag diag = {""};

        ck_assert_int_eq(config_parse(texts[i], strlen(texts[i]), "f", &config, &diag), -EINVAL);
        ck_assert_ptr_null(strstr(diag.text, "my-real-key"));
    }
}
END_TEST

START_TEST(a_long_path_leaves_room_for_the_reason)
{
    char origin[CONFIG_PATH_MAX];
    struct config *config = NULL;
    struct diag diag = {""};

    memset(origin, 'p', sizeof origin);
    memcpy(origin + sizeof origin - 8, "/f.yaml", 8);
    ck_assert_int_eq(config_parse("workers: x", 10, origin, &config, &diag), -EINVAL);
    ck_assert_ptr_nonnull(strstr(diag.text, "/f.yaml:1: workers: \"x\" is not taken"));
}
END_TEST

static const char full[] =
    "listen: unix:/a\nadmin_listen: localhost:1\ndata_dir: d\nworkers: 2\nlimits: { body: 1MiB, queue: 3 }\n"
    "keys:\n- { name: a, sha256: " HASH_A ", rights: [screen, lists] }\n- { name: b, sha256: " HASH_B
    ", rights: [detail] }\nprofiles:\n  default: { effort: fast, on: { media.limit: allow } }\n"
    "  post: { record: all, audience: { child: { effort: thorough }, adult: { view_radius: 2 } } }\n";

/* Whatever the text: a configuration, or a reason that begins with its name. */
static void check_any_text(const char *text, size_t size)
{
    struct config *config = NULL;
    struct diag diag = {""};
    int error = config_parse(text, size, "f", &config, &diag);

    if (error == 0 ? config == NULL || config->profile_count == 0 || config->workers == 0
                   : config != NULL || strncmp(diag.text, "f:", 2) != 0)
        ck_abort_msg("%d \"%s\" for:\n%.*s", error, diag.text, (int)size, text);
    config_free(config);
}

START_TEST(a_text_cut_anywhere_is_answered_clearly)
{
    for (size_t size = 0; size <= strlen(full); size++)
        check_any_text(full, size);
}
END_TEST

/* Each place takes a quarter of the letters in turn. */
START_TEST(a_text_changed_anywhere_is_answered_clearly)
{
    static const char letters[] = "\0\n\t :-{}[],&*#?|>'\"%@`!~0a.\x7f\x80\xff";
    char text[sizeof full];

    for (size_t at = 0; at < strlen(full); at++) {
        for (size_t letter = at % 4; letter < sizeof letters; letter += 4) {
            memcpy(text, full, sizeof full);
            text[at] = letters[letter];
            check_any_text(text, strlen(full));
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config refusals");
    TCase *tests = tcase_create("config refusals");
    const int count = (int)(sizeof bad / sizeof bad[0]);

    tcase_add_loop_test(tests, each_bad_file_is_refused_by_line_and_key, 0, count);
    tcase_add_test(tests, what_stands_in_sha256_is_never_repeated);
    tcase_add_test(tests, a_long_path_leaves_room_for_the_reason);
    tcase_add_test(tests, a_text_cut_anywhere_is_answered_clearly);
    tcase_add_test(tests, a_text_changed_anywhere_is_answered_clearly);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
