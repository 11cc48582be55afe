#include "multipart.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DELIMITER_MAX = MULTIPART_BOUNDARY_MAX + 4, CONTENT_TYPE_MAX = 512 };

enum state {
    STATE_START,     /* nothing but the first boundary may come */
    STATE_DELIMITER, /* behind a boundary: is it the last one? */
    STATE_DASH,      /* behind a boundary and one '-' */
    STATE_LINE_END,  /* behind a boundary: padding and the end of the line */
    STATE_LINE_FEED, /* behind its CR */
    STATE_HEAD,
    STATE_BODY,
    STATE_END, /* behind the closing boundary: one line end, nothing else */
};

struct multipart {
    struct multipart_sink sink;
    enum state state;
    char delimiter[DELIMITER_MAX + 1]; /* CR LF "--" boundary */
    size_t delimiter_size;
    size_t matched; /* bytes of the delimiter seen */
    size_t assumed; /* of those, the line end that was taken as part of what stands before */
    size_t tail;    /* bytes seen in STATE_END */
    char head[MULTIPART_PART_HEAD_MAX + 1];
    size_t head_size;
};

static const char padding[] = " \t";

/* Undoes a quoted string in place, from behind its opening quote. Returns what follows the closing one. */
static char *unquote(char *text)
{
    char *out = text;

    for (char *in = text; *in != '\0'; in++) {
        if (*in == '"') {
            *out = '\0';
            return in + 1;
        }
        if (*in == '\\' && (in[1] == '"' || in[1] == '\\'))
            in++;
        *out++ = *in;
    }
    return NULL;
}

/* What is left of "; name=value; …", taken apart in place. */
struct parameters {
    char *rest;
    bool malformed;
};

/* value is a header's value: a first word, then its parameters. */
static void start_parameters(struct parameters *parameters, char *value)
{
    char *at = value + strcspn(value, "; \t");

    at += strspn(at, padding);
    parameters->malformed = *at != ';' && *at != '\0';
    parameters->rest = *at == ';' ? at + 1 : at;
}

/* False at the end and where the text is no parameter. */
static bool next_parameter(struct parameters *parameters, const char **name, const char **value)
{
    char *at = parameters->rest + strspn(parameters->rest, padding);

    if (*at == '\0' || parameters->malformed)
        return false;
    parameters->malformed = true;
    *name = at;
    at += strcspn(at, "=;\" \t");
    if (at == *name || *at != '=')
        return false;
    *at++ = '\0';
    const bool quoted = *at == '"';
    char *text = at + quoted;
    char *end = quoted ? unquote(text) : text + strcspn(text, "; \t\"");
    if (end == NULL)
        return false;
    at = end + strspn(end, padding);
    if (*at != ';' && *at != '\0')
        return false;
    parameters->rest = *at == ';' ? at + 1 : at;
    parameters->malformed = false;
    if (!quoted)
        *end = '\0';
    *value = text;
    return true;
}

static bool is_boundary(const char *text)
{
    size_t size = strlen(text);

    return size >= 1 && size <= MULTIPART_BOUNDARY_MAX && text[size - 1] != ' ' &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'()+_,-./:=? ") ==
               size;
}

/* Finds parameter name of a header value, in place. False when the value is malformed or names it twice. */
static bool find_parameter(char *value, const char *wanted, const char **found)
{
    struct parameters parameters;
    const char *name = NULL;
    const char *text = NULL;

    *found = NULL;
    start_parameters(&parameters, value);
    while (next_parameter(&parameters, &name, &text)) {
        if (strcasecmp(name, wanted) != 0)
            continue;
        if (*found != NULL)
            return false;
        *found = text;
    }
    return !parameters.malformed;
}

/* A boundary may follow at once: at the very beginning, and where a part is empty. */
static void assume_line_end(struct multipart *multipart)
{
    multipart->matched = multipart->assumed = 2;
}

enum problem multipart_create(const char *content_type, const struct multipart_sink *sink,
                              struct multipart **multipart, struct diag *diag)
{
    char type[CONTENT_TYPE_MAX];
    const char *boundary = NULL;
    struct multipart *made = NULL;
    size_t size = strlen(content_type);

