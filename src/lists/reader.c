#include "prescreen/lists/reader.h"

#include "prescreen/base/bug.h"

#include "csv.h"
#include "lines.h"
#include "rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct list_reader {
    struct list_reader_options options;
    struct row_cutter cutter;
    struct csv_header header; /* count 0 until its line has come */
    char entry_id[LINES_ENTRY_ID_SIZE];
    struct entry_view views[ENTRY_VIEWS_MAX]; /* of the row */
    uint64_t taken, skipped;
    bool ended;
};

static const char *const format_names[LIST_FORMAT_COUNT] = {"csv", "lines"};

const char *list_format_name(enum list_format format)
{
    BUG_ON(format >= LIST_FORMAT_COUNT);
    return format_names[format];
}

bool list_format_parse(const char *name, enum list_format *format)
{
    for (unsigned int i = 0; i < LIST_FORMAT_COUNT; i++) {
        if (strcmp(name, format_names[i]) == 0) {
            *format = (enum list_format)i;
            return true;
        }
    }
    return false;
}

int list_reader_create(const struct list_reader_options *options, struct list_reader **reader)
{
    struct list_reader *made = calloc(1, sizeof *made);

    if (made == NULL)
        return -ENOMEM;
    made->options = *options;
    row_cutter_init(&made->cutter, options->format == LIST_FORMAT_CSV);
    *reader = made;
    return 0;
}

/* Reads the row that the cutter holds: 0 with an entry, ROW_NOTHING, or LIST_ENTRY_BAD with why. */
static int parse_row(struct list_reader *reader, enum row_end end, struct list_entry *entry, struct diag *why)
{
    struct row_cutter *cutter = &reader->cutter;
    int outcome;

    if (end == ROW_OVERLONG)
        return diag_fail(why, LIST_ENTRY_BAD, "longer than %d bytes", LIST_ROW_MAX);
    if (cutter->size == 0)
        return ROW_NOTHING;
    if (memchr(cutter->text, '\0', cutter->size) != NULL)
        return diag_fail(why, LIST_ENTRY_BAD, "a NUL byte; the file must be UTF-8 text");
    if (reader->options.format == LIST_FORMAT_LINES)
        outcome = lines_read_row(cutter->text, reader->entry_id, entry, why);
    else if (reader->header.count == 0)
        outcome = csv_read_header(cutter->text, &reader->header, why) != 0 ? LIST_ENTRY_BAD : ROW_NOTHING;
    else
        outcome = csv_read_row(&reader->header, cutter->text, reader->views, entry, why);
    return outcome;
}

/* Every flaw that list_entry_check() can still find in a row of hashes that were read is one of a column. */
static int check_entry(const struct list_entry *entry, struct diag *why)
{
    struct diag flaw;

    if (entry->hashes.kinds == 0)
        return diag_fail(why, LIST_ENTRY_BAD, "no hash: at least one of md5, sha1, sha256, pdq is needed");
    if (list_entry_check(entry, &flaw) == 0)
        return 0;
    return diag_fail(why, LIST_ENTRY_BAD, "column %s", flaw.text);
}

static int give_entry(struct list_reader *reader, const struct list_entry *entry, struct diag *why)
{
    const struct diag *said = reader->options.entry_diag;
    int outcome = reader->options.on_entry(reader->options.context, entry);

    if (outcome == 0)
        reader->taken++;
    else
        diag_set(why, "%s", said != NULL && said->text[0] != '\0' ? said->text : "the entry was refused");
    return outcome > 0 ? LIST_ENTRY_BAD : outcome;
}

/* Takes one row from the cutter to the sink. 0, LIST_READER_BAD or a negative errno. */
static int take_row(struct list_reader *reader, enum row_end end, struct diag *diag)
{
    struct list_entry entry;
    struct diag why = {""};

    if (end == ROW_LOST)
        return diag_fail(diag, LIST_READER_BAD,
                         "line %" PRIu64
                         ": a field opens with a quote that is not closed, or not within %d bytes",
                         reader->cutter.line, LIST_ROW_MAX);
    int outcome = parse_row(reader, end, &entry, &why);
    if (outcome == ROW_NOTHING)
        return 0;
    if (outcome == 0)
        outcome = check_entry(&entry, &why);
    entry.line = reader->cutter.line;
    if (outcome == 0)
        outcome = give_entry(reader, &entry, &why);
    if (outcome == 0)
        return 0;
    bool in_header = reader->options.format == LIST_FORMAT_CSV && reader->header.count == 0;
    if (outcome < 0 || in_header || !reader->options.skip_bad)
        return diag_fail(diag, outcome < 0 ? outcome : LIST_READER_BAD, "line %" PRIu64 ": %s",
                         reader->cutter.line, why.text);
    reader->skipped++;
    if (reader->options.on_skip != NULL)
        reader->options.on_skip(reader->options.context, reader->cutter.line, why.text);
    return 0;
}

int list_reader_feed(struct list_reader *reader, const void *data, size_t size, struct diag *diag)
{
    const char *bytes = data;
    int outcome = 0;

    BUG_ON(reader->ended);
    while (size > 0 && outcome == 0) {
        enum row_end end;
        size_t used = row_cutter_take(&reader->cutter, bytes, size, &end);

        bytes += used;
        size -= used;
        if (end != ROW_UNFINISHED)
            outcome = take_row(reader, end, diag);
    }
    reader->ended = outcome != 0;
    return outcome;
}

int list_reader_finish(struct list_reader *reader, struct diag *diag)
{
    BUG_ON(reader->ended);
    reader->ended = true;
    enum row_end end = row_cutter_finish(&reader->cutter);
    int outcome = end == ROW_UNFINISHED ? 0 : take_row(reader, end, diag);

    if (outcome == 0 && reader->options.format == LIST_FORMAT_CSV && reader->header.count == 0)
        return diag_fail(diag, LIST_READER_BAD, "line 1: no header; the first line must name the columns");
    return outcome;
}

void list_reader_count(const struct list_reader *reader, uint64_t *taken, uint64_t *skipped)
{
    *taken = reader->taken;
    *skipped = reader->skipped;
}

void list_reader_free(struct list_reader *reader)
{
    free(reader);
}
