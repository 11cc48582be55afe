#include "entries.h"
#include "store/sorter.h"
#include "store_folder.h"
#include "tap.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

static struct store_folder folder;

static void set_up(void)
{
    folder = make_folder();
}

static void tear_down(void)
{
    remove_folder(&folder);
}

struct pair {
    char key[64];
    uint32_t key_size;
    uint32_t place;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *one = a;
    const struct pair *other = b;
    uint32_t common = one->key_size < other->key_size ? one->key_size : other->key_size;
    int order = memcmp(one->key, other->key, common);

    if (order == 0)
        order = (one->key_size > other->key_size) - (one->key_size < other->key_size);
    return order != 0 ? order : (one->place > other->place) - (one->place < other->place);
}

/* Sorts count random pairs, many of them with equal keys, and compares with qsort(). */
static void expect_sorted(uint32_t count, size_t memory, uint64_t seed)
{
    struct pair *pairs = calloc(count + 1, sizeof *pairs);
    struct sorter *sorter = NULL;
    struct sorted_item item;

    ck_assert_ptr_nonnull(pairs);
    ck_assert_int_eq(sorter_create(folder.path, memory, &sorter), 0);
    for (uint32_t i = 0; i < count; i++) {
        pairs[i].place = i;
        pairs[i].key_size = random_below(&seed, 12);
        for (uint32_t k = 0; k < pairs[i].key_size; k++)
            pairs[i].key[k] = (char)(random_below(&seed, 3) * 127);
        item = (struct sorted_item){pairs[i].key, &pairs[i].place, pairs[i].key_size, sizeof pairs[i].place};
        ck_assert_int_eq(sorter_add(sorter, &item), 0);
    }
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_int_eq(sorter_next(sorter, &item), SORTER_ITEM);
        ck_assert_uint_eq(item.key_size, pairs[i].key_size);
        ck_assert_mem_eq(item.key, pairs[i].key, item.key_size);
        ck_assert_uint_eq(item.value_size, sizeof pairs[i].place);
        ck_assert_mem_eq(item.value, &pairs[i].place, sizeof pairs[i].place);
    }
    ck_assert_int_eq(sorter_next(sorter, &item), 0);
    ck_assert_int_eq(sorter_next(sorter, &item), 0);
    sorter_free(sorter);
    free(pairs);
}

START_TEST(items_come_in_order_whatever_the_memory)
{
    for (uint32_t count = 0; count < 40; count++)
        expect_sorted(count, 64, count + 1);
    expect_sorted(5000, SORTER_MEMORY, 1);
    expect_sorted(5000, 20000, 2);
    expect_sorted(5000, 100000, 3);
    expect_sorted(100000, 300000, 4);
    ck_assert_str_eq(names_in(&folder), "");
    sorter_free(NULL);
}
END_TEST

START_TEST(largest_items_pass_whole)
{
    static uint8_t bytes[2][SORTER_VALUE_MAX];
    struct sorter *sorter = NULL;
    struct sorted_item item;

    ck_assert_int_eq(sorter_create(folder.path, 50000, &sorter), 0);
    memset(bytes[0], 'k', SORTER_VALUE_MAX);
    memset(bytes[1], 'v', SORTER_VALUE_MAX);
    for (uint32_t i = 0; i < 100; i++) {
        memcpy(bytes[0], &(uint8_t){(uint8_t)(99 - i)}, 1);
        item = (struct sorted_item){bytes[0], bytes[1], SORTER_VALUE_MAX - i % 3, SORTER_VALUE_MAX - i % 2};
        ck_assert_int_eq(sorter_add(sorter, &item), 0);
    }
    for (uint32_t i = 0; i < 100; i++) {
        ck_assert_int_eq(sorter_next(sorter, &item), SORTER_ITEM);
        ck_assert_uint_eq(((const uint8_t *)item.key)[0], i);
        ck_assert_uint_eq(item.key_size, SORTER_VALUE_MAX - (99 - i) % 3);
        ck_assert_uint_eq(item.value_size, SORTER_VALUE_MAX - (99 - i) % 2);
        ck_assert_mem_eq(item.value, bytes[1], item.value_size);
    }
    ck_assert_int_eq(sorter_next(sorter, &item), 0);
    sorter_free(sorter);
}
END_TEST

START_TEST(runs_have_a_largest_number)
{
    struct sorter *sorter = NULL;
    struct sorted_item item = {"key", "value", 3, 5};
    unsigned int added = 0;
    int result = 0;

    /* One item a run: the next one pushes the last to the file. */
    ck_assert_int_eq(sorter_create(folder.path, 1, &sorter), 0);
    while (result == 0 && added < 2 * SORTER_RUNS_MAX) {
        result = sorter_add(sorter, &item);
        added += result == 0;
    }
    ck_assert_int_eq(result, -EFBIG);
    ck_assert_uint_eq(added, SORTER_RUNS_MAX + 1);
    sorter_free(sorter);
}
END_TEST

START_TEST(full_disk_is_an_error_of_adding)
{
    struct rlimit limit = {.rlim_cur = 100000, .rlim_max = RLIM_INFINITY};
    static uint8_t value[4000];
    struct sorter *sorter = NULL;
    struct sorted_item item = {value, value, 4, sizeof value};
    int result = 0;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(sorter_create(folder.path, 50000, &sorter), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int i = 0; i < 100 && result == 0; i++)
        result = sorter_add(sorter, &item);
    ck_assert_int_eq(result, -EFBIG);
    sorter_free(sorter);
}
END_TEST

START_TEST(missing_folder_is_an_error_of_the_first_run)
{
    struct sorter *sorter = NULL;
    struct sorted_item item = {"key", "value", 3, 5};

    ck_assert_int_eq(sorter_create(file_in(&folder, "nowhere"), 16, &sorter), 0);
    ck_assert_int_eq(sorter_add(sorter, &item), 0);
    ck_assert_int_eq(sorter_add(sorter, &item), -ENOENT);
    sorter_free(sorter);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("list_store_sorter");
    TCase *tests = tcase_create("list_store_sorter");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, items_come_in_order_whatever_the_memory);
    tcase_add_test(tests, largest_items_pass_whole);
    tcase_add_test(tests, runs_have_a_largest_number);
    tcase_add_test(tests, full_disk_is_an_error_of_adding);
    tcase_add_test(tests, missing_folder_is_an_error_of_the_first_run);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
