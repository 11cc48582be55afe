/* XML in pieces, told as events, in bounded memory: no document type, so no entities and nothing from
 * outside; no network; the library's own limits for huge documents stay on; UTF-8 whatever the document says.
 */
#ifndef PRESCREEN_LISTS_XML_STREAM_H
#define PRESCREEN_LISTS_XML_STREAM_H

#include "prescreen/lists/reader.h"

/* What is told; anything but 0 stops, and is what xml_stream_feed() returns. */
struct xml_sink {
    /* space: of the name, "" when it has none. id: the value of an attribute id, borrowed and not terminated;
     * NULL when there is none. */
    int (*on_open)(void *context, const char *name, const char *space, const char *id, size_t id_size);
    int (*on_close)(void *context);
    int (*on_text)(void *context, const char *text, size_t size); /* in pieces */
};

struct xml_stream;

/* sink and context are borrowed. Errors: -ENOMEM. */
int xml_stream_create(const struct xml_sink *sink, void *context, struct xml_stream **stream);

/* Returns 0, LIST_READER_BAD with diag where the text is no XML, has a document type, is nested deeper than
 * LIST_DEPTH_MAX or has more than LIST_DOCUMENT_GAP_MAX bytes between two events, -ENOMEM with diag, or what
 * the sink returned, whose diag is its own. */
int xml_stream_feed(struct xml_stream *stream, const void *data, size_t size, struct diag *diag);
int xml_stream_finish(struct xml_stream *stream, struct diag *diag);

/* The line that is being read, from 1. */
uint64_t xml_stream_line(const struct xml_stream *stream);

void xml_stream_free(struct xml_stream *stream);

#endif
