#include "cli/batch.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/samples.h"
#include "tap.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int run_nothing(const struct invocation *invocation)
{
    (void)invocation;
    return EXIT_STATUS_OK;
}

static const struct command probe = {.name = "probe",
                                     .operands = "FILE…",
                                     .options = OPTION_BIT(OPTION_URL) | OPTION_BIT(OPTION_HUMAN) |
                                                OPTION_BIT(OPTION_RADIUS),
                                     .operands_min = 1,
                                     .operands_max = 2,
                                     .run = run_nothing};

/* Parses words for the probe command; what stands in *invocation on 0 is freed by the test. */
static int parse(const struct command *command, const char *const *words, struct invocation *invocation,
                 struct diag *diag)
{
    int count = 0;

    while (words[count] != NULL)
        count++;
    return invocation_parse(command, count, (char *const *)words, invocation, diag);
}

START_TEST(options_and_operands_mix_and_a_dash_is_an_operand)
{
    const char *const words[] = {"a.jpg", "--url=unix:/x=y", "-", "--human", NULL};
    struct invocation invocation;
    struct diag diag = {""};

    ck_assert_int_eq(parse(&probe, words, &invocation, &diag), 0);
    ck_assert_uint_eq(invocation.operand_count, 2);
    ck_assert_str_eq(invocation.operands[0], "a.jpg");
    ck_assert_str_eq(invocation.operands[1], "-");
    ck_assert_str_eq(option_text(&invocation, OPTION_URL, "none"), "unix:/x=y");
    ck_assert(option_given(&invocation, OPTION_HUMAN));
    ck_assert(!option_given(&invocation, OPTION_RADIUS));
    free(invocation.operands);
}
END_TEST

START_TEST(after_two_dashes_everything_is_an_operand)
{
    const char *const words[] = {"--", "--human", "-x", NULL};
    struct invocation invocation;
    struct diag diag = {""};

    ck_assert_int_eq(parse(&probe, words, &invocation, &diag), 0);
    ck_assert_uint_eq(invocation.operand_count, 2);
    ck_assert_str_eq(invocation.operands[1], "-x");
    ck_assert(!option_given(&invocation, OPTION_HUMAN));
    free(invocation.operands);
}
END_TEST

static const struct {
    const char *words[5];
    const char *said;
} refused[] = {
    {{"a", "--profile", "x"}, "unknown option --profile"}, /* another command's */
    {{"a", "--hum"}, "unknown option --hum"},              /* no abbreviations */
    {{"a", "-q"}, "unknown option -q"},
    {{"a", "--url"}, "--url needs a value"},
    {{"a", "--url="}, "--url needs a value"},
    {{"a", "--human=yes"}, "--human takes no value"},
    {{"a", "--human", "--human"}, "--human is given twice"},
    {{"--human"}, "not enough is named; it takes: FILE"},
    {{"a", "b", "c"}, "c is one too many"},
};

START_TEST(a_wrong_word_is_refused_by_name)
{
    struct invocation invocation;
    struct diag diag = {""};

    ck_assert_int_eq(parse(&probe, refused[_i].words, &invocation, &diag), -EINVAL);
    ck_assert_msg(strstr(diag.text, refused[_i].said) != NULL, "said: %s", diag.text);
}
END_TEST

START_TEST(help_needs_no_operands)
{
    const char *const words[][2] = {{"--help", NULL}, {"-h", NULL}};

    for (int i = 0; i < 2; i++) {
        struct invocation invocation;
        struct diag diag = {""};
        ck_assert_int_eq(parse(&probe, words[i], &invocation, &diag), 0);
        ck_assert(option_given(&invocation, OPTION_HELP));
        free(invocation.operands);
    }
}
END_TEST

START_TEST(a_command_that_passes_on_reads_only_help)
{
    const struct command serve = {
        .name = "serve", .operands = "…", .operands_max = SIZE_MAX, .passes_on = true, .run = run_nothing};
    const char *const passed[] = {"--config", "x", "--help", NULL};
    const char *const help[] = {"--help", NULL};
    struct invocation invocation;
    struct diag diag = {""};

    ck_assert_int_eq(parse(&serve, passed, &invocation, &diag), 0);
    ck_assert_uint_eq(invocation.operand_count, 3);
    ck_assert(!option_given(&invocation, OPTION_HELP));
    free(invocation.operands);
    ck_assert_int_eq(parse(&serve, help, &invocation, &diag), 0);
    ck_assert(option_given(&invocation, OPTION_HELP));
    free(invocation.operands);
}
END_TEST

