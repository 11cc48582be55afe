#include "prescreen/base/clock.h"
#include "prescreen/index/generation.h"

#include "random_hashes.h"
#include "tap.h"

#include <errno.h>
#include <pthread.h>

enum { VIEWS_MAX = 3 };
enum { LIST_COUNT = 6, DIGEST_POOL = 40, CENTRE_COUNT = 12, HITS_ALL = 100000 };

/* The slow, obvious twin: every entry that ever was, and from which version to which it was in force. */
struct model_entry {
    uint64_t row;
    uint32_t list;
    struct known_hashes hashes;
    uint32_t from, end;
    size_t view_count;
    struct pdq_hash views[VIEWS_MAX]; /* the first is of view 1, and so on */
};

struct model {
    struct model_entry *entries;
    size_t count, capacity;
    uint32_t version;
    uint64_t next_row;
    uint64_t state;
    struct pdq_hash centres[CENTRE_COUNT];
};

static void model_start(struct model *model, uint64_t seed)
{
    *model = (struct model){.next_row = 1000, .state = seed};
    for (size_t i = 0; i < CENTRE_COUNT; i++)
        model->centres[i] = random_hash(&model->state);
}

static void model_add(struct model *model, uint64_t row, uint32_t list, const struct known_hashes *hashes)
{
    if (model->count == model->capacity) {
        model->capacity = model->capacity == 0 ? 64 : 2 * model->capacity;
        model->entries = realloc(model->entries, model->capacity * sizeof *model->entries);
    }
    model->entries[model->count++] =
        (struct model_entry){row, list, *hashes, model->version + 1, UINT32_MAX, 0, {{{0}}}};
}

static bool in_force(const struct model_entry *entry, uint32_t version)
{
    return entry->from <= version && version < entry->end;
}

static void model_remove(struct model *model, uint64_t row)
{
    for (size_t i = 0; i < model->count; i++) {
        if (model->entries[i].row == row && in_force(&model->entries[i], model->version))
            model->entries[i].end = model->version + 1;
    }
}

/* A digest out of few, so that many entries share one. */
static void pool_digest(struct known_hashes *hashes, enum hash_kind kind, size_t number)
{
    uint8_t *digest = kind == HASH_MD5 ? hashes->md5 : kind == HASH_SHA1 ? hashes->sha1 : hashes->sha256;
    uint64_t state = number * 3 + (uint64_t)kind;

    for (size_t i = 0; i < hash_kind_size(kind); i++)
        digest[i] = (uint8_t)random_next(&state);
    hashes->kinds |= HASH_BIT(kind);
}

static struct known_hashes random_entry(struct model *model)
{
    struct known_hashes hashes = {.pdq_quality = -1};
    uint64_t *state = &model->state;

    while (hashes.kinds == 0) {
        for (int kind = 0; kind < HASH_PDQ; kind++) {
            if (random_below(state, 3) == 0)
                pool_digest(&hashes, (enum hash_kind)kind, random_below(state, DIGEST_POOL));
        }
        if (random_below(state, 4) > 0) {
            hashes.pdq = random_neighbour(state, model->centres[random_below(state, CENTRE_COUNT)],
                                          (unsigned int)random_below(state, 50));
            hashes.kinds |= HASH_BIT(HASH_PDQ);
        }
    }
    return hashes;
}

