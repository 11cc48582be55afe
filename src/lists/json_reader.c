#include "json_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PLACE_SIZE = 64 };

int json_reader_create(const struct json_walk *walk, size_t size, struct intake *intake, void **state)
{
    struct json_reader *made = calloc(1, size);

    if (made == NULL)
        return -ENOMEM;
    made->intake = intake;
    made->walk = *walk;
    made->walk.context = made;
    made->walk.diag = &made->said;
    json_walk_start(&made->walk);
    int result = json_stream_create(&json_walk_sink, &made->walk, &made->stream);
    if (result != 0)
        free(made);
    else
        *state = made;
    return result;
}

void json_reader_free(void *state)
{
    struct json_reader *reader = state;

    if (reader == NULL)
        return;
    json_stream_free(reader->stream);
    free(reader);
}

/* What the stream itself refuses is in own; what the sinks refuse is in said. */
static int judge(const struct json_reader *reader, int outcome, const struct diag *own, struct diag *diag)
{
    if (outcome != 0)
        diag_set(diag, "%s", own->text[0] != '\0' ? own->text : reader->said.text);
    return outcome;
}

int json_reader_feed(void *state, const void *data, size_t size, struct diag *diag)
{
    struct json_reader *reader = state;
    struct diag own = {""};

    return judge(reader, json_stream_feed(reader->stream, data, size, &own), &own, diag);
}

int json_reader_finish(struct json_reader *reader, struct diag *diag)
{
    struct diag own = {""};

    return judge(reader, json_stream_finish(reader->stream, &own), &own, diag);
}

void json_reader_begin(struct json_reader *reader)
{
    reader->record++;
    reader->flaw_outcome = 0;
    reader->entry =
        (struct list_entry){.entry_id = "", .classification = "", .note = "", .hashes.pdq_quality = -1};
}

int json_reader_note(struct json_reader *reader, int outcome, const struct diag *why)
{
    if (outcome != 0 && reader->flaw_outcome == 0) {
        reader->flaw_outcome = outcome;
        reader->flaw = *why;
        reader->flaw_at = json_stream_position(reader->stream);
    }
    return 0;
}

int json_reader_end(struct json_reader *reader, int outcome, const struct diag *why)
{
    char place[PLACE_SIZE];

    json_reader_note(reader, outcome, why);
    if (reader->flaw_outcome == 0)
        return 0;
    snprintf(place, sizeof place, "byte %" PRIu64 ", record %" PRIu64, reader->flaw_at, reader->record);
    return intake_judge(reader->intake, place, reader->flaw_outcome, &reader->flaw, &reader->said);
}

void json_reader_take(struct json_reader *reader, struct field_set *set, unsigned int field,
                      const struct json_scalar *scalar)
{
    struct diag why;
    int outcome = fields_begin(set, field, &why);

    if (outcome == 0 && (scalar->type == JSON_TYPE_BOOL || scalar->type == JSON_TYPE_CONTAINER))
        outcome = diag_fail(&why, LIST_ENTRY_BAD, "%s: must be a text or a number", set->names[field]);
    if (outcome == 0 && scalar->type != JSON_TYPE_NULL)
        outcome = fields_append(set, field, scalar->text, scalar->size, &why);
    if (outcome == 0)
        outcome = fields_end(set, field, &why);
    json_reader_note(reader, outcome, &why);
}

int json_reader_refuse(struct json_reader *reader, const char *format, ...)
{
    char sentence[DIAG_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return diag_fail(&reader->said, LIST_READER_BAD, "byte %" PRIu64 ": %s",
                     json_stream_position(reader->stream), sentence);
}
