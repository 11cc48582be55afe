#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE_SIZE = 64, PAGE_SIZE = 4096, MAPPED_SIZE_MIN = 256 << 10, HUGE_PAGE_SIZE = 2 << 20 };

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

/* Where memory starts on a huge page's border, so that all of it but the tail can lie in huge pages. */
static void *map_aligned(size_t size)
{
    size_t room = size + HUGE_PAGE_SIZE;
    uint8_t *start = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (start == MAP_FAILED)
        return NULL;
    size_t before = round_up((uintptr_t)start, HUGE_PAGE_SIZE) - (uintptr_t)start;
    if (before > 0)
        (void)munmap(start, before);
    (void)munmap(start + before + size, room - before - size);
    /* Advice: where it is refused the memory is merely slower. */
    (void)madvise(start + before, size, MADV_HUGEPAGE);
    return start + before;
}

static void *map(size_t size)
{
    if (size > SIZE_MAX - 2 * (size_t)HUGE_PAGE_SIZE)
        return NULL;
    size = round_up(size, PAGE_SIZE);
    if (size >= HUGE_PAGE_SIZE)
        return map_aligned(size);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void *index_memory_acquire(size_t size)
{
    if (size >= MAPPED_SIZE_MIN)
        return map(size);
    size = round_up(size == 0 ? 1 : size, LINE_SIZE);
    void *memory = aligned_alloc(LINE_SIZE, size);
    if (memory != NULL)
        memset(memory, 0, size);
    return memory;
}

void *index_memory_resize(void *memory, size_t old_size, size_t new_size)
{
    void *moved = index_memory_acquire(new_size);

    if (moved == NULL || memory == NULL)
        return moved;
    if (old_size < MAPPED_SIZE_MIN || new_size < MAPPED_SIZE_MIN) {
        memcpy(moved, memory, old_size < new_size ? old_size : new_size);
        index_memory_release(memory, old_size);
        return moved;
    }
    void *landed = mremap(memory, round_up(old_size, PAGE_SIZE), round_up(new_size, PAGE_SIZE),
                          MREMAP_MAYMOVE | MREMAP_FIXED, moved);
    if (landed == MAP_FAILED) {
        index_memory_release(moved, new_size);
        return NULL;
    }
    if (new_size >= HUGE_PAGE_SIZE)
        (void)madvise(landed, round_up(new_size, PAGE_SIZE), MADV_HUGEPAGE);
    return landed;
}

void index_memory_release(void *memory, size_t size)
{
    if (memory == NULL)
        return;
    if (size < MAPPED_SIZE_MIN)
        free(memory);
    else
        (void)munmap(memory, round_up(size, PAGE_SIZE));
}
