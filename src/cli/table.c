#include "prescreen/base/bug.h"

#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table {
    size_t columns;
    bool right[TABLE_COLUMNS_MAX];
    char **cells; /* row by row, the headings first */
    size_t count;
    size_t capacity;
    bool lost; /* memory ran out for a cell */
};

static void add_cell(struct table *table, char *text)
{
    if (table->count == table->capacity && text != NULL) {
        size_t capacity = table->capacity * 2 + 32;
        char **cells = realloc(table->cells, capacity * sizeof *cells);
        if (cells != NULL) {
            table->cells = cells;
            table->capacity = capacity;
        }
    }
    if (text == NULL || table->count == table->capacity) {
        table->lost = true;
        free(text);
        return;
    }
    table->cells[table->count++] = text;
}

int table_create(const char *const *headings, size_t column_count, struct table **table)
{
    struct table *created = calloc(1, sizeof *created);

    BUG_ON(column_count == 0 || column_count > TABLE_COLUMNS_MAX);
    if (created == NULL)
        return -ENOMEM;
    created->columns = column_count;
    for (size_t column = 0; column < column_count; column++) {
        created->right[column] = headings[column][0] == '>';
        add_cell(created, strdup(headings[column] + (created->right[column] ? 1 : 0)));
    }
    *table = created;
    return 0;
}

void table_add(struct table *table, const char *format, ...)
{
    char text[512];
    char clean[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add_cell(table, strdup(printable(text, clean, sizeof clean)));
}

/* Characters of UTF-8 text, each taken as one column wide. */
static size_t text_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static size_t column_width(const struct table *table, size_t column)
{
    size_t widest = 0;

    for (size_t i = column; i < table->count; i += table->columns) {
        size_t width = text_width(table->cells[i]);
        if (width > widest)
            widest = width;
    }
    return widest;
}

static void print_cell(const char *text, size_t width, bool right, bool last)
{
    int pad = (int)(width - text_width(text));

    if (right)
        printf("%*s%s", pad, "", text);
    else
        printf("%s%*s", text, last ? 0 : pad, "");
    fputs(last ? "\n" : "  ", stdout);
}

int table_print(const struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX];

    if (table->lost)
        return -ENOMEM;
    BUG_ON(table->count % table->columns != 0);
    for (size_t column = 0; column < table->columns; column++)
        widths[column] = column_width(table, column);
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;
        print_cell(table->cells[i], widths[column], table->right[column], column + 1 == table->columns);
    }
    return 0;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}
