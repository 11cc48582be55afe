/* Every allocation of the index fails once. The functions of src/index/memory.h are defined here, so that the
 * linker takes these in place of the real ones: they count, they fail on demand, and they see leaks and wrong
 * sizes. */
#include "prescreen/index/exact.h"
#include "prescreen/index/generation.h"
#include "prescreen/index/near.h"
#include "prescreen/index/snapshot.h"

#include "index/memory.h"
#include "random_hashes.h"
#include "store_folder.h"
#include "tap.h"

#include <errno.h>

static size_t blocks_held;
static size_t bytes_held;
static size_t fail_at; /* the number of the request that fails, counted down; 0: none does */

static bool fails(void)
{
    return fail_at > 0 && --fail_at == 0;
}

void *index_memory_acquire(size_t size)
{
    void *memory;

    if (fails())
        return NULL;
    ck_assert_int_eq(posix_memalign(&memory, 64, size == 0 ? 1 : size), 0);
    memset(memory, 0, size);
    blocks_held++;
    bytes_held += size;
    return memory;
}

void *index_memory_resize(void *memory, size_t old_size, size_t new_size)
{
    void *moved = index_memory_acquire(new_size);

    if (moved != NULL && memory != NULL) {
        memcpy(moved, memory, old_size < new_size ? old_size : new_size);
        index_memory_release(memory, old_size);
    }
    return moved;
}

void index_memory_release(void *memory, size_t size)
{
    if (memory == NULL)
        return;
    blocks_held--;
    bytes_held -= size;
    free(memory);
}

static void check_nothing_held(void)
{
    ck_assert_uint_eq(blocks_held, 0);
    ck_assert_uint_eq(bytes_held, 0);
}

/* Runs a scenario with its first, second, ... request failing, until it needs fewer, and holds that what is
 * held stays what it was. A scenario may do without what it did not get. Returns how often it gave up. */
static size_t fail_each(int (*scenario)(void *context), void *context)
{
    const size_t blocks = blocks_held;
    const size_t bytes = bytes_held;
    size_t gave_up = 0;
    bool failed = true;

    for (size_t request = 1; failed; request++) {
        fail_at = request;
        int result = scenario(context);
        failed = fail_at == 0;
        fail_at = 0;
        ck_assert_msg(result == 0 || (result == -ENOMEM && failed), "request %zu: %d", request, result);
        gave_up += result != 0;
        ck_assert_uint_eq(blocks_held, blocks);
        ck_assert_uint_eq(bytes_held, bytes);
    }
    return gave_up;
}

enum { NEAR_COUNT = 9000, NEAR_CROWD = 2000 };

static int build_near(void *hashes)
{
    struct near_index *index = NULL;
    int result = near_index_create(hashes, NEAR_COUNT, &(struct index_build){.level = cpu_detect()}, &index);

    ck_assert((result == 0) == (index != NULL));
    near_index_free(index);
    return result;
}

START_TEST(near_index_gives_up_cleanly)
{
    struct pdq_hash *hashes = calloc(NEAR_COUNT, sizeof *hashes);
    uint64_t state = 1;

    /* Half of them share rows, so that words are spilled; some of the others are a crowd. */
    for (size_t i = 0; i < NEAR_COUNT; i++) {
        hashes[i] = i > 0 && i < NEAR_CROWD ? hashes[0] : random_hash(&state);
        if (i >= NEAR_COUNT / 2)
            memcpy(hashes[i].words, hashes[0].words, 2 * sizeof hashes[0].words[0]);
    }
    /* The index, its tables, what sorts them, its two arrays, for some chunks room for spilled starts; and
     * the crowds, what finds them, its two arrays, their directory, and who is of which. */
    ck_assert_uint_gt(fail_each(build_near, hashes), 12);
    free(hashes);
}
END_TEST

static int build_exact(void *records)
{
    struct exact_index *index = NULL;
    int result = exact_index_create(records, 100, SHA1_SIZE, NULL, &index);

    ck_assert((result == 0) == (index != NULL));
    exact_index_free(index);
    return result;
}

