#include "prescreen/base/cpu.h"
#include "prescreen/worker/measure.h"

#include "command.h"
#include "output.h"
#include "source.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

enum { PICTURE_MAX = 256 << 20, REPEATS = 15 };

static const char *const headings[] = {"picture",  "format",        ">pixels",      ">codec us",
                                       ">fast us", ">x codec",      ">standard us", ">thorough us",
                                       ">full us", ">x fast",       ">bits apart",  ">PDQ us",
                                       ">x codec", ">reference us", ">x PDQ",       ">bits apart"};

/* Paths; that of a kind which is not installed is empty. */
struct workers {
    char plain[PATH_MAX];
    char heif[PATH_MAX];
};

static double ratio(const struct worker_timing *value, const struct worker_timing *base)
{
    return base->median_us > 0 ? (double)value->median_us / (double)base->median_us : 0;
}

static void add_time(struct table *table, const struct worker_timing *timing)
{
    table_add(table, "%llu", (unsigned long long)timing->median_us);
}

static void add_row(struct table *table, const char *name, const struct worker_measurement *found)
{
    const struct worker_timing *fast = &found->examine[EFFORT_FAST];

    table_add(table, "%s", name);
    table_add(table, "%s", media_format_name(found->format));
    table_add(table, "%ux%u", found->width, found->height);
    add_time(table, &found->decode);
    add_time(table, fast);
    table_add(table, "%.2f", ratio(fast, &found->decode));
    add_time(table, &found->examine[EFFORT_STANDARD]);
    add_time(table, &found->examine[EFFORT_THOROUGH]);
    add_time(table, &found->full);
    table_add(table, "%.1f", ratio(&found->full, fast));
    table_add(table, "%u", found->full_distance_bits);
    add_time(table, &found->hash);
    table_add(table, "%.2f", ratio(&found->hash, &found->decode));
    add_time(table, &found->reference);
    table_add(table, "%.0f", ratio(&found->reference, &found->hash));
    table_add(table, "%u", found->distance_bits);
}

static int measure_file(const struct workers *workers, const char *name, struct table *table)
{
    struct upload *upload = NULL;
    struct worker_measurement found;
    struct diag diag = {""};
    int result = source_read_upload(name, PICTURE_MAX, &upload, &diag);

    if (result == 0)
        result = worker_measure(WORKER_PLAIN, workers->plain, upload->memory_fd, upload->size, REPEATS,
                                cpu_choose(), &found, &diag);
    if (result == -ENOTSUP && workers->heif[0] != '\0')
        result = worker_measure(WORKER_HEIF, workers->heif, upload->memory_fd, upload->size, REPEATS,
                                cpu_choose(), &found, &diag);
    if (result == 0)
        add_row(table, name, &found);
    else
        say("%s: %s", name, diag.text);
    upload_free(upload);
    return result;
}

int command_bench_decode(const struct invocation *invocation)
{
    struct table *table = NULL;
    struct progress progress;
    struct diag diag = {""};
    struct workers workers = {.heif = ""};
    struct diag missing = {""};
    bool failed = false;
    int result = worker_kind_find(WORKER_PLAIN, workers.plain, sizeof workers.plain, &diag);

    (void)worker_kind_find(WORKER_HEIF, workers.heif, sizeof workers.heif, &missing);
    if (result == 0 && table_create(headings, sizeof headings / sizeof headings[0], &table) != 0)
        result = diag_fail(&diag, -ENOMEM, "no memory");
    if (result != 0) {
        say("%s", diag.text);
        return EXIT_STATUS_ERROR;
    }
    progress_start(&progress, "decode", invocation->operand_count);
    for (size_t i = 0; i < invocation->operand_count; i++) {
        progress_show(&progress, i);
        failed = measure_file(&workers, invocation->operands[i], table) != 0 || failed;
    }
    progress_hide(&progress);
    printf(
        "Medians of %d runs in one confined worker, %s, one thread. codec: the codec alone, the rows that an "
        "examination\nneeds, dropped. fast, standard, thorough: all of an examination, by effort. full: all "
        "pixels in their colours, then\nPDQ's reference algorithm (%d runs); bits apart: its hash from that "
        "of "
        "fast. PDQ, reference: ours and the\nreference algorithm on one finished frame of 8-bit luma, and "
        "their hashes.\n\n",
        REPEATS, cpu_level_name(cpu_choose()), MEASURE_REFERENCE_REPEATS_MAX);
    failed = table_print(table) != 0 || failed;
    table_free(table);
    return failed ? EXIT_STATUS_ERROR : EXIT_STATUS_OK;
}
