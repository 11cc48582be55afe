#include "prescreen/base/clock.h"

#include "random_hashes.h"
#include "screen/steps.h"
#include "tap.h"

#include <stdlib.h>

enum { HIDDEN = 500 }; /* exempt entries */

/* A reading made by hand: a list for each action, with entries that tests place. */
struct bench {
    struct list_info lists[ACTION_COUNT];
    struct index_batch *batch;
    struct index_generation *generation;
    struct catalog_reading reading;
    struct policy_rules rules;
    struct screening_job job;
    struct findings findings;
    uint64_t next_row;
    uint64_t state;
};

static struct bench bench;

static void set_up(void)
{
    bench =
        (struct bench){.rules = {.view_radius = 24, .view_action = VERDICT_BLOCK}, .next_row = 1, .state = 9};
    for (uint32_t action = 0; action < ACTION_COUNT; action++)
        bench.lists[action] = (struct list_info){
            .properties = {.action = (enum list_action)action, .max_distance = 31}, .number = action};
    ck_assert_int_eq(index_batch_create(&bench.batch), 0);
}

static void tear_down(void)
{
    findings_clear(&bench.findings);
    index_generation_release(bench.generation);
    index_batch_free(bench.batch);
}

/* Returns the entry's row. */
static uint64_t place(enum list_action action, struct pdq_hash hash)
{
    const struct known_hashes hashes = {.kinds = HASH_BIT(HASH_PDQ), .pdq = hash, .pdq_quality = -1};

    ck_assert_int_eq(index_batch_add(bench.batch, bench.next_row, (uint32_t)action, &hashes), 0);
    bench.lists[action].kinds[HASH_PDQ]++;
    return bench.next_row++;
}

static void open_reading(void)
{
    struct index_statistics statistics;

    ck_assert_int_eq(
        index_generation_apply(NULL, bench.batch, NULL, 0, SIZE_MAX, cpu_detect(), &bench.generation), 0);
    bench.batch = NULL;
    index_generation_read_statistics(bench.generation, &statistics);
    bench.reading = (struct catalog_reading){.generation = bench.generation,
                                             .lists = bench.lists,
                                             .list_count = ACTION_COUNT,
                                             .number_count = ACTION_COUNT,
                                             .has_views = statistics.views > 0};
    bench.job = (struct screening_job){.reading = &bench.reading, .rules = &bench.rules};
}

static const struct finding *finding_of(uint64_t row)
{
    for (size_t i = 0; i < bench.findings.count; i++) {
        if (bench.findings.rows[i].row == row && !bench.findings.rows[i].is_allowance)
            return &bench.findings.rows[i];
    }
    return NULL;
}

static struct pdq_hash near_to(struct pdq_hash hash, unsigned int distance)
{
    return random_neighbour(&bench.state, hash, distance);
}

static void look_up(const struct view_query *queries, size_t count)
{
    findings_clear(&bench.findings);
    ck_assert_int_eq(findings_look_up_near(&bench.job, queries, count, &bench.findings), 0);
    findings_sort(&bench.findings);
}

static enum verdict decide(reason_set *reasons)
{
    struct screening screening = {.verdict = VERDICT_ALLOW};

    ck_assert_int_eq(screening_decide(&bench.job, &bench.findings, 0, &screening), 0);
    *reasons = screening.reasons;
    return screening.verdict;
}

/* A query of some place in an upload. */
static struct view_query query_at(struct pdq_hash hash, enum view view, uint32_t frame)
{
    return (struct view_query){
        .hash = hash, .orientation = ORIENTATION_ROTATE90, .view = view, .frame = frame};
}

