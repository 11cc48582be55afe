/* What the protocols of the sources are made of. Pure: everything that happens is done by whoever pulls. */
#ifndef PRESCREEN_FEED_PROTOCOL_H
#define PRESCREEN_FEED_PROTOCOL_H

#include "prescreen/feed/checkpoint.h"
#include "prescreen/feed/credentials.h"
#include "prescreen/lists/page.h"

enum {
    FEED_URL_MAX = CONFIG_URL_MAX + 4 * LIST_FIELD_MAX, /* with its terminator */
    FEED_CLOCK_MARGIN_S = 5, /* what a source got in its last seconds may not be shown yet */
    FEED_CLOCK_OVERLAP_S =
        10, /* of two ranges: what is entered late, or at the second where they meet, is in one */
    FEED_CLOCK_DOUBT_S = 3600,      /* a checkpoint this far ahead of the clocks is wrong */
    FEED_WHOLE_AFTER_S = 30 * 86400 /* so long after the last pull StopNCII is fetched from its beginning */
};

/* The clocks as a pull begins, by the second. */
struct feed_clocks {
    uint64_t here_s;
    uint64_t there_s; /* of the source; 0 = it does not say */
};

/* What a pull does. */
struct feed_plan {
    enum list_change_mode mode;
    bool more;            /* there is a page to ask for */
    uint64_t from_s;      /* of what is asked */
    uint64_t next_from_s; /* of what is asked the next time, once all of it is in the lists */
    struct feed_clocks clocks;
    char url[FEED_URL_MAX]; /* of that page */
};

struct feed_protocol {
    enum list_format format;
    const char *clock_path; /* below the base, asked first for the source's clock; NULL: it does not matter */
    const char *headers[FEED_SECRET_COUNT]; /* that carry the secrets; NULL: HTTP Basic does */
    /* Makes the plan; checkpoint may be NULL. Errors: -EPROTO with diag. */
    int (*plan)(const struct config_feed *feed, const struct feed_checkpoint *checkpoint,
                const struct feed_clocks *clocks, struct feed_plan *plan, struct diag *diag);
    /* Takes in what a page says: whether there is another one and where, at the end next_from_s. Errors:
     * -EPROTO with diag. */
    int (*follow)(const struct config_feed *feed, const struct list_page *page, struct feed_plan *plan,
                  struct diag *diag);
};

/* Static storage. */
const struct feed_protocol *feed_protocol_of(enum feed_kind kind);

extern const struct feed_protocol feed_ncmec, feed_stopncii;

#endif
