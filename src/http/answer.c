#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char type_json[] = "application/json";
static const char type_problem[] = "application/problem+json";

void answer_clear(struct answer *answer)
{
    free(answer->body);
    *answer = (struct answer){0};
}

static void set(struct answer *answer, unsigned int status, char *body, size_t size, const char *content_type)
{
    free(answer->body);
    answer->status = body != NULL ? status : problem_describe(PROBLEM_INTERNAL)->status;
    answer->body = body;
    answer->size = body != NULL ? size : 0;
    answer->content_type = content_type;
}

void answer_set_json(struct answer *answer, unsigned int status, char *json)
{
    set(answer, status, json, json != NULL ? strlen(json) : 0, type_json);
}

void answer_set_text(struct answer *answer, char *body, size_t size, const char *content_type)
{
    set(answer, 200, body, size, content_type);
}

void answer_set_problem(struct answer *answer, enum problem problem, const char *detail,
                        const char *request_id)
{
    const struct problem_row *row = problem_describe(problem);
    char *json = problem_to_json(problem, detail, request_id);

    set(answer, row->status, json, json != NULL ? strlen(json) : 0, type_problem);
    answer->retry_after_s = row->retry_after_s;
    answer->challenge = problem == PROBLEM_NO_KEY;
}

enum { HEADER_LINES = 9, RETRY_AFTER_SIZE = 16 };

struct header_line {
    const char *name;
    const char *value; /* NULL = not sent */
};

static void list_headers(const struct answer *answer, const char *request_id, char retry[RETRY_AFTER_SIZE],
                         struct header_line lines[HEADER_LINES])
{
    snprintf(retry, RETRY_AFTER_SIZE, "%u", answer->retry_after_s);
    lines[0] = (struct header_line){"Content-Type", answer->size != 0 ? answer->content_type : NULL};
    lines[1] = (struct header_line){"X-Request-Id", request_id};
    lines[2] = (struct header_line){"Cache-Control", "no-store"};
    lines[3] = (struct header_line){"X-Content-Type-Options", "nosniff"};
    lines[4] = (struct header_line){"Retry-After", answer->retry_after_s != 0 ? retry : NULL};
    lines[5] = (struct header_line){"Allow", answer->allow[0] != '\0' ? answer->allow : NULL};
    lines[6] = (struct header_line){"Location", answer->location[0] != '\0' ? answer->location : NULL};
    lines[7] =
        (struct header_line){"WWW-Authenticate", answer->challenge ? "Bearer realm=\"prescreen\"" : NULL};
    lines[8] = (struct header_line){"Connection", answer->last ? "close" : NULL};
}

static bool add_headers(const struct answer *answer, struct MHD_Response *response, const char *request_id)
{
    struct header_line lines[HEADER_LINES];
    char retry[RETRY_AFTER_SIZE];

    list_headers(answer, request_id, retry, lines);
    for (size_t i = 0; i < HEADER_LINES; i++) {
        if (lines[i].value != NULL &&
            MHD_add_response_header(response, lines[i].name, lines[i].value) != MHD_YES)
            return false;
    }
    return true;
}

bool answer_queue(struct answer *answer, struct MHD_Connection *connection, const char *request_id)
{
    struct MHD_Response *response =
        answer->body != NULL
            ? MHD_create_response_from_buffer(answer->size, answer->body, MHD_RESPMEM_MUST_FREE)
            : MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    bool queued = false;

    if (response == NULL)
        return false;
    answer->body = NULL;
    if (add_headers(answer, response, request_id))
        queued = MHD_queue_response(connection, answer->status, response) == MHD_YES;
    MHD_destroy_response(response);
    return queued;
}

size_t answer_format(const struct answer *answer, const char *request_id, char text[ANSWER_TEXT_MAX])
{
    struct header_line lines[HEADER_LINES];
    char retry[RETRY_AFTER_SIZE];
    struct answer closing = *answer;
    size_t size = 0;

    closing.last = true;
    list_headers(&closing, request_id, retry, lines);
    size = (size_t)snprintf(text, ANSWER_TEXT_MAX, "HTTP/1.1 %u %s\r\nContent-Length: %zu\r\n",
                            answer->status, MHD_get_reason_phrase_for(answer->status), answer->size);
    for (size_t i = 0; i < HEADER_LINES && size < ANSWER_TEXT_MAX; i++) {
        if (lines[i].value != NULL)
            size += (size_t)snprintf(text + size, ANSWER_TEXT_MAX - size, "%s: %s\r\n", lines[i].name,
                                     lines[i].value);
    }
    if (size < ANSWER_TEXT_MAX)
        size += (size_t)snprintf(text + size, ANSWER_TEXT_MAX - size, "\r\n%s",
                                 answer->body != NULL ? answer->body : "");
    return size < ANSWER_TEXT_MAX ? size : 0;
}
