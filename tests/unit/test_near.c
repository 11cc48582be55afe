#include "prescreen/index/measure.h"
#include "prescreen/index/near.h"

#include "index/near_crowd.h"
#include "index/near_plan.h"
#include "index/near_saved.h"
#include "random_hashes.h"
#include "tap.h"

#include <errno.h>

/* What a search found: for each id its distance + 1, or 0. */
struct finds {
    uint16_t *distances;
    size_t count;
    size_t query_number;
};

static int note_finds(void *context, size_t query_number, const struct near_find *found, size_t count)
{
    struct finds *finds = context;

    ck_assert_uint_gt(count, 0);
    for (size_t i = 0; i < count && query_number == finds->query_number; i++) {
        ck_assert_msg(finds->distances[found[i].id] == 0, "id %u was reported twice", found[i].id);
        finds->distances[found[i].id] = (uint16_t)(found[i].distance_bits + 1);
        finds->count++;
    }
    return 0;
}

/* Holds finds against a comparison with every hash. */
static void check_finds(const struct pdq_hash *hashes, size_t count, const struct near_query *query,
                        const struct finds *finds)
{
    size_t expected = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned int distance_bits = pdq_distance(&hashes[i], &query->hash);
        bool near = distance_bits <= query->radius;
        expected += near;
        if (finds->distances[i] != (near ? distance_bits + 1 : 0))
            ck_abort_msg("radius %u, %zu hashes: id %zu at %u bits, reported %d", query->radius, count, i,
                         distance_bits, finds->distances[i] - 1);
    }
    ck_assert_uint_eq(finds->count, expected);
}

static void check_query(const struct near_index *index, const struct pdq_hash *hashes, size_t count,
                        const struct near_query *query)
{
    struct finds finds = {calloc(count + 1, sizeof(uint16_t)), 0, 0};
    struct near_sink sink = {&finds, note_finds};

    ck_assert_int_eq(near_index_search(index, query, 1, &sink), 0);
    check_finds(hashes, count, query, &finds);
    free(finds.distances);
}

/* Queries at the edge of the radius, inside and outside, and one of nobody's neighbourhood. */
static void check_radius(const struct near_index *index, const struct pdq_hash *hashes, size_t count,
                         unsigned int radius, uint64_t *state)
{
    const unsigned int distances[] = {radius, radius + 1, (unsigned int)random_below(state, radius + 1)};
    struct near_query query = {random_hash(state), radius};

    check_query(index, hashes, count, &query);
    for (size_t i = 0; i < sizeof distances / sizeof distances[0] && count > 0; i++) {
        query.hash = random_neighbour(state, hashes[random_below(state, count)], distances[i]);
        check_query(index, hashes, count, &query);
    }
}

/* Every radius from 0 on in so many steps, at each CPU level. */
static void check_index(const struct pdq_hash *hashes, size_t count, unsigned int step)
{
    uint64_t state = count;

    for (int level = CPU_PLAIN; level <= (int)cpu_detect(); level++) {
        struct near_index *index = NULL;
        ck_assert_int_eq(
            near_index_create(hashes, count, &(struct index_build){.level = (enum cpu_level)level}, &index),
            0);
        for (unsigned int radius = 0; radius <= NEAR_RADIUS_MAX; radius += step)
            check_radius(index, hashes, count, radius, &state);
        near_index_free(index);
    }
}

static struct pdq_hash *random_hashes(size_t count)
{
    struct pdq_hash *hashes = calloc(count + 1, sizeof *hashes);
    uint64_t state = 1;

    for (size_t i = 0; i < count; i++)
        hashes[i] = random_hash(&state);
    return hashes;
}

/* Hashes within so many bits of one of a few centres. */
static struct pdq_hash *clustered_hashes(size_t count, const struct pdq_hash *centres, size_t centre_count,
                                         unsigned int spread_bits)
{
    struct pdq_hash *hashes = calloc(count + 1, sizeof *hashes);
    uint64_t state = 2;

    for (size_t i = 0; i < count; i++) {
        const struct pdq_hash *centre = &centres[random_below(&state, centre_count)];
        hashes[i] = random_neighbour(&state, *centre, (unsigned int)random_below(&state, spread_bits + 1));
    }
    return hashes;
}

START_TEST(few_random_hashes_are_found_at_every_radius)
{
    static const size_t counts[] = {0, 1, 2, 7, 8, 9, 63, 64, 65, 2047, 2048, 2049, 5000};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct pdq_hash *hashes = random_hashes(counts[i]);
        check_index(hashes, counts[i], 1);
        free(hashes);
    }
}
END_TEST