START_TEST(numbers_are_held_to_their_range)
{
    static const struct {
        const char *text;
        int result;
    } rows[] = {{"2", -EINVAL}, {"3", 0}, {"64", 0}, {"65", -EINVAL}, {"x", -EINVAL}, {"-3", -EINVAL}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct invocation invocation = {.command = &probe, .values = {[OPTION_RADIUS] = rows[i].text}};
        struct diag diag = {""};
        uint64_t value = 7;
        ck_assert_int_eq(option_number(&invocation, OPTION_RADIUS, 3, 31, 64, &value, &diag), rows[i].result);
        ck_assert_uint_eq(value, rows[i].result == 0 ? strtoull(rows[i].text, NULL, 10) : 7);
    }
}
END_TEST

START_TEST(every_command_of_the_table_is_whole)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &command_rows[i];
        ck_assert_ptr_nonnull(command->run);
        ck_assert_ptr_nonnull(command->summary);
        ck_assert_ptr_nonnull(command->operands);
        ck_assert_uint_le(command->operands_min, command->operands_max);
    }
    for (int option = 0; option < OPTION_COUNT; option++)
        ck_assert_ptr_nonnull(option_rows[option].help);
}
END_TEST

START_TEST(a_terminal_is_shown_text_and_nothing_else)
{
    char text[32];
    char narrow[5];

    ck_assert_str_eq(printable("a\033[31mb\n", text, sizeof text), "a?[31mb?");
    ck_assert_str_eq(printable("caf\xc3\xa9 \xff\xc3", text, sizeof text), "caf\xc3\xa9 ??");
    ck_assert_str_eq(printable("abc\xc3\xa9", narrow, sizeof narrow), "abc");
    ck_assert_str_eq(printable("abcd", narrow, sizeof narrow), "abcd");
    ck_assert_str_eq(printable("abcde", narrow, sizeof narrow), "abcd");
}
END_TEST

START_TEST(one_is_said_as_one)
{
    ck_assert_str_eq(noun(0, "entry", "entries"), "entries");
    ck_assert_str_eq(noun(1, "entry", "entries"), "entry");
    ck_assert_str_eq(noun(2, "entry", "entries"), "entries");
    ck_assert_str_eq(noun(UINT64_MAX, "entry", "entries"), "entries");
}
END_TEST

START_TEST(quantiles_are_those_of_the_sorted_values)
{
    uint64_t values[100];

    for (size_t i = 0; i < 100; i++)
        values[i] = 100 - i;
    ck_assert_uint_eq(samples_quantile(values, 100, 0.5), 51);
    ck_assert_uint_eq(samples_quantile(values, 100, 0.99), 100);
    ck_assert_uint_eq(samples_quantile(values, 1, 0.5), 1);
    ck_assert_uint_eq(samples_quantile(values, 0, 0.5), 0);
}
END_TEST

enum { ITEMS = 300 };

struct probe_batch {
    size_t next;
    size_t stop_at;
    pthread_mutex_t lock;
    size_t under_way;
    size_t most;
};

/* Every seventh item is slow, every fifth fails. */
static int probe_work(void *context, unsigned int lane, size_t index, void **product, struct diag *diag)
{
    struct probe_batch *probe_batch = context;
    const struct timespec slow = {.tv_nsec = 2000000};

    ck_assert_uint_lt(lane, 4);
    pthread_mutex_lock(&probe_batch->lock);
    if (++probe_batch->under_way > probe_batch->most)
        probe_batch->most = probe_batch->under_way;
    pthread_mutex_unlock(&probe_batch->lock);
    if (index % 7 == 0)
        nanosleep(&slow, NULL);
    pthread_mutex_lock(&probe_batch->lock);
    probe_batch->under_way--;
    pthread_mutex_unlock(&probe_batch->lock);
    if (index % 5 == 0)
        return diag_fail(diag, -EIO, "item %zu", index);
    size_t *made = malloc(sizeof *made);
    *made = index;
    *product = made;
    return 0;
}

static int probe_take(void *context, size_t index, int result, const void *product, const struct diag *diag)
{
    struct probe_batch *probe_batch = context;

    ck_assert_uint_eq(index, probe_batch->next++);
    ck_assert_int_eq(result, index % 5 == 0 ? -EIO : 0);
    if (result == 0)
        ck_assert_uint_eq(*(const size_t *)product, index);
    else
        ck_assert_uint_eq(strtoull(diag->text + 5, NULL, 10), index);
    return index == probe_batch->stop_at ? -ECANCELED : 0;
}

