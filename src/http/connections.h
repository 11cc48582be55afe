/* The open connections and a watchdog over them. The HTTP library's own timeout is one of inactivity: a byte
 * a second lives for ever. Here each phase of a connection has a deadline of its own, and one that is late is
 * answered on its socket, if it can still be answered, and shut down.
 *
 * The file descriptor belongs to the HTTP library, which closes it only after it has told of the end of the
 * connection. So it is touched under the table's lock alone, and never once connection_close() has returned:
 * it cannot be another one's by then. */
#ifndef PRESCREEN_HTTP_CONNECTIONS_H
#define PRESCREEN_HTTP_CONNECTIONS_H

#include "prescreen/log/log.h"
#include "prescreen/metrics/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REQUEST_ID_MAX = 128 };

struct connections_options {
    unsigned int maximum;     /* connections that are served; further ones are surplus */
    uint64_t head_time_us;    /* from the opening, or the last answer, to the end of a head */
    uint64_t surplus_time_us; /* the same for surplus ones */
    uint64_t answer_time_us;  /* for an answer to go out */
    struct metrics *metrics;  /* both borrowed; may be NULL */
    struct log *log;
};

struct connections;
struct connection;

/* Starts the watchdog's thread. Errors: negative errno. Ownership: *connections is the caller's. */
int connections_create(const struct connections_options *options, struct connections **connections);

/* Ends the watchdog. No connection may be left. */
void connections_free(struct connections *connections);

/* From now on idle connections are ended, begun requests are awaited until deadline_us (monotonic), and then
 * what is left is shut down. Connections that come to rest meanwhile are shut down at once. */
void connections_stop(struct connections *connections, uint64_t deadline_us);

bool connections_stopping(struct connections *connections);

/* Takes a new connection in; it is at rest. NULL when there is no memory. */
struct connection *connection_open(struct connections *connections, int fd);
void connection_close(struct connection *connection);

/* True when it came above the maximum: its request is to be refused. */
bool connection_is_surplus(const struct connection *connection);

/* What a connection goes through for each request. Each returns false when the connection has been shut down
 * meanwhile: nothing may be sent then, the HTTP library is to close it. Called on the connection's own
 * thread. */
bool connection_begin(
    struct connection *connection); /* a request line is here; a head that is late gets 408 */
bool connection_receive(struct connection *connection, const char *request_id,
                        uint64_t deadline_us);         /* its body comes in; late (monotonic): 408 */
bool connection_work(struct connection *connection);   /* the answer is being made: has its own deadlines */
bool connection_answer(struct connection *connection); /* it goes out; late: shut down */
bool connection_rest(struct connection *connection);   /* the next request may come; late: shut down */

/* Answers in mid-body, where the HTTP library cannot: writes a response, shuts the sending side down and
 * reads on (so that a client that writes first sees the answer) until drain_maximum bytes, the client's end
 * or the deadline of receiving. Afterwards the HTTP library is to close the connection. */
void connection_refuse(struct connection *connection, const char *response, size_t size,
                       uint64_t drain_maximum);

#endif
