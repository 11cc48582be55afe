#include "landlock.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self  446
#endif

enum { CREATE_RULESET_VERSION = 1 };

/* The kernel's struct landlock_ruleset_attr as it has grown; a kernel takes the length it knows. Written out
 * here because the build machine's headers may be older than the kernel. */
struct ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

static const struct {
    size_t length;
    struct ruleset all;
} versions[] = {
    {8, {.handled_access_fs = 0x1fff}},                                        /* 1: 13 kinds of access */
    {8, {.handled_access_fs = 0x3fff}},                                        /* 2: rename, link across */
    {8, {.handled_access_fs = 0x7fff}},                                        /* 3: truncate */
    {16, {.handled_access_fs = 0x7fff, .handled_access_net = 3}},              /* 4: TCP bind, connect */
    {16, {.handled_access_fs = 0xffff, .handled_access_net = 3}},              /* 5: ioctl on devices */
    {24, {.handled_access_fs = 0xffff, .handled_access_net = 3, .scoped = 3}}, /* 6: sockets, signals */
};

int landlock_forbid_all(unsigned int *abi)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

    if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP)) {
        *abi = 0;
        return 0;
    }
    if (version <= 0)
        return version < 0 ? -errno : -EPROTO;
    size_t known = sizeof versions / sizeof versions[0];
    size_t index = (size_t)version < known ? (size_t)version - 1 : known - 1;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &versions[index].all, versions[index].length, 0);
    if (ruleset < 0)
        return -errno;
    int result = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? 0 : -errno;
    close(ruleset);
    if (result == 0)
        *abi = (unsigned int)version;
    return result;
}
