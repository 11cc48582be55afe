/* The record of screenings: rows that are only ever added, and the first answers of idempotent requests. */
#ifndef PRESCREEN_STORE_RECORDS_H
#define PRESCREEN_STORE_RECORDS_H

#include "prescreen/base/diag.h"
#include "prescreen/base/uuid.h"
#include "prescreen/base/vocabulary.h"
#include "prescreen/hash/hashes.h"
#include "prescreen/lists/entry.h"

#include <stdbool.h>
#include <stdint.h>

enum { REFERENCE_MAX = 256, IDEMPOTENCY_KEY_MAX = 128, IDEMPOTENCY_LIFE_HOURS = 24 };

/* Positive outcomes. */
enum record_store_outcome {
    RECORD_NOT_FOUND = 1,
    RECORD_REPEATED, /* this idempotency key has an answer already; nothing was added; the first answer is
                        given */
    RECORD_CONFLICT  /* this idempotency key was used with other bytes or parameters; nothing was added */
};

/* An entry that a verdict rests on. It is counted with the record: how often it matched lately, each source
 * once a window, and how often it does otherwise. */
#define RECORD_HIT_WINDOW_MAX_US (7 * UINT64_C(86400000000))
struct record_hit {
    uint32_t list; /* list_info.number */
    char entry_id[ENTRY_ID_MAX + 1];
    uint64_t recent; /* set when the record is added: within the last window, this one included */
    double usual;    /* set as well: in an average window before, of about the last 24 */
};

/* One screening. All texts borrowed, terminated, "" = absent; JSON texts are compact. */
struct screening_record {
    const char *screening_id;
    uint64_t at_us; /* wall clock */
    enum verdict verdict;
    bool complete;
    const char *reasons_json;
    const char *matches_json;
    const char *media_json;
    const char *hashes_json;
    const char *profile;
    enum audience audience;
    const char *policy_version;
    uint64_t lists_version;
    const char *content_id;
    const char *account_ref;
    const char *key_name; /* of the caller */
    const char *request_id;
    struct record_hit *hits; /* written to by record_store_add() */
    size_t hit_count;
    const char *hit_source; /* what they are counted under; not empty when there are hits */
    uint64_t hit_window_us; /* 1-RECORD_HIT_WINDOW_MAX_US when there are hits */
};

/* An idempotent request: same caller, same key, same fingerprint -> same answer for 24 h. */
struct idempotent_request {
    const char *key_name;
    const char *idempotency_key;
    uint8_t fingerprint[SHA256_SIZE]; /* of bytes and parameters */
};

struct record_store;

enum {
    RECORD_STORE_WAIT_MS = 5000,       /* how long an add waits for its turn */
    RECORD_TEXT_MAX = 64 * 1024 * 1024 /* bytes of one text of a record or answer */
};

/* Opens FOLDER/records.sqlite (WAL, synchronous=FULL); makes the folder (one level, 0700) and the file (0600)
 * where missing. A store of a newer layout is refused. Errors: negative errno; diag names the file. Threads:
 * any; concurrent adds share one flush, reading does not wait for them. Several processes may have it open.
 * Ownership: *store is the caller's. */
int record_store_open(const char *folder, struct record_store **store, struct diag *diag);
void record_store_close(struct record_store *store);

/* Adds any number of records (0 when only the request is to be remembered), for a report verdict also its row
 * of the outbox, and, when request is given, its answer (JSON text): all in one transaction that is on disk
 * when this returns 0. RECORD_REPEATED: *first_answer is the stored text, the caller's to free(). Errors:
 * negative errno with diag, nothing was added: -EEXIST a screening_id is there already, -EINVAL a text that
 * must be JSON is not, -EBUSY no turn within the wait, -ENOSPC, -EIO … of the disk. */
int record_store_add(struct record_store *store, const struct screening_record *records, unsigned int count,
                     const struct idempotent_request *request, const char *answer, char **first_answer,
                     struct diag *diag);

/* Looks an idempotent request up: 0 = unknown, RECORD_REPEATED with the answer (the caller's to free()),
 * RECORD_CONFLICT. */
int record_store_find_answer(struct record_store *store, const struct idempotent_request *request,
                             char **first_answer, struct diag *diag);

/* Makes one durable write that leaves nothing behind: 0 when the record can be kept at this moment. */
int record_store_probe(struct record_store *store, struct diag *diag);

/* Forgets answers older than their life. Cost: by the number forgotten; call now and then. */
int record_store_forget_answers(struct record_store *store, uint64_t now_us, struct diag *diag);

/* Forgets what no longer tells anything of how often entries match. Cost: by the number forgotten. */
int record_store_forget_hits(struct record_store *store, uint64_t now_us, struct diag *diag);

/* Gives one record as a JSON object text, the caller's to free(). Its members are those of screening_record
 * without "_json", "at" (RFC 3339) instead of at_us; what is absent is null. RECORD_NOT_FOUND when there is
 * none. */
int record_store_get(struct record_store *store, const char *screening_id, char **json, struct diag *diag);

#endif
