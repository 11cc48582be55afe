#include "problem.h"

#include "prescreen/base/bug.h"
#include "prescreen/base/diag.h"
#include "prescreen/base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const struct problem_row rows[PROBLEM_COUNT] = {
    [PROBLEM_MALFORMED] = {"malformed", "The request is malformed", 400, LOG_INFO, 0},
    [PROBLEM_FRAMING] = {"ambiguous-framing", "The request could be read in two ways", 400, LOG_WARN, 0},
    [PROBLEM_NO_KEY] = {"no-key", "A valid API key is needed", 401, LOG_WARN, 0},
    [PROBLEM_NO_RIGHT] = {"no-right", "The API key lacks the right", 403, LOG_WARN, 0},
    [PROBLEM_WEB_PAGE] = {"web-page", "Web pages may not call this service", 403, LOG_WARN, 0},
    [PROBLEM_NO_ROUTE] = {"no-such-resource", "There is no such resource", 404, LOG_INFO, 0},
    [PROBLEM_NO_PROFILE] = {"no-such-profile", "There is no such profile", 404, LOG_INFO, 0},
    [PROBLEM_NO_LIST] = {"no-such-list", "There is no such list", 404, LOG_INFO, 0},
    [PROBLEM_NO_ENTRY] = {"no-such-entry", "There is no such entry", 404, LOG_INFO, 0},
    [PROBLEM_METHOD] = {"method-not-allowed", "The resource does not take this method", 405, LOG_INFO, 0},
    [PROBLEM_LATE] = {"too-slow", "The request did not arrive in time", 408, LOG_INFO, 0},
    [PROBLEM_NO_LENGTH] = {"length-required", "The length of the body is missing", 411, LOG_INFO, 0},
    [PROBLEM_TOO_LARGE] = {"too-large", "The body is too large", 413, LOG_INFO, 0},
    [PROBLEM_TARGET_TOO_LONG] = {"target-too-long", "The request target is too long", 414, LOG_INFO, 0},
    [PROBLEM_NO_FILE] = {"no-file", "The form has no part named file", 415, LOG_INFO, 0},
    [PROBLEM_ENCODED] = {"content-encoding", "The body must not be compressed", 415, LOG_INFO, 0},
    [PROBLEM_EXPECTATION] = {"expectation", "The expectation cannot be met", 417, LOG_INFO, 0},
    [PROBLEM_CONFLICT] = {"idempotency-conflict", "The idempotency key was used for another request", 422,
                          LOG_INFO, 0},
    [PROBLEM_HEADER_TOO_LARGE] = {"header-too-large", "The request header is too large", 431, LOG_INFO, 0},
    [PROBLEM_INTERNAL] = {"internal", "The service failed", 500, LOG_ERROR, 0},
    [PROBLEM_BUSY] = {"busy", "The service is busy", 503, LOG_WARN, 1},
    [PROBLEM_STALE_LISTS] = {"stale-lists", "The lists are too old for this profile", 503, LOG_ERROR, 60},
    [PROBLEM_NOT_RECORDED] = {"not-recorded", "The screening could not be recorded", 503, LOG_ERROR, 5},
    [PROBLEM_NOT_READY] = {"not-ready", "The service is not ready", 503, LOG_WARN, 5},
};

const struct problem_row *problem_describe(enum problem problem)
{
    BUG_ON(problem <= PROBLEM_NONE || problem >= PROBLEM_COUNT);
    return &rows[problem];
}

/* Replaces what JSON cannot carry; a text that was cut may end within a character. */
static void make_printable(char *text)
{
    if (text_is_printable_utf8(text, strlen(text)))
        return;
    for (char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
            *c = '?';
    }
}

char *problem_to_json(enum problem problem, const char *detail, const char *request_id)
{
    const struct problem_row *row = problem_describe(problem);
    char type[64], text[DIAG_TEXT_MAX];
    json_t *object = NULL;
    char *json = NULL;

    snprintf(type, sizeof type, "urn:prescreen:problem:%s", row->name);
    snprintf(text, sizeof text, "%s", detail);
    make_printable(text);
    object = json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", type, "title", row->title, "status",
                       (int)row->status, "detail", text, "request_id", request_id);
    if (object != NULL)
        json = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return json;
}
