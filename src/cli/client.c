#include "client.h"

#include "prescreen/base/text.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECT_TIMEOUT_MS = 10000, TOTAL_TIMEOUT_MS = 120000, KEY_FILE_MAX = 4096 };

struct client {
    CURL *curl;
    struct curl_slist *headers;
    char *base; /* URL without a slash at its end */
    bool local;
    struct diag read_diag; /* why the body could not be read */
};

int client_read_key(const char *key_file, char key[CLIENT_KEY_MAX], struct diag *diag)
{
    const char *text = getenv("PRESCREEN_KEY");
    struct bytes content;
    int result = 0;

    bytes_init(&content, KEY_FILE_MAX);
    if (key_file != NULL) {
        result = source_read_all(key_file, &content, diag);
        if (result == 0)
            result = bytes_append(&content, "\n", 2); /* also ends the text */
        if (result != 0) {
            bytes_clear(&content);
            return diag_fail(diag, result, "--key-file %s cannot be read, or is no file of one line",
                             key_file);
        }
        content.data[strcspn((char *)content.data, "\r\n")] = '\0';
        text = (const char *)content.data;
    }
    if (text == NULL)
        text = "";
    if (!text_is_printable_utf8(text, strlen(text)) || !text_copy(key, CLIENT_KEY_MAX, text))
        result =
            diag_fail(diag, -EINVAL, "the API key must be one line of at most %d bytes", CLIENT_KEY_MAX - 1);
    bytes_clear(&content);
    return result;
}

static bool host_is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;

    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    if (strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static bool url_lacks(CURLU *parts, CURLUPart part)
{
    char *text = NULL;
    bool lacks = curl_url_get(parts, part, &text, 0) != CURLUE_OK;

    curl_free(text);
    return lacks;
}

/* Checks an http or https address and finds out whether it is this machine's. */
static int read_web_url(const char *url, bool *local, struct diag *diag)
{
    CURLU *parts = curl_url();
    char *host = NULL;
    int result = 0;

    if (parts == NULL)
        return diag_fail(diag, -ENOMEM, "no memory");
    if ((strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) ||
        curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK || !url_lacks(parts, CURLUPART_QUERY) ||
        !url_lacks(parts, CURLUPART_FRAGMENT) || !url_lacks(parts, CURLUPART_USER) ||
        curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        result = diag_fail(diag, -EINVAL,
                           "--url %s: must be http://HOST:PORT, https://HOST:PORT or unix:/PATH", url);
    else
        *local = host_is_loopback(host);
    curl_free(host);
    curl_url_cleanup(parts);
    return result;
}

static int set_address(struct client *client, const char *url, struct diag *diag)
{
    bool unix_socket = strncmp(url, "unix:/", 6) == 0;
    int result = unix_socket ? 0 : read_web_url(url, &client->local, diag);

    if (result != 0)
        return result;
    client->base = strdup(unix_socket ? "http://localhost" : url);
    if (client->base == NULL)
        return diag_fail(diag, -ENOMEM, "no memory");
    for (size_t end = strlen(client->base); client->base[end - 1] == '/'; end--)
        client->base[end - 1] = '\0';
    if (unix_socket) {
        client->local = true;
        if (curl_easy_setopt(client->curl, CURLOPT_UNIX_SOCKET_PATH, url + 5) != CURLE_OK)
            return diag_fail(diag, -ENOMEM, "no memory");
    }
    return 0;
}

static int add_header(struct client *client, const char *line)
{
    struct curl_slist *longer = curl_slist_append(client->headers, line);

    if (longer == NULL)
        return -ENOMEM;
    client->headers = longer;
    return 0;
}

static int set_headers(struct client *client, const char *key)
{
    char line[CLIENT_KEY_MAX + 32];

    if (add_header(client, "Content-Type: application/octet-stream") != 0)
        return -ENOMEM;
    if (key[0] == '\0')
        return 0;
    snprintf(line, sizeof line, "Authorization: Bearer %s", key);
    int result = add_header(client, line);
    explicit_bzero(line, sizeof line);
    return result;
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    return bytes_append(context, data, size * count) == 0 ? size * count : 0;
}

static void set_options(struct client *client)
{
    CURL *curl = client->curl;

    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TOTAL_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "prescreen/" PRESCREEN_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
}

int client_create(const char *url, const char *key, struct client **client, struct diag *diag)
{
    struct client *created = calloc(1, sizeof *created);
    int result = 0;

    if (created == NULL || (created->curl = curl_easy_init()) == NULL || set_headers(created, key) != 0)
        result = diag_fail(diag, -ENOMEM, "no memory for a connection");
    if (result == 0)
        result = set_address(created, url, diag);
    if (result != 0) {
        client_free(created);
        return result;
    }
    set_options(created);
    *client = created;
    return 0;
}

void client_free(struct client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    curl_slist_free_all(client->headers);
    free(client->base);
    free(client);
}

bool client_is_local(const struct client *client)
{
    return client->local;
}

static int explain(const struct client *client, CURLcode code, struct diag *diag)
{
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return diag_fail(diag, -EIO, "%s", client->read_diag.text);
    if (code == CURLE_WRITE_ERROR)
        return diag_fail(diag, -EFBIG, "the answer of %s is larger than %d bytes", client->base,
                         CLIENT_ANSWER_MAX);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return diag_fail(diag, -ETIMEDOUT, "%s did not answer in time", client->base);
    return diag_fail(diag, -ECONNREFUSED, "no answer from %s: %s", client->base, curl_easy_strerror(code));
}

static int perform(struct client *client, const char *path, struct client_answer *answer, struct diag *diag)
{
    char url[CLIENT_PATH_MAX + 512];
    struct client_answer got = {0};
    long status = 0;

    bytes_init(&got.body, CLIENT_ANSWER_MAX);
    if ((size_t)snprintf(url, sizeof url, "%s%s", client->base, path) >= sizeof url)
        return diag_fail(diag, -ENAMETOOLONG, "the address is too long");
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &got.body);
    CURLcode code = curl_easy_setopt(client->curl, CURLOPT_URL, url);
    if (code == CURLE_OK)
        code = curl_easy_perform(client->curl);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && bytes_append(&got.body, "", 1) != 0)
        code = CURLE_WRITE_ERROR;
    if (code != CURLE_OK) {
        bytes_clear(&got.body);
        return explain(client, code, diag);
    }
    got.body.size--;
    got.status = (unsigned int)status;
    *answer = got;
    return 0;
}

