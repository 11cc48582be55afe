/* The near index as it can be kept: its tables as they lie in memory, and beside them where each begins. */
#ifndef PRESCREEN_SRC_INDEX_NEAR_SAVED_H
#define PRESCREEN_SRC_INDEX_NEAR_SAVED_H

#include "near_layout.h"

/* The number of what near_layout.h says, in tables that are kept: another meaning, another number. */
enum { NEAR_SAVED_LAYOUT = 2 };

struct near_saved_chunk {
    uint32_t first_bit, width;
    uint64_t next_mask;
    uint32_t flips[NEAR_FLIPS_MAX + 1];
    uint64_t blocks_at, entries_at; /* bytes from the beginning of the tables */
};

/* A near index without its tables; holds no pointer and no gap. */
struct near_saved {
    uint64_t count, tabled;
    uint32_t layout, chunk_count, id_bits, scan_from;
    uint32_t crowd_count, octet_count; /* the crowds begin the tables */
    struct near_saved_chunk chunks[NEAR_CHUNKS_MAX];
    uint64_t masks_at[NEAR_FLIPS_MAX + 1]; /* UINT64_MAX: there are none */
    uint8_t raises[(NEAR_RADIUS_MAX + 1 + 7) / 8 * 8];
};

/* Tables are borrowed from the index. */
struct near_tables {
    const void *memory, *spill;
    size_t memory_bytes, spill_bytes;
};

/* Describes an index. */
void near_index_save(const struct near_index *index, struct near_saved *saved, struct near_tables *tables);

/* Makes the index that was described, of the same hashes and tables at another place, which are borrowed.
 * Nothing outside of them is read, whatever saved says. Ownership: *index is the caller's, to
 * near_index_abandon(). Errors: -EINVAL when saved is not of these, -ENOMEM. */
int near_index_adopt(const struct near_saved *saved, const struct pdq_hash *hashes, size_t count,
                     const struct near_tables *tables, enum cpu_level level, struct near_index **index);

/* Frees an adopted index and leaves its tables alone. index may be NULL. */
void near_index_abandon(struct near_index *index);

#endif
