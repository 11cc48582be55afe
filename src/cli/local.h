/* The parts of the service in this process, for commands that need no daemon. */
#ifndef PRESCREEN_CLI_LOCAL_H
#define PRESCREEN_CLI_LOCAL_H

#include "prescreen/base/diag.h"
#include "prescreen/config/config.h"
#include "prescreen/screen/screener.h"
#include "prescreen/store/lists.h"

#include "command.h"

/* Starts as {NULL}; local_close() takes down whatever stands. */
struct local {
    struct config *config;
    struct list_store *list_store; /* NULL: there are no lists */
    struct decoders *decoders;
    struct catalog *catalog;
    struct screener *screener;
    char who[128]; /* makes the changes, in the history: "command line (USER)"; set with list_store */
};

/* Reads the configuration that the options name; --data-dir overrides its data_dir. Errors: negative errno
 * with diag. The functions below call it. */
int local_load_config(const struct invocation *invocation, struct local *local, struct diag *diag);

/* Opens the lists; create makes the data folder where missing, else its absence is -ENOENT. */
int local_open_lists(const struct invocation *invocation, bool create, struct local *local,
                     struct diag *diag);

/* Starts as many sandboxed decoders of each kind as the configuration allows and jobs can use. local->config
 * must be loaded. Cost: some tens of milliseconds. */
int local_start_decoders(struct local *local, size_t jobs, struct diag *diag);

/* Everything that screener_hash() needs. */
int local_open_hashing(const struct invocation *invocation, size_t jobs, struct local *local,
                       struct diag *diag);

/* Everything that screener_screen() needs; nothing will be recorded. Where there is no data folder, the lists
 * are empty, and that is said. */
int local_open_screening(const struct invocation *invocation, size_t jobs, struct local *local,
                         struct diag *diag);

enum { LOCAL_URL_MAX = 512 };

/* Where a client on this machine finds the daemon of a configuration, or with admin its readiness: for
 * 0.0.0.0 and
 * :: the loopback. Errors: -EINVAL with diag when it listens on any free port. */
int local_find_daemon(const struct config *config, bool admin, char url[LOCAL_URL_MAX], struct diag *diag);

void local_close(struct local *local);

#endif
