/* Whether the service can do its work at this moment. */
#ifndef PRESCREEN_HTTP_READINESS_H
#define PRESCREEN_HTTP_READINESS_H

#include "prescreen/base/diag.h"
#include "prescreen/http/server.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The stores are tried at most once a second, however often is asked: trying is a durable write. */
struct readiness {
    pthread_mutex_t lock;
    uint64_t tried_us; /* 0 = never */
    bool stores_work;
    struct diag fault; /* of the stores */
};

void readiness_init(struct readiness *readiness);
void readiness_destroy(struct readiness *readiness);

/* True when an index is loaded, a worker of each kind lives (each passed its self-test before it counted) and
 * the stores can be read and written; else missing names each thing that is not. Threads: any. */
bool readiness_check(struct readiness *readiness, const struct http_server_parts *parts,
                     struct diag *missing);

#endif
