/* Cuts a stream of bytes into rows, wherever the pieces are cut. */
#ifndef PRESCREEN_LISTS_ROWS_H
#define PRESCREEN_LISTS_ROWS_H

#include "prescreen/lists/reader.h"

enum row_end {
    ROW_UNFINISHED, /* needs more bytes */
    ROW_WHOLE,      /* text[0..size) is a row without its line end, and terminated */
    ROW_OVERLONG,   /* the row ended, but is longer than LIST_ROW_MAX: text is worthless */
    ROW_LOST /* nobody can tell where the row ends: an open quote runs over lines to the end of the file or
                past LIST_ROW_MAX */
};

/* Positive outcome of reading a row, beside LIST_ENTRY_BAD: it carries no entry and is no flaw. */
enum { ROW_NOTHING = LIST_ENTRY_BAD + 1 };

struct row_cutter {
    bool quotes;       /* a quote at the start of a field hides line ends: CSV */
    unsigned int mark; /* bytes of a byte order mark seen at the start of the stream */
    enum { AT_FIELD, IN_FIELD, IN_QUOTES, AFTER_QUOTE } state;
    bool ended;     /* the row was handed out: the next byte begins another */
    bool overlong;  /* more bytes came than text holds */
    bool broken;    /* a line end lies within its quotes */
    uint64_t line;  /* that the row began on, from 1 */
    uint64_t lines; /* line ends within it */
    size_t size;
    char text[LIST_ROW_MAX + 2]; /* a carriage return may stand past the longest row */
};

void row_cutter_init(struct row_cutter *cutter, bool quotes);

/* Takes bytes up to the end of a row, or all of them. Returns how many it took. After ROW_LOST the stream can
 * only be given up. */
size_t row_cutter_take(struct row_cutter *cutter, const char *data, size_t size, enum row_end *end);

/* Ends the stream: ROW_UNFINISHED when no row is left. */
enum row_end row_cutter_finish(struct row_cutter *cutter);

#endif
