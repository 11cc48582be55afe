#include "prescreen/base/clock.h"

#include "batch.h"
#include "bench_change.h"
#include "client.h"
#include "command.h"
#include "local.h"
#include "output.h"
#include "samples.h"
#include "source.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLIENTS_MAX = 64,
    REQUESTS_MAX = 1000000,
    PICTURE_MAX = 64 << 20,
    DEADLINE_US = 60000000,
    TAIL_SIZE = 40 /* bytes behind the picture that make each request's body another one */
};

/* What the service says it spent, as members of timing_us, and what the caller saw. */
enum part {
    PART_RECEIVE,
    PART_DIGEST,
    PART_DECODE,
    PART_MATCH,
    PART_RECORD,
    PART_TOTAL,
    PART_ROUND_TRIP,
    PART_COUNT
};
static const char *const part_names[PART_COUNT] = {"receive", "digest", "decode",    "match",
                                                   "record",  "total",  "round trip"};

struct sample {
    uint64_t us[PART_COUNT];
    bool cached;
};

struct drive {
    struct bytes picture;
    struct bytes bodies[CLIENTS_MAX]; /* of each client: the picture and its tail */
    bool same;                        /* every body is the picture alone */
    uint64_t first_tail;              /* of this run */
    struct client *clients[CLIENTS_MAX];
    struct client *changing; /* the one that changes a list */
    unsigned int client_count;
    struct sample *samples;
    size_t count; /* samples taken */
    uint64_t started_us;
    uint64_t ended_us;
    struct diag diag; /* of the first request that failed */
    char media[64];
    char verdict[16];
    struct progress progress;
};

static int read_sample(const struct client_answer *answer, struct sample *sample, struct diag *diag)
{
    json_t *root = json_loads((const char *)answer->body.data, 0, NULL);
    const json_t *timing = json_object_get(root, "timing_us");
    bool whole = timing != NULL;

    for (int part = 0; part < PART_ROUND_TRIP; part++) {
        const json_t *value = json_object_get(timing, part_names[part]);
        whole = whole && json_is_integer(value) && json_integer_value(value) >= 0;
        sample->us[part] = (uint64_t)json_integer_value(value);
    }
    sample->cached = json_is_true(json_object_get(timing, "cached"));
    json_decref(root);
    return whole ? 0 : diag_fail(diag, -EPROTO, "the answer has no timing_us; is this prescreen?");
}

/* Makes the client's body another one than all others: a number in spaces and line ends, which no decoder
 * minds. */
static void mark_body(const struct drive *drive, unsigned int lane, uint64_t number)
{
    const struct bytes *body = &drive->bodies[lane];

    for (size_t i = 0; i < TAIL_SIZE; i++)
        body->data[body->size - 1 - i] = (number >> i & 1) != 0 ? '\n' : ' ';
}

static int make_body(struct drive *drive, unsigned int lane)
{
    struct bytes *body = &drive->bodies[lane];
    const uint8_t tail[TAIL_SIZE] = {0};

    bytes_init(body, PICTURE_MAX + TAIL_SIZE);
    int result = bytes_append(body, drive->picture.data, drive->picture.size);
    return result != 0 || drive->same ? result : bytes_append(body, tail, sizeof tail);
}

static int send_one(void *context, unsigned int lane, size_t index, void **product, struct diag *diag)
{
    struct drive *drive = context;
    struct client_answer answer;
    struct sample *sample = calloc(1, sizeof *sample);
    uint64_t before_us = clock_monotonic_us();
    int result = sample == NULL ? diag_fail(diag, -ENOMEM, "no memory") : 0;

    if (result == 0 && !drive->same)
        mark_body(drive, lane, drive->first_tail + index);
    if (result == 0)
        result = client_post_bytes(drive->clients[lane], "/v1/screen", drive->bodies[lane].data,
                                   drive->bodies[lane].size, &answer, diag);
    if (result == 0) {
        sample->us[PART_ROUND_TRIP] = clock_monotonic_us() - before_us;
        result = client_judge_answer(&answer, diag);
        if (result == 0)
            result = read_sample(&answer, sample, diag);
        client_answer_clear(&answer);
    }
    if (result != 0) {
        free(sample);
        return result;
    }
    *product = sample;
    return 0;
}

