/* For those who run the service: /healthz, /readyz, /metrics, /openapi.json. */
#include "prescreen/base/clock.h"
#include "prescreen/base/cpu.h"

#include "handlers.h"
#include "openapi.h"

#include <stdlib.h>
#include <string.h>

enum { METRICS_PAGE_MAX = 16 << 20 };

enum problem health_finish(struct request *request)
{
    answer_set_json(&request->answer, 200, strdup("{\"status\":\"alive\"}"));
    return PROBLEM_NONE;
}

enum problem ready_finish(struct request *request)
{
    struct service *service = request->service;

    if (!readiness_check(&service->readiness, &service->parts, &request->diag))
        return PROBLEM_NOT_READY;
    answer_set_json(&request->answer, 200, strdup("{\"status\":\"ready\"}"));
    return PROBLEM_NONE;
}

enum problem openapi_finish(struct request *request)
{
    answer_set_json(&request->answer, 200, strdup(openapi_document));
    return PROBLEM_NONE;
}

static int render(struct service *service, const struct catalog_reading *reading, struct bytes *page)
{
    struct diag missing;
    struct index_statistics index = {0};
    struct catalog_status catalog;
    struct metrics_reading metrics = {.now_us = clock_wall_us(), .cpu = cpu_level_name(cpu_choose())};

    for (int kind = 0; kind < WORKER_KIND_COUNT; kind++)
        decoders_read_status(service->parts.decoders, (enum worker_kind)kind, &metrics.workers[kind]);
    if (service->parts.cache != NULL)
        examination_cache_read_status(service->parts.cache, &metrics.cache);
    metrics.ready = readiness_check(&service->readiness, &service->parts, &missing);
    index_generation_read_statistics(reading->generation, &index);
    metrics.index_entries = index.entries;
    metrics.index_bytes = index.bytes;
    metrics.index_segments = index.segments;
    catalog_read_status(service->parts.catalog, &catalog);
    metrics.index_merges = catalog.merges;
    metrics.index_from_snapshot = catalog.from_snapshot;
    metrics.index_load_us = catalog.load_us;
    metrics.snapshot_version = catalog.snapshot_version;
    metrics.snapshots_written = catalog.snapshots_written;
    metrics.snapshots_failed = catalog.snapshots_failed;
    metrics.lists = reading->lists;
    metrics.list_count = reading->list_count;
    metrics.lists_version = reading->lists_version;
    return metrics_render(service->parts.metrics, &metrics, page);
}

enum problem metrics_finish(struct request *request)
{
    struct service *service = request->service;
    const struct catalog_reading *reading = catalog_acquire(service->parts.catalog);
    struct bytes page;

    bytes_init(&page, METRICS_PAGE_MAX);
    int result = render(service, reading, &page);
    catalog_release(service->parts.catalog, reading);
    if (result != 0) {
        bytes_clear(&page);
        return problem_fail(&request->diag, PROBLEM_INTERNAL, "the page could not be made: %s",
                            strerror(-result));
    }
    answer_set_text(&request->answer, (char *)page.data, page.size,
                    "text/plain; version=0.0.4; charset=utf-8");
    return PROBLEM_NONE;
}
