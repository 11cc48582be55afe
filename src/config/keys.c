#include "prescreen/base/bytes.h"
#include "prescreen/base/text.h"

#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What `printf '' | sha256sum` says: the trace of an unset variable, and a key that anyone has. */
static const uint8_t sha256_of_nothing[SHA256_SIZE] = {
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};

enum { PLACE_SIZE = 48 };

static int read_name(struct config_source *source, size_t at, const char *text, struct config_key *key)
{
    char place[PLACE_SIZE];

    snprintf(place, sizeof place, "keys[%zu].name", at);
    if (!text_is_token(text, CONFIG_NAME_MAX))
        return config_refuse(source, place, "\"%.80s\" is no name; a name is 1 to %d of A-Z a-z 0-9 . _ -",
                             text, CONFIG_NAME_MAX);
    text_copy(key->name, sizeof key->name, text);
    return 0;
}

static int read_sha256(struct config_source *source, size_t at, const char *text, struct config_key *key)
{
    char place[PLACE_SIZE];

    snprintf(place, sizeof place, "keys[%zu].sha256", at);
    if (!hex_decode(text, strlen(text), key->sha256, SHA256_SIZE))
        return config_refuse(
            source, place,
            "must be the 64 hex digits that `printf %%s \"$KEY\" | sha256sum` prints, not the "
            "key itself");
    if (memcmp(key->sha256, sha256_of_nothing, SHA256_SIZE) == 0)
        return config_refuse(source, place, "is the SHA-256 of an empty text; a key has at least one letter");
    return 0;
}

static int read_rights(struct config_source *source, size_t at, const struct raw_key *raw,
                       struct config_key *key)
{
    char place[PLACE_SIZE];

    snprintf(place, sizeof place, "keys[%zu].rights", at);
    if (raw->right_count == 0)
        return config_refuse(source, place, "is empty; give at least one of screen, detail, lists");
    for (unsigned int i = 0; i < raw->right_count; i++) {
        enum right right = RIGHT_SCREEN;

        snprintf(place, sizeof place, "keys[%zu].rights[%u]", at, i);
        if (!right_parse(raw->rights[i], &right))
            return config_refuse(source, place, "\"%.40s\" is no right; the rights are screen, detail, lists",
                                 raw->rights[i]);
        if ((key->rights & (unsigned int)right) != 0)
            return config_refuse(source, place, "%s stands here twice", raw->rights[i]);
        key->rights |= (unsigned int)right;
    }
    return 0;
}

static int check_unlike_others(struct config_source *source, const struct config_key *keys, size_t at)
{
    char place[PLACE_SIZE];

    for (size_t i = 0; i < at; i++) {
        if (strcmp(keys[i].name, keys[at].name) == 0) {
            snprintf(place, sizeof place, "keys[%zu].name", at);
            return config_refuse(source, place, "%s is the name of keys[%zu] already", keys[at].name, i);
        }
        if (memcmp(keys[i].sha256, keys[at].sha256, SHA256_SIZE) == 0) {
            snprintf(place, sizeof place, "keys[%zu].sha256", at);
            return config_refuse(source, place, "is that of %s already: each name needs its own key",
                                 keys[i].name);
        }
    }
    return 0;
}

static int read_key(struct config_source *source, const struct raw_key *raw, struct config_key *keys,
                    size_t at)
{
    int error = read_name(source, at, raw->name, &keys[at]);

    if (error == 0)
        error = read_sha256(source, at, raw->sha256, &keys[at]);
    if (error == 0)
        error = read_rights(source, at, raw, &keys[at]);
    return error != 0 ? error : check_unlike_others(source, keys, at);
}

int settings_read_keys(struct config_source *source, const struct raw_config *raw, struct config *config)
{
    int error = 0;

    if (raw->key_count == 0)
        return 0;
    struct config_key *keys = calloc(raw->key_count, sizeof *keys);
    if (keys == NULL)
        return config_out_of_memory(source);
    for (size_t i = 0; error == 0 && i < raw->key_count; i++)
        error = read_key(source, &raw->keys[i], keys, i);
    if (error != 0) {
        free(keys);
        return error;
    }
    free(config->keys);
    config->keys = keys;
    config->key_count = raw->key_count;
    return 0;
}