START_TEST(a_match_of_all_views_there_can_be_names_where_it_was)
{
    enum { COUNT = EXAMINATION_VIEWS_MAX * ORIENTATION_COUNT, ENTRIES = 20000, PLANTED = 40 };
    struct view_query *queries = calloc(COUNT, sizeof *queries);
    uint64_t rows[PLANTED];
    size_t numbers[PLANTED];

    for (size_t i = 0; i < COUNT; i++)
        queries[i] = (struct view_query){.hash = random_hash(&bench.state),
                                         .orientation = (enum orientation)(i % ORIENTATION_COUNT),
                                         .view = i / ORIENTATION_COUNT % 2 == 0 ? VIEW_MAIN : VIEW_THUMBNAIL,
                                         .frame = (uint32_t)(i / ORIENTATION_COUNT / 2)};
    for (size_t i = 0; i < PLANTED; i++) {
        numbers[i] = i * (COUNT / PLANTED) + i % ORIENTATION_COUNT;
        rows[i] = place(i % 2 == 0 ? ACTION_REPORT : ACTION_BLOCK, near_to(queries[numbers[i]].hash, 24));
    }
    for (size_t i = 0; i < ENTRIES; i++)
        place(ACTION_OBSERVE, random_hash(&bench.state));
    open_reading();
    uint64_t before_us = clock_monotonic_us();
    look_up(queries, COUNT);
    printf("# %d queries among %d entries: %llu us\n", COUNT, ENTRIES,
           (unsigned long long)(clock_monotonic_us() - before_us));
    ck_assert_uint_eq(bench.findings.count, PLANTED);
    ck_assert_uint_eq(bench.findings.total, PLANTED);
    for (size_t i = 0; i < PLANTED; i++) {
        const struct finding *finding = finding_of(rows[i]);
        ck_assert_ptr_nonnull(finding);
        ck_assert_uint_eq(finding->distance, 24);
        ck_assert_int_eq(finding->view, queries[numbers[i]].view);
        ck_assert_int_eq(finding->orientation, queries[numbers[i]].orientation);
        ck_assert_uint_eq(finding->frame, queries[numbers[i]].frame);
    }
    free(queries);
}
END_TEST

/* _i: whether the flood is found by the main view or by another. */
START_TEST(floods_of_every_action_hide_no_other_action)
{
    enum { FLOOD = 1000 };
    struct pdq_hash hash = random_hash(&bench.state);
    const struct view_query query = query_at(hash, _i == 0 ? VIEW_MAIN : VIEW_THUMBNAIL, 0);
    reason_set reasons = 0;

    for (size_t i = 0; i < FLOOD; i++) {
        place(ACTION_OBSERVE, near_to(hash, 1 + (unsigned int)i % 4));
        place(ACTION_BLOCK, near_to(hash, 5 + (unsigned int)i % 4));
    }
    uint64_t strict = place(ACTION_REPORT, near_to(hash, 24));
    open_reading();
    uint64_t before_us = clock_monotonic_us();
    look_up(&query, 1);
    printf("# a flood of %d: %llu us\n", 2 * FLOOD, (unsigned long long)(clock_monotonic_us() - before_us));
    ck_assert_ptr_nonnull(finding_of(strict));
    ck_assert_uint_eq(bench.findings.count, 201);
    ck_assert_uint_eq(bench.findings.total, 2 * FLOOD + 1);
    ck_assert_int_eq(decide(&reasons), _i == 0 ? VERDICT_REPORT : VERDICT_BLOCK);
}
END_TEST

START_TEST(the_main_view_comes_before_a_nearer_other_one)
{
    struct pdq_hash hash = random_hash(&bench.state);
    const struct view_query queries[] = {query_at(near_to(hash, 2), VIEW_THUMBNAIL, 0),
                                         query_at(near_to(hash, 30), VIEW_MAIN, 0)};
    reason_set reasons = 0;
    uint64_t row = place(ACTION_REPORT, hash);

    open_reading();
    look_up(queries, 2);
    ck_assert_int_eq(finding_of(row)->view, VIEW_MAIN);
    ck_assert_uint_eq(finding_of(row)->distance, 30);
    ck_assert_int_eq(decide(&reasons), VERDICT_REPORT);
    ck_assert_uint_eq(reasons, REASON_BIT(REASON_MATCH_NEAR));
}
END_TEST

