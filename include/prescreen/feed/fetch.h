/* Asks a source for a page: the only door of feeds to the network. Certificates are always looked at,
 * redirects never followed, sizes and times bounded. */
#ifndef PRESCREEN_FEED_FETCH_H
#define PRESCREEN_FEED_FETCH_H

#include "prescreen/base/bytes.h"
#include "prescreen/base/diag.h"
#include "prescreen/config/config.h"
#include "prescreen/feed/credentials.h"

#include <stdbool.h>

/* Positive outcomes. Each comes with a sentence in diag, without any part of an answer or a secret. */
enum fetch_outcome {
    FETCH_AGAIN = 1, /* it may go well another time: 429, 5xx, time-outs, connections that broke */
    FETCH_DENIED,    /* 401 or 403 */
    FETCH_FAILED,    /* any other answer, a certificate that nobody vouches for, a page that is too large */
    FETCH_STOPPED    /* this process is to end */
};

struct fetch_answer {
    struct bytes body;
    uint64_t date_s;   /* the source's clock; 0 = it does not say */
    uint64_t asked_us; /* it asks not to be called for so long; 0 = it does not */
};

struct fetcher_options {
    const struct config_feed *feed; /* all borrowed for the life of the fetcher */
    const struct feed_credentials *credentials;
    uint64_t page_bytes_max, time_us_max; /* of one page */
    bool (*is_to_stop)(void *context);    /* asked about once a second */
    void *context;
};

struct fetcher;

/* Errors: -ENOMEM with diag. Ownership: *fetcher is the caller's. curl_global_init() must have been called:
 * fetch_begin() does it. */
int fetcher_create(const struct fetcher_options *options, struct fetcher **fetcher, struct diag *diag);
void fetcher_free(struct fetcher *fetcher);

/* Gets what lies at the address, which must begin with the feed's own. On 0 the answer's body is the caller's
 * to clear; on a positive outcome it is empty, date_s and asked_us tell what was said. Errors: -ENOMEM. */
int fetcher_get(struct fetcher *fetcher, const char *url, struct fetch_answer *answer, struct diag *diag);

/* Once in the life of the process, before its threads. Errors: -ENOMEM. */
int fetch_begin(void);
void fetch_end(void);

#endif
