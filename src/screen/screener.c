#include "prescreen/screen/screener.h"

#include "prescreen/base/bug.h"
#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"
#include "prescreen/hash/digest.h"

#include "steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int screener_create(const struct screener_parts *parts, struct screener **screener)
{
    struct screener *created = calloc(1, sizeof *created);

    if (created == NULL)
        return -ENOMEM;
    created->parts = *parts;
    *screener = created;
    return 0;
}

void screener_free(struct screener *screener)
{
    free(screener);
}

unsigned int screener_digest_kinds(const struct screener *screener)
{
    struct catalog *catalog = screener->parts.catalog;
    unsigned int kinds = HASH_BIT(HASH_SHA256);

    if (catalog == NULL)
        return kinds;
    const struct catalog_reading *reading = catalog_acquire(catalog);
    kinds |= reading->digest_kinds;
    catalog_release(catalog, reading);
    return kinds;
}

/* What is known of the upload's digests by now, and what they took. */
static void take_digests(const struct upload *upload, struct screening *screening)
{
    const struct known_hashes *known = &upload->hashes;
    struct known_hashes *hashes = &screening->hashes;

    hashes->kinds = (hashes->kinds & HASH_BIT(HASH_PDQ)) | (known->kinds & UPLOAD_DIGESTS);
    memcpy(hashes->md5, known->md5, sizeof hashes->md5);
    memcpy(hashes->sha1, known->sha1, sizeof hashes->sha1);
    memcpy(hashes->sha256, known->sha256, sizeof hashes->sha256);
    screening->timing.digest_us = upload->digest_us;
}

static void take_examination(const struct upload *upload, const struct examined *examined,
                             struct screening *screening)
{
    const struct examination *examination = examined->examination;
    const struct examined_view *main_view = examination_main_view(examination);

    screening->has_media = true;
    screening->media = (struct screening_media){.format = examination->format,
                                                .width = examination->width,
                                                .height = examination->height,
                                                .frames = examination->frames,
                                                .bytes = upload->size,
                                                .trailing = examination->trailing,
                                                .trailing_bytes = examination->trailing_bytes};
    screening->hashes.kinds = 0;
    screening->hashes.pdq_quality = -1;
    if (main_view != NULL) {
        screening->hashes.kinds = HASH_BIT(HASH_PDQ);
        screening->hashes.pdq = main_view->hashes[ORIENTATION_ORIGINAL];
        screening->hashes.pdq_quality = (int)main_view->quality;
    }
    take_digests(upload, screening);
    memcpy(screening->detail, examination->detail, sizeof screening->detail);
    screening->timing.receive_us = upload->receive_us;
    screening->timing.decode_us = examination->decode_us;
    screening->timing.cached = examined->cached;
}

/* A picture that was seen but whose main view tells too little, or that is too small for a hash, cannot be
 * near-matched. */
static reason_set media_reasons(const struct policy_rules *rules, const struct examination *examination)
{
    const struct examined_view *main_view = examination_main_view(examination);

    if (main_view != NULL ? main_view->quality < rules->quality_floor : examination->reasons == 0)
        return examination->reasons | REASON_BIT(REASON_MEDIA_LOW_QUALITY);
    return examination->reasons;
}

/* Looks up every view that has enough to tell, all eight ways. */
static int look_up_views(const struct screening_job *job, const struct examination *examination,
                         struct findings *findings)
{
    size_t count = 0;
    struct view_query *queries =
        calloc((size_t)examination->view_count * ORIENTATION_COUNT + 1, sizeof *queries);

    if (queries == NULL)
        return -ENOMEM;
    for (uint32_t v = 0; v < examination->view_count; v++) {
        const struct examined_view *view = &examination->views[v];
        if (view->quality < job->rules->quality_floor)
            continue;
        for (int turn = 0; turn < ORIENTATION_COUNT; turn++)
            queries[count++] = (struct view_query){.hash = view->hashes[turn],
                                                   .orientation = (enum orientation)turn,
                                                   .view = (enum view)view->view,
                                                   .frame = view->frame};
    }
    int result = findings_look_up_near(job, queries, count, findings);
    free(queries);
    return result;
}

/* The bits alone: the caller's hash as it is. */
static int look_up_hash(const struct screening_job *job, const struct known_hashes *hashes,
                        struct findings *findings)
{
    struct view_query query = {.hash = hashes->pdq};

    if ((hashes->kinds & HASH_BIT(HASH_PDQ)) == 0)
        return 0;
    if (hashes->pdq_quality >= 0 && (unsigned int)hashes->pdq_quality < job->rules->quality_floor)
        return 0;
    return findings_look_up_near(job, &query, 1, findings);
}

/* Looks up, decides and describes one screening whose hashes are known. examination is NULL for hashes that a
 * caller made. */
int screening_conclude(const struct screening_job *job, const struct examination *examination,
                       reason_set media, struct screening *screening, struct diag *diag)
{
    struct findings findings = {0};
    uint64_t before_us = clock_monotonic_us();
    int result = findings_look_up_exact(job, &screening->hashes, &findings);

    if (result == 0)
        result = examination != NULL ? look_up_views(job, examination, &findings)
                                     : look_up_hash(job, &screening->hashes, &findings);
    if (result == 0) {
        findings_sort(&findings);
        result = screening_decide(job, &findings, media, screening);
    }
    if (result != 0)
        diag_set(diag, "no memory to look the upload up");
    if (result == 0)
        result = screening_describe_matches(job, &findings, screening, diag);
    if (result == 0)
        result = screening_collect_hits(job, &findings, screening, diag);
    findings_clear(&findings);
    screening->timing.match_us = clock_monotonic_us() - before_us;
    return result;
}