static struct batch probe_batch_of(struct probe_batch *context)
{
    return (struct batch){
        .count = ITEMS, .lanes = 4, .context = context, .work = probe_work, .take = probe_take};
}

START_TEST(a_batch_works_at_once_and_is_taken_in_order)
{
    struct probe_batch context = {.stop_at = SIZE_MAX, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct batch batch = probe_batch_of(&context);

    ck_assert_int_eq(batch_run(&batch), 0);
    ck_assert_uint_eq(context.next, ITEMS);
    ck_assert_uint_gt(context.most, 1);
}
END_TEST

START_TEST(a_batch_ends_when_a_product_is_not_taken)
{
    struct probe_batch context = {.stop_at = 100, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct batch batch = probe_batch_of(&context);

    ck_assert_int_eq(batch_run(&batch), -ECANCELED);
    ck_assert_uint_eq(context.next, 101);
}
END_TEST

static const struct {
    const char *url;
    int result;
    bool local;
} addresses[] = {
    {"http://127.0.0.1:8750", 0, true},
    {"http://127.9.9.9:1/", 0, true},
    {"http://localhost:8750", 0, true},
    {"http://[::1]:8750", 0, true},
    {"unix:/run/prescreen/socket", 0, true},
    {"https://screen.example:8443", 0, false},
    {"http://10.0.0.1:8750", 0, false},
    {"http://127.0.0.1.example:8750", 0, false},
    {"ftp://127.0.0.1/", -EINVAL, false},
    {"file:///etc/passwd", -EINVAL, false},
    {"127.0.0.1:8750", -EINVAL, false},
    {"unix:relative", -EINVAL, false},
    {"http://user:secret@127.0.0.1:8750", -EINVAL, false},
    {"http://127.0.0.1:8750/?x=1", -EINVAL, false},
    {"http://", -EINVAL, false},
};

START_TEST(an_address_is_read_whole_or_refused)
{
    struct client *client = NULL;
    struct diag diag = {""};

    ck_assert_int_eq(client_create(addresses[_i].url, "", &client, &diag), addresses[_i].result);
    if (addresses[_i].result == 0)
        ck_assert_int_eq(client_is_local(client), addresses[_i].local);
    else
        ck_assert_ptr_null(client);
    client_free(client);
}
END_TEST

START_TEST(parameters_are_escaped_and_held_to_the_path)
{
    char path[CLIENT_PATH_MAX] = "/v1/screen";
    char large[CLIENT_PATH_MAX];

    ck_assert_int_eq(client_add_parameter(path, "profile", "a b&c"), 0);
    ck_assert_int_eq(client_add_parameter(path, "audience", "child"), 0);
    ck_assert_str_eq(path, "/v1/screen?profile=a%20b%26c&audience=child");
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    ck_assert_int_eq(client_add_parameter(path, "profile", large), -ENAMETOOLONG);
}
END_TEST

static Suite *cli_suite(void)
{
    Suite *suite = suite_create("cli");
    TCase *words = tcase_create("words");
    TCase *output = tcase_create("output");
    TCase *batches = tcase_create("batches");
    TCase *clients = tcase_create("clients");

    tcase_add_test(words, options_and_operands_mix_and_a_dash_is_an_operand);
    tcase_add_test(words, after_two_dashes_everything_is_an_operand);
    tcase_add_loop_test(words, a_wrong_word_is_refused_by_name, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(words, help_needs_no_operands);
    tcase_add_test(words, a_command_that_passes_on_reads_only_help);
    tcase_add_test(words, numbers_are_held_to_their_range);
    tcase_add_test(words, every_command_of_the_table_is_whole);
    tcase_add_test(output, a_terminal_is_shown_text_and_nothing_else);
    tcase_add_test(output, one_is_said_as_one);
    tcase_add_test(output, quantiles_are_those_of_the_sorted_values);
    tcase_add_test(batches, a_batch_works_at_once_and_is_taken_in_order);
    tcase_add_test(batches, a_batch_ends_when_a_product_is_not_taken);
    tcase_add_loop_test(clients, an_address_is_read_whole_or_refused, 0,
                        sizeof addresses / sizeof addresses[0]);
    tcase_add_test(clients, parameters_are_escaped_and_held_to_the_path);
    suite_add_tcase(suite, words);
    suite_add_tcase(suite, output);
    suite_add_tcase(suite, batches);
    suite_add_tcase(suite, clients);
    return suite;
}

int main(void)
{
    return run_suite(cli_suite());
}
