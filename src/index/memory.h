/* Memory of the index: zeroed, aligned to cache lines, in huge pages where that pays, and given back to the
 * system at once. */
#ifndef PRESCREEN_SRC_INDEX_MEMORY_H
#define PRESCREEN_SRC_INDEX_MEMORY_H

#include <stddef.h>

/* Zeroed memory of at least one byte, aligned to 64. NULL when there is none. Ownership: the caller's, freed
 * by index_memory_release() with the same size. Cost: pages that are never written take no memory. */
void *index_memory_acquire(size_t size);

/* Changes the size; what is added is zeroed. NULL when there is no memory: the old memory then stays as it
 * was. Cost: large memory is moved by its page tables, not copied. */
void *index_memory_resize(void *memory, size_t old_size, size_t new_size);

/* memory may be NULL. */
void index_memory_release(void *memory, size_t size);

#endif
