#include "request.h"

#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"
#include "prescreen/base/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct config_limits *limits_of(const struct request *request)
{
    return &request->service->parts.config->limits;
}

void *request_on_line(void *context, const char *target, struct MHD_Connection *mhd)
{
    struct listener *listener = context;
    struct connection *connection =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    struct request *request = NULL;

    if (connection == NULL || !connection_begin(connection))
        return NULL;
    request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->listener = listener;
    request->service = listener->service;
    request->connection = connection;
    request->raw_target = target;
    request->raw_target_size = strlen(target);
    request->target_problem = target_parse(target, &request->target, &request->diag);
    request->caller.name = "";
    bytes_init(&request->buffer, 0);
    return request;
}

/* Counts and logs the answer that is about to go out. */
static void account(struct request *request)
{
    const struct http_server_parts *parts = &request->service->parts;

    request->answered = true;
    metrics_count_response(parts->metrics, request->answer.status);
    log_event(parts->log, LOG_DEBUG, "request",
              (struct log_field[]){LOG_TEXT("request_id", request->id), LOG_TEXT("key", request->caller.name),
                                   LOG_TEXT("method", request->route != NULL ? request->route->method : ""),
                                   LOG_TEXT("path", request->route != NULL ? request->route->path : ""),
                                   LOG_NUMBER("status", request->answer.status),
                                   LOG_NUMBER("body_bytes", request->body_size),
                                   LOG_NUMBER("us", clock_monotonic_us() - request->started_us), LOG_END});
}

/* The detail goes to the log only where the fault is ours: else it may repeat what the client sent. */
static void log_problem(const struct request *request, enum problem problem)
{
    const struct problem_row *row = problem_describe(problem);
    const bool ours = row->status >= 500;

    log_event(request->service->parts.log, row->level, ours ? "failed" : "refused",
              (struct log_field[]){LOG_TEXT("problem", row->name), LOG_NUMBER("status", row->status),
                                   LOG_TEXT("request_id", request->id), LOG_TEXT("key", request->caller.name),
                                   LOG_TEXT("path", request->route != NULL ? request->route->path : ""),
                                   ours ? LOG_TEXT("detail", request->diag.text) : LOG_END, LOG_END});
}

static void set_problem(struct request *request, enum problem problem)
{
    log_problem(request, problem);
    answer_set_problem(&request->answer, problem, request->diag.text, request->id);
}

/* Queues the answer. */
static enum MHD_Result reply(struct request *request, struct MHD_Connection *mhd)
{
    if (!connection_answer(request->connection))
        return MHD_NO;
    if (connections_stopping(request->listener->connections))
        request->answer.last = true;
    account(request);
    return answer_queue(&request->answer, mhd, request->id) ? MHD_YES : MHD_NO;
}

/* Answers on the socket itself: the HTTP library takes no answer in mid-body. */
static enum MHD_Result reply_and_drop(struct request *request, uint64_t drain_maximum)
{
    char text[ANSWER_TEXT_MAX];
    size_t size = answer_format(&request->answer, request->id, text);

    account(request);
    connection_refuse(request->connection, text, size, drain_maximum);
    return MHD_NO;
}

/* What is read of a body that was refused, so that a client that writes first comes to read the answer. */
static uint64_t drain_maximum(const struct request *request)
{
    return 2 * limits_of(request)->body_bytes;
}

/* A body may take upload_time; one that may be larger than an upload gets more, in proportion. */
static uint64_t body_deadline(const struct request *request)
{
    const struct config_limits *limits = limits_of(request);
    uint64_t size = request->head.has_length ? request->head.length : request->body_maximum;
    uint64_t share = size <= limits->body_bytes ? 1 : (size + limits->body_bytes - 1) / limits->body_bytes;

    if (request->refused || request->route->body != ROUTE_BODY_IMPORT)
        share = 1;
    return clock_monotonic_us() + share * limits->upload_time_us;
}

/* Refuses a request whose head is here and whose body is not. Answering at once would close the connection;
 * where the body is short or there is none, it is awaited and the connection lives on. */
static enum MHD_Result refuse_at_head(struct request *request, struct MHD_Connection *mhd,
                                      enum problem problem)
{
    const struct head *head = &request->head;

    set_problem(request, problem);
    /* Where such a request ends is not known. */
    request->answer.last = problem == PROBLEM_FRAMING || problem == PROBLEM_HEADER_TOO_LARGE;
    if (request->answer.last || problem == PROBLEM_EXPECTATION || head->expects_continue)
        return reply(request, mhd);
    request->refused = true;
    if (!connection_receive(request->connection, request->id, body_deadline(request)))
        return MHD_NO;
    if (head->has_length && head->length > drain_maximum(request))
        return reply_and_drop(request, drain_maximum(request));
    return MHD_YES;
}

