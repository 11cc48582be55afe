#include "memory.h"
#include "parts.h"

#include <errno.h>

enum { QUERIES_AT_ONCE = 32, PENDING_MAX = 64 };

/* An entry that was found and whose row and list are on their way into the cache. */
struct found {
    uint32_t slot;
    enum hash_kind kind;
    unsigned int distance;
    uint32_t query;
    enum view view; /* of the entry that its hash is of */
};

/* One search: the nearest hits in a heap with the farthest on top, and which entries of the present part have
 * been hit. */
struct search {
    const struct index_filter *filter;
    struct index_hit *rows;
    size_t capacity;
    size_t count;
    uint64_t total;
    const struct index_part *part;
    size_t first_query;
    const struct index_query *queries; /* NULL when digests are looked up */
    bool may_repeat;                   /* an entry may be hit more than once */
    uint64_t *hit_slots;
    size_t hit_bytes;
    size_t pending_count;
    struct found pending[PENDING_MAX];
};

static bool is_before(const struct index_hit *a, const struct index_hit *b)
{
    if (a->distance != b->distance)
        return a->distance < b->distance;
    if (a->query != b->query)
        return a->query < b->query;
    return a->row != b->row ? a->row < b->row : a->entry_view < b->entry_view;
}

static void sink_hit(struct index_hit *rows, size_t count, size_t parent)
{
    struct index_hit hit = rows[parent];

    for (size_t child; (child = 2 * parent + 1) < count; parent = child) {
        if (child + 1 < count && is_before(&rows[child], &rows[child + 1]))
            child++;
        if (!is_before(&hit, &rows[child]))
            break;
        rows[parent] = rows[child];
    }
    rows[parent] = hit;
}

static void raise_hit(struct index_hit *rows, size_t child, const struct index_hit *hit)
{
    for (; child > 0 && is_before(&rows[(child - 1) / 2], hit); child = (child - 1) / 2)
        rows[child] = rows[(child - 1) / 2];
    rows[child] = *hit;
}

static size_t place_of_row(const struct search *search, uint64_t row)
{
    size_t place = 0;

    while (place < search->count && search->rows[place].row != row)
        place++;
    return place;
}

/* Keeps a hit if it is among the nearest; repeated: the row may be among them already. */
static void keep_hit(struct search *search, const struct index_hit *hit, bool repeated)
{
    bool full = search->count == search->capacity;

    if (full && (search->count == 0 || !is_before(hit, &search->rows[0])))
        return;
    size_t place = repeated ? place_of_row(search, hit->row) : search->count;
    if (place < search->count) {
        if (!is_before(hit, &search->rows[place]))
            return;
        search->rows[place] = *hit;
        sink_hit(search->rows, search->count, place);
    } else if (full) {
        search->rows[0] = *hit;
        sink_hit(search->rows, search->count, 0);
    } else {
        raise_hit(search->rows, search->count++, hit);
    }
}

static void sort_hits(struct search *search)
{
    for (size_t end = search->count; end-- > 1;) {
        struct index_hit farthest = search->rows[0];
        search->rows[0] = search->rows[end];
        search->rows[end] = farthest;
        sink_hit(search->rows, end, 0);
    }
}

/* Marks a slot of the present part. Returns 1 when it was marked before, 0 when not, or -ENOMEM. */
static int mark_slot(struct search *search, uint32_t slot)
{
    if (search->hit_slots == NULL) {
        search->hit_bytes = (index_segment_count(search->part->segment) + 63) / 64 * sizeof(uint64_t);
        search->hit_slots = index_memory_acquire(search->hit_bytes);
        if (search->hit_slots == NULL)
            return -ENOMEM;
    }
    bool marked = index_slot_is_set(search->hit_slots, slot);
    search->hit_slots[slot / 64] |= (uint64_t)1 << (slot % 64);
    return marked;
}

static unsigned int radius_of(const struct index_filter *filter, uint32_t list)
{
    return list < filter->list_count ? filter->radius_by_list[list] : INDEX_LIST_SKIPPED;
}