    if (size >= sizeof type)
        return problem_fail(diag, PROBLEM_MALFORMED, "the Content-Type is too long");
    memcpy(type, content_type, size + 1);
    if (!find_parameter(type, "boundary", &boundary) || boundary == NULL || !is_boundary(boundary))
        return problem_fail(diag, PROBLEM_MALFORMED,
                            "the Content-Type of a form must name one boundary of 1 to %d legal characters",
                            MULTIPART_BOUNDARY_MAX);
    made = calloc(1, sizeof *made);
    if (made == NULL)
        return problem_fail(diag, PROBLEM_BUSY, "no memory for the form");
    made->sink = *sink;
    memcpy(made->delimiter, "\r\n--", 4);
    memcpy(made->delimiter + 4, boundary, strlen(boundary));
    made->delimiter_size = 4 + strlen(boundary);
    assume_line_end(made);
    *multipart = made;
    return PROBLEM_NONE;
}

void multipart_free(struct multipart *multipart)
{
    free(multipart);
}

static enum problem malformed(struct diag *diag, const char *what)
{
    return problem_fail(diag, PROBLEM_MALFORMED, "the form is malformed: %s", what);
}

/* Judges one line of a part's head; *disposition is set when it is the Content-Disposition. */
static enum problem read_head_line(char *line, char **disposition, struct diag *diag)
{
    static const char encoding[] = "Content-Transfer-Encoding";
    char *value = strchr(line, ':');

    if (value == NULL || value == line || strcspn(line, padding) < (size_t)(value - line))
        return malformed(diag, "a line in the head of a part is no header");
    *value++ = '\0';
    value += strspn(value, padding);
    if (strcasecmp(line, "Content-Disposition") == 0) {
        if (*disposition != NULL)
            return malformed(diag, "a part has two Content-Disposition headers");
        *disposition = value;
    }
    if (strcasecmp(line, encoding) == 0 && strcasecmp(value, "binary") != 0 &&
        strcasecmp(value, "8bit") != 0 && strcasecmp(value, "7bit") != 0)
        return malformed(diag, "a part is encoded; send its bytes as they are");
    return PROBLEM_NONE;
}

/* Reads the gathered head of a part, which ends in an empty line, and announces the part. */
static enum problem read_head(struct multipart *multipart, struct diag *diag)
{
    char *disposition = NULL;
    const char *name = NULL;
    char *rest = multipart->head;
    char *const end = multipart->head + multipart->head_size - 2; /* the empty line */

    for (size_t i = 0; i < multipart->head_size; i++) {
        unsigned char c = (unsigned char)multipart->head[i];
        if ((c < 0x20 && strchr("\r\n\t", c) == NULL) || c == 0 || c == 0x7f)
            return malformed(diag, "the head of a part holds a control character");
    }
    multipart->head[multipart->head_size] = '\0';
    while (rest < end) {
        char *line = rest;
        rest = strstr(line, "\r\n");
        *rest = '\0';
        rest += 2;
        enum problem problem = strpbrk(line, "\r\n") != NULL
                                   ? malformed(diag, "a line in the head of a part does not end in CR LF")
                                   : read_head_line(line, &disposition, diag);
        if (problem != PROBLEM_NONE)
            return problem;
    }
    if (disposition == NULL || strncasecmp(disposition, "form-data", 9) != 0 ||
        strchr("; \t", disposition[9]) == NULL || !find_parameter(disposition, "name", &name) || name == NULL)
        return malformed(diag, "a part has no Content-Disposition: form-data with one name");
    return multipart->sink.on_part(multipart->sink.context, name, diag);
}

/* Gathers the head of a part. Returns the bytes taken; *problem is set when it cannot go on. */
static size_t feed_head(struct multipart *multipart, const char *data, size_t size, enum problem *problem,
                        struct diag *diag)
{
    for (size_t i = 0; i < size; i++) {
        if (multipart->head_size == MULTIPART_PART_HEAD_MAX) {
            *problem = malformed(diag, "the head of a part is too long");
            return size;
        }
        multipart->head[multipart->head_size++] = data[i];
        const char *end = multipart->head + multipart->head_size;
        if ((multipart->head_size == 2 && memcmp(end - 2, "\r\n", 2) == 0) ||
            (multipart->head_size >= 4 && memcmp(end - 4, "\r\n\r\n", 4) == 0)) {
            *problem = read_head(multipart, diag);
            multipart->state = STATE_BODY;
            assume_line_end(multipart);
            return i + 1;
        }
    }
    return size;
}

