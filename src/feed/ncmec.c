/* NCMEC Hash Sharing v2: entries of a range of time, page by page, in no order of time. Source: NCMEC's
 * public documentation and python-threatexchange's client. */
#include "prescreen/base/clock.h"

#include "protocol.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char entries_path[] = "/v2/entries?";

enum { SECONDS_SIZE = 19 }; /* bytes of "2017-10-20T00:00:00" */

static void format_time(uint64_t time_s, char text[CLOCK_RFC3339_SIZE])
{
    clock_format_rfc3339(time_s * 1000000, text);
    memcpy(text + SECONDS_SIZE, "Z", 2);
}

/* The end of the range lies in the past by both clocks: whatever is entered later has a later time. */
static uint64_t end_of_range(const struct feed_clocks *clocks)
{
    uint64_t now_s = clocks->here_s;

    if (clocks->there_s != 0 && clocks->there_s < now_s)
        now_s = clocks->there_s;
    return now_s > FEED_CLOCK_MARGIN_S ? now_s - FEED_CLOCK_MARGIN_S : 0;
}

static int plan_range(const struct config_feed *feed, const struct feed_checkpoint *checkpoint,
                      const struct feed_clocks *clocks, struct feed_plan *plan, struct diag *diag)
{
    uint64_t from_s = checkpoint != NULL ? checkpoint->from_s : 0;
    uint64_t to_s = end_of_range(clocks);
    uint64_t asked_s = from_s > FEED_CLOCK_OVERLAP_S ? from_s - FEED_CLOCK_OVERLAP_S : 0;
    char from[CLOCK_RFC3339_SIZE];
    char to[CLOCK_RFC3339_SIZE];

    if (from_s > to_s + FEED_CLOCK_DOUBT_S)
        return diag_fail(diag, -EPROTO,
                         "what was fetched last is %" PRIu64 " s ahead of the clocks of this machine and the "
                         "source: one of them is wrong, or was",
                         from_s - to_s);
    *plan = (struct feed_plan){.mode = LIST_MERGE,
                               .more = from_s < to_s,
                               .from_s = asked_s,
                               .next_from_s = from_s >= to_s ? from_s : to_s,
                               .clocks = *clocks};
    format_time(asked_s, from);
    format_time(to_s, to);
    snprintf(plan->url, sizeof plan->url, "%s%sfrom=%s&to=%s", feed->url, entries_path, from, to);
    return 0;
}

/* Whether a text is printable ASCII without blanks, so that nothing in it has a meaning but that of an
 * address. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~')
            return false;
    }
    return true;
}

/* The link is a path below the base, or the whole address of one. */
static int follow_link(const struct config_feed *feed, const struct list_page *page, struct feed_plan *plan,
                       struct diag *diag)
{
    const char *path = page->paging.next;

    plan->more = page->more;
    if (!page->more)
        return 0;
    if (strncmp(path, feed->url, strlen(feed->url)) == 0)
        path += strlen(feed->url);
    if (strncmp(path, entries_path, strlen(entries_path)) != 0 || !is_plain(path))
        return diag_fail(diag, -EPROTO,
                         "the link to the next page does not lead to %s%s…; it is not followed", feed->url,
                         entries_path);
    snprintf(plan->url, sizeof plan->url, "%s%s", feed->url, path);
    return 0;
}

const struct feed_protocol feed_ncmec = {
    .format = LIST_FORMAT_NCMEC, .clock_path = "/v2/status", .plan = plan_range, .follow = follow_link};
