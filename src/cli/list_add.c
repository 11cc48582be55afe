#include "prescreen/base/bug.h"
#include "prescreen/config/config.h"
#include "prescreen/worker/decoders.h"

#include "batch.h"
#include "command.h"
#include "list.h"
#include "local.h"
#include "output.h"
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* By default the main hash is looked up within 31 bits and those of views within 24: what is nearer to it
 * than the difference is found through it. */
enum { COVERED_BY_MAIN = 6 };

/* What one picture is enrolled with. */
struct enrolled {
    struct known_hashes hashes;
    struct entry_view views[ENTRY_VIEWS_MAX];
    size_t view_count;
    size_t left_out; /* views past ENTRY_VIEWS_MAX */
};

struct enrolment {
    const struct invocation *invocation;
    struct local local;
    struct list_draft *draft;
    struct progress progress;
    unsigned int quality_floor;
    uint64_t views; /* of all pictures */
};

static bool is_known(const struct enrolled *enrolled, const struct pdq_hash *hash)
{
    if ((enrolled->hashes.kinds & HASH_BIT(HASH_PDQ)) != 0 &&
        pdq_distance(&enrolled->hashes.pdq, hash) <= COVERED_BY_MAIN)
        return true;
    for (size_t i = 0; i < enrolled->view_count; i++) {
        if (pdq_distance(&enrolled->views[i].hash, hash) == 0)
            return true;
    }
    return false;
}

/* Takes the views that have enough to tell; of an animation, those of its first frame. */
static void take_views(const struct enrolment *enrolment, const struct examination *examination,
                       struct enrolled *enrolled)
{
    for (uint32_t i = 0; i < examination->view_count; i++) {
        const struct examined_view *view = &examination->views[i];
        const struct pdq_hash *hash = &view->hashes[ORIENTATION_ORIGINAL];

        if (view->view == VIEW_MAIN || view->frame != 0 || view->quality < enrolment->quality_floor ||
            is_known(enrolled, hash))
            continue;
        if (enrolled->view_count < ENTRY_VIEWS_MAX)
            enrolled->views[enrolled->view_count++] = (struct entry_view){(enum view)view->view, *hash};
        else
            enrolled->left_out++;
    }
}

/* Keeps the PDQ hashes of a picture that has enough to tell; a broken or unknown file is refused. */
static int judge_examination(const struct enrolment *enrolment, const struct examination *examination,
                             struct enrolled *enrolled, struct diag *diag)
{
    const struct examined_view *main_view = examination_main_view(examination);
    struct known_hashes *hashes = &enrolled->hashes;

    if (examination->reasons != 0) {
        int reason = __builtin_ctz(examination->reasons);
        return diag_fail(diag, -EINVAL,
                         "%s: it cannot be enrolled as a picture; to list its digests, import them",
                         reason_name((enum reason)reason));
    }
    hashes->pdq_quality = -1;
    if (main_view != NULL && main_view->quality >= enrolment->quality_floor) {
        hashes->kinds |= HASH_BIT(HASH_PDQ);
        hashes->pdq = main_view->hashes[ORIENTATION_ORIGINAL];
        hashes->pdq_quality = (int)main_view->quality;
    }
    take_views(enrolment, examination, enrolled);
    return 0;
}

static int examine(struct enrolment *enrolment, const struct upload *upload, struct enrolled *enrolled,
                   struct diag *diag)
{
    struct examination *examination = malloc(sizeof *examination);
    const struct examination_request request = {
        .memory_fd = upload->memory_fd, .size = upload->size, .effort = EFFORT_STANDARD, .enrolment = true};
    int result = 0;

    if (examination == NULL)
        return diag_fail(diag, -ENOMEM, "no memory");
    result = decoders_examine(enrolment->local.decoders, &request, examination);
    if (result == 0)
        result = judge_examination(enrolment, examination, enrolled, diag);
    else
        result = diag_fail(diag, -EBUSY, "no decoder came free in time");
    free(examination);
    return result;
}

static int hash_file(void *context, unsigned int lane, size_t index, void **product, struct diag *diag)
{
    struct enrolment *enrolment = context;
    struct upload *upload = NULL;
    struct enrolled *enrolled = calloc(1, sizeof *enrolled);
    int result = 0;

    (void)lane;
    if (enrolled == NULL)
        return diag_fail(diag, -ENOMEM, "no memory");
    result = source_read_upload(enrolment->invocation->operands[index + 1],
                                enrolment->local.config->limits.body_bytes, &upload, diag);
    if (result == 0) {
        enrolled->hashes = upload->hashes;
        result = examine(enrolment, upload, enrolled, diag);
    }
    upload_free(upload);
    if (result != 0) {
        free(enrolled);
        return result;
    }
    *product = enrolled;
    return 0;
}