/* Hands on bytes of a part. Before the first boundary there must be none. */
static enum problem emit(struct multipart *multipart, const char *data, size_t size, struct diag *diag)
{
    if (size == 0)
        return PROBLEM_NONE;
    if (multipart->state == STATE_START)
        return malformed(diag, "it does not begin with its boundary");
    return multipart->sink.on_data(multipart->sink.context, data, size, diag);
}

/* Looks for the delimiter, in which CR stands only at the start: after a mismatch the byte at hand is the
 * only one that can begin another. Returns the bytes taken. */
static size_t feed_body(struct multipart *multipart, const char *data, size_t size, enum problem *problem,
                        struct diag *diag)
{
    size_t at = 0;

    while (*problem == PROBLEM_NONE && at < size) {
        if (multipart->matched == 0) {
            const char *cr = memchr(data + at, '\r', size - at);
            size_t plain = cr != NULL ? (size_t)(cr - data) - at : size - at;
            *problem = emit(multipart, data + at, plain, diag);
            at += plain;
        }
        while (at < size && multipart->matched < multipart->delimiter_size &&
               data[at] == multipart->delimiter[multipart->matched]) {
            at++;
            multipart->matched++;
        }
        if (multipart->matched == multipart->delimiter_size) {
            multipart->state = STATE_DELIMITER;
            return at;
        }
        if (at < size && *problem == PROBLEM_NONE) {
            *problem = emit(multipart, multipart->delimiter + multipart->assumed,
                            multipart->matched - multipart->assumed, diag);
            multipart->matched = multipart->assumed = 0;
        }
    }
    return at;
}

/* One byte behind a boundary. */
static enum problem feed_delimiter(struct multipart *multipart, char byte, struct diag *diag)
{
    switch (multipart->state) {
    case STATE_DELIMITER:
        if (byte == '-') {
            multipart->state = STATE_DASH;
            return PROBLEM_NONE;
        }
        multipart->state = STATE_LINE_END;
        return feed_delimiter(multipart, byte, diag);
    case STATE_DASH:
        multipart->state = STATE_END;
        return byte == '-' ? PROBLEM_NONE : malformed(diag, "a boundary is followed by other bytes");
    case STATE_LINE_END:
        if (byte == '\r')
            multipart->state = STATE_LINE_FEED;
        return byte == '\r' || byte == ' ' || byte == '\t'
                   ? PROBLEM_NONE
                   : malformed(diag, "a boundary is followed by other bytes");
    case STATE_LINE_FEED:
        multipart->state = STATE_HEAD;
        multipart->head_size = 0;
        return byte == '\n' ? PROBLEM_NONE : malformed(diag, "a boundary is followed by other bytes");
    default: /* STATE_END */
        if (multipart->tail < 2 && byte == "\r\n"[multipart->tail]) {
            multipart->tail++;
            return PROBLEM_NONE;
        }
        return malformed(diag, "bytes follow the closing boundary");
    }
}

enum problem multipart_feed(struct multipart *multipart, const void *data, size_t size, struct diag *diag)
{
    const char *bytes = data;
    enum problem problem = PROBLEM_NONE;
    size_t at = 0;

    while (problem == PROBLEM_NONE && at < size) {
        if (multipart->state == STATE_START || multipart->state == STATE_BODY)
            at += feed_body(multipart, bytes + at, size - at, &problem, diag);
        else if (multipart->state == STATE_HEAD)
            at += feed_head(multipart, bytes + at, size - at, &problem, diag);
        else
            problem = feed_delimiter(multipart, bytes[at++], diag);
    }
    return problem;
}

enum problem multipart_finish(const struct multipart *multipart, struct diag *diag)
{
    if (multipart->state != STATE_END)
        return malformed(diag, "it ends before its closing boundary");
    return PROBLEM_NONE;
}
