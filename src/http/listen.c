#include "listen.h"

#include "prescreen/base/text.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SOCKET_MODE = 0660 };

static int make_socket(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? -errno : fd;
}

/* The URL with the port that the kernel chose. */
static int format_url(const struct config_listen *address, int fd, char url[LISTEN_URL_SIZE])
{
    const bool is_v6 = strchr(address->host, ':') != NULL;
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    char port[NI_MAXSERV];

    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0)
        return -errno;
    if (getnameinfo((struct sockaddr *)&bound, size, NULL, 0, port, sizeof port, NI_NUMERICSERV) != 0)
        return -EINVAL;
    snprintf(url, LISTEN_URL_SIZE, "http://%s%s%s:%s", is_v6 ? "[" : "", address->host, is_v6 ? "]" : "",
             port);
    return 0;
}

static int bind_tcp(const struct addrinfo *found, int *fd)
{
    const int yes = 1;
    int made = make_socket(found->ai_family);
    int result = 0;

    if (made < 0)
        return made;
    (void)setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(made, found->ai_addr, found->ai_addrlen) != 0 || listen(made, SOMAXCONN) != 0) {
        result = -errno;
        close(made);
        return result;
    }
    *fd = made;
    return 0;
}

static int open_tcp(const struct config_listen *address, struct listen_socket *opened, struct diag *diag)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    /* Looked up, a name could lead to another machine's address; this one never does. */
    const char *host = strcmp(address->host, "localhost") == 0 ? "127.0.0.1" : address->host;
    struct addrinfo *found = NULL;
    char port[8];
    int result = 0;

    snprintf(port, sizeof port, "%u", address->port);
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return diag_fail(diag, -EINVAL, "cannot listen on %s: not a numeric address", address->host);
    result = bind_tcp(found, &opened->fd);
    freeaddrinfo(found);
    if (result == 0)
        result = format_url(address, opened->fd, opened->url);
    if (result != 0)
        return diag_fail(diag, result, "cannot listen on %s port %u: %s", address->host, address->port,
                         strerror(-result));
    return 0;
}

/* True when a server answers on the path. */
static bool is_answered(const struct sockaddr_un *address)
{
    int fd = make_socket(AF_UNIX);
    /* A full queue (EAGAIN) belongs to a server, too. */
    bool answered =
        fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN);

    if (fd >= 0)
        close(fd);
    return answered;
}

/* Removes what an earlier server left behind; never anything but a socket on which nobody answers. */
static int remove_stale(const struct sockaddr_un *address)
{
    struct stat status;

    if (lstat(address->sun_path, &status) != 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode))
        return -EEXIST;
    if (is_answered(address))
        return -EADDRINUSE;
    return unlink(address->sun_path) == 0 || errno == ENOENT ? 0 : -errno;
}

static int bind_unix(int fd, const struct sockaddr_un *address)
{
    int result = remove_stale(address);

    if (result != 0)
        return result;
    /* The mode before there is a name, so that it never stands open to more than it should; once more behind
     * it for what the umask took away. */
    if (fchmod(fd, SOCKET_MODE) != 0 || bind(fd, (const struct sockaddr *)address, sizeof *address) != 0 ||
        chmod(address->sun_path, SOCKET_MODE) != 0 || listen(fd, SOMAXCONN) != 0)
        return -errno;
    return 0;
}

static int open_unix(const struct config_listen *wanted, struct listen_socket *opened, struct diag *diag)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    int result = make_socket(AF_UNIX);

    if (result >= 0) {
        opened->fd = result;
        result = text_copy(address.sun_path, sizeof address.sun_path, wanted->path) ? 0 : -ENAMETOOLONG;
    }
    if (result == 0)
        result = bind_unix(opened->fd, &address);
    if (result == 0 && lstat(wanted->path, &status) != 0)
        result = -errno;
    if (result != 0)
        return diag_fail(diag, result, "cannot listen on unix:%s: %s", wanted->path, strerror(-result));
    memcpy(opened->path, address.sun_path, sizeof opened->path);
    opened->device = status.st_dev;
    opened->inode = status.st_ino;
    snprintf(opened->url, sizeof opened->url, "unix:%s", wanted->path);
    return 0;
}

int listen_open(const struct config_listen *address, struct listen_socket *socket, struct diag *diag)
{
    struct listen_socket opened = {.fd = -1};
    int result =
        address->kind == LISTEN_UNIX ? open_unix(address, &opened, diag) : open_tcp(address, &opened, diag);

    if (result != 0)
        listen_close(&opened);
    *socket = opened;
    return result;
}

void listen_close(struct listen_socket *socket)
{
    struct stat status;

    if (socket->path[0] != '\0' && lstat(socket->path, &status) == 0 && status.st_dev == socket->device &&
        status.st_ino == socket->inode)
        unlink(socket->path);
    if (socket->fd >= 0)
        close(socket->fd);
    *socket = (struct listen_socket){.fd = -1};
}