START_TEST(exact_index_gives_up_cleanly)
{
    uint32_t records[100 * EXACT_RECORD_WORDS(SHA1_SIZE)];
    uint64_t state = 2;

    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        records[i] = (uint32_t)random_next(&state);
    ck_assert_uint_eq(fail_each(build_exact, records), 2);
}
END_TEST

/* Entries of one picture's neighbourhood that all carry the same digests. */
struct cast {
    struct pdq_hash centre;
    uint64_t state;
};

static struct known_hashes entry_of(struct cast *cast)
{
    struct known_hashes hashes = {.kinds = HASH_BIT(HASH_MD5) | HASH_BIT(HASH_SHA1) | HASH_BIT(HASH_SHA256) |
                                           HASH_BIT(HASH_PDQ)};

    hashes.pdq = random_neighbour(&cast->state, cast->centre, 10);
    if (random_below(&cast->state, 5) == 0)
        hashes.kinds &= ~HASH_BIT(HASH_PDQ);
    return hashes;
}

static int make_batch(struct cast *cast, uint64_t first_row, size_t count, struct index_batch **made)
{
    struct index_batch *batch = NULL;
    int result = index_batch_create(&batch);

    for (size_t i = 0; i < count && result == 0; i++) {
        struct known_hashes hashes = entry_of(cast);
        result = index_batch_add(batch, first_row + i, 0, &hashes);
    }
    if (result == 0)
        *made = batch;
    else
        index_batch_free(batch);
    return result;
}

/* How many entries a generation finds in both ways. Negative when a search fails. */
static int count_finds(const struct index_generation *generation, const struct cast *cast)
{
    uint8_t radius = 31;
    struct index_filter filter = {&radius, 1};
    struct index_hit rows[10];
    struct index_hits hits = {.rows = rows, .capacity = 10};
    struct index_query queries[2] = {{cast->centre, 31, 31}, {cast->centre, 31, 31}};
    struct known_hashes digests = {.kinds = HASH_BIT(HASH_MD5) | HASH_BIT(HASH_SHA256)};
    uint64_t finds = 0;
    int result = index_generation_search_near(generation, queries, 2, &filter, &hits);

    if (result < 0)
        return result;
    finds = hits.total;
    result = index_generation_search_exact(generation, &digests, &filter, &hits);
    return result < 0 ? result : (int)(finds + hits.total);
}

/* What the changes below start from; made once, without failing. */
struct change {
    struct cast cast;
    const struct index_generation *old;
    int old_finds;
    int new_finds; /* 0 until they are known */
    uint64_t first_row;
    size_t added;
};

static int make_change(void *context)
{
    struct change *change = context;
    struct cast cast = change->cast;
    const uint64_t removed[3] = {2, 7, 3001};
    struct index_batch *batch = NULL;
    struct index_generation *next = NULL;
    int result = make_batch(&cast, change->first_row, change->added, &batch);

    if (result == 0)
        result = index_generation_apply(change->old, batch, removed, 3, SIZE_MAX, cpu_detect(), &next);
    ck_assert((result == 0) == (next != NULL));
    int finds = result < 0 ? result : count_finds(next, &cast);
    index_generation_release(next);
    ck_assert(finds == -ENOMEM || change->new_finds == 0 || finds == change->new_finds);
    if (finds >= 0)
        change->new_finds = finds;
    /* The old one must not have noticed. */
    size_t kept = fail_at;
    fail_at = 0;
    ck_assert_int_eq(count_finds(change->old, &change->cast), change->old_finds);
    fail_at = kept;
    return finds < 0 ? finds : 0;
}

