#include "prescreen/worker/examination_cache.h"

#include "allocation_faults.h"
#include "entries.h"
#include "tap.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>

static struct examination_key key_of(uint64_t number)
{
    struct examination_key key = {.size = 1000 + number, .pixels_max = 10, .frames_max = 20};

    /* The words that choose a bucket are the same for many. */
    memcpy(key.sha256 + 24, &number, sizeof number);
    key.sha256[0] = (uint8_t)(number % 3);
    return key;
}

/* An examination that follows from a number; memory past its last view is left as it was. */
static void fill_examination(struct examination *examination, uint64_t number, uint32_t view_count)
{
    examination->format = FORMAT_PNG;
    examination->width = (uint32_t)number;
    examination->height = 7;
    examination->frames = 1 + view_count;
    examination->reasons = 0;
    examination->decode_us = 123;
    examination->trailing = TRAILING_ZIP;
    examination->trailing_bytes = number * 3;
    snprintf(examination->detail, sizeof examination->detail, "words of %d", (int)number);
    examination->view_count = view_count;
    for (uint32_t i = 0; i < view_count; i++) {
        memset(&examination->views[i], (int)(number + i), sizeof examination->views[i]);
        examination->views[i].frame = i;
    }
}

static bool is_of(const struct examination *found, uint64_t number, uint32_t view_count)
{
    static _Thread_local struct examination expected;

    fill_examination(&expected, number, view_count);
    return found->width == expected.width && found->trailing_bytes == expected.trailing_bytes &&
           strcmp(found->detail, expected.detail) == 0 && found->decode_us == 0 &&
           found->view_count == view_count &&
           memcmp(found->views, expected.views, view_count * sizeof expected.views[0]) == 0;
}

static struct examination_cache *cache;
static struct examination *examination;

static void set_up(void)
{
    ck_assert_int_eq(examination_cache_create(1 << 20, &cache), 0);
    examination = malloc(sizeof *examination);
    ck_assert_ptr_nonnull(examination);
}

static void tear_down(void)
{
    examination_cache_free(cache);
    examination_cache_free(NULL);
    free(examination);
}

static void keep(uint64_t number, uint32_t view_count)
{
    const struct known_hashes none = {.kinds = 0};
    const struct examination_key key = key_of(number);

    fill_examination(examination, number, view_count);
    examination_cache_keep(cache, &key, examination, &none);
}

static bool find(uint64_t number)
{
    const struct examination_key key = key_of(number);
    struct known_hashes hashes = {.kinds = 0};

    return examination_cache_find(cache, &key, examination, &hashes);
}

static struct examination_cache_status status_of(void)
{
    struct examination_cache_status status;

    examination_cache_read_status(cache, &status);
    return status;
}

START_TEST(what_is_kept_is_found_to_the_last_view)
{
    static const uint32_t counts[] = {0, 1, 100, 3000};

    for (uint32_t i = 0; i < 4; i++) {
        ck_assert(!find(i));
        keep(i, counts[i]);
        memset(examination, 0xa5, sizeof *examination);
        ck_assert(find(i));
        ck_assert(is_of(examination, i, counts[i]));
    }
    struct examination_cache_status status = status_of();
    ck_assert_uint_eq(status.hits, 4);
    ck_assert_uint_eq(status.misses, 4);
    ck_assert_uint_eq(status.entries, 4);
}
END_TEST

START_TEST(whatever_a_finding_depends_on_is_part_of_its_key)
{
    struct known_hashes hashes = {.kinds = 0};
    struct examination_key keys[7];

    keep(1, 1);
    for (size_t i = 0; i < 7; i++)
        keys[i] = key_of(1);
    keys[0].sha256[31] ^= 1;
    keys[1].sha256[0] ^= 1;
    keys[2].size++;
    keys[3].pixels_max++;
    keys[4].frames_max++;
    keys[5].effort = EFFORT_THOROUGH;
    keys[6].enrolment = true;
    for (size_t i = 0; i < 7; i++) {
        ck_assert(!examination_cache_find(cache, &keys[i], examination, &hashes));
        examination_cache_keep(cache, &keys[i], examination, &hashes);
        ck_assert(examination_cache_find(cache, &keys[i], examination, &hashes));
    }
    ck_assert_uint_eq(status_of().entries, 8);
}
END_TEST

