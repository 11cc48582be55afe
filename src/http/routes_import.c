/* POST /v1/lists/{name}/import: a list file, streamed into a draft; all or nothing. */
#include "prescreen/store/import.h"

#include "handlers.h"
#include "list_call.h"

#include <stdlib.h>
#include <string.h>

struct import_work {
    struct list_import *import;
    bool dry_run;
};

static enum problem read_format(struct request *request, enum list_format *format)
{
    const char *name = target_find(&request->target, "format");

    if (name == NULL)
        return problem_fail(&request->diag, PROBLEM_MALFORMED, "query parameter format is missing");
    if (!list_format_parse(name, format))
        return problem_fail(&request->diag, PROBLEM_MALFORMED, "format must be %s", list_format_choice());
    return PROBLEM_NONE;
}

static enum problem read_mode(struct request *request, enum list_change_mode *mode)
{
    const char *name = target_find(&request->target, "mode");

    *mode = name != NULL && strcmp(name, "merge") == 0 ? LIST_MERGE : LIST_REPLACE;
    if (name != NULL && *mode == LIST_REPLACE && strcmp(name, "replace") != 0)
        return problem_fail(&request->diag, PROBLEM_MALFORMED, "mode must be replace or merge");
    return PROBLEM_NONE;
}

static enum problem read_dry_run(struct request *request, bool *dry_run)
{
    const char *text = target_find(&request->target, "dry_run");

    *dry_run = text != NULL && strcmp(text, "true") == 0;
    if (text != NULL && !*dry_run && strcmp(text, "false") != 0)
        return problem_fail(&request->diag, PROBLEM_MALFORMED, "dry_run must be true or false");
    return PROBLEM_NONE;
}

/* The signature of the header, when there is one: *given says so. */
static enum problem read_signature(struct request *request, uint8_t signature[LIST_SIGNATURE_SIZE],
                                   bool *given)
{
    const char *text = request->head.fields[HEAD_SIGNATURE];

    *given = text != NULL;
    /* Only text can stand in a header: 64 letters would be the bytes themselves. */
    if (text != NULL &&
        (strlen(text) == LIST_SIGNATURE_SIZE || !list_signature_read(text, strlen(text), signature)))
        return problem_fail(&request->diag, PROBLEM_MALFORMED,
                            "header X-Prescreen-Signature must be the base64 of 64 bytes");
    return PROBLEM_NONE;
}

/* Reads everything that the head says of the import. */
static enum problem read_options(struct request *request, struct list_import_options *options, bool *dry_run)
{
    enum problem problem = read_format(request, &options->format);

    if (problem == PROBLEM_NONE)
        problem = read_mode(request, &options->mode);
    return problem == PROBLEM_NONE ? read_dry_run(request, dry_run) : problem;
}

static enum problem begin(struct request *request, struct import_work *work,
                          const struct list_import_options *options)
{
    uint8_t signature[LIST_SIGNATURE_SIZE];
    bool is_signed = false;
    enum problem problem = read_signature(request, signature, &is_signed);

    if (problem == PROBLEM_NONE)
        problem = list_judge(request, list_import_begin(request->service->parts.list_store, options,
                                                        &work->import, &request->diag));
    if (problem == PROBLEM_NONE)
        problem = list_judge(
            request, list_import_begin_file(work->import, is_signed ? signature : NULL, &request->diag));
    return problem;
}

enum problem import_begin(struct request *request)
{
    struct list_import_options options = {.list = request->list_name,
                                          .config = request->service->parts.config};
    struct import_work *work = NULL;
    struct list_info info;
    bool dry_run = false;
    enum problem problem = list_find(request, &info);

    if (problem == PROBLEM_NONE)
        problem = read_options(request, &options, &dry_run);
    if (problem != PROBLEM_NONE)
        return problem;
    work = calloc(1, sizeof *work);
    if (work == NULL)
        return problem_fail(&request->diag, PROBLEM_BUSY, "no memory for the import");
    request->work = work;
    work->dry_run = dry_run;
    return begin(request, work, &options);
}

enum problem import_take(struct request *request, const void *data, size_t size)
{
    struct import_work *work = request->work;

    return list_judge(request, list_import_feed(work->import, data, size, &request->diag));
}

/* {"video":2,…} */
static json_t *leftovers_to_json(const struct list_tally *tally)
{
    json_t *object = json_object();

    for (size_t i = 0; object != NULL && i < tally->leftover_count; i++) {
        if (json_object_set_new(object, tally->leftovers[i].name,
                                json_integer((json_int_t)tally->leftovers[i].count)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* What the answer to an import has beyond that to other changes. */
static json_t *tally_to_json(const struct import_work *work)
{
    const struct list_tally *tally = list_import_tally(work->import);

    return json_pack("{s:b, s:{s:I, s:I, s:I, s:b, s:o}}", "dry_run", work->dry_run ? 1 : 0, "file", "taken",
                     (json_int_t)tally->taken, "withdrawn", (json_int_t)tally->withdrawn, "ignored",
                     (json_int_t)tally->ignored, "more", tally->more ? 1 : 0, "unmatchable",
                     leftovers_to_json(tally));
}

enum problem import_finish(struct request *request)
{
    struct import_work *work = request->work;
    struct list_change change;
    enum problem problem = list_judge(request, list_import_end_file(work->import, &request->diag));

    if (problem == PROBLEM_NONE)
        problem = list_judge(request, list_import_commit(work->import, request->caller.name, work->dry_run,
                                                         &change, &request->diag));
    if (problem != PROBLEM_NONE)
        return problem;
    return work->dry_run ? list_reply_preview(request, &change, tally_to_json(work))
                         : list_reply_changed(request, "import", 200, &change, tally_to_json(work));
}

void import_clear(struct request *request)
{
    struct import_work *work = request->work;

    if (work == NULL)
        return;
    list_import_free(work->import);
    free(work);
    request->work = NULL;
}
