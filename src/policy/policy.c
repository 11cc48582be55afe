#include "prescreen/policy/policy.h"

#include "prescreen/base/bug.h"

#include <limits.h>
#include <string.h>

/* By what a block or report list found the upload. */
enum route { ROUTE_EXACT, ROUTE_NEAR, ROUTE_DERIVED, ROUTE_COUNT };

enum { NOTHING_ASKED = -1 };

#define MEDIA_REASONS ((REASON_BIT(REASON_COUNT) - 1) & ~(REASON_BIT(REASON_MEDIA_FIRST) - 1))

/* What the matches of each action do. */
static const struct {
    bool asks;
    enum verdict verdict; /* what it asks for */
} actions[ACTION_COUNT] = {
    [ACTION_REPORT] = {true, VERDICT_REPORT},
    [ACTION_BLOCK] = {true, VERDICT_BLOCK},
    [ACTION_ALLOW] = {false, VERDICT_ALLOW},
    [ACTION_OBSERVE] = {false, VERDICT_ALLOW},
};

/* The known-good matches, as far as they overrule. */
struct allowance {
    bool exact;            /* these very bytes */
    bool near;             /* some main view by PDQ: */
    unsigned int distance; /* the nearest such match */
    uint32_t frame;        /* and its frame */
};

/* What has been asked for so far; a verdict or NOTHING_ASKED. */
struct tally {
    int standing[ROUTE_COUNT];
    int overruled;
    unsigned int found; /* bit of each route that matched, standing or not */
    bool observed;
    bool softened; /* a standing match would ask for more, were its entry not set aside */
};

static enum route route_of(const struct policy_match *match)
{
    if (match->kind != HASH_PDQ)
        return ROUTE_EXACT;
    return match->view == VIEW_MAIN ? ROUTE_NEAR : ROUTE_DERIVED;
}

/* What a match counts as: the list of an exempt entry as one that only observes. */
static enum list_action action_of(const struct policy_match *match)
{
    return match->ruling == RULING_EXEMPT ? ACTION_OBSERVE : match->action;
}

static int strictest(int a, int b)
{
    return a > b ? a : b;
}

static struct allowance find_allowance(const struct policy_match *matches, size_t count)
{
    struct allowance allowance = {.distance = UINT_MAX};

    for (size_t i = 0; i < count; i++) {
        const struct policy_match *match = &matches[i];

        if (action_of(match) != ACTION_ALLOW)
            continue;
        if (route_of(match) == ROUTE_EXACT)
            allowance.exact = true;
        if (route_of(match) != ROUTE_NEAR || (allowance.near && match->distance >= allowance.distance))
            continue;
        allowance.near = true;
        allowance.distance = match->distance;
        allowance.frame = match->frame;
    }
    return allowance;
}

static bool overrules_nearby(const struct policy_match *allowing, const struct policy_match *match)
{
    return action_of(allowing) == ACTION_ALLOW && route_of(allowing) == ROUTE_NEAR &&
           allowing->frame == match->frame && allowing->distance <= match->distance;
}

static bool is_overruled(const struct policy_match *match, const struct allowance *allowance,
                         const struct policy_match *matches, size_t count)
{
    if (allowance->exact)
        return true;
    if (route_of(match) != ROUTE_NEAR || !allowance->near || allowance->distance > match->distance)
        return false;
    /* Settles every still picture; only with several frames must the others be asked. */
    if (allowance->frame == match->frame)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (overrules_nearby(&matches[i], match))
            return true;
    }
    return false;
}

/* What a match asks for before anything overrules it. *softened: it would be more, were the entry not set
 * aside. */
static int ask(const struct policy_rules *rules, const struct policy_match *match, bool *softened)
{
    const enum list_action action = action_of(match);

    *softened = false;
    if (!actions[action].asks)
        return NOTHING_ASKED;
    int asked = (int)actions[action].verdict;
    if (route_of(match) == ROUTE_DERIVED && asked > (int)rules->view_action)
        asked = (int)rules->view_action;
    *softened = match->ruling == RULING_SET_ASIDE && asked > (int)VERDICT_BLOCK;
    return *softened ? (int)VERDICT_BLOCK : asked;
}

