#include "prescreen/base/clock.h"
#include "prescreen/index/generation.h"

#include "generation_model.h"
#include "tap.h"

#include <errno.h>
#include <pthread.h>

START_TEST(random_changes_keep_to_the_model)
{
    static const size_t added[] = {1, 0, 700, 3, 1, 5000, 1, 40, 1, 2500, 0, 600, 1};
    static const size_t removed[] = {0, 2, 1, 1, 500, 3000, 3000, 0, 1};
    enum { KEPT = 4 };
    const struct index_generation *kept[KEPT] = {NULL};
    const struct index_generation *generation = NULL;
    struct model model;

    model_start(&model, 1);
    for (size_t step = 0; step < 60; step++) {
        const struct index_generation *next =
            advance(&model, generation, added[step % 13], removed[step % 9]);
        index_generation_release(kept[step % KEPT]);
        kept[step % KEPT] = generation;
        generation = next;
        check_generation(&model, generation, model.version);
        /* An old generation is what it was. */
        const size_t age = 1 + random_below(&model.state, KEPT);
        if (age <= step)
            check_generation(&model, kept[(step + 1 - age + KEPT) % KEPT], model.version - (uint32_t)age);
    }
    for (size_t i = 0; i < KEPT; i++)
        index_generation_release(kept[i]);
    index_generation_release(generation);
    free(model.entries);
}
END_TEST

static uint64_t segments_of(const struct index_generation *generation)
{
    struct index_statistics statistics;

    index_generation_read_statistics(generation, &statistics);
    return statistics.segments;
}

START_TEST(merges_aside_keep_to_the_model_whatever_changes_meanwhile)
{
    static const size_t added[] = {900, 700, 1, 2000, 0, 300, 900, 40};
    static const size_t removed[] = {0, 200, 1, 1500, 3};
    const struct index_generation *generation = NULL;
    struct model model;
    size_t merges = 0;

    model_start(&model, 11);
    for (size_t step = 0; step < 60; step++) {
        struct index_merge *merge = NULL;
        struct index_generation *merged = NULL;
        const struct index_generation *next =
            advance_merging(&model, generation, added[step % 8], removed[step % 5], 1000);
        index_generation_release(generation);
        generation = next;
        int result = index_merge_begin(generation, &(struct index_build){.level = cpu_detect()}, &merge);
        if (result == INDEX_MERGE_NONE)
            continue;
        ck_assert_int_eq(result, 0);
        /* Changes go on before the work is done and after it. */
        for (size_t more = random_below(&model.state, 4); more > 0; more--) {
            next = advance_merging(&model, generation, added[more], removed[(step + more) % 5], 1000);
            index_generation_release(generation);
            generation = next;
        }
        ck_assert_int_eq(index_merge_run(merge), 0);
        next = advance_merging(&model, generation, 5, 300, 1000);
        index_generation_release(generation);
        generation = next;
        ck_assert_int_eq(index_merge_end(merge, generation, &merged), 0);
        ck_assert_uint_le(segments_of(merged), segments_of(generation));
        check_generation(&model, generation, model.version);
        index_generation_release(generation);
        generation = merged;
        check_generation(&model, generation, model.version);
        merges++;
    }
    ck_assert_uint_gt(merges, 10);
    /* In the end one segment is small beside the other, or there is one. */
    for (struct index_merge *merge = NULL;
         index_merge_begin(generation, &(struct index_build){.level = cpu_detect()}, &merge) == 0;) {
        struct index_generation *merged = NULL;
        ck_assert_int_eq(index_merge_run(merge), 0);
        ck_assert_int_eq(index_merge_end(merge, generation, &merged), 0);
        index_generation_release(generation);
        generation = merged;
    }
    ck_assert_uint_le(segments_of(generation), 6);
    check_generation(&model, generation, model.version);
    index_generation_release(generation);
    free(model.entries);
}
END_TEST

