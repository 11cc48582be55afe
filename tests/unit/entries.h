/* Entries for the tests of lists and stores: copies that outlive their maker, made-up hashes, a repeatable
 * random source. */
#ifndef PRESCREEN_TESTS_UNIT_ENTRIES_H
#define PRESCREEN_TESTS_UNIT_ENTRIES_H

#include "prescreen/lists/entry.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kept_entry {
    char entry_id[ENTRY_ID_MAX + 1];
    char classification[CLASSIFICATION_MAX + 1];
    char note[ENTRY_NOTE_MAX + 1];
    struct known_hashes hashes;
};

struct kept_entries {
    struct kept_entry *items;
    size_t count;
};

/* An entry_sink whose context is a struct kept_entries. */
static inline int keep_entry(void *context, const struct list_entry *entry)
{
    struct kept_entries *kept = context;

    if ((kept->count & (kept->count + 1)) == 0)
        kept->items = realloc(kept->items, 2 * (kept->count + 1) * sizeof *kept->items);
    ck_assert_ptr_nonnull(kept->items);
    struct kept_entry *copy = &kept->items[kept->count++];
    memset(copy, 0, sizeof *copy);
    strcpy(copy->entry_id, entry->entry_id);
    strcpy(copy->classification, entry->classification);
    strcpy(copy->note, entry->note);
    copy->hashes = entry->hashes;
    return 0;
}

static inline void forget_entries(struct kept_entries *kept)
{
    free(kept->items);
    *kept = (struct kept_entries){0};
}

static inline struct list_entry entry_of(const struct kept_entry *kept)
{
    return (struct list_entry){.entry_id = kept->entry_id,
                               .hashes = kept->hashes,
                               .classification = kept->classification,
                               .note = kept->note};
}

/* Compares what counts: a value counts only when its bit is set. */
static inline bool same_hashes(const struct known_hashes *a, const struct known_hashes *b)
{
    char one[PDQ_HEX_SIZE];
    char other[PDQ_HEX_SIZE];

    if (a->kinds != b->kinds || a->pdq_quality != b->pdq_quality)
        return false;
    for (unsigned int kind = 0; kind < HASH_KIND_COUNT; kind++) {
        if ((a->kinds & HASH_BIT(kind)) == 0)
            continue;
        known_hashes_format(a, (enum hash_kind)kind, one);
        known_hashes_format(b, (enum hash_kind)kind, other);
        if (strcmp(one, other) != 0)
            return false;
    }
    return true;
}

static inline bool same_entry(const struct kept_entry *a, const struct kept_entry *b)
{
    return strcmp(a->entry_id, b->entry_id) == 0 && strcmp(a->classification, b->classification) == 0 &&
           strcmp(a->note, b->note) == 0 && same_hashes(&a->hashes, &b->hashes);
}

/* xorshift64*. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dU;
}

static inline unsigned int random_below(uint64_t *state, unsigned int limit)
{
    return (unsigned int)(random_next(state) >> 33) % limit;
}

/* Made-up hashes of the given kinds; quality unknown when there is no PDQ. */
static inline struct known_hashes random_hashes(uint64_t *state, unsigned int kinds)
{
    struct known_hashes hashes = {.kinds = kinds, .pdq_quality = -1};

    for (size_t i = 0; i < SHA256_SIZE; i++)
        hashes.sha256[i] = (uint8_t)random_next(state);
    for (size_t i = 0; i < SHA1_SIZE; i++)
        hashes.sha1[i] = (uint8_t)random_next(state);
    for (size_t i = 0; i < MD5_SIZE; i++)
        hashes.md5[i] = (uint8_t)random_next(state);
    for (size_t i = 0; i < 4; i++)
        hashes.pdq.words[i] = random_next(state);
    if ((kinds & HASH_BIT(HASH_PDQ)) != 0)
        hashes.pdq_quality = (int)random_below(state, 102) - 1;
    return hashes;
}

#endif
