#include "http/openapi.h"
#include "http/routes.h"
#include "tap.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

enum { ALL_CALLS = CALLS_MAIN | CALLS_OPERATION };

static json_t *document;
static struct route_match match;

static void load(void)
{
    document = json_loads(openapi_document, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(document);
}

static void unload(void)
{
    json_decref(document);
}

static const struct route *find(const char *method, const char *path)
{
    route_find(path, method, ALL_CALLS, &match);
    return match.route;
}

START_TEST(paths_lead_to_their_routes)
{
    ck_assert_str_eq(find("POST", "/v1/screen")->path, "/v1/screen");
    ck_assert_str_eq(find("GET", "/v1/lists")->path, "/v1/lists");
    ck_assert_str_eq(match.name, "");
    ck_assert_str_eq(find("GET", "/v1/lists/a")->path, "/v1/lists/{name}");
    ck_assert_str_eq(match.name, "a");
    ck_assert_str_eq(find("DELETE", "/v1/lists/entries")->path, "/v1/lists/{name}");
    ck_assert_str_eq(match.name, "entries");
    ck_assert_str_eq(find("POST", "/v1/lists/x.y/entries")->path, "/v1/lists/{name}/entries");
    ck_assert_str_eq(match.name, "x.y");
    ck_assert_ptr_eq(find("HEAD", "/healthz"), find("GET", "/healthz"));
}
END_TEST

START_TEST(paths_that_are_nearly_one_lead_nowhere)
{
    static const char *const bad[] = {"",
                                      "/",
                                      "/v1",
                                      "/v1/",
                                      "/v1/screen/",
                                      "//v1/screen",
                                      "/v1/Screen",
                                      "/v1/screens",
                                      "/v1/scree",
                                      "/v1/lists/",
                                      "/v1/lists//",
                                      "/v1/lists//entries",
                                      "/v1/lists/a/",
                                      "/v1/lists/a/other",
                                      "/v1/lists/a/entries/",
                                      "/v1/lists/a/b/entries",
                                      "/v1/lists/{name}/x"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_ptr_null(find("POST", bad[i]));
        ck_assert_uint_eq(match.allowed, 0);
    }
}
END_TEST

START_TEST(method_that_a_path_does_not_take_shows_those_it_takes)
{
    char allowed[64];

    ck_assert_ptr_null(find("PATCH", "/v1/lists/a"));
    route_format_allowed(&match, allowed, sizeof allowed);
    ck_assert_str_eq(allowed, "GET, HEAD, PUT, DELETE");
    ck_assert_ptr_null(find("post", "/v1/screen"));
    route_format_allowed(&match, allowed, sizeof allowed);
    ck_assert_str_eq(allowed, "POST");
    ck_assert_ptr_null(find("HEAD", "/v1/screen"));
}
END_TEST

START_TEST(address_takes_only_its_own_calls)
{
    for (size_t i = 0; i < route_count; i++) {
        if (strchr(routes[i].path, '{') != NULL)
            continue;
        route_find(routes[i].path, routes[i].method, CALLS_MAIN, &match);
        ck_assert_int_eq(match.route != NULL, routes[i].kind == CALLS_MAIN);
        route_find(routes[i].path, routes[i].method, CALLS_OPERATION, &match);
        ck_assert_int_eq(match.route != NULL, routes[i].kind == CALLS_OPERATION);
    }
}
END_TEST

START_TEST(name_that_is_too_long_stays_too_long)
{
    char path[256] = "/v1/lists/";

    for (size_t size = 1; size < 100; size++) {
        strcat(path, "a");
        ck_assert_ptr_nonnull(find("GET", path));
        ck_assert_uint_eq(strlen(match.name), size <= LIST_NAME_MAX ? size : LIST_NAME_MAX + 1);
    }
}
END_TEST

START_TEST(everything_but_operation_needs_a_right)
{
    for (size_t i = 0; i < route_count; i++)
        ck_assert_int_eq(routes[i].right != 0, routes[i].kind == CALLS_MAIN);
}
END_TEST

static json_t *described(const struct route *route)
{
    char method[16];
    size_t size = strlen(route->method);

    for (size_t i = 0; i <= size; i++)
        method[i] = (char)(route->method[i] | 0x20);
    method[size] = '\0';
    return json_object_get(json_object_get(json_object_get(document, "paths"), route->path), method);
}

START_TEST(description_names_every_call_and_no_other)
{
    const char *path = NULL, *method = NULL;
    json_t *item = NULL, *operation = NULL;
    size_t count = 0;

    for (size_t i = 0; i < route_count; i++)
        ck_assert_msg(described(&routes[i]) != NULL, "%s %s", routes[i].method, routes[i].path);
    json_object_foreach(json_object_get(document, "paths"), path, item)
    {
        json_object_foreach(item, method, operation) count += strcmp(method, "parameters") != 0;
    }
    ck_assert_uint_eq(count, route_count);
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(document, "info"), "version")),
                     PRESCREEN_VERSION);
}
END_TEST