/* Takes an entry that is near or equal, if it is in force and its list takes it. */
static int take_entry(struct search *search, const struct found *found)
{
    const struct index_batch *entries = &search->part->segment->entries;
    struct index_hit hit = {index_batch_row(entries, found->slot),
                            index_batch_list(entries, found->slot),
                            found->kind,
                            found->distance,
                            found->query,
                            found->view};
    unsigned int radius = radius_of(search->filter, hit.list);
    int repeated = 0;

    if (!index_part_has(search->part, found->slot) || radius == INDEX_LIST_SKIPPED || hit.distance > radius)
        return 0;
    if (search->may_repeat)
        repeated = mark_slot(search, found->slot);
    if (repeated < 0)
        return repeated;
    search->total += repeated == 0;
    keep_hit(search, &hit, repeated != 0);
    return 0;
}

static int take_pending(struct search *search)
{
    int result = 0;

    for (size_t i = 0; i < search->pending_count && result == 0; i++)
        result = take_entry(search, &search->pending[i]);
    search->pending_count = 0;
    return result;
}

/* Takes what is pending of a part, unless the search failed, and forgets the part. */
static int leave_part(struct search *search, int result)
{
    if (result == 0)
        result = take_pending(search);
    index_memory_release(search->hit_slots, search->hit_bytes);
    search->hit_slots = NULL;
    return result;
}

/* Of a flood each entry would wait for memory twice; so they are taken in groups. */
static int take_later(struct search *search, struct found found)
{
    const struct index_batch *entries = &search->part->segment->entries;

    __builtin_prefetch((const uint64_t *)entries->rows.items + found.slot);
    __builtin_prefetch((const uint32_t *)entries->lists.items + found.slot);
    search->pending[search->pending_count++] = found;
    return search->pending_count == PENDING_MAX ? take_pending(search) : 0;
}

static int take_near(void *context, size_t query_number, const struct near_find *finds, size_t count)
{
    struct search *search = context;
    const struct index_batch *entries = &search->part->segment->entries;
    const struct index_query *query = &search->queries[search->first_query + query_number];
    int result = 0;

    for (size_t i = 0; i < count && result == 0; i++) {
        struct found found = {index_batch_slot(entries, finds[i].id), HASH_PDQ, finds[i].distance_bits,
                              (uint32_t)(search->first_query + query_number),
                              index_batch_view(entries, finds[i].id)};
        unsigned int radius = found.view == VIEW_MAIN ? query->radius_max : query->view_radius_max;
        if (radius != INDEX_HASHES_SKIPPED && found.distance <= radius)
            result = take_later(search, found);
    }
    return result;
}

static int take_equal(struct search *search, enum hash_kind kind, const uint8_t *digest)
{
    const struct exact_index *index = search->part->segment->digests[kind];
    size_t first = 0;
    size_t count = index == NULL ? 0 : exact_index_find(index, digest, &first);
    int result = 0;

    for (size_t i = 0; i < count && result == 0; i++) {
        struct found found = {exact_index_number(index, first + i), kind, 0, 0, VIEW_MAIN};
        result = take_later(search, found);
    }
    return result;
}

static void start(struct search *search, const struct index_filter *filter, const struct index_hits *hits)
{
    *search = (struct search){.filter = filter, .rows = hits->rows, .capacity = hits->capacity};
}

static int finish(struct search *search, int result, struct index_hits *hits)
{
    if (result < 0)
        return result;
    sort_hits(search);
    hits->count = search->count;
    hits->total = search->total;
    return 0;
}

static int digest_count(const struct known_hashes *hashes)
{
    return __builtin_popcount(hashes->kinds & (HASH_BIT(DIGEST_KIND_COUNT) - 1));
}

