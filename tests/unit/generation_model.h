/* The slow, obvious twin of generations: changes made to both, searches in both held against each other. */
#ifndef PRESCREEN_TESTS_UNIT_GENERATION_MODEL_H
#define PRESCREEN_TESTS_UNIT_GENERATION_MODEL_H

#include "prescreen/index/generation.h"

#include "random_hashes.h"

#include <check.h>
#include <stdbool.h>

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

static inline void model_start(struct model *model, uint64_t seed)
{
    *model = (struct model){.next_row = 1000, .state = seed};
    for (size_t i = 0; i < CENTRE_COUNT; i++)
        model->centres[i] = random_hash(&model->state);
}

static inline void model_add(struct model *model, uint64_t row, uint32_t list,
                             const struct known_hashes *hashes)
{
    if (model->count == model->capacity) {
        model->capacity = model->capacity == 0 ? 64 : 2 * model->capacity;
        model->entries = realloc(model->entries, model->capacity * sizeof *model->entries);
    }
    model->entries[model->count++] =
        (struct model_entry){row, list, *hashes, model->version + 1, UINT32_MAX, 0, {{{0}}}};
}

static inline bool in_force(const struct model_entry *entry, uint32_t version)
{
    return entry->from <= version && version < entry->end;
}

static inline void model_remove(struct model *model, uint64_t row)
{
    for (size_t i = 0; i < model->count; i++) {
        if (model->entries[i].row == row && in_force(&model->entries[i], model->version))
            model->entries[i].end = model->version + 1;
    }
}

/* A digest out of few, so that many entries share one. */
static inline void pool_digest(struct known_hashes *hashes, enum hash_kind kind, size_t number)
{
    uint8_t *digest = kind == HASH_MD5 ? hashes->md5 : kind == HASH_SHA1 ? hashes->sha1 : hashes->sha256;
    uint64_t state = number * 3 + (uint64_t)kind;

    for (size_t i = 0; i < hash_kind_size(kind); i++)
        digest[i] = (uint8_t)random_next(&state);
    hashes->kinds |= HASH_BIT(kind);
}

static inline struct known_hashes random_entry(struct model *model)
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

static inline int compare_hits(const void *left, const void *right)
{
    const struct index_hit *a = left;
    const struct index_hit *b = right;

    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    if (a->query != b->query)
        return a->query < b->query ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static inline void hold_hits(const struct index_hits *hits, struct index_hit *expected, size_t total)
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

static inline unsigned int list_radius(const struct index_filter *filter, uint32_t list)
{
    return list < filter->list_count ? filter->radius_by_list[list] : INDEX_LIST_SKIPPED;
}

/* Takes a way in which a query finds an entry when it is nearer than what was found. */
static inline void model_take(struct index_hit *hit, bool *found, const struct model_entry *entry,
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
static inline bool model_near(const struct model_entry *entry, const struct index_query *queries,
                              size_t query_count, const struct index_filter *filter, struct index_hit *hit)
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

static inline bool model_equal(const struct model_entry *entry, const struct known_hashes *hashes,
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

static inline void check_near(const struct model *model, const struct index_generation *generation,
                              uint32_t version, const struct index_query *queries, size_t query_count,
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

static inline void check_exact(const struct model *model, const struct index_generation *generation,
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

static inline void check_statistics(const struct model *model, const struct index_generation *generation,
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

static inline unsigned int random_radius(uint64_t *state)
{
    return random_below(state, 5) == 0 ? INDEX_HASHES_SKIPPED
                                       : (unsigned int)random_below(state, INDEX_RADIUS_MAX + 1);
}

/* Random searches in a generation, held against the model. */
static inline void check_generation(struct model *model, const struct index_generation *generation,
                                    uint32_t version)
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
static inline void add_views(struct model *model, struct index_batch *batch)
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

/* The next version: so many entries more, so many rows less, and no more than merge_max entries merged.
 * Returns the generation that follows. */
static inline const struct index_generation *advance_merging(struct model *model,
                                                             const struct index_generation *old, size_t added,
                                                             size_t removed, size_t merge_max)
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
    ck_assert_int_eq(index_generation_apply(old, batch, rows, removed, merge_max, cpu_detect(), &next), 0);
    model->version++;
    free(rows);
    return next;
}

static inline const struct index_generation *advance(struct model *model, const struct index_generation *old,
                                                     size_t added, size_t removed)
{
    return advance_merging(model, old, added, removed, SIZE_MAX);
}

#endif