/* True when the description of a call has this query parameter. */
static bool describes(const json_t *operation, const char *name)
{
    const json_t *parameters = json_object_get(operation, "parameters");

    for (size_t i = 0; i < json_array_size(parameters); i++) {
        const json_t *parameter = json_array_get(parameters, i);
        if (strcmp(json_string_value(json_object_get(parameter, "in")), "query") == 0 &&
            strcmp(json_string_value(json_object_get(parameter, "name")), name) == 0)
            return true;
    }
    return false;
}

static size_t count_query_parameters(const json_t *operation)
{
    const json_t *parameters = json_object_get(operation, "parameters");
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(parameters); i++)
        count +=
            strcmp(json_string_value(json_object_get(json_array_get(parameters, i), "in")), "query") == 0;
    return count;
}

START_TEST(description_names_the_parameters_body_and_key_of_each_call)
{
    for (size_t i = 0; i < route_count; i++) {
        const json_t *operation = described(&routes[i]);
        size_t count = 0;
        for (; routes[i].parameters[count] != NULL; count++)
            ck_assert_msg(describes(operation, routes[i].parameters[count]), "%s %s", routes[i].path,
                          routes[i].parameters[count]);
        ck_assert_uint_eq(count_query_parameters(operation), count);
        ck_assert_int_eq(json_object_get(operation, "requestBody") != NULL,
                         routes[i].body != ROUTE_BODY_NONE);
        const json_t *security = json_object_get(operation, "security");
        ck_assert_int_eq(security != NULL && json_array_size(security) == 0, routes[i].right == 0);
        ck_assert_int_eq(json_object_get(json_object_get(operation, "responses"), "403") != NULL,
                         routes[i].right != 0);
    }
}
END_TEST

/* Every "$ref" below value leads somewhere. */
static void check_references(const json_t *value)
{
    const char *key = NULL;
    json_t *member = NULL;
    size_t index = 0;

    json_array_foreach(value, index, member) check_references(member);
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (strcmp(key, "$ref") != 0) {
            check_references(member);
            continue;
        }
        char kind[32], name[64];
        ck_assert_int_eq(sscanf(json_string_value(member), "#/components/%31[^/]/%63s", kind, name), 2);
        ck_assert_msg(json_object_get(json_object_get(json_object_get(document, "components"), kind), name) !=
                          NULL,
                      "%s", json_string_value(member));
    }
}

START_TEST(description_refers_to_nothing_that_is_missing)
{
    check_references(document);
}
END_TEST

START_TEST(description_uses_the_words_of_the_interface)
{
    const json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
    const json_t *reasons = json_object_get(json_object_get(schemas, "Reason"), "enum");
    const json_t *verdicts = json_object_get(json_object_get(schemas, "Verdict"), "enum");

    ck_assert_uint_eq(json_array_size(reasons), REASON_COUNT);
    for (int i = 0; i < REASON_COUNT; i++)
        ck_assert_str_eq(json_string_value(json_array_get(reasons, (size_t)i)), reason_name((enum reason)i));
    ck_assert_uint_eq(json_array_size(verdicts), VERDICT_COUNT);
    for (int i = 0; i < VERDICT_COUNT; i++)
        ck_assert_str_eq(json_string_value(json_array_get(verdicts, (size_t)i)),
                         verdict_name((enum verdict)i));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http routes");
    TCase *cases = tcase_create("routes");

    tcase_add_checked_fixture(cases, load, unload);
    tcase_add_test(cases, paths_lead_to_their_routes);
    tcase_add_test(cases, paths_that_are_nearly_one_lead_nowhere);
    tcase_add_test(cases, method_that_a_path_does_not_take_shows_those_it_takes);
    tcase_add_test(cases, address_takes_only_its_own_calls);
    tcase_add_test(cases, name_that_is_too_long_stays_too_long);
    tcase_add_test(cases, everything_but_operation_needs_a_right);
    tcase_add_test(cases, description_names_every_call_and_no_other);
    tcase_add_test(cases, description_names_the_parameters_body_and_key_of_each_call);
    tcase_add_test(cases, description_refers_to_nothing_that_is_missing);
    tcase_add_test(cases, description_uses_the_words_of_the_interface);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
