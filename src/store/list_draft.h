/* A change of entries in the making, and its items one by one. */
#ifndef PRESCREEN_STORE_LIST_DRAFT_H
#define PRESCREEN_STORE_LIST_DRAFT_H

#include "prescreen/store/lists.h"

#include "sorter.h"

struct list_draft {
    struct list_store *store;
    struct sorter *items;         /* what was asked for, by entry_id */
    uint32_t list;                /* list_info.number */
    char name[LIST_NAME_MAX + 1]; /* of the list */
    enum list_change_mode mode;
    int fault; /* negative errno: only abandon is left */
    uint64_t upserts, removals;
    bool repeats; /* of items of one entry_id the one of the highest rank counts */
    bool copies;  /* an item that is as the one before is no second one */
    bool vouched; /* all of it bears the list's signature */
    bool sparing; /* no version for a change of nothing */
    /* With repeats: a copy of the next item, read ahead. */
    bool begun, ahead;
    uint32_t ahead_key_size, ahead_value_size;
    uint8_t ahead_key[ENTRY_ID_MAX + 1];
    uint8_t ahead_value[SORTER_VALUE_MAX];
    /* With repeats or copies: of the item that was given last. */
    uint32_t key_size, value_size;
    uint8_t key[ENTRY_ID_MAX + 1];
    uint8_t value[SORTER_VALUE_MAX];
};

/* One item, borrowed from the sorter. */
struct draft_item {
    const char *entry_id;
    bool removing;
    bool quiet;                             /* a removal of what is not there counts as nothing */
    bool is_copy;                           /* the same as the one before */
    const uint8_t *hashes[HASH_KIND_COUNT]; /* NULL where unknown; PDQ in the order of its hex text */
    int pdq_quality;
    const char *classification, *note;
    const uint8_t *views; /* as entry_views_pack() gives them, NULL when there are none */
    size_t views_size;
    uint64_t line;    /* of the file, 0 when there is none */
    uint64_t ordinal; /* among the upserts or the removals, from 1 */
};

/* Positive outcome of list_draft_next(). */
enum { DRAFT_ITEM = 1 };

/* Gives the next item in order of entry_id: DRAFT_ITEM, 0 at the end, a negative errno with diag. The first
 * call ends the gathering. */
int list_draft_next(struct list_draft *draft, struct draft_item *item, struct diag *diag);

#endif
