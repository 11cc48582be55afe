#include "prescreen/http/server.h"

#include "prescreen/base/clock.h"

#include "listen.h"
#include "request.h"
#include "service.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum {
    CONNECTION_MEMORY = 65536, /* of a connection, in libmicrohttpd: its 32 KiB cost 40 % of the pace */
    THREAD_STACK = 1 << 20,
    SURPLUS_MAX = 32, /* connections above the limit that get a 503 instead of silence */
    OPERATION_CONNECTIONS_MAX = 64,
    HEAD_TIME_US = 30000000,
    SURPLUS_TIME_US = 5000000,
    ANSWER_TIME_US = 30000000,
    OTHER_FILES = 128,       /* descriptors beside those of connections: stores, workers, standard streams */
    FILES_PER_CONNECTION = 3 /* socket, upload, list draft */
};

struct endpoint {
    struct listener listener;
    struct listen_socket socket;
    struct MHD_Daemon *daemon;
};

struct http_server {
    struct service service;
    struct endpoint main, operation; /* the second one only where admin_listen is set */
};

/* Told of a connection's beginning and end. The library closes the socket after the latter. */
static void on_connection(void *context, struct MHD_Connection *mhd, void **state,
                          enum MHD_ConnectionNotificationCode code)
{
    struct listener *listener = context;
    int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *state = connection_open(listener->connections, fd);
        if (*state == NULL)
            shutdown(fd, SHUT_RDWR);
    } else if (*state != NULL) {
        connection_close(*state);
        *state = NULL;
    }
}

/* What the library says is for those who look for a fault; that it cannot go on is for everybody. */
static void on_library_log(void *context, const char *format, va_list arguments)
{
    static const char *const grave[] = {"Failed to create a thread", "Error accepting connection",
                                        "Hit process", "Error during poll", "Failed to signal"};
    enum log_level level = LOG_DEBUG;
    char text[512];

    for (size_t i = 0; i < sizeof grave / sizeof grave[0]; i++) {
        if (strncmp(format, grave[i], strlen(grave[i])) == 0)
            level = LOG_ERROR;
    }
    vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\n")] = '\0';
    log_event(context, level, "http_library", (struct log_field[]){LOG_TEXT("detail", text), LOG_END});
}

/* Makes sure that the process may have as many files open as there can be connections. */
static int allow_files(uint64_t connections, struct diag *diag)
{
    const rlim_t needed = connections * FILES_PER_CONNECTION + OTHER_FILES;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return diag_fail(diag, -errno, "the limit of open files cannot be read: %s", strerror(errno));
    if (limit.rlim_cur >= needed)
        return 0;
    if (limit.rlim_max < needed)
        return diag_fail(
            diag, -EMFILE,
            "limits.connections needs %llu open files, %llu are allowed: lower it or raise ulimit -n",
            (unsigned long long)needed, (unsigned long long)limit.rlim_max);
    limit.rlim_cur = needed;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return diag_fail(diag, -errno, "the limit of open files cannot be raised: %s", strerror(errno));
    return 0;
}

static struct MHD_Daemon *start_daemon(struct endpoint *endpoint, unsigned int connections)
{
    const unsigned int flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                               MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct listener *listener = &endpoint->listener;
    /* A thread per connection: digests, waits for a worker and flushes to disk hold up nobody else, and
     * nothing is ever suspended. No timeout of the library's: it is one of inactivity, and would end a
     * connection whose answer took long to make. */
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)connections + SURPLUS_MAX, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
        {MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK, NULL},
        {MHD_OPTION_LISTEN_SOCKET, endpoint->socket.fd, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)request_on_line, listener},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)request_on_end, listener},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, listener},
        {MHD_OPTION_END, 0, NULL},
    };

    return MHD_start_daemon(flags, 0, NULL, NULL, request_on_part, listener, MHD_OPTION_EXTERNAL_LOGGER,
                            on_library_log, listener->service->parts.log, MHD_OPTION_ARRAY, options,
                            MHD_OPTION_END);
}

static int start_endpoint(struct endpoint *endpoint, const struct config_listen *address, unsigned int calls,
                          unsigned int connections, struct service *service, struct diag *diag)
{
    const struct connections_options options = {.maximum = connections,
                                                .head_time_us = HEAD_TIME_US,
                                                .surplus_time_us = SURPLUS_TIME_US,
                                                .answer_time_us = ANSWER_TIME_US,
                                                .metrics = service->parts.metrics,
                                                .log = service->parts.log};
    int result = listen_open(address, &endpoint->socket, diag);

    if (result != 0)
        return result;
    endpoint->listener.service = service;
    endpoint->listener.calls = calls;
    result = connections_create(&options, &endpoint->listener.connections);
    if (result != 0)
        return diag_fail(diag, result, "the watchdog of %s cannot start: %s", endpoint->socket.url,
                         strerror(-result));
    endpoint->daemon = start_daemon(endpoint, connections);
    if (endpoint->daemon == NULL)
        return diag_fail(diag, -EIO, "the HTTP library cannot serve %s", endpoint->socket.url);
    return 0;
}

/* Takes no new connections, and lets the begun requests end. */
static void quiet_endpoint(struct endpoint *endpoint, uint64_t deadline_us)
{
    if (endpoint->daemon == NULL)
        return;
    /* The descriptor stays open until the library's threads are gone: listen_close() closes it. */
    (void)MHD_quiesce_daemon(endpoint->daemon);
    connections_stop(endpoint->listener.connections, deadline_us);
}

/* Ends what was started of an endpoint. */
static void stop_endpoint(struct endpoint *endpoint)
{
    if (endpoint->daemon != NULL)
        MHD_stop_daemon(endpoint->daemon);
    connections_free(endpoint->listener.connections);
    listen_close(&endpoint->socket);
}

int http_server_start(const struct http_server_parts *parts, struct http_server **server, struct diag *diag)
{
    const struct config *config = parts->config;
    const unsigned int connections = (unsigned int)config->limits.connections;
    const bool apart = config->admin_listen.kind != LISTEN_NONE;
    struct http_server *made = calloc(1, sizeof *made);
    int result = 0;

    if (made == NULL)
        return diag_fail(diag, -ENOMEM, "no memory to serve");
    made->service.parts = *parts;
    readiness_init(&made->service.readiness);
    made->main.socket.fd = made->operation.socket.fd = -1;
    result =
        allow_files(config->limits.connections + OPERATION_CONNECTIONS_MAX + (uint64_t)2 * SURPLUS_MAX, diag);
    if (result == 0)
        result =
            start_endpoint(&made->main, &config->listen, apart ? CALLS_MAIN : CALLS_MAIN | CALLS_OPERATION,
                           connections, &made->service, diag);
    if (result == 0 && apart)
        result = start_endpoint(&made->operation, &config->admin_listen, CALLS_OPERATION,
                                OPERATION_CONNECTIONS_MAX, &made->service, diag);
    if (result != 0) {
        http_server_stop(made, 0);
        return result;
    }
    *server = made;
    return 0;
}

const char *http_server_url(const struct http_server *server)
{
    return server->main.socket.url;
}

void http_server_stop(struct http_server *server, uint64_t grace_us)
{
    const uint64_t deadline_us = clock_monotonic_us() + grace_us;

    if (server == NULL)
        return;
    /* Operation last: it can be asked until the other calls have come to their end. */
    quiet_endpoint(&server->main, deadline_us);
    quiet_endpoint(&server->operation, deadline_us);
    stop_endpoint(&server->main);
    stop_endpoint(&server->operation);
    readiness_destroy(&server->service.readiness);
    free(server);
}
