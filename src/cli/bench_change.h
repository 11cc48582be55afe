/* Changing a list of a running daemon while something else is measured. */
#ifndef PRESCREEN_SRC_CLI_BENCH_CHANGE_H
#define PRESCREEN_SRC_CLI_BENCH_CHANGE_H

#include "client.h"

enum { BENCH_CHANGE_RATE_MAX = 1000000, BENCH_CHANGE_CALL = 10000 };

struct bench_changer;

/* Begins to change the list on a thread of its own: calls of BENCH_CHANGE_CALL entries, nine in ten of them
 * new ones with random hashes, the others removals of earlier ones; rate entries a second, or as many as go
 * with 0. Ownership: client is borrowed until the end. Errors: -ENOMEM, -EAGAIN. */
int bench_changer_start(struct client *client, const char *list, uint64_t rate,
                        struct bench_changer **changer);

struct bench_changes {
    uint64_t entries, calls;
    double seconds;
    uint64_t p50_us, p99_us; /* of a call, as the caller sees it */
};

/* Ends it after the call under way and frees it. Errors: of the first call that failed, with diag. */
int bench_changer_stop(struct bench_changer *changer, struct bench_changes *changes, struct diag *diag);

#endif
