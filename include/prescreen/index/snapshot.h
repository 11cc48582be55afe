/* A generation in a file, so that a restart need not build it anew: its arrays and tables as they lie in
 * memory, each with a checksum. What is mapped again is searched where it lies. */
#ifndef PRESCREEN_INDEX_SNAPSHOT_H
#define PRESCREEN_INDEX_SNAPSHOT_H

#include "prescreen/base/diag.h"
#include "prescreen/index/generation.h"

enum { INDEX_MARK_SIZE = 64 };

/* What a generation was made of. */
struct index_origin {
    uint64_t lists_version;
    uint8_t mark[INDEX_MARK_SIZE]; /* tells this version from one of the same number in another store */
};

/* Positive outcomes, each with a sentence in diag. */
enum index_snapshot_outcome {
    INDEX_SNAPSHOT_NONE = 1, /* there is no file */
    INDEX_SNAPSHOT_REFUSED   /* torn, damaged, or made by another version of the program or on another kind of
                                machine */
};

/* Writes FOLDER/index.snapshot (0600) in place of the one before: beside it, made durable, then renamed, so
 * that there is a whole one at any moment. Errors: -EBUSY (another process is writing one), -ENOSPC also
 * where it would leave the disk next to full, other negative errno; the one before then stays. pace may be
 * NULL. Threads: any; searches go on. Cost: writes what the generation holds in memory, once, at the pace of
 * the disk. */
int index_snapshot_write(const char *folder, const struct index_generation *generation,
                         const struct index_origin *origin, const struct index_pace *pace, struct diag *diag);

struct index_snapshot;

/* Opens FOLDER/index.snapshot and tells what it was made of. Outcomes above, or a negative errno. Ownership:
 * *snapshot is the caller's. Cost: one page. */
int index_snapshot_open(const char *folder, struct index_snapshot **snapshot, struct index_origin *origin,
                        struct diag *diag);

/* Verifies all of it and maps it. Outcomes: INDEX_SNAPSHOT_REFUSED, or a negative errno. Ownership:
 * *generation has one reference, the caller's, and outlives the snapshot. Cost: reads the file once: a tenth
 * of a second a gigabyte when it is in memory already. */
int index_snapshot_load(const struct index_snapshot *snapshot, enum cpu_level level,
                        struct index_generation **generation, struct diag *diag);

/* snapshot may be NULL. */
void index_snapshot_close(struct index_snapshot *snapshot);

#endif
