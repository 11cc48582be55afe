#include "readiness.h"

#include "prescreen/base/clock.h"

#include <stdio.h>

enum { TRIED_LIFE_US = 1000000, PART_SIZE = 256 };

void readiness_init(struct readiness *readiness)
{
    *readiness = (struct readiness){0};
    pthread_mutex_init(&readiness->lock, NULL);
}

void readiness_destroy(struct readiness *readiness)
{
    pthread_mutex_destroy(&readiness->lock);
}

/* With the lock held. */
static void try_stores(struct readiness *readiness, const struct http_server_parts *parts)
{
    uint64_t lists_version = 0;

    readiness->fault.text[0] = '\0';
    readiness->stores_work = list_store_version(parts->list_store, &lists_version, &readiness->fault) == 0 &&
                             record_store_probe(parts->record_store, &readiness->fault) == 0;
    readiness->tried_us = clock_monotonic_us();
}

static bool stores_work(struct readiness *readiness, const struct http_server_parts *parts,
                        char fault[PART_SIZE])
{
    pthread_mutex_lock(&readiness->lock);
    if (readiness->tried_us == 0 || clock_monotonic_us() - readiness->tried_us >= TRIED_LIFE_US)
        try_stores(readiness, parts);
    bool work = readiness->stores_work;
    if (!work)
        snprintf(fault, PART_SIZE, "store (%.200s)", readiness->fault.text);
    pthread_mutex_unlock(&readiness->lock);
    return work;
}

static bool index_is_loaded(struct catalog *catalog)
{
    const struct catalog_reading *reading = catalog_acquire(catalog);
    bool loaded = reading != NULL && reading->generation != NULL;

    catalog_release(catalog, reading);
    return loaded;
}

static bool plain_workers_live(struct decoders *decoders)
{
    struct worker_pool_status status;

    decoders_read_status(decoders, WORKER_PLAIN, &status);
    return status.alive > 0;
}

/* Every broken file costs one of these its life: whoever sends such files must not make the service look
 * broken. */
static bool heif_workers_live(struct decoders *decoders)
{
    struct worker_pool_status status;

    decoders_read_status(decoders, WORKER_HEIF, &status);
    return !decoders_have(decoders, WORKER_HEIF) || status.alive + status.coming > 0;
}

bool readiness_check(struct readiness *readiness, const struct http_server_parts *parts, struct diag *missing)
{
    char fault[PART_SIZE] = "";
    const bool index = index_is_loaded(parts->catalog);
    const bool stores = stores_work(readiness, parts, fault);

    const bool plain = plain_workers_live(parts->decoders);
    const bool heif = heif_workers_live(parts->decoders);

    if (index && stores && plain && heif)
        return true;
    diag_set(missing, "missing:%s%s%s%s%s", index ? "" : " index", plain ? "" : " workers",
             heif ? "" : " heif_workers", stores ? "" : " ", fault);
    return false;
}
