/* How a snapshot lies in its file: the head in the first page, then the table of parts, then their pieces,
 * each at the beginning of a page. Numbers are in the machine's own order, which the head tells. */
#ifndef PRESCREEN_SRC_INDEX_SNAPSHOT_LAYOUT_H
#define PRESCREEN_SRC_INDEX_SNAPSHOT_LAYOUT_H

#include "prescreen/index/snapshot.h"

#include "near_saved.h"
#include "parts.h"

/* Another meaning of anything here, or of what batch.h, exact.c and parts.h keep, is another format. */
enum { SNAPSHOT_FORMAT = 1, SNAPSHOT_PAGE = 4096, SNAPSHOT_PROGRAM_SIZE = 24 };

#define SNAPSHOT_FILE       "index.snapshot"
#define SNAPSHOT_MAGIC      "PSINDEX" /* eight bytes with its end */
#define SNAPSHOT_BYTE_ORDER UINT32_C(0x01020304)

/* The pieces of a part; a piece without bytes is not there. */
enum snapshot_piece {
    PIECE_ROWS,
    PIECE_LISTS,
    PIECE_KINDS,
    PIECE_HASHES,
    PIECE_HASH_SLOTS,
    PIECE_VIEWS,
    PIECE_RECORDS,                                     /* of each kind of digest */
    PIECE_BUCKETS = PIECE_RECORDS + DIGEST_KIND_COUNT, /* of each kind of digest */
    PIECE_BY_ROW = PIECE_BUCKETS + DIGEST_KIND_COUNT,
    PIECE_NEAR,
    PIECE_NEAR_TABLES,
    PIECE_NEAR_SPILL,
    PIECE_REMOVALS,
    PIECE_COUNT
};

struct snapshot_place {
    uint64_t offset, size_bytes;
    uint64_t checksum; /* XXH3 of the bytes */
};

struct snapshot_part {
    uint64_t count;
    uint64_t kinds[HASH_KIND_COUNT];
    struct snapshot_place pieces[PIECE_COUNT];
};

/* No gaps. The checksum is XXH3 of all that stands before it. */
struct snapshot_head {
    char magic[8];
    uint32_t byte_order, format;
    char program[SNAPSHOT_PROGRAM_SIZE]; /* its version */
    uint64_t sizes;                      /* of the structures above and of those that lie in pieces */
    uint64_t file_bytes;
    struct index_origin origin;
    uint64_t part_count;
    uint64_t table_checksum; /* of part_count struct snapshot_part, at SNAPSHOT_PAGE */
    uint64_t checksum;
};

/* What snapshot_head.sizes must be: two programs that lay anything out in another way differ in it. */
static inline uint64_t snapshot_sizes(void)
{
    return sizeof(struct snapshot_head) ^ sizeof(struct snapshot_part) << 12 ^
           sizeof(struct near_saved) << 24 ^ (uint64_t)sizeof(struct near_block) << 36 ^
           (uint64_t)sizeof(struct pdq_hash) << 44 ^ (uint64_t)sizeof(struct index_view) << 52 ^
           (uint64_t)PIECE_COUNT << 58;
}

/* The first byte of a page at or above. */
static inline uint64_t snapshot_page_from(uint64_t offset)
{
    return (offset + SNAPSHOT_PAGE - 1) / SNAPSHOT_PAGE * SNAPSHOT_PAGE;
}

#endif
