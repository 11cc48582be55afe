/* What all requests share. */
#ifndef PRESCREEN_HTTP_SERVICE_H
#define PRESCREEN_HTTP_SERVICE_H

#include "prescreen/http/server.h"

#include "connections.h"
#include "readiness.h"

struct service {
    struct http_server_parts parts; /* all borrowed */
    struct readiness readiness;
};

/* Which calls an address takes: a set. */
enum call_kind { CALLS_MAIN = 1, CALLS_OPERATION = 2 };

/* One address. */
struct listener {
    struct service *service;
    unsigned int calls; /* set of enum call_kind */
    struct connections *connections;
};

#endif
