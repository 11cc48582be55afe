#include "prescreen/os/files.h"

#include "database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A new file is worth nothing as long as its names can be lost: that of the file and that of the folder. A
 * parent that may not be opened is somebody else's, and so is its safety. */
static int sync_names(const char *folder)
{
    char parent[PATH_MAX];

    if (snprintf(parent, sizeof parent, "%s/..", folder) < (int)sizeof parent)
        files_sync_directory(parent);
    return files_sync_directory(folder);
}

/* Only ever opens a file that nobody can have open yet: closing one of SQLite's would end its locks (POSIX).
 */
static int create_file(const char *folder, const char *path, struct diag *diag)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST)
        return 0;
    if (fd < 0)
        return diag_fail(diag, -errno, "%s cannot be made: %s", path, strerror(errno));
    close(fd);
    int result = sync_names(folder);
    if (result != 0)
        return diag_fail(diag, result, "%s cannot be made durable: %s", path, strerror(-result));
    return 0;
}

int database_locate(const char *folder, const struct database_layout *layout, bool create,
                    char path[PATH_MAX], struct diag *diag)
{
    char real[PATH_MAX];
    int result = create ? files_make_directory(folder, diag) : 0;

    if (result != 0)
        return result;
    if (realpath(folder, real) == NULL)
        return diag_fail(diag, -errno, "folder %s: %s", folder, strerror(errno));
    if (snprintf(path, PATH_MAX, "%s/%s", real, layout->file) >= PATH_MAX)
        return diag_fail(diag, -ENAMETOOLONG, "folder %s: its path is too long", folder);
    if (create)
        return create_file(real, path, diag);
    if (access(path, F_OK) != 0)
        return diag_fail(diag, -errno, "%s: there is no %s: %s", path, layout->what, strerror(errno));
    return 0;
}
