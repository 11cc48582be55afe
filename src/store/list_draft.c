#include "list_draft.h"

#include "prescreen/base/bug.h"

#include "entry_views.h"
#include "list_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How an item lies in the sorter under its entry_id: this, the known hashes, views, classification and note,
 * both terminated. The key is terminated too, which leaves the order of bytes as it is. */
struct packed_item {
    uint64_t line, ordinal, rank;
    int32_t pdq_quality;
    uint16_t classification_size, note_size; /* with their ends */
    uint16_t views_size;
    uint8_t kinds;
    bool removing, quiet;
};

enum {
    PACKED_MAX = sizeof(struct packed_item) + MD5_SIZE + SHA1_SIZE + SHA256_SIZE + PDQ_SIZE +
                 ENTRY_VIEWS_SIZE_MAX + CLASSIFICATION_MAX + 1 + ENTRY_NOTE_MAX + 1
};
_Static_assert((int)PACKED_MAX <= (int)SORTER_VALUE_MAX && ENTRY_ID_MAX + 1 <= (int)SORTER_VALUE_MAX,
               "an item fits");

static int file_fault(int result, const struct list_draft *draft, struct diag *diag)
{
    return diag_fail(diag, result, "the change cannot be gathered in a file beside %s: %s",
                     draft->store->path, strerror(-result));
}

int list_draft_begin(struct list_store *store, const char *name, enum list_change_mode mode,
                     struct list_draft **draft, struct diag *diag)
{
    struct list_info info;
    char folder[PATH_MAX];
    int result = list_store_get(store, name, &info, diag);

    if (result != 0)
        return result;
    struct list_draft *made = calloc(1, sizeof *made);
    if (made == NULL)
        return diag_fail(diag, -ENOMEM, "out of memory");
    made->store = store;
    made->mode = mode;
    made->list = info.number;
    memcpy(made->name, info.properties.name, sizeof made->name);
    memcpy(folder, store->path, sizeof folder);
    *strrchr(folder, '/') = '\0';
    result = sorter_create(folder, SORTER_MEMORY, &made->items);
    if (result != 0) {
        file_fault(result, made, diag);
        list_draft_abandon(made);
        return result;
    }
    *draft = made;
    return 0;
}

void list_draft_abandon(struct list_draft *draft)
{
    if (draft == NULL)
        return;
    sorter_free(draft->items);
    free(draft);
}

static int add_item(struct list_draft *draft, const char *entry_id, const void *packed, size_t size,
                    struct diag *diag)
{
    const struct sorted_item item = {.key = entry_id,
                                     .key_size = (uint32_t)strlen(entry_id) + 1,
                                     .value = packed,
                                     .value_size = (uint32_t)size};

    if (draft->fault == 0)
        draft->fault = sorter_add(draft->items, &item);
    return draft->fault == 0 ? 0 : file_fault(draft->fault, draft, diag);
}

static uint8_t *pack(uint8_t *at, const void *data, size_t size)
{
    memcpy(at, data, size);
    return at + size;
}

int list_draft_upsert(struct list_draft *draft, const struct list_entry *entry, struct diag *diag)
{
    const struct known_hashes *hashes = &entry->hashes;
    uint8_t pdq[PDQ_SIZE];
    const uint8_t *const values[HASH_KIND_COUNT] = {hashes->md5, hashes->sha1, hashes->sha256, pdq};
    uint8_t packed[PACKED_MAX];

    if (list_entry_check(entry, diag) != 0)
        return LIST_STORE_REFUSED;
    const struct packed_item head = {.line = entry->line,
                                     .ordinal = ++draft->upserts,
                                     .rank = entry->rank,
                                     .pdq_quality = hashes->pdq_quality,
                                     .classification_size = (uint16_t)(strlen(entry->classification) + 1),
                                     .note_size = (uint16_t)(strlen(entry->note) + 1),
                                     .views_size = (uint16_t)(entry->view_count * ENTRY_VIEW_SIZE),
                                     .kinds = (uint8_t)hashes->kinds};
    uint8_t *at = pack(packed, &head, sizeof head);
    pdq_to_bytes(&hashes->pdq, pdq);
    for (unsigned int kind = 0; kind < HASH_KIND_COUNT; kind++) {
        if ((hashes->kinds & HASH_BIT(kind)) != 0)
            at = pack(at, values[kind], hash_kind_size((enum hash_kind)kind));
    }
    entry_views_pack(entry->views, entry->view_count, at);
    at += head.views_size;
    at = pack(at, entry->classification, head.classification_size);
    at = pack(at, entry->note, head.note_size);
    return add_item(draft, entry->entry_id, packed, (size_t)(at - packed), diag);
}

static int add_removal(struct list_draft *draft, const char *entry_id, uint64_t rank, bool quiet,
                       struct diag *diag)
{
    const struct packed_item head = {
        .ordinal = draft->removals + 1, .rank = rank, .removing = true, .quiet = quiet};
    size_t length = strlen(entry_id);

    if (length == 0 || length > ENTRY_ID_MAX)
        return diag_fail(diag, LIST_STORE_REFUSED, "entry_id: %zu bytes, 1 to %d are allowed", length,
                         ENTRY_ID_MAX);
    draft->removals++;
    return add_item(draft, entry_id, &head, sizeof head, diag);
}

int list_draft_remove(struct list_draft *draft, const char *entry_id, struct diag *diag)
{
    return add_removal(draft, entry_id, 0, false, diag);
}

int list_draft_withdraw(struct list_draft *draft, const char *entry_id, uint64_t rank, struct diag *diag)
{
    return add_removal(draft, entry_id, rank, true, diag);
}