START_TEST(a_thumbnail_alone_asks_for_the_action_of_views)
{
    struct pdq_hash hash = random_hash(&bench.state);
    const struct view_query queries[] = {query_at(random_hash(&bench.state), VIEW_MAIN, 0),
                                         query_at(near_to(hash, 24), VIEW_THUMBNAIL, 0)};
    reason_set reasons = 0;

    place(ACTION_REPORT, hash);
    open_reading();
    look_up(queries, 2);
    ck_assert_int_eq(decide(&reasons), VERDICT_BLOCK);
    ck_assert_uint_eq(reasons, REASON_BIT(REASON_MATCH_DERIVED));
    bench.rules.view_action = VERDICT_REPORT;
    ck_assert_int_eq(decide(&reasons), VERDICT_REPORT);
    bench.rules.view_radius = 23;
    look_up(queries, 2);
    ck_assert_int_eq(decide(&reasons), VERDICT_ALLOW);
}
END_TEST

/* The entry is nearest to a frame that is known to be good, and stands in another. */
START_TEST(a_known_good_frame_hides_no_other_frame)
{
    struct pdq_hash hash = random_hash(&bench.state);
    struct pdq_hash first = near_to(hash, 10);
    const struct view_query queries[] = {query_at(first, VIEW_MAIN, 0),
                                         query_at(near_to(hash, 28), VIEW_MAIN, 1)};
    reason_set reasons = 0;
    uint64_t row = place(ACTION_REPORT, hash);
    uint64_t good = place(ACTION_ALLOW, near_to(first, 5));

    open_reading();
    look_up(queries, 2);
    ck_assert_uint_eq(finding_of(row)->frame, 1);
    ck_assert_uint_eq(finding_of(row)->distance, 28);
    ck_assert_ptr_nonnull(finding_of(good));
    ck_assert_uint_eq(bench.findings.total, 2);
    ck_assert_int_eq(decide(&reasons), VERDICT_REPORT);
    /* The first frame alone is allowed. */
    look_up(queries, 1);
    ck_assert_int_eq(decide(&reasons), VERDICT_ALLOW);
    ck_assert_uint_eq(reasons, REASON_BIT(REASON_MATCH_NEAR) | REASON_BIT(REASON_MATCH_ALLOWED));
}
END_TEST

START_TEST(frames_that_are_all_known_to_be_good_are_allowed)
{
    struct pdq_hash hash = random_hash(&bench.state);
    struct pdq_hash good_hash = near_to(hash, 14);
    struct view_query queries[8];
    reason_set reasons = 0;

    /* Each frame lies between both, nearer to the known-good one; the nearest of one is not that of the
     * other. */
    for (uint32_t i = 0; i < 8; i++) {
        struct pdq_hash frame = good_hash;
        for (unsigned int bit = 0, moved = 0; bit < 256 && moved < i % 7; bit++) {
            uint64_t mask = (uint64_t)1 << bit % 64;
            if (((frame.words[bit / 64] ^ hash.words[bit / 64]) & mask) != 0) {
                frame.words[bit / 64] ^= mask;
                moved++;
            }
        }
        queries[i] = query_at(frame, VIEW_MAIN, i);
    }
    place(ACTION_REPORT, hash);
    place(ACTION_ALLOW, good_hash);
    open_reading();
    look_up(queries, 8);
    ck_assert_int_eq(decide(&reasons), VERDICT_ALLOW);
    ck_assert_uint_eq(reasons, REASON_BIT(REASON_MATCH_NEAR) | REASON_BIT(REASON_MATCH_ALLOWED));
    ck_assert_uint_eq(bench.findings.total, 2);
}
END_TEST

static struct catalog_ruling exempt_rows[HIDDEN];

