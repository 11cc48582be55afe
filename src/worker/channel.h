/* One packet at a time over the socket between parent and worker (SOCK_SEQPACKET). */
#ifndef PRESCREEN_WORKER_CHANNEL_H
#define PRESCREEN_WORKER_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

/* Sends a packet, with a file when file_fd is not -1 (it stays the caller's). flags as for sendmsg(2).
 * Errors: -EPIPE when the other side is gone, -errno. */
int channel_send(int socket_fd, const uint8_t *packet, size_t size, int file_fd, int flags);

/* Receives a packet of at most capacity bytes and, where file_fd is not NULL, at most one file (-1 when none
 * came), which is then the caller's. flags as for recvmsg(2). Errors: -EPIPE when the other side is gone,
 * -EPROTO when packet or files are more than was asked for, -errno. */
int channel_receive(int socket_fd, uint8_t *packet, size_t capacity, size_t *size, int *file_fd, int flags);

#endif