START_TEST(a_merge_of_what_is_removed_leaves_nothing)
{
    const struct index_generation *generation;
    struct index_merge *merge = NULL;
    struct index_generation *next = NULL;
    struct index_generation *merged = NULL;
    struct index_statistics statistics;
    struct model model;

    model_start(&model, 12);
    generation = advance(&model, NULL, 3000, 0);
    uint64_t *rows = calloc(model.count, sizeof *rows);
    for (size_t i = 0; i < model.count; i++)
        rows[i] = model.entries[i].row;
    /* Too many entries to be merged by the change itself. */
    ck_assert_int_eq(index_generation_apply(generation, NULL, rows, 2000, 0, cpu_detect(), &next), 0);
    ck_assert_uint_eq(segments_of(next), 1);
    ck_assert_int_eq(index_merge_begin(next, &(struct index_build){.level = cpu_detect()}, &merge), 0);
    ck_assert_int_eq(index_merge_run(merge), 0);
    index_generation_release(generation);
    generation = next;
    ck_assert_int_eq(index_generation_apply(generation, NULL, rows, model.count, 0, cpu_detect(), &next), 0);
    ck_assert_int_eq(index_merge_end(merge, next, &merged), 0);
    index_generation_release(generation);
    index_generation_release(next);
    index_generation_read_statistics(merged, &statistics);
    ck_assert_uint_eq(statistics.entries, 0);
    ck_assert_uint_eq(statistics.removed, 1000);
    /* What it made is wholly removed by now: another merge makes nothing of it. */
    ck_assert_int_eq(index_merge_begin(merged, &(struct index_build){.level = cpu_detect()}, &merge), 0);
    ck_assert_int_eq(index_merge_run(merge), 0);
    ck_assert_int_eq(index_merge_end(merge, merged, &next), 0);
    ck_assert_uint_eq(segments_of(next), 0);
    ck_assert_int_eq(index_merge_begin(next, &(struct index_build){.level = cpu_detect()}, &merge),
                     INDEX_MERGE_NONE);
    index_generation_release(merged);
    index_generation_release(next);
    free(rows);
    free(model.entries);
}
END_TEST

START_TEST(changes_overtake_a_merge_that_takes_too_long)
{
    const struct index_generation *generation;
    struct index_merge *merge = NULL;
    struct index_generation *merged = NULL;
    struct model model;

    model_start(&model, 13);
    generation = advance_merging(&model, NULL, 600, 0, 0);
    for (size_t i = 0; i < 3; i++) {
        const struct index_generation *next = advance_merging(&model, generation, 600, 0, 0);
        index_generation_release(generation);
        generation = next;
    }
    ck_assert_uint_eq(segments_of(generation), 4);
    ck_assert_int_eq(index_merge_begin(generation, &(struct index_build){.level = cpu_detect()}, &merge), 0);
    ck_assert_int_eq(index_merge_run(merge), 0);
    /* So many segments that there is no room for another one, though none may be merged. */
    for (size_t i = 0; i < 100; i++) {
        const struct index_generation *next = advance_merging(&model, generation, 1, 1, 0);
        index_generation_release(generation);
        generation = next;
    }
    check_generation(&model, generation, model.version);
    for (size_t i = 0; i < 60; i++) {
        const struct index_generation *next = advance_merging(&model, generation, 601 + i, 0, 0);
        index_generation_release(generation);
        generation = next;
    }
    check_generation(&model, generation, model.version);
    ck_assert_int_eq(index_merge_end(merge, generation, &merged), INDEX_MERGE_OVERTAKEN);
    ck_assert_ptr_null(merged);
    /* What it had is free for others. */
    ck_assert_int_eq(index_merge_begin(generation, &(struct index_build){.level = cpu_detect()}, &merge), 0);
    ck_assert_int_eq(index_merge_run(merge), 0);
    ck_assert_int_eq(index_merge_end(merge, generation, &merged), 0);
    check_generation(&model, merged, model.version);
    index_generation_release(merged);
    /* One that is given up leaves everything as it was. */
    ck_assert_int_eq(index_merge_begin(generation, &(struct index_build){.level = cpu_detect()}, &merge), 0);
    ck_assert_int_eq(index_merge_end(merge, NULL, NULL), 0);
    index_generation_release(generation);
    free(model.entries);
}
END_TEST