static const struct index_generation *make_old(struct cast *cast)
{
    struct index_batch *batch = NULL;
    struct index_generation *first = NULL;
    struct index_generation *second = NULL;
    const uint64_t removed[2] = {7, 8};

    ck_assert_int_eq(make_batch(cast, 1, 3000, &batch), 0);
    ck_assert_int_eq(index_generation_apply(NULL, batch, NULL, 0, SIZE_MAX, cpu_detect(), &first), 0);
    ck_assert_int_eq(make_batch(cast, 3001, 600, &batch), 0);
    ck_assert_int_eq(index_generation_apply(first, batch, removed, 2, SIZE_MAX, cpu_detect(), &second), 0);
    index_generation_release(first);
    return second;
}

START_TEST(a_generation_that_cannot_be_made_leaves_the_old_one_alone)
{
    /* A part beside the others, a merge with the small one, a merge of all, rows out of order. */
    static const struct {
        uint64_t first_row;
        size_t added;
    } shapes[] = {{9001, 20}, {9001, 500}, {9001, 2500}, {4, 2500}, {9001, 5000}};
    struct change change = {.cast = {.state = 3}};

    change.cast.centre = random_hash(&change.cast.state);
    change.old = make_old(&change.cast);
    change.old_finds = count_finds(change.old, &change.cast);
    ck_assert_int_gt(change.old_finds, 3600);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        change.first_row = shapes[i].first_row;
        change.added = shapes[i].added;
        change.new_finds = 0;
        ck_assert_int_eq(make_change(&change), 0);
        ck_assert_uint_gt(fail_each(make_change, &change), 15);
    }
    index_generation_release(change.old);
    check_nothing_held();
}
END_TEST

/* A merge of both parts while the change goes on. */
static int merge_aside(void *context)
{
    struct change *change = context;
    const uint64_t removed[2] = {9, 3002};
    struct index_merge *merge = NULL;
    struct index_generation *now = NULL;
    struct index_generation *next = NULL;
    int result = index_merge_begin(change->old, &(struct index_build){.level = cpu_detect()}, &merge);

    if (result < 0)
        return result;
    ck_assert_int_eq(result, 0);
    result = index_merge_run(merge);
    if (result == 0)
        result = index_generation_apply(change->old, NULL, removed, 2, 0, cpu_detect(), &now);
    int ended = index_merge_end(merge, now, now == NULL ? NULL : &next);
    result = result < 0 ? result : ended;
    ck_assert((result == 0) == (next != NULL));
    int finds = result < 0 ? result : count_finds(next, &change->cast);
    index_generation_release(now);
    index_generation_release(next);
    ck_assert(finds == -ENOMEM || change->new_finds == 0 || finds == change->new_finds);
    if (finds >= 0)
        change->new_finds = finds;
    return finds < 0 ? finds : 0;
}

START_TEST(a_merge_aside_that_fails_leaves_everything_as_it_was)
{
    struct change change = {.cast = {.state = 8}};
    struct index_batch *batch = NULL;
    struct index_generation *next = NULL;

    change.cast.centre = random_hash(&change.cast.state);
    change.old = make_old(&change.cast);
    ck_assert_int_eq(make_batch(&change.cast, 9001, 2500, &batch), 0);
    ck_assert_int_eq(index_generation_apply(change.old, batch, NULL, 0, 0, cpu_detect(), &next), 0);
    index_generation_release(change.old);
    change.old = next;
    change.old_finds = count_finds(change.old, &change.cast);
    ck_assert_int_eq(merge_aside(&change), 0);
    ck_assert_uint_gt(fail_each(merge_aside, &change), 15);
    ck_assert_int_eq(count_finds(change.old, &change.cast), change.old_finds);
    index_generation_release(change.old);
    check_nothing_held();
}
END_TEST

static int make_empty(void *context)
{
    struct index_generation *generation = NULL;
    int result = index_generation_apply(NULL, NULL, NULL, 0, SIZE_MAX, CPU_PLAIN, &generation);

    (void)context;
    index_generation_release(generation);
    return result;
}

START_TEST(an_empty_generation_gives_up_cleanly)
{
    ck_assert_uint_eq(fail_each(make_empty, NULL), 1);
}
END_TEST

