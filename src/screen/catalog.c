#include "prescreen/base/bug.h"
#include "prescreen/base/clock.h"

#include "catalog_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void catalog_tell(const struct catalog *catalog, enum catalog_event event, const char *text)
{
    if (catalog->options.on_event != NULL)
        catalog->options.on_event(catalog->options.context, event, text);
}

void catalog_reading_free(struct catalog_reading *reading)
{
    if (reading == NULL)
        return;
    index_generation_release(reading->generation);
    free(reading->lists);
    free(reading->rulings);
    free(reading);
}

/* A copy of an array; NULL only when there is no memory. */
static void *copy_array(const void *array, size_t count, size_t item_bytes)
{
    void *copy = calloc(count + 1, item_bytes);

    if (copy != NULL && count > 0)
        memcpy(copy, array, count * item_bytes);
    return copy;
}

int catalog_reading_copy(const struct catalog_reading *from, const struct index_generation *generation,
                         struct catalog_reading **copy)
{
    struct catalog_reading *made = calloc(1, sizeof *made);

    if (made == NULL) {
        index_generation_release(generation);
        return -ENOMEM;
    }
    /* Not as a whole: others change its counter meanwhile. */
    made->generation = generation;
    made->list_count = from->list_count;
    made->number_count = from->number_count;
    made->ruling_count = from->ruling_count;
    made->exempt_count = from->exempt_count;
    made->lists_version = from->lists_version;
    made->digest_kinds = from->digest_kinds;
    made->has_views = from->has_views;
    made->changes = from->changes;
    made->lists = copy_array(from->lists, from->list_count, sizeof *from->lists);
    made->rulings = copy_array(from->rulings, from->ruling_count, sizeof *from->rulings);
    made->references = 1;
    if (made->lists == NULL || made->rulings == NULL) {
        catalog_reading_free(made);
        return -ENOMEM;
    }
    *copy = made;
    return 0;
}

void catalog_swap(struct catalog *catalog, struct catalog_reading *next, bool aside)
{
    pthread_mutex_lock(&catalog->reading_lock);
    struct catalog_reading *old = catalog->reading;
    catalog->reading = next;
    if (old != NULL)
        old->replaced_aside = aside;
    pthread_mutex_unlock(&catalog->reading_lock);
    if (old != NULL)
        catalog_release(catalog, old);
}

/* While somebody waits only so much is merged, where somebody else merges the rest. */
static size_t merge_max(const struct catalog *catalog)
{
    return catalog->keeper.running ? (size_t)CATALOG_MERGE_MAX : SIZE_MAX;
}

static void set_stamp(struct catalog *catalog, uint64_t stamp)
{
    pthread_mutex_lock(&catalog->reading_lock);
    catalog->stamp = stamp;
    pthread_mutex_unlock(&catalog->reading_lock);
}

int catalog_take_in(struct catalog *catalog, struct diag *diag)
{
    struct catalog_reading *next = NULL;
    uint64_t version = 0;
    uint64_t stamp = 0;
    int result = list_store_stamp(catalog->options.store, &stamp, diag);

    if (result == 0)
        result = list_store_version(catalog->options.store, &version, diag);
    /* Without a new version lists may still be younger. */
    if (result != 0 || (version == catalog->reading->lists_version && stamp == catalog->stamp))
        return result <= 0 ? result : -EIO;
    result = catalog_follow(catalog, catalog->reading, merge_max(catalog), &next, diag);
    /* The store does not know our version: an older copy was put in its place. What it holds now is what
     * counts. */
    if (result == LIST_STORE_NOT_FOUND)
        result = catalog_follow(catalog, NULL, merge_max(catalog), &next, diag);
    if (result != 0)
        return result < 0 ? result : -EIO;
    catalog_swap(catalog, next, false);
    set_stamp(catalog, stamp);
    return 0;
}

