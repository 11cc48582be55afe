#include "prescreen/base/clock.h"
#include "prescreen/index/exact.h"

#include "random_hashes.h"
#include "tap.h"

#include <errno.h>

enum { DIGEST_SIZE_MAX = 32 };
static const size_t digest_sizes[] = {16, 20, 32};

struct table {
    size_t digest_size;
    size_t count;
    uint8_t *digests;  /* as they were added: the number of each is its position */
    uint32_t *records; /* what the index sorts */
    struct exact_index *index;
};

static void table_start(struct table *table, size_t digest_size, size_t count)
{
    table->digest_size = digest_size;
    table->count = count;
    table->digests = calloc(count + 1, digest_size);
    table->records = calloc(count + 1, EXACT_RECORD_WORDS(digest_size) * sizeof(uint32_t));
    table->index = NULL;
}

static uint8_t *digest_at(const struct table *table, size_t number)
{
    return table->digests + number * table->digest_size;
}

/* Random bytes after so many zero ones. */
static void fill_digest(struct table *table, size_t number, size_t zero_bytes, uint64_t *state)
{
    for (size_t i = 0; i < table->digest_size; i++)
        digest_at(table, number)[i] = i < zero_bytes ? 0 : (uint8_t)random_next(state);
}

static void table_build(struct table *table)
{
    size_t words = EXACT_RECORD_WORDS(table->digest_size);

    for (size_t i = 0; i < table->count; i++) {
        memcpy(table->records + i * words, digest_at(table, i), table->digest_size);
        table->records[i * words + words - 1] = (uint32_t)i;
    }
    ck_assert_int_eq(
        exact_index_create(table->records, table->count, table->digest_size, NULL, &table->index), 0);
}

static void table_free(struct table *table)
{
    exact_index_free(table->index);
    free(table->digests);
    free(table->records);
}

/* Looks a digest up and holds the answer against a comparison with every one. */
static void check_digest(const struct table *table, const uint8_t *digest)
{
    uint8_t *carries = calloc(table->count + 1, 1);
    size_t expected = 0;
    size_t first = SIZE_MAX;

    for (size_t i = 0; i < table->count; i++) {
        carries[i] = memcmp(digest_at(table, i), digest, table->digest_size) == 0;
        expected += carries[i];
    }
    ck_assert_uint_eq(exact_index_find(table->index, digest, &first), expected);
    ck_assert(expected > 0 || first == SIZE_MAX);
    for (size_t i = 0; i < expected; i++) {
        uint32_t number = exact_index_number(table->index, first + i);
        ck_assert_uint_lt(number, table->count);
        ck_assert_msg(carries[number] == 1, "number %u does not carry the digest, or came twice", number);
        carries[number] = 2;
    }
    free(carries);
}

/* A digest of the table, and the ones just beside it. */
static void check_around(const struct table *table, size_t number)
{
    uint8_t digest[DIGEST_SIZE_MAX];

    memcpy(digest, digest_at(table, number), table->digest_size);
    check_digest(table, digest);
    for (size_t i = 0; i < table->digest_size; i++) {
        digest[i]++;
        check_digest(table, digest);
        digest[i] = (uint8_t)(digest[i] - 2);
        check_digest(table, digest);
        digest[i]++;
    }
}

static void check_absent(const struct table *table, uint64_t *state)
{
    uint8_t digest[DIGEST_SIZE_MAX];

    memset(digest, 0, sizeof digest);
    check_digest(table, digest);
    memset(digest, 0xff, sizeof digest);
    check_digest(table, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        digest[i] = (uint8_t)random_next(state);
    check_digest(table, digest);
}

START_TEST(every_digest_is_found_with_all_that_carry_it)
{
    static const size_t counts[] = {0, 1, 2, 4, 5, 31, 32, 33, 1000, 20000};
    uint64_t state = 1;

    for (size_t s = 0; s < sizeof digest_sizes / sizeof digest_sizes[0]; s++) {
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            struct table table;
            table_start(&table, digest_sizes[s], counts[c]);
            for (size_t i = 0; i < table.count; i++) {
                fill_digest(&table, i, 0, &state);
                if (i % 7 == 3)
                    memcpy(digest_at(&table, i), digest_at(&table, random_below(&state, i)),
                           table.digest_size);
            }
            table_build(&table);
            for (size_t i = 0; i < table.count && i < 40; i++)
                check_around(&table, random_below(&state, table.count));
            check_absent(&table, &state);
            table_free(&table);
        }
    }
}
END_TEST

