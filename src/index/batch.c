#include "batch.h"

#include "prescreen/index/near.h"

#include "memory.h"

#include <errno.h>
#include <string.h>

enum { CAPACITY_MIN = 16 };
static const uint32_t no_slot = UINT32_MAX;

static void array_clear(struct index_array *array)
{
    index_memory_release(array->items, array->capacity * array->item_bytes);
    *array = (struct index_array){NULL, array->item_bytes, 0, 0};
}

static int array_resize(struct index_array *array, size_t capacity)
{
    void *items =
        index_memory_resize(array->items, array->capacity * array->item_bytes, capacity * array->item_bytes);

    if (items == NULL)
        return -ENOMEM;
    array->items = items;
    array->capacity = capacity;
    return 0;
}

/* Makes room for so many items more. The added room is address space: it takes memory when it is written. */
static int array_reserve(struct index_array *array, size_t more)
{
    size_t capacity = array->capacity == 0 ? CAPACITY_MIN : array->capacity;

    if (more <= array->capacity - array->count)
        return 0;
    while (capacity - array->count < more)
        capacity *= 2;
    return array_resize(array, capacity);
}

/* Where keeping too much would be the only harm, failing is none. */
static void array_trim(struct index_array *array)
{
    if (array->count == 0)
        array_clear(array);
    else if (array->count < array->capacity)
        (void)array_resize(array, array->count);
}

/* The next item; there must be room. */
static void *array_push(struct index_array *array)
{
    return (uint8_t *)array->items + array->count++ * array->item_bytes;
}

static size_t array_bytes(const struct index_array *array)
{
    return array->capacity * array->item_bytes;
}

static const uint8_t *digest_of(const struct known_hashes *hashes, int kind)
{
    return kind == HASH_MD5 ? hashes->md5 : kind == HASH_SHA1 ? hashes->sha1 : hashes->sha256;
}

static size_t record_words(int kind)
{
    return EXACT_RECORD_WORDS(hash_kind_size((enum hash_kind)kind));
}

/* All arrays of a batch, so that what holds for each need not be written for each. */
enum { ARRAY_COUNT = sizeof(struct index_batch) / sizeof(struct index_array) };

static struct index_array *array_of(struct index_batch *batch, size_t number)
{
    struct index_array *const arrays[ARRAY_COUNT] = {
        &batch->rows,  &batch->lists,      &batch->kinds,      &batch->hashes,    &batch->hash_slots,
        &batch->views, &batch->records[0], &batch->records[1], &batch->records[2]};

    return arrays[number];
}

void index_batch_init(struct index_batch *batch)
{
    memset(batch, 0, sizeof *batch);
    batch->rows.item_bytes = sizeof(uint64_t);
    batch->lists.item_bytes = sizeof(uint32_t);
    batch->kinds.item_bytes = sizeof(uint8_t);
    batch->hashes.item_bytes = sizeof(struct pdq_hash);
    batch->hash_slots.item_bytes = sizeof(uint32_t);
    batch->views.item_bytes = sizeof(struct index_view);
    for (int kind = 0; kind < DIGEST_KIND_COUNT; kind++)
        batch->records[kind].item_bytes = record_words(kind) * sizeof(uint32_t);
}

void index_batch_clear(struct index_batch *batch)
{
    for (size_t i = 0; i < ARRAY_COUNT; i++)
        array_clear(array_of(batch, i));
}

void index_batch_trim(struct index_batch *batch)
{
    if (batch->hashes.count == batch->rows.count && batch->views.count == 0)
        batch->hash_slots.count = 0;
    for (size_t i = 0; i < ARRAY_COUNT; i++)
        array_trim(array_of(batch, i));
}

size_t index_batch_bytes(const struct index_batch *batch)
{
    size_t bytes = array_bytes(&batch->rows) + array_bytes(&batch->lists) + array_bytes(&batch->kinds) +
                   array_bytes(&batch->hashes) + array_bytes(&batch->hash_slots) + array_bytes(&batch->views);

    for (int kind = 0; kind < DIGEST_KIND_COUNT; kind++)
        bytes += array_bytes(&batch->records[kind]);
    return bytes;
}

int index_batch_create(struct index_batch **created)
{
    struct index_batch *batch = index_memory_acquire(sizeof *batch);

    if (batch == NULL)
        return -ENOMEM;
    index_batch_init(batch);
    *created = batch;
    return 0;
}

void index_batch_free(struct index_batch *batch)
{
    if (batch == NULL)
        return;
    index_batch_clear(batch);
    index_memory_release(batch, sizeof *batch);
}

static void push_entry(struct index_batch *batch, uint64_t row, uint32_t list, uint8_t kinds)
{
    *(uint64_t *)array_push(&batch->rows) = row;
    *(uint32_t *)array_push(&batch->lists) = list;
    *(uint8_t *)array_push(&batch->kinds) = kinds;
}

static void push_hash(struct index_batch *batch, const struct pdq_hash *hash, uint32_t slot)
{
    *(struct pdq_hash *)array_push(&batch->hashes) = *hash;
    *(uint32_t *)array_push(&batch->hash_slots) = slot;
}

static void push_digest(struct index_batch *batch, int kind, const void *digest, uint32_t slot)
{
    uint32_t *record = array_push(&batch->records[kind]);

    memcpy(record, digest, hash_kind_size((enum hash_kind)kind));
    record[record_words(kind) - 1] = slot;
}

