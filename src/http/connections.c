#include "connections.h"

#include "prescreen/base/bug.h"
#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"
#include "prescreen/base/uuid.h"

#include "answer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { REST_US = 1000000, DRAIN_SIZE = 16384 };

enum phase {
    PHASE_IDLE,
    PHASE_HEAD,
    PHASE_RECEIVING,
    PHASE_WORKING,
    PHASE_ANSWERING,
    PHASE_DRAINING, /* refused: what still comes is read and dropped */
    PHASE_ENDED
};

struct connection {
    struct connections *table;
    struct connection *previous, *next;
    int fd;
    bool surplus;
    enum phase phase;
    uint64_t deadline_us;
    char request_id[REQUEST_ID_MAX + 1]; /* "" until it is known */
};

struct connections {
    struct connections_options options;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* wakes the watchdog and a stop that waits */
    pthread_t watchdog;
    struct connection *first;
    unsigned int count;
    uint64_t wake_us; /* when the watchdog looks again by itself */
    bool stopping;
    bool ending; /* the watchdog is to return */
};

static void shut_down(struct connection *connection)
{
    shutdown(connection->fd, SHUT_RDWR);
    connection->phase = PHASE_ENDED;
}

static bool is_begun(const struct connection *connection)
{
    return connection->phase != PHASE_IDLE && connection->phase != PHASE_ENDED;
}

/* Tells a client that was too slow. One try: the socket's buffer is empty but for a client that does not
 * read, and such a client gets nothing. */
