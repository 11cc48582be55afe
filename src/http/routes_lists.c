/* The lists themselves: GET /v1/lists, and GET, PUT, DELETE of one. */
#include "prescreen/base/text.h"

#include "handlers.h"
#include "json_body.h"
#include "list_call.h"

#include <errno.h>
#include <stdio.h>

enum { LIST_VALUES_MAX = 16 };

static int collect(void *context, const struct list_info *info)
{
    return json_array_append_new(context, list_to_json(info)) == 0 ? 0 : -ENOMEM;
}

static enum problem reply_json(struct request *request, json_t *object)
{
    answer_set_json(&request->answer, 200, object != NULL ? json_dumps(object, JSON_COMPACT) : NULL);
    json_decref(object);
    return PROBLEM_NONE;
}

enum problem lists_finish(struct request *request)
{
    struct list_store *store = request->service->parts.list_store;
    json_t *lists = json_array();
    uint64_t version = 0;
    /* The version first: a list may then be newer than the version says, never older. */
    int result = list_store_version(store, &version, &request->diag);

    if (result == 0)
        result = lists != NULL ? list_store_each(store, collect, lists, &request->diag) : -ENOMEM;
    if (result != 0) {
        json_decref(lists);
        return list_judge(request, result);
    }
    return reply_json(request, json_pack("{s:I, s:o}", "lists_version", (json_int_t)version, "lists", lists));
}

enum problem list_get_finish(struct request *request)
{
    struct list_info info;
    enum problem problem = list_find(request, &info);

    return problem == PROBLEM_NONE ? reply_json(request, list_to_json(&info)) : problem;
}

static enum problem read_properties(const json_t *object, struct list_properties *properties,
                                    struct diag *diag)
{
    static const char *const members[] = {"action", "source", "max_distance", NULL};
    const char *action = NULL;
    const char *source = NULL;
    int distance = 0;
    enum problem problem = json_body_check_members(object, members, "", diag);

    if (problem == PROBLEM_NONE)
        problem = json_body_read_text(object, "action", "", "", &action, diag);
    if (problem == PROBLEM_NONE)
        problem = json_body_read_text(object, "source", "", "", &source, diag);
    if (problem == PROBLEM_NONE)
        problem = json_body_read_number(object, "max_distance", LIST_DISTANCE_MAX, LIST_DISTANCE_DEFAULT, "",
                                        &distance, diag);
    if (problem != PROBLEM_NONE)
        return problem;
    if (!list_action_parse(action, &properties->action))
        return problem_fail(diag, PROBLEM_MALFORMED, "action must be report, block, allow or observe");
    if (!text_copy(properties->source, sizeof properties->source, source))
        return problem_fail(diag, PROBLEM_MALFORMED, "source may have at most %d bytes", LIST_SOURCE_MAX);
    properties->max_distance = (unsigned int)distance;
    return PROBLEM_NONE;
}

static enum problem put(struct request *request, const struct list_properties *properties)
{
    struct list_store *store = request->service->parts.list_store;
    struct list_info before;
    struct list_change change;
    int found = list_store_get(store, properties->name, &before, NULL);
    enum problem problem =
        list_judge(request, list_store_put(store, properties, request->caller.name, &change, &request->diag));

    if (problem != PROBLEM_NONE)
        return problem;
    if (found != LIST_STORE_NOT_FOUND)
        return list_reply_changed(request, "put", 200, &change, NULL);
    snprintf(request->answer.location, sizeof request->answer.location, "/v1/lists/%s", properties->name);
    return list_reply_changed(request, "created", 201, &change, NULL);
}

enum problem list_put_finish(struct request *request)
{
    struct list_properties properties = {0};
    json_t *object = NULL;
    enum problem problem = PROBLEM_NONE;

    if (!text_is_token(request->list_name, LIST_NAME_MAX) ||
        !text_copy(properties.name, sizeof properties.name, request->list_name))
        return problem_fail(&request->diag, PROBLEM_MALFORMED,
                            "the name of a list is 1 to %d of A-Z a-z 0-9 . _ -", LIST_NAME_MAX);
    problem = json_body_read(&request->buffer, LIST_VALUES_MAX, &object, &request->diag);
    if (problem == PROBLEM_NONE)
        problem = read_properties(object, &properties, &request->diag);
    json_decref(object);
    return problem == PROBLEM_NONE ? put(request, &properties) : problem;
}

enum problem list_delete_finish(struct request *request)
{
    struct list_change change;
    struct list_info info;
    enum problem problem = list_find(request, &info);

    if (problem == PROBLEM_NONE)
        problem =
            list_judge(request, list_store_delete(request->service->parts.list_store, request->list_name,
                                                  request->caller.name, &change, &request->diag));
    return problem == PROBLEM_NONE ? list_reply_changed(request, "deleted", 200, &change, NULL) : problem;
}
