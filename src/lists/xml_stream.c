#include "xml_stream.h"

#include <errno.h>
#include <inttypes.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLICE_MAX = 16384,   /* bytes given to the parser at once: the gap is counted in these */
    ATTRIBUTE_PARTS = 5, /* name, prefix, namespace, value, end of the value */
    ATTRIBUTE_VALUE = 3
};

struct xml_stream {
    const struct xml_sink *sink;
    void *context;
    xmlParserCtxtPtr parser;
    unsigned int depth;
    size_t gap;      /* bytes since the last event */
    bool told;       /* an event in this slice */
    bool begun;      /* the first bytes were looked at */
    int outcome;     /* of the sink, or of the stream itself */
    struct diag why; /* of the stream's own refusal */
};

static void judge(struct xml_stream *stream, int outcome)
{
    stream->told = true;
    if (outcome == 0 || stream->outcome != 0)
        return;
    stream->outcome = outcome;
    xmlStopParser(stream->parser);
}

static void refuse(struct xml_stream *stream, const char *sentence)
{
    diag_set(&stream->why, "%s", sentence);
    judge(stream, LIST_READER_BAD);
}

static void on_document_type(void *context, const xmlChar *name, const xmlChar *public_id,
                             const xmlChar *system_id)
{
    (void)name;
    (void)public_id;
    (void)system_id;
    refuse(context, "a document type (<!DOCTYPE) is not taken, so that nothing in the file can stand for "
                    "something else");
}

static void on_open(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *space,
                    int space_count, const xmlChar **spaces, int attribute_count, int defaulted_count,
                    const xmlChar **attributes)
{
    struct xml_stream *stream = context;
    const char *id = NULL;
    size_t id_size = 0;

    (void)prefix;
    (void)space_count;
    (void)spaces;
    (void)defaulted_count;
    if (stream->outcome != 0)
        return;
    if (stream->depth == LIST_DEPTH_MAX) {
        refuse(stream, "nested deeper than 32 levels");
        return;
    }
    _Static_assert(LIST_DEPTH_MAX == 32, "the sentence says so");
    stream->depth++;
    for (int i = 0; i < attribute_count; i++) {
        const xmlChar **parts = attributes + (size_t)i * ATTRIBUTE_PARTS;
        if (strcmp((const char *)parts[0], "id") != 0 || parts[1] != NULL)
            continue;
        id = (const char *)parts[ATTRIBUTE_VALUE];
        id_size = (size_t)(parts[ATTRIBUTE_VALUE + 1] - parts[ATTRIBUTE_VALUE]);
    }
    judge(stream, stream->sink->on_open(stream->context, (const char *)name,
                                        space != NULL ? (const char *)space : "", id, id_size));
}

static void on_close(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *space)
{
    struct xml_stream *stream = context;

    (void)name;
    (void)prefix;
    (void)space;
    if (stream->outcome != 0)
        return;
    stream->depth--;
    judge(stream, stream->sink->on_close(stream->context));
}

static void on_text(void *context, const xmlChar *text, int size)
{
    struct xml_stream *stream = context;

    if (stream->outcome == 0)
        judge(stream, stream->sink->on_text(stream->context, (const char *)text, (size_t)size));
}

static const xmlSAXHandler handler = {.initialized = XML_SAX2_MAGIC,
                                      .internalSubset = on_document_type,
                                      .startElementNs = on_open,
                                      .endElementNs = on_close,
                                      .characters = on_text,
                                      .ignorableWhitespace = on_text,
                                      .cdataBlock = on_text};

int xml_stream_create(const struct xml_sink *sink, void *context, struct xml_stream **stream)
{
    struct xml_stream *made = calloc(1, sizeof *made);
    xmlSAXHandler own = handler;

    if (made == NULL)
        return -ENOMEM;
    made->sink = sink;
    made->context = context;
    made->parser = xmlCreatePushParserCtxt(&own, made, NULL, 0, NULL);
    if (made->parser == NULL ||
        xmlCtxtUseOptions(made->parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                            XML_PARSE_IGNORE_ENC) != 0) {
        xml_stream_free(made);
        return -ENOMEM;
    }
    *stream = made;
    return 0;
}

uint64_t xml_stream_line(const struct xml_stream *stream)
{
    const xmlParserInput *input = stream->parser->input;

    return input != NULL && input->line > 0 ? (uint64_t)input->line : 1;
}

/* The library's words hold names of elements at most; they end with a line feed. */
static int refuse_syntax(struct xml_stream *stream, struct diag *diag)
{
    const xmlError *error = xmlCtxtGetLastError(stream->parser);

    if (error == NULL || error->message == NULL)
        return diag_fail(diag, LIST_READER_BAD, "line %" PRIu64 ": no XML", xml_stream_line(stream));
    if (error->code == XML_ERR_NO_MEMORY)
        return diag_fail(diag, -ENOMEM, "no memory for the list file");
    /* The library says it in one way or the other, as the pieces are cut. */
    if (error->code == XML_ERR_INVALID_ENCODING || error->code == XML_ERR_INVALID_CHAR ||
        error->code == XML_ERR_INTERNAL_ERROR)
        return diag_fail(diag, LIST_READER_BAD, "line %d: no XML: a byte that is no character of UTF-8 text",
                         error->line);
    /* To the library whatever comes next would be extra, also nothing. */
    if (error->code == XML_ERR_DOCUMENT_END && stream->depth > 0)
        return diag_fail(diag, LIST_READER_BAD,
                         "line %d: no XML: it ends within an element, as if it had been cut", error->line);
    return diag_fail(diag, LIST_READER_BAD, "line %d: no XML: %.*s", error->line,
                     (int)strcspn(error->message, "\n"), error->message);
}

static int feed_slice(struct xml_stream *stream, const char *data, size_t size, bool last, struct diag *diag)
{
    stream->told = false;
    int code = xmlParseChunk(stream->parser, data, (int)size, last ? 1 : 0);

    if (stream->outcome != 0) {
        if (stream->why.text[0] != '\0')
            diag_set(diag, "line %" PRIu64 ": %s", xml_stream_line(stream), stream->why.text);
        return stream->outcome;
    }
    if (code != XML_ERR_OK || stream->parser->wellFormed == 0)
        return refuse_syntax(stream, diag);
    stream->gap = stream->told ? 0 : stream->gap + size;
    if (stream->gap > LIST_DOCUMENT_GAP_MAX)
        return diag_fail(diag, LIST_READER_BAD,
                         "line %" PRIu64 ": a value, or a gap between values, of more than %d bytes",
                         xml_stream_line(stream), LIST_DOCUMENT_GAP_MAX);
    return 0;
}

int xml_stream_feed(struct xml_stream *stream, const void *data, size_t size, struct diag *diag)
{
    const char *bytes = data;
    int outcome = 0;

    while (outcome == 0 && size > 0) {
        size_t slice = size < SLICE_MAX ? size : SLICE_MAX;

        outcome = feed_slice(stream, bytes, slice, false, diag);
        bytes += slice;
        size -= slice;
    }
    return outcome;
}

int xml_stream_finish(struct xml_stream *stream, struct diag *diag)
{
    return feed_slice(stream, "", 0, true, diag);
}

void xml_stream_free(struct xml_stream *stream)
{
    if (stream == NULL)
        return;
    xmlFreeParserCtxt(stream->parser);
    free(stream);
}