static int take_one(void *context, size_t index, int result, const void *product, const struct diag *diag)
{
    struct drive *drive = context;

    if (result != 0) {
        drive->diag = *diag;
        return result;
    }
    drive->samples[drive->count++] = *(const struct sample *)product;
    drive->ended_us = clock_monotonic_us();
    progress_show(&drive->progress, index + 1);
    return drive->ended_us - drive->started_us > DEADLINE_US ? -ETIME : 0;
}

/* Sends one request and keeps what its answer says of the picture; also warms the service up. */
static int look_first(struct drive *drive, struct diag *diag)
{
    struct client_answer answer;
    json_t *root = NULL;
    int result = client_post_bytes(drive->clients[0], "/v1/screen", drive->picture.data, drive->picture.size,
                                   &answer, diag);

    if (result != 0)
        return result;
    result = client_judge_answer(&answer, diag);
    root = result == 0 ? json_loads((const char *)answer.body.data, 0, NULL) : NULL;
    const json_t *media = json_object_get(root, "media");
    const char *format = json_string_value(json_object_get(media, "format"));
    const char *verdict = json_string_value(json_object_get(root, "verdict"));
    json_int_t width = json_integer_value(json_object_get(media, "width"));
    json_int_t height = json_integer_value(json_object_get(media, "height"));
    snprintf(drive->media, sizeof drive->media, "%s %lldx%lld", format != NULL ? format : "?",
             (long long)width, (long long)height);
    snprintf(drive->verdict, sizeof drive->verdict, "%s", verdict != NULL ? verdict : "?");
    json_decref(root);
    client_answer_clear(&answer);
    return result;
}

static int prepare(const struct invocation *invocation, struct drive *drive, struct diag *diag)
{
    struct local local = {.config = NULL};
    char key[CLIENT_KEY_MAX];
    char url[LOCAL_URL_MAX];
    int result = client_read_key(option_text(invocation, OPTION_KEY_FILE, NULL), key, diag);

    if (result != 0)
        return result;
    if (option_given(invocation, OPTION_URL)) {
        snprintf(url, sizeof url, "%s", invocation->values[OPTION_URL]);
    } else {
        result = local_load_config(invocation, &local, diag);
        if (result == 0)
            result = local_find_daemon(local.config, false, url, diag);
        local_close(&local);
    }
    for (unsigned int i = 0; result == 0 && i < drive->client_count; i++)
        result = client_create(url, key, &drive->clients[i], diag);
    if (result == 0)
        result = client_create(url, key, &drive->changing, diag);
    explicit_bzero(key, sizeof key);
    if (result == 0 && !client_is_local(drive->clients[0]))
        result = diag_fail(diag, -EPERM, "--url %s: only a loopback or unix address is driven", url);
    if (result == 0) {
        result = source_read_all(invocation->operands[0], &drive->picture, diag);
        if (result != 0) {
            struct diag why = *diag;
            diag_set(diag, "%s: %s", invocation->operands[0], why.text);
        }
    }
    drive->same = option_given(invocation, OPTION_SAME);
    drive->first_tail = clock_wall_us() / 1000 * REQUESTS_MAX;
    for (unsigned int i = 0; result == 0 && i < drive->client_count; i++) {
        result = make_body(drive, i);
        if (result != 0)
            diag_set(diag, "no memory");
    }
    return result;
}

static uint64_t quantile_of_part(const struct drive *drive, enum part part, double share, uint64_t *values)
{
    for (size_t i = 0; i < drive->count; i++)
        values[i] = drive->samples[i].us[part];
    return samples_quantile(values, drive->count, share);
}

/* Median over the requests of one part less another. */
static uint64_t median_without_decode(const struct drive *drive, enum part whole, uint64_t *values)
{
    for (size_t i = 0; i < drive->count; i++) {
        const uint64_t *us = drive->samples[i].us;
        values[i] = us[whole] > us[PART_DECODE] ? us[whole] - us[PART_DECODE] : 0;
    }
    return samples_quantile(values, drive->count, 0.5);
}

/* In parts of the decode, where there was any. */
static void add_share(struct table *table, uint64_t us, uint64_t decode_us)
{
    if (decode_us > 0)
        table_add(table, "%.2f", (double)us / (double)decode_us);
    else
        table_add(table, "-");
}