START_TEST(only_what_lies_in_the_bytes_is_kept)
{
    for (int reason = REASON_MEDIA_FIRST; reason < REASON_COUNT; reason++) {
        const struct known_hashes none = {.kinds = 0};
        const struct examination_key key = key_of((uint64_t)reason);
        bool passing = reason == REASON_MEDIA_DECODER_DIED || reason == REASON_MEDIA_LIMIT_TIME ||
                       reason == REASON_MEDIA_LIMIT_MEMORY;

        fill_examination(examination, (uint64_t)reason, 1);
        examination->reasons = REASON_BIT(reason) | REASON_BIT(REASON_MEDIA_CORRUPT);
        examination_cache_keep(cache, &key, examination, &none);
        ck_assert_int_eq(find((uint64_t)reason), !passing);
    }
}
END_TEST

START_TEST(digests_are_kept_beside_and_added_later)
{
    uint64_t state = 5;
    const struct examination_key key = key_of(1);
    struct known_hashes known = random_hashes(&state, HASH_BIT(HASH_SHA1) | HASH_BIT(HASH_PDQ));
    struct known_hashes more = random_hashes(&state, HASH_BIT(HASH_MD5) | HASH_BIT(HASH_SHA1));
    struct known_hashes found = {.kinds = HASH_BIT(HASH_SHA256)};

    fill_examination(examination, 1, 1);
    examination_cache_keep(cache, &key, examination, &known);
    ck_assert(examination_cache_find(cache, &key, examination, &found));
    ck_assert_uint_eq(found.kinds, HASH_BIT(HASH_SHA256) | HASH_BIT(HASH_SHA1));
    ck_assert_mem_eq(found.sha1, known.sha1, SHA1_SIZE);
    examination_cache_keep(cache, &key, examination, &more);
    found.kinds = HASH_BIT(HASH_SHA256);
    ck_assert(examination_cache_find(cache, &key, examination, &found));
    ck_assert_uint_eq(found.kinds, HASH_BIT(HASH_SHA256) | HASH_BIT(HASH_SHA1) | HASH_BIT(HASH_MD5));
    ck_assert_mem_eq(found.sha1, known.sha1, SHA1_SIZE);
    ck_assert_mem_eq(found.md5, more.md5, MD5_SIZE);
    /* What the caller knows already is left alone. */
    memset(found.md5, 9, MD5_SIZE);
    ck_assert(examination_cache_find(cache, &key, examination, &found));
    ck_assert_uint_eq(found.md5[0], 9);
    ck_assert_uint_eq(status_of().entries, 1);
}
END_TEST

START_TEST(what_is_larger_than_the_cache_moves_nothing_out)
{
    keep(1, 10);
    keep(2, 4000);
    ck_assert(find(1));
    ck_assert(!find(2));
    ck_assert_uint_eq(status_of().evictions, 0);
    for (uint64_t bytes_max = 0; bytes_max < 2048; bytes_max += 64) {
        examination_cache_free(cache);
        ck_assert_int_eq(examination_cache_create(bytes_max, &cache), 0);
        keep(1, 0);
        keep(2, 0);
        ck_assert_uint_le(status_of().bytes, bytes_max);
    }
}
END_TEST

START_TEST(without_memory_nothing_is_kept_and_nothing_is_lost)
{
    struct examination_cache *other = NULL;

    keep(1, 10);
    fail_allocation(1);
    keep(2, 10);
    ck_assert(allocation_has_failed());
    fail_allocation(0);
    ck_assert(find(1));
    ck_assert(!find(2));
    for (unsigned long nth = 1; nth <= 2; nth++) {
        fail_allocation(nth);
        ck_assert_int_eq(examination_cache_create(1 << 20, &other), -ENOMEM);
        ck_assert(allocation_has_failed());
        ck_assert_ptr_null(other);
    }
    fail_allocation(0);
}
END_TEST

