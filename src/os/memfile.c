#include "prescreen/os/memfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static const int content_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

int memfile_create(const char *name, int *fd)
{
    int created = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

    if (created < 0 && errno == EINVAL) /* kernels before 6.3 */
        created = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (created < 0)
        return -errno;
    *fd = created;
    return 0;
}

int memfile_append(int fd, const void *data, size_t size)
{
    const uint8_t *rest = data;

    while (size > 0) {
        ssize_t written = write(fd, rest, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        if (written == 0)
            return -EIO;
        rest += written;
        size -= (size_t)written;
    }
    return 0;
}

int memfile_seal(int fd)
{
    return fcntl(fd, F_ADD_SEALS, content_seals | F_SEAL_SEAL) == 0 ? 0 : -errno;
}

/* The C library's fstat() is newfstatat(), which also takes paths; the sandbox allows only the plain call. */
static bool read_size(int fd, uint64_t *size)
{
    struct stat status;

    if (syscall(SYS_fstat, fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < 0)
        return false;
    *size = (uint64_t)status.st_size;
    return true;
}

int memfile_check(int fd, uint64_t size)
{
    uint64_t real_size = 0;
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || (seals & content_seals) != content_seals)
        return -EPERM;
    if (!read_size(fd, &real_size))
        return -EPERM;
    return real_size == size ? 0 : -EMSGSIZE;
}

int memfile_map(int fd, uint64_t size, const uint8_t **data)
{
    if (size == 0 || size > SIZE_MAX)
        return -EINVAL;
    void *mapped = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped == MAP_FAILED)
        return -errno;
    *data = mapped;
    return 0;
}

void memfile_unmap(const uint8_t *data, uint64_t size)
{
    if (data != NULL)
        munmap((void *)(uintptr_t)data, (size_t)size);
}
