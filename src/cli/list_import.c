#include "prescreen/lists/reader.h"

#include "command.h"
#include "list.h"
#include "local.h"
#include "output.h"
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK_BYTES = 65536 };

struct import {
    const struct invocation *invocation;
    struct list_draft *draft;
    struct list_reader *reader;
    struct source source;
    struct progress progress;
    struct diag entry_diag; /* why the draft refused an entry */
    uint64_t maximum;       /* bytes */
};

static int take_entry(void *context, const struct list_entry *entry)
{
    struct import *import = context;

    return list_draft_upsert(import->draft, entry, &import->entry_diag);
}

static void tell_skipped(void *context, uint64_t line, const char *why)
{
    struct import *import = context;

    progress_hide(&import->progress);
    say("%s: line %llu skipped: %s", import->invocation->operands[1], (unsigned long long)line, why);
}

static int read_mode(const struct invocation *invocation, enum list_change_mode *mode, struct diag *diag)
{
    const char *text = option_text(invocation, OPTION_MODE, "merge");

    if (strcmp(text, "merge") != 0 && strcmp(text, "replace") != 0)
        return diag_fail(diag, -EINVAL, "--mode %s: must be merge or replace", text);
    *mode = strcmp(text, "merge") == 0 ? LIST_MERGE : LIST_REPLACE;
    return 0;
}

static int begin_import(struct import *import, struct list_store *store, struct diag *diag)
{
    const struct invocation *invocation = import->invocation;
    const char *format = option_text(invocation, OPTION_FORMAT, list_format_name(LIST_FORMAT_CSV));
    struct list_reader_options options = {.skip_bad = option_given(invocation, OPTION_SKIP_BAD),
                                          .on_skip = tell_skipped,
                                          .on_entry = take_entry,
                                          .context = import,
                                          .entry_diag = &import->entry_diag};
    enum list_change_mode mode = LIST_MERGE;
    int result = read_mode(invocation, &mode, diag);

    if (result != 0)
        return result;
    if (!list_format_parse(format, &options.format))
        return diag_fail(diag, -EINVAL, "--format %s: must be csv or lines", format);
    result = list_draft_begin(store, invocation->operands[0], mode, &import->draft, diag);
    if (result == 0 && list_reader_create(&options, &import->reader) != 0)
        result = diag_fail(diag, -ENOMEM, "no memory");
    return result;
}

static int feed_reader(struct import *import, struct diag *diag)
{
    char chunk[CHUNK_BYTES];
    uint64_t done = 0;
    int result = source_open(import->invocation->operands[1], &import->source, diag);

    progress_start(&import->progress, "import",
                   import->source.size == SOURCE_SIZE_UNKNOWN ? 0 : import->source.size);
    while (result == 0) {
        int64_t got = source_read(&import->source, chunk, sizeof chunk, diag);
        if (got < 0)
            return (int)got;
        if (got == 0)
            return list_reader_finish(import->reader, diag);
        done += (uint64_t)got;
        if (done > import->maximum)
            return diag_fail(diag, -EFBIG, "larger than limits.import (%llu bytes)",
                             (unsigned long long)import->maximum);
        result = list_reader_feed(import->reader, chunk, (size_t)got, diag);
        progress_show(&import->progress, done);
    }
    return result;
}

/* Makes the change, or tells what was read when nothing is to be changed. */
static int conclude(struct import *import, struct diag *diag)
{
    const char *name = import->invocation->operands[0];
    struct list_change change;
    uint64_t taken = 0;
    uint64_t skipped = 0;

    list_reader_count(import->reader, &taken, &skipped);
    if (skipped > 0)
        say("%llu bad rows skipped", (unsigned long long)skipped);
    if (taken == 0)
        return diag_fail(diag, -EINVAL,
                         "no row to take, so nothing was changed; prescreen list remove empties a list");
    if (option_given(import->invocation, OPTION_DRY_RUN)) {
        printf("%s: %llu rows are in order; nothing was changed (--dry-run)\n", name,
               (unsigned long long)taken);
        return 0;
    }
    struct list_draft *draft = import->draft;
    import->draft = NULL;
    int result = list_draft_commit(draft, LIST_HISTORY_NAME, "import", &change, diag);
    if (result == 0)
        list_print_change(name, &change);
    return result;
}

int command_list_import(const struct invocation *invocation)
{
    struct import import = {.invocation = invocation, .source = {.fd = -1}};
    struct local local = {.config = NULL};
    struct diag diag = {""};
    int result = local_open_lists(invocation, false, &local, &diag);

    if (result == 0) {
        import.maximum = local.config->limits.import_bytes;
        result = begin_import(&import, local.list_store, &diag);
    }
    if (result == 0) {
        result = feed_reader(&import, &diag);
        progress_hide(&import.progress);
        if (result == 0)
            result = conclude(&import, &diag);
        if (result != 0)
            say("%s: %s", invocation->operands[1], diag.text);
    } else {
        list_say_failure(invocation->operands[0], result, &diag);
    }
    list_reader_free(import.reader);
    source_close(&import.source);
    list_draft_abandon(import.draft);
    local_close(&local);
    return result == 0 ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}
