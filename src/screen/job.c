#include "prescreen/base/bug.h"
#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"
#include "prescreen/hash/digest.h"

#include "steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What two requests under one idempotency key must have in common: parameters and bytes. */
static int fingerprint(const struct screening_request *request, const char *call, const void *content,
                       size_t size, struct idempotent_request *idempotent)
{
    struct digest_stream *stream = NULL;
    struct known_hashes hashes = {0};
    const char *parts[] = {call, request->profile, audience_name(request->audience), request->content_id,
                           request->account_ref};
    int result = digest_stream_create(HASH_BIT(HASH_SHA256), &stream);

    for (size_t i = 0; result == 0 && i < sizeof parts / sizeof parts[0]; i++)
        result = digest_stream_update(stream, parts[i], strlen(parts[i]) + 1);
    if (result == 0)
        result = digest_stream_update(stream, content, size);
    if (result == 0)
        result = digest_stream_finish(stream, &hashes);
    digest_stream_free(stream);
    if (result != 0)
        return result;
    *idempotent = (struct idempotent_request){.key_name = request->key_name,
                                              .idempotency_key = request->idempotency_key};
    memcpy(idempotent->fingerprint, hashes.sha256, sizeof idempotent->fingerprint);
    return 0;
}

/* Looks for an earlier answer; *idempotent stays NULL when the request has no key. */
int screening_find_earlier(const struct screener *screener, const struct screening_request *request,
                           const char *call, const void *content, size_t size,
                           struct idempotent_request *storage, const struct idempotent_request **idempotent,
                           char **answer, struct diag *diag)
{
    if (request->idempotency_key[0] == '\0' || screener->parts.record_store == NULL)
        return 0;
    int result = fingerprint(request, call, content, size, storage);
    if (result != 0)
        return diag_fail(diag, result, "the request could not be fingerprinted");
    result = record_store_find_answer(screener->parts.record_store, storage, answer, diag);
    if (result == RECORD_REPEATED)
        return SCREENER_REPEATED;
    if (result == RECORD_CONFLICT)
        return diag_fail(diag, SCREENER_CONFLICT,
                         "this Idempotency-Key was used within 24 hours with other bytes or parameters");
    if (result == 0)
        *idempotent = storage;
    return result;
}

/* Lists that decide must be there and young enough when the profile sets a limit. *stale says that one is too
 * old and that the profile goes on all the same. */
static int check_list_age(const struct policy_rules *rules, const struct catalog_reading *reading,
                          uint64_t now_us, bool *stale, struct diag *diag)
{
    bool any = false;

    *stale = false;
    if (rules->max_list_age_us == 0)
        return 0;
    for (size_t i = 0; i < reading->list_count; i++) {
        const struct list_info *list = &reading->lists[i];
        if (list->properties.action != ACTION_REPORT && list->properties.action != ACTION_BLOCK)
            continue;
        any = true;
        if (now_us <= list->updated_us || now_us - list->updated_us <= rules->max_list_age_us)
            continue;
        if (!rules->serve_stale)
            return diag_fail(diag, SCREENER_STALE_LISTS, "list %s is older than the profile's max_list_age",
                             list->properties.name);
        *stale = true;
    }
    if (!any)
        return diag_fail(diag, SCREENER_STALE_LISTS, "the profile sets max_list_age and no list is loaded");
    return 0;
}

/* Begins a job: profile, newest lists. On 0 the caller ends it with screening_end_job(). */
int screening_begin_job(const struct screener *screener, const struct screening_request *request,
                        struct screening_job *job, struct diag *diag)
{
    const struct config_profile *profile = config_find_profile(screener->parts.config, request->profile);

    if (profile == NULL)
        return diag_fail(diag, SCREENER_NO_PROFILE, "there is no profile of this name in the configuration");
    int result = catalog_catch_up(screener->parts.catalog, diag);
    if (result != 0)
        return result;
    catalog_begin_screening(screener->parts.catalog);
    *job = (struct screening_job){.screener = screener,
                                  .request = request,
                                  .profile = profile,
                                  .rules = &profile->rules[request->audience],
                                  .reading = catalog_acquire(screener->parts.catalog)};
    result = check_list_age(job->rules, job->reading, clock_wall_us(), &job->stale, diag);
    if (result != 0)
        screening_end_job(job);
    return result;
}

void screening_end_job(struct screening_job *job)
{
    catalog_release(job->screener->parts.catalog, job->reading);
    catalog_end_screening(job->screener->parts.catalog);
}

int screening_begin(const struct screening_job *job, struct screening *screening, struct diag *diag)
{
    *screening = (struct screening){.at_us = clock_wall_us(),
                                    .audience = job->request->audience,
                                    .lists_version = job->reading->lists_version,
                                    .stale_lists = job->stale};
    screening->hashes.pdq_quality = -1;
    int result = uuid_make_v7(screening->screening_id);
    if (result != 0)
        return diag_fail(diag, result, "the kernel gave no randomness for an identifier");
    bool fits = text_copy(screening->profile, sizeof screening->profile, job->profile->name) &&
                text_copy(screening->policy_version, sizeof screening->policy_version, job->profile->version);
    BUG_ON(!fits);
    return 0;
}