/* The first reading: what the snapshot holds and what changed since, or everything. */
static int load(struct catalog *catalog, struct diag *diag)
{
    struct catalog_reading *kept = NULL;
    struct catalog_reading *first = NULL;
    int result = catalog_load_snapshot(catalog, &kept, diag);

    /* What was mapped is not copied while the start waits, however much has come to it. */
    if (result == 0)
        result =
            catalog_follow(catalog, kept, kept == NULL ? SIZE_MAX : (size_t)CATALOG_MERGE_MAX, &first, diag);
    if (result == LIST_STORE_NOT_FOUND && kept != NULL) {
        catalog_tell(catalog, CATALOG_SNAPSHOT_REFUSED, diag->text);
        catalog_reading_free(kept);
        kept = NULL;
        result = catalog_follow(catalog, NULL, SIZE_MAX, &first, diag);
    }
    catalog->status.from_snapshot = kept != NULL;
    catalog->status.snapshot_version = kept != NULL ? kept->lists_version : 0;
    catalog_reading_free(kept);
    if (result != 0)
        return result < 0 ? result : -EIO;
    catalog_swap(catalog, first, false);
    return 0;
}

static void tell_loaded(struct catalog *catalog, uint64_t begun_us)
{
    const struct catalog_reading *reading = catalog->reading;
    struct index_statistics statistics;
    char text[128];

    catalog->status.load_us = clock_monotonic_us() - begun_us;
    index_generation_read_statistics(reading->generation, &statistics);
    snprintf(text, sizeof text,
             "%" PRIu64 " entries of lists_version %" PRIu64 " from the %s in %" PRIu64 " ms",
             statistics.entries, reading->lists_version, catalog->status.from_snapshot ? "snapshot" : "store",
             catalog->status.load_us / 1000);
    catalog_tell(catalog, CATALOG_LOADED, text);
}

