/* The way of an upload from bytes to a recorded verdict. HTTP and the command line both stand on this. */
#ifndef PRESCREEN_SCREEN_SCREENER_H
#define PRESCREEN_SCREEN_SCREENER_H

#include "prescreen/base/diag.h"
#include "prescreen/base/uuid.h"
#include "prescreen/config/config.h"
#include "prescreen/screen/catalog.h"
#include "prescreen/screen/upload.h"
#include "prescreen/store/records.h"
#include "prescreen/worker/decoders.h"
#include "prescreen/worker/examination_cache.h"

#include <stdbool.h>
#include <stdint.h>

enum { SCREENING_MATCHES_MAX = 100, MATCH_ITEMS_MAX = 1000 };

/* One entry that the upload matched: the nearest way in which it did. */
struct screening_match {
    char list[LIST_NAME_MAX + 1];
    char entry_id[ENTRY_ID_MAX + 1];
    char classification[CLASSIFICATION_MAX + 1];
    enum list_action action;
    enum entry_ruling ruling; /* about the entry */
    enum hash_kind kind;
    unsigned int distance; /* bits; 0 for a digest */
    enum orientation orientation;
    enum view view;       /* of the upload */
    enum view entry_view; /* of the entry: VIEW_MAIN or one that it was enrolled with */
    uint32_t frame;
};

struct screening_media {
    enum media_format format;
    uint32_t width, height, frames;
    uint64_t bytes;
    enum trailing_data trailing;
    uint64_t trailing_bytes; /* after the end of the picture */
};

struct screening_timing {
    uint64_t receive_us, digest_us, decode_us, match_us, record_us, total_us;
    bool cached; /* nothing was decoded: the same bytes had been examined before */
};

/* Everything that one screening found and decided. */
struct screening {
    char screening_id[UUID_TEXT_SIZE];
    uint64_t at_us; /* wall clock */
    enum verdict verdict;
    bool complete;
    reason_set reasons;
    struct screening_match *matches; /* nearest first, at most SCREENING_MATCHES_MAX */
    size_t match_count;
    uint64_t match_total;    /* entries that matched, also those past the cap */
    struct record_hit *hits; /* entries that a report rests on */
    size_t hit_count;
    bool has_media; /* false for items of /v1/match */
    struct screening_media media;
    struct known_hashes hashes;
    char profile[CONFIG_NAME_MAX + 1];
    enum audience audience;
    char policy_version[17];
    uint64_t lists_version;
    struct screening_timing timing;
    bool stale_lists; /* made with lists past the profile's max_list_age: it has stale_lists: serve */
    char detail[128]; /* the decoder's own words, for the log */
};

/* Who asks and under which policy. All texts borrowed, "" = absent. */
struct screening_request {
    const char *profile;
    enum audience audience;
    const char *content_id;  /* at most REFERENCE_MAX bytes, printable UTF-8: the caller has checked */
    const char *account_ref; /* the same */
    const char *key_name;
    const char *request_id;
    const char *idempotency_key; /* at most IDEMPOTENCY_KEY_MAX bytes */
    bool detailed; /* the answer will be shown with its hashes: an upload's are all to be in it */
};

/* One item of /v1/match. */
struct match_item {
    struct known_hashes hashes;
    const char *content_id; /* "" = the request's */
};

/* The items of one call, and the body that carried them: an idempotency key stands for these bytes. */
struct match_call {
    const struct match_item *items;
    size_t count; /* 1-MATCH_ITEMS_MAX */
    const void *body;
    size_t body_size;
};

/* Positive outcomes; each comes with a sentence in diag that is fit for the caller. */
enum screener_outcome {
    SCREENER_REPEATED = 1, /* the idempotency key has an answer: it is in *answer */
    SCREENER_CONFLICT,     /* the idempotency key was used with other bytes or parameters */
    SCREENER_NO_PROFILE,   /* no such profile */
    SCREENER_BUSY,         /* no worker came free in time: try again later */
    SCREENER_STALE_LISTS,  /* lists older than the profile's max_list_age, or none */
    SCREENER_NOT_RECORDED  /* the record could not be made durable, so there is no verdict */
};

/* The flood guard set entries of a list aside, or could not. */
struct flood_event {
    const char *list;
    uint64_t entries;
    bool failed;
    const char *detail; /* how many matches, or what failed */
};

struct screener_parts {
    const struct config *config; /* all borrowed for the screener's life */
    struct decoders *decoders;
    struct examination_cache *cache; /* of these decoders' findings; NULL: nothing is kept */
    struct catalog *catalog;
    struct list_store *list_store;
    struct record_store *record_store; /* NULL: nothing is recorded (a trial on the command line) */
    /* Told of every screening that came to a verdict, after its record; on the caller's thread; may be NULL.
     */
    void (*on_screening)(void *context, const struct screening *screening);
    /* Told of a flood, in the same way. */
    void (*on_flood)(void *context, const struct flood_event *event);
    void *on_screening_context; /* of both */
};

struct screener;

int screener_create(const struct screener_parts *parts, struct screener **screener);
void screener_free(struct screener *screener);

/* The digests that an upload which begins now should be given as its bytes arrive: those that entries of
 * lists carry. Whatever else turns out to be needed is computed later. Threads: any. */
unsigned int screener_digest_kinds(const struct screener *screener);

/* Screens one finished upload. 0 and SCREENER_REPEATED: *answer is the full JSON answer (compact, UTF-8, the
 * caller's to free()). Any other outcome or a negative errno: *answer untouched. Every screening that must be
 * on disk is on disk when this returns: all but those that are allowed without any reason, and those too when
 * the profile says so. The answer to a request with an idempotency key is stored before it is given, so its
 * timing_us has no record part. The upload gains the digests that are needed. Threads: any. */
int screener_screen(struct screener *screener, struct upload *upload, const struct screening_request *request,
                    char **answer, struct diag *diag);

/* Screens hashes that the caller made. *answer is {"results":[…]} in the order of items. Outcomes as above.
 */
int screener_match(struct screener *screener, const struct match_call *call,
                   const struct screening_request *request, char **answer, struct diag *diag);

/* Media and hashes of an upload; nothing is matched or recorded. Outcomes: SCREENER_BUSY. */
int screener_hash(struct screener *screener, struct upload *upload, const char *request_id, char **answer,
                  struct diag *diag);

/* The verdict of an answer, read from its JSON text. For ?respond=status and repeats. Errors: -EINVAL. */
int screening_answer_verdict(const char *answer, enum verdict *verdict);

/* The same answer without what only a key with the right detail may see (hashes and matches). The caller's to
 * free(); NULL on -ENOMEM. */
char *screening_answer_redact(const char *answer);

#endif
