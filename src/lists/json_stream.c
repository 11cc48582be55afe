#include "json_stream.h"

#include "prescreen/base/bug.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

enum {
    SLICE_MAX = 16384, /* bytes given to the parser at once: the gap is counted in these */
    MARK_SIZE = sizeof byte_order_mark - 1,
    MARK_PASSED,
    SINK_STOPS = 0, /* to the parser */
    SINK_GOES_ON = 1
};

struct json_stream {
    const struct json_sink *sink;
    void *context;
    yajl_handle parser;
    uint64_t before;   /* bytes before the slice that the parser has */
    unsigned int mark; /* bytes of a byte order mark seen */
    unsigned int depth;
    size_t gap;      /* bytes since the last event */
    bool told;       /* an event in this slice */
    int outcome;     /* of the sink */
    struct diag why; /* of the stream's own refusal */
};

static int judge(struct json_stream *stream, int outcome)
{
    stream->told = true;
    stream->outcome = outcome;
    return outcome == 0 ? SINK_GOES_ON : SINK_STOPS;
}

static int tell_scalar(struct json_stream *stream, enum json_type type, const char *text, size_t size)
{
    const struct json_scalar scalar = {.type = type, .text = text, .size = size};

    return judge(stream, stream->sink->on_scalar(stream->context, &scalar));
}

static int on_null(void *context)
{
    return tell_scalar(context, JSON_TYPE_NULL, "", 0);
}

static int on_bool(void *context, int value)
{
    return tell_scalar(context, JSON_TYPE_BOOL, value != 0 ? "true" : "false", value != 0 ? 4 : 5);
}

static int on_number(void *context, const char *text, size_t size)
{
    return tell_scalar(context, JSON_TYPE_NUMBER, text, size);
}

static int on_string(void *context, const unsigned char *text, size_t size)
{
    return tell_scalar(context, JSON_TYPE_STRING, (const char *)text, size);
}

static int on_key(void *context, const unsigned char *text, size_t size)
{
    struct json_stream *stream = context;

    return judge(stream, stream->sink->on_key(stream->context, (const char *)text, size));
}

static int open_level(struct json_stream *stream, bool is_map)
{
    if (stream->depth == LIST_DEPTH_MAX) {
        diag_set(&stream->why, "nested deeper than %d levels", LIST_DEPTH_MAX);
        return judge(stream, LIST_READER_BAD);
    }
    stream->depth++;
    return judge(stream, stream->sink->on_open(stream->context, is_map));
}

static int on_map(void *context)
{
    return open_level(context, true);
}

static int on_array(void *context)
{
    return open_level(context, false);
}

static int on_close(void *context)
{
    struct json_stream *stream = context;

    stream->depth--;
    return judge(stream, stream->sink->on_close(stream->context));
}

static const yajl_callbacks callbacks = {.yajl_null = on_null,
                                         .yajl_boolean = on_bool,
                                         .yajl_number = on_number,
                                         .yajl_string = on_string,
                                         .yajl_start_map = on_map,
                                         .yajl_map_key = on_key,
                                         .yajl_end_map = on_close,
                                         .yajl_start_array = on_array,
                                         .yajl_end_array = on_close};

int json_stream_create(const struct json_sink *sink, void *context, struct json_stream **stream)
{
    struct json_stream *made = calloc(1, sizeof *made);

    if (made == NULL)
        return -ENOMEM;
    made->sink = sink;
    made->context = context;
    made->parser = yajl_alloc(&callbacks, NULL, made);
    if (made->parser == NULL) {
        free(made);
        return -ENOMEM;
    }
    *stream = made;
    return 0;
}

uint64_t json_stream_position(const struct json_stream *stream)
{
    return stream->before + yajl_get_bytes_consumed(stream->parser);
}

/* The parser's own words name no part of the text, but end with a line feed. */
static int refuse_syntax(struct json_stream *stream, struct diag *diag)
{
    unsigned char *words = yajl_get_error(stream->parser, 0, NULL, 0);
    int length = words == NULL ? 0 : (int)strcspn((const char *)words, "\n");

    diag_set(diag, "byte %" PRIu64 ": no JSON: %.*s", json_stream_position(stream), length,
             words == NULL ? "" : (const char *)words);
    if (words != NULL)
        yajl_free_error(stream->parser, words);
    return LIST_READER_BAD;
}

static int judge_status(struct json_stream *stream, yajl_status status, struct diag *diag)
{
    if (status == yajl_status_ok)
        return 0;
    if (status == yajl_status_error)
        return refuse_syntax(stream, diag);
    if (stream->why.text[0] != '\0')
        diag_set(diag, "byte %" PRIu64 ": %s", json_stream_position(stream), stream->why.text);
    return stream->outcome;
}

static int feed_slice(struct json_stream *stream, const uint8_t *data, size_t size, struct diag *diag)
{
    stream->told = false;
    int outcome = judge_status(stream, yajl_parse(stream->parser, data, size), diag);
    if (outcome != 0)
        return outcome;
    stream->before += size;
    stream->gap = stream->told ? 0 : stream->gap + size;
    if (stream->gap > LIST_DOCUMENT_GAP_MAX)
        return diag_fail(diag, LIST_READER_BAD,
                         "byte %" PRIu64 ": a value, or a gap between values, of more than %d bytes",
                         stream->before, LIST_DOCUMENT_GAP_MAX);
    return 0;
}

/* Passes over a byte order mark. What only began like one is no JSON, and the parser will say so. */
static int pass_mark(struct json_stream *stream, const uint8_t **data, size_t *size, struct diag *diag)
{
    int outcome = 0;

    while (stream->mark<MARK_SIZE && * size> 0 && **data == (uint8_t)byte_order_mark[stream->mark]) {
        stream->mark++;
        ++*data;
        --*size;
    }
    if (stream->mark < MARK_SIZE && *size == 0)
        return 0;
    if (stream->mark == MARK_SIZE)
        stream->before = MARK_SIZE;
    else if (stream->mark > 0)
        outcome = feed_slice(stream, (const uint8_t *)byte_order_mark, stream->mark, diag);
    stream->mark = MARK_PASSED;
    return outcome;
}

int json_stream_feed(struct json_stream *stream, const void *data, size_t size, struct diag *diag)
{
    const uint8_t *bytes = data;
    int outcome = stream->mark == MARK_PASSED ? 0 : pass_mark(stream, &bytes, &size, diag);

    while (outcome == 0 && size > 0) {
        size_t slice = size < SLICE_MAX ? size : SLICE_MAX;

        outcome = feed_slice(stream, bytes, slice, diag);
        bytes += slice;
        size -= slice;
    }
    return outcome;
}

int json_stream_finish(struct json_stream *stream, struct diag *diag)
{
    return judge_status(stream, yajl_complete_parse(stream->parser), diag);
}

void json_stream_free(struct json_stream *stream)
{
    if (stream == NULL)
        return;
    yajl_free(stream->parser);
    free(stream);
}
