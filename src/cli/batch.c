#include "batch.h"

#include "prescreen/base/bug.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { SLOTS_PER_LANE = 4 };

/* Where a product waits for its turn: item i in slot i modulo their number. */
struct slot {
    bool done;
    int result;
    void *product;
    struct diag diag;
};

struct run {
    const struct batch *batch;
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t done;
    pthread_cond_t room;
    struct slot *slots;
    size_t slot_count;
    size_t next;  /* item that is to be begun */
    size_t taken; /* items taken */
    unsigned int lanes;
    bool stop;
};

/* Waits until another item may begin. Returns false when there is none. */
static bool begin_item(struct run *run, size_t *index)
{
    while (!run->stop && run->next < run->batch->count && run->next - run->taken >= run->slot_count)
        pthread_cond_wait(&run->room, &run->lock);
    if (run->stop || run->next == run->batch->count)
        return false;
    *index = run->next++;
    return true;
}

static void *run_lane(void *context)
{
    struct run *run = context;
    size_t index = 0;

    pthread_mutex_lock(&run->lock);
    unsigned int lane = run->lanes++;
    while (begin_item(run, &index)) {
        struct slot slot = {.done = true};
        pthread_mutex_unlock(&run->lock);
        slot.result = run->batch->work(run->batch->context, lane, index, &slot.product, &slot.diag);
        pthread_mutex_lock(&run->lock);
        run->slots[index % run->slot_count] = slot;
        pthread_cond_signal(&run->done);
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

static int take_item(struct run *run, size_t index)
{
    struct slot *slot = &run->slots[index % run->slot_count];

    pthread_mutex_lock(&run->lock);
    while (!slot->done)
        pthread_cond_wait(&run->done, &run->lock);
    struct slot item = *slot;
    *slot = (struct slot){.done = false};
    run->taken++;
    pthread_cond_broadcast(&run->room);
    pthread_mutex_unlock(&run->lock);
    int result = run->batch->take(run->batch->context, index, item.result, item.product, &item.diag);
    free(item.product);
    return result;
}

static void stop_lanes(struct run *run, pthread_t *threads, unsigned int count)
{
    pthread_mutex_lock(&run->lock);
    run->stop = true;
    pthread_cond_broadcast(&run->room);
    pthread_mutex_unlock(&run->lock);
    for (unsigned int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

int batch_run(const struct batch *batch)
{
    struct run run = {.batch = batch, .slot_count = (size_t)batch->lanes * SLOTS_PER_LANE};
    pthread_t *threads = calloc(batch->lanes, sizeof *threads);
    unsigned int started = 0;
    int result = 0;

    BUG_ON(batch->lanes == 0);
    pthread_mutex_init(&run.lock, NULL);
    pthread_cond_init(&run.done, NULL);
    pthread_cond_init(&run.room, NULL);
    run.slots = calloc(run.slot_count, sizeof *run.slots);
    if (threads == NULL || run.slots == NULL)
        result = -ENOMEM;
    while (result == 0 && started < batch->lanes &&
           pthread_create(&threads[started], NULL, run_lane, &run) == 0)
        started++;
    if (result == 0 && started == 0)
        result = -EAGAIN;
    for (size_t index = 0; result == 0 && index < batch->count; index++)
        result = take_item(&run, index);
    stop_lanes(&run, threads, started);
    for (size_t i = 0; run.slots != NULL && i < run.slot_count; i++)
        free(run.slots[i].product);
    pthread_cond_destroy(&run.room);
    pthread_cond_destroy(&run.done);
    pthread_mutex_destroy(&run.lock);
    free(run.slots);
    free(threads);
    return result;
}
