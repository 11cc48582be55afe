#include "prescreen/lists/writer.h"

#include "prescreen/base/bug.h"

#include <stdio.h>
#include <string.h>

/* A row in the making; what does not fit is counted as lost and not written. */
struct csv_row {
    char *text;
    size_t capacity;
    size_t size;
    bool full;
};

static void put(struct csv_row *row, const char *data, size_t size)
{
    if (row->full || size > row->capacity - row->size) {
        row->full = true;
        return;
    }
    memcpy(row->text + row->size, data, size);
    row->size += size;
}

/* Quotes what RFC 4180 says, and what begins or ends with a space, which some programs cut off. */
static bool needs_quotes(const char *value, size_t length)
{
    return strpbrk(value, ",\"\r\n") != NULL || (length > 0 && (value[0] == ' ' || value[length - 1] == ' '));
}

static void put_value(struct csv_row *row, const char *value)
{
    size_t length = strlen(value);

    if (!needs_quotes(value, length)) {
        put(row, value, length);
        return;
    }
    put(row, "\"", 1);
    for (; *value != '\0'; value++)
        put(row, *value == '"' ? "\"\"" : value, *value == '"' ? 2 : 1);
    put(row, "\"", 1);
}

static void put_hash(struct csv_row *row, const struct known_hashes *hashes, enum hash_kind kind)
{
    char hex[PDQ_HEX_SIZE];

    if ((hashes->kinds & HASH_BIT(kind)) == 0)
        return;
    known_hashes_format(hashes, kind, hex);
    put_value(row, hex);
}

static void put_quality(struct csv_row *row, const struct known_hashes *hashes)
{
    char digits[12];

    if ((hashes->kinds & HASH_BIT(HASH_PDQ)) == 0 || hashes->pdq_quality < 0)
        return;
    snprintf(digits, sizeof digits, "%d", hashes->pdq_quality);
    put_value(row, digits);
}

static void put_views(struct csv_row *row, const struct list_entry *entry)
{
    char hex[PDQ_HEX_SIZE];

    for (size_t i = 0; i < entry->view_count; i++) {
        const char *name = view_name(entry->views[i].view);

        if (i > 0)
            put(row, " ", 1);
        put(row, name, strlen(name));
        put(row, ":", 1);
        pdq_to_hex(&entry->views[i].hash, hex);
        put(row, hex, PDQ_HEX_SIZE - 1);
    }
}

static void put_column(struct csv_row *row, const struct list_entry *entry, enum list_column column)
{
    switch (column) {
    case COLUMN_ENTRY_ID:
        put_value(row, entry->entry_id);
        break;
    case COLUMN_QUALITY:
        put_quality(row, &entry->hashes);
        break;
    case COLUMN_CLASSIFICATION:
        put_value(row, entry->classification);
        break;
    case COLUMN_NOTE:
        put_value(row, entry->note);
        break;
    case COLUMN_VIEWS:
        put_views(row, entry);
        break;
    default:
        put_hash(row, &entry->hashes, (enum hash_kind)(column - COLUMN_MD5));
    }
}

/* Writes the columns; of an entry, or their names when entry is NULL. */
static size_t format_row(const struct list_entry *entry, bool with_views, char *text, size_t capacity)
{
    struct csv_row row = {.text = text, .capacity = capacity};
    unsigned int columns = with_views ? COLUMN_COUNT : COLUMN_VIEWS;

    for (unsigned int i = 0; i < columns; i++) {
        if (i > 0)
            put(&row, ",", 1);
        if (entry == NULL)
            put_value(&row, list_column_name((enum list_column)i));
        else
            put_column(&row, entry, (enum list_column)i);
    }
    put(&row, "\n", 1);
    return row.full ? 0 : row.size;
}

size_t list_csv_format_header(bool with_views, char *text, size_t capacity)
{
    return format_row(NULL, with_views, text, capacity);
}

size_t list_csv_format_row(const struct list_entry *entry, bool with_views, char *text, size_t capacity)
{
    return entry->view_count > 0 && !with_views ? 0 : format_row(entry, with_views, text, capacity);
}
