#include "routes.h"

#include "handlers.h"

#include <stdio.h>
#include <string.h>

static const char *const no_parameters[] = {NULL};
static const char *const screen_parameters[] = {"profile",     "audience", "content_id",
                                                "account_ref", "respond",  NULL};
static const char *const import_parameters[] = {"format", "mode", "dry_run", NULL};
static const char *const ending_parameters[] = {"note", NULL};
static const char *const history_parameters[] = {"limit", NULL};

const struct route routes[] = {
    {"POST", "/v1/screen", CALLS_MAIN, RIGHT_SCREEN, ROUTE_BODY_UPLOAD, 0, screen_parameters, screen_begin,
     upload_take, screen_finish, upload_clear},
    {"POST", "/v1/hash", CALLS_MAIN, RIGHT_DETAIL, ROUTE_BODY_UPLOAD, 0, no_parameters, hash_begin,
     upload_take, hash_finish, upload_clear},
    {"POST", "/v1/match", CALLS_MAIN, RIGHT_SCREEN, ROUTE_BODY_JSON, MATCH_BODY_MAX, no_parameters, NULL,
     NULL, match_finish, NULL},
    {"GET", "/v1/lists", CALLS_MAIN, RIGHT_LISTS, ROUTE_BODY_NONE, 0, no_parameters, NULL, NULL, lists_finish,
     NULL},
    {"GET", "/v1/lists/{name}", CALLS_MAIN, RIGHT_LISTS, ROUTE_BODY_NONE, 0, no_parameters, NULL, NULL,
     list_get_finish, NULL},
    {"PUT", "/v1/lists/{name}", CALLS_MAIN, RIGHT_LISTS, ROUTE_BODY_JSON, LIST_BODY_MAX, no_parameters, NULL,
     NULL, list_put_finish, NULL},
    {"DELETE", "/v1/lists/{name}", CALLS_MAIN, RIGHT_LISTS, ROUTE_BODY_NONE, 0, no_parameters, NULL, NULL,
     list_delete_finish, NULL},
    {"POST", "/v1/lists/{name}/entries", CALLS_MAIN, RIGHT_LISTS, ROUTE_BODY_JSON, ENTRIES_BODY_MAX,
     no_parameters, NULL, NULL, entries_finish, NULL},
    {"POST", "/v1/lists/{name}/import", CALLS_MAIN, RIGHT_LISTS, ROUTE_BODY_IMPORT, 0, import_parameters,
     import_begin, import_take, import_finish, import_clear},
    {"GET", "/v1/lists/{name}/history", CALLS_MAIN, RIGHT_LISTS, ROUTE_BODY_NONE, 0, history_parameters, NULL,
     NULL, history_finish, NULL},
    {"POST", "/v1/lists/{name}/revert", CALLS_MAIN, RIGHT_LISTS, ROUTE_BODY_JSON, LIST_BODY_MAX,
     no_parameters, NULL, NULL, revert_finish, NULL},
    {"GET", "/v1/lists/{name}/exemptions", CALLS_MAIN, RIGHT_LISTS, ROUTE_BODY_NONE, 0, no_parameters, NULL,
     NULL, exemptions_finish, NULL},
    {"PUT", "/v1/lists/{name}/exemptions/{entry_id}", CALLS_MAIN, RIGHT_LISTS, ROUTE_BODY_JSON, LIST_BODY_MAX,
     no_parameters, NULL, NULL, exempt_finish, NULL},
    {"DELETE", "/v1/lists/{name}/exemptions/{entry_id}", CALLS_MAIN, RIGHT_LISTS, ROUTE_BODY_NONE, 0,
     ending_parameters, NULL, NULL, lift_finish, NULL},
    {"GET", "/v1/lists/{name}/set-aside", CALLS_MAIN, RIGHT_LISTS, ROUTE_BODY_NONE, 0, no_parameters, NULL,
     NULL, set_aside_list_finish, NULL},
    {"PUT", "/v1/lists/{name}/set-aside/{entry_id}", CALLS_MAIN, RIGHT_LISTS, ROUTE_BODY_JSON, LIST_BODY_MAX,
     no_parameters, NULL, NULL, set_aside_finish, NULL},
    {"DELETE", "/v1/lists/{name}/set-aside/{entry_id}", CALLS_MAIN, RIGHT_LISTS, ROUTE_BODY_NONE, 0,
     ending_parameters, NULL, NULL, release_finish, NULL},
    {"GET", "/healthz", CALLS_OPERATION, 0, ROUTE_BODY_NONE, 0, no_parameters, NULL, NULL, health_finish,
     NULL},
    {"GET", "/readyz", CALLS_OPERATION, 0, ROUTE_BODY_NONE, 0, no_parameters, NULL, NULL, ready_finish, NULL},
    {"GET", "/metrics", CALLS_OPERATION, 0, ROUTE_BODY_NONE, 0, no_parameters, NULL, NULL, metrics_finish,
     NULL},
    {"GET", "/openapi.json", CALLS_OPERATION, 0, ROUTE_BODY_NONE, 0, no_parameters, NULL, NULL,
     openapi_finish, NULL},
};
const size_t route_count = sizeof routes / sizeof routes[0];

_Static_assert(sizeof routes / sizeof routes[0] <= 32, "each route has its bit in route_match.allowed");

/* What stands for a placeholder in the path that is matched. */
struct segment {
    const char *text;
    size_t size;
};

static void copy_segment(const struct segment *segment, char *text, size_t capacity)
{
    snprintf(text, capacity, "%.*s", (int)(segment->size < capacity ? segment->size : capacity),
             segment->text);
}

static bool path_fits(const char *pattern, const char *path, struct segment *name, struct segment *entry_id)
{
    while (*pattern != '\0') {
        if (*pattern == '{') {
            bool rest = strcmp(pattern, "{entry_id}") == 0;
            struct segment *segment = rest ? entry_id : name;
            *segment = (struct segment){path, rest ? strlen(path) : strcspn(path, "/")};
            if (segment->size == 0)
                return false;
            path += segment->size;
            pattern = strchr(pattern, '}') + 1;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

void route_find(const char *path, const char *method, unsigned int kinds, struct route_match *match)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;

    *match = (struct route_match){0};
    for (size_t i = 0; i < route_count; i++) {
        struct segment name = {"", 0};
        struct segment entry_id = {"", 0};
        if ((routes[i].kind & kinds) == 0 || !path_fits(routes[i].path, path, &name, &entry_id))
            continue;
        match->allowed |= 1u << i;
        if (strcmp(routes[i].method, wanted) != 0)
            continue;
        match->route = &routes[i];
        copy_segment(&name, match->name, sizeof match->name);
        copy_segment(&entry_id, match->entry_id, sizeof match->entry_id);
    }
}

void route_format_allowed(const struct route_match *match, char *text, size_t capacity)
{
    size_t size = 0;

    text[0] = '\0';
    for (size_t i = 0; i < route_count && size < capacity; i++) {
        if ((match->allowed & (1u << i)) == 0)
            continue;
        size += (size_t)snprintf(text + size, capacity - size, "%s%s%s", size != 0 ? ", " : "",
                                 routes[i].method, strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
    }
}
