#include "prescreen/os/files.h"
#include "prescreen/store/import.h"

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
    const struct config *config;
    const char *who; /* makes the change, in the history */
    struct list_import *import;
    const char *file; /* that is read */
    struct progress progress;
    uint64_t done; /* bytes of all files */
};

static void tell_skipped(void *context, const char *place, const char *why)
{
    struct import *import = context;

    progress_hide(&import->progress);
    say("%s: %s skipped: %s", import->file, place, why);
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
    struct list_import_options options = {.list = invocation->operands[0],
                                          .config = import->config,
                                          .skip_bad = option_given(invocation, OPTION_SKIP_BAD),
                                          .on_skip = tell_skipped,
                                          .context = import};
    int result = read_mode(invocation, &options.mode, diag);

    if (result == 0)
        result = source_check_names(invocation->operands + 1, invocation->operand_count - 1, diag);
    if (result == 0 && !list_format_parse(format, &options.format))
        result = diag_fail(diag, -EINVAL, "--format %s: must be %s", format, list_format_choice());
    if (result == 0 && option_given(invocation, OPTION_SIGNATURE) && invocation->operand_count > 2)
        result = diag_fail(diag, -EINVAL, "--signature is for one FILE; of several, each has its FILE.sig");
    return result != 0 ? result : list_import_begin(store, &options, &import->import, diag);
}

/* Where the signature of the file is: *path is "" when there is none. Beside the file it is looked for only
 * when the list wants it. */
static int find_signature(const struct import *import, char *path, size_t capacity, struct diag *diag)
{
    const struct config_list *rules = config_find_list(import->config, import->invocation->operands[0]);
    const char *given = option_text(import->invocation, OPTION_SIGNATURE, NULL);
    int length = 0;

    path[0] = '\0';
    if (given != NULL)
        length = snprintf(path, capacity, "%s", given);
    else if (rules != NULL && rules->is_signed && strcmp(import->file, "-") != 0)
        length = snprintf(path, capacity, "%s.sig", import->file);
    if (length < 0 || (size_t)length >= capacity)
        return diag_fail(diag, -ENAMETOOLONG, "the path of the signature is too long");
    return 0;
}

/* Reads the signature of the file; *given says whether there is one. */
static int read_signature(const struct import *import, uint8_t signature[LIST_SIGNATURE_SIZE], bool *given,
                          struct diag *diag)
{
    char path[CONFIG_PATH_MAX];
    struct bytes content;
    int result = find_signature(import, path, sizeof path, diag);

    *given = result == 0 && path[0] != '\0';
    if (!*given)
        return result;
    bytes_init(&content, LIST_SIGNATURE_TEXT_MAX);
    result = files_read(path, &content, diag);
    if (result == 0 && !list_signature_read(content.data, content.size, signature))
        result = diag_fail(diag, -EINVAL, "%s is no signature: 64 bytes, or their base64", path);
    bytes_clear(&content);
    return result;
}

static int feed_source(struct import *import, const struct source *source, struct diag *diag)
{
    const uint64_t maximum = import->config->limits.import_bytes;
    char chunk[CHUNK_BYTES];
    int64_t got = 0;
    int result = 0;

    while (result == 0 && (got = source_read(source, chunk, sizeof chunk, diag)) > 0) {
        import->done += (uint64_t)got;
        if (import->done > maximum)
            return diag_fail(diag, -EFBIG, "larger than limits.import (%llu bytes)",
                             (unsigned long long)maximum);
        result = list_import_feed(import->import, chunk, (size_t)got, diag);
        progress_show(&import->progress, import->done);
    }
    return got < 0 ? (int)got : result;
}

static int feed_file(struct import *import, struct diag *diag)
{
    uint8_t signature[LIST_SIGNATURE_SIZE];
    struct source source = {.fd = -1};
    bool is_signed = false;
    int result = source_open(import->file, &source, diag);

    if (result == 0)
        result = read_signature(import, signature, &is_signed, diag);
    if (result == 0)
        result = list_import_begin_file(import->import, is_signed ? signature : NULL, diag);
    if (result == 0) {
        uint64_t size = source.size == SOURCE_SIZE_UNKNOWN ? 0 : import->done + source.size;
        progress_start(&import->progress, "import", size);
        result = feed_source(import, &source, diag);
    }
    if (result == 0)
        result = list_import_end_file(import->import, diag);
    progress_hide(&import->progress);
    source_close(&source);
    return result;
}

static void print_tally(const char *name, const struct list_tally *tally)
{
    if (tally->skipped > 0)
        say("%llu bad %s skipped", (unsigned long long)tally->skipped,
            noun(tally->skipped, "record", "records"));
    if (tally->withdrawn > 0)
        printf("%s: %llu %s an entry\n", name, (unsigned long long)tally->withdrawn,
               noun(tally->withdrawn, "record withdraws", "records withdraw"));
    if (tally->ignored > 0)
        printf("%s: %llu %s of a class that is not for this list\n", name, (unsigned long long)tally->ignored,
               noun(tally->ignored, "record is", "records are"));
    for (size_t i = 0; i < tally->leftover_count; i++)
        printf("%s: %llu %s %s, which cannot be matched\n", name,
               (unsigned long long)tally->leftovers[i].count,
               noun(tally->leftovers[i].count, "time", "times"), tally->leftovers[i].name);
    if (tally->more)
        printf("%s: the file says that more pages follow it\n", name);
}

/* Makes the change, or tells what it would be. */
static int conclude(struct import *import, struct diag *diag)
{
    const char *name = import->invocation->operands[0];
    const struct list_tally *tally = list_import_tally(import->import);
    bool dry_run = option_given(import->invocation, OPTION_DRY_RUN);
    struct list_change change;

    print_tally(name, tally);
    if (tally->taken + tally->withdrawn + tally->ignored == 0)
        return diag_fail(diag, -EINVAL,
                         "no row to take, so nothing was changed; prescreen list remove empties a list");
    int result = list_import_commit(import->import, import->who, dry_run, &change, diag);
    if (result == 0 && dry_run)
        printf("%s: would be %llu added, %llu changed, %llu removed, %llu unchanged; nothing was changed "
               "(--dry-run)\n",
               name, (unsigned long long)change.added, (unsigned long long)change.changed,
               (unsigned long long)change.removed, (unsigned long long)change.unchanged);
    else if (result == 0)
        list_print_change(name, &change);
    return result;
}

static int import_files(struct import *import, struct diag *diag)
{
    int result = 0;

    for (size_t i = 1; result == 0 && i < import->invocation->operand_count; i++) {
        import->file = import->invocation->operands[i];
        result = feed_file(import, diag);
    }
    return result != 0 ? result : conclude(import, diag);
}

int command_list_import(const struct invocation *invocation)
{
    struct import import = {.invocation = invocation, .file = ""};
    struct local local = {.config = NULL};
    struct diag diag = {""};
    int result = local_open_lists(invocation, false, &local, &diag);

    if (result == 0) {
        import.config = local.config;
        import.who = local.who;
        result = begin_import(&import, local.list_store, &diag);
    }
    if (result != 0)
        list_say_failure(invocation->operands[0], result, &diag);
    else if ((result = import_files(&import, &diag)) != 0)
        say("%s: %s", import.file, diag.text);
    list_import_free(import.import);
    local_close(&local);
    return result == 0 ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}