START_TEST(removing_everything_leaves_nothing)
{
    const struct index_generation *full;
    struct index_generation *empty = NULL;
    struct index_statistics statistics;
    struct model model;

    model_start(&model, 2);
    full = advance(&model, NULL, 5000, 0);
    uint64_t *rows = calloc(2 * model.count, sizeof *rows);
    for (size_t i = 0; i < model.count; i++)
        rows[2 * i] = rows[2 * i + 1] = model.entries[i].row;
    ck_assert_int_eq(index_generation_apply(full, NULL, rows, 2 * model.count, SIZE_MAX, CPU_PLAIN, &empty),
                     0);
    index_generation_read_statistics(empty, &statistics);
    ck_assert_uint_eq(statistics.entries + statistics.removed + statistics.segments, 0);
    check_generation(&model, full, model.version);
    model.count = 0;
    check_generation(&model, empty, model.version);
    index_generation_release(full);
    index_generation_release(empty);
    index_generation_release(NULL);
    free(rows);
    free(model.entries);
}
END_TEST

START_TEST(an_empty_generation_finds_nothing)
{
    struct index_generation *generation = NULL;
    struct model model;

    model_start(&model, 3);
    ck_assert_int_eq(index_generation_apply(NULL, NULL, NULL, 0, SIZE_MAX, CPU_PLAIN, &generation), 0);
    check_generation(&model, generation, 0);
    index_generation_release(generation);
    free(model.entries);
}
END_TEST

START_TEST(a_row_that_comes_again_takes_the_place_of_the_old_one)
{
    struct index_generation *first = NULL;
    struct index_generation *second = NULL;
    struct index_batch *batch = NULL;
    struct known_hashes hashes = {0};
    uint8_t radius = 31;
    struct index_filter filter = {&radius, 1};
    struct index_hit rows[4];
    struct index_hits hits = {.rows = rows, .capacity = 4};

    pool_digest(&hashes, HASH_MD5, 1);
    ck_assert_int_eq(index_batch_create(&batch), 0);
    ck_assert_int_eq(index_batch_add(batch, 5, 0, &hashes), 0);
    ck_assert_int_eq(index_generation_apply(NULL, batch, NULL, 0, SIZE_MAX, CPU_PLAIN, &first), 0);
    ck_assert_int_eq(index_batch_create(&batch), 0);
    pool_digest(&hashes, HASH_MD5, 2);
    ck_assert_int_eq(index_batch_add(batch, 5, 0, &hashes), 0);
    ck_assert_int_eq(index_generation_apply(first, batch, NULL, 0, SIZE_MAX, CPU_PLAIN, &second), 0);
    ck_assert_int_eq(index_generation_search_exact(second, &hashes, &filter, &hits), 0);
    ck_assert_uint_eq(hits.total, 1);
    pool_digest(&hashes, HASH_MD5, 1);
    ck_assert_int_eq(index_generation_search_exact(second, &hashes, &filter, &hits), 0);
    ck_assert_uint_eq(hits.total, 0);
    index_generation_release(first);
    index_generation_release(second);
}
END_TEST

