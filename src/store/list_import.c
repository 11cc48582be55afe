#include "prescreen/base/bug.h"
#include "prescreen/store/import.h"

#include "list_history.h"
#include "spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct list_import {
    struct list_draft *draft;
    struct list_reader_options options;
    enum list_change_mode mode;
    const struct config_list *rules; /* NULL: nothing is said of the list */
    char folder[PATH_MAX];           /* of the store */
    struct list_reader *reader;      /* of the file that is read; NULL between files */
    struct spool spool;              /* its bytes, when they must bear a signature */
    uint8_t signature[LIST_SIGNATURE_SIZE];
    struct list_tally tally; /* of the files that have ended */
    struct diag entry_diag;  /* what the draft said of one entry */
    list_skip_sink *on_skip;
    void *context;
};

static int take_entry(void *context, const struct list_entry *entry)
{
    struct list_import *import = context;

    return list_draft_upsert(import->draft, entry, &import->entry_diag);
}

static int take_withdrawal(void *context, const char *entry_id, uint64_t rank)
{
    struct list_import *import = context;

    return list_draft_withdraw(import->draft, entry_id, rank, &import->entry_diag);
}

static void tell_skipped(void *context, const char *place, const char *why)
{
    struct list_import *import = context;

    if (import->on_skip != NULL)
        import->on_skip(import->context, place, why);
}

int list_import_begin(struct list_store *store, const struct list_import_options *options,
                      struct list_import **import, struct diag *diag)
{
    struct list_info info;
    int result = list_store_get(store, options->list, &info, diag);

    if (result != 0)
        return result;
    struct list_import *made = calloc(1, sizeof *made);
    if (made == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the import");
    spool_init(&made->spool);
    made->rules = options->config != NULL ? config_find_list(options->config, options->list) : NULL;
    made->mode = options->mode;
    made->on_skip = options->on_skip;
    made->context = options->context;
    made->options = (struct list_reader_options){.format = options->format,
                                                 .action = info.properties.action,
                                                 .rules = made->rules,
                                                 .skip_bad = options->skip_bad,
                                                 .on_skip = tell_skipped,
                                                 .on_entry = take_entry,
                                                 .on_withdrawal = take_withdrawal,
                                                 .context = made,
                                                 .entry_diag = &made->entry_diag};
    memcpy(made->folder, store->path, sizeof made->folder);
    *strrchr(made->folder, '/') = '\0';
    result = list_draft_begin(store, options->list, options->mode, &made->draft, diag);
    if (result != 0) {
        list_import_free(made);
        return result;
    }
    if (list_format_repeats(options->format))
        list_draft_allow_repeats(made->draft);
    else
        list_draft_allow_copies(made->draft);
    if (options->spare_versions)
        list_draft_spare_versions(made->draft);
    *import = made;
    return 0;
}

static bool is_signed(const struct list_import *import)
{
    return import->rules != NULL && import->rules->is_signed;
}

int list_import_begin_file(struct list_import *import, const uint8_t *signature, struct diag *diag)
{
    BUG_ON(import->reader != NULL || import->draft == NULL);
    if (signature == NULL && is_signed(import))
        return diag_fail(diag, LIST_STORE_REFUSED,
                         "the file has no signature, and the list has a signature_key in the configuration");
    if (signature != NULL && !is_signed(import))
        return diag_fail(diag, LIST_STORE_REFUSED,
                         "a signature is given, and the list has no signature_key in the configuration to "
                         "check it by");
    if (signature != NULL)
        memcpy(import->signature, signature, sizeof import->signature);
    if (list_reader_create(&import->options, &import->reader) != 0)
        return diag_fail(diag, -ENOMEM, "no memory for the import");
    return 0;
}

static int judge_reader(int outcome)
{
    return outcome == LIST_READER_BAD ? (int)LIST_STORE_REFUSED : outcome;
}

int list_import_feed(struct list_import *import, const void *data, size_t size, struct diag *diag)
{
    BUG_ON(import->reader == NULL);
    if (is_signed(import)) {
        int result = spool_append(&import->spool, import->folder, data, size);
        if (result != 0)
            return diag_fail(diag, result, "the file cannot be kept aside until its signature is checked: %s",
                             strerror(-result));
    }
    return judge_reader(list_reader_feed(import->reader, data, size, diag));
}

static int check_signature(const struct list_import *import, struct diag *diag)
{
    int result = spool_verify(&import->spool, import->rules->signature_key, import->signature);

    if (result == LIST_SIGNATURE_WRONG)
        return diag_fail(
            diag, LIST_STORE_REFUSED,
            "the signature is not of this file by the list's signature_key; nothing was changed");
    if (result != 0)
        return diag_fail(diag, result, "the signature cannot be checked: %s", strerror(-result));
    return 0;
}

int list_import_end_file(struct list_import *import, struct diag *diag)
{
    BUG_ON(import->reader == NULL);
    int result = judge_reader(list_reader_finish(import->reader, diag));

    if (result == 0 && is_signed(import))
        result = check_signature(import, diag);
    if (result != 0)
        return result;
    if (is_signed(import))
        list_draft_vouch(import->draft);
    list_tally_add(&import->tally, list_reader_tally(import->reader));
    list_reader_free(import->reader);
    import->reader = NULL;
    spool_clear(&import->spool);
    return 0;
}

const struct list_tally *list_import_tally(const struct list_import *import)
{
    return &import->tally;
}

/* What must not empty a list by mistake. */
static int check_replacement(const struct list_import *import, struct diag *diag)
{
    if (import->mode == LIST_REPLACE && import->tally.more)
        return diag_fail(diag, LIST_STORE_REFUSED,
                         "the file says that more pages follow it: import all of them at once, or merge");
    return 0;
}

int list_import_commit(struct list_import *import, const char *who, bool dry_run, struct list_change *change,
                       struct diag *diag)
{
    BUG_ON(import->reader != NULL || import->draft == NULL);
    struct list_draft *draft = import->draft;
    int result = check_replacement(import, diag);

    if (result != 0)
        return result;
    import->draft = NULL;
    if (dry_run)
        return list_draft_preview(draft, change, diag);
    const char *what = !is_signed(import)             ? "import"
                       : import->mode == LIST_REPLACE ? WHAT_SIGNED_REPLACEMENT
                                                      : WHAT_SIGNED_MERGE;
    return list_draft_commit(draft, who, what, change, diag);
}

void list_import_free(struct list_import *import)
{
    if (import == NULL)
        return;
    list_reader_free(import->reader);
    list_draft_abandon(import->draft);
    spool_clear(&import->spool);
    free(import);
}