int catalog_create(const struct catalog_options *options, struct catalog **catalog, struct diag *diag)
{
    const uint64_t begun_us = clock_monotonic_us();
    struct catalog *created = calloc(1, sizeof *created);

    if (created == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the catalog of lists");
    created->options = *options;
    atomic_init(&created->screenings, 0);
    pthread_mutex_init(&created->refresh_lock, NULL);
    pthread_mutex_init(&created->reading_lock, NULL);
    int result = options->store == NULL ? 0 : list_store_stamp(options->store, &created->stamp, diag);
    if (result == 0)
        result = load(created, diag);
    if (result != 0) {
        catalog_free(created);
        return result;
    }
    tell_loaded(created, begun_us);
    *catalog = created;
    return 0;
}

int catalog_keep(struct catalog *catalog)
{
    return catalog_keeper_start(catalog);
}

void catalog_free(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    catalog_keeper_stop(catalog);
    if (catalog->reading != NULL)
        catalog_release(catalog, catalog->reading);
    pthread_mutex_destroy(&catalog->refresh_lock);
    pthread_mutex_destroy(&catalog->reading_lock);
    free(catalog);
}

/* What is in force: the version, and the stamp of the store from before it was read. */
static void read_in_force(struct catalog *catalog, uint64_t *version, uint64_t *stamp)
{
    pthread_mutex_lock(&catalog->reading_lock);
    *version = catalog->reading->lists_version;
    *stamp = catalog->stamp;
    pthread_mutex_unlock(&catalog->reading_lock);
}

/* Whether what is to be taken in is the keeper's work. Never wrong by much: changed entries count once. */
static int is_large(struct catalog *catalog, bool *large, struct diag *diag)
{
    uint64_t added = 0;
    int result = 0;

    *large = false;
    if (catalog->keeper.running)
        result =
            list_store_count_since(catalog->options.store, catalog->reading->lists_version, &added, diag);
    *large = result == 0 && added > CATALOG_AT_ONCE_MAX;
    return result <= 0 ? result : 0;
}

/* Takes in what there is or leaves it to the keeper, whom it then waits for. deadline_us NULL: as long as it
 * takes. */
static int bring_up(struct catalog *catalog, uint64_t version, const uint64_t *deadline_us, struct diag *diag)
{
    bool large = false;

    if (deadline_us == NULL) {
        pthread_mutex_lock(&catalog->refresh_lock);
    } else {
        const struct timespec until = {.tv_sec = (time_t)(*deadline_us / 1000000),
                                       .tv_nsec = (long)(*deadline_us % 1000000 * 1000)};
        /* Whoever holds it this long is taking in a change of very many entries. */
        if (pthread_mutex_clocklock(&catalog->refresh_lock, CLOCK_MONOTONIC, &until) != 0)
            return 0;
    }
    int result = is_large(catalog, &large, diag);
    if (result == 0 && !large)
        result = catalog_take_in(catalog, diag);
    pthread_mutex_unlock(&catalog->refresh_lock);
    if (result == 0 && large)
        result = catalog_keeper_wait(catalog, version, deadline_us, diag);
    return result < 0 ? result : 0;
}

int catalog_refresh(struct catalog *catalog, struct diag *diag)
{
    uint64_t version = 0;
    uint64_t stamp = 0;
    uint64_t version_in_force = 0;
    uint64_t stamp_in_force = 0;

    if (catalog->options.store == NULL)
        return 0;
    int result = list_store_stamp(catalog->options.store, &stamp, diag);
    if (result == 0)
        result = list_store_version(catalog->options.store, &version, diag);
    read_in_force(catalog, &version_in_force, &stamp_in_force);
    if (result == 0 && (version != version_in_force || stamp != stamp_in_force))
        result = bring_up(catalog, version, NULL, diag);
    return result <= 0 ? result : -EIO;
}

/* Until when a screening waits for a version: everybody's patience begins when the first one misses it. */
static uint64_t patience_for(struct catalog *catalog, uint64_t version)
{
    pthread_mutex_lock(&catalog->reading_lock);
    if (catalog->missed_version <= catalog->reading->lists_version)
        catalog->missed_us = clock_monotonic_us();
    catalog->missed_version = version;
    uint64_t deadline_us = catalog->missed_us + CATALOG_WAIT_US;
    pthread_mutex_unlock(&catalog->reading_lock);
    return deadline_us;
}

int catalog_catch_up(struct catalog *catalog, struct diag *diag)
{
    uint64_t version = 0;
    uint64_t foreign = 0;
    uint64_t stamp = 0;
    uint64_t version_in_force = 0;
    uint64_t stamp_in_force = 0;

    if (catalog->options.store == NULL)
        return 0;
    int result = list_store_stamp(catalog->options.store, &stamp, diag);
    if (result == 0)
        result = list_store_foreign_version(catalog->options.store, &version, &foreign, diag);
    read_in_force(catalog, &version_in_force, &stamp_in_force);
    /* A version below ours is one of another copy of the store. */
    bool missed = foreign > version_in_force || version < version_in_force ||
                  (version == version_in_force && stamp != stamp_in_force);
    if (result == 0 && missed) {
        const uint64_t wanted = foreign > version_in_force ? foreign : version;
        const uint64_t deadline_us = patience_for(catalog, wanted);
        result = bring_up(catalog, wanted, &deadline_us, diag);
    }
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
    /* Freeing gigabytes takes a while, which a screening does not have. */
    bool retires = last && own->replaced_aside && catalog->keeper.running;
    if (retires) {
        own->next_retired = catalog->retired;
        catalog->retired = own;
    }
    pthread_mutex_unlock(&catalog->reading_lock);
    if (last && !retires)
        catalog_reading_free(own);
}

void catalog_begin_screening(struct catalog *catalog)
{
    atomic_fetch_add_explicit(&catalog->screenings, 1, memory_order_relaxed);
}

void catalog_end_screening(struct catalog *catalog)
{
    atomic_fetch_sub_explicit(&catalog->screenings, 1, memory_order_relaxed);
}

void catalog_read_status(struct catalog *catalog, struct catalog_status *status)
{
    pthread_mutex_lock(&catalog->reading_lock);
    *status = catalog->status;
    pthread_mutex_unlock(&catalog->reading_lock);
}
