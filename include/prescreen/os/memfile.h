/* Anonymous files in memory: written once, sealed, then handed to a process that must not be able to change
 * them. */
#ifndef PRESCREEN_OS_MEMFILE_H
#define PRESCREEN_OS_MEMFILE_H

#include <stddef.h>
#include <stdint.h>

/* Creates an empty file that can be sealed; name is for /proc only. It is closed on exec, and can never be
 * executed where the kernel has MFD_NOEXEC_SEAL. Errors: -errno. Ownership: *fd is the caller's to close().
 */
int memfile_create(const char *name, int *fd);

/* Writes all of data at the file's offset. Errors: -errno; part of data may then have been written. Cost: one
 * copy. The caller counts the bytes and holds them to a maximum. */
int memfile_append(int fd, const void *data, size_t size);

/* Forbids for ever to write, grow or shrink the file, and to change the seals. Errors: -EBUSY while it is
 * mapped writable, -errno. */
int memfile_seal(int fd);

/* Checks that fd is a file of exactly size bytes that nobody can change any more. Returns 0; -EPERM when a
 * seal is missing or fd is no such file; -EMSGSIZE when the size is another; -errno. */
int memfile_check(int fd, uint64_t size);

/* Maps size bytes read-only. size must be at least 1 and have passed memfile_check(): beyond the end of a
 * file a mapping raises SIGBUS. Errors: -errno (-ENOMEM past the address space limit). Ownership: *data is
 * the caller's, released by memfile_unmap() with the same size. */
int memfile_map(int fd, uint64_t size, const uint8_t **data);
void memfile_unmap(const uint8_t *data, uint64_t size);

#endif
