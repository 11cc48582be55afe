#include "prescreen/base/clock.h"
#include "prescreen/os/memfile.h"
#include "prescreen/worker/pool.h"

#include "ending.h"
#include "slots.h"

#include <errno.h>
#include <stdio.h>

enum {
    DEATH_GRACE_US = 1000000,
    /* One part in so many of a job's time is kept for the answer, so that a worker that stops looking in time
       is heard. */
    ANSWER_SHARE = 8,
};

/* No answer was had from the worker; what says what came instead. Writes what is known of the upload now. */
static void explain(struct examination *examination, enum reason reason, const char *what)
{
    examination->format = FORMAT_UNKNOWN;
    examination->width = examination->height = examination->frames = 0;
    examination->reasons = REASON_BIT(reason);
    examination->trailing = TRAILING_NONE;
    examination->trailing_bytes = 0;
    examination->view_count = 0;
    snprintf(examination->detail, sizeof examination->detail, "%s", what);
}

/* The worker is gone in the middle of the job: how it ended says what the upload did to it. */
static void explain_death(const struct slot *slot, struct examination *examination)
{
    char text[ENDING_TEXT_SIZE] = "the decoder is gone";
    struct spawn_ending ending = {.exit_code = -1, .signal = 0};

    child_kill(&slot->child); /* dead already, unless it closed the socket or sent an empty packet */
    if (spawn_await(&slot->child.process, clock_monotonic_us() + DEATH_GRACE_US, &ending) == 0)
        ending_describe(&ending, text);
    explain(examination, ending_reason(&ending), text);
}

/* An answer is one packet, and more of them where it has many views. */
static int receive_answer(struct slot *slot, uint64_t deadline_us, struct examination *examination)
{
    uint32_t present = 0;
    size_t size = 0;
    int result = child_receive(&slot->child, deadline_us, slot->packet, MESSAGE_REPLY_MAX, &size);

    if (result == 0)
        result = message_read_examined(slot->packet, size, slot->child.job, examination, &present);
    while (result == 0 && present < examination->view_count) {
        result = child_receive(&slot->child, deadline_us, slot->packet, MESSAGE_REPLY_MAX, &size);
        if (result == 0)
            result = message_read_views(slot->packet, size, slot->child.job, examination, &present);
    }
    return result;
}

/* Waits for the answer to the slot's job. Returns 0 when the worker can go on, else another value and why it
 * ends. */
static int await_answer(struct slot *slot, uint64_t deadline_us, struct examination *examination,
                        enum worker_event *cause)
{
    int result = receive_answer(slot, deadline_us, examination);

    if (result == -ETIMEDOUT) {
        *cause = WORKER_TIMED_OUT;
        explain(examination, REASON_MEDIA_LIMIT_TIME, "the decoder did not answer in time");
    } else if (result == -EPIPE) {
        *cause = WORKER_DIED;
        explain_death(slot, examination);
    } else if (result != 0) {
        *cause = WORKER_SPOKE_NONSENSE;
        explain(examination, REASON_MEDIA_DECODER_DIED, "the decoder answered nonsense");
    }
    return result;
}

static const char *cause_in_words(enum worker_event cause)
{
    if (cause == WORKER_TIMED_OUT)
        return "stalled";
    if (cause == WORKER_SPOKE_NONSENSE)
        return "answered nonsense";
    return NULL;
}

/* Whether a worker that answered this may have lost memory to it. */
static bool is_spent(const struct worker_pool *pool, reason_set reasons)
{
    const reason_set broken = REASON_BIT(REASON_MEDIA_CORRUPT) | REASON_BIT(REASON_MEDIA_LIMIT_MEMORY);

    return pool->options.recycle_broken && (reasons & broken) != 0;
}

/* The answer has come, or healthy is false and the cause is why it has not. */
static void give_back(struct worker_pool *pool, struct slot *slot, bool healthy, reason_set reasons,
                      enum worker_event cause)
{
    const char *why = cause_in_words(cause);

    pthread_mutex_lock(&pool->lock);
    pool->counters.jobs++;
    if (healthy) {
        bool spent = is_spent(pool, reasons);
        healthy = ++slot->jobs_done < pool->options.recycle_after && !spent;
        cause = WORKER_RECYCLED;
        why = spent ? "replaced after a broken file" : "replaced after its share of jobs";
    }
    if (healthy)
        slots_offer(pool, slot);
    else
        slots_condemn(pool, slot, cause, why);
    pthread_mutex_unlock(&pool->lock);
    if (!healthy)
        slots_wake_supervisor(pool);
}

/* Hands the job to the slot's worker. Returns 0, -EPIPE when it had died before and another is to be asked,
 * or -errno when it cannot be handed to any. */
static int hand_over(struct worker_pool *pool, struct slot *slot, const struct examination_request *request)
{
    uint64_t margin_us = pool->options.job_time_us / ANSWER_SHARE;
    struct job job = {.type = JOB_EXAMINE,
                      .number = slots_number_job(pool),
                      .size = request->size,
                      .pixels_max = pool->options.pixels_max,
                      .time_us = pool->options.job_time_us - margin_us,
                      .frames_max = pool->options.frames_max,
                      .effort = request->effort,
                      .enrolment = request->enrolment};
    int result = child_send(&slot->child, &job, request->memory_fd);

    if (result == 0)
        return 0;
    pthread_mutex_lock(&pool->lock);
    if (result == -EPIPE)
        slots_condemn(pool, slot, WORKER_DIED, "ended between jobs");
    else
        slots_offer(pool, slot);
    pthread_mutex_unlock(&pool->lock);
    slots_wake_supervisor(pool);
    return result;
}

static int examine(struct worker_pool *pool, const struct examination_request *request,
                   struct examination *examination)
{
    uint64_t queue_deadline_us = clock_monotonic_us() + pool->options.queue_time_us;
    uint64_t start_us = 0;
    struct slot *slot = NULL;
    enum worker_event cause = WORKER_DIED;
    int result = 0;

    do {
        pthread_mutex_lock(&pool->lock);
        result = slots_take(pool, queue_deadline_us, &slot);
        pthread_mutex_unlock(&pool->lock);
        if (result != 0)
            return result;
        start_us = clock_monotonic_us();
        result = hand_over(pool, slot, request);
    } while (result == -EPIPE);
    if (result != 0)
        return result;
    result = await_answer(slot, start_us + pool->options.job_time_us, examination, &cause);
    examination->decode_us = clock_monotonic_us() - start_us;
    give_back(pool, slot, result == 0, examination->reasons, cause);
    return 0;
}

int worker_pool_examine(struct worker_pool *pool, const struct examination_request *request,
                        struct examination *examination)
{
    if (memfile_check(request->memory_fd, request->size) != 0)
        return -EINVAL;
    pthread_mutex_lock(&pool->lock);
    pool->callers++;
    pthread_mutex_unlock(&pool->lock);
    int result = examine(pool, request, examination);
    pthread_mutex_lock(&pool->lock);
    if (--pool->callers == 0)
        pthread_cond_broadcast(&pool->change);
    pthread_mutex_unlock(&pool->lock);
    return result;
}
