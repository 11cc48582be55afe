#include "fields.h"

#include "prescreen/base/bug.h"
#include "prescreen/base/text.h"

#include "hash_text.h"

#include <string.h>

static const char white[] = " \t\r\n";

void fields_init(struct field_set *set, const char *const *names, unsigned int count)
{
    BUG_ON(count > FIELDS_MAX);
    set->names = names;
    set->count = count;
    fields_clear(set);
}

void fields_clear(struct field_set *set)
{
    for (unsigned int i = 0; i < set->count; i++) {
        set->values[i].given = false;
        set->values[i].size = 0;
        set->values[i].text[0] = '\0';
    }
}

unsigned int fields_find(const struct field_set *set, const char *name, size_t size)
{
    unsigned int field = 0;

    while (field < set->count &&
           (strlen(set->names[field]) != size || memcmp(set->names[field], name, size) != 0))
        field++;
    return field;
}

int fields_begin(struct field_set *set, unsigned int field, struct diag *why)
{
    if (set->values[field].given)
        return diag_fail(why, LIST_ENTRY_BAD, "%s: given twice", set->names[field]);
    set->values[field].given = true;
    return 0;
}

int fields_append(struct field_set *set, unsigned int field, const char *text, size_t size, struct diag *why)
{
    char shown[TEXT_SHOWN_SIZE];

    if (size > LIST_FIELD_MAX - set->values[field].size)
        return diag_fail(why, LIST_ENTRY_BAD, "%s: longer than %d bytes: %s", set->names[field],
                         LIST_FIELD_MAX, text_show(set->values[field].text, shown));
    memcpy(set->values[field].text + set->values[field].size, text, size);
    set->values[field].size += size;
    set->values[field].text[set->values[field].size] = '\0';
    return 0;
}

int fields_end(struct field_set *set, unsigned int field, struct diag *why)
{
    char *text = set->values[field].text;
    size_t size = set->values[field].size;
    size_t front = 0;
    char shown[TEXT_SHOWN_SIZE];

    while (size > 0 && text[size - 1] != '\0' && strchr(white, text[size - 1]) != NULL)
        size--;
    while (front < size && text[front] != '\0' && strchr(white, text[front]) != NULL)
        front++;
    size -= front;
    memmove(text, text + front, size);
    text[size] = '\0';
    set->values[field].size = size;
    if (!text_is_printable_utf8(text, size))
        return diag_fail(why, LIST_ENTRY_BAD, "%s: not UTF-8 text without control characters: %s",
                         set->names[field], text_show(text, shown));
    return 0;
}

const char *fields_text(const struct field_set *set, unsigned int field)
{
    return set->values[field].text;
}

int fields_read_hash(const struct field_set *set, unsigned int field, enum hash_kind kind,
                     struct known_hashes *hashes, struct diag *why)
{
    struct known_hashes read = *hashes;
    char before[PDQ_HEX_SIZE];
    char now[PDQ_HEX_SIZE];
    struct diag shape;

    if (set->values[field].size == 0)
        return 0;
    if (hash_text_read(set->values[field].text, kind, &read, &shape) != 0)
        return diag_fail(why, LIST_ENTRY_BAD, "%s: %s", set->names[field], shape.text);
    if ((hashes->kinds & HASH_BIT(kind)) != 0) {
        known_hashes_format(hashes, kind, before);
        known_hashes_format(&read, kind, now);
        if (strcmp(before, now) != 0)
            return diag_fail(why, LIST_ENTRY_BAD, "%s: a second %s, unlike the first", set->names[field],
                             hash_kind_name(kind));
    }
    *hashes = read;
    return 0;
}
