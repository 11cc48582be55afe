#include "mapping.h"

#include "prescreen/base/bug.h"

#include "memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

struct index_mapping {
    atomic_size_t references;
    void *data;
    size_t size;
};

int index_mapping_open(int fd, size_t size, struct index_mapping **mapping)
{
    struct index_mapping *made = index_memory_acquire(sizeof *made);

    if (made == NULL)
        return -ENOMEM;
    made->data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (made->data == MAP_FAILED) {
        int result = -errno;
        index_memory_release(made, sizeof *made);
        return result;
    }
    made->size = size;
    /* Advice: all of it will be needed, and large pages make lookups faster where the file system has them.
     */
    (void)madvise(made->data, size, MADV_HUGEPAGE);
    (void)madvise(made->data, size, MADV_WILLNEED);
    atomic_init(&made->references, 1);
    *mapping = made;
    return 0;
}

const uint8_t *index_mapping_data(const struct index_mapping *mapping)
{
    return mapping->data;
}

struct index_mapping *index_mapping_acquire(struct index_mapping *mapping)
{
    atomic_fetch_add_explicit(&mapping->references, 1, memory_order_relaxed);
    return mapping;
}

void index_mapping_release(struct index_mapping *mapping)
{
    if (mapping == NULL)
        return;
    size_t before = atomic_fetch_sub_explicit(&mapping->references, 1, memory_order_acq_rel);
    BUG_ON(before == 0);
    if (before > 1)
        return;
    (void)munmap(mapping->data, mapping->size);
    index_memory_release(mapping, sizeof *mapping);
}
