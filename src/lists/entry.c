#include "prescreen/lists/entry.h"

#include "prescreen/base/text.h"

#include <string.h>

static int check_text(const char *member, const char *value, size_t maximum, struct diag *diag)
{
    size_t length = strlen(value);
    char shown[TEXT_SHOWN_SIZE];

    if (length > maximum)
        return diag_fail(diag, LIST_ENTRY_BAD, "%s: %zu bytes, at most %zu are allowed: %s", member, length,
                         maximum, text_show(value, shown));
    if (!text_is_printable_utf8(value, length))
        return diag_fail(diag, LIST_ENTRY_BAD, "%s: not UTF-8 text without control characters: %s", member,
                         text_show(value, shown));
    return 0;
}

static int check_hashes(const struct known_hashes *hashes, struct diag *diag)
{
    if (hashes->kinds == 0 || hashes->kinds >= HASH_BIT(HASH_KIND_COUNT))
        return diag_fail(diag, LIST_ENTRY_BAD, "no hash: at least one of md5, sha1, sha256, pdq is needed");
    if (hashes->pdq_quality < -1 || hashes->pdq_quality > 100)
        return diag_fail(diag, LIST_ENTRY_BAD, "pdq_quality: not a number from 0 to 100: %d",
                         hashes->pdq_quality);
    if (hashes->pdq_quality >= 0 && (hashes->kinds & HASH_BIT(HASH_PDQ)) == 0)
        return diag_fail(diag, LIST_ENTRY_BAD, "pdq_quality: given without a pdq");
    return 0;
}

static int check_views(const struct list_entry *entry, struct diag *diag)
{
    if (entry->view_count > ENTRY_VIEWS_MAX)
        return diag_fail(diag, LIST_ENTRY_BAD, "views: %zu hashes, at most %d are allowed", entry->view_count,
                         ENTRY_VIEWS_MAX);
    for (size_t i = 0; i < entry->view_count; i++) {
        if (entry->views[i].view == VIEW_MAIN || (unsigned int)entry->views[i].view >= VIEW_COUNT)
            return diag_fail(diag, LIST_ENTRY_BAD, "views: not a view other than main");
    }
    return 0;
}

int list_entry_check(const struct list_entry *entry, struct diag *diag)
{
    if (entry->entry_id[0] == '\0')
        return diag_fail(diag, LIST_ENTRY_BAD, "entry_id: empty");
    int outcome = check_text("entry_id", entry->entry_id, ENTRY_ID_MAX, diag);
    if (outcome == 0)
        outcome = check_text("classification", entry->classification, CLASSIFICATION_MAX, diag);
    if (outcome == 0)
        outcome = check_text("note", entry->note, ENTRY_NOTE_MAX, diag);
    if (outcome == 0)
        outcome = check_hashes(&entry->hashes, diag);
    return outcome != 0 ? outcome : check_views(entry, diag);
}
