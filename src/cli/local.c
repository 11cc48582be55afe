#include "local.h"

#include "prescreen/base/cpu.h"
#include "prescreen/base/text.h"
#include "prescreen/screen/decoding.h"

#include "output.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int local_load_config(const struct invocation *invocation, struct local *local, struct diag *diag)
{
    int result = 0;

    if (local->config != NULL)
        return 0;
    result = config_load(option_text(invocation, OPTION_CONFIG, NULL), &local->config, diag);
    if (result != 0)
        return result;
    if (!text_copy(local->config->data_dir, sizeof local->config->data_dir,
                   option_text(invocation, OPTION_DATA_DIR, local->config->data_dir)))
        return diag_fail(diag, -ENAMETOOLONG, "--data-dir: the path is too long");
    return 0;
}

/* Who typed the command, as the system knows them. */
static void name_user(char *who, size_t capacity)
{
    char text[1024];
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwuid_r(getuid(), &entry, text, sizeof text, &found) == 0 && found != NULL)
        snprintf(who, capacity, "command line (%s)", entry.pw_name);
    else
        snprintf(who, capacity, "command line (user %u)", (unsigned int)getuid());
}

int local_open_lists(const struct invocation *invocation, bool create, struct local *local, struct diag *diag)
{
    int result = local_load_config(invocation, local, diag);

    if (result == 0)
        result = list_store_open(local->config->data_dir, create, &local->list_store, diag);
    if (result == 0)
        list_store_guard(local->list_store, local->config);
    name_user(local->who, sizeof local->who);
    return result;
}

int local_start_decoders(struct local *local, size_t jobs, struct diag *diag)
{
    return decoding_start(local->config, jobs, NULL, NULL, &local->decoders, diag);
}

static int create_catalog(struct local *local, struct diag *diag)
{
    const struct catalog_options options = {
        .store = local->list_store, .cpu = cpu_choose(), .folder = local->config->data_dir};

    return catalog_create(&options, &local->catalog, diag);
}

static int create_screener(struct local *local, struct diag *diag)
{
    struct screener_parts parts = {.config = local->config,
                                   .decoders = local->decoders,
                                   .catalog = local->catalog,
                                   .list_store = local->list_store};
    int result = screener_create(&parts, &local->screener);

    if (result != 0)
        diag_set(diag, "no memory");
    return result;
}

int local_open_hashing(const struct invocation *invocation, size_t jobs, struct local *local,
                       struct diag *diag)
{
    int result = local_load_config(invocation, local, diag);

    if (result == 0)
        result = local_start_decoders(local, jobs, diag);
    if (result == 0)
        result = create_screener(local, diag);
    return result;
}

int local_open_screening(const struct invocation *invocation, size_t jobs, struct local *local,
                         struct diag *diag)
{
    int result = local_open_lists(invocation, false, local, diag);

    if (result == -ENOENT && local->config != NULL) {
        say("there are no lists in %s; nothing can match", local->config->data_dir);
        result = 0;
    }
    if (result == 0)
        result = create_catalog(local, diag);
    if (result == 0)
        result = local_start_decoders(local, jobs, diag);
    if (result == 0)
        result = create_screener(local, diag);
    return result;
}

int local_find_daemon(const struct config *config, bool admin, char url[LOCAL_URL_MAX], struct diag *diag)
{
    const struct config_listen *listen =
        admin && config->admin_listen.kind != LISTEN_NONE ? &config->admin_listen : &config->listen;
    const char *host = strcmp(listen->host, "0.0.0.0") == 0 ? "127.0.0.1"
                       : strcmp(listen->host, "::") == 0    ? "::1"
                                                            : listen->host;
    bool six = strchr(host, ':') != NULL;

    if (listen->kind == LISTEN_UNIX)
        snprintf(url, LOCAL_URL_MAX, "unix:%s", listen->path);
    else if (listen->port == 0)
        return diag_fail(diag, -EINVAL,
                         "the configuration listens on any free port; name the address with --url");
    else
        snprintf(url, LOCAL_URL_MAX, "http://%s%s%s:%u", six ? "[" : "", host, six ? "]" : "", listen->port);
    return 0;
}

void local_close(struct local *local)
{
    screener_free(local->screener);
    decoders_free(local->decoders);
    catalog_free(local->catalog);
    list_store_close(local->list_store);
    config_free(local->config);
    *local = (struct local){.config = NULL};
}
