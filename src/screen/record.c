#include "prescreen/base/clock.h"

#include "steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { HIT_SOURCE_MAX = REFERENCE_MAX + 16 };

/* The texts of one row, owned. */
struct row_texts {
    char *reasons, *matches, *media, *hashes;
    char hit_source[HIT_SOURCE_MAX + 1];
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

/* Whose matches count once a window: those of the account; where that is not told, of the content; where
 * neither is, of the same hashes, because one uploader who tries again cannot be told from others. */
static void name_hit_source(const struct screening *screening, const char *account_ref,
                            const char *content_id, char source[HIT_SOURCE_MAX + 1])
{
    static const enum hash_kind by_strength[] = {HASH_SHA256, HASH_SHA1, HASH_MD5, HASH_PDQ};
    char hex[PDQ_HEX_SIZE] = "";

    for (size_t i = 0; hex[0] == '\0' && i < sizeof by_strength / sizeof by_strength[0]; i++) {
        if ((screening->hashes.kinds & HASH_BIT(by_strength[i])) != 0)
            known_hashes_format(&screening->hashes, by_strength[i], hex);
    }
    if (account_ref[0] != '\0')
        snprintf(source, HIT_SOURCE_MAX + 1, "account %s", account_ref);
    else if (content_id[0] != '\0')
        snprintf(source, HIT_SOURCE_MAX + 1, "content %s", content_id);
    else
        snprintf(source, HIT_SOURCE_MAX + 1, "hash %s", hex);
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
        .hit_source = texts->hit_source,
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
        name_hit_source(screenings[i], job->request->account_ref, content_ids[i], texts[i].hit_source);
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
