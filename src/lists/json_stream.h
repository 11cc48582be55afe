/* JSON in pieces, told as events, in bounded memory; strict (RFC 8259), a byte order mark is passed over. */
#ifndef PRESCREEN_LISTS_JSON_STREAM_H
#define PRESCREEN_LISTS_JSON_STREAM_H

#include "prescreen/lists/reader.h"

enum json_type {
    JSON_TYPE_NULL,
    JSON_TYPE_BOOL,
    JSON_TYPE_NUMBER,
    JSON_TYPE_STRING,
    JSON_TYPE_CONTAINER /* a map or a list where none is known; only a walk tells of it */
};

/* Text is borrowed, not terminated, and well-formed UTF-8 that may hold NUL. */
struct json_scalar {
    enum json_type type;
    const char *text; /* of a number as it stands */
    size_t size;
};

/* What is told; anything but 0 stops, and is what json_stream_feed() returns. */
struct json_sink {
    int (*on_open)(void *context, bool is_map);
    int (*on_close)(void *context);
    int (*on_key)(void *context, const char *text, size_t size);
    int (*on_scalar)(void *context, const struct json_scalar *scalar);
};

struct json_stream;

/* sink and context are borrowed. Errors: -ENOMEM. */
int json_stream_create(const struct json_sink *sink, void *context, struct json_stream **stream);

/* Returns 0, LIST_READER_BAD with diag where the text is no JSON, is nested deeper than LIST_DEPTH_MAX or has
 * more than LIST_DOCUMENT_GAP_MAX bytes between two events, -ENOMEM with diag, or what the sink returned,
 * whose diag is its own. */
int json_stream_feed(struct json_stream *stream, const void *data, size_t size, struct diag *diag);
int json_stream_finish(struct json_stream *stream, struct diag *diag);

/* Bytes of the text up to the end of the event that is being told. */
uint64_t json_stream_position(const struct json_stream *stream);

void json_stream_free(struct json_stream *stream);

#endif
