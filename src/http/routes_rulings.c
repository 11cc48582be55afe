/* /v1/lists/{name}/exemptions and /v1/lists/{name}/set-aside: what was decided about single entries. */
#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"
#include "prescreen/store/rulings.h"

#include "handlers.h"
#include "json_body.h"
#include "list_call.h"

#include <errno.h>
#include <string.h>

enum { RULING_VALUES_MAX = 4 };

static int collect(void *context, const struct entry_ruled *ruled)
{
    char at[CLOCK_RFC3339_SIZE];
    char lapsed[CLOCK_RFC3339_SIZE];

    clock_format_rfc3339(ruled->at_us, at);
    clock_format_rfc3339(ruled->lapsed_us, lapsed);
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:I, s:b, s:b}", "entry_id", ruled->entry_id, "at", at,
                               "who", ruled->who, "note", ruled->note, "version", (json_int_t)ruled->version,
                               "on_list", ruled->present ? 1 : 0, "lapsed", ruled->lapsed ? 1 : 0);
    if (object != NULL && ruled->lapsed &&
        json_object_set_new(object, "lapsed_at", json_string(lapsed)) != 0) {
        json_decref(object);
        object = NULL;
    }
    return json_array_append_new(context, object) == 0 ? 0 : -ENOMEM;
}

/* Adds the entries with the ruling to the answer, under a member of its own. */
static enum problem add_ruled(struct request *request, enum entry_ruling ruling, const char *member,
                              json_t *answer)
{
    json_t *array = json_array();
    int result = -ENOMEM;

    if (array != NULL && json_object_set_new(answer, member, array) == 0)
        result = list_store_each_ruled(request->service->parts.list_store, request->list_name, ruling,
                                       collect, array, &request->diag);
    return list_judge(request, result);
}

static enum problem reply(struct request *request, enum problem problem, json_t *answer)
{
    if (problem == PROBLEM_NONE)
        answer_set_json(&request->answer, 200, json_dumps(answer, JSON_COMPACT));
    json_decref(answer);
    return problem;
}

enum problem exemptions_finish(struct request *request)
{
    struct list_info info;
    enum problem problem = list_find(request, &info);

    if (problem != PROBLEM_NONE)
        return problem;
    json_t *answer = json_pack("{s:s}", "list", request->list_name);
    return reply(request, add_ruled(request, RULING_EXEMPT, "exemptions", answer), answer);
}

enum problem set_aside_list_finish(struct request *request)
{
    struct list_info info;
    enum problem problem = list_find(request, &info);

    if (problem != PROBLEM_NONE)
        return problem;
    json_t *answer = json_pack("{s:s}", "list", request->list_name);
    problem = add_ruled(request, RULING_SET_ASIDE, "set_aside", answer);
    if (problem == PROBLEM_NONE)
        problem = add_ruled(request, RULING_CONFIRMED, "released", answer);
    return reply(request, problem, answer);
}

/* Makes the ruling about the entry of the path. what names it in the log. */
static enum problem rule(struct request *request, enum ruling_act act, const char *what, const char *note)
{
    const char *const entry_ids[] = {request->entry_id};
    const struct ruling_call call = {.list = request->list_name,
                                     .act = act,
                                     .entry_ids = entry_ids,
                                     .count = 1,
                                     .who = request->caller.name,
                                     .note = note};
    struct list_change change;
    struct list_info info;
    enum problem problem = list_find(request, &info);

    if (problem != PROBLEM_NONE)
        return problem;
    if (strlen(request->entry_id) > ENTRY_ID_MAX)
        return problem_fail(&request->diag, PROBLEM_NO_ENTRY, "no entry can have this name");
    int outcome = list_store_rule(request->service->parts.list_store, &call, &change, &request->diag);
    /* The list is there: what is not found is the entry. */
    problem = outcome == LIST_STORE_NOT_FOUND ? PROBLEM_NO_ENTRY : list_judge(request, outcome);
    return problem == PROBLEM_NONE ? list_reply_changed(request, what, 200, &change, NULL) : problem;
}

/* With the note of the body. */
static enum problem rule_by_body(struct request *request, enum ruling_act act, const char *what)
{
    static const char *const members[] = {"note", NULL};
    json_t *object = NULL;
    const char *note = "";
    enum problem problem = json_body_read(&request->buffer, RULING_VALUES_MAX, &object, &request->diag);

    if (problem == PROBLEM_NONE)
        problem = json_body_check_members(object, members, "", &request->diag);
    if (problem == PROBLEM_NONE)
        problem = json_body_read_text(object, "note", "", "", &note, &request->diag);
    if (problem == PROBLEM_NONE)
        problem = rule(request, act, what, note);
    json_decref(object);
    return problem;
}

/* With the note of the query. */
static enum problem rule_by_query(struct request *request, enum ruling_act act, const char *what)
{
    const char *note = target_find(&request->target, "note");

    return rule(request, act, what, note != NULL ? note : "");
}

enum problem exempt_finish(struct request *request)
{
    return rule_by_body(request, RULING_ACT_EXEMPT, "exempt");
}

enum problem lift_finish(struct request *request)
{
    return rule_by_query(request, RULING_ACT_LIFT, "lift exemption");
}

enum problem set_aside_finish(struct request *request)
{
    return rule_by_body(request, RULING_ACT_SET_ASIDE, "set aside");
}

enum problem release_finish(struct request *request)
{
    return rule_by_query(request, RULING_ACT_RELEASE, "release");
}
