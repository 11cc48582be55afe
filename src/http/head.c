#include "head.h"

#include "prescreen/base/text.h"

#include <string.h>
#include <strings.h>

static const char *const field_names[HEAD_FIELD_COUNT] = {
    [HEAD_HOST] = "Host",
    [HEAD_CONTENT_LENGTH] = "Content-Length",
    [HEAD_TRANSFER_ENCODING] = "Transfer-Encoding",
    [HEAD_CONTENT_TYPE] = "Content-Type",
    [HEAD_CONTENT_ENCODING] = "Content-Encoding",
    [HEAD_AUTHORIZATION] = "Authorization",
    [HEAD_EXPECT] = "Expect",
    [HEAD_IDEMPOTENCY_KEY] = "Idempotency-Key",
    [HEAD_REQUEST_ID] = "X-Request-Id",
    [HEAD_ORIGIN] = "Origin",
    [HEAD_SIGNATURE] = "X-Prescreen-Signature",
};

/* RFC 9110 section 5.6.2. */
static bool is_token(const char *text, size_t size)
{
    return size > 0 && strlen(text) == size &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") ==
               size;
}

/* RFC 9110 section 5.5: no control character but the tab. */
static bool is_field_value(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

enum problem head_add(struct head *head, const char *name, size_t name_size, const char *value,
                      size_t value_size, struct diag *diag)
{
    if (++head->header_count > HEADERS_MAX)
        return problem_fail(diag, PROBLEM_HEADER_TOO_LARGE, "more than %d header lines", HEADERS_MAX);
    if (name_size > HEADER_NAME_MAX || value_size > HEADER_VALUE_MAX)
        return problem_fail(diag, PROBLEM_HEADER_TOO_LARGE, "a header line has more than %d bytes",
                            HEADER_VALUE_MAX);
    if (!is_token(name, name_size))
        return problem_fail(diag, PROBLEM_FRAMING,
                            "the name of a header line holds a byte that no name may hold");
    if (!is_field_value(value, value_size))
        return problem_fail(diag, PROBLEM_FRAMING, "the value of header %s holds a control character", name);
    for (int field = 0; field < HEAD_FIELD_COUNT; field++) {
        if (strcasecmp(name, field_names[field]) != 0)
            continue;
        if (head->fields[field] != NULL)
            return problem_fail(diag, PROBLEM_FRAMING, "header %s is given twice", field_names[field]);
        head->fields[field] = value;
    }
    return PROBLEM_NONE;
}

/* The bytes of uri-host and port: RFC 3986 section 3.2.2. */
static bool is_host(const char *text)
{
    return strspn(text,
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+,;=:[]") ==
           strlen(text);
}

static enum problem check_host(const struct head *head, bool obligatory, struct diag *diag)
{
    const char *host = head->fields[HEAD_HOST];

    if (host == NULL && obligatory)
        return problem_fail(diag, PROBLEM_FRAMING, "header Host is missing");
    if (host != NULL && !is_host(host))
        return problem_fail(diag, PROBLEM_FRAMING, "header Host is no host");
    return PROBLEM_NONE;
}

static enum problem check_framing(struct head *head, bool may_be_chunked, struct diag *diag)
{
    const char *length = head->fields[HEAD_CONTENT_LENGTH];
    const char *coding = head->fields[HEAD_TRANSFER_ENCODING];

    if (length != NULL && coding != NULL)
        return problem_fail(diag, PROBLEM_FRAMING, "Content-Length and Transfer-Encoding are both given");
    if (coding != NULL && (!may_be_chunked || strcasecmp(coding, "chunked") != 0))
        return problem_fail(diag, PROBLEM_FRAMING, "Transfer-Encoding can only be chunked, from HTTP/1.1 on");
    if (length != NULL && !text_parse_u64(length, INT64_MAX, &head->length))
        return problem_fail(diag, PROBLEM_FRAMING, "Content-Length is no number");
    head->chunked = coding != NULL;
    head->has_length = length != NULL;
    head->has_body = head->chunked || head->length > 0;
    return PROBLEM_NONE;
}

enum problem head_check(struct head *head, const char *version, struct diag *diag)
{
    const bool is_1_0 = strcmp(version, "HTTP/1.0") == 0;
    const char *expect = head->fields[HEAD_EXPECT];
    const char *coding = head->fields[HEAD_CONTENT_ENCODING];
    enum problem problem = check_host(head, !is_1_0, diag);

    if (problem == PROBLEM_NONE)
        problem = check_framing(head, !is_1_0, diag);
    if (problem != PROBLEM_NONE)
        return problem;
    if (expect != NULL && strcasecmp(expect, "100-continue") != 0)
        return problem_fail(diag, PROBLEM_EXPECTATION,
                            "the only expectation that can be met is 100-continue");
    if (coding != NULL && strcasecmp(coding, "identity") != 0)
        return problem_fail(
            diag, PROBLEM_ENCODED,
            "Content-Encoding is set: the bytes are examined as they come, so send them as they are");
    head->expects_continue = expect != NULL && !is_1_0;
    return PROBLEM_NONE;
}

bool head_is_form(const struct head *head)
{
    static const char form[] = "multipart/form-data";
    const char *type = head->fields[HEAD_CONTENT_TYPE];

    return type != NULL && strncasecmp(type, form, sizeof form - 1) == 0 &&
           strchr("; \t", type[sizeof form - 1]) != NULL;
}

enum { LINE_END = 2 }; /* CR LF */

void head_walk_start(struct head_walk *walk, const char *method, const char *target, size_t target_size,
                     const char *version)
{
    walk->straight = target == method + strlen(method) + 1 && version == target + target_size + 1;
    walk->next = version + strlen(version) + LINE_END;
}

void head_walk_line(struct head_walk *walk, const char *name, const char *value, size_t value_size)
{
    walk->straight = walk->straight && name == walk->next;
    walk->next = value + value_size + LINE_END;
}

bool head_walk_ends(const struct head_walk *walk, const char *method, size_t size)
{
    return walk->straight && walk->next + LINE_END == method + size;
}
