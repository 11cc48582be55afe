/* The few things that are asked of the file system. */
#ifndef PRESCREEN_OS_FILES_H
#define PRESCREEN_OS_FILES_H

#include "prescreen/base/bytes.h"
#include "prescreen/base/diag.h"

#include <stddef.h>
#include <stdint.h>

/* Makes the directory, readable by its owner alone, when there is none; one that exists is left as it is.
 * Its parent must exist. Errors: -ENOTDIR when path is something else, -errno, with diag. */
int files_make_directory(const char *path, struct diag *diag);

/* Appends the whole file to content, which is at most content->maximum bytes. Errors: -EFBIG when the file is
 * larger (content is then undefined but still the caller's to clear), -EINVAL when it is not a regular file,
 * -errno, with diag. */
int files_read(const char *path, struct bytes *content, struct diag *diag);

/* As files_read(), for a file that holds a secret. Errors also: -EPERM when it is not this process's user's
 * or root's, or others may read or change it. */
int files_read_private(const char *path, struct bytes *content, struct diag *diag);

/* Makes the file FOLDER/NAME hold exactly these bytes, for its owner alone: after a crash it holds what it
 * held before or what it is to hold. Durable when it returns 0. Errors: -ENAMETOOLONG, -errno, with diag. */
int files_replace(const char *folder, const char *name, const void *data, size_t size, struct diag *diag);

/* Opens a file in the folder that nobody can open by name, for reading and writing. Errors: -ENAMETOOLONG,
 * -errno. Ownership: *fd is the caller's. */
int files_open_unnamed(const char *folder, int *fd);

/* Writes data at offset. Errors: -errno. */
int files_write_at(int fd, const void *data, size_t size, uint64_t offset);

/* Makes the names in a directory durable. Errors: -errno. */
int files_sync_directory(const char *path);

/* Writes the directory of the running executable, without a slash at its end, into path[0..capacity). Errors:
 * -ENAMETOOLONG, -errno. Source: proc(5), /proc/self/exe. */
int files_executable_directory(char *path, size_t capacity);

/* Finds a program that belongs to this one: beside the running executable, else where it was installed to.
 * Writes its absolute path. Errors: -ENOENT with both places named in diag, -ENAMETOOLONG. */
int files_find_program(const char *name, char *path, size_t capacity, struct diag *diag);

#endif