static int print_parts(const struct drive *drive, uint64_t *values)
{
    static const char *const headings[] = {"part", ">p50 us", ">p99 us", ">of decode"};
    struct table *table = NULL;
    uint64_t decode_us = quantile_of_part(drive, PART_DECODE, 0.5, values);

    if (table_create(headings, sizeof headings / sizeof headings[0], &table) != 0)
        return -ENOMEM;
    for (int part = 0; part < PART_COUNT; part++) {
        uint64_t median_us = quantile_of_part(drive, (enum part)part, 0.5, values);
        table_add(table, "%s", part_names[part]);
        table_add(table, "%llu", (unsigned long long)median_us);
        table_add(table, "%llu", (unsigned long long)quantile_of_part(drive, (enum part)part, 0.99, values));
        add_share(table, median_us, decode_us);
    }
    const enum part wholes[] = {PART_TOTAL, PART_ROUND_TRIP};
    for (size_t i = 0; i < 2; i++) {
        uint64_t rest_us = median_without_decode(drive, wholes[i], values);
        table_add(table, "%s less decode", part_names[wholes[i]]);
        table_add(table, "%llu", (unsigned long long)rest_us);
        table_add(table, "-");
        add_share(table, rest_us, decode_us);
    }
    printf("Parts as the answers tell them, round trip as the caller sees it. What is no decode holds the "
           "wait for a "
           "decoder\nwhere there are more clients than decoders.\n\n");
    int result = table_print(table);
    table_free(table);
    return result;
}

static int print_figures(const char *name, struct drive *drive)
{
    static const char *const headings[] = {"picture",   "media",   ">bytes", "verdict",    ">clients",
                                           ">requests", ">cached", ">s",     ">requests/s"};
    size_t cached = 0;
    uint64_t *values = calloc(drive->count + 1, sizeof *values);
    double seconds = (double)(drive->ended_us - drive->started_us) / 1e6;
    struct table *table = NULL;
    int result =
        values == NULL ? -ENOMEM : table_create(headings, sizeof headings / sizeof headings[0], &table);

    for (size_t i = 0; i < drive->count; i++)
        cached += drive->samples[i].cached;
    if (result == 0) {
        table_add(table, "%s", name);
        table_add(table, "%s", drive->media);
        table_add(table, "%zu", drive->picture.size);
        table_add(table, "%s", drive->verdict);
        table_add(table, "%u", drive->client_count);
        table_add(table, "%zu", drive->count);
        table_add(table, "%zu", cached);
        table_add(table, "%.1f", seconds);
        table_add(table, "%.0f", seconds > 0 ? (double)drive->count / seconds : 0);
        result = table_print(table);
        putchar('\n');
    }
    if (result == 0)
        result = print_parts(drive, values);
    table_free(table);
    free(values);
    return result;
}

/* One run of requests, from the first to the last. */
static int drive_once(struct drive *drive, size_t requests, struct diag *diag)
{
    struct batch batch = {.count = requests,
                          .lanes = drive->client_count,
                          .context = drive,
                          .work = send_one,
                          .take = take_one};

    drive->count = 0;
    progress_start(&drive->progress, "serve", requests);
    drive->started_us = clock_monotonic_us();
    int result = batch_run(&batch);
    progress_hide(&drive->progress);
    drive->first_tail += requests;
    if (result == -ETIME)
        say("stopped after %d s", DEADLINE_US / 1000000);
    else if (result != 0)
        return diag_fail(diag, result, "%s",
                         drive->diag.text[0] != '\0' ? drive->diag.text : strerror(-result));
    return 0;
}

