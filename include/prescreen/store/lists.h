/* Lists on disk: every change is one durable, numbered version; nothing that was ever on a list is forgotten.
 */
#ifndef PRESCREEN_STORE_LISTS_H
#define PRESCREEN_STORE_LISTS_H

#include "prescreen/base/diag.h"
#include "prescreen/config/config.h"
#include "prescreen/lists/entry.h"

#include <stdbool.h>
#include <stdint.h>

/* Positive outcomes. Each comes with a sentence in diag. */
enum list_store_outcome {
    LIST_STORE_NOT_FOUND = 1, /* no such list, entry or version */
    LIST_STORE_REFUSED,       /* a value outside the rules of entry.h */
    LIST_STORE_BUSY           /* another change held the store for longer than the wait */
};

struct list_properties {
    char name[LIST_NAME_MAX + 1];
    enum list_action action;
    char source[LIST_SOURCE_MAX + 1];
    unsigned int max_distance; /* bits, 0-LIST_DISTANCE_MAX */
};

struct list_info {
    struct list_properties properties;
    uint32_t number; /* identity of the list, small, never reused */
    uint64_t entries;
    uint64_t kinds[HASH_KIND_COUNT]; /* entries that carry each kind */
    uint64_t views;                  /* further hashes of entries */
    uint64_t created_us, updated_us; /* wall clock; updated_us moves with every import or entries call, also
                                        one that changed nothing: what its source says was taken in then */
    uint64_t version;                /* lists_version of its last change */
    uint64_t exempt, set_aside;      /* entries with these rulings: see rulings.h */
};

/* What a change did. */
struct list_change {
    uint64_t lists_version; /* in force after it */
    uint64_t added, changed, removed, unchanged;
    uint64_t forgotten; /* past entries that are no longer kept: see limits.history */
    uint64_t lapsed;    /* rulings that ended because their entry became another picture: see rulings.h */
};

enum { LIST_STORE_WAIT_MS = 5000 }; /* how long a call waits for a change of someone else to end */

struct list_store;

/* Opens FOLDER/lists.sqlite; when create is set, makes the folder (one level, 0700) and the file (0600) where
 * missing. Errors: -ENOENT without create, other negative errno; diag names the file. A store of a newer
 * layout is refused. Threads: every call below may be made from any thread, also from a callback of another
 * one; reading never waits for a change. Several processes may have it open. Ownership: *store is the
 * caller's. */
int list_store_open(const char *folder, bool create, struct list_store **store, struct diag *diag);
void list_store_close(struct list_store *store);

/* Holds every change from now on against what the configuration says of its list: the entries of one that is
 * signed change only by drafts that were vouched for. config is borrowed for the store's life. */
void list_store_guard(struct list_store *store, const struct config *config);

/* The version in force. Sees other processes' changes. Cost: some microseconds, no disk. */
int list_store_version(struct list_store *store, uint64_t *lists_version, struct diag *diag);

/* A number that is another one after every change of the store, also after one that makes no version. It
 * means nothing outside this process. Cost: as list_store_version(). */
int list_store_stamp(struct list_store *store, uint64_t *stamp, struct diag *diag);

/* As list_store_version(), and the newest of the versions known that were not made by a call of this store
 * but by another process. */
int list_store_foreign_version(struct list_store *store, uint64_t *lists_version, uint64_t *foreign,
                               struct diag *diag);

/* How many rows came after a version. LIST_STORE_NOT_FOUND: the store never had it. Cost as above. */
int list_store_count_since(struct list_store *store, uint64_t since, uint64_t *rows, struct diag *diag);

enum { LIST_STORE_MARK_SIZE = 64 };

/* What the history says of a version, so that it can be told from one of the same number in another store or
 * in a copy that went its own way. LIST_STORE_NOT_FOUND: there is no such version. */
int list_store_mark(struct list_store *store, uint64_t version, uint8_t mark[LIST_STORE_MARK_SIZE],
                    struct diag *diag);

/* Creates a list or changes its properties; what is as it was makes no new version. The names "." and ".."
 * are refused (no URL can carry them). who goes to the history (key name or "command line"), here and below.
 */
int list_store_put(struct list_store *store, const struct list_properties *properties, const char *who,
                   struct list_change *change, struct diag *diag);
int list_store_get(struct list_store *store, const char *name, struct list_info *info, struct diag *diag);
/* Takes every entry out of force and the list with them. A list made under the same name later is another
 * one, with another number. */
int list_store_delete(struct list_store *store, const char *name, const char *who, struct list_change *change,
                      struct diag *diag);

/* Calls on_list for each list in order of name; anything but 0 stops and is returned. */
int list_store_each(struct list_store *store, int (*on_list)(void *context, const struct list_info *info),
                    void *context, struct diag *diag);

