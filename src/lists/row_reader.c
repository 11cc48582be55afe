/* The formats that are one record a row: csv, lines, hma. */
#include "csv.h"
#include "hma.h"
#include "intake.h"
#include "lines.h"
#include "rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE_SIZE = 32 };

struct row_reader {
    struct intake *intake;
    struct row_cutter cutter;
    bool has_header;            /* the first row names the columns */
    struct csv_header header;   /* count 0 until its line has come */
    struct csv_storage storage; /* of the row */
};

static int create(struct intake *intake, void **state)
{
    struct row_reader *made = calloc(1, sizeof *made);

    if (made == NULL)
        return -ENOMEM;
    made->intake = intake;
    made->has_header = intake->options.format == LIST_FORMAT_CSV;
    row_cutter_init(&made->cutter, made->has_header);
    *state = made;
    return 0;
}

/* Reads the row that the cutter holds: 0 with an entry, ROW_NOTHING, or LIST_ENTRY_BAD with why. */
static int parse_row(struct row_reader *reader, enum row_end end, struct list_entry *entry, struct diag *why)
{
    struct row_cutter *cutter = &reader->cutter;

    if (end == ROW_OVERLONG)
        return diag_fail(why, LIST_ENTRY_BAD, "longer than %d bytes", LIST_ROW_MAX);
    if (cutter->size == 0)
        return ROW_NOTHING;
    if (memchr(cutter->text, '\0', cutter->size) != NULL)
        return diag_fail(why, LIST_ENTRY_BAD, "a NUL byte; the file must be UTF-8 text");
    if (reader->intake->options.format == LIST_FORMAT_LINES)
        return lines_read_row(cutter->text, reader->storage.entry_id, entry, why);
    if (reader->intake->options.format == LIST_FORMAT_HMA)
        return hma_read_row(reader->intake, cutter->text, reader->storage.entry_id, entry, why);
    if (reader->header.count > 0)
        return csv_read_row(&reader->header, cutter->text, &reader->storage, entry, why);
    return csv_read_header(reader->intake->options.rules, cutter->text, &reader->header, why) != 0
               ? LIST_ENTRY_BAD
               : ROW_NOTHING;
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

/* Takes one row from the cutter to the sink. 0, LIST_READER_BAD or a negative errno. */
static int take_row(struct row_reader *reader, enum row_end end, struct diag *diag)
{
    struct list_entry entry;
    struct diag why = {""};
    char place[PLACE_SIZE];

    snprintf(place, sizeof place, "line %" PRIu64, reader->cutter.line);
    if (end == ROW_LOST)
        return diag_fail(diag, LIST_READER_BAD,
                         "%s: a field opens with a quote that is not closed, or not within %d bytes", place,
                         LIST_ROW_MAX);
    int outcome = parse_row(reader, end, &entry, &why);
    if (outcome == ROW_NOTHING)
        return 0;
    if (outcome == 0)
        outcome = check_entry(&entry, &why);
    entry.line = reader->cutter.line;
    if (outcome == 0)
        outcome = intake_take(reader->intake, &entry, "classification", &why);
    if (outcome == LIST_ENTRY_BAD && reader->has_header && reader->header.count == 0)
        outcome = INTAKE_REFUSED;
    return intake_judge(reader->intake, place, outcome, &why, diag);
}

static int feed(void *state, const void *data, size_t size, struct diag *diag)
{
    struct row_reader *reader = state;
    const char *bytes = data;
    int outcome = 0;

    while (size > 0 && outcome == 0) {
        enum row_end end;
        size_t used = row_cutter_take(&reader->cutter, bytes, size, &end);

        bytes += used;
        size -= used;
        if (end != ROW_UNFINISHED)
            outcome = take_row(reader, end, diag);
    }
    return outcome;
}

static int finish(void *state, struct diag *diag)
{
    struct row_reader *reader = state;
    enum row_end end = row_cutter_finish(&reader->cutter);
    int outcome = end == ROW_UNFINISHED ? 0 : take_row(reader, end, diag);

    if (outcome == 0 && reader->has_header && reader->header.count == 0)
        return diag_fail(diag, LIST_READER_BAD, "line 1: no header; the first line must name the columns");
    return outcome;
}

const struct format_row format_csv = {
    .name = "csv", .has_classes = true, .create = create, .feed = feed, .finish = finish, .free = free};
const struct format_row format_lines = {
    .name = "lines", .create = create, .feed = feed, .finish = finish, .free = free};
const struct format_row format_hma = {
    .name = "hma", .create = create, .feed = feed, .finish = finish, .free = free};
