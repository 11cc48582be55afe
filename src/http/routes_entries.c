/* POST /v1/lists/{name}/entries: a few entries at once, all or nothing. */
#include "handlers.h"
#include "json_body.h"
#include "list_call.h"

#include <stdio.h>
#include <string.h>

enum {
    CHANGES_MAX = 10000,
    ENTRY_MEMBERS = 6,
    CALL_VALUES_MAX = 16 + CHANGES_MAX * (ENTRY_MEMBERS + 2),
    WHERE_SIZE = 32
};

static enum problem read_entry(const json_t *object, const char *where, struct list_entry *entry,
                               struct diag *diag)
{
    static const char *const members[ENTRY_MEMBERS + 1] = {"entry_id",       "md5", "sha1", "sha256", "pdq",
                                                           "classification", NULL};
    enum problem problem = PROBLEM_NONE;

    *entry = (struct list_entry){.note = ""};
    if (!json_is_object(object))
        return problem_fail(diag, PROBLEM_MALFORMED, "%san entry must be an object", where);
    problem = json_body_check_members(object, members, where, diag);
    if (problem == PROBLEM_NONE)
        problem = json_body_read_text(object, "entry_id", "", where, &entry->entry_id, diag);
    if (problem == PROBLEM_NONE)
        problem = json_body_read_text(object, "classification", "", where, &entry->classification, diag);
    if (problem == PROBLEM_NONE)
        problem = json_body_read_hashes(object, where, &entry->hashes, diag);
    return problem;
}

/* Judges what the draft said of one entry, adding where it stands. */
static enum problem judge_entry(struct request *request, int outcome, const char *where)
{
    struct diag said = request->diag;

    if (outcome == LIST_STORE_REFUSED)
        diag_set(&request->diag, "%s%s", where, said.text);
    return list_judge(request, outcome);
}

static enum problem upsert(struct request *request, struct list_draft *draft, const json_t *entries)
{
    enum problem problem = PROBLEM_NONE;
    char where[WHERE_SIZE]; /* counted as the store counts in its own sentences */
    struct list_entry entry;

    for (size_t i = 0; i < json_array_size(entries) && problem == PROBLEM_NONE; i++) {
        snprintf(where, sizeof where, "upsert %zu: ", i + 1);
        problem = read_entry(json_array_get(entries, i), where, &entry, &request->diag);
        if (problem == PROBLEM_NONE)
            problem = judge_entry(request, list_draft_upsert(draft, &entry, &request->diag), where);
    }
    return problem;
}

static enum problem remove_each(struct request *request, struct list_draft *draft, const json_t *names)
{
    enum problem problem = PROBLEM_NONE;
    char where[WHERE_SIZE];

    for (size_t i = 0; i < json_array_size(names) && problem == PROBLEM_NONE; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        snprintf(where, sizeof where, "removal %zu: ", i + 1);
        if (name != NULL)
            problem = judge_entry(request, list_draft_remove(draft, name, &request->diag), where);
        else
            problem =
                problem_fail(&request->diag, PROBLEM_MALFORMED, "%san entry_id must be a string", where);
    }
    return problem;
}

static enum problem check_call(const json_t *object, struct diag *diag)
{
    static const char *const members[] = {"upsert", "remove", NULL};
    enum problem problem = json_body_check_members(object, members, "", diag);
    size_t count = 0;

    for (size_t i = 0; i < 2 && problem == PROBLEM_NONE; i++) {
        const json_t *array = json_object_get(object, members[i]);
        if (array != NULL && !json_is_array(array))
            problem = problem_fail(diag, PROBLEM_MALFORMED, "%s must be an array", members[i]);
        count += json_array_size(array);
    }
    if (problem == PROBLEM_NONE && (count < 1 || count > CHANGES_MAX))
        problem = problem_fail(diag, PROBLEM_MALFORMED,
                               "upsert and remove together must name 1 to %d entries", CHANGES_MAX);
    return problem;
}

/* Makes the change from a call that has been checked. */
static enum problem change_entries(struct request *request, const json_t *object)
{
    struct list_draft *draft = NULL;
    struct list_change change;
    enum problem problem =
        list_judge(request, list_draft_begin(request->service->parts.list_store, request->list_name,
                                             LIST_MERGE, &draft, &request->diag));

    if (problem != PROBLEM_NONE)
        return problem;
    problem = upsert(request, draft, json_object_get(object, "upsert"));
    if (problem == PROBLEM_NONE)
        problem = remove_each(request, draft, json_object_get(object, "remove"));
    if (problem != PROBLEM_NONE) {
        list_draft_abandon(draft);
        return problem;
    }
    problem = list_judge(request,
                         list_draft_commit(draft, request->caller.name, "entries", &change, &request->diag));
    return problem == PROBLEM_NONE ? list_reply_changed(request, "entries", 200, &change, NULL) : problem;
}

enum problem entries_finish(struct request *request)
{
    struct list_info info;
    json_t *object = NULL;
    enum problem problem = list_find(request, &info);

    if (problem == PROBLEM_NONE)
        problem = json_body_read(&request->buffer, CALL_VALUES_MAX, &object, &request->diag);
    if (problem == PROBLEM_NONE)
        problem = check_call(object, &request->diag);
    if (problem == PROBLEM_NONE)
        problem = change_entries(request, object);
    json_decref(object);
    return problem;
}
