/* Listening sockets. */
#ifndef PRESCREEN_HTTP_LISTEN_H
#define PRESCREEN_HTTP_LISTEN_H

#include "prescreen/base/diag.h"
#include "prescreen/config/config.h"

#include <sys/types.h>

enum { LISTEN_URL_SIZE = 300 };

struct listen_socket {
    int fd;                    /* -1 = none */
    char url[LISTEN_URL_SIZE]; /* http://HOST:PORT with the real port, or unix:/path */
    char path[108];            /* of a unix socket, "" = none */
    dev_t device;              /* of that path, to remove it only while it is still ours */
    ino_t inode;
};

/* Binds and listens. A unix socket gets mode 0660; one that is in the way is removed when nobody answers on
 * it. Errors: negative errno with the address named in diag. */
int listen_open(const struct config_listen *address, struct listen_socket *socket, struct diag *diag);

/* Closes, and removes the path of a unix socket. */
void listen_close(struct listen_socket *socket);

#endif