static void tell_shortfall(const char *name, const struct enrolled *enrolled)
{
    if ((enrolled->hashes.kinds & HASH_BIT(HASH_PDQ)) == 0)
        say("%s: too little to tell for a perceptual hash; enrolled by its digests%s", name,
            enrolled->view_count == 0 ? " alone" : " and views");
    if (enrolled->left_out > 0)
        say("%s: %zu %s left out, an entry holds %d", name, enrolled->left_out,
            noun(enrolled->left_out, "view is", "views are"), ENTRY_VIEWS_MAX);
}

static int take_picture(void *context, size_t index, int result, const void *product, const struct diag *diag)
{
    struct enrolment *enrolment = context;
    const struct enrolled *enrolled = product;
    const char *name = enrolment->invocation->operands[index + 1];
    char digest[PDQ_HEX_SIZE];
    struct diag draft_diag = {""};

    progress_hide(&enrolment->progress);
    if (result != 0) {
        say("%s: %s", name, diag->text);
        return result;
    }
    tell_shortfall(name, enrolled);
    known_hashes_format(&enrolled->hashes, HASH_SHA256, digest);
    struct list_entry entry = {.entry_id = option_text(enrolment->invocation, OPTION_ENTRY_ID, digest),
                               .hashes = enrolled->hashes,
                               .classification =
                                   option_text(enrolment->invocation, OPTION_CLASSIFICATION, ""),
                               .note = "",
                               .views = enrolled->views,
                               .view_count = enrolled->view_count};
    result = list_draft_upsert(enrolment->draft, &entry, &draft_diag);
    if (result != 0)
        say("%s: %s", name, draft_diag.text);
    enrolment->views += enrolled->view_count;
    progress_show(&enrolment->progress, index + 1);
    return result;
}

static int begin_enrolment(struct enrolment *enrolment, struct diag *diag)
{
    const struct invocation *invocation = enrolment->invocation;
    size_t files = invocation->operand_count - 1;
    int result = source_check_names(invocation->operands + 1, files, diag);

    if (result == 0 && files > 1 && option_given(invocation, OPTION_ENTRY_ID))
        return diag_fail(diag, -EINVAL, "--entry-id names one entry, but there are %zu files", files);
    if (result == 0)
        result = local_open_lists(invocation, false, &enrolment->local, diag);
    if (result == 0)
        result = list_draft_begin(enrolment->local.list_store, invocation->operands[0], LIST_MERGE,
                                  &enrolment->draft, diag);
    if (result == 0)
        result = local_start_decoders(&enrolment->local, files, diag);
    if (result != 0)
        return result;
    const struct config_profile *profile = config_find_profile(enrolment->local.config, "default");
    BUG_ON(profile == NULL);
    enrolment->quality_floor = profile->rules[AUDIENCE_UNKNOWN].quality_floor;
    return 0;
}

static int hash_files(struct enrolment *enrolment)
{
    size_t files = enrolment->invocation->operand_count - 1;
    unsigned int workers = enrolment->local.config->workers;
    struct batch batch = {.count = files,
                          .lanes = files < workers ? (unsigned int)files : workers,
                          .context = enrolment,
                          .work = hash_file,
                          .take = take_picture};

    progress_start(&enrolment->progress, "add", files);
    int result = batch_run(&batch);
    progress_hide(&enrolment->progress);
    return result;
}

static void print_enrolled(const struct enrolment *enrolment, const struct list_change *change)
{
    const char *name = enrolment->invocation->operands[0];

    list_print_change(name, change);
    if (enrolment->views > 0)
        printf("%s: with hashes of %llu %s besides\n", name, (unsigned long long)enrolment->views,
               noun(enrolment->views, "view", "views"));
}

int command_list_add(const struct invocation *invocation)
{
    struct enrolment enrolment = {.invocation = invocation};
    const char *name = invocation->operands[0];
    struct list_change change;
    struct diag diag = {""};
    int result = begin_enrolment(&enrolment, &diag);

    if (result != 0) {
        list_say_failure(name, result, &diag);
    } else if ((result = hash_files(&enrolment)) != 0) {
        say("nothing was added to %s", name);
    } else {
        struct list_draft *draft = enrolment.draft;
        enrolment.draft = NULL;
        result = list_draft_commit(draft, enrolment.local.who, "entries", &change, &diag);
        if (result == 0)
            print_enrolled(&enrolment, &change);
        else
            list_say_failure(name, result, &diag);
    }
    list_draft_abandon(enrolment.draft);
    local_close(&enrolment.local);
    return result == 0 ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}