int client_get(struct client *client, const char *path, struct client_answer *answer, struct diag *diag)
{
    curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
    return perform(client, path, answer, diag);
}

int client_post_bytes(struct client *client, const char *path, const void *data, size_t size,
                      struct client_answer *answer, struct diag *diag)
{
    curl_easy_setopt(client->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, data);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    return perform(client, path, answer, diag);
}

struct body_reader {
    struct client *client;
    const struct source *source;
};

static size_t read_body(char *data, size_t size, size_t count, void *context)
{
    const struct body_reader *reader = context;
    int64_t got = source_read(reader->source, data, size * count, &reader->client->read_diag);

    return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

/* A kept connection that turns out closed makes the library send the body again from its start. */
static int seek_body(void *context, curl_off_t offset, int origin)
{
    const struct body_reader *reader = context;

    return lseek(reader->source->fd, offset, origin) >= 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK;
}

int client_post_source(struct client *client, const char *path, const struct source *source,
                       struct client_answer *answer, struct diag *diag)
{
    struct body_reader reader = {client, source};
    bool known = source->size != SOURCE_SIZE_UNKNOWN;

    curl_easy_setopt(client->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(client->curl, CURLOPT_READFUNCTION, read_body);
    curl_easy_setopt(client->curl, CURLOPT_READDATA, &reader);
    curl_easy_setopt(client->curl, CURLOPT_SEEKFUNCTION, seek_body);
    curl_easy_setopt(client->curl, CURLOPT_SEEKDATA, &reader);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     known ? (curl_off_t)source->size : (curl_off_t)-1);
    return perform(client, path, answer, diag);
}

int client_judge_answer(const struct client_answer *answer, struct diag *diag)
{
    json_t *problem = NULL;
    const char *title = NULL;
    const char *detail = NULL;

    if (answer->status == 200)
        return 0;
    problem = json_loads((const char *)answer->body.data, 0, NULL);
    title = json_string_value(json_object_get(problem, "title"));
    detail = json_string_value(json_object_get(problem, "detail"));
    diag_set(diag, "the service answered %u%s%s%s%s", answer->status, title != NULL ? " " : "",
             title != NULL ? title : "", detail != NULL ? ": " : "", detail != NULL ? detail : "");
    json_decref(problem);
    return -EPROTO;
}

void client_answer_clear(struct client_answer *answer)
{
    bytes_clear(&answer->body);
}

int client_add_parameter(char path[CLIENT_PATH_MAX], const char *name, const char *value)
{
    char *escaped = curl_easy_escape(NULL, value, 0);
    size_t used = strlen(path);
    int length = 0;

    if (escaped == NULL)
        return -ENOMEM;
    length = snprintf(path + used, CLIENT_PATH_MAX - used, "%c%s=%s", strchr(path, '?') != NULL ? '&' : '?',
                      name, escaped);
    curl_free(escaped);
    return length < 0 || (size_t)length >= CLIENT_PATH_MAX - used ? -ENAMETOOLONG : 0;
}