/* What screenings take while lists change, beside what they took before. */
static int print_moved(struct drive *drive, const uint64_t before_us[PART_COUNT],
                       const struct bench_changes *changes)
{
    static const char *const headings[] = {"part, p99", ">alone us", ">changing us", ">ratio"};
    uint64_t *values = calloc(drive->count + 1, sizeof *values);
    struct table *table = NULL;
    int result =
        values == NULL ? -ENOMEM : table_create(headings, sizeof headings / sizeof headings[0], &table);

    printf(
        "\nEntries changed meanwhile: %llu in %llu calls, %.0f a second; a call p50 %.1f ms, p99 %.1f ms\n\n",
        (unsigned long long)changes->entries, (unsigned long long)changes->calls,
        changes->seconds > 0 ? (double)changes->entries / changes->seconds : 0,
        (double)changes->p50_us / 1000, (double)changes->p99_us / 1000);
    for (int part = 0; result == 0 && part < PART_COUNT; part++) {
        uint64_t us = quantile_of_part(drive, (enum part)part, 0.99, values);
        table_add(table, "%s", part_names[part]);
        table_add(table, "%llu", (unsigned long long)before_us[part]);
        table_add(table, "%llu", (unsigned long long)us);
        table_add(table, "%.2f", before_us[part] > 0 ? (double)us / (double)before_us[part] : 0);
    }
    if (result == 0)
        result = table_print(table);
    table_free(table);
    free(values);
    return result;
}

static int read_p99s(const struct drive *drive, uint64_t p99_us[PART_COUNT])
{
    uint64_t *values = calloc(drive->count + 1, sizeof *values);

    if (values == NULL)
        return -ENOMEM;
    for (int part = 0; part < PART_COUNT; part++)
        p99_us[part] = quantile_of_part(drive, (enum part)part, 0.99, values);
    free(values);
    return 0;
}

/* The same requests again while a list changes. */
static int drive_changing(const struct invocation *invocation, struct drive *drive, size_t requests,
                          struct diag *diag)
{
    struct bench_changer *changer = NULL;
    struct bench_changes changes;
    struct diag change_diag = {""};
    uint64_t before_us[PART_COUNT];
    uint64_t rate = 0;
    int result = option_number(invocation, OPTION_RATE, 0, 20000, BENCH_CHANGE_RATE_MAX, &rate, diag);

    if (result != 0)
        return result;
    result = read_p99s(drive, before_us);
    if (result == 0)
        result =
            bench_changer_start(drive->changing, option_text(invocation, OPTION_CHANGE, ""), rate, &changer);
    if (result != 0)
        return diag_fail(diag, result, "%s", strerror(-result));
    result = drive_once(drive, requests, diag);
    int changed = bench_changer_stop(changer, &changes, &change_diag);
    if (result == 0 && changed != 0) {
        *diag = change_diag;
        return changed;
    }
    return result != 0 ? result : print_moved(drive, before_us, &changes);
}

static int run(const struct invocation *invocation, struct drive *drive, size_t requests, struct diag *diag)
{
    int result = prepare(invocation, drive, diag);

    if (result == 0)
        result = look_first(drive, diag);
    if (result == 0)
        result = drive_once(drive, requests, diag);
    if (result != 0)
        return result;
    result = print_figures(invocation->operands[0], drive);
    if (result != 0)
        return diag_fail(diag, result, "no memory");
    return option_given(invocation, OPTION_CHANGE) ? drive_changing(invocation, drive, requests, diag) : 0;
}

int command_bench_serve(const struct invocation *invocation)
{
    struct drive *drive = calloc(1, sizeof *drive);
    struct diag diag = {""};
    uint64_t clients = 0;
    uint64_t requests = 0;
    int result = drive == NULL ? diag_fail(&diag, -ENOMEM, "no memory") : 0;

    if (result == 0)
        result = option_number(invocation, OPTION_CLIENTS, 1, 4, CLIENTS_MAX, &clients, &diag);
    if (result == 0)
        result = option_number(invocation, OPTION_REQUESTS, 1, 2000, REQUESTS_MAX, &requests, &diag);
    if (result == 0) {
        bytes_init(&drive->picture, PICTURE_MAX);
        drive->client_count = (unsigned int)clients;
        drive->samples = calloc(requests, sizeof *drive->samples);
        result = drive->samples == NULL ? diag_fail(&diag, -ENOMEM, "no memory")
                                        : run(invocation, drive, requests, &diag);
    }
    if (result != 0)
        say("%s", diag.text);
    if (drive != NULL) {
        for (unsigned int i = 0; i < drive->client_count; i++)
            client_free(drive->clients[i]);
        client_free(drive->changing);
        for (unsigned int i = 0; i < drive->client_count; i++)
            bytes_clear(&drive->bodies[i]);
        bytes_clear(&drive->picture);
        free(drive->samples);
    }
    free(drive);
    return result == 0 ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}