START_TEST(many_random_hashes_are_found)
{
    struct pdq_hash *hashes = random_hashes(200000);

    check_index(hashes, 30000, 4);
    check_index(hashes, 200000, 8);
    check_index(hashes, 200000, 31);
    free(hashes);
}
END_TEST

START_TEST(clusters_are_found)
{
    struct pdq_hash *centres = random_hashes(40);
    static const struct {
        size_t count, centres;
        unsigned int spread_bits, step;
    } shapes[] = {
        {3000, 5, 60, 1}, {3000, 1, 10, 1}, {20000, 40, 60, 3}, {100000, 1, 60, 16}, {100000, 3, 8, 16}};

    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct pdq_hash *hashes =
            clustered_hashes(shapes[i].count, centres, shapes[i].centres, shapes[i].spread_bits);
        check_index(hashes, shapes[i].count, shapes[i].step);
        free(hashes);
    }
    free(centres);
}
END_TEST

START_TEST(a_crowd_among_many_is_found)
{
    struct pdq_hash *hashes = random_hashes(150000);
    struct pdq_hash *crowd = clustered_hashes(50000, hashes, 1, 40);

    memcpy(hashes + 70000, crowd, 50000 * sizeof *crowd);
    check_index(hashes, 150000, 8);
    free(crowd);
    free(hashes);
}
END_TEST

/* Members stand by eight; what follows the last one, all zero, is none. */
START_TEST(what_fills_up_a_crowd_is_no_member)
{
    const struct pdq_hash zero = {{0}};
    struct pdq_hash *hashes = random_hashes(20000);
    uint64_t state = 9;

    for (size_t members = 1000; members < 1000 + NEAR_LANES; members++) {
        for (size_t i = 0; i < members; i++)
            hashes[20000 - members + i] = random_neighbour(&state, zero, (unsigned int)i % 20);
        for (int level = CPU_PLAIN; level <= (int)cpu_detect(); level++) {
            struct near_index *index = NULL;
            ck_assert_int_eq(near_index_create(hashes, 20000,
                                               &(struct index_build){.level = (enum cpu_level)level}, &index),
                             0);
            ck_assert_uint_eq(index->crowd_count, 1);
            for (unsigned int radius = 0; radius <= 31; radius++)
                check_query(index, hashes, 20000, &(struct near_query){zero, radius});
            near_index_free(index);
        }
    }
    free(hashes);
}
END_TEST

/* Of each hash: the number of the crowd that it was made for, from 0, or strangers. */
static void check_crowding(const struct pdq_hash *hashes, size_t count, const size_t *made_for, size_t crowds,
                           size_t strangers)
{
    struct near_crowding *crowding = NULL;
    size_t apart = 0;

    ck_assert_int_eq(near_crowding_create(hashes, count, NULL, &crowding), 0);
    ck_assert_uint_eq(crowding->group_count, crowds);
    for (size_t i = 0; i < count; i++) {
        uint16_t group = crowds > 0 ? crowding->group_of[i] : NEAR_NO_CROWD;
        if (group == NEAR_NO_CROWD)
            continue;
        apart++;
        ck_assert_uint_ne(made_for[i], strangers);
        ck_assert_uint_le(pdq_distance(&hashes[i], &crowding->groups[group].centre),
                          crowding->groups[group].radius);
    }
    ck_assert_uint_eq(apart, crowding->member_count);
    near_crowding_free(crowding);
}

/* An index that was kept and adopted finds what the one that was built does. */
static void check_adopted(const struct pdq_hash *hashes, size_t count)
{
    struct near_index *built = NULL;
    struct near_index *adopted = NULL;
    struct near_saved saved;
    struct near_tables tables;
    uint64_t state = 9;

    ck_assert_int_eq(near_index_create(hashes, count, &(struct index_build){.level = cpu_detect()}, &built),
                     0);
    near_index_save(built, &saved, &tables);
    ck_assert_uint_gt(saved.crowd_count, 0);
    ck_assert_int_eq(near_index_adopt(&saved, hashes, count, &tables, cpu_detect(), &adopted), 0);
    for (int i = 0; i < 20; i++)
        check_radius(adopted, hashes, count, 31, &state);
    near_index_abandon(adopted);
    near_index_free(built);
}

