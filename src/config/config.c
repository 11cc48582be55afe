#include "prescreen/config/config.h"

#include "prescreen/base/text.h"

#include "settings.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char standard_path[] = "/etc/prescreen/prescreen.yaml";
static const char built_in[] = "built-in defaults";

/* The text of config/prescreen.yaml, which the build carries along. */
extern const char config_default_yaml[];

/* The defaults, then the file when there is one; the environment above them. */
struct build {
    struct config *config;
    struct config_layer layers[2];
    size_t layer_count;
    struct config_source environment;
    bool with_environment;
};

/* One core for each worker, of those that this process may run on. */
static unsigned int count_cores(void)
{
    cpu_set_t allowed;
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        online = CPU_COUNT(&allowed);
    return online < 1 ? 1 : online > CONFIG_WORKERS_MAX ? CONFIG_WORKERS_MAX : (unsigned int)online;
}

static int set_listen(struct config *config, struct config_source *source, const char *key, const char *text)
{
    return settings_read_listen(source, key, text, &config->listen);
}

static int set_admin_listen(struct config *config, struct config_source *source, const char *key,
                            const char *text)
{
    if (*text == '\0') {
        config->admin_listen = (struct config_listen){.kind = LISTEN_NONE};
        return 0;
    }
    return settings_read_listen(source, key, text, &config->admin_listen);
}

static int set_data_dir(struct config *config, struct config_source *source, const char *key,
                        const char *text)
{
    if (*text == '\0' || !text_is_printable_utf8(text, strlen(text)))
        return config_refuse(source, key, "must be the path of a directory, in UTF-8");
    if (!text_copy(config->data_dir, sizeof config->data_dir, text))
        return config_refuse(source, key, "longer than %d bytes", CONFIG_PATH_MAX - 1);
    return 0;
}

static int set_workers(struct config *config, struct config_source *source, const char *key, const char *text)
{
    uint64_t count = 0;

    if (!text_parse_u64(text, CONFIG_WORKERS_MAX, &count))
        return config_refuse(source, key, "\"%.40s\" is not taken; use a number from 0 (one a core) to %d",
                             text, CONFIG_WORKERS_MAX);
    config->workers = count == 0 ? count_cores() : (unsigned int)count;
    return 0;
}

static int set_heif_workers(struct config *config, struct config_source *source, const char *key,
                            const char *text)
{
    uint64_t count = 0;

    if (!text_parse_u64(text, CONFIG_WORKERS_MAX, &count))
        return config_refuse(source, key,
                             "\"%.40s\" is not taken; use a number from 0 (half as many as workers) to %d",
                             text, CONFIG_WORKERS_MAX);
    config->heif_workers = (unsigned int)count;
    return 0;
}

static const struct {
    const char *key;
    const char *variable; /* that overrides it, or NULL */
    size_t raw;
    int (*set)(struct config *config, struct config_source *source, const char *key, const char *text);
} settings[] = {
    {"listen", "PRESCREEN_LISTEN", offsetof(struct raw_config, listen), set_listen},
    {"admin_listen", NULL, offsetof(struct raw_config, admin_listen), set_admin_listen},
    {"data_dir", "PRESCREEN_DATA_DIR", offsetof(struct raw_config, data_dir), set_data_dir},
    {"workers", "PRESCREEN_WORKERS", offsetof(struct raw_config, workers), set_workers},
    {"heif_workers", NULL, offsetof(struct raw_config, heif_workers), set_heif_workers},
};

static int apply_layer(struct config *config, struct config_layer *layer)
{
    int error = 0;

    if (layer->raw == NULL)
        return 0;
    for (size_t i = 0; error == 0 && i < sizeof settings / sizeof settings[0]; i++) {
        const char *text = *(char *const *)((const char *)layer->raw + settings[i].raw);
        if (text != NULL)
            error = settings[i].set(config, &layer->source, settings[i].key, text);
    }
    if (error == 0)
        error = settings_read_limits(&layer->source, layer->raw->limits, &config->limits);
    if (error == 0)
        error = settings_read_keys(&layer->source, layer->raw, config);
    if (error == 0)
        error = settings_read_lists(&layer->source, layer->raw, config);
    return error != 0 ? error : settings_read_feeds(&layer->source, layer->raw, config);
}

static int apply_environment(struct build *build)
{
    int error = 0;

    for (size_t i = 0; error == 0 && i < sizeof settings / sizeof settings[0]; i++) {
        const char *text = settings[i].variable == NULL ? NULL : getenv(settings[i].variable);
        if (text != NULL)
            error = settings[i].set(build->config, &build->environment, settings[i].variable, text);
    }
    return error;
}

