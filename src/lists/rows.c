#include "rows.h"

#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";
enum { MARK_SIZE = sizeof byte_order_mark - 1, MARK_PASSED };

void row_cutter_init(struct row_cutter *cutter, bool quotes)
{
    *cutter = (struct row_cutter){.quotes = quotes, .line = 1};
}

static void keep(struct row_cutter *cutter, const char *data, size_t size)
{
    size_t room = sizeof cutter->text - 1 - cutter->size;

    if (size > room) {
        cutter->overlong = true;
        size = room;
    }
    memcpy(cutter->text + cutter->size, data, size);
    cutter->size += size;
}

/* Passes over a byte order mark at the start of the stream; what only began like one belongs to the row. */
static size_t pass_mark(struct row_cutter *cutter, const char *data, size_t size)
{
    size_t used = 0;

    while (cutter->mark < MARK_SIZE && used < size && data[used] == byte_order_mark[cutter->mark]) {
        cutter->mark++;
        used++;
    }
    if (cutter->mark < MARK_SIZE && used < size)
        keep(cutter, byte_order_mark, cutter->mark);
    if (used < size)
        cutter->mark = MARK_PASSED;
    return used;
}

static void begin_row(struct row_cutter *cutter)
{
    cutter->line += cutter->lines;
    cutter->lines = 0;
    cutter->size = 0;
    cutter->state = AT_FIELD;
    cutter->ended = cutter->overlong = cutter->broken = false;
}

static enum row_end end_row(struct row_cutter *cutter)
{
    cutter->ended = true;
    if (cutter->size > 0 && cutter->text[cutter->size - 1] == '\r' && cutter->state != IN_QUOTES &&
        !cutter->overlong)
        cutter->size--;
    cutter->text[cutter->size] = '\0';
    return cutter->overlong || cutter->size > LIST_ROW_MAX ? ROW_OVERLONG : ROW_WHOLE;
}

static void step(struct row_cutter *cutter, char c)
{
    switch (cutter->state) {
    case AT_FIELD:
        cutter->state = c == '"' ? IN_QUOTES : c == ',' ? AT_FIELD : IN_FIELD;
        break;
    case IN_FIELD:
        cutter->state = c == ',' ? AT_FIELD : IN_FIELD;
        break;
    case IN_QUOTES:
        cutter->state = c == '"' ? AFTER_QUOTE : IN_QUOTES;
        break;
    case AFTER_QUOTE:
        cutter->state = c == '"' ? IN_QUOTES : c == ',' ? AT_FIELD : IN_FIELD;
        break;
    }
}

/* Takes a stretch without a line end. Most have no quote at all: those are copied whole. */
static void take_stretch(struct row_cutter *cutter, const char *data, size_t size)
{
    if (size == 0)
        return;
    keep(cutter, data, size);
    if (!cutter->quotes)
        return;
    if (cutter->state <= IN_FIELD && memchr(data, '"', size) == NULL) {
        cutter->state = data[size - 1] == ',' ? AT_FIELD : IN_FIELD;
        return;
    }
    for (size_t i = 0; i < size; i++)
        step(cutter, data[i]);
}

size_t row_cutter_take(struct row_cutter *cutter, const char *data, size_t size, enum row_end *end)
{
    if (cutter->ended)
        begin_row(cutter);
    size_t used = cutter->mark == MARK_PASSED ? 0 : pass_mark(cutter, data, size);

    *end = ROW_UNFINISHED;
    while (used < size && *end == ROW_UNFINISHED) {
        const char *newline = memchr(data + used, '\n', size - used);
        size_t stretch = newline != NULL ? (size_t)(newline - data) - used : size - used;

        take_stretch(cutter, data + used, stretch);
        used += stretch;
        if (newline != NULL) {
            used++;
            cutter->lines++;
            if (cutter->state == IN_QUOTES) {
                keep(cutter, "\n", 1);
                cutter->broken = true;
            } else {
                *end = end_row(cutter);
            }
        }
        if (cutter->overlong && cutter->broken)
            *end = ROW_LOST;
    }
    return used;
}

enum row_end row_cutter_finish(struct row_cutter *cutter)
{
    if (cutter->ended)
        begin_row(cutter);
    if (cutter->mark < MARK_SIZE)
        keep(cutter, byte_order_mark, cutter->mark);
    if (cutter->size == 0)
        return ROW_UNFINISHED;
    if (cutter->state == IN_QUOTES && cutter->broken)
        return ROW_LOST;
    return end_row(cutter);
}
