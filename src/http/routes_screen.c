/* POST /v1/screen and POST /v1/hash: an upload, raw or in a form. */
#include "prescreen/base/text.h"
#include "prescreen/screen/upload.h"

#include "handlers.h"
#include "multipart.h"
#include "screening_call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an upload can be accompanied by, in the query or as parts of the form. */
enum field { FIELD_PROFILE, FIELD_AUDIENCE, FIELD_CONTENT_ID, FIELD_ACCOUNT_REF, FIELD_COUNT };

static const char *const field_names[FIELD_COUNT] = {"profile", "audience", "content_id", "account_ref"};
static const char *const field_defaults[FIELD_COUNT] = {"default", "unknown", "", ""};

enum {
    FIELD_VALUE_MAX = REFERENCE_MAX,
    PART_NONE = -1,
    PART_FILE = FIELD_COUNT,
    PART_UNKNOWN,
    PART_NAME_SHOWN = 64
};

struct field_value {
    bool given;
    size_t size;
    char text[FIELD_VALUE_MAX + 1];
};

struct upload_work {
    struct upload *upload;
    struct multipart *multipart; /* NULL: the body is the upload */
    struct request *request;
    int part; /* of the form that is coming in: a field, PART_FILE, PART_UNKNOWN or PART_NONE */
    char unknown[PART_NAME_SHOWN + 1]; /* name of the first part that has no meaning here, cut */
    bool takes_fields;
    bool has_file;
    bool by_status;
    enum audience audience;
    const char *idempotency_key;
    struct field_value fields[FIELD_COUNT];
};

/* Judges a field once it is whole. */
static enum problem check_field(struct upload_work *work, int field)
{
    struct request *request = work->request;
    const struct field_value *value = &work->fields[field];

    /* A value with a NUL byte in it would be another one to whoever reads it as text. */
    if (strlen(value->text) != value->size)
        return problem_fail(&request->diag, PROBLEM_MALFORMED, "%s holds a NUL byte", field_names[field]);
    switch (field) {
    case FIELD_PROFILE:
        return screening_check_profile(request, value->text);
    case FIELD_AUDIENCE:
        return screening_read_audience(value->text, &work->audience, &request->diag);
    default:
        return screening_check_reference(field_names[field], value->text, &request->diag);
    }
}

static enum problem append_to_field(struct upload_work *work, int field, const char *data, size_t size)
{
    struct field_value *value = &work->fields[field];

    if (size > FIELD_VALUE_MAX - value->size)
        return problem_fail(&work->request->diag, PROBLEM_MALFORMED, "%s has more than %d bytes",
                            field_names[field], FIELD_VALUE_MAX);
    memcpy(value->text + value->size, data, size);
    value->size += size;
    return PROBLEM_NONE;
}

static enum problem append_to_upload(struct upload_work *work, const void *data, size_t size)
{
    struct request *request = work->request;
    int result = upload_append(work->upload, data, size);

    switch (result) {
    case 0:
        return PROBLEM_NONE;
    case -EFBIG:
        return problem_fail(&request->diag, PROBLEM_TOO_LARGE, "the upload may have at most %llu bytes",
                            (unsigned long long)request->service->parts.config->limits.body_bytes);
    case -ENOMEM:
    case -ENOSPC:
        return problem_fail(&request->diag, PROBLEM_BUSY, "no memory for the upload");
    default:
        return problem_fail(&request->diag, PROBLEM_INTERNAL, "the upload could not be kept: %s",
                            strerror(-result));
    }
}

/* The part before is whole now. */
static enum problem end_part(struct upload_work *work)
{
    return work->part >= 0 && work->part < FIELD_COUNT ? check_field(work, work->part) : PROBLEM_NONE;
}

static enum problem on_part(void *context, const char *name, struct diag *diag)
{
    struct upload_work *work = context;
    enum problem problem = end_part(work);

    if (problem != PROBLEM_NONE)
        return problem;
    if (strcmp(name, "file") == 0) {
        if (work->has_file)
            return problem_fail(diag, PROBLEM_MALFORMED, "the form has two parts named file");
        work->has_file = true;
        work->part = PART_FILE;
        return PROBLEM_NONE;
    }
    for (int field = 0; field < FIELD_COUNT && work->takes_fields; field++) {
        if (strcmp(name, field_names[field]) != 0)
            continue;
        if (work->fields[field].given)
            return problem_fail(diag, PROBLEM_MALFORMED, "%s is given twice", name);
        work->fields[field].given = true;
        work->part = field;
        return PROBLEM_NONE;
    }
    /* Refused at the end: whether the file is there as well decides how. */
    if (work->unknown[0] == '\0')
        snprintf(work->unknown, sizeof work->unknown, "%s", name[0] == '\0' ? "(no name)" : name);
    work->part = PART_UNKNOWN;
    return PROBLEM_NONE;
}

static enum problem on_part_data(void *context, const void *data, size_t size, struct diag *diag)
{
    struct upload_work *work = context;

    (void)diag; /* it is the request's, which append_to_…() knows */
    /* An unknown part counts as upload, so that it has the same limit; nobody will look at it. */
    return work->part == PART_FILE || work->part == PART_UNKNOWN
               ? append_to_upload(work, data, size)
               : append_to_field(work, work->part, data, size);
}

static enum problem read_query(struct upload_work *work)
{
    struct request *request = work->request;
    const char *respond = target_find(&request->target, "respond");

