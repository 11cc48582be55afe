#include "source.h"

#include "prescreen/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ORIGIN_SHOWN_MAX = 160 };

static void tell(struct config_source *source, size_t line, const char *key, const char *format,
                 va_list arguments)
{
    char what[DIAG_TEXT_MAX];
    char where[32] = "";
    const char *origin = source->origin;
    size_t length = strlen(origin);

    /* The end of a long path says more than its beginning, and the reason must not be cut away. */
    if (length > ORIGIN_SHOWN_MAX)
        origin += length - ORIGIN_SHOWN_MAX;
    if (line > 0)
        snprintf(where, sizeof where, "%zu:", line);
    if (vsnprintf(what, sizeof what, format, arguments) < 0)
        what[0] = '\0';
    diag_set(source->diag, "%s%s%s%s%s%s%s", origin, *origin != '\0' ? ":" : "", where,
             *origin != '\0' ? " " : "", key, *key != '\0' ? ": " : "", what);
}

int config_refuse_at(struct config_source *source, size_t line, const char *key, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(source, line, key, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

int config_refuse(struct config_source *source, const char *key, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(source, config_source_line(source, key), key, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

static int fail(struct config_source *source, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int fail(struct config_source *source, int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(source, 0, "", format, arguments);
    va_end(arguments);
    return code;
}

int config_out_of_memory(struct config_source *source)
{
    return fail(source, -ENOMEM, "out of memory");
}

const char *config_node_text(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static size_t find_in_node(yaml_document_t *document, const yaml_node_t *node, const char *key);

/* Keys may hold dots themselves, so that each key that fits the beginning is tried. */
static size_t find_in_map(yaml_document_t *document, const yaml_node_t *node, const char *key)
{
    const yaml_node_pair_t *end = node->data.mapping.pairs.top;

    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < end; pair++) {
        const yaml_node_t *name = yaml_document_get_node(document, pair->key);
        const char *text = config_node_text(name);
        size_t length = text == NULL ? 0 : strlen(text);

        if (text == NULL || strncmp(key, text, length) != 0)
            continue;
        const char *rest = key + length;
        if (*rest == '\0')
            return name->start_mark.line + 1;
        if (*rest != '.' && *rest != '[')
            continue;
        size_t line =
            find_in_node(document, yaml_document_get_node(document, pair->value), rest + (*rest == '.'));
        if (line > 0)
            return line;
    }
    return 0;
}

static size_t find_in_list(yaml_document_t *document, const yaml_node_t *node, const char *key)
{
    char *end = NULL;
    size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    size_t at = *key == '[' ? strtoul(key + 1, &end, 10) : count;

    if (at >= count || *end != ']')
        return 0;
    const yaml_node_t *item = yaml_document_get_node(document, node->data.sequence.items.start[at]);
    if (end[1] == '\0')
        return item->start_mark.line + 1;
    return end[1] == '.' ? find_in_node(document, item, end + 2) : 0;
}

static size_t find_in_node(yaml_document_t *document, const yaml_node_t *node, const char *key)
{
    if (node->type == YAML_MAPPING_NODE)
        return find_in_map(document, node, key);
    return node->type == YAML_SEQUENCE_NODE ? find_in_list(document, node, key) : 0;
}

size_t config_source_line(struct config_source *source, const char *key)
{
    const yaml_node_t *root = source->has_document ? yaml_document_get_root_node(&source->document) : NULL;

    return root == NULL ? 0 : find_in_node(&source->document, root, key);
}

static size_t line_of_offset(const struct config_source *source, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset && i < source->size; i++)
        line += source->text[i] == '\n';
    return line;
}

static int refuse_syntax(struct config_source *source, const yaml_parser_t *parser)
{
    const char *problem = parser->problem;

    /* libyaml always says what is wrong with a text, but not always that it ran out of memory. */
    if (parser->error == YAML_MEMORY_ERROR || problem == NULL)
        return config_out_of_memory(source);
    if (parser->error == YAML_READER_ERROR)
        return config_refuse_at(source, line_of_offset(source, parser->problem_offset), "",
                                "not UTF-8 text: %s", problem);
    return config_refuse_at(source, parser->problem_mark.line + 1, "",
                            "not YAML: %s (is the line indented with spaces, is a quote closed?)", problem);
}

static bool has_anchor_or_tag(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return true;
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL;
    default:
        return false;
    }
}

struct scan {
    unsigned int depth;
    unsigned int documents;
    bool ended;
};

static int check_event(struct config_source *source, const yaml_event_t *event, struct scan *scan)
{
    size_t line = event->start_mark.line + 1;

    if (has_anchor_or_tag(event))
        return config_refuse_at(source, line, "", "anchors, aliases and tags are not taken: write it out");
    if (event->type == YAML_DOCUMENT_START_EVENT && ++scan->documents > 1)
        return config_refuse_at(source, line, "", "a second document begins here; only one is taken");
    if (event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT)
        scan->depth++;
    if (event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT)
        scan->depth--;
    if (scan->depth > CONFIG_DEPTH_MAX)
        return config_refuse_at(source, line, "", "nested deeper than %d levels", CONFIG_DEPTH_MAX);
    scan->ended = event->type == YAML_STREAM_END_EVENT;
    return 0;
}

static int init_parser(struct config_source *source, yaml_parser_t *parser)
{
    if (!yaml_parser_initialize(parser))
        return config_out_of_memory(source);
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)source->text, source->size);
    return 0;
}

/* What the document would no longer show, and what must be bounded before anything is built from it. */
static int scan_events(struct config_source *source)
{
    struct scan scan = {0};
    yaml_parser_t parser;
    int error = init_parser(source, &parser);

    if (error != 0)
        return error;
    while (error == 0 && !scan.ended) {
        yaml_event_t event;

        if (!yaml_parser_parse(&parser, &event)) {
            error = refuse_syntax(source, &parser);
            break;
        }
        error = check_event(source, &event, &scan);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return error;
}

static int load_document(struct config_source *source)
{
    yaml_parser_t parser;
    int error = init_parser(source, &parser);

    if (error != 0)
        return error;
    if (yaml_parser_load(&parser, &source->document))
        source->has_document = true;
    else
        error = refuse_syntax(source, &parser);
    yaml_parser_delete(&parser);
    return error;
}

static int understand(struct config_source *source)
{
    int error = scan_events(source);

    return error != 0 ? error : load_document(source);
}

int config_source_copy(struct config_source *source, const char *text, size_t size)
{
    if (size > CONFIG_FILE_MAX)
        return fail(source, -EFBIG, "larger than %d bytes", CONFIG_FILE_MAX);
    source->text = malloc(size + 1);
    if (source->text == NULL)
        return config_out_of_memory(source);
    memcpy(source->text, text, size);
    source->text[size] = '\0';
    source->size = size;
    return understand(source);
}

/* Reads to the end or one byte past the maximum. */
static int read_text(struct config_source *source, int fd)
{
    source->text = malloc(CONFIG_FILE_MAX + 1);
    if (source->text == NULL)
        return config_out_of_memory(source);
    while (source->size <= CONFIG_FILE_MAX) {
        ssize_t got = read(fd, source->text + source->size, CONFIG_FILE_MAX + 1 - source->size);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(source, -errno, "%m");
        if (got == 0)
            return 0;
        source->size += (size_t)got;
    }
    return fail(source, -EFBIG, "larger than %d bytes", CONFIG_FILE_MAX);
}

int config_source_read_raw(struct config_source *source, const char *path)
{
    struct stat status;
    int error = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return fail(source, -errno, "%m");
    /* A pipe could keep us waiting for ever. */
    if (fstat(fd, &status) != 0)
        error = fail(source, -errno, "%m");
    else if (!S_ISREG(status.st_mode))
        error = fail(source, -EINVAL, "is not a regular file");
    else
        error = read_text(source, fd);
    close(fd);
    return error;
}

int config_source_read(struct config_source *source, const char *path)
{
    int error = config_source_read_raw(source, path);

    return error != 0 ? error : understand(source);
}

void config_source_close(struct config_source *source)
{
    if (source->has_document)
        yaml_document_delete(&source->document);
    source->has_document = false;
    free(source->text);
    source->text = NULL;
    source->size = 0;
}
