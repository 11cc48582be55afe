/* StopNCII's FetchHashes: records changed since a time of the source's, page by page. Source:
 * python-threatexchange's client. */
#include "prescreen/base/bug.h"

#include "protocol.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    START_S = 10, /* what its public client begins with */
    PAGE_RECORDS = 800,
    FUTURE_MAX_S = 86400
};

static void write_url(const struct config_feed *feed, struct feed_plan *plan)
{
    snprintf(plan->url, sizeof plan->url, "%s/FetchHashes?startTimestamp=%" PRIu64 "&pageSize=%d", feed->url,
             plan->from_s, PAGE_RECORDS);
}

static bool is_recent(const struct feed_checkpoint *checkpoint, const struct feed_clocks *clocks)
{
    return checkpoint != NULL && checkpoint->pulled_us / 1000000 + FEED_WHOLE_AFTER_S > clocks->here_s;
}

/* What was deleted longer ago than the source remembers would never be said: then all of it takes the place
 * of what is there. */
static int plan_since(const struct config_feed *feed, const struct feed_checkpoint *checkpoint,
                      const struct feed_clocks *clocks, struct feed_plan *plan, struct diag *diag)
{
    bool recent = is_recent(checkpoint, clocks);

    (void)diag;
    *plan = (struct feed_plan){.mode = recent ? LIST_MERGE : LIST_REPLACE,
                               .more = true,
                               .from_s = recent ? checkpoint->from_s : START_S,
                               .clocks = *clocks};
    plan->next_from_s = plan->from_s;
    write_url(feed, plan);
    return 0;
}

/* Appends to the address; escaped, a text may hold any bytes. Source: RFC 3986 section 2.1. */
static void append(struct feed_plan *plan, const char *text, bool escaped)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    size_t used = strlen(plan->url);

    for (; *text != '\0'; text++) {
        const unsigned int letter = (unsigned char)*text;
        char *end = plan->url + used;

        BUG_ON(used + sizeof "%00" > sizeof plan->url);
        if (escaped && strchr(plain, *text) == NULL)
            used += (size_t)snprintf(end, sizeof "%00", "%%%02X", letter);
        else
            used += (size_t)snprintf(end, sizeof "%00", "%c", (int)letter);
    }
}

static int follow_token(const struct config_feed *feed, const struct list_page *page, struct feed_plan *plan,
                        struct diag *diag)
{
    const uint64_t next_s = page->paging.next_time;

    if (next_s > plan->clocks.here_s + FUTURE_MAX_S)
        return diag_fail(diag, -EPROTO,
                         "nextSetTimestamp lies in the future: no time in seconds, or a clock is "
                         "wrong");
    plan->more = page->more;
    if (!page->more) {
        if (next_s > 0)
            plan->next_from_s = next_s;
        return 0;
    }
    if (page->paging.next[0] == '\0')
        return diag_fail(diag, -EPROTO, "hasMoreRecords is true, and there is no nextPageToken");
    write_url(feed, plan);
    append(plan, "&nextPageToken=", false);
    append(plan, page->paging.next, true);
    return 0;
}

const struct feed_protocol feed_stopncii = {.format = LIST_FORMAT_STOPNCII,
                                            .headers = {"x-functions-key", "Ocp-Apim-Subscription-Key"},
                                            .plan = plan_since,
                                            .follow = follow_token};