    for (int field = 0; field < FIELD_COUNT; field++) {
        const char *value = target_find(&request->target, field_names[field]);
        if (value == NULL)
            continue;
        work->fields[field].given = true;
        enum problem problem = append_to_field(work, field, value, strlen(value));
        if (problem == PROBLEM_NONE)
            problem = check_field(work, field);
        if (problem != PROBLEM_NONE)
            return problem;
    }
    if (respond != NULL && strcmp(respond, "status") != 0)
        return problem_fail(&request->diag, PROBLEM_MALFORMED, "respond can only be status");
    work->by_status = respond != NULL;
    return PROBLEM_NONE;
}

static enum problem begin_upload(struct request *request, bool takes_fields)
{
    const struct http_server_parts *parts = &request->service->parts;
    struct upload_work *work = calloc(1, sizeof *work);
    const struct multipart_sink sink = {.on_part = on_part, .on_data = on_part_data, .context = work};

    if (work == NULL || upload_create(parts->config->limits.body_bytes,
                                      screener_digest_kinds(parts->screener), &work->upload) != 0) {
        free(work);
        return problem_fail(&request->diag, PROBLEM_BUSY, "no memory for the upload");
    }
    request->work = work;
    work->request = request;
    work->part = PART_NONE;
    work->takes_fields = takes_fields;
    work->audience = AUDIENCE_UNKNOWN;
    if (head_is_form(&request->head))
        return multipart_create(request->head.fields[HEAD_CONTENT_TYPE], &sink, &work->multipart,
                                &request->diag);
    return PROBLEM_NONE;
}

enum problem screen_begin(struct request *request)
{
    enum problem problem = begin_upload(request, true);
    struct upload_work *work = request->work;

    if (problem == PROBLEM_NONE)
        problem = read_query(work);
    if (problem == PROBLEM_NONE)
        problem = screening_read_key(request, &work->idempotency_key);
    return problem;
}

enum problem hash_begin(struct request *request)
{
    return begin_upload(request, false);
}

enum problem upload_take(struct request *request, const void *data, size_t size)
{
    struct upload_work *work = request->work;

    return work->multipart != NULL ? multipart_feed(work->multipart, data, size, &request->diag)
                                   : append_to_upload(work, data, size);
}

/* What the form was made of. */
static enum problem judge_parts(struct upload_work *work)
{
    struct diag *diag = &work->request->diag;

    if (!work->has_file && work->unknown[0] != '\0')
        return problem_fail(diag, PROBLEM_NO_FILE, "send the bytes in a part named file, not \"%s\"",
                            work->unknown);
    if (!work->has_file)
        return problem_fail(diag, PROBLEM_NO_FILE, "send the bytes in a part named file");
    if (work->unknown[0] != '\0')
        return problem_fail(diag, PROBLEM_MALFORMED, "unknown form field \"%s\"", work->unknown);
    return PROBLEM_NONE;
}

static enum problem finish_upload(struct upload_work *work)
{
    struct request *request = work->request;
    enum problem problem = PROBLEM_NONE;

    if (work->multipart != NULL) {
        problem = multipart_finish(work->multipart, &request->diag);
        if (problem == PROBLEM_NONE)
            problem = end_part(work);
        if (problem == PROBLEM_NONE)
            problem = judge_parts(work);
    }
    if (problem != PROBLEM_NONE)
        return problem;
    int result = upload_finish(work->upload);
    if (result != 0)
        return problem_fail(&request->diag, PROBLEM_INTERNAL, "the upload could not be kept: %s",
                            strerror(-result));
    return PROBLEM_NONE;
}

static const char *field_text(const struct upload_work *work, enum field field)
{
    return work->fields[field].given ? work->fields[field].text : field_defaults[field];
}

enum problem screen_finish(struct request *request)
{
    struct upload_work *work = request->work;
    enum problem problem = finish_upload(work);
    char *answer = NULL;

    if (problem != PROBLEM_NONE)
        return problem;
    struct screening_request asked = {.profile = field_text(work, FIELD_PROFILE),
                                      .audience = work->audience,
                                      .content_id = field_text(work, FIELD_CONTENT_ID),
                                      .account_ref = field_text(work, FIELD_ACCOUNT_REF),
                                      .key_name = request->caller.name,
                                      .request_id = request->id,
                                      .idempotency_key = work->idempotency_key,
                                      .detailed = (request->caller.rights & RIGHT_DETAIL) != 0};
    problem = screening_judge(request, screener_screen(request->service->parts.screener, work->upload, &asked,
                                                       &answer, &request->diag));
    return problem == PROBLEM_NONE ? screening_reply(request, answer, work->by_status) : problem;
}

enum problem hash_finish(struct request *request)
{
    struct upload_work *work = request->work;
    enum problem problem = finish_upload(work);
    char *answer = NULL;

    if (problem != PROBLEM_NONE)
        return problem;
    problem = screening_judge(request, screener_hash(request->service->parts.screener, work->upload,
                                                     request->id, &answer, &request->diag));
    if (problem == PROBLEM_NONE)
        answer_set_json(&request->answer, 200, answer);
    return problem;
}

void upload_clear(struct request *request)
{
    struct upload_work *work = request->work;

    if (work == NULL)
        return;
    multipart_free(work->multipart);
    upload_free(work->upload);
    free(work);
    request->work = NULL;
}