static void tally_matches(const struct policy_rules *rules, const struct allowance *allowance,
                          const struct policy_match *matches, size_t count, struct tally *tally)
{
    for (size_t i = 0; i < count; i++) {
        const struct policy_match *match = &matches[i];
        enum route route = route_of(match);
        bool softened = false;

        BUG_ON(match->action >= ACTION_COUNT || match->kind >= HASH_KIND_COUNT ||
               match->ruling >= RULING_COUNT);
        if (action_of(match) == ACTION_OBSERVE)
            tally->observed = true;
        int asked = ask(rules, match, &softened);
        if (asked == NOTHING_ASKED)
            continue;
        bool overruled = is_overruled(match, allowance, matches, count);
        int *place = overruled ? &tally->overruled : &tally->standing[route];
        *place = strictest(*place, asked);
        tally->softened = tally->softened || (softened && !overruled);
        tally->found |= 1u << route;
    }
}

/* The strictest answer to the media reasons. */
static int ask_media(const struct policy_rules *rules, reason_set media)
{
    int asked = NOTHING_ASKED;

    for (int reason = REASON_MEDIA_FIRST; reason < REASON_COUNT; reason++) {
        if ((media & REASON_BIT(reason)) != 0)
            asked = strictest(asked, (int)rules->on[reason]);
    }
    return asked;
}

static reason_set match_reasons(const struct tally *tally)
{
    int direct = strictest(tally->standing[ROUTE_EXACT], tally->standing[ROUTE_NEAR]);
    bool direct_suffices = direct != NOTHING_ASKED && direct >= tally->standing[ROUTE_DERIVED];
    reason_set reasons = 0;

    if ((tally->found & 1u << ROUTE_EXACT) != 0)
        reasons |= REASON_BIT(REASON_MATCH_EXACT);
    if ((tally->found & 1u << ROUTE_NEAR) != 0)
        reasons |= REASON_BIT(REASON_MATCH_NEAR);
    if ((tally->found & 1u << ROUTE_DERIVED) != 0 && !direct_suffices)
        reasons |= REASON_BIT(REASON_MATCH_DERIVED);
    if (tally->observed)
        reasons |= REASON_BIT(REASON_MATCH_OBSERVED);
    if (tally->overruled > (int)VERDICT_ALLOW)
        reasons |= REASON_BIT(REASON_MATCH_ALLOWED);
    if (tally->softened)
        reasons |= REASON_BIT(REASON_MATCH_SET_ASIDE);
    return reasons;
}

void policy_decide(const struct policy_rules *rules, const struct policy_match *matches, size_t count,
                   reason_set media, struct policy_decision *decision)
{
    struct tally tally = {.standing = {NOTHING_ASKED, NOTHING_ASKED, NOTHING_ASKED},
                          .overruled = NOTHING_ASKED};
    struct allowance allowance = find_allowance(matches, count);
    int media_asks = ask_media(rules, media);
    int verdict = VERDICT_ALLOW;

    BUG_ON((media & ~MEDIA_REASONS) != 0);
    tally_matches(rules, &allowance, matches, count, &tally);
    if (allowance.exact)
        tally.overruled = strictest(tally.overruled, media_asks);
    else
        verdict = strictest(verdict, media_asks);
    for (int route = 0; route < ROUTE_COUNT; route++)
        verdict = strictest(verdict, tally.standing[route]);
    *decision = (struct policy_decision){
        .verdict = (enum verdict)verdict,
        .complete = media == 0,
        .reasons = media | match_reasons(&tally),
    };
}

enum verdict policy_asked_by(const struct policy_rules *rules, const struct policy_match *matches,
                             size_t count, size_t at)
{
    const struct allowance allowance = find_allowance(matches, count);
    bool softened = false;

    BUG_ON(at >= count);
    int asked = ask(rules, &matches[at], &softened);
    if (asked == NOTHING_ASKED || is_overruled(&matches[at], &allowance, matches, count))
        return VERDICT_ALLOW;
    return (enum verdict)asked;
}
