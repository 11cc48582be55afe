#include "spool.h"

#include "prescreen/os/files.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

void spool_init(struct spool *spool)
{
    *spool = (struct spool){.file = -1};
}

void spool_clear(struct spool *spool)
{
    if (spool->file >= 0)
        close(spool->file);
    spool_init(spool);
}

int spool_append(struct spool *spool, const char *folder, const void *data, size_t size)
{
    int result = spool->file < 0 ? files_open_unnamed(folder, &spool->file) : 0;

    if (result == 0)
        result = files_write_at(spool->file, data, size, spool->size);
    if (result == 0)
        spool->size += size;
    return result;
}

/* Ed25519 wants the message in one piece: mapped, so that it takes no memory that the kernel cannot have
 * back.
 */
int spool_verify(const struct spool *spool, const uint8_t key[CONFIG_SIGNATURE_KEY_SIZE],
                 const uint8_t signature[LIST_SIGNATURE_SIZE])
{
    if (spool->size == 0)
        return list_signature_verify(key, signature, "", 0);
    void *data = mmap(NULL, (size_t)spool->size, PROT_READ, MAP_PRIVATE, spool->file, 0);
    if (data == MAP_FAILED)
        return -errno;
    madvise(data, (size_t)spool->size, MADV_SEQUENTIAL);
    int result = list_signature_verify(key, signature, data, (size_t)spool->size);
    munmap(data, (size_t)spool->size);
    return result;
}