START_TEST(crowds_stand_apart_from_strangers)
{
    enum { COUNT = 60000, CROWDS = 3, MEMBERS = 5000, SPREAD = 30 };
    struct pdq_hash *hashes = random_hashes(COUNT);
    struct pdq_hash centres[CROWDS];
    size_t *made_for = calloc(COUNT, sizeof *made_for);
    uint64_t state = 7;
    size_t member_count = 0;

    /* One is around 0, as the places are that no member takes. */
    for (size_t i = 0; i < CROWDS; i++)
        centres[i] = i == 0 ? (struct pdq_hash){{0}} : random_hash(&state);
    for (size_t i = 0; i < COUNT; i++)
        made_for[i] = CROWDS;
    check_crowding(hashes, COUNT, made_for, 0, CROWDS);
    for (size_t i = 0; i < (size_t)CROWDS * MEMBERS; i++) {
        size_t place = i * 4;
        made_for[place] = i % CROWDS;
        hashes[place] =
            random_neighbour(&state, centres[i % CROWDS], (unsigned int)random_below(&state, SPREAD + 1));
    }
    check_crowding(hashes, COUNT, made_for, CROWDS, CROWDS);
    check_adopted(hashes, COUNT);
    struct near_crowding *crowding = NULL;
    ck_assert_int_eq(near_crowding_create(hashes, COUNT, NULL, &crowding), 0);
    member_count = crowding->member_count;
    near_crowding_free(crowding);
    ck_assert_uint_gt(member_count, CROWDS * MEMBERS * 95 / 100);
    check_index(hashes, COUNT, 9);
    free(made_for);
    free(hashes);
}
END_TEST

START_TEST(what_is_left_to_a_scan_is_found_beside_a_crowd)
{
    enum { COUNT = 60000 };
    struct pdq_hash *hashes = random_hashes(COUNT);
    uint64_t state = 8;

    /* A third is a crowd; another agrees with its centre in the first half, so that too many entries are
     * read. */
    for (size_t i = 1; i < COUNT / 3; i++)
        hashes[i] = random_neighbour(&state, hashes[0], (unsigned int)random_below(&state, 20));
    for (size_t i = COUNT / 3; i < (size_t)COUNT * 2 / 3; i++)
        memcpy(hashes[i].words, hashes[0].words, 2 * sizeof hashes[0].words[0]);
    check_index(hashes, COUNT, 9);
    free(hashes);
}
END_TEST

START_TEST(copies_of_one_hash_are_all_found)
{
    struct pdq_hash *hashes = random_hashes(30000);

    for (size_t i = 1; i < 20000; i++)
        hashes[i] = hashes[0];
    check_index(hashes, 20000, 16);
    check_index(hashes, 30000, 16);
    free(hashes);
}
END_TEST

START_TEST(hashes_of_real_pictures_are_found)
{
    enum { REAL_MAX = 50000, COUNT = 100000 };
    struct pdq_hash *real = calloc(REAL_MAX, sizeof *real);
    size_t count = read_real_hashes(real, REAL_MAX);

    if (count > 0) {
        struct pdq_hash *hashes = clustered_hashes(COUNT, real, count, 60);
        check_index(real, count, 5);
        check_index(hashes, COUNT, 8);
        free(hashes);
    }
    free(real);
}
END_TEST

START_TEST(rows_of_one_chunk_may_hold_everything)
{
    struct pdq_hash *hashes = random_hashes(5000);

    /* All hashes agree in the first half and differ in the second. */
    for (size_t i = 0; i < 5000; i++)
        hashes[i].words[0] = hashes[i].words[1] = 0;
    check_index(hashes, 5000, 1);
    free(hashes);
}
END_TEST

START_TEST(many_queries_at_once_find_what_each_finds_alone)
{
    enum { COUNT = 20000, QUERIES = 70 };
    struct pdq_hash *hashes = random_hashes(COUNT);
    struct near_query queries[QUERIES];
    struct near_index *index = NULL;
    uint64_t state = 3;

    for (size_t i = 0; i < 12000; i++)
        hashes[i] = random_neighbour(&state, hashes[0], (unsigned int)random_below(&state, 50));
    for (unsigned int i = 0; i < QUERIES; i++)
        queries[i] = (struct near_query){
            random_neighbour(&state, hashes[random_below(&state, COUNT)], i % 40), i % (NEAR_RADIUS_MAX + 1)};
    for (int level = CPU_PLAIN; level <= (int)cpu_detect(); level++) {
        ck_assert_int_eq(
            near_index_create(hashes, COUNT, &(struct index_build){.level = (enum cpu_level)level}, &index),
            0);
        for (size_t i = 0; i < QUERIES; i++) {
            struct finds finds = {calloc(COUNT, sizeof(uint16_t)), 0, i};
            struct near_sink sink = {&finds, note_finds};
            ck_assert_int_eq(near_index_search(index, queries, QUERIES, &sink), 0);
            check_finds(hashes, COUNT, &queries[i], &finds);
            free(finds.distances);
        }
        near_index_free(index);
    }
    free(hashes);
}
END_TEST