static int compare_hits(const void *left, const void *right)
{
    const struct index_hit *a = left;
    const struct index_hit *b = right;

    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    if (a->query != b->query)
        return a->query < b->query ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static void hold_hits(const struct index_hits *hits, struct index_hit *expected, size_t total)
{
    qsort(expected, total, sizeof *expected, compare_hits);
    ck_assert_uint_eq(hits->total, total);
    ck_assert_uint_eq(hits->count, total < hits->capacity ? total : hits->capacity);
    for (size_t i = 0; i < hits->count; i++) {
        ck_assert_uint_eq(hits->rows[i].row, expected[i].row);
        ck_assert_uint_eq(hits->rows[i].list, expected[i].list);
        ck_assert_int_eq(hits->rows[i].kind, expected[i].kind);
        ck_assert_uint_eq(hits->rows[i].distance, expected[i].distance);
        ck_assert_uint_eq(hits->rows[i].query, expected[i].query);
        ck_assert_int_eq(hits->rows[i].entry_view, expected[i].entry_view);
    }
}

static unsigned int list_radius(const struct index_filter *filter, uint32_t list)
{
    return list < filter->list_count ? filter->radius_by_list[list] : INDEX_LIST_SKIPPED;
}

/* Takes a way in which a query finds an entry when it is nearer than what was found. */
static void model_take(struct index_hit *hit, bool *found, const struct model_entry *entry,
                       const struct pdq_hash *hash, unsigned int view, const struct index_query *query,
                       unsigned int number, unsigned int list_radius_max)
{
    unsigned int radius_max = view == 0 ? query->radius_max : query->view_radius_max;
    unsigned int distance = pdq_distance(hash, &query->hash);

    if (radius_max == INDEX_HASHES_SKIPPED || distance > radius_max || distance > list_radius_max ||
        (*found && distance >= hit->distance))
        return;
    *found = true;
    *hit = (struct index_hit){entry->row, entry->list, HASH_PDQ, distance, number, (enum view)view};
}

/* The nearest way in which queries find an entry. Returns false when none does. */
static bool model_near(const struct model_entry *entry, const struct index_query *queries, size_t query_count,
                       const struct index_filter *filter, struct index_hit *hit)
{
    unsigned int radius = list_radius(filter, entry->list);
    bool found = false;

    if (radius == INDEX_LIST_SKIPPED)
        return false;
    for (unsigned int q = 0; q < query_count; q++) {
        if ((entry->hashes.kinds & HASH_BIT(HASH_PDQ)) != 0)
            model_take(hit, &found, entry, &entry->hashes.pdq, 0, &queries[q], q, radius);
        for (unsigned int v = 0; v < entry->view_count; v++)
            model_take(hit, &found, entry, &entry->views[v], v + 1, &queries[q], q, radius);
    }
    return found;
}

static bool model_equal(const struct model_entry *entry, const struct known_hashes *hashes,
                        const struct index_filter *filter, struct index_hit *hit)
{
    const unsigned int kinds = entry->hashes.kinds & hashes->kinds;
    *hit = (struct index_hit){entry->row, entry->list, HASH_SHA256, 0, 0, VIEW_MAIN};

    if (list_radius(filter, entry->list) == INDEX_LIST_SKIPPED)
        return false;
    if ((kinds & HASH_BIT(HASH_SHA256)) && memcmp(entry->hashes.sha256, hashes->sha256, SHA256_SIZE) == 0)
        return true;
    hit->kind = HASH_SHA1;
    if ((kinds & HASH_BIT(HASH_SHA1)) && memcmp(entry->hashes.sha1, hashes->sha1, SHA1_SIZE) == 0)
        return true;
    hit->kind = HASH_MD5;
    return (kinds & HASH_BIT(HASH_MD5)) && memcmp(entry->hashes.md5, hashes->md5, MD5_SIZE) == 0;
}

static void check_near(const struct model *model, const struct index_generation *generation, uint32_t version,
                       const struct index_query *queries, size_t query_count,
                       const struct index_filter *filter, size_t capacity)
{
    struct index_hits hits = {.rows = calloc(capacity + 1, sizeof(struct index_hit)), .capacity = capacity};
    struct index_hit *expected = calloc(model->count + 1, sizeof *expected);
    size_t total = 0;

    for (size_t i = 0; i < model->count; i++) {
        const struct model_entry *entry = &model->entries[i];
        total +=
            in_force(entry, version) && model_near(entry, queries, query_count, filter, &expected[total]);
    }
    ck_assert_int_eq(index_generation_search_near(generation, queries, query_count, filter, &hits), 0);
    hold_hits(&hits, expected, total);
    free(expected);
    free(hits.rows);
}

static void check_exact(const struct model *model, const struct index_generation *generation,
                        uint32_t version, const struct known_hashes *hashes,
                        const struct index_filter *filter, size_t capacity)
{
    struct index_hits hits = {.rows = calloc(capacity + 1, sizeof(struct index_hit)), .capacity = capacity};
    struct index_hit *expected = calloc(model->count + 1, sizeof *expected);
    size_t total = 0;

    for (size_t i = 0; i < model->count; i++) {
        const struct model_entry *entry = &model->entries[i];
        total += in_force(entry, version) && model_equal(entry, hashes, filter, &expected[total]);
    }
    ck_assert_int_eq(index_generation_search_exact(generation, hashes, filter, &hits), 0);
    hold_hits(&hits, expected, total);
    free(expected);
    free(hits.rows);
}

static void check_statistics(const struct model *model, const struct index_generation *generation,
                             uint32_t version)
{
    struct index_statistics statistics;
    uint64_t entries = 0;
    uint64_t views = 0;
    uint64_t kinds[HASH_KIND_COUNT] = {0};

    for (size_t i = 0; i < model->count; i++) {
        if (!in_force(&model->entries[i], version))
            continue;
        entries++;
        views += model->entries[i].view_count;
        for (int kind = 0; kind < HASH_KIND_COUNT; kind++)
            kinds[kind] += (model->entries[i].hashes.kinds & HASH_BIT(kind)) != 0;
    }
    index_generation_read_statistics(generation, &statistics);
    ck_assert_uint_eq(statistics.entries, entries);
    ck_assert_uint_ge(statistics.views, views);
    ck_assert(statistics.removed > 0 || statistics.views == views);
    ck_assert_uint_le(statistics.removed, entries + statistics.segments);
    for (int kind = 0; kind < HASH_KIND_COUNT; kind++)
        ck_assert_uint_eq(statistics.kinds[kind], kinds[kind]);
}

static unsigned int random_radius(uint64_t *state)
{
    return random_below(state, 5) == 0 ? INDEX_HASHES_SKIPPED
                                       : (unsigned int)random_below(state, INDEX_RADIUS_MAX + 1);
}

/* Random searches in a generation, held against the model. */
static void check_generation(struct model *model, const struct index_generation *generation, uint32_t version)
{
    static const size_t capacities[] = {HITS_ALL, 100, 1, 0, 7};
    uint64_t *state = &model->state;
    uint8_t radius_by_list[LIST_COUNT];
    struct index_query queries[40];

    check_statistics(model, generation, version);
    for (size_t round = 0; round < sizeof capacities / sizeof capacities[0]; round++) {
        struct index_filter filter = {radius_by_list, LIST_COUNT - random_below(state, 2)};
        struct known_hashes digests = {0};
        size_t query_count = round == 0 ? 40 : random_below(state, 9);
        for (size_t i = 0; i < LIST_COUNT; i++)
            radius_by_list[i] =
                (uint8_t)(random_below(state, 4) == 0 ? INDEX_LIST_SKIPPED : random_below(state, 65));
        for (size_t i = 0; i < query_count; i++) {
            queries[i].hash = random_neighbour(state, model->centres[random_below(state, CENTRE_COUNT)],
                                               (unsigned int)random_below(state, 30));
            queries[i].radius_max = random_radius(state);
            queries[i].view_radius_max = random_radius(state);
        }
        check_near(model, generation, version, queries, query_count, &filter, capacities[round]);
        for (int kind = 0; kind < HASH_PDQ; kind++) {
            if (random_below(state, 3) > 0)
                pool_digest(&digests, (enum hash_kind)kind, random_below(state, DIGEST_POOL + 1));
        }
        check_exact(model, generation, version, &digests, &filter, capacities[round]);
    }
}

/* Gives the entry that was added last a few views, now and then. */
static void add_views(struct model *model, struct index_batch *batch)
{
    struct model_entry *entry = &model->entries[model->count - 1];
    uint64_t *state = &model->state;
    size_t count = random_below(state, 10) < 7 ? 0 : 1 + random_below(state, VIEWS_MAX);

    for (; entry->view_count < count; entry->view_count++) {
        struct pdq_hash *hash = &entry->views[entry->view_count];
        *hash = random_neighbour(state, model->centres[random_below(state, CENTRE_COUNT)],
                                 (unsigned int)random_below(state, 50));
        ck_assert_int_eq(index_batch_add_view(batch, (enum view)(entry->view_count + 1), hash), 0);
    }
}

/* The next version: so many entries more, so many rows less. Returns the generation that follows. */
static const struct index_generation *advance(struct model *model, const struct index_generation *old,
                                              size_t added, size_t removed)
{
    const bool with_views = model->version % 4 != 3;
    uint64_t *state = &model->state;
    uint64_t *rows = calloc(removed + 1, sizeof *rows);
    struct index_batch *batch = NULL;
    struct index_generation *next = NULL;

    for (size_t i = 0; i < removed; i++) {
        rows[i] = random_below(state, 10) == 0 || model->count == 0
                      ? random_next(state)
                      : model->entries[random_below(state, model->count)].row;
        model_remove(model, rows[i]);
    }
    ck_assert_int_eq(index_batch_create(&batch), 0);
    for (size_t i = 0; i < added; i++) {
        struct known_hashes hashes = random_entry(model);
        uint32_t list = (uint32_t)random_below(state, LIST_COUNT);
        /* Now and then a row that is out of order. */
        uint64_t row = random_below(state, 50) == 0 ? random_next(state) : model->next_row++;
        ck_assert_int_eq(index_batch_add(batch, row, list, &hashes), 0);
        model_add(model, row, list, &hashes);
        if (with_views)
            add_views(model, batch);
    }
    ck_assert_int_eq(index_generation_apply(old, batch, rows, removed, cpu_detect(), &next), 0);
    model->version++;
    free(rows);
    return next;
}

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
    ck_assert_int_eq(index_generation_apply(full, NULL, rows, 2 * model.count, CPU_PLAIN, &empty), 0);
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
    ck_assert_int_eq(index_generation_apply(NULL, NULL, NULL, 0, CPU_PLAIN, &generation), 0);
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
    ck_assert_int_eq(index_generation_apply(NULL, batch, NULL, 0, CPU_PLAIN, &first), 0);
    ck_assert_int_eq(index_batch_create(&batch), 0);
    pool_digest(&hashes, HASH_MD5, 2);
    ck_assert_int_eq(index_batch_add(batch, 5, 0, &hashes), 0);
    ck_assert_int_eq(index_generation_apply(first, batch, NULL, 0, CPU_PLAIN, &second), 0);
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
    ck_assert_int_eq(index_generation_apply(NULL, batch, NULL, 0, cpu_detect(), &generation), 0);
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
    ck_assert_int_eq(index_generation_apply(NULL, batch, NULL, 0, cpu_detect(), &first), 0);
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
