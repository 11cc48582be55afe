#include "authorise.h"

#include "prescreen/base/bytes.h"
#include "prescreen/hash/digest.h"

#include <string.h>
#include <strings.h>

static int hash_key(const char *key, uint8_t sha256[SHA256_SIZE])
{
    struct digest_stream *stream = NULL;
    struct known_hashes hashes = {0};
    int result = digest_stream_create(HASH_BIT(HASH_SHA256), &stream);

    if (result == 0)
        result = digest_stream_update(stream, key, strlen(key));
    if (result == 0)
        result = digest_stream_finish(stream, &hashes);
    if (result == 0)
        memcpy(sha256, hashes.sha256, SHA256_SIZE);
    digest_stream_free(stream);
    return result;
}

/* Compares with every key, also after one fits, so that the time shows nothing. */
static const struct config_key *find_key(const struct config *config, const uint8_t sha256[SHA256_SIZE])
{
    const struct config_key *found = NULL;

    for (size_t i = 0; i < config->key_count; i++) {
        if (bytes_equal_secret(config->keys[i].sha256, sha256, SHA256_SIZE))
            found = &config->keys[i];
    }
    return found;
}

/* The key of "Bearer KEY", NULL for anything else. */
static const char *bearer_key(const char *authorization)
{
    static const char scheme[] = "Bearer ";

    if (authorization == NULL || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return NULL;
    const char *key = authorization + sizeof scheme - 1;
    key += strspn(key, " ");
    return *key != '\0' ? key : NULL;
}

enum problem authorise(const struct config *config, const struct head *head, struct caller *caller,
                       struct diag *diag)
{
    const char *key = bearer_key(head->fields[HEAD_AUTHORIZATION]);
    const struct config_key *found = NULL;
    uint8_t sha256[SHA256_SIZE];

    if (config->key_count == 0) {
        if (head->fields[HEAD_ORIGIN] != NULL)
            return problem_fail(diag, PROBLEM_WEB_PAGE,
                                "a request from a web page is refused while no API keys are configured");
        *caller = (struct caller){"anonymous", RIGHT_SCREEN | RIGHT_DETAIL | RIGHT_LISTS};
        return PROBLEM_NONE;
    }
    if (key == NULL)
        return problem_fail(diag, PROBLEM_NO_KEY, "send the API key as Authorization: Bearer KEY");
    if (hash_key(key, sha256) == 0)
        found = find_key(config, sha256);
    if (found == NULL)
        return problem_fail(diag, PROBLEM_NO_KEY, "the API key is not known");
    *caller = (struct caller){found->name, found->rights};
    return PROBLEM_NONE;
}
