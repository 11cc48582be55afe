#include "prescreen/base/text.h"
#include "prescreen/index/measure.h"

#include "bench_lists.h"
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
    CLUSTER_CHANGES_MAX = 60,
    FLAT_SEEDS = 20000,
    FLAT_CHANGES_MAX = 8,
    ENTRIES_PER_CROWD_ENTRY = 100
};

static const char *const headings[] = {">entries",      "hashes",      ">build s",    ">bytes each",
                                       ">p50 us",       ">p99 us",     ">far p50",    ">far p99",
                                       ">p99 / random", ">cold p50",   ">upload p50", ">view",
                                       ">scan p50",     ">scan / p50", ">finds",      ">missed"};

/* The lists of a size, each with what its entries lie around. */
enum list_shape {
    LIST_RANDOM,
    LIST_CLUSTERED,
    LIST_PICTURES,
    LIST_FLAT,
    LIST_CROWDED,
    LIST_CROWD,
    LIST_SHAPE_COUNT
};

static const char *const shape_names[LIST_SHAPE_COUNT] = {"random", "clustered", "pictures",
                                                          "flat",   "crowded",   "crowd"};

struct bench_run {
    struct table *table;
    unsigned int radius;
    struct bench_seeds pictures; /* of the file; none: no such list */
    struct bench_seeds flat;
    double random_p99; /* of the present size */
};

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

static double worst_p99(const struct index_measurement *found)
{
    return found->warm_p99 > found->far_p99 ? found->warm_p99 : found->far_p99;
}

static void add_row(const struct bench_run *run, enum list_shape shape, size_t entries,
                    const struct index_measurement *found)
{
    struct table *table = run->table;

    table_add(table, "%zu", entries);
    table_add(table, "%s", shape_names[shape]);
    table_add(table, "%.1f", found->build_s);
    table_add(table, "%.0f", found->bytes_per_entry);
    table_add(table, "%.1f", found->warm_p50);
    table_add(table, "%.1f", found->warm_p99);
    table_add(table, "%.1f", found->far_p50);
    table_add(table, "%.1f", found->far_p99);
    table_add(table, "%.1f", run->random_p99 > 0 ? worst_p99(found) / run->random_p99 : 0);
    table_add(table, "%.1f", found->cold_p50);
    table_add(table, "%.1f", found->upload_p50);
    table_add(table, "%.1f", found->view_p50);
    table_add(table, "%.0f", found->scan_p50);
    table_add(table, "%.0f", found->warm_p50 > 0 ? found->scan_p50 / found->warm_p50 : 0);
    table_add(table, "%.1f", found->finds_per_query);
    table_add(table, "%zu", found->missed);
}

static struct index_setting setting_of(const struct bench_run *run, enum list_shape shape, size_t entries,
                                       const struct bench_seeds *clusters)
{
    const struct bench_seeds *const seeds[LIST_SHAPE_COUNT] = {
        [LIST_CLUSTERED] = clusters, [LIST_PICTURES] = &run->pictures, [LIST_FLAT] = &run->flat};
    struct index_setting setting = {
        .entries = entries, .queries = QUERIES, .radius = run->radius, .level = cpu_choose()};

    if (seeds[shape] != NULL) {
        setting.seeds = seeds[shape]->hashes;
        setting.seed_count = seeds[shape]->count;
        setting.changes_max = shape == LIST_FLAT ? FLAT_CHANGES_MAX : CLUSTER_CHANGES_MAX;
    }
    if (shape == LIST_CROWDED || shape == LIST_CROWD)
        setting.crowd = (entries - 1) / ENTRIES_PER_CROWD_ENTRY + 1;
    setting.asks_crowd = shape == LIST_CROWD;
    return setting;
}

