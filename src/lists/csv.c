#include "csv.h"

#include "prescreen/base/bug.h"
#include "prescreen/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_NAME_MAX = 31 }; /* bytes of an unknown column's name: less than any hash has digits */

/* The fields of one row; more than CSV_FIELDS_MAX and one are counted only. */
struct csv_fields {
    unsigned int count;
    char *text[CSV_FIELDS_MAX + 1];
};

/* Takes one field off the row, undoing its quotes in place. Returns what follows its comma, NULL after the
 * last field; *flaw is set when the quotes are wrong. */
static char *take_field(char *row, char **field, const char **flaw)
{
    if (*row != '"') {
        size_t length = strcspn(row, ",");
        if (memchr(row, '"', length) != NULL)
            *flaw = "a quote within a field that does not begin with one";
        *field = row;
        row += length;
    } else {
        char *out = *field = row + 1;

        for (row++; *row != '\0' && (*row != '"' || row[1] == '"'); row++) {
            if (*row == '"')
                row++;
            *out++ = *row;
        }
        if (*row == '\0')
            *flaw = "a quote is opened and not closed";
        else if (row[1] != ',' && row[1] != '\0')
            *flaw = "text after the closing quote";
        else
            row++;
        *out = '\0';
    }
    if (*row != ',')
        return NULL;
    *row = '\0';
    return row + 1;
}

/* Splits a row. header names the columns in the reason; NULL for the header itself. */
static int split_row(const struct csv_header *header, char *row, struct csv_fields *fields, struct diag *why)
{
    const char *flaw = NULL;

    for (fields->count = 0; row != NULL && flaw == NULL; fields->count++) {
        char *field = NULL;

        row = take_field(row, &field, &flaw);
        if (fields->count <= CSV_FIELDS_MAX)
            fields->text[fields->count] = field;
    }
    if (flaw == NULL)
        return 0;
    if (header != NULL && fields->count <= header->count &&
        header->columns[fields->count - 1] != COLUMN_COUNT)
        return diag_fail(why, LIST_ENTRY_BAD, "column %s: %s",
                         list_column_name(header->columns[fields->count - 1]), flaw);
    return diag_fail(why, LIST_ENTRY_BAD, "field %u: %s", fields->count, flaw);
}

/* What the rules, or the column itself, call it. */
static const char *column_name(const struct config_list *rules, enum list_column column)
{
    return rules != NULL && rules->has_columns ? rules->columns[column] : list_column_name(column);
}

static bool find_column(const struct config_list *rules, const char *name, enum list_column *column)
{
    for (unsigned int i = 0; i < COLUMN_COUNT && name[0] != '\0'; i++) {
        if (strcmp(name, column_name(rules, (enum list_column)i)) == 0) {
            *column = (enum list_column)i;
            return true;
        }
    }
    return false;
}

/* A file without a header has hashes where the names should be: what could be one is not shown. */
static int refuse_column(unsigned int place, const char *name, struct diag *why)
{
    size_t length = strlen(name);

    if (length == 0)
        return diag_fail(why, LIST_ENTRY_BAD, "column %u has no name", place);
    if (length > SHOWN_NAME_MAX || !text_is_printable_utf8(name, length) || strpbrk(name, "=+/") != NULL)
        return diag_fail(why, LIST_ENTRY_BAD,
                         "column %u has an unknown name of %zu bytes; is the header line missing?", place,
                         length);
    return diag_fail(why, LIST_ENTRY_BAD,
                     "unknown column \"%s\"; known are entry_id, md5, sha1, sha256, pdq, pdq_quality, "
                     "classification, note, views",
                     name);
}

/* Of a file whose columns bear their own names: the least that it must have. */
static int check_own(unsigned int seen, struct diag *why)
{
    const unsigned int hashes = 1u << COLUMN_MD5 | 1u << COLUMN_SHA1 | 1u << COLUMN_SHA256 | 1u << COLUMN_PDQ;

    if ((seen & 1u << COLUMN_ENTRY_ID) == 0)
        return diag_fail(why, LIST_ENTRY_BAD, "no column entry_id");
    if ((seen & hashes) == 0)
        return diag_fail(why, LIST_ENTRY_BAD, "no column of hashes: at least one of md5, sha1, sha256, pdq");
    return 0;
}

/* Of a file whose columns are named in the configuration: all of them. */
static int check_named(const struct config_list *rules, unsigned int seen, struct diag *why)
{
    for (unsigned int i = 0; i < COLUMN_COUNT; i++) {
        if (rules->columns[i][0] != '\0' && (seen & 1u << i) == 0)
            return diag_fail(why, LIST_ENTRY_BAD,
                             "no column \"%s\", which the configuration says is this list's %s",
                             rules->columns[i], list_column_name((enum list_column)i));
    }
    return 0;
}

