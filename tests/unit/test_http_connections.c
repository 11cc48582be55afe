#include "prescreen/base/clock.h"

#include "http/connections.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SHORT_US = 100000, LONG_US = 60000000, PATIENCE_MS = 10000, TEXT_SIZE = 4096 };

static struct connections *table;
static int client, server; /* two ends of one connection */
static char text[TEXT_SIZE];

static void make_pair(void)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    client = ends[0];
    server = ends[1];
}

static void create_table(uint64_t head_time_us, uint64_t answer_time_us)
{
    const struct connections_options options = {.maximum = 2,
                                                .head_time_us = head_time_us,
                                                .surplus_time_us = SHORT_US,
                                                .answer_time_us = answer_time_us};

    ck_assert_int_eq(connections_create(&options, &table), 0);
    make_pair();
}

static void close_pair(void)
{
    close(client);
    close(server);
}

/* Ends the one connection of a test. */
static void destroy(struct connection *connection)
{
    connection_close(connection);
    connections_free(table);
    close_pair();
}

/* Reads to the end of the connection and returns what came; fails when the end does not come. */
static const char *read_to_end(int fd)
{
    size_t size = 0;

    for (;;) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        ck_assert_int_eq(poll(&poller, 1, PATIENCE_MS), 1);
        ssize_t part = recv(fd, text + size, sizeof text - 1 - size, 0);
        ck_assert_int_ge(part, 0);
        if (part == 0)
            break;
        size += (size_t)part;
    }
    text[size] = '\0';
    return text;
}

