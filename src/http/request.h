/* One request from its first line to its answer. */
#ifndef PRESCREEN_HTTP_REQUEST_H
#define PRESCREEN_HTTP_REQUEST_H

#include "prescreen/base/bytes.h"
#include "prescreen/base/diag.h"

#include "answer.h"
#include "authorise.h"
#include "connections.h"
#include "head.h"
#include "routes.h"
#include "service.h"
#include "target.h"

struct request {
    struct listener *listener;
    struct connection *connection;
    struct service *service;

    const char *raw_target; /* borrowed from the HTTP library: where its text begins */
    size_t raw_target_size;
    struct target target;
    enum problem target_problem;

    bool begun; /* its head has been judged */
    char id[REQUEST_ID_MAX + 1];
    uint64_t started_us; /* monotonic */
    struct head head;
    const struct route *route;
    char list_name[LIST_NAME_MAX + 2]; /* of the path, unchecked; "" where it has none */
    char entry_id[ENTRY_ID_MAX + 2];   /* the same */
    struct caller caller;

    uint64_t body_maximum; /* bytes, chunk headers aside */
    uint64_t body_size;    /* seen so far */
    struct bytes buffer;   /* the body of routes that want it whole */
    void *work;            /* the route's own; freed by its clear */

    bool refused;         /* answer holds why; what still comes of the body is dropped */
    uint64_t refused_at;  /* body_size then */
    struct diag diag;     /* the detail of a problem */
    struct answer answer; /* filled by the route */
    bool answered;
};

/* The callbacks of the HTTP library. context is the struct listener. */
void *request_on_line(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result request_on_part(void *context, struct MHD_Connection *connection, const char *target,
                                const char *method, const char *version, const char *data, size_t *size,
                                void **state);
void request_on_end(void *context, struct MHD_Connection *connection, void **state,
                    enum MHD_RequestTerminationCode code);

#endif
