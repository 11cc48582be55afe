#include "prescreen/worker/measure.h"

#include "prescreen/base/clock.h"
#include "prescreen/os/memfile.h"

#include "child.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { BURIAL_TIME_US = 5000000, MEASURE_CPU_SECONDS = 700 };
static const uint64_t measure_time_us = 600000000;
/* The reference holds the picture three times as floats. */
static const uint64_t measure_memory_bytes = (uint64_t)4 << 30;
static const uint64_t measure_pixels_max = 200000000;

static int explain_reasons(reason_set reasons, struct diag *diag)
{
    for (int reason = REASON_MEDIA_FIRST; reason < REASON_COUNT; reason++) {
        if ((reasons & REASON_BIT(reason)) != 0)
            return diag_fail(diag, reason == REASON_MEDIA_UNSUPPORTED ? -ENOTSUP : -EINVAL,
                             "the picture cannot be measured: %s", reason_name((enum reason)reason));
    }
    return 0;
}

static int converse(struct child *child, const struct job *job, int memory_fd,
                    struct worker_measurement *measurement, struct diag *diag)
{
    uint8_t packet[256];
    size_t size = 0;
    reason_set reasons = 0;
    int result = child_send(child, job, memory_fd);

    if (result == 0)
        result = child_receive(child, clock_monotonic_us() + measure_time_us, packet, sizeof packet, &size);
    if (result == 0)
        result = message_read_measured(packet, size, job->number, &reasons, measurement);
    if (result != 0)
        return diag_fail(diag, result, "the worker gave no measurement: %s", strerror(-result));
    return explain_reasons(reasons, diag);
}

int worker_measure(enum worker_kind kind, const char *worker_path, int memory_fd, uint64_t size,
                   uint32_t repeats, enum cpu_level cpu, struct worker_measurement *measurement,
                   struct diag *diag)
{
    struct child_plan plan = {.path = worker_path,
                              .kind = kind,
                              .memory_bytes = measure_memory_bytes,
                              .cpu_seconds = MEASURE_CPU_SECONDS,
                              .cpu = cpu};
    struct job job = {.type = JOB_MEASURE,
                      .number = 1,
                      .size = size,
                      .pixels_max = measure_pixels_max,
                      .time_us = measure_time_us,
                      .frames_max = 1,
                      .repeats = repeats};
    struct worker_measurement measured;
    struct spawn_ending ending;
    struct diag obituary = {""};
    struct child child = CHILD_NONE;

    if (repeats == 0 || repeats > MEASURE_REPEATS_MAX)
        return diag_fail(diag, -EINVAL, "repeats must be 1 to %d", MEASURE_REPEATS_MAX);
    if (memfile_check(memory_fd, size) != 0)
        return diag_fail(diag, -EINVAL, "the picture is not a sealed memory file of the size given");
    spawn_keep_children();
    int result = child_start(&plan, &child, diag);
    if (result != 0)
        return result;
    result = converse(&child, &job, memory_fd, &measured, diag);
    if (result != -EPIPE)
        child_kill(&child);
    if (child_bury(&child, clock_monotonic_us() + BURIAL_TIME_US, &ending, &obituary) == 0 &&
        result == -EPIPE)
        diag_set(diag, "%s", obituary.text);
    if (result == 0)
        *measurement = measured;
    return result;
}
