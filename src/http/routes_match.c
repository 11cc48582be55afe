/* POST /v1/match: hashes that the caller made. */
#include "handlers.h"
#include "json_body.h"
#include "screening_call.h"

#include <stdio.h>
#include <stdlib.h>

/* Of an item, and of the call itself with its items. */
enum { ITEM_MEMBERS = 6, CALL_VALUES_MAX = 16 + MATCH_ITEMS_MAX * (ITEM_MEMBERS + 2), QUALITY_MAX = 100 };

static enum problem read_item(const json_t *object, size_t number, struct match_item *item, struct diag *diag)
{
    static const char *const members[ITEM_MEMBERS + 1] = {"md5",         "sha1",       "sha256", "pdq",
                                                          "pdq_quality", "content_id", NULL};
    char where[32];
    enum problem problem = PROBLEM_NONE;

    snprintf(where, sizeof where, "items[%zu]: ", number);
    if (!json_is_object(object))
        return problem_fail(diag, PROBLEM_MALFORMED, "%san item must be an object", where);
    problem = json_body_check_members(object, members, where, diag);
    if (problem == PROBLEM_NONE)
        problem = json_body_read_hashes(object, where, &item->hashes, diag);
    if (problem == PROBLEM_NONE)
        problem = json_body_read_number(object, "pdq_quality", QUALITY_MAX, -1, where,
                                        &item->hashes.pdq_quality, diag);
    if (problem == PROBLEM_NONE && item->hashes.pdq_quality >= 0 &&
        (item->hashes.kinds & HASH_BIT(HASH_PDQ)) == 0)
        problem = problem_fail(diag, PROBLEM_MALFORMED, "%spdq_quality is given without pdq", where);
    if (problem == PROBLEM_NONE)
        problem = json_body_read_text(object, "content_id", "", where, &item->content_id, diag);
    if (problem == PROBLEM_NONE)
        problem = screening_check_reference("content_id", item->content_id, diag);
    return problem;
}

/* *items is the caller's to free(). */
static enum problem read_items(const json_t *object, struct match_item **items, size_t *count,
                               struct diag *diag)
{
    const json_t *array = json_object_get(object, "items");
    const size_t size = json_array_size(array);
    struct match_item *made = NULL;
    enum problem problem = PROBLEM_NONE;

    if (!json_is_array(array) || size < 1 || size > MATCH_ITEMS_MAX)
        return problem_fail(diag, PROBLEM_MALFORMED, "items must be an array of 1 to %d items",
                            MATCH_ITEMS_MAX);
    made = calloc(size, sizeof *made);
    if (made == NULL)
        return problem_fail(diag, PROBLEM_BUSY, "no memory for the items");
    for (size_t i = 0; i < size && problem == PROBLEM_NONE; i++)
        problem = read_item(json_array_get(array, i), i, &made[i], diag);
    if (problem != PROBLEM_NONE) {
        free(made);
        return problem;
    }
    *items = made;
    *count = size;
    return PROBLEM_NONE;
}

/* Reads what stands beside the items. The texts point into object. */
static enum problem read_call(struct request *request, const json_t *object, struct screening_request *asked)
{
    static const char *const members[] = {"profile", "audience", "content_id", "account_ref", "items", NULL};
    struct diag *diag = &request->diag;
    const char *audience = NULL;
    enum problem problem = json_body_check_members(object, members, "", diag);

    if (problem == PROBLEM_NONE)
        problem = json_body_read_text(object, "profile", "default", "", &asked->profile, diag);
    if (problem == PROBLEM_NONE)
        problem = screening_check_profile(request, asked->profile);
    if (problem == PROBLEM_NONE)
        problem = json_body_read_text(object, "audience", "unknown", "", &audience, diag);
    if (problem == PROBLEM_NONE)
        problem = screening_read_audience(audience, &asked->audience, diag);
    if (problem == PROBLEM_NONE)
        problem = json_body_read_text(object, "content_id", "", "", &asked->content_id, diag);
    if (problem == PROBLEM_NONE)
        problem = screening_check_reference("content_id", asked->content_id, diag);
    if (problem == PROBLEM_NONE)
        problem = json_body_read_text(object, "account_ref", "", "", &asked->account_ref, diag);
    if (problem == PROBLEM_NONE)
        problem = screening_check_reference("account_ref", asked->account_ref, diag);
    if (problem == PROBLEM_NONE)
        problem = screening_read_key(request, &asked->idempotency_key);
    return problem;
}

enum problem match_finish(struct request *request)
{
    struct screening_request asked = {.key_name = request->caller.name, .request_id = request->id};
    struct match_call call = {.body = request->buffer.data, .body_size = request->buffer.size};
    struct match_item *items = NULL;
    json_t *object = NULL;
    char *answer = NULL;
    enum problem problem = json_body_read(&request->buffer, CALL_VALUES_MAX, &object, &request->diag);

    if (problem == PROBLEM_NONE)
        problem = read_call(request, object, &asked);
    if (problem == PROBLEM_NONE)
        problem = read_items(object, &items, &call.count, &request->diag);
    if (problem == PROBLEM_NONE) {
        call.items = items;
        problem = screening_judge(request, screener_match(request->service->parts.screener, &call, &asked,
                                                          &answer, &request->diag));
    }
    if (problem == PROBLEM_NONE)
        problem = screening_reply(request, answer, false);
    free(items);
    json_decref(object);
    return problem;
}