enum { NUMBERS = 64, STEPS = 40000 };

static uint32_t views_of(uint64_t number)
{
    return (uint32_t)(number * 37 % 300);
}

/* The slow, obvious twin: numbers by use, the last used first. */
struct model {
    uint64_t numbers[NUMBERS];
    size_t count;
};

static bool model_use(struct model *model, uint64_t number)
{
    size_t place = 0;

    while (place < model->count && model->numbers[place] != number)
        place++;
    bool known = place < model->count;
    if (known) {
        memmove(&model->numbers[1], &model->numbers[0], place * sizeof model->numbers[0]);
        model->numbers[0] = number;
    }
    return known;
}

/* Takes as new, and lets go as many of the oldest as the cache says that it has let go. */
static void model_take(struct model *model, uint64_t number, uint64_t evicted)
{
    ck_assert_uint_le(evicted, model->count);
    model->count -= evicted;
    memmove(&model->numbers[1], &model->numbers[0], model->count * sizeof model->numbers[0]);
    model->numbers[0] = number;
    model->count++;
}

START_TEST(the_least_recently_used_goes_first_and_the_bound_holds)
{
    struct model model = {.count = 0};
    uint64_t state = 11;
    uint64_t evictions = 0;

    for (unsigned int step = 0; step < STEPS; step++) {
        uint64_t number = random_below(&state, random_below(&state, 2) == 0 ? NUMBERS : NUMBERS / 8);

        bool known = model_use(&model, number);
        ck_assert_int_eq(find(number), known);
        ck_assert(!known || is_of(examination, number, views_of(number)));
        if (known)
            continue;
        keep(number, views_of(number));
        struct examination_cache_status status = status_of();
        model_take(&model, number, status.evictions - evictions);
        evictions = status.evictions;
        ck_assert_uint_eq(status.entries, model.count);
        ck_assert_uint_le(status.bytes, 1 << 20);
    }
    ck_assert_uint_gt(evictions, 1000);
}
END_TEST

static void *use_much(void *context)
{
    uint64_t state = (uint64_t)(uintptr_t)context;
    struct examination *own = malloc(sizeof *own);

    for (unsigned int step = 0; step < STEPS / 8; step++) {
        uint64_t number = random_below(&state, NUMBERS);
        struct examination_key key = key_of(number);
        struct known_hashes hashes = {.kinds = HASH_BIT(HASH_MD5)};

        memset(hashes.md5, (int)number, MD5_SIZE);
        if (examination_cache_find(cache, &key, own, &hashes)) {
            ck_assert(is_of(own, number, views_of(number)));
            continue;
        }
        fill_examination(own, number, views_of(number));
        examination_cache_keep(cache, &key, own, &hashes);
    }
    free(own);
    return NULL;
}

START_TEST(many_threads_find_whole_findings_of_their_own_keys)
{
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_much, (void *)(uintptr_t)(i + 1)), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    struct examination_cache_status status = status_of();
    ck_assert_uint_eq(status.hits + status.misses, 4 * (STEPS / 8));
    ck_assert_uint_gt(status.evictions, 0);
    ck_assert_uint_le(status.bytes, 1 << 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("examination_cache");
    TCase *tests = tcase_create("examination_cache");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_kept_is_found_to_the_last_view);
    tcase_add_test(tests, whatever_a_finding_depends_on_is_part_of_its_key);
    tcase_add_test(tests, only_what_lies_in_the_bytes_is_kept);
    tcase_add_test(tests, digests_are_kept_beside_and_added_later);
    tcase_add_test(tests, what_is_larger_than_the_cache_moves_nothing_out);
    tcase_add_test(tests, without_memory_nothing_is_kept_and_nothing_is_lost);
    tcase_add_test(tests, the_least_recently_used_goes_first_and_the_bound_holds);
    tcase_add_test(tests, many_threads_find_whole_findings_of_their_own_keys);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