START_TEST(scan_compares_with_every_hash)
{
    uint64_t state = 4;

    for (size_t count = 0; count < 40; count++) {
        struct pdq_hash *hashes = random_hashes(count);
        struct near_query query = {random_hash(&state), 128};
        for (int level = CPU_PLAIN; level <= (int)cpu_detect(); level++) {
            struct finds finds = {calloc(count + 1, sizeof(uint16_t)), 0, 0};
            struct near_sink sink = {&finds, note_finds};
            ck_assert_int_eq(near_scan(hashes, count, (enum cpu_level)level, &query, 1, &sink), 0);
            check_finds(hashes, count, &query, &finds);
            free(finds.distances);
        }
        free(hashes);
    }
}
END_TEST

/* Refuses the finds that bring the count to zero, and all after them. */
static int refuse_in_time(void *context, size_t query_number, const struct near_find *finds, size_t count)
{
    int *left = context;

    (void)query_number, (void)finds;
    ck_assert_msg(*left > 0, "a find was reported after the sink refused one");
    *left -= (int)count;
    return *left <= 0 ? -ECANCELED : 0;
}

START_TEST(a_sink_that_refuses_ends_the_search)
{
    enum { COUNT = 20000 };
    struct pdq_hash *centre = random_hashes(1);
    struct pdq_hash *hashes = clustered_hashes(COUNT, centre, 1, 20);
    struct near_query queries[2] = {{*centre, 31}, {*centre, 31}};
    struct near_index *index = NULL;

    for (int level = CPU_PLAIN; level <= (int)cpu_detect(); level++) {
        ck_assert_int_eq(
            near_index_create(hashes, COUNT, &(struct index_build){.level = (enum cpu_level)level}, &index),
            0);
        for (int limit = 1; limit <= 2 * COUNT; limit = limit * 7) {
            int left = limit;
            struct near_sink sink = {&left, refuse_in_time};
            ck_assert_int_eq(near_index_search(index, queries, 2, &sink), -ECANCELED);
            left = limit;
            ck_assert_int_eq(near_scan(hashes, COUNT, (enum cpu_level)level, queries, 2, &sink), -ECANCELED);
        }
        near_index_free(index);
    }
    free(hashes);
    free(centre);
}
END_TEST

START_TEST(limits_are_refused_above_and_taken_at)
{
    struct pdq_hash *hashes = random_hashes(3000);
    struct finds finds = {calloc(3000, sizeof(uint16_t)), 0, 0};
    struct near_sink sink = {&finds, note_finds};
    struct near_query query = {hashes[0], NEAR_RADIUS_MAX};
    struct near_index *index = NULL;

    ck_assert_int_eq(near_index_create(hashes, (size_t)NEAR_COUNT_MAX + 1,
                                       &(struct index_build){.level = CPU_PLAIN}, &index),
                     -EINVAL);
    ck_assert_ptr_null(index);
    ck_assert_int_eq(near_index_create(hashes, 3000, &(struct index_build){.level = cpu_detect()}, &index),
                     0);
    ck_assert_int_eq(near_index_search(index, &query, 1, &sink), 0);
    query.radius = NEAR_RADIUS_MAX + 1;
    ck_assert_int_eq(near_index_search(index, &query, 1, &sink), -EINVAL);
    ck_assert_int_eq(near_index_search(index, &query, 0, &sink), 0);
    near_index_free(index);
    near_index_free(NULL);
    free(finds.distances);
    free(hashes);
}
END_TEST

START_TEST(a_list_of_any_size_has_an_index)
{
    for (size_t count = 2049; count < 50000000; count += count / 17) {
        struct near_index index = {.count = count, .tabled = count};
        near_plan(&index);
        ck_assert_msg(index.chunk_count > 0 && index.scan_from > 0, "%zu entries are scanned", count);
        if (count > 20000)
            ck_assert_msg(index.scan_from > 31, "%zu entries: radius %u is scanned", count, index.scan_from);
    }
}
END_TEST

