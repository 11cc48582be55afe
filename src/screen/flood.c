/* The flood guard: an entry that suddenly matches far above its history is set aside for review, before it
 * has hundreds of people reported who did nothing. The record counts, and decides nothing; this decides. */
#include "prescreen/base/text.h"
#include "prescreen/store/rulings.h"

#include "steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static size_t count_hits(const struct findings *findings)
{
    size_t count = 0;

    for (size_t i = 0; i < findings->count && count < SCREENING_MATCHES_MAX; i++)
        count += findings->rows[i].asks == VERDICT_REPORT;
    return count;
}

int screening_collect_hits(const struct screening_job *job, const struct findings *findings,
                           struct screening *screening, struct diag *diag)
{
    if (screening->verdict != VERDICT_REPORT || job->screener->parts.record_store == NULL)
        return 0;
    screening->hits = calloc(count_hits(findings) + 1, sizeof *screening->hits);
    if (screening->hits == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the record");
    for (size_t i = 0; i < findings->count && screening->hit_count < SCREENING_MATCHES_MAX; i++) {
        const struct finding *finding = &findings->rows[i];
        struct record_hit *hit = &screening->hits[screening->hit_count];
        struct stored_entry entry;

        if (finding->asks != VERDICT_REPORT)
            continue;
        int result = list_store_get_row(job->screener->parts.list_store, finding->row, &entry, diag);
        if (result != 0)
            return result < 0 ? result
                              : diag_fail(diag, -EIO, "the index and the store disagree about an entry");
        hit->list = finding->list->number;
        if (!text_copy(hit->entry_id, sizeof hit->entry_id, entry.entry_id))
            return diag_fail(diag, -EIO, "the store holds an entry whose texts are too long");
        screening->hit_count++;
    }
    return 0;
}

bool flood_exceeds(const struct config_limits *limits, uint64_t recent, double usual)
{
    return recent >= limits->flood_matches && (double)recent > (double)limits->flood_factor * usual;
}

/* The entries of one list that are to be set aside. */
struct flooded {
    const char *entry_ids[RULED_AT_ONCE_MAX];
    size_t count;
    uint64_t recent; /* of the least */
    double usual;    /* of the most */
};

static void gather(const struct config_limits *limits, const struct screening *screening, uint32_t list,
                   struct flooded *flooded)
{
    for (size_t i = 0; i < screening->hit_count && flooded->count < RULED_AT_ONCE_MAX; i++) {
        const struct record_hit *hit = &screening->hits[i];

        if (hit->list != list || !flood_exceeds(limits, hit->recent, hit->usual))
            continue;
        if (flooded->count == 0 || hit->recent < flooded->recent)
            flooded->recent = hit->recent;
        if (hit->usual > flooded->usual)
            flooded->usual = hit->usual;
        flooded->entry_ids[flooded->count++] = hit->entry_id;
    }
}

/* The verdict has been recorded as it is and stays; what fails here is told and tried again with the next
 * match. */
static void set_aside(const struct screening_job *job, const struct list_info *list,
                      const struct flooded *flooded)
{
    const struct screener_parts *parts = &job->screener->parts;
    const struct config_limits *limits = &parts->config->limits;
    struct list_change change = {0};
    struct diag diag = {""};
    char note[RULING_NOTE_MAX + 1];
    const struct ruling_call call = {.list = list->properties.name,
                                     .act = RULING_ACT_FLOOD,
                                     .entry_ids = flooded->entry_ids,
                                     .count = flooded->count,
                                     .who = "flood guard",
                                     .note = note};

    snprintf(note, sizeof note, "%llu matches or more within %llu s, where %.1f are usual",
             (unsigned long long)flooded->recent, (unsigned long long)(limits->flood_window_us / 1000000),
             flooded->usual);
    int result = list_store_rule(parts->list_store, &call, &change, &diag);
    if (result == 0 && change.changed > 0)
        result = catalog_refresh(parts->catalog, &diag);
    if (parts->on_flood != NULL && (result != 0 || change.changed > 0))
        parts->on_flood(parts->on_screening_context,
                        &(struct flood_event){.list = list->properties.name,
                                              .entries = change.changed,
                                              .failed = result != 0,
                                              .detail = result != 0 ? diag.text : note});
}

void screening_watch_flood(const struct screening_job *job, const struct screening *const *screenings,
                           size_t count)
{
    for (size_t at = 0; at < job->reading->list_count; at++) {
        const struct list_info *list = &job->reading->lists[at];
        struct flooded flooded = {.count = 0};

        for (size_t i = 0; i < count; i++)
            gather(&job->screener->parts.config->limits, screenings[i], list->number, &flooded);
        if (flooded.count > 0)
            set_aside(job, list, &flooded);
    }
}