/* Calls on_entry for each entry of a list in order of entry_id (bytes), as one consistent reading; anything
 * but 0 stops and is returned. */
int list_store_each_entry(struct list_store *store, const char *name, entry_sink *on_entry, void *context,
                          struct diag *diag);

/* A change of entries, gathered aside and then made at once or not at all: begin, upsert and remove, commit
 * or abandon. Gathering holds no lock; memory does not grow with the number of entries (what is gathered lies
 * in an unnamed file in the folder). Threads: one at a time for a draft. After a negative errno only abandon
 * is legal; after LIST_STORE_REFUSED it goes on without that entry. */
enum list_change_mode { LIST_MERGE, LIST_REPLACE }; /* REPLACE: what was not upserted is removed */
struct list_draft;
int list_draft_begin(struct list_store *store, const char *name, enum list_change_mode mode,
                     struct list_draft **draft, struct diag *diag);
/* From now on an entry_id may be named repeatedly: the item of the highest rank counts, of equals the last.
 */
void list_draft_allow_repeats(struct list_draft *draft);
/* A commit that changes no entry is to make no version: it only moves updated_us. For whoever asks a source
 * again and again, most often in vain: versions that say nothing would push out those that can be gone back
 * to. */
void list_draft_spare_versions(struct list_draft *draft);
/* From now on an entry_id may be named repeatedly by the same upsert: it is made once, and the others count
 * as unchanged.
 */
void list_draft_allow_copies(struct list_draft *draft);
/* The caller has checked that everything in the draft bears the signature of the list. */
void list_draft_vouch(struct list_draft *draft);
/* An upsert replaces the whole entry. LIST_STORE_REFUSED: the entry breaks list_entry_check(). That the draft
 * names an entry_id twice is found by the commit. */
int list_draft_upsert(struct list_draft *draft, const struct list_entry *entry, struct diag *diag);
/* Removing what is not there is no error; it counts as unchanged. LIST_STORE_REFUSED as above. */
int list_draft_remove(struct list_draft *draft, const char *entry_id, struct diag *diag);
/* As list_draft_remove(), of a given rank; what is not there counts as nothing. */
int list_draft_withdraw(struct list_draft *draft, const char *entry_id, uint64_t rank, struct diag *diag);
/* Tells what a commit at this moment would do, and changes nothing; lists_version is the one in force. Waits
 * for nobody. Frees the draft always. Outcomes as list_draft_commit(). */
int list_draft_preview(struct list_draft *draft, struct list_change *change, struct diag *diag);
/* Makes the change. Durable when it returns 0, nothing has happened otherwise: LIST_STORE_NOT_FOUND (the list
 * was deleted meanwhile), LIST_STORE_REFUSED (an entry_id is named twice; the sentence names both lines; or
 * the list takes signed files only), LIST_STORE_BUSY. who and what go to the history (key name or "command
 * line"; "import", "entries"). A new version, whether it changes anything or not, but for drafts that spare
 * them. Frees the draft always. */
int list_draft_commit(struct list_draft *draft, const char *who, const char *what, struct list_change *change,
                      struct diag *diag);
void list_draft_abandon(struct list_draft *draft);

/* One entry as it stood: row is its identity, never reused. */
struct stored_entry {
    uint64_t row;
    uint32_t list; /* list_info.number */
    char entry_id[ENTRY_ID_MAX + 1];
    char classification[CLASSIFICATION_MAX + 1];
};

/* Fetches what the index does not hold, also for an entry removed since. Cost: some microseconds; never waits
 * for a change. */
int list_store_get_row(struct list_store *store, uint64_t row, struct stored_entry *entry, struct diag *diag);

/* What changed after one version up to the version returned, as one consistent reading: every list that
 * exists in order of name, then removed rows, then added rows in ascending order, each followed by its views,
 * then the ruling about every row in force that has one, changed or not, in ascending order.
 * since = 0 gives everything that is in force. A changed entry is one removed and one added row. Anything but
 * 0 from a callback stops and is returned. LIST_STORE_NOT_FOUND: since is a version that this store never had
 * (an older copy was put in place), or one so old that what ended since is forgotten; begin again from 0. */
struct list_follower {
    void *context;
    int (*on_list)(void *context, const struct list_info *info);
    int (*on_removed)(void *context, uint64_t row);
    int (*on_added)(void *context, uint64_t row, uint32_t list, const struct known_hashes *hashes);
    int (*on_view)(void *context, uint64_t row, const struct entry_view *view); /* NULL: nobody asks */
    int (*on_ruling)(void *context, uint64_t row, enum entry_ruling ruling);    /* NULL: nobody asks */
};
int list_store_follow(struct list_store *store, uint64_t since, const struct list_follower *follower,
                      uint64_t *lists_version, struct diag *diag);

#endif
