/* The steps of a screening, in their order: exact lookup, examination, near lookup, decision, record, answer.
 * Each knows nothing of the others. */
#ifndef PRESCREEN_SCREEN_STEPS_H
#define PRESCREEN_SCREEN_STEPS_H

#include "prescreen/screen/screener.h"

#include <jansson.h>

struct screener {
    struct screener_parts parts;
};

/* What the screenings of one request share. Everything is borrowed. */
struct screening_job {
    const struct screener *screener;
    const struct screening_request *request;
    const struct config_profile *profile;
    const struct policy_rules *rules; /* of the profile for the request's audience */
    const struct catalog_reading *reading;
    bool stale; /* some list is past its age, and the profile goes on all the same */
};

/* One entry found, in the nearest way. */
struct finding {
    uint64_t row;
    const struct list_info *list; /* of the reading */
    enum entry_ruling ruling;
    enum hash_kind kind;
    unsigned int distance; /* bits; 0 for a digest */
    enum orientation orientation;
    enum view view;       /* of the upload */
    enum view entry_view; /* of the entry */
    uint32_t frame;
    enum verdict
        asks; /* set by screening_decide(): what it asks for by itself, where the verdict is report */
    bool
        is_allowance; /* stands for a frame that a known-good entry is near to: to decide with, not to show */
};

/* Everything found for one screening: each row once, allowances aside. */
struct findings {
    struct finding *rows; /* owned */
    size_t count;
    size_t capacity;
    uint64_t total; /* also what was left out past the caps */
};

/* Begins what the screenings of a request share: profile, newest lists, their age. On 0 the caller ends it
 * with screening_end_job(). Outcomes: SCREENER_NO_PROFILE, SCREENER_STALE_LISTS; negative errno when the
 * store cannot be read. */
int screening_begin_job(const struct screener *screener, const struct screening_request *request,
                        struct screening_job *job, struct diag *diag);
void screening_end_job(struct screening_job *job);

/* Looks for the earlier answer to a request with an idempotency key, which stands for call and content. On 0
 * *idempotent is storage, filled, when there is a key to remember, else NULL. Outcomes: SCREENER_REPEATED
 * with *answer, SCREENER_CONFLICT. */
int screening_find_earlier(const struct screener *screener, const struct screening_request *request,
                           const char *call, const void *content, size_t size,
                           struct idempotent_request *storage, const struct idempotent_request **idempotent,
                           char **answer, struct diag *diag);

/* Begins one screening: identifier, time, policy. Errors: negative errno. */
int screening_begin(const struct screening_job *job, struct screening *screening, struct diag *diag);

/* Looks up, decides and describes one screening whose hashes are known. examination is NULL for hashes that a
 * caller made. */
int screening_conclude(const struct screening_job *job, const struct examination *examination,
                       reason_set media, struct screening *screening, struct diag *diag);

/* Tells the observer. */
void screening_announce(const struct screening_job *job, const struct screening *screening);

/* Frees what a screening owns. */
void screening_clear(struct screening *screening);

/* Serialises and releases object (NULL: -ENOMEM). */
int screening_dump(json_t *object, char **answer, struct diag *diag);

void findings_clear(struct findings *findings);

/* Looks the digests of hashes up. Errors: -ENOMEM. */
int findings_look_up_exact(const struct screening_job *job, const struct known_hashes *hashes,
                           struct findings *findings);

/* One perceptual hash to look up, and where in the upload it came from. */
struct view_query {
    struct pdq_hash hash;
    enum orientation orientation;
    enum view view;
    uint32_t frame;
};

/* Looks perceptual hashes up: those of the main view among the entries' own at each list's max_distance; the
 * others, and all of them among the hashes of entries' views, at the profile's view_radius where that is
 * smaller. Queries of one frame follow each other; a row that is near to several frames is found in one where
 * no known-good entry overrules it, if there is one. Findings past the caps are never the strictest: every
 * action keeps its own nearest, those of exempt entries not counted. Errors: -ENOMEM. */
int findings_look_up_near(const struct screening_job *job, const struct view_query *queries, size_t count,
                          struct findings *findings);

/* Nearest first: digests, then by distance, list and row. */
void findings_sort(struct findings *findings);

/* What is known of an upload's content, and under what it is kept. */
struct examined {
    struct examination *examination; /* owned */
    struct examination_key key;
    bool cached;        /* it was known */
    unsigned int kinds; /* of the upload's digests that were known then */
};

/* Finds the upload in the cache, which may add to its digests, or has a worker examine it. Uploads of the
 * same bytes that come at once are each examined: that costs a job a worker at most, and nobody waits for
 * another's job. On 0 the caller frees examined->examination. Outcomes: SCREENER_BUSY; -ESHUTDOWN, -ENOMEM.
 */
int screening_examine(const struct screener *screener, struct upload *upload, enum effort effort,
                      struct examined *examined, struct diag *diag);

/* Keeps what is new in it for the next upload of the same bytes. */
void screening_keep(const struct screener *screener, const struct upload *upload,
                    const struct examined *examined);

/* Makes sure that the digests in kinds are known. Errors: negative errno with diag. */
int screening_complete_digests(struct upload *upload, unsigned int kinds, struct diag *diag);

/* Turns sorted findings and the media reasons into verdict and reasons. Errors: -ENOMEM. */
int screening_decide(const struct screening_job *job, struct findings *findings, reason_set media,
                     struct screening *screening);

/* Gives the screening its matches to be shown, with what only the store knows. Errors: negative errno with
 * diag. */
int screening_describe_matches(const struct screening_job *job, const struct findings *findings,
                               struct screening *screening, struct diag *diag);

/* Gives the screening the entries that its report rests on, to be counted with its record: at most as many as
 * are shown, the nearest. Errors: negative errno with diag. */
int screening_collect_hits(const struct screening_job *job, const struct findings *findings,
                           struct screening *screening, struct diag *diag);

/* Whether so many matches in a window are a flood, for an entry that usually has so many. */
bool flood_exceeds(const struct config_limits *limits, uint64_t recent, double usual);

/* Sets the entries aside that are flooding, after the screenings have been recorded, and tells the observer.
 */
void screening_watch_flood(const struct screening_job *job, const struct screening *const *screenings,
                           size_t count);

/* Whether the screening is to be on disk before it is answered. */
bool screening_must_be_recorded(const struct screening_job *job, const struct screening *screening);

/* Adds the records of those of count screenings that need one, and the answer of an idempotent request, in
 * one durable transaction. Outcomes: SCREENER_REPEATED with *first_answer, SCREENER_CONFLICT,
 * SCREENER_NOT_RECORDED. */
int screening_record(const struct screening_job *job, const struct screening *const *screenings,
                     const char *const *content_ids, size_t count,
                     const struct idempotent_request *idempotent, const char *answer, char **first_answer,
                     struct diag *diag);

/* JSON values of a screening; new references, NULL when memory is short. */
json_t *screening_to_json(const struct screening *screening);
json_t *screening_reasons_to_json(const struct screening *screening);
json_t *screening_matches_to_json(const struct screening *screening);
json_t *screening_media_to_json(const struct screening_media *media);
json_t *screening_hashes_to_json(const struct known_hashes *hashes);

#endif