/* Measures one size with each list. Returns -EBADMSG when planted neighbours were missed. */
static int measure_size(struct bench_run *run, size_t entries)
{
    struct bench_seeds clusters;
    int result = bench_seeds_random(entries / ENTRIES_PER_CLUSTER + 1, &clusters);
    bool missed = false;

    for (int shape = 0; result == 0 && shape < LIST_SHAPE_COUNT; shape++) {
        struct index_measurement found;
        struct index_setting setting = setting_of(run, (enum list_shape)shape, entries, &clusters);
        if (shape == LIST_PICTURES && run->pictures.count == 0)
            continue;
        result = index_measure(&setting, &found);
        if (result != 0)
            break;
        if (shape == LIST_RANDOM)
            run->random_p99 = worst_p99(&found);
        add_row(run, (enum list_shape)shape, entries, &found);
        missed = missed || found.missed > 0;
    }
    free(clusters.hashes);
    return result == 0 && missed ? -EBADMSG : result;
}

static void explain(const struct bench_run *run)
{
    printf("Radius %u, %d queries, one thread, %s, microseconds of processor time. p50, p99: of a neighbour "
           "of an entry. "
           "far: of nobody's\nneighbourhood. p99 / random: the larger p99 by that of random hashes. cold: "
           "caches emptied "
           "before each. upload: the 8\norientations of one picture at once. view: one of %d at once, at "
           "radius %d. scan: "
           "every hash compared, with the\nprocessor's popcount. clustered: %d entries around each of N/%d "
           "hashes, 0 to "
           "%d bits away.",
           run->radius, QUERIES, cpu_level_name(cpu_choose()), INDEX_MEASURE_VIEWS, INDEX_MEASURE_VIEW_RADIUS,
           ENTRIES_PER_CLUSTER, ENTRIES_PER_CLUSTER, CLUSTER_CHANGES_MAX);
    if (run->pictures.count > 0)
        printf(" pictures: so around %zu of a file.", run->pictures.count);
    printf("\nflat: 0 to %d bits from %d drawn pictures with little to tell. crowded: random, but one in %d "
           "is 0 to %d "
           "bits\nfrom one hash; crowd: the same, queries near those.\n\n",
           FLAT_CHANGES_MAX, FLAT_SEEDS, ENTRIES_PER_CROWD_ENTRY, INDEX_MEASURE_CROWD_CHANGES);
}

static int measure_sizes(struct bench_run *run, const size_t *sizes, size_t count, struct diag *diag)
{
    struct progress progress;
    int result = 0;

    progress_start(&progress, "index", count);
    for (size_t i = 0; result == 0 && i < count; i++) {
        progress_show(&progress, i);
        result = measure_size(run, sizes[i]);
        if (result == -EBADMSG)
            diag_set(diag, "planted neighbours were missed: this is a fault of the index");
        else if (result != 0)
            diag_set(diag, "%zu entries: %s", sizes[i], strerror(-result));
    }
    progress_hide(&progress);
    return result;
}

int command_bench_index(const struct invocation *invocation)
{
    struct bench_run run = {.table = NULL};
    struct diag diag = {""};
    size_t sizes[SIZES_MAX];
    size_t count = 0;
    uint64_t radius = 0;
    int result = read_sizes(option_text(invocation, OPTION_ENTRIES, "1000000"), sizes, &count, &diag);

    if (result == 0)
        result = option_number(invocation, OPTION_RADIUS, 0, RADIUS_DEFAULT, RADIUS_MAX, &radius, &diag);
    if (result == 0 && invocation->operand_count > 0)
        result = bench_seeds_read(invocation->operands[0], &run.pictures, &diag);
    if (result == 0 && (bench_seeds_flat(FLAT_SEEDS, &run.flat) != 0 ||
                        table_create(headings, sizeof headings / sizeof headings[0], &run.table) != 0))
        result = diag_fail(&diag, -ENOMEM, "no memory");
    run.radius = (unsigned int)radius;
    if (result == 0)
        result = measure_sizes(&run, sizes, count, &diag);
    if (run.table != NULL && (result == 0 || result == -EBADMSG)) {
        explain(&run);
        if (table_print(run.table) != 0)
            result = diag_fail(&diag, -ENOMEM, "no memory");
    }
    if (result != 0)
        say("%s", diag.text);
    table_free(run.table);
    free(run.pictures.hashes);
    free(run.flat.hashes);
    return result == 0 ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}