void list_draft_allow_repeats(struct list_draft *draft)
{
    draft->repeats = true;
}

void list_draft_spare_versions(struct list_draft *draft)
{
    draft->sparing = true;
}

void list_draft_allow_copies(struct list_draft *draft)
{
    draft->copies = true;
}

void list_draft_vouch(struct list_draft *draft)
{
    draft->vouched = true;
}

static void unpack(const struct sorted_item *sorted, struct draft_item *item)
{
    const uint8_t *at = sorted->value;
    struct packed_item head;

    BUG_ON(sorted->value_size < sizeof head);
    memcpy(&head, at, sizeof head);
    at += sizeof head;
    *item = (struct draft_item){.entry_id = sorted->key,
                                .removing = head.removing,
                                .quiet = head.quiet,
                                .pdq_quality = head.pdq_quality,
                                .line = head.line,
                                .ordinal = head.ordinal};
    for (unsigned int kind = 0; kind < HASH_KIND_COUNT; kind++) {
        if ((head.kinds & HASH_BIT(kind)) == 0)
            continue;
        item->hashes[kind] = at;
        at += hash_kind_size((enum hash_kind)kind);
    }
    item->views = head.views_size > 0 ? at : NULL;
    item->views_size = head.views_size;
    at += head.views_size;
    item->classification = (const char *)at;
    item->note = (const char *)at + head.classification_size;
}

static uint64_t rank_of(const void *value)
{
    struct packed_item head;

    memcpy(&head, value, sizeof head);
    return head.rank;
}

/* Reads one item of the sorter ahead, into a copy. */
static int read_ahead(struct list_draft *draft)
{
    struct sorted_item sorted;
    int result = sorter_next(draft->items, &sorted);

    draft->ahead = result == SORTER_ITEM;
    if (!draft->ahead)
        return result;
    BUG_ON(sorted.key_size > sizeof draft->ahead_key || sorted.value_size > sizeof draft->ahead_value);
    memcpy(draft->ahead_key, sorted.key, sorted.key_size);
    memcpy(draft->ahead_value, sorted.value, sorted.value_size);
    draft->ahead_key_size = sorted.key_size;
    draft->ahead_value_size = sorted.value_size;
    return 0;
}

/* Takes the item that was read ahead as the one to give. */
static void take_ahead(struct list_draft *draft, struct sorted_item *sorted)
{
    memcpy(draft->key, draft->ahead_key, draft->ahead_key_size);
    memcpy(draft->value, draft->ahead_value, draft->ahead_value_size);
    *sorted = (struct sorted_item){.key = draft->key,
                                   .key_size = draft->ahead_key_size,
                                   .value = draft->value,
                                   .value_size = draft->ahead_value_size};
}

/* Of items of one key, which follow each other as they came, the one that counts. */
static int next_of_repeats(struct list_draft *draft, struct sorted_item *sorted)
{
    int result = draft->begun ? 0 : read_ahead(draft);

    draft->begun = true;
    if (result != 0 || !draft->ahead)
        return result;
    take_ahead(draft, sorted);
    while ((result = read_ahead(draft)) == 0 && draft->ahead && draft->ahead_key_size == sorted->key_size &&
           memcmp(draft->ahead_key, sorted->key, sorted->key_size) == 0) {
        if (rank_of(draft->ahead_value) >= rank_of(draft->value))
            take_ahead(draft, sorted);
    }
    return result < 0 ? result : SORTER_ITEM;
}

static int next_item(struct list_draft *draft, struct sorted_item *sorted)
{
    if (draft->fault != 0)
        return draft->fault;
    return draft->repeats ? next_of_repeats(draft, sorted) : sorter_next(draft->items, sorted);
}

/* Whether two upserts ask for the same, wherever they came from. */
static bool same_upsert(const uint8_t *a, const uint8_t *b, size_t size)
{
    struct packed_item one;
    struct packed_item other;

    memcpy(&one, a, sizeof one);
    memcpy(&other, b, sizeof other);
    return !one.removing && !other.removing && one.kinds == other.kinds &&
           one.pdq_quality == other.pdq_quality && one.views_size == other.views_size &&
           one.classification_size == other.classification_size && one.note_size == other.note_size &&
           memcmp(a + sizeof one, b + sizeof other, size - sizeof one) == 0;
}

/* Compares with the item that was given last, and takes its place. */
static bool is_copy(struct list_draft *draft, const struct sorted_item *sorted)
{
    bool same = draft->key_size == sorted->key_size && draft->value_size == sorted->value_size &&
                memcmp(draft->key, sorted->key, sorted->key_size) == 0 &&
                same_upsert(draft->value, sorted->value, sorted->value_size);

    BUG_ON(sorted->key_size > sizeof draft->key || sorted->value_size > sizeof draft->value);
    memcpy(draft->key, sorted->key, sorted->key_size);
    memcpy(draft->value, sorted->value, sorted->value_size);
    draft->key_size = sorted->key_size;
    draft->value_size = sorted->value_size;
    return same;
}

int list_draft_next(struct list_draft *draft, struct draft_item *item, struct diag *diag)
{
    struct sorted_item sorted;
    int result = next_item(draft, &sorted);

    if (result < 0)
        return file_fault(result, draft, diag);
    if (result == SORTER_ITEM) {
        unpack(&sorted, item);
        item->is_copy = draft->copies && !draft->repeats && is_copy(draft, &sorted);
    }
    return result == SORTER_ITEM ? DRAFT_ITEM : 0;
}
