#include "list_call.h"

#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"

#include <string.h>

enum problem list_judge(struct request *request, int outcome)
{
    switch (outcome) {
    case 0:
        return PROBLEM_NONE;
    case LIST_STORE_NOT_FOUND:
        return PROBLEM_NO_LIST;
    case LIST_STORE_REFUSED:
        return PROBLEM_MALFORMED;
    case LIST_STORE_BUSY:
        return PROBLEM_BUSY;
    default:
        if (request->diag.text[0] == '\0')
            diag_set(&request->diag, "%s", strerror(-outcome));
        return PROBLEM_INTERNAL;
    }
}

enum problem list_find(struct request *request, struct list_info *info)
{
    if (!text_is_token(request->list_name, LIST_NAME_MAX))
        return problem_fail(&request->diag, PROBLEM_NO_LIST, "no list can have this name");
    return list_judge(request, list_store_get(request->service->parts.list_store, request->list_name, info,
                                              &request->diag));
}

json_t *list_to_json(const struct list_info *info)
{
    char created[CLOCK_RFC3339_SIZE], updated[CLOCK_RFC3339_SIZE];

    clock_format_rfc3339(info->created_us, created);
    clock_format_rfc3339(info->updated_us, updated);
    return json_pack("{s:s, s:s, s:s, s:i, s:I, s:{s:I, s:I, s:I, s:I}, s:I, s:s, s:s, s:I, s:I, s:I}",
                     "name", info->properties.name, "action", list_action_name(info->properties.action),
                     "source", info->properties.source, "max_distance", (int)info->properties.max_distance,
                     "entries", (json_int_t)info->entries, "kinds", hash_kind_name(HASH_MD5),
                     (json_int_t)info->kinds[HASH_MD5], hash_kind_name(HASH_SHA1),
                     (json_int_t)info->kinds[HASH_SHA1], hash_kind_name(HASH_SHA256),
                     (json_int_t)info->kinds[HASH_SHA256], hash_kind_name(HASH_PDQ),
                     (json_int_t)info->kinds[HASH_PDQ], "views", (json_int_t)info->views, "created_at",
                     created, "updated_at", updated, "version", (json_int_t)info->version, "exempt",
                     (json_int_t)info->exempt, "set_aside", (json_int_t)info->set_aside);
}

static void log_change(const struct request *request, const char *what, const struct list_change *change)
{
    /* What was decided about an entry that is another now is for people to look at. */
    log_event(request->service->parts.log, change->lapsed > 0 ? LOG_WARN : LOG_INFO, "list_changed",
              (struct log_field[]){
                  LOG_TEXT("list", request->list_name), LOG_TEXT("what", what),
                  LOG_TEXT("key", request->caller.name), LOG_TEXT("request_id", request->id),
                  LOG_NUMBER("lists_version", change->lists_version), LOG_NUMBER("added", change->added),
                  LOG_NUMBER("changed", change->changed), LOG_NUMBER("removed", change->removed),
                  LOG_NUMBER("unchanged", change->unchanged), LOG_NUMBER("forgotten", change->forgotten),
                  LOG_NUMBER("lapsed", change->lapsed), LOG_END});
}

/* more is taken. */
static enum problem reply(struct request *request, unsigned int status, const struct list_change *change,
                          json_t *more)
{
    json_t *object = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "list", request->list_name, "lists_version",
                               (json_int_t)change->lists_version, "added", (json_int_t)change->added,
                               "changed", (json_int_t)change->changed, "removed", (json_int_t)change->removed,
                               "unchanged", (json_int_t)change->unchanged);

    if ((change->lapsed > 0 &&
         json_object_set_new(object, "lapsed", json_integer((json_int_t)change->lapsed)) != 0) ||
        (more != NULL && json_object_update(object, more) != 0)) {
        json_decref(object);
        object = NULL;
    }
    json_decref(more);
    answer_set_json(&request->answer, status, object != NULL ? json_dumps(object, JSON_COMPACT) : NULL);
    json_decref(object);
    return PROBLEM_NONE;
}

enum problem list_reply_changed(struct request *request, const char *what, unsigned int status,
                                const struct list_change *change, json_t *more)
{
    struct diag diag = {""};

    log_change(request, what, change);
    if (catalog_refresh(request->service->parts.catalog, &diag) != 0) {
        json_decref(more);
        return problem_fail(
            &request->diag, PROBLEM_INTERNAL,
            "the change is stored as lists_version %llu but could not be brought into force: %s",
            (unsigned long long)change->lists_version, diag.text);
    }
    return reply(request, status, change, more);
}

enum problem list_reply_preview(struct request *request, const struct list_change *change, json_t *more)
{
    return reply(request, 200, change, more);
}