START_TEST(a_flood_of_matches_is_counted_and_cut)
{
    enum { COUNT = 100000, CAPACITY = 100, QUERIES = 8 };
    uint64_t state = 4;
    struct pdq_hash centre = random_hash(&state);
    struct index_batch *batch = NULL;
    struct index_generation *generation = NULL;
    struct known_hashes hashes = {.kinds = HASH_BIT(HASH_PDQ) | HASH_BIT(HASH_MD5)};
    struct index_query queries[QUERIES];
    uint8_t radius = 64;
    struct index_filter filter = {&radius, 1};
    struct index_hit rows[CAPACITY];
    struct index_hits hits = {.rows = rows, .capacity = CAPACITY};

    ck_assert_int_eq(index_batch_create(&batch), 0);
    for (uint64_t row = 0; row < COUNT; row++) {
        /* The later the nearer: no kept hit stays. */
        hashes.pdq = random_neighbour(&state, centre, (unsigned int)(28 - row * 28 / COUNT));
        ck_assert_int_eq(index_batch_add(batch, row, 0, &hashes), 0);
    }
    ck_assert_int_eq(index_generation_apply(NULL, batch, NULL, 0, SIZE_MAX, cpu_detect(), &generation), 0);
    for (size_t i = 0; i < QUERIES; i++)
        queries[i] = (struct index_query){i == 3 ? centre : random_neighbour(&state, centre, 2), 31, 31};
    uint64_t started = clock_monotonic_us();
    ck_assert_int_eq(index_generation_search_near(generation, queries, QUERIES, &filter, &hits), 0);
    ck_assert_uint_lt(clock_monotonic_us() - started, 3000000);
    ck_assert_uint_eq(hits.total, COUNT);
    ck_assert_uint_eq(hits.count, CAPACITY);
    for (size_t i = 0; i < CAPACITY; i++)
        ck_assert(rows[i].distance <= 1 && (i == 0 || compare_hits(&rows[i - 1], &rows[i]) < 0));
    started = clock_monotonic_us();
    ck_assert_int_eq(index_generation_search_exact(generation, &hashes, &filter, &hits), 0);
    ck_assert_uint_lt(clock_monotonic_us() - started, 1000000);
    ck_assert_uint_eq(hits.total, COUNT);
    ck_assert_uint_eq(rows[CAPACITY - 1].row, CAPACITY - 1);
    index_generation_release(generation);
}
END_TEST

START_TEST(a_radius_out_of_range_is_refused)
{
    const struct index_generation *generation;
    uint8_t radius_by_list[2] = {INDEX_LIST_SKIPPED, INDEX_RADIUS_MAX};
    struct index_filter filter = {radius_by_list, 2};
    struct index_hits hits = {.count = 77, .total = 78};
    struct index_query query = {{{0}}, INDEX_RADIUS_MAX, INDEX_RADIUS_MAX};
    struct model model;

    model_start(&model, 5);
    generation = advance(&model, NULL, 10, 0);
    ck_assert_int_eq(index_generation_search_near(generation, &query, 1, &filter, &hits), 0);
    hits = (struct index_hits){.count = 77, .total = 78};
    query.radius_max = INDEX_RADIUS_MAX + 1;
    ck_assert_int_eq(index_generation_search_near(generation, &query, 1, &filter, &hits), -EINVAL);
    query.radius_max = INDEX_RADIUS_MAX;
    query.view_radius_max = INDEX_RADIUS_MAX + 1;
    ck_assert_int_eq(index_generation_search_near(generation, &query, 1, &filter, &hits), -EINVAL);
    query.view_radius_max = INDEX_HASHES_SKIPPED - 1;
    ck_assert_int_eq(index_generation_search_near(generation, &query, 1, &filter, &hits), -EINVAL);
    query.view_radius_max = INDEX_HASHES_SKIPPED;
    radius_by_list[1] = INDEX_RADIUS_MAX + 1;
    ck_assert_int_eq(index_generation_search_near(generation, &query, 1, &filter, &hits), -EINVAL);
    ck_assert(hits.count == 77 && hits.total == 78);
    index_generation_release(generation);
    free(model.entries);
}
END_TEST

START_TEST(segments_stay_few_however_changes_come)
{
    const struct index_generation *generation = NULL;
    struct index_statistics statistics;
    struct model model;

    model_start(&model, 6);
    for (size_t i = 0; i < 3000; i++) {
        size_t added = i % 300 == 0 ? 3000 : random_below(&model.state, 4);
        const struct index_generation *next = advance(&model, generation, added, 0);
        index_generation_release(generation);
        generation = next;
        index_generation_read_statistics(generation, &statistics);
        ck_assert_uint_le(statistics.segments, 8);
        ck_assert_uint_eq(statistics.entries, model.count);
    }
    check_generation(&model, generation, model.version);
    index_generation_release(generation);
    free(model.entries);
}
END_TEST

