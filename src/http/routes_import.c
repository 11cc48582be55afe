/* POST /v1/lists/{name}/import: a list file, streamed into a draft; all or nothing. */
#include "prescreen/base/text.h"
#include "prescreen/lists/reader.h"

#include "handlers.h"
#include "list_call.h"

#include <stdlib.h>
#include <string.h>

struct import_work {
    struct list_draft *draft;
    struct list_reader *reader;
    struct diag entry_diag; /* what the draft says of one entry */
};

static enum problem read_format(struct request *request, enum list_format *format)
{
    const char *name = target_find(&request->target, "format");

    if (name == NULL)
        return problem_fail(&request->diag, PROBLEM_MALFORMED, "query parameter format is missing");
    if (!list_format_parse(name, format))
        return problem_fail(&request->diag, PROBLEM_MALFORMED, "this build reads the formats csv and lines");
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

static int on_entry(void *context, const struct list_entry *entry)
{
    struct import_work *work = context;

    return list_draft_upsert(work->draft, entry, &work->entry_diag);
}

enum problem import_begin(struct request *request)
{
    struct import_work *work = NULL;
    struct list_info info;
    enum list_format format = LIST_FORMAT_CSV;
    enum list_change_mode mode = LIST_REPLACE;
    enum problem problem = list_find(request, &info);

    if (problem == PROBLEM_NONE)
        problem = read_format(request, &format);
    if (problem == PROBLEM_NONE)
        problem = read_mode(request, &mode);
    if (problem != PROBLEM_NONE)
        return problem;
    work = calloc(1, sizeof *work);
    if (work == NULL)
        return problem_fail(&request->diag, PROBLEM_BUSY, "no memory for the import");
    request->work = work;
    const struct list_reader_options options = {
        .format = format, .on_entry = on_entry, .context = work, .entry_diag = &work->entry_diag};
    if (list_reader_create(&options, &work->reader) != 0)
        return problem_fail(&request->diag, PROBLEM_BUSY, "no memory for the import");
    return list_judge(request, list_draft_begin(request->service->parts.list_store, request->list_name, mode,
                                                &work->draft, &request->diag));
}

static enum problem judge_reader(struct request *request, int outcome)
{
    return outcome == LIST_READER_BAD ? PROBLEM_MALFORMED : list_judge(request, outcome);
}

enum problem import_take(struct request *request, const void *data, size_t size)
{
    struct import_work *work = request->work;

    return judge_reader(request, list_reader_feed(work->reader, data, size, &request->diag));
}

enum problem import_finish(struct request *request)
{
    struct import_work *work = request->work;
    struct list_change change;
    enum problem problem = judge_reader(request, list_reader_finish(work->reader, &request->diag));

    if (problem != PROBLEM_NONE)
        return problem;
    problem = list_judge(
        request, list_draft_commit(work->draft, request->caller.name, "import", &change, &request->diag));
    work->draft = NULL;
    return problem == PROBLEM_NONE ? list_reply_changed(request, "import", 200, &change) : problem;
}

void import_clear(struct request *request)
{
    struct import_work *work = request->work;

    if (work == NULL)
        return;
    list_reader_free(work->reader);
    list_draft_abandon(work->draft);
    free(work);
    request->work = NULL;
}
