#include "channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union file_control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int channel_send(int socket_fd, const uint8_t *packet, size_t size, int file_fd, int flags)
{
    struct iovec part = {(void *)(uintptr_t)packet, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union file_control control;

    if (file_fd >= 0) {
        memset(&control, 0, sizeof control);
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &file_fd, sizeof file_fd);
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
    }
    for (;;) {
        ssize_t sent = sendmsg(socket_fd, &message, flags | MSG_NOSIGNAL);
        if (sent >= 0)
            return (size_t)sent == size ? 0 : -EIO;
        if (errno == ECONNRESET)
            return -EPIPE;
        if (errno != EINTR)
            return -errno;
    }
}

/* Returns the one file of a message, -1 when there is none. */
static int take_file(struct msghdr *message)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    int file_fd = -1;

    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof file_fd))
        memcpy(&file_fd, CMSG_DATA(header), sizeof file_fd);
    return file_fd;
}

int channel_receive(int socket_fd, uint8_t *packet, size_t capacity, size_t *size, int *file_fd, int flags)
{
    struct iovec part = {packet, capacity};
    union file_control control;
    struct msghdr message;
    ssize_t got;

    do {
        message = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
        if (file_fd != NULL) {
            message.msg_control = control.bytes;
            message.msg_controllen = CMSG_LEN(sizeof(int)); /* the padding of CMSG_SPACE() could hold two */
        }
        got = recvmsg(socket_fd, &message, flags | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == ECONNRESET ? -EPIPE : -errno;
    int file = file_fd == NULL ? -1 : take_file(&message);
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        if (file >= 0)
            close(file);
        return -EPROTO;
    }
    if (got == 0) { /* the end; nobody here sends an empty packet */
        if (file >= 0)
            close(file);
        return -EPIPE;
    }
    if (file_fd != NULL)
        *file_fd = file;
    *size = (size_t)got;
    return 0;
}