/* Refuses a request in the midst of its body. */
static enum MHD_Result refuse_in_body(struct request *request, enum problem problem)
{
    set_problem(request, problem);
    request->refused = true;
    request->refused_at = request->body_size;
    if (request->head.has_length && request->head.length - request->body_size > drain_maximum(request))
        return reply_and_drop(request, drain_maximum(request));
    return MHD_YES;
}

struct head_reader {
    struct head *head;
    struct head_walk walk;
    enum problem problem;
    struct diag *diag;
};

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                 const char *value, size_t value_size)
{
    struct head_reader *reader = context;

    (void)kind;
    head_walk_line(&reader->walk, name, value, value_size);
    reader->problem = head_add(reader->head, name, name_size, value, value_size, reader->diag);
    return reader->problem == PROBLEM_NONE ? MHD_YES : MHD_NO;
}

/* Only versions before 1 keep the head as it came (and read it leniently); later ones are strict themselves.
 */
static bool head_lies_as_it_came(void)
{
    return strncmp(MHD_get_version(), "0.", 2) == 0;
}

static enum problem read_head(struct request *request, struct MHD_Connection *mhd, const char *target,
                              const char *method, const char *version)
{
    struct head_reader reader = {.head = &request->head, .diag = &request->diag};
    struct diag target_diag = request->diag;
    size_t size = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;

    head_walk_start(&reader.walk, method, target, request->raw_target_size, version);
    MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, on_header, &reader);
    if (reader.problem != PROBLEM_NONE)
        return reader.problem;
    if (head_lies_as_it_came() && !head_walk_ends(&reader.walk, method, size))
        return problem_fail(&request->diag, PROBLEM_FRAMING,
                            "the head holds a NUL byte, a folded line, a bare CR or LF, or doubled spaces");
    reader.problem = head_check(&request->head, version, &request->diag);
    if (reader.problem == PROBLEM_NONE && request->target_problem != PROBLEM_NONE) {
        request->diag = target_diag;
        return request->target_problem;
    }
    return reader.problem;
}

static enum problem find_route(struct request *request, const char *method)
{
    struct route_match match;

    route_find(request->target.path, method, request->listener->calls, &match);
    if (match.allowed == 0)
        return problem_fail(&request->diag, PROBLEM_NO_ROUTE, "nothing is served at this path");
    if (match.route == NULL) {
        route_format_allowed(&match, request->answer.allow, sizeof request->answer.allow);
        return problem_fail(&request->diag, PROBLEM_METHOD, "this path takes %s", request->answer.allow);
    }
    request->route = match.route;
    memcpy(request->list_name, match.name, sizeof request->list_name);
    memcpy(request->entry_id, match.entry_id, sizeof request->entry_id);
    return PROBLEM_NONE;
}

static enum problem check_caller(struct request *request)
{
    const enum right right = request->route->right;
    enum problem problem = PROBLEM_NONE;

    if (right == 0)
        return PROBLEM_NONE;
    problem = authorise(request->service->parts.config, &request->head, &request->caller, &request->diag);
    if (problem == PROBLEM_NONE && (request->caller.rights & right) == 0)
        problem = problem_fail(&request->diag, PROBLEM_NO_RIGHT,
                               "this call needs a key with the right \"%s\"", right_name(right));
    return problem;
}

static void set_body_maximum(struct request *request)
{
    const uint64_t maxima[] = {[ROUTE_BODY_NONE] = 0,
                               [ROUTE_BODY_UPLOAD] = limits_of(request)->body_bytes,
                               [ROUTE_BODY_IMPORT] = limits_of(request)->import_bytes,
                               [ROUTE_BODY_JSON] = request->route->json_maximum};

    request->body_maximum = maxima[request->route->body];
    if (request->route->body == ROUTE_BODY_UPLOAD && head_is_form(&request->head))
        request->body_maximum += FORM_ENVELOPE_MAX;
    bytes_init(&request->buffer, (size_t)request->route->json_maximum);
}

static enum problem too_large(struct request *request)
{
    return problem_fail(&request->diag, PROBLEM_TOO_LARGE, "the body may have at most %llu bytes here",
                        (unsigned long long)request->body_maximum);
}

static enum problem check_length(struct request *request)
{
    const struct head *head = &request->head;

    if (request->route->body == ROUTE_BODY_NONE && head->has_body)
        return problem_fail(&request->diag, PROBLEM_MALFORMED, "this call takes no body");
    if (request->route->body != ROUTE_BODY_NONE && !head->has_length && !head->chunked)
        return problem_fail(&request->diag, PROBLEM_NO_LENGTH,
                            "send a Content-Length or Transfer-Encoding: chunked");
    return head->has_length && head->length > request->body_maximum ? too_large(request) : PROBLEM_NONE;
}

