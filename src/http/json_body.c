#include "json_body.h"

#include <stdbool.h>
#include <string.h>

/* Counts commas and openings outside of strings: no JSON text has more values than these and one. */
static bool weigh(const struct bytes *body, size_t values_max)
{
    size_t values = 1;
    size_t depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < body->size; i++) {
        const uint8_t c = body->data[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '[')) {
            depth++;
            values++;
        } else if (!in_string && (c == '}' || c == ']') && depth > 0)
            depth--;
        else if (!in_string && c == ',')
            values++;
        if (values > values_max || depth > JSON_BODY_DEPTH_MAX)
            return false;
    }
    return true;
}

enum problem json_body_read(const struct bytes *body, size_t values_max, json_t **object, struct diag *diag)
{
    json_error_t error;
    json_t *root = NULL;

    if (!weigh(body, values_max))
        return problem_fail(diag, PROBLEM_MALFORMED,
                            "the body has more than %zu values or more than %d levels", values_max,
                            JSON_BODY_DEPTH_MAX);
    root = json_loadb(body->size != 0 ? (const char *)body->data : "", body->size, JSON_REJECT_DUPLICATES,
                      &error);
    if (root == NULL)
        return problem_fail(diag, PROBLEM_MALFORMED, "the body is no JSON: line %d, column %d: %s",
                            error.line, error.column, error.text);
    if (!json_is_object(root)) {
        json_decref(root);
        return problem_fail(diag, PROBLEM_MALFORMED, "the body must be a JSON object");
    }
    *object = root;
    return PROBLEM_NONE;
}

enum problem json_body_check_members(const json_t *object, const char *const *allowed, const char *where,
                                     struct diag *diag)
{
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const char *const *name = allowed;
        while (*name != NULL && strcmp(*name, key) != 0)
            name++;
        if (*name == NULL)
            return problem_fail(diag, PROBLEM_MALFORMED, "%sunknown member \"%s\"", where, key);
    }
    return PROBLEM_NONE;
}

enum problem json_body_read_text(const json_t *object, const char *name, const char *fallback,
                                 const char *where, const char **text, struct diag *diag)
{
    const json_t *value = json_object_get(object, name);

    if (value != NULL && !json_is_string(value))
        return problem_fail(diag, PROBLEM_MALFORMED, "%s%s must be a string", where, name);
    *text = value != NULL ? json_string_value(value) : fallback;
    return PROBLEM_NONE;
}

enum problem json_body_read_number(const json_t *object, const char *name, unsigned int maximum, int fallback,
                                   const char *where, int *number, struct diag *diag)
{
    const json_t *value = json_object_get(object, name);

    if (value != NULL && (!json_is_integer(value) || json_integer_value(value) < 0 ||
                          json_integer_value(value) > (json_int_t)maximum))
        return problem_fail(diag, PROBLEM_MALFORMED, "%s%s must be a whole number from 0 to %u", where, name,
                            maximum);
    *number = value != NULL ? (int)json_integer_value(value) : fallback;
    return PROBLEM_NONE;
}

enum problem json_body_read_hashes(const json_t *object, const char *where, struct known_hashes *hashes,
                                   struct diag *diag)
{
    struct known_hashes read = {.pdq_quality = -1};

    for (int kind = 0; kind < HASH_KIND_COUNT; kind++) {
        const char *name = hash_kind_name((enum hash_kind)kind);
        const json_t *value = json_object_get(object, name);
        if (value == NULL)
            continue;
        if (!json_is_string(value) ||
            !known_hashes_parse(&read, (enum hash_kind)kind, json_string_value(value),
                                json_string_length(value)))
            return problem_fail(diag, PROBLEM_MALFORMED, "%s%s must be %zu hexadecimal digits", where, name,
                                2 * hash_kind_size((enum hash_kind)kind));
    }
    if (read.kinds == 0)
        return problem_fail(diag, PROBLEM_MALFORMED, "%sat least one of md5, sha1, sha256, pdq is needed",
                            where);
    *hashes = read;
    return PROBLEM_NONE;
}
