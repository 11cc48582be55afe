/* GET /v1/lists/{name}/history, POST /v1/lists/{name}/revert: who changed a list, and the way back. */
#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"
#include "prescreen/store/history.h"

#include "handlers.h"
#include "json_body.h"
#include "list_call.h"

#include <errno.h>

enum { VERSIONS_MAX = 1000, VERSIONS_STANDARD = 100, REVERT_VALUES_MAX = 4 };

static int collect(void *context, const struct list_version *version)
{
    char at[CLOCK_RFC3339_SIZE];

    clock_format_rfc3339(version->at_us, at);
    json_t *object = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:b}", "version",
        (json_int_t)version->version, "at", at, "who", version->who, "what", version->what, "action",
        list_action_name(version->properties.action), "source", version->properties.source, "max_distance",
        (int)version->properties.max_distance, "added", (json_int_t)version->change.added, "changed",
        (json_int_t)version->change.changed, "removed", (json_int_t)version->change.removed, "unchanged",
        (json_int_t)version->change.unchanged, "kept", version->kept ? 1 : 0);

    return json_array_append_new(context, object) == 0 ? 0 : -ENOMEM;
}

enum problem history_finish(struct request *request)
{
    const char *text = target_find(&request->target, "limit");
    uint64_t limit = VERSIONS_STANDARD;
    struct list_info info;
    enum problem problem = list_find(request, &info);

    if (problem == PROBLEM_NONE && text != NULL &&
        (!text_parse_u64(text, VERSIONS_MAX, &limit) || limit == 0))
        problem = problem_fail(&request->diag, PROBLEM_MALFORMED, "limit must be a number from 1 to %d",
                               VERSIONS_MAX);
    if (problem != PROBLEM_NONE)
        return problem;
    json_t *versions = json_array();
    int result = versions == NULL
                     ? -ENOMEM
                     : list_store_each_version(request->service->parts.list_store, request->list_name, limit,
                                               collect, versions, &request->diag);
    if (result != 0) {
        json_decref(versions);
        return list_judge(request, result);
    }
    json_t *object = json_pack("{s:s, s:o}", "list", request->list_name, "versions", versions);
    answer_set_json(&request->answer, 200, object != NULL ? json_dumps(object, JSON_COMPACT) : NULL);
    json_decref(object);
    return PROBLEM_NONE;
}

static enum problem read_version(const json_t *object, uint64_t *version, struct diag *diag)
{
    static const char *const members[] = {"to", NULL};
    const json_t *to = json_object_get(object, "to");
    enum problem problem = json_body_check_members(object, members, "", diag);

    if (problem == PROBLEM_NONE && (!json_is_integer(to) || json_integer_value(to) < 1))
        problem = problem_fail(diag, PROBLEM_MALFORMED, "to must be a version of the list");
    if (problem == PROBLEM_NONE)
        *version = (uint64_t)json_integer_value(to);
    return problem;
}

enum problem revert_finish(struct request *request)
{
    struct list_change change;
    struct list_info info;
    json_t *object = NULL;
    uint64_t version = 0;
    enum problem problem = list_find(request, &info);

    if (problem == PROBLEM_NONE)
        problem = json_body_read(&request->buffer, REVERT_VALUES_MAX, &object, &request->diag);
    if (problem == PROBLEM_NONE)
        problem = read_version(object, &version, &request->diag);
    json_decref(object);
    if (problem != PROBLEM_NONE)
        return problem;
    int outcome = list_store_revert(request->service->parts.list_store, request->list_name, version,
                                    request->caller.name, &change, &request->diag);
    /* The list is there: what is not found is the version that the body names. */
    problem = outcome == LIST_STORE_NOT_FOUND ? PROBLEM_MALFORMED : list_judge(request, outcome);
    return problem == PROBLEM_NONE ? list_reply_changed(request, "revert", 200, &change, NULL) : problem;
}