/* Everything that can be judged before the body. */
static enum problem admit(struct request *request, const char *method)
{
    enum problem problem = PROBLEM_NONE;

    if (connection_is_surplus(request->connection))
        return problem_fail(&request->diag, PROBLEM_BUSY, "too many connections are open");
    problem = find_route(request, method);
    if (problem == PROBLEM_NONE)
        problem = check_caller(request);
    if (problem == PROBLEM_NONE)
        problem = target_check_names(&request->target, request->route->parameters, &request->diag);
    if (problem != PROBLEM_NONE)
        return problem;
    set_body_maximum(request);
    problem = check_length(request);
    if (problem == PROBLEM_NONE && request->route->begin != NULL)
        problem = request->route->begin(request);
    return problem;
}

/* The caller's id when it can stand in logs and headers, else a new one. */
static void choose_id(struct request *request)
{
    const char *given = request->head.fields[HEAD_REQUEST_ID];

    if (given != NULL && text_is_token(given, REQUEST_ID_MAX))
        (void)text_copy(request->id, sizeof request->id, given);
    else if (uuid_make_v7(request->id) != 0)
        (void)text_copy(request->id, sizeof request->id, "none");
}

static enum MHD_Result begin(struct request *request, struct MHD_Connection *mhd, const char *target,
                             const char *method, const char *version)
{
    enum problem problem = PROBLEM_NONE;

    request->begun = true;
    request->started_us = clock_monotonic_us();
    problem = read_head(request, mhd, target, method, version);
    choose_id(request);
    if (problem == PROBLEM_NONE)
        problem = admit(request, method);
    if (problem != PROBLEM_NONE)
        return refuse_at_head(request, mhd, problem);
    return connection_receive(request->connection, request->id, body_deadline(request)) ? MHD_YES : MHD_NO;
}

static enum problem take(struct request *request, const char *data, size_t size)
{
    if (request->body_size > request->body_maximum)
        return too_large(request);
    if (request->route->take != NULL)
        return request->route->take(request, data, size);
    if (bytes_append(&request->buffer, data, size) != 0)
        return problem_fail(&request->diag, PROBLEM_BUSY, "no memory for the body");
    return PROBLEM_NONE;
}

static enum MHD_Result on_data(struct request *request, const char *data, size_t size)
{
    enum problem problem = PROBLEM_NONE;

    request->body_size += size;
    /* Half of the chunks before the answer, half behind it: the client that reads meanwhile need not send
     * all. */
    if (request->refused && request->head.chunked &&
        request->body_size - request->refused_at > drain_maximum(request) / 2)
        return reply_and_drop(request, drain_maximum(request) / 2);
    if (!request->refused)
        problem = take(request, data, size);
    return problem == PROBLEM_NONE ? MHD_YES : refuse_in_body(request, problem);
}

static enum MHD_Result finish(struct request *request, struct MHD_Connection *mhd)
{
    enum problem problem = PROBLEM_NONE;

    if (request->refused)
        return reply(request, mhd);
    if (!connection_work(request->connection))
        return MHD_NO;
    problem = request->route->finish(request);
    if (problem != PROBLEM_NONE)
        set_problem(request, problem);
    return reply(request, mhd);
}

enum MHD_Result request_on_part(void *context, struct MHD_Connection *mhd, const char *target,
                                const char *method, const char *version, const char *data, size_t *size,
                                void **state)
{
    struct request *request = *state;
    size_t taken = *size;

    (void)context;
    if (request == NULL)
        return MHD_NO;
    *size = 0;
    if (!request->begun)
        return begin(request, mhd, target, method, version);
    return taken != 0 ? on_data(request, data, taken) : finish(request, mhd);
}

static void request_free(struct request *request)
{
    if (request->route != NULL && request->route->clear != NULL)
        request->route->clear(request);
    answer_clear(&request->answer);
    bytes_clear(&request->buffer);
    target_clear(&request->target);
    free(request);
}

void request_on_end(void *context, struct MHD_Connection *mhd, void **state,
                    enum MHD_RequestTerminationCode code)
{
    struct listener *listener = context;
    struct request *request = *state;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_HTTP_STATUS);

    (void)code;
    if (request == NULL)
        return;
    /* What the HTTP library refused by itself. */
    if (!request->answered && info != NULL)
        metrics_count_response(listener->service->parts.metrics, info->http_status);
    (void)connection_rest(request->connection);
    request_free(request);
    *state = NULL;
}
