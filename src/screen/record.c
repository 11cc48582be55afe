#include "prescreen/base/clock.h"

#include "steps.h"

#include <errno.h>
#include <stdlib.h>

/* The texts of one row, owned. */
struct row_texts {
    char *reasons, *matches, *media, *hashes;
};

static char *dump(json_t *value)
{
    char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT);

    json_decref(value);
    return text;
}

static int make_texts(const struct screening *screening, struct row_texts *texts)
{
    texts->reasons = dump(screening_reasons_to_json(screening));
    texts->matches = dump(screening_matches_to_json(screening));
    texts->media = screening->has_media ? dump(screening_media_to_json(&screening->media)) : calloc(1, 1);
    texts->hashes = dump(screening_hashes_to_json(&screening->hashes));
    return texts->reasons != NULL && texts->matches != NULL && texts->media != NULL && texts->hashes != NULL
               ? 0
               : -ENOMEM;
}

static void free_texts(struct row_texts *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(texts[i].reasons);
        free(texts[i].matches);
        free(texts[i].media);
        free(texts[i].hashes);
    }
    free(texts);
}

static void fill_record(const struct screening *screening, const struct screening_request *request,
                        const char *content_id, uint64_t hit_window_us, const struct row_texts *texts,
                        struct screening_record *record)
{
    *record = (struct screening_record){
        .screening_id = screening->screening_id,
        .at_us = screening->at_us,
        .verdict = screening->verdict,
        .complete = screening->complete,
        .reasons_json = texts->reasons,
        .matches_json = texts->matches,
        .media_json = texts->media,
        .hashes_json = texts->hashes,
        .profile = screening->profile,
        .audience = screening->audience,
        .policy_version = screening->policy_version,
        .lists_version = screening->lists_version,
        .content_id = content_id,
        .account_ref = request->account_ref,
        .key_name = request->key_name,
        .request_id = request->request_id,
        .hits = screening->hits,
        .hit_count = screening->hit_count,
        .hit_window_us = hit_window_us,
    };
}

bool screening_must_be_recorded(const struct screening_job *job, const struct screening *screening)
{
    return job->screener->parts.record_store != NULL &&
           (screening->verdict != VERDICT_ALLOW || screening->reasons != 0 || job->rules->record_allow);
}

static int add(const struct screener *screener, const struct screening_record *records, unsigned int count,
               const struct idempotent_request *idempotent, const char *answer, char **first_answer,
               struct diag *diag)
{
    int outcome = record_store_add(screener->parts.record_store, records, count, idempotent, answer,
                                   first_answer, diag);

    if (outcome == RECORD_REPEATED)
        return SCREENER_REPEATED;
    if (outcome == RECORD_CONFLICT)
        return SCREENER_CONFLICT;
    /* The record's own words stay in diag for the log; the caller only learns that there is no verdict. */
    return outcome == 0 ? 0 : SCREENER_NOT_RECORDED;
}

int screening_record(const struct screening_job *job, const struct screening *const *screenings,
                     const char *const *content_ids, size_t count,
                     const struct idempotent_request *idempotent, const char *answer, char **first_answer,
                     struct diag *diag)
{
    struct screening_record *records = NULL;
    struct row_texts *texts = NULL;
    unsigned int kept = 0;
    int result = 0;

    if (job->screener->parts.record_store == NULL)
        return 0;
    records = calloc(count, sizeof *records);
    texts = calloc(count, sizeof *texts);
    if (records == NULL || texts == NULL) {
        result = diag_fail(diag, -ENOMEM, "no memory for the record");
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        if (!screening_must_be_recorded(job, screenings[i]))
            continue;
        if (make_texts(screenings[i], &texts[i]) != 0) {
            result = diag_fail(diag, -ENOMEM, "no memory for the record");
            goto out;
        }
        fill_record(screenings[i], job->request, content_ids[i],
                    job->screener->parts.config->limits.flood_window_us, &texts[i], &records[kept++]);
    }
    if (kept > 0 || idempotent != NULL)
        result = add(job->screener, records, kept, idempotent, answer, first_answer, diag);
out:
    if (texts != NULL)
        free_texts(texts, count);
    free(records);
    return result;
}
