#include "prescreen/base/bug.h"
#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"
#include "prescreen/hash/digest.h"

#include "steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int screen_item(const struct screening_job *job, const struct match_item *item,
                       struct screening *screening, struct diag *diag)
{
    uint64_t started_us = clock_monotonic_us();
    const struct known_hashes *hashes = &item->hashes;
    bool weak = (hashes->kinds & HASH_BIT(HASH_PDQ)) != 0 && hashes->pdq_quality >= 0 &&
                (unsigned int)hashes->pdq_quality < job->rules->quality_floor;
    int result = screening_begin(job, screening, diag);

    if (result != 0)
        return result;
    screening->hashes = *hashes;
    result = screening_conclude(job, NULL, weak ? REASON_BIT(REASON_MEDIA_LOW_QUALITY) : 0, screening, diag);
    screening->timing.total_us = clock_monotonic_us() - started_us;
    return result;
}

/* {"results":[…]}; each with its content_id when it has one. */
static json_t *results_to_json(const struct screening *screenings, const char *const *content_ids,
                               size_t count)
{
    json_t *results = json_array();

    for (size_t i = 0; results != NULL && i < count; i++) {
        json_t *object = screening_to_json(&screenings[i]);
        if (object != NULL && content_ids[i][0] != '\0' &&
            json_object_set_new(object, "content_id", json_string(content_ids[i])) != 0) {
            json_decref(object);
            object = NULL;
        }
        if (json_array_append_new(results, object) != 0) {
            json_decref(results);
            return NULL;
        }
    }
    return results == NULL ? NULL : json_pack("{s:o}", "results", results);
}

/* What screening the items of one call needs: arrays of count. */
struct item_arrays {
    struct screening *screenings;
    const struct screening **pointers;
    const char **content_ids;
};

static int screen_items(const struct screening_job *job, const struct match_item *items, size_t count,
                        const struct idempotent_request *idempotent, struct item_arrays *arrays,
                        char **answer, struct diag *diag)
{
    char *text = NULL;
    int result = 0;

    for (size_t i = 0; result == 0 && i < count; i++) {
        arrays->pointers[i] = &arrays->screenings[i];
        arrays->content_ids[i] =
            items[i].content_id[0] != '\0' ? items[i].content_id : job->request->content_id;
        result = screen_item(job, &items[i], &arrays->screenings[i], diag);
    }
    if (result == 0)
        result = screening_dump(results_to_json(arrays->screenings, arrays->content_ids, count), &text, diag);
    if (result == 0)
        result = screening_record(job, arrays->pointers, arrays->content_ids, count, idempotent, text, answer,
                                  diag);
    if (result != 0) {
        free(text);
        return result;
    }
    for (size_t i = 0; i < count; i++)
        screening_announce(job, &arrays->screenings[i]);
    screening_watch_flood(job, arrays->pointers, count);
    *answer = text;
    return 0;
}

static int match_items(const struct screening_job *job, const struct match_item *items, size_t count,
                       const struct idempotent_request *idempotent, char **answer, struct diag *diag)
{
    struct item_arrays arrays = {
        .screenings = calloc(count, sizeof *arrays.screenings),
        .pointers = calloc(count, sizeof *arrays.pointers), /* NOLINT(bugprone-sizeof-expression) */
        .content_ids = calloc(count, sizeof *arrays.content_ids)};
    int result = -ENOMEM;

    if (arrays.screenings != NULL && arrays.pointers != NULL && arrays.content_ids != NULL)
        result = screen_items(job, items, count, idempotent, &arrays, answer, diag);
    else
        diag_set(diag, "no memory for %zu items", count);
    for (size_t i = 0; arrays.screenings != NULL && i < count; i++)
        screening_clear(&arrays.screenings[i]);
    free(arrays.screenings);
    free(arrays.pointers);
    free(arrays.content_ids);
    return result;
}

int screener_match(struct screener *screener, const struct match_call *call,
                   const struct screening_request *request, char **answer, struct diag *diag)
{
    struct idempotent_request storage;
    const struct idempotent_request *idempotent = NULL;
    struct screening_job job;
    int result = screening_find_earlier(screener, request, "match", call->body, call->body_size, &storage,
                                        &idempotent, answer, diag);

    BUG_ON(call->count == 0 || call->count > MATCH_ITEMS_MAX);
    if (result == 0)
        result = screening_begin_job(screener, request, &job, diag);
    if (result != 0)
        return result;
    result = match_items(&job, call->items, call->count, idempotent, answer, diag);
    screening_end_job(&job);
    return result;
}
