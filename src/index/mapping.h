/* A file in memory, shared by whatever lies in it through a reference count. */
#ifndef PRESCREEN_SRC_INDEX_MAPPING_H
#define PRESCREEN_SRC_INDEX_MAPPING_H

#include <stddef.h>
#include <stdint.h>

struct index_mapping;

/* Maps the first size bytes of a file for reading. The file must not become shorter while it is mapped.
 * Ownership: fd stays the caller's and may be closed; *mapping has one reference, the caller's. Errors:
 * -errno. */
int index_mapping_open(int fd, size_t size, struct index_mapping **mapping);

const uint8_t *index_mapping_data(const struct index_mapping *mapping);

/* Threads: any. */
struct index_mapping *index_mapping_acquire(struct index_mapping *mapping);

/* mapping may be NULL. */
void index_mapping_release(struct index_mapping *mapping);

#endif
