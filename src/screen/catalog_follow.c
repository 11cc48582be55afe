/* From the store to a reading: what changed since another one. */
#include "catalog_parts.h"

#include <errno.h>
#include <stdlib.h>

/* What follows from the store while a new reading is made. */
struct change {
    struct list_info *lists;
    size_t list_count, list_capacity;
    uint64_t *removed;
    size_t removed_count, removed_capacity;
    struct index_batch *added;
    size_t added_count;
    struct catalog_ruling *rulings;
    size_t ruling_count, ruling_capacity;
};

static int grow(void **array, size_t count, size_t *capacity, size_t element_bytes)
{
    if (count < *capacity)
        return 0;
    size_t wanted = *capacity == 0 ? 64 : *capacity * 2;
    void *grown = reallocarray(*array, wanted, element_bytes);
    if (grown == NULL)
        return -ENOMEM;
    *array = grown;
    *capacity = wanted;
    return 0;
}

static int on_list(void *context, const struct list_info *info)
{
    struct change *change = context;
    void *lists = change->lists;
    int result = grow(&lists, change->list_count, &change->list_capacity, sizeof *info);

    change->lists = lists;
    if (result == 0)
        change->lists[change->list_count++] = *info;
    return result;
}

static int on_removed(void *context, uint64_t row)
{
    struct change *change = context;
    void *removed = change->removed;
    int result = grow(&removed, change->removed_count, &change->removed_capacity, sizeof row);

    change->removed = removed;
    if (result == 0)
        change->removed[change->removed_count++] = row;
    return result;
}

static int on_added(void *context, uint64_t row, uint32_t list, const struct known_hashes *hashes)
{
    struct change *change = context;

    change->added_count++;
    return index_batch_add(change->added, row, list, hashes);
}

static int on_view(void *context, uint64_t row, const struct entry_view *view)
{
    struct change *change = context;

    (void)row; /* it is the one that was just added */
    return index_batch_add_view(change->added, view->view, &view->hash);
}

static int on_ruling(void *context, uint64_t row, enum entry_ruling ruling)
{
    struct change *change = context;
    void *rulings = change->rulings;
    int result = grow(&rulings, change->ruling_count, &change->ruling_capacity, sizeof *change->rulings);

    change->rulings = rulings;
    if (result == 0)
        change->rulings[change->ruling_count++] = (struct catalog_ruling){row, ruling};
    return result;
}

static uint32_t count_numbers(const struct change *change)
{
    uint32_t count = 0;

    for (size_t i = 0; i < change->list_count; i++) {
        if (change->lists[i].number >= count)
            count = change->lists[i].number + 1;
    }
    return count;
}

static unsigned int find_digest_kinds(const struct index_statistics *statistics)
{
    unsigned int kinds = 0;

    for (unsigned int kind = 0; kind < HASH_PDQ; kind++) {
        if (statistics->kinds[kind] > 0)
            kinds |= HASH_BIT(kind);
    }
    return kinds;
}

static size_t count_exempt(const struct change *change)
{
    size_t count = 0;

    for (size_t i = 0; i < change->ruling_count; i++)
        count += change->rulings[i].ruling == RULING_EXEMPT;
    return count;
}

/* Makes the reading that follows old (NULL: from nothing) of what was followed; takes the change's lists and
 * rulings and batch. */
static int make_reading(const struct catalog *catalog, const struct catalog_reading *old, size_t merge_max,
                        struct change *change, uint64_t lists_version, struct catalog_reading **next)
{
    struct catalog_reading *reading = calloc(1, sizeof *reading);
    struct index_generation *generation = NULL;
    struct index_statistics statistics;

    if (reading == NULL)
        return -ENOMEM;
    int result = index_generation_apply(old == NULL ? NULL : old->generation, change->added, change->removed,
                                        change->removed_count, merge_max, catalog->options.cpu, &generation);
    change->added = NULL;
    if (result != 0) {
        free(reading);
        return result;
    }
    index_generation_read_statistics(generation, &statistics);
    *reading = (struct catalog_reading){.generation = generation,
                                        .lists = change->lists,
                                        .list_count = change->list_count,
                                        .number_count = count_numbers(change),
                                        .rulings = change->rulings,
                                        .ruling_count = change->ruling_count,
                                        .exempt_count = count_exempt(change),
                                        .lists_version = lists_version,
                                        .digest_kinds = find_digest_kinds(&statistics),
                                        .has_views = statistics.views > 0,
                                        .changes = (old == NULL ? 0 : old->changes) + change->added_count +
                                                   change->removed_count,
                                        .references = 1};
    change->lists = NULL;
    change->rulings = NULL;
    *next = reading;
    return 0;
}

int catalog_follow(const struct catalog *catalog, const struct catalog_reading *from, size_t merge_max,
                   struct catalog_reading **next, struct diag *diag)
{
    struct change change = {0};
    uint64_t version = 0;
    int result = index_batch_create(&change.added);

    if (result == 0 && catalog->options.store != NULL) {
        struct list_follower follower = {.context = &change,
                                         .on_list = on_list,
                                         .on_removed = on_removed,
                                         .on_added = on_added,
                                         .on_view = on_view,
                                         .on_ruling = on_ruling};
        result = list_store_follow(catalog->options.store, from == NULL ? 0 : from->lists_version, &follower,
                                   &version, diag);
    }
    if (result == 0)
        result = make_reading(catalog, from, merge_max, &change, version, next);
    if (result == -ENOMEM)
        diag_set(diag, "no memory for the index of the lists");
    index_batch_free(change.added);
    free(change.lists);
    free(change.removed);
    free(change.rulings);
    return result;
}