START_TEST(memory_stays_below_96_bytes_an_entry)
{
    struct pdq_hash *hashes = random_hashes(200000);

    for (size_t count = 10000; count <= 200000; count += count / 3) {
        struct near_index *index = NULL;
        ck_assert_int_eq(
            near_index_create(hashes, count, &(struct index_build){.level = cpu_detect()}, &index), 0);
        ck_assert_uint_le(near_index_bytes(index), 96 * count);
        near_index_free(index);
    }
    free(hashes);
}
END_TEST

START_TEST(a_measurement_finds_what_it_planted_and_refuses_nonsense)
{
    struct pdq_hash *seeds = random_hashes(10);
    const struct index_setting good = {.entries = 5000, .queries = 200, .radius = 31, .level = cpu_detect()};
    struct index_measurement measurement = {.missed = 77};
    struct index_setting setting = good;

    ck_assert_int_eq(index_measure(&setting, &measurement), 0);
    ck_assert_uint_eq(measurement.missed, 0);
    ck_assert_double_eq_tol(measurement.finds_per_query, 1, 1e-6);
    ck_assert(measurement.warm_p50 > 0 && measurement.warm_p50 <= measurement.warm_p99);
    ck_assert(measurement.cold_p50 > 0 && measurement.upload_p50 > 0 && measurement.scan_p50 > 0);
    ck_assert(measurement.view_p50 > 0 && measurement.view_p50 < measurement.upload_p50);
    ck_assert(measurement.far_p50 > 0 && measurement.far_p50 <= measurement.far_p99);
    setting.seeds = seeds;
    setting.seed_count = 10;
    setting.changes_max = 20;
    setting.queries = 1;
    ck_assert_int_eq(index_measure(&setting, &measurement), 0);
    ck_assert(measurement.missed == 0 && measurement.finds_per_query > 10);
    setting = good;
    setting.crowd = 1000;
    ck_assert_int_eq(index_measure(&setting, &measurement), 0);
    ck_assert_uint_eq(measurement.missed, 0);
    ck_assert_double_eq_tol(measurement.finds_per_query, 1, 1e-6);
    setting.asks_crowd = true;
    ck_assert_int_eq(index_measure(&setting, &measurement), 0);
    ck_assert(measurement.missed == 0 && measurement.finds_per_query > 100);
    measurement.missed = 77;
    for (int fault = 0; fault < 8; fault++) {
        setting = good;
        setting.entries = fault == 0 ? 0 : fault == 1 ? (size_t)NEAR_COUNT_MAX + 1 : good.entries;
        setting.queries = fault == 2 ? 0 : fault == 3 ? INDEX_MEASURE_QUERIES_MAX + 1 : good.queries;
        setting.radius = fault == 4 ? NEAR_RADIUS_MAX + 1 : good.radius;
        setting.changes_max = fault == 5 ? INDEX_MEASURE_CHANGES_MAX + 1 : 0;
        setting.crowd = fault == 6 ? good.entries + 1 : 0;
        setting.asks_crowd = fault == 7;
        ck_assert_int_eq(index_measure(&setting, &measurement), -EINVAL);
    }
    ck_assert_uint_eq(measurement.missed, 77);
    free(seeds);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("near");
    TCase *tests = tcase_create("near");

    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, few_random_hashes_are_found_at_every_radius);
    tcase_add_test(tests, many_random_hashes_are_found);
    tcase_add_test(tests, clusters_are_found);
    tcase_add_test(tests, a_crowd_among_many_is_found);
    tcase_add_test(tests, what_fills_up_a_crowd_is_no_member);
    tcase_add_test(tests, crowds_stand_apart_from_strangers);
    tcase_add_test(tests, what_is_left_to_a_scan_is_found_beside_a_crowd);
    tcase_add_test(tests, copies_of_one_hash_are_all_found);
    tcase_add_test(tests, hashes_of_real_pictures_are_found);
    tcase_add_test(tests, rows_of_one_chunk_may_hold_everything);
    tcase_add_test(tests, many_queries_at_once_find_what_each_finds_alone);
    tcase_add_test(tests, scan_compares_with_every_hash);
    tcase_add_test(tests, a_sink_that_refuses_ends_the_search);
    tcase_add_test(tests, limits_are_refused_above_and_taken_at);
    tcase_add_test(tests, a_list_of_any_size_has_an_index);
    tcase_add_test(tests, memory_stays_below_96_bytes_an_entry);
    tcase_add_test(tests, a_measurement_finds_what_it_planted_and_refuses_nonsense);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