static bool is_open(int fd)
{
    char byte = 0;

    return recv(fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

static uint64_t now(void)
{
    return clock_monotonic_us();
}

START_TEST(idle_connection_is_ended_without_a_word)
{
    create_table(SHORT_US, LONG_US);
    const uint64_t started_us = now();
    struct connection *connection = connection_open(table, server);
    ck_assert_str_eq(read_to_end(client), "");
    ck_assert_uint_ge(now() - started_us, SHORT_US);
    ck_assert(!connection_begin(connection));
    destroy(connection);
}
END_TEST

START_TEST(head_that_does_not_end_is_answered_408)
{
    create_table(SHORT_US, LONG_US);
    struct connection *connection = connection_open(table, server);
    ck_assert(connection_begin(connection));
    ck_assert(strncmp(read_to_end(client), "HTTP/1.1 408 Request Timeout\r\n", 30) == 0);
    ck_assert_ptr_nonnull(strstr(text, "\r\nX-Request-Id: "));
    destroy(connection);
}
END_TEST

START_TEST(late_body_is_answered_408_with_the_id_of_its_request)
{
    create_table(LONG_US, LONG_US);
    const uint64_t started_us = now();
    struct connection *connection = connection_open(table, server);
    ck_assert(connection_begin(connection));
    ck_assert(connection_receive(connection, "id-7", started_us + SHORT_US));
    ck_assert(strncmp(read_to_end(client), "HTTP/1.1 408 ", 13) == 0);
    ck_assert_uint_ge(now() - started_us, SHORT_US);
    ck_assert_ptr_nonnull(strstr(text, "\r\nX-Request-Id: id-7\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "urn:prescreen:problem:too-slow"));
    /* The last byte came too late: a second answer would stand behind the first. */
    ck_assert(!connection_work(connection));
    ck_assert(!connection_answer(connection));
    ck_assert(!connection_rest(connection));
    destroy(connection);
}
END_TEST

START_TEST(work_has_no_deadline_of_the_connection)
{
    create_table(SHORT_US, LONG_US);
    struct connection *connection = connection_open(table, server);
    ck_assert(connection_begin(connection));
    ck_assert(connection_receive(connection, "id", now() + SHORT_US));
    ck_assert(connection_work(connection));
    usleep(3 * SHORT_US);
    ck_assert(is_open(client));
    ck_assert(connection_answer(connection));
    ck_assert(connection_rest(connection));
    destroy(connection);
}
END_TEST

START_TEST(answer_that_is_not_fetched_is_cut_off_without_a_word)
{
    create_table(LONG_US, SHORT_US);
    struct connection *connection = connection_open(table, server);
    ck_assert(connection_begin(connection));
    ck_assert(connection_answer(connection));
    ck_assert_str_eq(read_to_end(client), "");
    destroy(connection);
}
END_TEST

START_TEST(each_rest_begins_a_new_deadline)
{
    create_table(2 * SHORT_US, LONG_US);
    struct connection *connection = connection_open(table, server);
    for (int i = 0; i < 4; i++) {
        usleep(SHORT_US);
        ck_assert(connection_begin(connection));
        ck_assert(connection_rest(connection));
    }
    ck_assert(is_open(client));
    destroy(connection);
}
END_TEST

START_TEST(connections_above_the_maximum_are_surplus)
{
    struct connection *opened[3];

    create_table(LONG_US, LONG_US);
    for (int i = 0; i < 3; i++) {
        opened[i] = connection_open(table, server);
        ck_assert_int_eq(connection_is_surplus(opened[i]), i == 2);
    }
    connection_close(opened[0]);
    opened[0] = connection_open(table, server);
    ck_assert(connection_is_surplus(opened[0]));
    connection_close(opened[0]);
    connection_close(opened[2]);
    opened[0] = connection_open(table, server);
    ck_assert(!connection_is_surplus(opened[0]));
    connection_close(opened[0]);
    destroy(opened[1]);
}
END_TEST

START_TEST(refusal_is_written_and_the_rest_of_the_body_is_read)
{
    char bytes[100] = {0};

    create_table(LONG_US, LONG_US);
    struct connection *connection = connection_open(table, server);
    ck_assert(connection_receive(connection, "id", now() + LONG_US));
    ck_assert_int_eq(send(client, bytes, sizeof bytes, 0), sizeof bytes);
    ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
    connection_refuse(connection, "no", 2, 1000);
    ck_assert_str_eq(read_to_end(client), "no");
    ck_assert_int_eq(recv(server, bytes, 1, 0), 0);
    destroy(connection);
}
END_TEST

START_TEST(refused_body_is_read_up_to_its_maximum)
{
    char bytes[64 << 10] = {0};

    create_table(LONG_US, LONG_US);
    struct connection *connection = connection_open(table, server);
    ck_assert(connection_receive(connection, "id", now() + LONG_US));
    ck_assert_int_eq(send(client, bytes, sizeof bytes, 0), sizeof bytes);
    connection_refuse(connection, "no", 2, 20000);
    ck_assert_int_gt(recv(server, bytes, sizeof bytes, 0), 0);
    destroy(connection);
}
END_TEST

START_TEST(refused_body_that_trickles_ends_at_the_deadline)
{
    create_table(LONG_US, LONG_US);
    const uint64_t started_us = now();
    struct connection *connection = connection_open(table, server);
    ck_assert(connection_receive(connection, "id", started_us + SHORT_US));
    connection_refuse(connection, "no", 2, 1000);
    ck_assert_uint_ge(now() - started_us, SHORT_US);
    ck_assert_uint_lt(now() - started_us, LONG_US / 2);
    ck_assert_str_eq(read_to_end(client), "no");
    destroy(connection);
}
END_TEST

START_TEST(stop_ends_idle_connections_and_awaits_begun_ones)
{
    int idle_client = -1, idle_server = -1;

    create_table(LONG_US, LONG_US);
    idle_client = client;
    idle_server = server;
    make_pair();
    struct connection *idle = connection_open(table, idle_server);
    struct connection *begun = connection_open(table, server);
    ck_assert(connection_begin(begun));
    ck_assert(connection_work(begun));
    const uint64_t started_us = now();
    connections_stop(table, started_us + SHORT_US);
    ck_assert_uint_ge(now() - started_us, SHORT_US);
    ck_assert(connections_stopping(table));
    ck_assert_str_eq(read_to_end(idle_client), "");
    /* It did not come to its end within the grace. */
    ck_assert(!connection_answer(begun));
    ck_assert_str_eq(read_to_end(client), "");
    connection_close(idle);
    close(idle_client);
    close(idle_server);
    destroy(begun);
}
END_TEST

static void *finish_work(void *context)
{
    usleep(SHORT_US);
    if (connection_answer(context))
        (void)connection_rest(context);
    return NULL;
}

START_TEST(stop_waits_no_longer_than_for_the_last_answer)
{
    pthread_t thread;

    create_table(LONG_US, LONG_US);
    struct connection *connection = connection_open(table, server);
    ck_assert(connection_begin(connection));
    ck_assert(connection_work(connection));
    ck_assert_int_eq(pthread_create(&thread, NULL, finish_work, connection), 0);
    const uint64_t started_us = now();
    connections_stop(table, started_us + LONG_US);
    ck_assert_uint_ge(now() - started_us, SHORT_US / 2);
    ck_assert_uint_lt(now() - started_us, LONG_US / 2);
    pthread_join(thread, NULL);
    ck_assert_str_eq(read_to_end(client), "");
    destroy(connection);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http connections");
    TCase *cases = tcase_create("connections");

    tcase_add_test(cases, idle_connection_is_ended_without_a_word);
    tcase_add_test(cases, head_that_does_not_end_is_answered_408);
    tcase_add_test(cases, late_body_is_answered_408_with_the_id_of_its_request);
    tcase_add_test(cases, work_has_no_deadline_of_the_connection);
    tcase_add_test(cases, answer_that_is_not_fetched_is_cut_off_without_a_word);
    tcase_add_test(cases, each_rest_begins_a_new_deadline);
    tcase_add_test(cases, connections_above_the_maximum_are_surplus);
    tcase_add_test(cases, refusal_is_written_and_the_rest_of_the_body_is_read);
    tcase_add_test(cases, refused_body_is_read_up_to_its_maximum);
    tcase_add_test(cases, refused_body_that_trickles_ends_at_the_deadline);
    tcase_add_test(cases, stop_ends_idle_connections_and_awaits_begun_ones);
    tcase_add_test(cases, stop_waits_no_longer_than_for_the_last_answer);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
