#include "prescreen/base/text.h"
#include "prescreen/index/measure.h"

#include "command.h"
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIZES_MAX = 8,
    ENTRIES_MAX = 50000000,
    QUERIES = 2000,
    RADIUS_MAX = 64,
    RADIUS_DEFAULT = 31,
    ENTRIES_PER_CLUSTER = 100,
    CLUSTER_CHANGES_MAX = 60
};

static const char *const headings[] = {">entries",  "hashes",      ">build s",  ">bytes each",
                                       ">p50 us",   ">p99 us",     ">cold p50", ">upload p50",
                                       ">scan p50", ">scan / p50", ">finds",    ">missed"};

/* Reads "N,N,…". */
static int read_sizes(const char *text, size_t sizes[SIZES_MAX], size_t *count, struct diag *diag)
{
    char copy[128];
    char *rest = copy;
    size_t found = 0;

    if (!text_copy(copy, sizeof copy, text))
        return diag_fail(diag, -EINVAL, "--entries: too long");
    for (const char *word = strsep(&rest, ","); word != NULL; word = strsep(&rest, ",")) {
        uint64_t size = 0;
        if (found == SIZES_MAX || !text_parse_u64(word, ENTRIES_MAX, &size) || size == 0)
            return diag_fail(diag, -EINVAL,
                             "--entries %s: must be at most %d numbers from 1 to %d, as 1000,1000000", text,
                             SIZES_MAX, ENTRIES_MAX);
        sizes[found++] = (size_t)size;
    }
    *count = found;
    return 0;
}

/* Hashes around which a list's entries lie; a fixed sequence (SplitMix64), so that runs compare. */
static struct pdq_hash *make_seeds(size_t count)
{
    struct pdq_hash *seeds = calloc(count, sizeof *seeds);
    uint64_t state = 1;

    for (size_t i = 0; seeds != NULL && i < count * 4; i++) {
        state += 0x9e3779b97f4a7c15u;
        uint64_t mixed = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
        seeds[i / 4].words[i % 4] = mixed ^ (mixed >> 31);
    }
    return seeds;
}

static void add_row(struct table *table, const struct index_setting *setting,
                    const struct index_measurement *found)
{
    table_add(table, "%zu", setting->entries);
    table_add(table, "%s", setting->seed_count > 0 ? "clustered" : "random");
    table_add(table, "%.1f", found->build_s);
    table_add(table, "%.0f", found->bytes_per_entry);
    table_add(table, "%.1f", found->warm_p50);
    table_add(table, "%.1f", found->warm_p99);
    table_add(table, "%.1f", found->cold_p50);
    table_add(table, "%.1f", found->upload_p50);
    table_add(table, "%.0f", found->scan_p50);
    table_add(table, "%.0f", found->warm_p50 > 0 ? found->scan_p50 / found->warm_p50 : 0);
    table_add(table, "%.1f", found->finds_per_query);
    table_add(table, "%zu", found->missed);
}

/* Measures one size, with random and with clustered hashes. */
static int measure_size(struct table *table, size_t entries, unsigned int radius)
{
    size_t seed_count = entries / ENTRIES_PER_CLUSTER + 1;
    struct pdq_hash *seeds = make_seeds(seed_count);
    struct index_setting setting = {
        .entries = entries, .queries = QUERIES, .radius = radius, .level = cpu_choose()};
    int result = seeds == NULL ? -ENOMEM : 0;
    bool missed = false;

    for (int clustered = 0; result == 0 && clustered < 2; clustered++) {
        struct index_measurement found;
        setting.seeds = clustered ? seeds : NULL;
        setting.seed_count = clustered ? seed_count : 0;
        setting.changes_max = clustered ? CLUSTER_CHANGES_MAX : 0;
        result = index_measure(&setting, &found);
        if (result == 0) {
            add_row(table, &setting, &found);
            missed = missed || found.missed > 0;
        }
    }
    free(seeds);
    return result == 0 && missed ? -EBADMSG : result;
}

static void explain(unsigned int radius)
{
    printf("Radius %u, %d queries, each with a planted neighbour, one thread, %s. p50, p99: one lookup after "
           "the "
           "other.\ncold: caches emptied before each. upload: the 8 orientations of one picture at once. "
           "scan: every "
           "hash compared,\nwith the processor's popcount. clustered: %d entries around each of N/%d hashes, "
           "0 to %d "
           "bits away.\n\n",
           radius, QUERIES, cpu_level_name(cpu_choose()), ENTRIES_PER_CLUSTER, ENTRIES_PER_CLUSTER,
           CLUSTER_CHANGES_MAX);
}

int command_bench_index(const struct invocation *invocation)
{
    struct table *table = NULL;
    struct progress progress;
    struct diag diag = {""};
    size_t sizes[SIZES_MAX];
    size_t count = 0;
    uint64_t radius = 0;
    int result = read_sizes(option_text(invocation, OPTION_ENTRIES, "1000000"), sizes, &count, &diag);

    if (result == 0)
        result = option_number(invocation, OPTION_RADIUS, 0, RADIUS_DEFAULT, RADIUS_MAX, &radius, &diag);
    if (result == 0 && table_create(headings, sizeof headings / sizeof headings[0], &table) != 0)
        result = diag_fail(&diag, -ENOMEM, "no memory");
    progress_start(&progress, "index", count);
    for (size_t i = 0; result == 0 && i < count; i++) {
        progress_show(&progress, i);
        result = measure_size(table, sizes[i], (unsigned int)radius);
        if (result == -EBADMSG)
            diag_set(&diag, "planted neighbours were missed: this is a fault of the index");
        else if (result != 0)
            diag_set(&diag, "%zu entries: %s", sizes[i], strerror(-result));
    }
    progress_hide(&progress);
    if (result == 0 || result == -EBADMSG) {
        explain((unsigned int)radius);
        if (table_print(table) != 0)
            result = diag_fail(&diag, -ENOMEM, "no memory");
    }
    if (result != 0)
        say("%s", diag.text);
    table_free(table);
    return result == 0 ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}
