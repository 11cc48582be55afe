#include "prescreen/base/bug.h"
#include "prescreen/base/text.h"
#include "prescreen/hash/digest.h"

#include "rules.h"
#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CHAIN_MAX = 3, VERSION_DIGITS = 16 };

/* From whom a profile has its values, the weakest first. */
struct chain {
    size_t length;
    struct {
        const struct raw_profile *raw;
        struct config_source *source;
        const char *name;
    } links[CHAIN_MAX];
};

static void add_link(struct chain *chain, struct config_layer *layer, const char *name)
{
    const struct raw_profile *raw = layer_find_profile(layer, name);

    if (raw == NULL)
        return;
    BUG_ON(chain->length == CHAIN_MAX);
    chain->links[chain->length].raw = raw;
    chain->links[chain->length].source = &layer->source;
    chain->links[chain->length].name = name;
    chain->length++;
}

static struct chain make_chain(struct config_layer *layers, size_t count, const char *name)
{
    struct chain chain = {0};

    for (size_t i = 0; i < count; i++)
        add_link(&chain, &layers[i], "default");
    if (strcmp(name, "default") != 0)
        add_link(&chain, &layers[count - 1], name);
    return chain;
}

static int resolve_audience(const struct chain *chain, enum audience audience, struct policy_rules *rules)
{
    char place[CONFIG_KEY_TEXT_MAX];
    int error = 0;

    for (size_t i = 0; error == 0 && i < chain->length; i++) {
        snprintf(place, sizeof place, "profiles.%s", chain->links[i].name);
        error = rules_read(chain->links[i].source, place, &chain->links[i].raw->rules, rules);
    }
    for (size_t i = 0; error == 0 && i < chain->length; i++) {
        snprintf(place, sizeof place, "profiles.%s.audience.%s", chain->links[i].name,
                 audience_name(audience));
        error = rules_read(chain->links[i].source, place, &chain->links[i].raw->audience[audience], rules);
    }
    return error;
}

/* The first line is to change with the meaning of the values: when policy_decide() itself changes. */
static int make_version(struct config_profile *profile)
{
    static const char meaning[] = "prescreen policy 1\n";
    struct digest_stream *stream = NULL;
    struct known_hashes hashes = {0};
    char hex[PDQ_HEX_SIZE];
    int error = digest_stream_create(HASH_BIT(HASH_SHA256), &stream);

    if (error != 0)
        return error;
    error = digest_stream_update(stream, meaning, sizeof meaning - 1);
    for (int i = 0; error == 0 && i < AUDIENCE_COUNT; i++)
        error = rules_digest(stream, (enum audience)i, &profile->rules[i]);
    if (error == 0)
        error = digest_stream_finish(stream, &hashes);
    digest_stream_free(stream);
    if (error != 0)
        return error;
    known_hashes_format(&hashes, HASH_SHA256, hex);
    memcpy(profile->version, hex, VERSION_DIGITS);
    profile->version[VERSION_DIGITS] = '\0';
    return 0;
}

static int resolve_profile(struct config_layer *layers, size_t count, const char *name,
                           struct config_profile *profile)
{
    struct chain chain = make_chain(layers, count, name);
    int error = 0;

    BUG_ON(!text_copy(profile->name, sizeof profile->name, name));
    for (int i = 0; error == 0 && i < AUDIENCE_COUNT; i++)
        error = resolve_audience(&chain, (enum audience)i, &profile->rules[i]);
    if (error != 0)
        return error;
    error = make_version(profile);
    if (error != 0)
        diag_set(layers[0].source.diag, "policy version: SHA-256 failed: %s",
                 error == -ENOMEM ? "out of memory" : "library refused");
    return error;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct config_profile *)a)->name, ((const struct config_profile *)b)->name);
}

int settings_resolve_profiles(struct config_layer *layers, size_t count, struct config *config)
{
    const struct config_layer *last = &layers[count - 1];
    size_t named = last->raw == NULL ? 0 : schema_profile_count(last->schema);
    int error = 0;

    config->profiles = calloc(named + 1, sizeof *config->profiles);
    if (config->profiles == NULL)
        return config_out_of_memory(&layers[0].source);
    error = resolve_profile(layers, count, "default", &config->profiles[0]);
    config->profile_count = 1;
    for (size_t i = 0; error == 0 && i < named; i++) {
        const char *name = schema_profile_name(last->schema, i);
        if (strcmp(name, "default") != 0)
            error = resolve_profile(layers, count, name, &config->profiles[config->profile_count++]);
    }
    if (error == 0)
        qsort(config->profiles, config->profile_count, sizeof *config->profiles, compare_names);
    return error;
}

const struct config_profile *config_find_profile(const struct config *config, const char *name)
{
    size_t low = 0;
    size_t high = config->profile_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, config->profiles[middle].name);

        if (order == 0)
            return &config->profiles[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
