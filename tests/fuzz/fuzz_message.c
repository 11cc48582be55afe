/* Both readers of the messages between parent and worker: no packet may do more than be refused, and what is
 * taken is written again to the same bytes. The first byte says what the rest is. */
#include "worker/message.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A sound answer carries the number of its job; take it from the packet, so that the rest is looked at. */
static uint64_t number_in(const uint8_t *packet, size_t size)
{
    uint64_t number = 0;

    if (size >= 16)
        memcpy(&number, packet + 8, sizeof number);
    return number;
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void read_as_worker(const uint8_t *packet, size_t size, unsigned int files)
{
    uint8_t again[MESSAGE_JOB_SIZE];
    struct job job;

    if (message_read_job(packet, size, files, &job) != 0)
        return;
    require(files == message_job_files(job.type));
    message_write_job(&job, again);
    require(size == sizeof again && memcmp(packet, again, size) == 0);
}

static void read_examined(const uint8_t *packet, size_t size, uint8_t *again)
{
    static struct examination examination;

    uint32_t present = 0;

    if (message_read_examined(packet, size, number_in(packet, size), &examination, &present) != 0)
        return;
    require(present <= MESSAGE_VIEWS_MAX && present <= examination.view_count);
    size_t written = message_write_examined(number_in(packet, size), &examination, again);
    require(written == size && memcmp(packet, again, size) == 0);
}

/* What follows an examination of that many views: the second byte's. */
static void read_views(const uint8_t *packet, size_t size, uint8_t *again)
{
    static struct examination examination;
    uint32_t present = 0;
    uint32_t written = 0;

    examination.frames = 8;
    examination.view_count = size % EXAMINATION_VIEWS_MAX + 1;
    if (message_read_views(packet, size, number_in(packet, size), &examination, &present) != 0)
        return;
    require(message_write_views(number_in(packet, size), &examination, &written, again) == size &&
            written == present && memcmp(packet, again, size) == 0);
}

static void read_as_parent(const uint8_t *packet, size_t size)
{
    static uint8_t again[MESSAGE_REPLY_MAX];
    struct worker_measurement measured;
    uint64_t number = number_in(packet, size);
    reason_set reasons = 0;
    uint32_t landlock_abi = 0;

    read_examined(packet, size, again);
    read_views(packet, size, again);
    if (message_read_self_tested(packet, size, number, &landlock_abi) == 0)
        require(message_write_self_tested(number, landlock_abi, again) == size &&
                memcmp(packet, again, size) == 0);
    for (int call = 0; call < PROBE_COUNT; call++) {
        if (message_read_survived(packet, size, number, (enum probe_call)call) == 0)
            require(message_write_survived(number, (enum probe_call)call, again) == size);
    }
    if (message_read_measured(packet, size, number, &reasons, &measured) == 0)
        require(message_write_measured(number, reasons, &measured, again) == size &&
                memcmp(packet, again, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 1 + MESSAGE_REPLY_MAX)
        return 0;
    if ((data[0] & 1) != 0)
        read_as_worker(data + 1, size - 1, (data[0] >> 1) & 3U);
    else
        read_as_parent(data + 1, size - 1);
    return 0;
}
