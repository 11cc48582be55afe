/* How the near index lies in memory.
 *
 * Each chunk has a table. A row is one value of the chunk; 256 rows that differ in their low 8 bits share one
 * cache line, so that one access tests all rows that differ from a query there. The entries of all rows stand
 * in one array in the order of their rows: an entry is the id of a hash and, in the bits that ids do not
 * need, the first bits of its next chunk. Hashes of crowds (near_crowd.h) stand apart. */
#ifndef PRESCREEN_SRC_INDEX_NEAR_LAYOUT_H
#define PRESCREEN_SRC_INDEX_NEAR_LAYOUT_H

#include "prescreen/index/near.h"

#include <stdbool.h>

enum {
    NEAR_CHUNKS_MAX = 24,
    NEAR_LOW_BITS = 8,     /* of a row's number, within a block */
    NEAR_WORDS = 4,        /* of 64 rows, in a block */
    NEAR_WORD_ENTRIES = 31 /* a word with more is spilled */
};
enum { NEAR_FLIPS_MAX = 7 }; /* bits of a chunk above the low ones that a search flips at once, at most */

/* 256 rows, four words of 64. */
struct near_block {
    uint64_t rows[NEAR_WORDS]; /* bit r: row r has entries */
    uint32_t
        bases[NEAR_WORDS]; /* where the word's first entry stands; of a spilled word, where its starts do */
    uint32_t starts[NEAR_WORDS]; /* bit i: entry bases + i is the first of its row, or one past the last; 0:
                                    spilled */
};
_Static_assert(sizeof(struct near_block) == 64, "a block is one cache line");

struct near_chunk {
    unsigned int first_bit;
    unsigned int width;
    uint64_t next_mask; /* which bits after the chunk entries carry */
    uint32_t flips[NEAR_FLIPS_MAX +
                   1];         /* how many ways there are to flip so many of the bits above the low ones */
    struct near_block *blocks; /* 1 << (width - NEAR_LOW_BITS) */
    uint32_t *entries;
};

enum { NEAR_CROWDS_MAX = 16384, NEAR_LANES = 8 };

/* Eight hashes, word by word, so that they are compared at once. */
struct near_octet {
    uint64_t words[4][NEAR_LANES];
};

/* Hashes that stand together and in no table. Their centre has the crowd's number among the centres. */
struct near_crowd {
    uint32_t first_octet;
    uint32_t count;
    uint32_t radius; /* bits: no member is farther from the centre */
};

/* Entries that are filtered at once. */
enum { NEAR_FILTERED = 16 };

/* What entries are held against: bits above the id, which are of the next chunk. */
struct near_filter {
    unsigned int id_bits;
    uint32_t next; /* of the query */
};

struct near_kernel;

struct near_index {
    const struct pdq_hash *hashes; /* borrowed */
    size_t count;
    size_t tabled; /* of these, how many stand in the tables: all but those of crowds */
    const struct near_kernel *kernel;
    unsigned int chunk_count; /* 0: too few hashes for anything but a scan */
    unsigned int id_bits;
    struct near_chunk chunks[NEAR_CHUNKS_MAX];
    /* raises[0..radius] is one chunk number for each e_k + 1 that is to be spent at that radius. */
    uint8_t raises[NEAR_RADIUS_MAX + 1];
    unsigned int scan_from; /* the smallest radius at which a scan is cheaper */
    /* Masks of so many flipped bits, by their number, then by value: the first flips[n] suit a chunk of any
     * width. */
    uint32_t *masks[NEAR_FLIPS_MAX + 1];
    uint32_t *spill; /* the starts of the rows of spilled words, and their end */
    unsigned int crowd_count;
    uint32_t octet_count; /* of members */
    struct near_octet *centres;
    struct near_crowd *crowds;
    struct near_octet *members;
    uint32_t *member_ids;
    uint64_t *crowded; /* bit i: hash i is in a crowd; NULL: there is none */
    void *memory;
    size_t memory_bytes;
    size_t spill_bytes;
};

/* e_k + 1 for each chunk. */
struct near_allowance {
    uint8_t bits[NEAR_CHUNKS_MAX];
};

/* The functions that exist once for each CPU level. */
struct near_kernel {
    int (*search)(const struct near_index *index, const struct near_query *queries, size_t query_count,
                  const struct near_sink *sink);
    int (*scan)(const struct pdq_hash *hashes, size_t count, const struct near_query *query,
                size_t query_number, const struct near_sink *sink);
};

/* Reports a single find. */
static inline int near_report(const struct near_sink *sink, size_t query_number, uint32_t id,
                              unsigned int distance_bits)
{
    const struct near_find find = {id, distance_bits};

    return sink->found(sink->context, query_number, &find, 1);
}

/* The functions of a level that this build has. */
const struct near_kernel *near_kernel_of(enum cpu_level level);

static inline bool near_is_crowded(const struct near_index *index, size_t id)
{
    return index->crowded != NULL && (index->crowded[id / 64] >> (id % 64) & 1) != 0;
}

/* What a search may spend at a radius below scan_from. */
void near_allow(const struct near_index *index, unsigned int radius, struct near_allowance *allowance);

/* The 64 bits that begin with the chunk; bit 255 is followed by bit 0. */
static inline uint64_t near_extract(const struct pdq_hash *hash, unsigned int first_bit)
{
    unsigned int word = first_bit / 64;
    unsigned int shift = first_bit % 64;

    return hash->words[word] >> shift | hash->words[(word + 1) % 4] << 1 << (63 - shift);
}

static inline uint64_t near_row_mask(const struct near_chunk *chunk)
{
    return ((uint64_t)1 << chunk->width) - 1;
}

#endif