/* What threads share: the present generation, swapped under a lock. */
struct shared {
    pthread_mutex_t lock;
    const struct index_generation *generation;
    const struct known_hashes *wanted;
    bool stop;
};

static const struct index_generation *take_present(struct shared *shared, bool *stop)
{
    pthread_mutex_lock(&shared->lock);
    const struct index_generation *generation = index_generation_acquire(shared->generation);
    *stop = shared->stop;
    pthread_mutex_unlock(&shared->lock);
    return generation;
}

/* Searches until told to stop. Returns how often the entry that is always there was not found. */
static void *search_on(void *argument)
{
    struct shared *shared = argument;
    uint8_t radius_by_list[LIST_COUNT] = {31, 31, 31, 31, 31, 31};
    struct index_filter filter = {radius_by_list, LIST_COUNT};
    struct index_hit rows[10];
    uintptr_t missed = 0;

    for (bool stop = false; !stop;) {
        const struct index_generation *generation = take_present(shared, &stop);
        struct index_hits hits = {.rows = rows, .capacity = 10};
        struct index_query query = {shared->wanted->pdq, 31, 31};
        missed += index_generation_search_near(generation, &query, 1, &filter, &hits) != 0 || hits.total == 0;
        missed +=
            index_generation_search_exact(generation, shared->wanted, &filter, &hits) != 0 || hits.total == 0;
        index_generation_release(generation);
    }
    return (void *)missed;
}

START_TEST(searches_go_on_while_generations_change)
{
    struct model model;
    struct shared shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct known_hashes wanted = {.kinds = HASH_BIT(HASH_PDQ)};
    struct index_batch *batch = NULL;
    struct index_generation *first = NULL;
    pthread_t threads[3];
    void *missed = NULL;

    model_start(&model, 7);
    wanted.pdq = random_hash(&model.state);
    pool_digest(&wanted, HASH_SHA256, DIGEST_POOL + 9);
    ck_assert_int_eq(index_batch_create(&batch), 0);
    ck_assert_int_eq(index_batch_add(batch, 1, 0, &wanted), 0);
    ck_assert_int_eq(index_generation_apply(NULL, batch, NULL, 0, SIZE_MAX, cpu_detect(), &first), 0);
    shared.generation = first;
    shared.wanted = &wanted;
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, search_on, &shared), 0);
    for (size_t i = 0; i < 150; i++) {
        const struct index_generation *next =
            advance(&model, shared.generation, i % 10 == 0 ? 4000 : 20, i % 10 == 5 ? 200 : 1);
        pthread_mutex_lock(&shared.lock);
        const struct index_generation *old = shared.generation;
        shared.generation = next;
        shared.stop = i == 149;
        pthread_mutex_unlock(&shared.lock);
        index_generation_release(old);
    }
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &missed), 0);
        ck_assert_ptr_null(missed);
    }
    index_generation_release(shared.generation);
    free(model.entries);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("generation");
    TCase *tests = tcase_create("generation");

    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, random_changes_keep_to_the_model);
    tcase_add_test(tests, merges_aside_keep_to_the_model_whatever_changes_meanwhile);
    tcase_add_test(tests, a_merge_of_what_is_removed_leaves_nothing);
    tcase_add_test(tests, changes_overtake_a_merge_that_takes_too_long);
    tcase_add_test(tests, removing_everything_leaves_nothing);
    tcase_add_test(tests, an_empty_generation_finds_nothing);
    tcase_add_test(tests, a_row_that_comes_again_takes_the_place_of_the_old_one);
    tcase_add_test(tests, a_flood_of_matches_is_counted_and_cut);
    tcase_add_test(tests, a_radius_out_of_range_is_refused);
    tcase_add_test(tests, segments_stay_few_however_changes_come);
    tcase_add_test(tests, searches_go_on_while_generations_change);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
