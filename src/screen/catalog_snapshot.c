/* The snapshot of the index: taken up at start, written now and then. */
#include "prescreen/base/clock.h"
#include "prescreen/index/snapshot.h"

#include "catalog_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A snapshot is due when a hundredth of the entries came or went, at the end also when so many did: less is
 * followed in no time, and not worth a gigabyte to write. */
enum { CHANGES_SHARE = 100, CHANGES_AT_END = 10000 };
_Static_assert((int)INDEX_MARK_SIZE == (int)LIST_STORE_MARK_SIZE, "a snapshot carries the mark of its store");

/* Whether a snapshot is of this store. Returns 0 when it is, LIST_STORE_NOT_FOUND with a sentence when not,
 * or a negative errno. */
static int check_origin(const struct catalog *catalog, const struct index_origin *origin, struct diag *diag)
{
    uint8_t mark[LIST_STORE_MARK_SIZE];
    int result = list_store_mark(catalog->options.store, origin->lists_version, mark, diag);

    if (result != 0)
        return result;
    if (memcmp(mark, origin->mark, sizeof mark) != 0)
        return diag_fail(
            diag, LIST_STORE_NOT_FOUND,
            "the snapshot of the index was made of another list store, or of another copy of it");
    return 0;
}

static int make_reading(const struct index_generation *generation, uint64_t lists_version,
                        struct catalog_reading **reading)
{
    struct catalog_reading *made = calloc(1, sizeof *made);

    if (made == NULL) {
        index_generation_release(generation);
        return -ENOMEM;
    }
    made->generation = generation;
    made->lists_version = lists_version;
    made->references = 1;
    *reading = made;
    return 0;
}

int catalog_load_snapshot(struct catalog *catalog, struct catalog_reading **reading, struct diag *diag)
{
    struct index_snapshot *snapshot = NULL;
    struct index_generation *generation = NULL;
    struct index_origin origin;

    if (catalog->options.folder == NULL || catalog->options.store == NULL)
        return 0;
    int result = index_snapshot_open(catalog->options.folder, &snapshot, &origin, diag);
    if (result == INDEX_SNAPSHOT_NONE)
        return 0;
    if (result == 0)
        result = check_origin(catalog, &origin, diag);
    if (result == 0)
        result = index_snapshot_load(snapshot, catalog->options.cpu, &generation, diag);
    index_snapshot_close(snapshot);
    if (result == 0)
        return make_reading(generation, origin.lists_version, reading);
    /* Whatever it was: everything is in the store. */
    catalog_tell(catalog, CATALOG_SNAPSHOT_REFUSED, diag->text);
    return 0;
}

static bool is_due(const struct catalog *catalog, const struct catalog_reading *reading, bool ending)
{
    const uint64_t changes = reading->changes - catalog->snapshot_changes;
    const bool none = catalog->status.snapshot_version == 0;
    struct index_statistics statistics;

    if (reading->lists_version == 0 || (changes == 0 && !none))
        return false;
    index_generation_read_statistics(reading->generation, &statistics);
    const bool worth = none || changes * CHANGES_SHARE >= statistics.entries;
    if (ending)
        return worth || changes >= CHANGES_AT_END;
    return worth && (catalog->snapshot_us == 0 ||
                     clock_monotonic_us() - catalog->snapshot_us >= catalog->options.snapshot_interval_us);
}

static int write_snapshot(const struct catalog *catalog, const struct catalog_reading *reading,
                          struct diag *diag)
{
    struct index_origin origin = {.lists_version = reading->lists_version};
    int result = list_store_mark(catalog->options.store, origin.lists_version, origin.mark, diag);

    if (result == 0)
        result = index_snapshot_write(catalog->options.folder, reading->generation, &origin,
                                      &catalog->keeper.pace, diag);
    return result;
}

static void note_written(struct catalog *catalog, const struct catalog_reading *reading, int result)
{
    pthread_mutex_lock(&catalog->reading_lock);
    if (result == 0) {
        catalog->status.snapshot_version = reading->lists_version;
        catalog->status.snapshots_written++;
        catalog->snapshot_changes = reading->changes;
    } else {
        catalog->status.snapshots_failed++;
    }
    pthread_mutex_unlock(&catalog->reading_lock);
}

void catalog_keep_snapshot(struct catalog *catalog, bool ending)
{
    const uint64_t begun_us = clock_monotonic_us();
    struct diag diag = {""};
    char text[128];

    if (catalog->options.folder == NULL || catalog->options.store == NULL)
        return;
    const struct catalog_reading *reading = catalog_acquire(catalog);
    if (is_due(catalog, reading, ending)) {
        int result = write_snapshot(catalog, reading, &diag);
        catalog->snapshot_us = clock_monotonic_us();
        note_written(catalog, reading, result);
        snprintf(text, sizeof text, "lists_version %" PRIu64 " in %" PRIu64 " ms", reading->lists_version,
                 (catalog->snapshot_us - begun_us) / 1000);
        catalog_tell(catalog, result == 0 ? CATALOG_SNAPSHOT_WRITTEN : CATALOG_SNAPSHOT_FAILED,
                     result == 0 ? text : diag.text);
    }
    catalog_release(catalog, reading);
}
