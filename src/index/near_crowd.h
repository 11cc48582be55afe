/* Crowds: very many hashes that lie near one, such as the near-duplicates of a picture that went round. In
 * the tables a query among them would come upon each in nearly every chunk; so they stand apart, and are
 * compared one after the other where a query is near enough to their centre for any of them to be found. */
#ifndef PRESCREEN_SRC_INDEX_NEAR_CROWD_H
#define PRESCREEN_SRC_INDEX_NEAR_CROWD_H

#include "near_layout.h"

struct near_crowd_group {
    struct pdq_hash centre;
    uint32_t count;      /* members */
    unsigned int radius; /* bits: no member is farther from the centre */
};

/* Which hashes are in which crowd. */
struct near_crowding {
    size_t hash_count;
    size_t member_count;
    uint32_t octet_count; /* that the members take */
    unsigned int group_count;
    struct near_crowd_group groups[NEAR_CROWDS_MAX];
    uint16_t *group_of; /* for each hash; NEAR_NO_CROWD: none. NULL when there is no crowd */
};

enum { NEAR_NO_CROWD = UINT16_MAX };

/* Looks for crowds. Small ones, and members far from the centre, may be left out: what is found makes
 * searches fast, not right. Ownership: *crowding is the caller's, to near_crowding_free(). Errors: -ENOMEM.
 * Cost: 5 ns a hash where there is no crowd, about 30 where there are some; 2 bytes a hash. */
int near_crowding_create(const struct pdq_hash *hashes, size_t count, const struct index_pace *pace,
                         struct near_crowding **crowding);

void near_crowding_free(struct near_crowding *crowding);

/* Bytes that so many crowds take in an index, a multiple of 64: what their members take, among so many
 * hashes. */
size_t near_crowd_bytes(unsigned int crowd_count, uint32_t octet_count, size_t hash_count);

/* Sets an index, of which crowd_count, octet_count and count are set, upon its crowds in memory. */
void near_crowd_place(struct near_index *index, void *memory);

/* Writes the crowds of the index's hashes to memory, which is zeroed and of near_crowd_bytes(), and sets the
 * index upon them. */
void near_crowding_lay_out(const struct near_crowding *crowding, struct near_index *index, void *memory);

#endif