void screening_clear(struct screening *screening)
{
    free(screening->matches);
    free(screening->hits);
    screening->matches = NULL;
    screening->hits = NULL;
}

void screening_announce(const struct screening_job *job, const struct screening *screening)
{
    const struct screener_parts *parts = &job->screener->parts;

    if (parts->on_screening != NULL)
        parts->on_screening(parts->on_screening_context, screening);
}

int screening_dump(json_t *object, char **answer, struct diag *diag)
{
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);

    json_decref(object);
    if (text == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the answer");
    *answer = text;
    return 0;
}

/* Records, then answers. An idempotent answer is stored as it is given; any other learns how long its record
 * took. */
static int record_and_answer(const struct screening_job *job, struct screening *screening,
                             uint64_t started_us, const struct idempotent_request *idempotent, char **answer,
                             struct diag *diag)
{
    const struct screening *const screenings[] = {screening};
    const char *const content_ids[] = {job->request->content_id};
    uint64_t before_us = clock_monotonic_us();
    char *text = NULL;
    int result = 0;

    screening->timing.total_us = screening->timing.receive_us + before_us - started_us;
    if (idempotent != NULL)
        result = screening_dump(screening_to_json(screening), &text, diag);
    if (result == 0)
        result = screening_record(job, screenings, content_ids, 1, idempotent, text, answer, diag);
    if (result == 0 && idempotent == NULL) {
        screening->timing.record_us = clock_monotonic_us() - before_us;
        screening->timing.total_us += screening->timing.record_us;
        result = screening_dump(screening_to_json(screening), &text, diag);
    }
    if (result != 0) {
        free(text);
        return result;
    }
    screening_announce(job, screening);
    screening_watch_flood(job, screenings, 1);
    *answer = text;
    return 0;
}

/* Looks up and decides, with the digests that lists need for it, and then all that its record or answer
 * shows. */
static int judge_upload(const struct screening_job *job, struct upload *upload,
                        const struct examined *examined, bool shown, struct screening *screening,
                        struct diag *diag)
{
    const struct examination *examination = examined->examination;
    int result = screening_complete_digests(upload, job->reading->digest_kinds, diag);

    if (result != 0)
        return result;
    take_examination(upload, examined, screening);
    result = screening_conclude(job, examination, media_reasons(job->rules, examination), screening, diag);
    if (result == 0 && (shown || screening_must_be_recorded(job, screening)))
        result = screening_complete_digests(upload, UPLOAD_DIGESTS, diag);
    take_digests(upload, screening);
    return result;
}

static int screen_upload(const struct screening_job *job, struct upload *upload,
                         const struct idempotent_request *idempotent, char **answer, struct diag *diag)
{
    uint64_t started_us = clock_monotonic_us();
    struct examined examined;
    struct screening screening;
    int result = screening_begin(job, &screening, diag);

    if (result == 0)
        result = screening_examine(job->screener, upload, job->rules->effort, &examined, diag);
    if (result != 0)
        return result;
    result =
        judge_upload(job, upload, &examined, job->request->detailed || idempotent != NULL, &screening, diag);
    screening_keep(job->screener, upload, &examined);
    if (result == 0)
        result = record_and_answer(job, &screening, started_us, idempotent, answer, diag);
    screening_clear(&screening);
    free(examined.examination);
    return result;
}

int screener_screen(struct screener *screener, struct upload *upload, const struct screening_request *request,
                    char **answer, struct diag *diag)
{
    struct idempotent_request storage;
    const struct idempotent_request *idempotent = NULL;
    struct screening_job job;
    int result = screening_find_earlier(screener, request, "screen", upload->hashes.sha256, SHA256_SIZE,
                                        &storage, &idempotent, answer, diag);

    if (result == 0)
        result = screening_begin_job(screener, request, &job, diag);
    if (result != 0)
        return result;
    result = screen_upload(&job, upload, idempotent, answer, diag);
    screening_end_job(&job);
    return result;
}

int screener_hash(struct screener *screener, struct upload *upload, const char *request_id, char **answer,
                  struct diag *diag)
{
    struct examined examined;
    struct screening screening = {0};
    int result = screening_examine(screener, upload, EFFORT_FAST, &examined, diag);

    if (result != 0)
        return result;
    result = screening_complete_digests(upload, UPLOAD_DIGESTS, diag);
    screening_keep(screener, upload, &examined);
    take_examination(upload, &examined, &screening);
    screening.reasons = examined.examination->reasons;
    free(examined.examination);
    if (result != 0)
        return result;
    json_t *object = json_pack(
        "{s:s, s:b, s:o, s:o, s:o}", "request_id", request_id, "complete", screening.reasons == 0 ? 1 : 0,
        "reasons", screening_reasons_to_json(&screening), "media", screening_media_to_json(&screening.media),
        "hashes", screening_hashes_to_json(&screening.hashes));
    return screening_dump(object, answer, diag);
}
