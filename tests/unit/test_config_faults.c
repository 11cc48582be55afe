#include "prescreen/config/config.h"

#include "allocation_faults.h"
#include "tap.h"

#include <string.h>

/* libyaml itself loses the items of a node that it has no memory left to keep; of its frames only the first
 * is found. What is ours to free is looked at by the tests in which no allocation fails. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libyaml-0\n";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}

#define HASH_A "0000000000000000000000000000000000000000000000000000000000000001"
#define HASH_B "0000000000000000000000000000000000000000000000000000000000000002"

static const char full[] =
    "listen: unix:/a\nadmin_listen: localhost:1\ndata_dir: d\nworkers: 2\nlimits: { body: 1MiB, queue: 3 }\n"
    "keys:\n- { name: a, sha256: " HASH_A ", rights: [screen, lists] }\n- { name: b, sha256: " HASH_B
    ", rights: [detail] }\nlists: [{ name: a, classes: { report: [x], ignore: [none] }, columns: { md5: m } "
    "}]\nfeeds: [{ name: f, kind: ncmec, url: 'https://h', credentials: c, lists: [a] }]\nprofiles:\n  "
    "default: { effort: fast, on: { media.limit: allow } }\n"
    "  post: { record: all, audience: { child: { effort: thorough }, adult: { view_radius: 2 } } }\n";

/* One for each place at which a file can be refused. */
static const char *const refused[] = {
    "workers: [",
    "workers: *a",
    "profiles: { 'a b': {} }",
    "wrkers: 1",
    "workers: many",
    "limits: { body: 1 }",
    "keys:\n- { name: a, sha256: " HASH_A ", rights: [screen] }\n- { name: a, sha256: " HASH_B
    ", rights: [screen] }",
    "profiles: { post: { effort: quick } }",
    "lists: [{ name: a, classes: { report: [x, x] } }]",
    "feeds: [{ name: f, kind: ncmec, url: 'https://h', credentials: c, lists: [a] }]",
    "listen: 0.0.0.0:1",
};

/* Fails each allocation in turn until one run needs no more of them. */
static void check_allocations(const char *text, size_t size, int outcome)
{
    struct config *config = NULL;

    /* OpenSSL sets itself up once, and remembers for good when that failed. */
    ck_assert_int_eq(config_parse("", 0, "f", &config, NULL), 0);
    config_free(config);
    for (unsigned long nth = 1;; nth++) {
        struct diag diag = {""};

        config = NULL;
        fail_allocation(nth);
        int error = config_parse(text, size, "f", &config, &diag);
        bool failed = allocation_has_failed();
        fail_allocation(0);
        /* Some do without: qsort() sorts in place when it gets no memory. OpenSSL does not say why it fails.
         */
        if (error != outcome && !(failed && (error == -ENOMEM || error == -EIO)))
            ck_abort_msg("allocation %lu: %d %s", nth, error, diag.text);
        if ((error == 0) != (config != NULL) || (error != 0 && diag.text[0] == '\0'))
            ck_abort_msg("allocation %lu: outcome and output disagree", nth);
        config_free(config);
        if (!failed)
            break;
    }
}

START_TEST(every_allocation_may_fail_on_a_good_file)
{
    check_allocations(full, strlen(full), 0);
    check_allocations("", 0, 0);
}
END_TEST

START_TEST(every_allocation_may_fail_on_a_refused_file)
{
    check_allocations(refused[_i], strlen(refused[_i]), -EINVAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config faults");
    TCase *tests = tcase_create("config faults");

    tcase_add_test(tests, every_allocation_may_fail_on_a_good_file);
    tcase_add_loop_test(tests, every_allocation_may_fail_on_a_refused_file, 0,
                        (int)(sizeof refused / sizeof refused[0]));
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
