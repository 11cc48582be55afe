#include "bench_change.h"

#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"
#include "prescreen/hash/hashes.h"

#include "samples.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REMOVED = BENCH_CHANGE_CALL / 10, CALLS_MAX = 100000, BODY_MAX = 4 << 20, ITEM_MAX = 192 };

struct bench_changer {
    struct client *client;
    char path[CLIENT_PATH_MAX];
    uint64_t rate;
    pthread_t thread;
    atomic_bool ending;
    uint64_t state;    /* of the random hashes */
    uint64_t run;      /* tells this run's entries from those of another one */
    uint64_t added;    /* entries so far; they are numbered */
    uint64_t removed;  /* the first so many of them are gone */
    struct bytes body; /* of the present call */
    uint64_t *call_us;
    size_t calls;
    uint64_t entries;
    uint64_t begun_us, ended_us;
    int result;
    struct diag diag;
};

/* Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static int append(struct bytes *body, const char *text)
{
    return bytes_append(body, text, strlen(text));
}

static int append_upsert(struct bench_changer *changer, bool first)
{
    struct pdq_hash hash;
    char hex[PDQ_HEX_SIZE];
    char item[ITEM_MAX];

    for (size_t i = 0; i < 4; i++)
        hash.words[i] = next_random(&changer->state);
    pdq_to_hex(&hash, hex);
    snprintf(item, sizeof item, "%s{\"entry_id\":\"bench-%" PRIx64 "-%" PRIu64 "\",\"pdq\":\"%s\"}",
             first ? "" : ",", changer->run, changer->added++, hex);
    return append(&changer->body, item);
}

static int append_removal(struct bench_changer *changer, bool first)
{
    char item[ITEM_MAX];

    snprintf(item, sizeof item, "%s\"bench-%" PRIx64 "-%" PRIu64 "\"", first ? "" : ",", changer->run,
             changer->removed++);
    return append(&changer->body, item);
}

/* The first call has nothing to remove. */
static int make_body(struct bench_changer *changer)
{
    const bool removes = changer->added > 0;
    const size_t upserts = removes ? BENCH_CHANGE_CALL - REMOVED : BENCH_CHANGE_CALL;

    changer->body.size = 0;
    int result = append(&changer->body, "{\"upsert\":[");
    for (size_t i = 0; i < upserts && result == 0; i++)
        result = append_upsert(changer, i == 0);
    if (result == 0)
        result = append(&changer->body, "],\"remove\":[");
    for (size_t i = 0; removes && i < REMOVED && result == 0; i++)
        result = append_removal(changer, i == 0);
    return result != 0 ? result : append(&changer->body, "]}");
}

static int call(struct bench_changer *changer)
{
    struct client_answer answer;
    const uint64_t begun_us = clock_monotonic_us();
    int result = client_post_bytes(changer->client, changer->path, changer->body.data, changer->body.size,
                                   &answer, &changer->diag);

    if (result != 0)
        return result;
    result = client_judge_answer(&answer, &changer->diag);
    client_answer_clear(&answer);
    changer->call_us[changer->calls++] = clock_monotonic_us() - begun_us;
    changer->entries += BENCH_CHANGE_CALL;
    return result;
}

/* Waits until the next call is due. */
static void keep_to_rate(const struct bench_changer *changer)
{
    const uint64_t due_us =
        changer->rate == 0 ? 0 : changer->begun_us + changer->entries * 1000000 / changer->rate;
    const uint64_t now_us = clock_monotonic_us();

    if (due_us > now_us)
        nanosleep(&(struct timespec){.tv_sec = (time_t)((due_us - now_us) / 1000000),
                                     .tv_nsec = (long)((due_us - now_us) % 1000000 * 1000)},
                  NULL);
}

static void *change(void *context)
{
    struct bench_changer *changer = context;

    changer->begun_us = clock_monotonic_us();
    while (changer->result == 0 && !changer->ending && changer->calls < CALLS_MAX) {
        changer->result = make_body(changer);
        keep_to_rate(changer);
        if (changer->result == 0)
            changer->result = call(changer);
    }
    changer->ended_us = clock_monotonic_us();
    return NULL;
}

static void free_changer(struct bench_changer *changer)
{
    bytes_clear(&changer->body);
    free(changer->call_us);
    free(changer);
}

int bench_changer_start(struct client *client, const char *list, uint64_t rate,
                        struct bench_changer **changer)
{
    struct bench_changer *made = calloc(1, sizeof *made);

    if (made == NULL)
        return -ENOMEM;
    bytes_init(&made->body, BODY_MAX);
    made->client = client;
    made->rate = rate;
    made->run = made->state = clock_wall_us();
    snprintf(made->path, sizeof made->path, "/v1/lists/%.64s/entries", list);
    made->call_us = calloc(CALLS_MAX, sizeof *made->call_us);
    int result = made->call_us == NULL ? ENOMEM : pthread_create(&made->thread, NULL, change, made);
    if (result != 0) {
        free_changer(made);
        return -result;
    }
    *changer = made;
    return 0;
}

int bench_changer_stop(struct bench_changer *changer, struct bench_changes *changes, struct diag *diag)
{
    changer->ending = true;
    pthread_join(changer->thread, NULL);
    int result = changer->result;
    if (result != 0)
        *diag = changer->diag;
    *changes = (struct bench_changes){.entries = changer->entries,
                                      .calls = changer->calls,
                                      .seconds = (double)(changer->ended_us - changer->begun_us) / 1e6,
                                      .p50_us = samples_quantile(changer->call_us, changer->calls, 0.5),
                                      .p99_us = samples_quantile(changer->call_us, changer->calls, 0.99)};
    free_changer(changer);
    return result;
}