int csv_read_header(const struct config_list *rules, char *row, struct csv_header *header, struct diag *why)
{
    const bool named = rules != NULL && rules->has_columns;
    struct csv_header read = {0};
    struct csv_fields fields;
    unsigned int seen = 0;

    if (split_row(NULL, row, &fields, why) != 0)
        return LIST_ENTRY_BAD;
    if (fields.count > CSV_FIELDS_MAX)
        return diag_fail(why, LIST_ENTRY_BAD, "%u columns, at most %d are taken", fields.count,
                         CSV_FIELDS_MAX);
    for (unsigned int i = 0; i < fields.count; i++) {
        enum list_column column = COLUMN_COUNT;

        if (!find_column(rules, fields.text[i], &column) && !named)
            return refuse_column(i + 1, fields.text[i], why);
        if (column != COLUMN_COUNT && (seen & 1u << column) != 0)
            return diag_fail(why, LIST_ENTRY_BAD, "column %s is named twice", column_name(rules, column));
        if (column != COLUMN_COUNT)
            seen |= 1u << column;
        read.columns[read.count++] = column;
    }
    int outcome = named ? check_named(rules, seen, why) : check_own(seen, why);
    if (outcome != 0)
        return outcome;
    read.names_entries = (seen & 1u << COLUMN_ENTRY_ID) != 0;
    *header = read;
    return 0;
}

static int read_hash(const char *text, enum list_column column, struct known_hashes *hashes, struct diag *why)
{
    struct diag shape;

    if (text[0] == '\0' || hash_text_read(text, (enum hash_kind)(column - COLUMN_MD5), hashes, &shape) == 0)
        return 0;
    return diag_fail(why, LIST_ENTRY_BAD, "column %s: %s", list_column_name(column), shape.text);
}

static int read_quality(const char *text, struct known_hashes *hashes, struct diag *why)
{
    uint64_t quality = 0;
    char shown[TEXT_SHOWN_SIZE];

    if (text[0] == '\0')
        return 0;
    if (!text_parse_u64(text, 100, &quality))
        return diag_fail(why, LIST_ENTRY_BAD, "column pdq_quality: not a number from 0 to 100: %s",
                         text_show(text, shown));
    hashes->pdq_quality = (int)quality;
    return 0;
}

/* One view as NAME:HEX. */
static bool read_view(char *word, struct entry_view *view)
{
    char *hex = strchr(word, ':');

    if (hex == NULL)
        return false;
    *hex++ = '\0';
    return view_parse(word, &view->view) && view->view != VIEW_MAIN &&
           pdq_from_hex(hex, strlen(hex), &view->hash);
}

/* Views parted by single spaces. */
static int read_views(char *text, struct entry_view *views, size_t *count, struct diag *why)
{
    for (char *end = NULL; text != NULL && text[0] != '\0'; text = end) {
        end = strchr(text, ' ');
        if (end != NULL)
            *end++ = '\0';
        if (*count == ENTRY_VIEWS_MAX)
            return diag_fail(why, LIST_ENTRY_BAD, "column views: more than %d", ENTRY_VIEWS_MAX);
        if (!read_view(text, &views[(*count)++]))
            return diag_fail(
                why, LIST_ENTRY_BAD,
                "column views: view %zu is not the name of one, a colon and 64 hexadecimal digits", *count);
    }
    return 0;
}

static int read_field(const struct csv_header *header, unsigned int place, char *text,
                      struct csv_storage *storage, struct list_entry *entry, struct diag *why)
{
    switch (header->columns[place]) {
    case COLUMN_ENTRY_ID:
        entry->entry_id = text;
        return 0;
    case COLUMN_CLASSIFICATION:
        entry->classification = text;
        return 0;
    case COLUMN_NOTE:
        entry->note = text;
        return 0;
    case COLUMN_QUALITY:
        return read_quality(text, &entry->hashes, why);
    case COLUMN_VIEWS:
        return read_views(text, storage->views, &entry->view_count, why);
    case COLUMN_COUNT:
        return 0;
    default:
        return read_hash(text, header->columns[place], &entry->hashes, why);
    }
}

int csv_read_row(const struct csv_header *header, char *row, struct csv_storage *storage,
                 struct list_entry *entry, struct diag *why)
{
    struct list_entry read = {
        .entry_id = "", .classification = "", .note = "", .hashes.pdq_quality = -1, .views = storage->views};
    struct csv_fields fields;
    int outcome = split_row(header, row, &fields, why);

    if (outcome == 0 && fields.count != header->count)
        outcome =
            diag_fail(why, LIST_ENTRY_BAD, "%u fields, the header names %u", fields.count, header->count);
    for (unsigned int i = 0; outcome == 0 && i < header->count; i++)
        outcome = read_field(header, i, fields.text[i], storage, &read, why);
    if (outcome == 0 && !header->names_entries && read.hashes.kinds != 0) {
        if (hash_text_name_entry(&read.hashes, storage->entry_id) != 0)
            outcome = diag_fail(why, -EIO, "the library of digests refused SHA-256");
        read.entry_id = storage->entry_id;
    }
    if (outcome == 0)
        *entry = read;
    return outcome;
}