int index_generation_search_exact(const struct index_generation *generation,
                                  const struct known_hashes *hashes, const struct index_filter *filter,
                                  struct index_hits *hits)
{
    /* The strongest digest names the hit. */
    static const enum hash_kind kinds[DIGEST_KIND_COUNT] = {HASH_SHA256, HASH_SHA1, HASH_MD5};
    const uint8_t *const digests[DIGEST_KIND_COUNT] = {hashes->sha256, hashes->sha1, hashes->md5};
    struct search search;
    int result = 0;

    start(&search, filter, hits);
    search.may_repeat = digest_count(hashes) > 1;
    for (size_t p = 0; p < generation->part_count && result == 0; p++) {
        search.part = &generation->parts[p];
        for (int i = 0; i < DIGEST_KIND_COUNT && result == 0; i++) {
            if ((hashes->kinds & HASH_BIT(kinds[i])) != 0)
                result = take_equal(&search, kinds[i], digests[i]);
        }
        result = leave_part(&search, result);
    }
    return finish(&search, result, hits);
}

/* The largest radius of any list, -1 when all are left out, or -EINVAL. */
static int widest_radius(const struct index_filter *filter)
{
    int widest = -1;

    for (size_t list = 0; list < filter->list_count; list++) {
        int radius = filter->radius_by_list[list];
        if (radius == INDEX_LIST_SKIPPED)
            continue;
        if (radius > INDEX_RADIUS_MAX)
            return -EINVAL;
        if (radius > widest)
            widest = radius;
    }
    return widest;
}

static bool is_radius(unsigned int radius)
{
    return radius <= INDEX_RADIUS_MAX || radius == INDEX_HASHES_SKIPPED;
}

/* The radius at which a query can find anything of the present part that counts; INDEX_HASHES_SKIPPED: none.
 */
static unsigned int query_radius(const struct search *search, const struct index_query *query)
{
    unsigned int own = query->radius_max;
    unsigned int view =
        search->part->segment->entries.views.count > 0 ? query->view_radius_max : INDEX_HASHES_SKIPPED;

    if (own == INDEX_HASHES_SKIPPED || view == INDEX_HASHES_SKIPPED)
        return own < view ? own : view;
    return own > view ? own : view;
}

/* Looks up a run of queries from search.first_query on, at most QUERIES_AT_ONCE, and moves on past it. */
static int search_part(struct search *search, size_t query_count, unsigned int radius)
{
    struct near_query near[QUERIES_AT_ONCE];
    struct near_sink sink = {search, take_near};
    size_t count = 0;
    size_t seen = search->first_query;

    for (; seen < query_count && count < QUERIES_AT_ONCE; seen++) {
        const struct index_query *query = &search->queries[seen];
        unsigned int reach = query_radius(search, query);
        if (reach == INDEX_HASHES_SKIPPED)
            break;
        near[count].hash = query->hash;
        near[count++].radius = reach < radius ? reach : radius;
    }
    int result = count == 0 ? 0 : near_index_search(search->part->segment->near, near, count, &sink);
    search->first_query = count == 0 ? seen + 1 : seen;
    return result;
}

int index_generation_search_near(const struct index_generation *generation, const struct index_query *queries,
                                 size_t query_count, const struct index_filter *filter,
                                 struct index_hits *hits)
{
    const int radius = widest_radius(filter);
    struct search search;
    int result = radius < -1 ? radius : 0;

    for (size_t i = 0; i < query_count && result == 0; i++)
        result = is_radius(queries[i].radius_max) && is_radius(queries[i].view_radius_max) ? 0 : -EINVAL;
    start(&search, filter, hits);
    search.queries = queries;
    for (size_t p = 0; p < generation->part_count && result == 0 && radius >= 0; p++) {
        search.part = &generation->parts[p];
        search.may_repeat = query_count > 1 || search.part->segment->entries.views.count > 0;
        search.first_query = 0;
        while (search.first_query < query_count && result == 0)
            result = search_part(&search, query_count, (unsigned int)radius);
        result = leave_part(&search, result);
    }
    return finish(&search, result, hits);
}