int index_batch_add(struct index_batch *batch, uint64_t row, uint32_t list, const struct known_hashes *hashes)
{
    const uint32_t slot = (uint32_t)batch->rows.count;

    /* More than a near index can number counts as more than there is memory for. */
    if (batch->rows.count >= NEAR_COUNT_MAX)
        return -ENOMEM;
    for (size_t i = 0; i < ARRAY_COUNT; i++) {
        if (array_reserve(array_of(batch, i), 1) < 0)
            return -ENOMEM;
    }
    push_entry(batch, row, list, (uint8_t)hashes->kinds);
    if ((hashes->kinds & HASH_BIT(HASH_PDQ)) != 0)
        push_hash(batch, &hashes->pdq, slot);
    for (int kind = 0; kind < DIGEST_KIND_COUNT; kind++) {
        if ((hashes->kinds & HASH_BIT(kind)) != 0)
            push_digest(batch, kind, digest_of(hashes, kind), slot);
    }
    return 0;
}

int index_batch_add_view(struct index_batch *batch, enum view view, const struct pdq_hash *hash)
{
    if (batch->hashes.count >= NEAR_COUNT_MAX || array_reserve(&batch->hashes, 1) < 0 ||
        array_reserve(&batch->hash_slots, 1) < 0 || array_reserve(&batch->views, 1) < 0)
        return -ENOMEM;
    *(struct index_view *)array_push(&batch->views) =
        (struct index_view){(uint32_t)batch->hashes.count, (uint32_t)view};
    push_hash(batch, hash, (uint32_t)batch->rows.count - 1);
    return 0;
}

enum view index_batch_view(const struct index_batch *batch, uint32_t hash_number)
{
    const struct index_view *views = batch->views.items;
    size_t first = 0;
    size_t end = batch->views.count;

    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (views[middle].hash_number < hash_number)
            first = middle + 1;
        else
            end = middle;
    }
    return first < batch->views.count && views[first].hash_number == hash_number
               ? (enum view)views[first].view
               : VIEW_MAIN;
}

static int reserve_like(struct index_batch *batch, const struct index_batch *other)
{
    int result = array_reserve(&batch->rows, other->rows.count);

    result = result < 0 ? result : array_reserve(&batch->lists, other->lists.count);
    result = result < 0 ? result : array_reserve(&batch->kinds, other->kinds.count);
    result = result < 0 ? result : array_reserve(&batch->hashes, other->hashes.count);
    result = result < 0 ? result : array_reserve(&batch->hash_slots, other->hashes.count);
    result = result < 0 ? result : array_reserve(&batch->views, other->views.count);
    for (int kind = 0; kind < DIGEST_KIND_COUNT && result == 0; kind++)
        result = array_reserve(&batch->records[kind], other->records[kind].count);
    return result;
}

/* Copies rows, lists and kinds; new_slots says where each entry went. */
static void append_entries(struct index_batch *batch, const struct index_batch *other,
                           const uint64_t *removed, const struct index_pace *pace, uint32_t *new_slots)
{
    const uint8_t *kinds = other->kinds.items;

    for (uint32_t slot = 0; slot < other->rows.count; slot++) {
        index_pace_at(pace, slot);
        new_slots[slot] = no_slot;
        if (removed != NULL && index_slot_is_set(removed, slot))
            continue;
        new_slots[slot] = (uint32_t)batch->rows.count;
        push_entry(batch, index_batch_row(other, slot), index_batch_list(other, slot), kinds[slot]);
    }
}

/* Copies hashes, and of which views they are. */
static void append_hashes(struct index_batch *batch, const struct index_batch *other,
                          const uint32_t *new_slots, const struct index_pace *pace)
{
    const struct pdq_hash *hashes = other->hashes.items;
    const struct index_view *view = other->views.items;
    const struct index_view *end = view + other->views.count;

    for (uint32_t i = 0; i < other->hashes.count; i++) {
        index_pace_at(pace, i);
        uint32_t slot = new_slots[index_batch_slot(other, i)];
        bool is_view = view != end && view->hash_number == i;
        if (is_view && slot != no_slot)
            *(struct index_view *)array_push(&batch->views) =
                (struct index_view){(uint32_t)batch->hashes.count, view->view};
        if (slot != no_slot)
            push_hash(batch, &hashes[i], slot);
        view += is_view;
    }
}

static void append_digests(struct index_batch *batch, const struct index_batch *other, int kind,
                           const uint32_t *new_slots, const struct index_pace *pace)
{
    const size_t words = record_words(kind);
    const uint32_t *record = other->records[kind].items;

    for (size_t i = 0; i < other->records[kind].count; i++, record += words) {
        index_pace_at(pace, i);
        uint32_t slot = new_slots[record[words - 1]];
        if (slot != no_slot)
            push_digest(batch, kind, record, slot);
    }
}

int index_batch_append(struct index_batch *batch, const struct index_batch *other, const uint64_t *removed,
                       const struct index_pace *pace)
{
    size_t slot_bytes = other->rows.count * sizeof(uint32_t);
    uint32_t *new_slots;

    if (batch->rows.count + other->rows.count > NEAR_COUNT_MAX ||
        batch->hashes.count + other->hashes.count > NEAR_COUNT_MAX || reserve_like(batch, other) < 0)
        return -ENOMEM;
    new_slots = index_memory_acquire(slot_bytes);
    if (new_slots == NULL)
        return -ENOMEM;
    append_entries(batch, other, removed, pace, new_slots);
    append_hashes(batch, other, new_slots, pace);
    for (int kind = 0; kind < DIGEST_KIND_COUNT; kind++)
        append_digests(batch, other, kind, new_slots, pace);
    index_memory_release(new_slots, slot_bytes);
    return 0;
}
