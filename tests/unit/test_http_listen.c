#include "http/listen.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[64];
static struct listen_socket opened;
static struct diag diag;

static void make_folder(void)
{
    strcpy(folder, "/tmp/prescreen-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    opened.fd = -1;
}

static void remove_folder(void)
{
    listen_close(&opened);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing was left behind */
}

static struct config_listen tcp(const char *host, uint16_t port)
{
    struct config_listen address = {.kind = LISTEN_TCP, .port = port};

    snprintf(address.host, sizeof address.host, "%s", host);
    return address;
}

static struct config_listen local(const char *name)
{
    struct config_listen address = {.kind = LISTEN_UNIX};

    snprintf(address.path, sizeof address.path, "%s/%s", folder, name);
    return address;
}

static unsigned int mode_of(const char *path)
{
    struct stat status;

    ck_assert_int_eq(stat(path, &status), 0);
    return status.st_mode & 07777;
}

START_TEST(port_0_gets_a_real_port)
{
    static const struct {
        const char *host, *url;
    } rows[] = {
        {"127.0.0.1", "http://127.0.0.1:"}, {"localhost", "http://localhost:"}, {"::1", "http://[::1]:"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct config_listen address = tcp(rows[i].host, 0);
        int result = listen_open(&address, &opened, &diag);
        if (result == -EADDRNOTAVAIL || result == -EAFNOSUPPORT)
            continue; /* a machine without IPv6 */
        ck_assert_msg(result == 0, "%s", diag.text);
        ck_assert(strncmp(opened.url, rows[i].url, strlen(rows[i].url)) == 0);
        ck_assert_int_gt(atoi(opened.url + strlen(rows[i].url)), 0);
        ck_assert_int_ne(fcntl(opened.fd, F_GETFD) & FD_CLOEXEC, 0);
        listen_close(&opened);
        ck_assert_int_eq(opened.fd, -1);
    }
}
END_TEST

START_TEST(port_that_is_taken_is_named)
{
    struct listen_socket second;
    const struct config_listen any = tcp("127.0.0.1", 0);
    ck_assert_int_eq(listen_open(&any, &opened, &diag), 0);
    const struct config_listen taken = tcp("127.0.0.1", (uint16_t)atoi(strrchr(opened.url, ':') + 1));

    ck_assert_int_eq(listen_open(&taken, &second, &diag), -EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(diag.text, "127.0.0.1"));
    ck_assert_int_eq(second.fd, -1);
    const struct config_listen name = tcp("example.com", 0);
    ck_assert_int_eq(listen_open(&name, &second, &diag), -EINVAL);
}
END_TEST

START_TEST(unix_socket_is_for_owner_and_group_and_goes_at_the_end)
{
    const struct config_listen address = local("socket");

    umask(0177);
    ck_assert_int_eq(listen_open(&address, &opened, &diag), 0);
    ck_assert_uint_eq(mode_of(address.path), 0660);
    ck_assert(strncmp(opened.url, "unix:/", 6) == 0);
    listen_close(&opened);
    ck_assert_int_ne(access(address.path, F_OK), 0);
}
END_TEST

START_TEST(stale_unix_socket_is_replaced)
{
    const struct config_listen address = local("socket");
    struct sockaddr_un stale = {.sun_family = AF_UNIX};

    memcpy(stale.sun_path, address.path, sizeof address.path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&stale, sizeof stale), 0);
    close(fd);
    ck_assert_msg(listen_open(&address, &opened, &diag) == 0, "%s", diag.text);
}
END_TEST

START_TEST(unix_socket_on_which_somebody_answers_is_left_alone)
{
    const struct config_listen address = local("socket");
    struct listen_socket second;

    ck_assert_int_eq(listen_open(&address, &opened, &diag), 0);
    ck_assert_int_eq(listen_open(&address, &second, &diag), -EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(diag.text, address.path));
    ck_assert_int_eq(access(address.path, F_OK), 0);
}
END_TEST

START_TEST(file_that_is_no_socket_is_left_alone)
{
    const struct config_listen address = local("precious");
    int fd = open(address.path, O_CREAT | O_WRONLY, 0600);

    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(listen_open(&address, &opened, &diag), -EEXIST);
    ck_assert_int_eq(unlink(address.path), 0);
}
END_TEST

START_TEST(socket_that_another_server_put_in_our_place_stays)
{
    const struct config_listen address = local("socket");
    struct listen_socket second;

    ck_assert_int_eq(listen_open(&address, &opened, &diag), 0);
    ck_assert_int_eq(unlink(address.path), 0);
    ck_assert_int_eq(listen_open(&address, &second, &diag), 0);
    listen_close(&opened);
    ck_assert_int_eq(access(address.path, F_OK), 0);
    listen_close(&second);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http listen");
    TCase *cases = tcase_create("listen");

    tcase_add_checked_fixture(cases, make_folder, remove_folder);
    tcase_add_test(cases, port_0_gets_a_real_port);
    tcase_add_test(cases, port_that_is_taken_is_named);
    tcase_add_test(cases, unix_socket_is_for_owner_and_group_and_goes_at_the_end);
    tcase_add_test(cases, stale_unix_socket_is_replaced);
    tcase_add_test(cases, unix_socket_on_which_somebody_answers_is_left_alone);
    tcase_add_test(cases, file_that_is_no_socket_is_left_alone);
    tcase_add_test(cases, socket_that_another_server_put_in_our_place_stays);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
