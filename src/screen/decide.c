#include "prescreen/base/text.h"

#include "steps.h"

#include <errno.h>
#include <stdlib.h>

int screening_decide(const struct screening_job *job, struct findings *findings, reason_set media,
                     struct screening *screening)
{
    struct policy_match *matches = calloc(findings->count + 1, sizeof *matches);
    struct policy_decision decision;

    if (matches == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->rows[i];
        matches[i] =
            (struct policy_match){.action = finding->list->properties.action,
                                  .kind = finding->kind,
                                  .distance = finding->distance,
                                  .view = finding->view != VIEW_MAIN ? finding->view : finding->entry_view,
                                  .frame = finding->frame,
                                  .ruling = finding->ruling};
    }
    policy_decide(job->rules, matches, findings->count, media, &decision);
    for (size_t i = 0; decision.verdict == VERDICT_REPORT && i < findings->count; i++)
        findings->rows[i].asks = policy_asked_by(job->rules, matches, findings->count, i);
    free(matches);
    screening->verdict = decision.verdict;
    screening->complete = decision.complete;
    screening->reasons = decision.reasons;
    return 0;
}

static int describe_match(const struct screening_job *job, const struct finding *finding,
                          struct screening_match *match, struct diag *diag)
{
    struct stored_entry entry;
    int result = list_store_get_row(job->screener->parts.list_store, finding->row, &entry, diag);

    if (result != 0)
        return result < 0 ? result : diag_fail(diag, -EIO, "the index and the store disagree about an entry");
    *match = (struct screening_match){.action = finding->list->properties.action,
                                      .ruling = finding->ruling,
                                      .kind = finding->kind,
                                      .distance = finding->distance,
                                      .orientation = finding->orientation,
                                      .view = finding->view,
                                      .entry_view = finding->entry_view,
                                      .frame = finding->frame};
    bool fits = text_copy(match->list, sizeof match->list, finding->list->properties.name) &&
                text_copy(match->entry_id, sizeof match->entry_id, entry.entry_id) &&
                text_copy(match->classification, sizeof match->classification, entry.classification);
    return fits ? 0 : diag_fail(diag, -EIO, "the store holds an entry whose texts are too long");
}

int screening_describe_matches(const struct screening_job *job, const struct findings *findings,
                               struct screening *screening, struct diag *diag)
{
    size_t count = findings->count < SCREENING_MATCHES_MAX ? findings->count : SCREENING_MATCHES_MAX;
    int result = 0;

    screening->match_total = findings->total;
    if (count == 0)
        return 0;
    screening->matches = calloc(count, sizeof *screening->matches);
    if (screening->matches == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the matches");
    for (size_t i = 0; result == 0 && i < findings->count && screening->match_count < count; i++) {
        if (findings->rows[i].is_allowance)
            continue;
        result = describe_match(job, &findings->rows[i], &screening->matches[screening->match_count], diag);
        screening->match_count += result == 0;
    }
    return result;
}
