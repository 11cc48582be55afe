#include "prescreen/lists/reader.h"

#include "prescreen/base/bug.h"

#include "intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct list_reader {
    struct intake intake;
    const struct format_row *format;
    void *state;
    bool ended;
};

static const struct format_row *const formats[LIST_FORMAT_COUNT] = {
    &format_csv, &format_lines, &format_vics, &format_ncmec, &format_stopncii, &format_hma};

const struct format_row *format_describe(enum list_format format)
{
    BUG_ON(format >= LIST_FORMAT_COUNT);
    return formats[format];
}

const char *list_format_name(enum list_format format)
{
    return format_describe(format)->name;
}

const char *list_format_choice(void)
{
    return "csv, lines, vics, ncmec, stopncii or hma";
}

bool list_format_repeats(enum list_format format)
{
    return format_describe(format)->repeats;
}

bool list_format_parse(const char *name, enum list_format *format)
{
    for (unsigned int i = 0; i < LIST_FORMAT_COUNT; i++) {
        if (strcmp(name, formats[i]->name) == 0) {
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
    made->intake.options = *options;
    made->format = format_describe(options->format);
    int result = made->format->create(&made->intake, &made->state);
    if (result != 0) {
        free(made);
        return result;
    }
    *reader = made;
    return 0;
}

int list_reader_feed(struct list_reader *reader, const void *data, size_t size, struct diag *diag)
{
    BUG_ON(reader->ended);
    int outcome = reader->format->feed(reader->state, data, size, diag);

    reader->ended = outcome != 0;
    return outcome;
}

int list_reader_finish(struct list_reader *reader, struct diag *diag)
{
    BUG_ON(reader->ended);
    reader->ended = true;
    return reader->format->finish(reader->state, diag);
}

const struct list_tally *list_reader_tally(const struct list_reader *reader)
{
    return &reader->intake.tally;
}

const struct list_paging *list_reader_paging(const struct list_reader *reader)
{
    return &reader->intake.paging;
}

void list_reader_free(struct list_reader *reader)
{
    if (reader == NULL)
        return;
    reader->format->free(reader->state);
    free(reader);
}
