#include "prescreen/base/text.h"

#include "settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static const char allowed[] =
    "use ADDRESS:PORT such as 127.0.0.1:8750, localhost:PORT, [::1]:PORT or unix:/PATH";

/* Takes the numeric forms and "localhost" alone: a name would have to be looked up, and could change. */
static bool read_host(const char *host, bool bracketed, struct config_listen *listen)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (!text_copy(listen->host, sizeof listen->host, host))
        return false;
    if (bracketed) {
        listen->loopback = inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
        return inet_pton(AF_INET6, host, &v6) == 1;
    }
    if (strcmp(host, "localhost") == 0) {
        listen->loopback = true;
        return true;
    }
    if (inet_pton(AF_INET, host, &v4) != 1)
        return false;
    listen->loopback = ntohl(v4.s_addr) >> 24 == 127;
    return true;
}

/* Parts the text at the colon before the port; false when there is none. */
static bool split(const char *text, char *host, size_t capacity, bool *bracketed, const char **port)
{
    const char *begin = text;
    const char *end = strchr(text, ':');

    *bracketed = *text == '[';
    if (*bracketed) {
        begin = text + 1;
        end = strchr(begin, ']');
    }
    if (end == NULL || (*bracketed && end[1] != ':') || (size_t)(end - begin) >= capacity)
        return false;
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = '\0';
    *port = end + 1 + *bracketed;
    return true;
}

static bool read_tcp(const char *text, struct config_listen *listen)
{
    char host[sizeof listen->host];
    const char *port_text = NULL;
    bool bracketed = false;
    uint64_t port = 0;

    if (!split(text, host, sizeof host, &bracketed, &port_text) ||
        !text_parse_u64(port_text, UINT16_MAX, &port) || !read_host(host, bracketed, listen))
        return false;
    listen->kind = LISTEN_TCP;
    listen->port = (uint16_t)port;
    return true;
}

static int read_unix(struct config_source *source, const char *key, const char *path,
                     struct config_listen *listen)
{
    if (*path != '/')
        return config_refuse(source, key, "\"unix:%.40s\" is not taken: the path must begin with /", path);
    if (!text_copy(listen->path, sizeof listen->path, path))
        return config_refuse(source, key, "the path of a socket has at most %zu bytes",
                             sizeof listen->path - 1);
    listen->kind = LISTEN_UNIX;
    listen->loopback = true;
    return 0;
}

int settings_read_listen(struct config_source *source, const char *key, const char *text,
                         struct config_listen *listen)
{
    struct config_listen read = {.kind = LISTEN_NONE};
    int error = 0;

    if (*text == '\0')
        error = config_refuse(source, key, "is empty; %s", allowed);
    else if (strncmp(text, "unix:", 5) == 0)
        error = read_unix(source, key, text + 5, &read);
    else if (!read_tcp(text, &read))
        error = config_refuse(source, key, "\"%.60s\" is not taken; %s", text, allowed);
    if (error == 0)
        *listen = read;
    return error;
}
