#include "prescreen/screen/catalog.h"

#include "prescreen/base/bug.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct catalog {
    struct list_store *store;
    enum cpu_level cpu;
    pthread_mutex_t refresh_lock; /* held while a new reading is made */
    uint64_t stamp;               /* of the store, from before the reading was made */
    pthread_mutex_t reading_lock; /* guards reading and every reference count */
    struct catalog_reading *reading;
};

/* What follows from the store while a new reading is made. */
struct change {
    struct list_info *lists;
    size_t list_count, list_capacity;
    uint64_t *removed;
    size_t removed_count, removed_capacity;
    struct index_batch *added;
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

static void free_reading(struct catalog_reading *reading)
{
    if (reading == NULL)
        return;
    index_generation_release(reading->generation);
    free(reading->lists);
    free(reading->rulings);
    free(reading);
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
static int make_reading(const struct catalog *catalog, const struct index_generation *old,
                        struct change *change, uint64_t lists_version, struct catalog_reading **next)
{
    struct catalog_reading *reading = calloc(1, sizeof *reading);
    struct index_generation *generation = NULL;
    struct index_statistics statistics;

    if (reading == NULL)
        return -ENOMEM;
    int result = index_generation_apply(old, change->added, change->removed, change->removed_count,
                                        catalog->cpu, &generation);
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
                                        .references = 1};
    change->lists = NULL;
    change->rulings = NULL;
    *next = reading;
    return 0;
}

static void swap_reading(struct catalog *catalog, struct catalog_reading *next)
{
    pthread_mutex_lock(&catalog->reading_lock);
    struct catalog_reading *old = catalog->reading;
    catalog->reading = next;
    pthread_mutex_unlock(&catalog->reading_lock);
    if (old != NULL)
        catalog_release(catalog, old);
}

/* Reads what changed after the reading from (NULL: everything). Called with refresh_lock held. */
static int follow_from(const struct catalog *catalog, const struct catalog_reading *from,
                       struct catalog_reading **next, struct diag *diag)
{
    struct change change = {0};
    uint64_t version = 0;
    int result = index_batch_create(&change.added);

    if (result == 0 && catalog->store != NULL) {
        struct list_follower follower = {.context = &change,
                                         .on_list = on_list,
                                         .on_removed = on_removed,
                                         .on_added = on_added,
                                         .on_view = on_view,
                                         .on_ruling = on_ruling};
        result = list_store_follow(catalog->store, from == NULL ? 0 : from->lists_version, &follower,
                                   &version, diag);
    }
    if (result == 0)
        result = make_reading(catalog, from == NULL ? NULL : from->generation, &change, version, next);
    if (result == -ENOMEM)
        diag_set(diag, "no memory for the index of the lists");
    index_batch_free(change.added);
    free(change.lists);
    free(change.removed);
    free(change.rulings);
    return result;
}

/* Called with refresh_lock held. */
static int follow_store(struct catalog *catalog, struct diag *diag)
{
    struct catalog_reading *next = NULL;
    int result = follow_from(catalog, catalog->reading, &next, diag);

    /* The store does not know our version: an older copy was put in its place. What it holds now is what
     * counts. */
    if (result == LIST_STORE_NOT_FOUND)
        result = follow_from(catalog, NULL, &next, diag);
    if (result != 0)
        return result < 0 ? result : -EIO;
    swap_reading(catalog, next);
    return 0;
}

int catalog_create(struct list_store *store, enum cpu_level cpu, struct catalog **catalog, struct diag *diag)
{
    struct catalog *created = calloc(1, sizeof *created);

    if (created == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the catalog of lists");
    created->store = store;
    created->cpu = cpu;
    pthread_mutex_init(&created->refresh_lock, NULL);
    pthread_mutex_init(&created->reading_lock, NULL);
    int result = store == NULL ? 0 : list_store_stamp(store, &created->stamp, diag);
    if (result == 0)
        result = follow_store(created, diag);
    if (result != 0) {
        catalog_free(created);
        return result;
    }
    *catalog = created;
    return 0;
}

void catalog_free(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    if (catalog->reading != NULL)
        catalog_release(catalog, catalog->reading);
    pthread_mutex_destroy(&catalog->refresh_lock);
    pthread_mutex_destroy(&catalog->reading_lock);
    free(catalog);
}

int catalog_refresh(struct catalog *catalog, struct diag *diag)
{
    uint64_t version = 0;
    uint64_t stamp = 0;

    if (catalog->store == NULL)
        return 0;
    pthread_mutex_lock(&catalog->refresh_lock);
    int result = list_store_stamp(catalog->store, &stamp, diag);
    if (result == 0)
        result = list_store_version(catalog->store, &version, diag);
    /* Without a new version lists may still be younger. */
    if (result == 0 && (version != catalog->reading->lists_version || stamp != catalog->stamp)) {
        result = follow_store(catalog, diag);
        if (result == 0)
            catalog->stamp = stamp;
    }
    pthread_mutex_unlock(&catalog->refresh_lock);
    return result <= 0 ? result : -EIO;
}

const struct list_info *catalog_find_list(const struct catalog_reading *reading, uint32_t number)
{
    for (size_t i = 0; i < reading->list_count; i++) {
        if (reading->lists[i].number == number)
            return &reading->lists[i];
    }
    return NULL;
}

static int compare_row(const void *row, const void *ruling)
{
    const uint64_t wanted = *(const uint64_t *)row;
    const uint64_t found = ((const struct catalog_ruling *)ruling)->row;

    return wanted < found ? -1 : wanted > found;
}

enum entry_ruling catalog_find_ruling(const struct catalog_reading *reading, uint64_t row)
{
    const struct catalog_ruling *found = NULL;

    if (reading->ruling_count > 0)
        found = bsearch(&row, reading->rulings, reading->ruling_count, sizeof *reading->rulings, compare_row);
    return found != NULL ? found->ruling : RULING_NONE;
}

const struct catalog_reading *catalog_acquire(struct catalog *catalog)
{
    pthread_mutex_lock(&catalog->reading_lock);
    struct catalog_reading *reading = catalog->reading;
    reading->references++;
    pthread_mutex_unlock(&catalog->reading_lock);
    return reading;
}

void catalog_release(struct catalog *catalog, const struct catalog_reading *reading)
{
    /* Ours since acquire: const only towards callers. */
    struct catalog_reading *own = (struct catalog_reading *)reading;

    pthread_mutex_lock(&catalog->reading_lock);
    BUG_ON(own->references == 0);
    bool last = --own->references == 0;
    pthread_mutex_unlock(&catalog->reading_lock);
    if (last)
        free_reading(own);
}
