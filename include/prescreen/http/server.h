/* The HTTP service. */
#ifndef PRESCREEN_HTTP_SERVER_H
#define PRESCREEN_HTTP_SERVER_H

#include "prescreen/base/diag.h"
#include "prescreen/config/config.h"
#include "prescreen/log/log.h"
#include "prescreen/metrics/metrics.h"
#include "prescreen/screen/screener.h"

struct http_server_parts {
    const struct config *config; /* all borrowed for the server's life */
    struct screener *screener;
    struct catalog *catalog;
    struct list_store *list_store;
    struct record_store *record_store;
    struct decoders *decoders;
    struct examination_cache *cache; /* NULL: there is none */
    struct metrics *metrics;
    struct log *log;
};

struct http_server;

/* Binds and serves on its own threads. Errors: negative errno with the address named in diag. Ownership:
 * *server is the caller's. */
int http_server_start(const struct http_server_parts *parts, struct http_server **server, struct diag *diag);

/* Where it listens, as http://HOST:PORT or unix:/path; owned by the server. */
const char *http_server_url(const struct http_server *server);

/* Takes no new connections, answers what has begun within grace_us, then ends everything and frees the
 * server. */
void http_server_stop(struct http_server *server, uint64_t grace_us);

#endif
