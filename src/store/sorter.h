/* Any number of keyed values in order of their keys, in bounded memory: sorted runs in a file without a name,
 * merged as they are read back. What fits in memory stays there. */
#ifndef PRESCREEN_STORE_SORTER_H
#define PRESCREEN_STORE_SORTER_H

#include <stddef.h>
#include <stdint.h>

enum {
    SORTER_MEMORY = 16 * 1024 * 1024, /* bytes gathered before a run is written */
    SORTER_RUNS_MAX = 1024,
    SORTER_RUN_BUFFER = 32 * 1024, /* bytes of each run in memory while merging */
    SORTER_VALUE_MAX = 4096        /* bytes of a key or a value */
};

struct sorted_item {
    const void *key, *value;
    uint32_t key_size, value_size;
};

struct sorter;

/* The folder is for the file; a run is written after memory bytes (SORTER_MEMORY; tests take less). Errors:
 * -ENOMEM, -ENAMETOOLONG. Ownership: *sorter is the caller's. */
int sorter_create(const char *folder, size_t memory, struct sorter **sorter);

/* Copies one item. Errors: -ENOMEM, -EFBIG past SORTER_RUNS_MAX, -errno of the file: only free is then legal.
 */
int sorter_add(struct sorter *sorter, const struct sorted_item *item);

/* Positive outcome of sorter_next(). */
enum { SORTER_ITEM = 1 };

/* Gives the next item: in order of key (bytes, the shorter first), equal keys in the order in which they
 * came. The first call ends the adding. Returns SORTER_ITEM, 0 at the end, or a negative errno. The item is
 * borrowed until the next call. */
int sorter_next(struct sorter *sorter, struct sorted_item *item);

void sorter_free(struct sorter *sorter);

#endif
