#include "prescreen/os/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int files_make_directory(const char *path, struct diag *diag)
{
    struct stat status;

    if (mkdir(path, 0700) == 0)
        return 0;
    if (errno != EEXIST)
        return diag_fail(diag, -errno, "directory %s cannot be made: %s", path, strerror(errno));
    if (stat(path, &status) != 0)
        return diag_fail(diag, -errno, "%s cannot be looked at: %s", path, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return diag_fail(diag, -ENOTDIR, "%s exists and is not a directory", path);
    return 0;
}

static int check_regular(int fd, bool private)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    if (private &&
        ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0 || (status.st_uid != 0 && status.st_uid != geteuid())))
        return -EPERM;
    return 0;
}

static int read_to_end(int fd, struct bytes *content)
{
    uint8_t block[16384];

    for (;;) {
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return 0;
        int result = bytes_append(content, block, (size_t)got);
        if (result != 0)
            return result;
    }
}

static int read_file(const char *path, bool private, struct bytes *content, struct diag *diag)
{
    /* Opening a pipe that nobody writes to would wait for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return diag_fail(diag, -errno, "%s cannot be opened: %s", path, strerror(errno));
    int result = check_regular(fd, private);
    if (result == 0)
        result = read_to_end(fd, content);
    close(fd);
    if (result == -EFBIG)
        return diag_fail(diag, result, "%s is larger than the %zu bytes that are allowed", path,
                         content->maximum);
    if (result == -EINVAL)
        return diag_fail(diag, result, "%s is not a regular file", path);
    if (result == -EPERM && private)
        return diag_fail(diag, result,
                         "%s holds a secret: it must belong to who runs this, or root, and be closed to all "
                         "others (chmod 600)",
                         path);
    if (result != 0)
        return diag_fail(diag, result, "%s cannot be read: %s", path, strerror(-result));
    return 0;
}

int files_read(const char *path, struct bytes *content, struct diag *diag)
{
    return read_file(path, false, content, diag);
}

int files_read_private(const char *path, struct bytes *content, struct diag *diag)
{
    return read_file(path, true, content, diag);
}

/* Has the names in a folder on disk. */
static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd < 0 || fsync(fd) != 0 ? -errno : 0;

    if (fd >= 0)
        close(fd);
    return result;
}

static int write_new(const char *path, const void *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return -errno;
    int result = files_write_at(fd, data, size, 0);
    if (result == 0 && fsync(fd) != 0)
        result = -errno;
    if (close(fd) != 0 && result == 0)
        result = -errno;
    return result;
}

int files_replace(const char *folder, const char *name, const void *data, size_t size, struct diag *diag)
{
    char path[PATH_MAX];
    char aside[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);

    if (length < 0 || (size_t)length >= sizeof path ||
        snprintf(aside, sizeof aside, "%s/%s.new", folder, name) >= (int)sizeof aside)
        return diag_fail(diag, -ENAMETOOLONG, "the path of %s is too long", name);
    int result = write_new(aside, data, size);
    if (result == 0 && rename(aside, path) != 0)
        result = -errno;
    if (result == 0)
        result = sync_folder(folder);
    return result == 0 ? 0 : diag_fail(diag, result, "%s cannot be written: %s", path, strerror(-result));
}

int files_executable_directory(char *path, size_t capacity)
{
    char target[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", target, sizeof target);

    if (length < 0)
        return -errno;
    if ((size_t)length >= sizeof target)
        return -ENAMETOOLONG;
    target[length] = '\0';
    char *slash = strrchr(target, '/');
    if (slash == NULL)
        return -ENOENT;
    slash[slash == target ? 1 : 0] = '\0';
    if (strlen(target) >= capacity)
        return -ENAMETOOLONG;
    memcpy(path, target, strlen(target) + 1);
    return 0;
}

/* Returns 1 when directory/name is a program (path written), 0 when not, -ENAMETOOLONG. */
static int find_in(const char *directory, const char *name, char *path, size_t capacity)
{
    char candidate[PATH_MAX];
    int length = snprintf(candidate, sizeof candidate, "%s/%s", directory, name);

    if (length < 0 || (size_t)length >= sizeof candidate || (size_t)length >= capacity)
        return -ENAMETOOLONG;
    if (access(candidate, X_OK) != 0)
        return 0;
    memcpy(path, candidate, (size_t)length + 1);
    return 1;
}

int files_find_program(const char *name, char *path, size_t capacity, struct diag *diag)
{
    char beside[PATH_MAX];
    int result = files_executable_directory(beside, sizeof beside);

    if (result != 0)
        return diag_fail(diag, result,
                         "the directory of this program cannot be found: %s (is /proc mounted?)",
                         strerror(-result));
    result = find_in(beside, name, path, capacity);
    if (result == 0)
        result = find_in(PRESCREEN_LIBEXECDIR, name, path, capacity);
    if (result < 0)
        return diag_fail(diag, result, "the path of %s is too long", name);
    if (result == 0)
        return diag_fail(diag, -ENOENT, "%s is neither in %s nor in %s", name, beside, PRESCREEN_LIBEXECDIR);
    return 0;
}

/* Some file systems can only make one by taking the name away. */
int files_open_unnamed(const char *folder, int *fd)
{
    char path[PATH_MAX];
    int opened = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (opened < 0 && errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)
        return -errno;
    if (opened < 0) {
        if (snprintf(path, sizeof path, "%s/draft-XXXXXX", folder) >= (int)sizeof path)
            return -ENAMETOOLONG;
        opened = mkostemp(path, O_CLOEXEC);
        if (opened < 0)
            return -errno;
        unlink(path);
    }
    *fd = opened;
    return 0;
}

int files_write_at(int fd, const void *data, size_t size, uint64_t offset)
{
    const uint8_t *bytes = data;

    while (size > 0) {
        ssize_t wrote = pwrite(fd, bytes, size, (off_t)offset);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return wrote < 0 ? -errno : -EIO;
        bytes += wrote;
        size -= (size_t)wrote;
        offset += (uint64_t)wrote;
    }
    return 0;
}

int files_sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    int result = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return result;
}