START_TEST(digests_with_a_common_beginning_are_told_apart)
{
    uint64_t state = 2;

    for (size_t s = 0; s < sizeof digest_sizes / sizeof digest_sizes[0]; s++) {
        for (size_t same = 1; same < digest_sizes[s]; same++) {
            struct table table;
            table_start(&table, digest_sizes[s], 500);
            for (size_t i = 0; i < table.count; i++)
                fill_digest(&table, i, i % 3 == 0 ? 0 : same, &state);
            table_build(&table);
            check_around(&table, 0);
            check_around(&table, 1);
            check_absent(&table, &state);
            table_free(&table);
        }
    }
}
END_TEST

START_TEST(first_and_last_digests_possible_are_found)
{
    uint64_t state = 3;
    struct table table;

    table_start(&table, 20, 300);
    for (size_t i = 0; i < table.count; i++)
        fill_digest(&table, i, 0, &state);
    memset(digest_at(&table, 17), 0, 20);
    memset(digest_at(&table, 18), 0xff, 20);
    memset(digest_at(&table, 19), 0xff, 20);
    table_build(&table);
    check_absent(&table, &state);
    check_around(&table, 17);
    check_around(&table, 18);
    table_free(&table);
}
END_TEST

static void check_time(const struct table *table, uint64_t started)
{
    uint64_t built = clock_monotonic_us();
    uint8_t digest[DIGEST_SIZE_MAX] = {0};
    size_t first = 0;

    /* Anything quadratic takes hours. */
    ck_assert_uint_lt(built - started, 20000000);
    for (int i = 0; i < 10000; i++) {
        digest[31] = (uint8_t)i;
        (void)exact_index_find(table->index, digest, &first);
    }
    ck_assert_uint_lt(clock_monotonic_us() - built, 1000000);
}

START_TEST(a_million_copies_of_one_digest_are_no_burden)
{
    struct table table;
    uint64_t started = clock_monotonic_us();

    table_start(&table, 32, 1000000);
    table_build(&table);
    check_time(&table, started);
    check_digest(&table, digest_at(&table, 0));
    table_free(&table);
}
END_TEST

START_TEST(chosen_beginnings_are_no_burden)
{
    uint64_t state = 4;
    struct table table;
    uint64_t started = clock_monotonic_us();

    table_start(&table, 32, 500000);
    for (size_t i = 0; i < table.count; i++)
        fill_digest(&table, i, 12, &state);
    table_build(&table);
    check_time(&table, started);
    check_digest(&table, digest_at(&table, 77));
    table_free(&table);
}
END_TEST

START_TEST(too_many_records_are_refused)
{
    struct exact_index *index = NULL;

    ck_assert_int_eq(exact_index_create(NULL, (size_t)UINT32_MAX + 1, 16, NULL, &index), -EINVAL);
    ck_assert_ptr_null(index);
    exact_index_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exact");
    TCase *tests = tcase_create("exact");

    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, every_digest_is_found_with_all_that_carry_it);
    tcase_add_test(tests, digests_with_a_common_beginning_are_told_apart);
    tcase_add_test(tests, first_and_last_digests_possible_are_found);
    tcase_add_test(tests, a_million_copies_of_one_digest_are_no_burden);
    tcase_add_test(tests, chosen_beginnings_are_no_burden);
    tcase_add_test(tests, too_many_records_are_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