static void answer_late(struct connection *connection)
{
    struct connections *table = connection->table;
    struct answer answer = {0};
    char response[ANSWER_TEXT_MAX];
    const char *detail = connection->phase == PHASE_HEAD ? "the head of the request did not arrive in time"
                                                         : "the body did not arrive in time";

    if (connection->request_id[0] == '\0' && uuid_make_v7(connection->request_id) != 0)
        return;
    answer_set_problem(&answer, PROBLEM_LATE, detail, connection->request_id);
    size_t size = answer_format(&answer, connection->request_id, response);
    (void)!send(connection->fd, response, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (table->options.metrics != NULL)
        metrics_count_response(table->options.metrics, answer.status);
    log_event(table->options.log, problem_describe(PROBLEM_LATE)->level, "too_slow",
              (struct log_field[]){LOG_TEXT("detail", detail), LOG_TEXT("request_id", connection->request_id),
                                   LOG_END});
    answer_clear(&answer);
}

static void end_late(struct connection *connection)
{
    if (connection->phase == PHASE_HEAD || connection->phase == PHASE_RECEIVING)
        answer_late(connection);
    shut_down(connection);
}

/* Ends who is late. Returns when to look again. */
static uint64_t patrol(struct connections *table, uint64_t now_us)
{
    uint64_t next_us = now_us + REST_US;

    for (struct connection *each = table->first; each != NULL; each = each->next) {
        if (each->phase == PHASE_ENDED)
            continue;
        if (each->deadline_us <= now_us)
            end_late(each);
        else if (each->deadline_us < next_us)
            next_us = each->deadline_us;
    }
    return next_us;
}

static void wait_until(struct connections *table, uint64_t deadline_us)
{
    const struct timespec deadline = {.tv_sec = (time_t)(deadline_us / 1000000),
                                      .tv_nsec = (long)(deadline_us % 1000000) * 1000};

    pthread_cond_timedwait(&table->changed, &table->lock, &deadline);
}

static void *watch(void *context)
{
    struct connections *table = context;

    pthread_mutex_lock(&table->lock);
    while (!table->ending) {
        table->wake_us = patrol(table, clock_monotonic_us());
        wait_until(table, table->wake_us);
    }
    pthread_mutex_unlock(&table->lock);
    return NULL;
}

int connections_create(const struct connections_options *options, struct connections **connections)
{
    struct connections *made = calloc(1, sizeof *made);
    pthread_condattr_t monotonic;
    int result = 0;

    if (made == NULL)
        return -ENOMEM;
    made->options = *options;
    pthread_mutex_init(&made->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&made->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    result = -pthread_create(&made->watchdog, NULL, watch, made);
    if (result != 0) {
        pthread_cond_destroy(&made->changed);
        pthread_mutex_destroy(&made->lock);
        free(made);
        return result;
    }
    *connections = made;
    return 0;
}

void connections_free(struct connections *connections)
{
    if (connections == NULL)
        return;
    BUG_ON(connections->first != NULL);
    pthread_mutex_lock(&connections->lock);
    connections->ending = true;
    pthread_cond_broadcast(&connections->changed);
    pthread_mutex_unlock(&connections->lock);
    pthread_join(connections->watchdog, NULL);
    pthread_cond_destroy(&connections->changed);
    pthread_mutex_destroy(&connections->lock);
    free(connections);
}

static bool any_begun(const struct connections *table)
{
    for (const struct connection *each = table->first; each != NULL; each = each->next) {
        if (is_begun(each))
            return true;
    }
    return false;
}

void connections_stop(struct connections *connections, uint64_t deadline_us)
{
    pthread_mutex_lock(&connections->lock);
    connections->stopping = true;
    for (struct connection *each = connections->first; each != NULL; each = each->next) {
        if (each->phase == PHASE_IDLE)
            shut_down(each);
    }
    while (any_begun(connections) && clock_monotonic_us() < deadline_us)
        wait_until(connections, deadline_us);
    for (struct connection *each = connections->first; each != NULL; each = each->next)
        shut_down(each);
    pthread_mutex_unlock(&connections->lock);
}

bool connections_stopping(struct connections *connections)
{
    pthread_mutex_lock(&connections->lock);
    bool stopping = connections->stopping;
    pthread_mutex_unlock(&connections->lock);
    return stopping;
}

/* With the lock held. */
static void set_phase(struct connection *connection, enum phase phase, uint64_t deadline_us)
{
    connection->phase = phase;
    connection->deadline_us = deadline_us;
    if (deadline_us < connection->table->wake_us)
        pthread_cond_broadcast(&connection->table->changed);
}

/* With the lock held. */
static void come_to_rest(struct connection *connection)
{
    const struct connections_options *options = &connection->table->options;

    set_phase(connection, PHASE_IDLE,
              clock_monotonic_us() +
                  (connection->surplus ? options->surplus_time_us : options->head_time_us));
    connection->request_id[0] = '\0';
    if (!connection->table->stopping)
        return;
    shut_down(connection);
    pthread_cond_broadcast(&connection->table->changed);
}

struct connection *connection_open(struct connections *connections, int fd)
{
    struct connection *made = calloc(1, sizeof *made);

    if (made == NULL)
        return NULL;
    made->table = connections;
    made->fd = fd;
    pthread_mutex_lock(&connections->lock);
    made->next = connections->first;
    if (made->next != NULL)
        made->next->previous = made;
    connections->first = made;
    made->surplus = ++connections->count > connections->options.maximum;
    come_to_rest(made);
    pthread_mutex_unlock(&connections->lock);
    if (connections->options.metrics != NULL)
        metrics_count_connection(connections->options.metrics, 1);
    return made;
}

void connection_close(struct connection *connection)
{
    struct connections *table = connection->table;

    pthread_mutex_lock(&table->lock);
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        table->first = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    table->count--;
    pthread_cond_broadcast(&table->changed);
    pthread_mutex_unlock(&table->lock);
    if (table->options.metrics != NULL)
        metrics_count_connection(table->options.metrics, -1);
    free(connection);
}

bool connection_is_surplus(const struct connection *connection)
{
    return connection->surplus;
}

static bool enter(struct connection *connection, enum phase phase, uint64_t deadline_us)
{
    pthread_mutex_lock(&connection->table->lock);
    bool alive = connection->phase != PHASE_ENDED;
    if (alive)
        set_phase(connection, phase, deadline_us);
    pthread_mutex_unlock(&connection->table->lock);
    return alive;
}

bool connection_begin(struct connection *connection)
{
    /* Its own thread alone writes the deadline: reading needs no lock. */
    return enter(connection, PHASE_HEAD, connection->deadline_us);
}

bool connection_receive(struct connection *connection, const char *request_id, uint64_t deadline_us)
{
    pthread_mutex_lock(&connection->table->lock);
    BUG_ON(!text_copy(connection->request_id, sizeof connection->request_id, request_id));
    pthread_mutex_unlock(&connection->table->lock);
    return enter(connection, PHASE_RECEIVING, deadline_us);
}

bool connection_work(struct connection *connection)
{
    return enter(connection, PHASE_WORKING, UINT64_MAX);
}

bool connection_answer(struct connection *connection)
{
    return enter(connection, PHASE_ANSWERING,
                 clock_monotonic_us() + connection->table->options.answer_time_us);
}

bool connection_rest(struct connection *connection)
{
    pthread_mutex_lock(&connection->table->lock);
    bool alive = connection->phase != PHASE_ENDED;
    if (alive)
        come_to_rest(connection);
    pthread_mutex_unlock(&connection->table->lock);
    return alive;
}

/* Reads and drops until the end, the maximum or the deadline. */
static void drain(int fd, uint64_t maximum, uint64_t deadline_us)
{
    char dropped[DRAIN_SIZE];
    uint64_t sum = 0;

    while (sum < maximum && clock_monotonic_us() < deadline_us) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        (void)poll(&poller, 1, clock_poll_timeout_ms(deadline_us));
        ssize_t size = recv(fd, dropped, sizeof dropped, MSG_DONTWAIT);
        if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
            return;
        sum += size > 0 ? (uint64_t)size : 0;
    }
}

void connection_refuse(struct connection *connection, const char *response, size_t size,
                       uint64_t drain_maximum)
{
    uint64_t deadline_us = 0;

    pthread_mutex_lock(&connection->table->lock);
    bool alive = connection->phase != PHASE_ENDED;
    if (alive) {
        (void)!send(connection->fd, response, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        shutdown(connection->fd, SHUT_WR);
        connection->phase = PHASE_DRAINING;
        deadline_us = connection->deadline_us;
    }
    pthread_mutex_unlock(&connection->table->lock);
    /* The descriptor stays ours: the HTTP library closes it only after this thread has returned to it. */
    if (alive)
        drain(connection->fd, drain_maximum, deadline_us);
}