/* Entries that come after this are found beside those exempt ones. */
static void exempt_all_so_far(void)
{
    for (uint64_t row = 1; row < bench.next_row; row++)
        exempt_rows[row - 1] = (struct catalog_ruling){row, RULING_EXEMPT};
    bench.reading.rulings = exempt_rows;
    bench.reading.ruling_count = bench.reading.exempt_count = bench.next_row - 1;
}

/* _i: whether the entries are found by digest, by the main view or by another. */
START_TEST(exempt_entries_hide_no_others)
{
    struct pdq_hash hash = random_hash(&bench.state);
    const struct view_query query = query_at(hash, _i == 1 ? VIEW_MAIN : VIEW_THUMBNAIL, 0);
    struct known_hashes hashes = {.kinds = _i == 0 ? HASH_BIT(HASH_MD5) : HASH_BIT(HASH_PDQ),
                                  .pdq_quality = -1};
    reason_set reasons = 0;

    bench.rules.view_action = VERDICT_REPORT;
    for (size_t i = 0; i < HIDDEN; i++) {
        hashes.pdq = near_to(hash, 1 + (unsigned int)i % 4);
        ck_assert_int_eq(index_batch_add(bench.batch, bench.next_row++, ACTION_REPORT, &hashes), 0);
    }
    const uint64_t exempt_last = bench.next_row;
    hashes.pdq = near_to(hash, 20);
    ck_assert_int_eq(index_batch_add(bench.batch, bench.next_row++, ACTION_REPORT, &hashes), 0);
    open_reading();
    bench.next_row = exempt_last;
    exempt_all_so_far();
    findings_clear(&bench.findings);
    if (_i == 0)
        ck_assert_int_eq(findings_look_up_exact(&bench.job, &hashes, &bench.findings), 0);
    else
        look_up(&query, 1);
    ck_assert_int_eq(finding_of(1)->ruling, RULING_EXEMPT);
    ck_assert_ptr_nonnull(finding_of(exempt_last));
    ck_assert_int_eq(finding_of(exempt_last)->ruling, RULING_NONE);
    ck_assert_int_eq(decide(&reasons), VERDICT_REPORT);
    ck_assert_uint_ne(reasons & REASON_BIT(REASON_MATCH_OBSERVED), 0);
}
END_TEST

/* The nearest known-good entry of the second frame is exempt, the next one is too far to overrule. */
START_TEST(an_exempt_known_good_entry_hides_no_frame)
{
    struct pdq_hash hash = random_hash(&bench.state);
    const struct view_query queries[] = {query_at(random_hash(&bench.state), VIEW_MAIN, 0),
                                         query_at(near_to(hash, 10), VIEW_MAIN, 1)};
    reason_set reasons = 0;

    place(ACTION_ALLOW, near_to(queries[1].hash, 1));
    const uint64_t ruled = bench.next_row;
    place(ACTION_REPORT, hash);
    open_reading();
    look_up(queries, 2);
    ck_assert_int_eq(decide(&reasons), VERDICT_ALLOW);
    bench.next_row = ruled;
    exempt_all_so_far();
    look_up(queries, 2);
    ck_assert_int_eq(decide(&reasons), VERDICT_REPORT);
    ck_assert_uint_eq(reasons, REASON_BIT(REASON_MATCH_NEAR) | REASON_BIT(REASON_MATCH_OBSERVED));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lookup");
    TCase *tests = tcase_create("lookup");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_match_of_all_views_there_can_be_names_where_it_was);
    tcase_add_loop_test(tests, floods_of_every_action_hide_no_other_action, 0, 2);
    tcase_add_test(tests, the_main_view_comes_before_a_nearer_other_one);
    tcase_add_test(tests, a_thumbnail_alone_asks_for_the_action_of_views);
    tcase_add_test(tests, a_known_good_frame_hides_no_other_frame);
    tcase_add_test(tests, frames_that_are_all_known_to_be_good_are_allowed);
    tcase_add_loop_test(tests, exempt_entries_hide_no_others, 0, 3);
    tcase_add_test(tests, an_exempt_known_good_entry_hides_no_frame);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
