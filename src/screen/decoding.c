#include "prescreen/screen/decoding.h"

#include "prescreen/base/cpu.h"

enum { WORKER_JOBS_BEFORE_RECYCLING = 10000 };

static unsigned int fewer(unsigned int workers, size_t jobs)
{
    return workers < jobs ? workers : (unsigned int)jobs;
}

int decoding_start(const struct config *config, size_t jobs,
                   void (*on_event)(void *context, enum worker_event event, const char *text), void *context,
                   struct decoders **decoders, struct diag *diag)
{
    const struct config_limits *limits = &config->limits;
    char plain[CONFIG_PATH_MAX];
    char heif[CONFIG_PATH_MAX];
    struct diag missing = {""};
    int result = worker_kind_find(WORKER_PLAIN, plain, sizeof plain, diag);

    if (result != 0)
        return result;
    const bool has_heif = worker_kind_find(WORKER_HEIF, heif, sizeof heif, &missing) == 0;
    const struct decoders_options options = {.pool = {.worker_path = plain,
                                                      .kind = WORKER_PLAIN,
                                                      .count = fewer(config->workers, jobs),
                                                      .job_time_us = limits->job_time_us,
                                                      .queue_time_us = limits->queue_time_us,
                                                      .queue_max = (unsigned int)limits->queue,
                                                      .memory_bytes = limits->worker_memory_bytes,
                                                      .pixels_max = limits->pixels,
                                                      .frames_max = (uint32_t)limits->frames,
                                                      .recycle_after = WORKER_JOBS_BEFORE_RECYCLING,
                                                      .cpu = cpu_choose(),
                                                      .on_event = on_event,
                                                      .event_context = context},
                                             .heif_path = has_heif ? heif : NULL,
                                             .heif_count = fewer(config->heif_workers, jobs)};

    return decoders_create(&options, decoders, diag);
}