static bool same_place(const struct config_listen *a, const struct config_listen *b)
{
    if (a->kind != b->kind || a->kind == LISTEN_NONE)
        return false;
    if (a->kind == LISTEN_UNIX)
        return strcmp(a->path, b->path) == 0;
    return a->port != 0 && a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* What only shows when everything is known. */
static int check_addresses(struct build *build)
{
    static const char reachable[] = "other machines can reach this address, and without keys every call is "
                                    "allowed; set keys, or use 127.0.0.1, [::1], localhost or unix:/PATH";
    const struct config *config = build->config;
    struct config_source *last = &build->layers[build->layer_count - 1].source;
    bool from_environment = build->with_environment && getenv("PRESCREEN_LISTEN") != NULL;

    if (same_place(&config->listen, &config->admin_listen))
        return config_refuse(last, "admin_listen",
                             "is the same as listen; leave it empty to serve both there");
    if (config->key_count > 0)
        return 0;
    if (!config->listen.loopback)
        return config_refuse(from_environment ? &build->environment : last,
                             from_environment ? "PRESCREEN_LISTEN" : "listen", "%s", reachable);
    if (config->admin_listen.kind != LISTEN_NONE && !config->admin_listen.loopback)
        return config_refuse(last, "admin_listen", "%s", reachable);
    return 0;
}

static int read_layers(struct build *build)
{
    struct config_source *defaults = &build->layers[0].source;
    int error = config_source_copy(defaults, config_default_yaml, strlen(config_default_yaml));

    for (size_t i = 0; error == 0 && i < build->layer_count; i++)
        error = layer_read(&build->layers[i]);
    for (size_t i = 0; error == 0 && i < build->layer_count; i++)
        error = apply_layer(build->config, &build->layers[i]);
    if (error == 0 && build->with_environment)
        error = apply_environment(build);
    if (error == 0)
        error = check_addresses(build);
    if (build->config->heif_workers == 0)
        build->config->heif_workers = (build->config->workers + 1) / 2;
    return error != 0 ? error : settings_resolve_profiles(build->layers, build->layer_count, build->config);
}

static int begin(struct build *build, const char *origin, struct diag *diag)
{
    *build = (struct build){.layer_count = 1};
    build->environment = (struct config_source){.origin = "", .diag = diag};
    build->layers[0].source = (struct config_source){.origin = built_in, .diag = diag};
    build->layers[1].source = (struct config_source){.origin = origin, .diag = diag};
    build->config = calloc(1, sizeof *build->config);
    return build->config == NULL ? config_out_of_memory(&build->layers[1].source) : 0;
}

/* Frees what the build no longer needs, and gives the configuration away when there was no error. */
static int end(struct build *build, int error, struct config **config)
{
    for (size_t i = 0; i < sizeof build->layers / sizeof build->layers[0]; i++)
        layer_close(&build->layers[i]);
    if (error != 0)
        config_free(build->config);
    else
        *config = build->config;
    return error;
}

/* Only the standard file may be absent: then the defaults are all there is. */
static int read_file(struct build *build, const char *path)
{
    struct config_source *source = &build->layers[1].source;
    const char *found = path != NULL ? path : standard_path;
    int error = config_source_read(source, found);

    if (error == -ENOENT && path == NULL) {
        diag_set(source->diag, "%s", "");
        found = built_in;
        error = 0;
    } else if (error == 0) {
        build->layer_count = 2;
    }
    if (error == 0 && !text_copy(build->config->origin, sizeof build->config->origin, found))
        error = config_refuse(source, "", "the path is longer than %d bytes", CONFIG_PATH_MAX - 1);
    return error;
}

int config_load(const char *path, struct config **config, struct diag *diag)
{
    struct build build;
    int error = begin(&build, path != NULL ? path : standard_path, diag);

    build.with_environment = true;
    if (error == 0)
        error = read_file(&build, path);
    if (error == 0)
        error = read_layers(&build);
    return end(&build, error, config);
}

int config_parse(const char *text, size_t size, const char *origin, struct config **config, struct diag *diag)
{
    struct build build;
    int error = begin(&build, origin, diag);

    build.layer_count = 2;
    if (error == 0 && !text_copy(build.config->origin, sizeof build.config->origin, origin))
        error = config_refuse(&build.layers[1].source, "", "the name is longer than %d bytes",
                              CONFIG_PATH_MAX - 1);
    if (error == 0)
        error = config_source_copy(&build.layers[1].source, text, size);
    if (error == 0)
        error = read_layers(&build);
    return end(&build, error, config);
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    free(config->keys);
    settings_free_lists(config->lists, config->list_count);
    free(config->feeds);
    free(config->profiles);
    free(config);
}
