#include "hma.h"

#include "prescreen/base/text.h"

#include "lines.h"

#include <errno.h>
#include <string.h>

enum { FIELDS = 4 }; /* hash, id, time, tags */

/* What a signal type is here; false: it cannot be matched. */
static bool find_kind(const char *type, enum hash_kind *kind)
{
    if (strcmp(type, "photo_md5") == 0) {
        *kind = HASH_MD5;
        return true;
    }
    return hash_kind_parse(type, kind);
}

static int read_line(struct intake *intake, char *row, char entry_id[DERIVED_ID_SIZE],
                     struct list_entry *entry, struct diag *why)
{
    enum hash_kind kind = HASH_PDQ;
    char *signal = lines_cut_word(row);

    if (*signal == '\0')
        return diag_fail(why, LIST_ENTRY_BAD,
                         "one word; a row is SIGNAL_TYPE and SIGNAL, or HASH,ID,TIME,TAGS");
    if (!find_kind(row, &kind)) {
        intake_leave(intake, row);
        return ROW_NOTHING;
    }
    if (*lines_cut_word(signal) != '\0')
        return diag_fail(why, LIST_ENTRY_BAD, "more than a signal type and a signal");
    int outcome = hash_text_read(signal, kind, &entry->hashes, why);
    if (outcome == 0 && hash_text_name_entry(&entry->hashes, entry_id) != 0)
        outcome = diag_fail(why, -EIO, "the library of digests refused SHA-256");
    entry->entry_id = entry_id;
    return outcome;
}

/* A word among others that blanks part. */
static bool has_tag(const char *tags, const char *tag)
{
    const size_t size = strlen(tag);

    for (const char *at = tags; (at = strstr(at, tag)) != NULL; at += size) {
        if ((at == tags || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
            return true;
    }
    return false;
}

static int read_fields(struct intake *intake, char *fields[FIELDS], struct list_entry *entry,
                       struct diag *why)
{
    const size_t digits = strlen(fields[0]);
    char shown[TEXT_SHOWN_SIZE];

    if (has_tag(fields[3], "media_type_video") && !has_tag(fields[3], "media_type_photo")) {
        intake_leave(intake, "video");
        return ROW_NOTHING;
    }
    int outcome = hash_text_check_digits(fields[0], why);
    if (outcome == 0 && digits != 2ul * PDQ_SIZE && digits != 2ul * MD5_SIZE)
        outcome = diag_fail(why, LIST_ENTRY_BAD, "%zu hexadecimal digits, expected 64 (pdq) or 32 (md5): %s",
                            digits, text_show(fields[0], shown));
    if (outcome == 0)
        outcome =
            hash_text_read(fields[0], digits == 2ul * PDQ_SIZE ? HASH_PDQ : HASH_MD5, &entry->hashes, why);
    if (outcome == 0 && fields[1][0] == '\0')
        outcome = diag_fail(why, LIST_ENTRY_BAD, "field 2: the id is empty");
    entry->entry_id = fields[1];
    entry->note = fields[3];
    return outcome;
}

static int read_comma_row(struct intake *intake, char *row, struct list_entry *entry, struct diag *why)
{
    char *fields[FIELDS];
    unsigned int count = 0;

    for (char *rest = row; rest != NULL; count++) {
        char *field = strsep(&rest, ",");
        if (count < FIELDS)
            fields[count] = field;
    }
    if (count != FIELDS)
        return diag_fail(why, LIST_ENTRY_BAD, "%u fields, a row has four: HASH,ID,TIME,TAGS", count);
    return read_fields(intake, fields, entry, why);
}

int hma_read_row(struct intake *intake, char *row, char entry_id[DERIVED_ID_SIZE], struct list_entry *entry,
                 struct diag *why)
{
    struct list_entry read = {.entry_id = "", .classification = "", .note = "", .hashes.pdq_quality = -1};
    char *text = row + strspn(row, " \t");

    if (*text == '\0' || *text == '#')
        return ROW_NOTHING;
    /* Texts and addresses may hold commas, but then a blank stands before: behind their type. */
    size_t blank = strcspn(text, " \t");
    size_t comma = strcspn(text, ",");
    int outcome = comma < blank ? read_comma_row(intake, text, &read, why)
                                : read_line(intake, text, entry_id, &read, why);
    if (outcome == 0)
        *entry = read;
    return outcome;
}
