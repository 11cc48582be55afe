/* A caller of a running daemon over HTTP. */
#ifndef PRESCREEN_CLI_CLIENT_H
#define PRESCREEN_CLI_CLIENT_H

#include "prescreen/base/bytes.h"
#include "prescreen/base/diag.h"

#include "source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLIENT_KEY_MAX = 1024, CLIENT_ANSWER_MAX = 4 * 1024 * 1024, CLIENT_PATH_MAX = 2048 };

struct client_answer {
    unsigned int status; /* of HTTP */
    struct bytes body;   /* at most CLIENT_ANSWER_MAX bytes, ended by a zero that size does not count */
};

/* Reads the API key: the first line of key_file, or PRESCREEN_KEY when key_file is NULL; "" when there is
 * none. Errors: negative errno with diag. */
int client_read_key(const char *key_file, char key[CLIENT_KEY_MAX], struct diag *diag);

struct client;

/* A client of the daemon at url: http://HOST:PORT, https://HOST:PORT (certificate verified) or unix:/PATH.
 * key may be "". Follows no redirection and uses no proxy, so that a picture goes nowhere else. Errors:
 * -EINVAL with diag for another url, -ENOMEM. Threads: created one after another, each then used by one
 * thread. Ownership: *client is the caller's. */
int client_create(const char *url, const char *key, struct client **client, struct diag *diag);
void client_free(struct client *client);

/* True when the daemon can only be on this machine. */
bool client_is_local(const struct client *client);

/* Calls: path with its query. Errors: negative errno with diag when there is no answer within the deadlines
 * (10 s to connect, 120 s in all). Ownership: answer is the caller's to client_answer_clear() on 0. */
int client_get(struct client *client, const char *path, struct client_answer *answer, struct diag *diag);
int client_post_bytes(struct client *client, const char *path, const void *data, size_t size,
                      struct client_answer *answer, struct diag *diag);
int client_post_source(struct client *client, const char *path, const struct source *source,
                       struct client_answer *answer, struct diag *diag);

/* 0 when the status is 200; else -EPROTO with diag telling what the daemon said. */
int client_judge_answer(const struct client_answer *answer, struct diag *diag);
void client_answer_clear(struct client_answer *answer);

/* Appends name=value to path with value escaped, after '?' or '&'. Errors: -ENAMETOOLONG. */
int client_add_parameter(char path[CLIENT_PATH_MAX], const char *name, const char *value);

#endif
