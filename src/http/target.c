#include "target.h"

#include "prescreen/base/bytes.h"
#include "prescreen/base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Only what RFC 3986 lets stand in a target, and '|', '[' and the like which some clients leave bare. */
static bool is_target_byte(unsigned char c)
{
    return c > 0x20 && c < 0x7f && c != '#' && c != '"' && c != '<' && c != '>' && c != '\\';
}

/* Undoes percent-encoding in place. False on a broken escape, or when the result is not printable UTF-8. */
static bool decode(char *text, bool plus_is_space)
{
    char *out = text;

    for (const char *in = text; *in != '\0'; in++, out++) {
        uint8_t byte = 0;
        if (*in == '%') {
            if (strnlen(in + 1, 2) < 2 || !hex_decode(in + 1, 2, &byte, 1) || byte == 0)
                return false;
            *out = (char)byte;
            in += 2;
        } else {
            *out = plus_is_space && *in == '+' ? ' ' : *in;
        }
    }
    *out = '\0';
    return text_is_printable_utf8(text, (size_t)(out - text));
}

/* Takes "name=value" or "name", in place. */
static enum problem add_parameter(struct target *target, char *text, struct diag *diag)
{
    char *equals = strchr(text, '=');
    char *value = equals != NULL ? equals + 1 : text + strlen(text);

    if (equals != NULL)
        *equals = '\0';
    if (!decode(text, true))
        return problem_fail(diag, PROBLEM_MALFORMED,
                            "the name of a query parameter is not percent-encoded UTF-8");
    if (!decode(value, true))
        return problem_fail(diag, PROBLEM_MALFORMED,
                            "the value of query parameter \"%s\" is not percent-encoded UTF-8", text);
    if (target_find(target, text) != NULL)
        return problem_fail(diag, PROBLEM_MALFORMED, "query parameter \"%s\" is given twice", text);
    if (target->parameter_count == PARAMETERS_MAX)
        return problem_fail(diag, PROBLEM_MALFORMED, "more than %d query parameters", PARAMETERS_MAX);
    target->parameters[target->parameter_count++] = (struct parameter){text, value};
    return PROBLEM_NONE;
}

static enum problem parse_query(struct target *target, char *query, struct diag *diag)
{
    enum problem problem = PROBLEM_NONE;
    char *rest = query;

    while (problem == PROBLEM_NONE && rest != NULL) {
        char *text = strsep(&rest, "&");
        if (*text != '\0')
            problem = add_parameter(target, text, diag);
    }
    return problem;
}

/* The path of an absolute form ("http://host/path") or the target itself; NULL when there is no path. */
static char *find_path(char *text)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
            return strchr(text + strlen(schemes[i]), '/');
    }
    return text[0] == '/' ? text : NULL;
}

static enum problem parse_text(struct target *target, struct diag *diag)
{
    char *path = find_path(target->text);

    if (strchr(target->text, ' ') != NULL)
        return problem_fail(diag, PROBLEM_FRAMING, "the request line has more than three parts");
    for (const char *c = target->text; *c != '\0'; c++) {
        if (!is_target_byte((unsigned char)*c))
            return problem_fail(diag, PROBLEM_MALFORMED,
                                "the request target holds a byte that must be percent-encoded");
    }
    if (path == NULL)
        return problem_fail(diag, PROBLEM_NO_ROUTE, "the request target is no path");
    char *query = strchr(path, '?');
    if (query != NULL)
        *query++ = '\0';
    if (!decode(path, false))
        return problem_fail(diag, PROBLEM_MALFORMED, "the path is not percent-encoded UTF-8");
    target->path = path;
    return query != NULL ? parse_query(target, query, diag) : PROBLEM_NONE;
}

enum problem target_parse(const char *raw, struct target *target, struct diag *diag)
{
    struct target parsed = {0};
    enum problem problem = PROBLEM_NONE;

    if (strnlen(raw, TARGET_SIZE_MAX + 1) > TARGET_SIZE_MAX)
        return problem_fail(diag, PROBLEM_TARGET_TOO_LONG, "the request target has more than %d bytes",
                            TARGET_SIZE_MAX);
    parsed.text = strdup(raw);
    if (parsed.text == NULL)
        return problem_fail(diag, PROBLEM_BUSY, "no memory for the request");
    problem = parse_text(&parsed, diag);
    if (problem != PROBLEM_NONE)
        target_clear(&parsed);
    *target = parsed;
    return problem;
}

void target_clear(struct target *target)
{
    free(target->text);
    *target = (struct target){0};
}

const char *target_find(const struct target *target, const char *name)
{
    for (size_t i = 0; i < target->parameter_count; i++) {
        if (strcmp(target->parameters[i].name, name) == 0)
            return target->parameters[i].value;
    }
    return NULL;
}

enum problem target_check_names(const struct target *target, const char *const *allowed, struct diag *diag)
{
    for (size_t i = 0; i < target->parameter_count; i++) {
        const char *const *name = allowed;
        while (*name != NULL && strcmp(*name, target->parameters[i].name) != 0)
            name++;
        if (*name == NULL)
            return problem_fail(diag, PROBLEM_MALFORMED, "unknown query parameter \"%s\"",
                                target->parameters[i].name);
    }
    return PROBLEM_NONE;
}
