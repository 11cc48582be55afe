/* One state of all lists in memory: immutable, shared by reference count, replaced as a whole. Texts are not
 * here: an entry is known by its row in the store. Inside, batches of entries form segments that generations
 * share (a log-structured merge). */
#ifndef PRESCREEN_INDEX_GENERATION_H
#define PRESCREEN_INDEX_GENERATION_H

#include "prescreen/base/cpu.h"
#include "prescreen/hash/hashes.h"
#include "prescreen/index/build.h"

#include <stddef.h>
#include <stdint.h>

enum { INDEX_RADIUS_MAX = 64, INDEX_LIST_SKIPPED = 255, INDEX_HASHES_SKIPPED = 255 };

/* Entries on their way into a generation. Memory: about what the finished segment needs, once. */
struct index_batch;
int index_batch_create(struct index_batch **batch);
/* row: identity, unique over all time; list: its number; at least one hash known. Errors: -ENOMEM. */
int index_batch_add(struct index_batch *batch, uint64_t row, uint32_t list,
                    const struct known_hashes *hashes);
/* Gives the entry that was added last a further hash, which is that of a view of its picture. Errors:
 * -ENOMEM. */
int index_batch_add_view(struct index_batch *batch, enum view view, const struct pdq_hash *hash);
void index_batch_free(struct index_batch *batch);

struct index_generation;

/* Makes the generation that follows old (NULL: an empty one) with rows removed (unknown ones are ignored) and
 * then batch added (NULL: nothing); a row of batch that old has takes its place. Ownership: takes batch
 * always; old is borrowed and stays as it is; *next has one reference, the caller's. Errors: -ENOMEM.
 * Threads: one caller at a time; searches in old go on meanwhile. Cost: by the change, not by the size of
 * old, but for merges, of at most merge_max entries each: amortised logarithmic per entry. Memory: about 110
 * bytes an entry with PDQ and 25 to 40 for each digest. */
int index_generation_apply(const struct index_generation *old, struct index_batch *batch,
                           const uint64_t *removed, size_t removed_count, size_t merge_max,
                           enum cpu_level level, struct index_generation **next);

/* A merge of segments aside: what index_generation_apply() left undone because of merge_max. */
struct index_merge;

enum index_merge_outcome {
    INDEX_MERGE_NONE = 1, /* there is nothing to merge */
    INDEX_MERGE_OVERTAKEN /* changes have merged some of it themselves */
};

/* Begins a merge of what a generation has too many segments of; failing that, of a large segment that lies in
 * a snapshot's file, alone: made anew it lies in huge pages, where lookups are twice as fast. Ownership:
 * *merge is the caller's, to index_merge_end(); the build's pace is borrowed until then. Outcomes:
 * INDEX_MERGE_NONE, -ENOMEM. Threads: with apply and end, one at a time. */
int index_merge_begin(const struct index_generation *generation, const struct index_build *build,
                      struct index_merge **merge);

/* Does the work: no lock is needed, changes and searches go on. Errors: -ENOMEM. Cost: 0.5 us an entry that
 * is merged, and the memory of these once more. */
int index_merge_run(struct index_merge *merge);

/* Makes the generation that is now in force with the merged segment in the place of its sources, *next with
 * one reference; what was removed meanwhile stays removed. Ownership: frees the merge always. Outcomes:
 * INDEX_MERGE_OVERTAKEN, -ENOMEM; next may be NULL, to give up. Threads: as begin. Cost: by what was removed
 * meanwhile. */
int index_merge_end(struct index_merge *merge, const struct index_generation *now,
                    struct index_generation **next);

/* Takes and gives back references; the last release frees. Release accepts NULL. Threads: any. */
const struct index_generation *index_generation_acquire(const struct index_generation *generation);
void index_generation_release(const struct index_generation *generation);

/* An entry that is near or equal enough. */
struct index_hit {
    uint64_t row;
    uint32_t list;
    enum hash_kind kind;
    unsigned int distance; /* bits; 0 for a digest */
    uint32_t query;        /* which query found it at this distance; the lowest on ties; 0 for a digest */
    enum view entry_view;  /* whose hash was found: VIEW_MAIN for the entry's own */
};

struct index_hits {
    struct index_hit
        *rows; /* the caller's, room for capacity; nearest first, then by query and row; each row once */
    size_t capacity;
    size_t count;   /* written */
    uint64_t total; /* rows that hit, also those past the capacity */
};

/* Which lists count: radius_by_list[number] is the largest distance in bits for a list, INDEX_LIST_SKIPPED
 * leaves it out; numbers from list_count on are left out. For digests only skipping matters. */
struct index_filter {
    const uint8_t *radius_by_list;
    size_t list_count;
};

struct index_query {
    struct pdq_hash hash;
    /* Bits, at most INDEX_RADIUS_MAX: the smaller of this and the list's counts. INDEX_HASHES_SKIPPED leaves
     * those hashes out. */
    unsigned int radius_max;      /* of the entries' own hashes */
    unsigned int view_radius_max; /* of those of their views */
};

/* Finds the entries that carry one of the digests in hashes (PDQ is not looked at). Errors: -ENOMEM. */
int index_generation_search_exact(const struct index_generation *generation,
                                  const struct known_hashes *hashes, const struct index_filter *filter,
                                  struct index_hits *hits);

/* Finds the entries near any of the queries, exactly: none within the radius is missed. Errors: -ENOMEM,
 * -EINVAL for a radius out of range, of a query or of a list. */
int index_generation_search_near(const struct index_generation *generation, const struct index_query *queries,
                                 size_t query_count, const struct index_filter *filter,
                                 struct index_hits *hits);

struct index_statistics {
    uint64_t entries; /* in force */
    uint64_t removed; /* held but no longer in force */
    uint64_t kinds[HASH_KIND_COUNT];
    uint64_t views; /* hashes of views that are held, also of removed entries */
    uint64_t bytes;
    uint64_t segments;
};
void index_generation_read_statistics(const struct index_generation *generation,
                                      struct index_statistics *statistics);

#endif