START_TEST(a_batch_that_cannot_grow_keeps_what_it_has)
{
    struct cast cast = {.state = 4};
    struct index_batch *batch = NULL;
    struct index_generation *generation = NULL;
    struct index_statistics statistics;

    ck_assert_int_eq(make_batch(&cast, 1, 16, &batch), 0);
    for (size_t request = 1; request <= 3; request++) {
        struct known_hashes hashes = entry_of(&cast);
        fail_at = request;
        ck_assert_int_eq(index_batch_add(batch, 17, 0, &hashes), -ENOMEM);
        fail_at = 0;
    }
    size_t views = 0;
    for (fail_at = 1; index_batch_add_view(batch, VIEW_THUMBNAIL, &cast.centre) == 0; fail_at = 1)
        views++;
    fail_at = 0;
    ck_assert_int_eq(index_generation_apply(NULL, batch, NULL, 0, SIZE_MAX, CPU_PLAIN, &generation), 0);
    index_generation_read_statistics(generation, &statistics);
    ck_assert_uint_eq(statistics.entries, 16);
    ck_assert_uint_eq(statistics.views, views);
    index_generation_release(generation);
    check_nothing_held();
}
END_TEST

START_TEST(statistics_know_every_byte)
{
    struct cast cast = {.state = 5};
    struct index_statistics statistics;

    cast.centre = random_hash(&cast.state);
    const struct index_generation *generation = make_old(&cast);
    index_generation_read_statistics(generation, &statistics);
    ck_assert_uint_eq(statistics.bytes, bytes_held);
    index_generation_release(generation);
    check_nothing_held();
}
END_TEST

/* What is kept in a file and taken from it again. */
struct keeping {
    struct store_folder folder;
    const struct index_generation *generation;
    struct cast cast;
    int finds;
};

static int write_snapshot(void *context)
{
    const struct keeping *keeping = context;
    const struct index_origin origin = {.lists_version = 1};
    struct diag diag;

    return index_snapshot_write(keeping->folder.path, keeping->generation, &origin, NULL, &diag);
}

static int load_snapshot(void *context)
{
    const struct keeping *keeping = context;
    struct index_snapshot *snapshot = NULL;
    struct index_generation *loaded = NULL;
    struct index_origin origin;
    struct diag diag;
    int result = index_snapshot_open(keeping->folder.path, &snapshot, &origin, &diag);

    if (result == 0)
        result = index_snapshot_load(snapshot, cpu_detect(), &loaded, &diag);
    index_snapshot_close(snapshot);
    int finds = result == 0 ? count_finds(loaded, &keeping->cast) : result;
    ck_assert(finds < 0 || finds == keeping->finds);
    index_generation_release(loaded);
    return finds < 0 ? finds : 0;
}

START_TEST(a_snapshot_that_cannot_be_written_or_loaded_gives_up_cleanly)
{
    struct keeping keeping = {.folder = make_folder(), .cast = {.state = 6}};

    keeping.cast.centre = random_hash(&keeping.cast.state);
    keeping.generation = make_old(&keeping.cast);
    keeping.finds = count_finds(keeping.generation, &keeping.cast);
    ck_assert_uint_eq(fail_each(write_snapshot, &keeping), 1);
    ck_assert_uint_gt(fail_each(load_snapshot, &keeping), 8);
    index_generation_release(keeping.generation);
    check_nothing_held();
    remove_folder(&keeping.folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("index_faults");
    TCase *tests = tcase_create("index_faults");

    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, near_index_gives_up_cleanly);
    tcase_add_test(tests, exact_index_gives_up_cleanly);
    tcase_add_test(tests, a_generation_that_cannot_be_made_leaves_the_old_one_alone);
    tcase_add_test(tests, a_merge_aside_that_fails_leaves_everything_as_it_was);
    tcase_add_test(tests, an_empty_generation_gives_up_cleanly);
    tcase_add_test(tests, a_batch_that_cannot_grow_keeps_what_it_has);
    tcase_add_test(tests, statistics_know_every_byte);
    tcase_add_test(tests, a_snapshot_that_cannot_be_written_or_loaded_gives_up_cleanly);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
