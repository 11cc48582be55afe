#include "prescreen/policy/policy.h"

#include "tap.h"

#include <string.h>

#define EXACT(action, kind)                                                                                  \
    {                                                                                                        \
        (action), (kind), 0, VIEW_MAIN, 0, RULING_NONE                                                       \
    }
#define NEAR(action, distance)                                                                               \
    {                                                                                                        \
        (action), HASH_PDQ, (distance), VIEW_MAIN, 0, RULING_NONE                                            \
    }
#define DERIVED(action, distance)                                                                            \
    {                                                                                                        \
        (action), HASH_PDQ, (distance), VIEW_UNDER_ALPHA, 0, RULING_NONE                                     \
    }
#define FRAME(action, distance, frame)                                                                       \
    {                                                                                                        \
        (action), HASH_PDQ, (distance), VIEW_MAIN, (frame), RULING_NONE                                      \
    }

static const struct policy_rules shipped = {
    .effort = EFFORT_STANDARD,
    .view_radius = 24,
    .view_action = VERDICT_BLOCK,
    .quality_floor = 50,
    .on = {[REASON_MEDIA_UNRECOGNISED] = VERDICT_BLOCK,
           [REASON_MEDIA_UNSUPPORTED] = VERDICT_BLOCK,
           [REASON_MEDIA_CORRUPT] = VERDICT_BLOCK,
           [REASON_MEDIA_LIMIT_PIXELS] = VERDICT_BLOCK,
           [REASON_MEDIA_LIMIT_FRAMES] = VERDICT_BLOCK,
           [REASON_MEDIA_LIMIT_TIME] = VERDICT_BLOCK,
           [REASON_MEDIA_LIMIT_MEMORY] = VERDICT_BLOCK,
           [REASON_MEDIA_DECODER_DIED] = VERDICT_BLOCK,
           [REASON_MEDIA_LOW_QUALITY] = VERDICT_ALLOW},
};

enum { EXAMPLE_MATCHES_MAX = 4 };

static const struct example {
    const char *what;
    size_t count;
    struct policy_match matches[EXAMPLE_MATCHES_MAX];
    reason_set media;
    enum verdict verdict;
    reason_set reasons; /* of matches; the media reasons are expected as given */
} examples[] = {
    {"nothing found", 0, {{0}}, 0, VERDICT_ALLOW, 0},
    {"a digest on a report list",
     1,
     {EXACT(ACTION_REPORT, HASH_SHA256)},
     0,
     VERDICT_REPORT,
     REASON_BIT(REASON_MATCH_EXACT)},
    {"MD5 is a digest", 1, {EXACT(ACTION_BLOCK, HASH_MD5)}, 0, VERDICT_BLOCK, REASON_BIT(REASON_MATCH_EXACT)},
    {"SHA-1 is a digest",
     1,
     {EXACT(ACTION_BLOCK, HASH_SHA1)},
     0,
     VERDICT_BLOCK,
     REASON_BIT(REASON_MATCH_EXACT)},
    {"PDQ at distance 0 is near, not exact",
     1,
     {NEAR(ACTION_REPORT, 0)},
     0,
     VERDICT_REPORT,
     REASON_BIT(REASON_MATCH_NEAR)},
    {"the strictest list wins",
     2,
     {NEAR(ACTION_BLOCK, 3), NEAR(ACTION_REPORT, 31)},
     0,
     VERDICT_REPORT,
     REASON_BIT(REASON_MATCH_NEAR)},
    {"exact and near are both told",
     2,
     {EXACT(ACTION_BLOCK, HASH_SHA1), NEAR(ACTION_REPORT, 6)},
     0,
     VERDICT_REPORT,
     REASON_BIT(REASON_MATCH_EXACT) | REASON_BIT(REASON_MATCH_NEAR)},
    {"a view asks for at most view_action",
     1,
     {DERIVED(ACTION_REPORT, 2)},
     0,
     VERDICT_BLOCK,
     REASON_BIT(REASON_MATCH_DERIVED)},
    {"a view is not told where the main picture asks for more",
     2,
     {DERIVED(ACTION_REPORT, 2), NEAR(ACTION_REPORT, 9)},
     0,
     VERDICT_REPORT,
     REASON_BIT(REASON_MATCH_NEAR)},
    {"a view is not told where the main picture asks for as much",
     2,
     {DERIVED(ACTION_REPORT, 2), NEAR(ACTION_BLOCK, 9)},
     0,
     VERDICT_BLOCK,
     REASON_BIT(REASON_MATCH_NEAR)},
    {"an observe list is told alone",
     2,
     {EXACT(ACTION_OBSERVE, HASH_SHA256), DERIVED(ACTION_OBSERVE, 1)},
     0,
     VERDICT_ALLOW,
     REASON_BIT(REASON_MATCH_OBSERVED)},
    {"a view is told beside an observe list",
     2,
     {EXACT(ACTION_OBSERVE, HASH_SHA256), DERIVED(ACTION_BLOCK, 1)},
     0,
     VERDICT_BLOCK,
     REASON_BIT(REASON_MATCH_OBSERVED) | REASON_BIT(REASON_MATCH_DERIVED)},
    {"a known-good match that overrules nothing is no reason",
     2,
     {EXACT(ACTION_ALLOW, HASH_SHA256), NEAR(ACTION_ALLOW, 0)},
     0,
     VERDICT_ALLOW,
     0},
    {"a known-good digest overrules a digest",
     2,
     {EXACT(ACTION_REPORT, HASH_SHA256), EXACT(ACTION_ALLOW, HASH_SHA256)},
     0,
     VERDICT_ALLOW,
     REASON_BIT(REASON_MATCH_EXACT) | REASON_BIT(REASON_MATCH_ALLOWED)},
    {"a known-good digest overrules views, and they are not lost",
     3,
     {NEAR(ACTION_BLOCK, 3), DERIVED(ACTION_REPORT, 0), EXACT(ACTION_ALLOW, HASH_SHA1)},
     0,
     VERDICT_ALLOW,
     REASON_BIT(REASON_MATCH_NEAR) | REASON_BIT(REASON_MATCH_DERIVED) | REASON_BIT(REASON_MATCH_ALLOWED)},
    {"a known-good digest overrules media reasons",
     1,
     {EXACT(ACTION_ALLOW, HASH_SHA256)},
     REASON_BIT(REASON_MEDIA_CORRUPT),
     VERDICT_ALLOW,
     REASON_BIT(REASON_MATCH_ALLOWED)},
    {"a media reason that allows anyway is not overruled",
     1,
     {EXACT(ACTION_ALLOW, HASH_SHA256)},
     REASON_BIT(REASON_MEDIA_LOW_QUALITY),
     VERDICT_ALLOW,
     0},
    {"a known-good PDQ does not overrule media reasons",
     1,
     {NEAR(ACTION_ALLOW, 0)},
     REASON_BIT(REASON_MEDIA_CORRUPT),
     VERDICT_BLOCK,
     0},
    {"a known-good PDQ does not overrule a digest",
     2,
     {EXACT(ACTION_BLOCK, HASH_MD5), NEAR(ACTION_ALLOW, 0)},
     0,
     VERDICT_BLOCK,
     REASON_BIT(REASON_MATCH_EXACT)},
    {"a known-good PDQ overrules what is farther",
     2,
     {NEAR(ACTION_REPORT, 9), NEAR(ACTION_ALLOW, 8)},
     0,
     VERDICT_ALLOW,
     REASON_BIT(REASON_MATCH_NEAR) | REASON_BIT(REASON_MATCH_ALLOWED)},
    {"a known-good PDQ overrules what is as far",
     2,
     {NEAR(ACTION_REPORT, 8), NEAR(ACTION_ALLOW, 8)},
     0,
     VERDICT_ALLOW,
     REASON_BIT(REASON_MATCH_NEAR) | REASON_BIT(REASON_MATCH_ALLOWED)},
    {"a known-good PDQ does not overrule what is nearer",
     2,
     {NEAR(ACTION_REPORT, 7), NEAR(ACTION_ALLOW, 8)},
     0,
     VERDICT_REPORT,
     REASON_BIT(REASON_MATCH_NEAR)},
    {"the nearest known-good PDQ counts",
     3,
     {NEAR(ACTION_ALLOW, 20), NEAR(ACTION_REPORT, 9), NEAR(ACTION_ALLOW, 8)},
     0,
     VERDICT_ALLOW,
     REASON_BIT(REASON_MATCH_NEAR) | REASON_BIT(REASON_MATCH_ALLOWED)},
    {"what is hidden behind a known-good picture is found",
     2,
     {NEAR(ACTION_ALLOW, 0), DERIVED(ACTION_REPORT, 0)},
     0,
     VERDICT_BLOCK,
     REASON_BIT(REASON_MATCH_DERIVED)},
    {"a view is told when the near match beside it is overruled",
     3,
     {NEAR(ACTION_REPORT, 5), NEAR(ACTION_ALLOW, 0), DERIVED(ACTION_BLOCK, 9)},
     0,
     VERDICT_BLOCK,
     REASON_BIT(REASON_MATCH_NEAR) | REASON_BIT(REASON_MATCH_ALLOWED) | REASON_BIT(REASON_MATCH_DERIVED)},
    {"a known-good match through a view overrules nothing",
     3,
     {DERIVED(ACTION_ALLOW, 0), NEAR(ACTION_REPORT, 9), DERIVED(ACTION_BLOCK, 9)},
     0,
     VERDICT_REPORT,
     REASON_BIT(REASON_MATCH_NEAR)},
    {"a known-good first frame does not cover the next",
     2,
     {FRAME(ACTION_ALLOW, 0, 0), FRAME(ACTION_REPORT, 4, 1)},
     0,
     VERDICT_REPORT,
     REASON_BIT(REASON_MATCH_NEAR)},
    {"each frame has its own known-good match",
     4,
     {FRAME(ACTION_ALLOW, 0, 0), FRAME(ACTION_REPORT, 4, 1), FRAME(ACTION_ALLOW, 3, 1),
      FRAME(ACTION_BLOCK, 0, 0)},
     0,
     VERDICT_ALLOW,
     REASON_BIT(REASON_MATCH_NEAR) | REASON_BIT(REASON_MATCH_ALLOWED)},
    {"a frame's known-good match must be the nearer one",
     3,
     {FRAME(ACTION_ALLOW, 0, 0), FRAME(ACTION_REPORT, 4, 1), FRAME(ACTION_ALLOW, 5, 1)},
     0,
     VERDICT_REPORT,
     REASON_BIT(REASON_MATCH_NEAR)},
    {"matches and media reasons add up",
     1,
     {NEAR(ACTION_REPORT, 4)},
     REASON_BIT(REASON_MEDIA_CORRUPT) | REASON_BIT(REASON_MEDIA_LOW_QUALITY),
     VERDICT_REPORT,
     REASON_BIT(REASON_MATCH_NEAR)},
    {"a PDQ overruled beside a digest that stands",
     3,
     {EXACT(ACTION_BLOCK, HASH_SHA1), NEAR(ACTION_REPORT, 4), NEAR(ACTION_ALLOW, 0)},
     0,
     VERDICT_BLOCK,
     REASON_BIT(REASON_MATCH_EXACT) | REASON_BIT(REASON_MATCH_NEAR) | REASON_BIT(REASON_MATCH_ALLOWED)},
};

START_TEST(each_example_comes_out_as_written)
{
    const struct example *example = &examples[_i];
    struct policy_decision decision = {VERDICT_COUNT, false, ~0u};

    policy_decide(&shipped, example->matches, example->count, example->media, &decision);
    ck_assert_msg(decision.verdict == example->verdict, "%s: verdict %s", example->what,
                  verdict_name(decision.verdict));
    ck_assert_msg(decision.reasons == (example->reasons | example->media), "%s: reasons %#x, expected %#x",
                  example->what, decision.reasons, example->reasons | example->media);
    ck_assert_msg(decision.complete == (example->media == 0), "%s: complete", example->what);
}
END_TEST

START_TEST(each_media_reason_answers_by_its_own_setting)
{
    for (int reason = REASON_MEDIA_FIRST; reason < REASON_COUNT; reason++) {
        for (int answer = 0; answer < VERDICT_COUNT; answer++) {
            struct policy_rules rules = {.view_action = VERDICT_ALLOW};
            struct policy_decision decision;

            rules.on[reason] = (enum verdict)answer;
            policy_decide(&rules, NULL, 0, REASON_BIT(reason), &decision);
            ck_assert_int_eq(decision.verdict, answer);
            ck_assert_uint_eq(decision.reasons, REASON_BIT(reason));
            ck_assert(!decision.complete);
        }
    }
}
END_TEST

START_TEST(a_view_may_report_or_only_tell_when_the_profile_says_so)
{
    static const struct policy_match derived[] = {DERIVED(ACTION_REPORT, 2)};
    static const struct policy_match with_block[] = {DERIVED(ACTION_REPORT, 2), NEAR(ACTION_BLOCK, 9)};
    static const struct policy_match allowed[] = {DERIVED(ACTION_REPORT, 2), EXACT(ACTION_ALLOW, HASH_SHA1)};
    struct policy_rules rules = shipped;
    struct policy_decision decision;

    rules.view_action = VERDICT_REPORT;
    policy_decide(&rules, with_block, 2, 0, &decision);
    ck_assert_int_eq(decision.verdict, VERDICT_REPORT);
    ck_assert_uint_eq(decision.reasons, REASON_BIT(REASON_MATCH_NEAR) | REASON_BIT(REASON_MATCH_DERIVED));
    rules.view_action = VERDICT_ALLOW;
    policy_decide(&rules, derived, 1, 0, &decision);
    ck_assert_int_eq(decision.verdict, VERDICT_ALLOW);
    ck_assert_uint_eq(decision.reasons, REASON_BIT(REASON_MATCH_DERIVED));
    policy_decide(&rules, allowed, 2, 0, &decision);
    ck_assert_uint_eq(decision.reasons, REASON_BIT(REASON_MATCH_DERIVED));
}
END_TEST

/* The obvious twin: the header's sentences one after the other, each match against each. */

static bool twin_is_strict(const struct policy_match *match)
{
    return match->ruling != RULING_EXEMPT &&
           (match->action == ACTION_BLOCK || match->action == ACTION_REPORT);
}

static bool twin_is_derived(const struct policy_match *match)
{
    return match->kind == HASH_PDQ && match->view != VIEW_MAIN;
}

static bool twin_overrules(const struct policy_match *good, const struct policy_match *bad)
{
    if (good->action != ACTION_ALLOW || good->ruling == RULING_EXEMPT)
        return false;
    if (good->kind != HASH_PDQ)
        return true;
    return !twin_is_derived(good) && bad->kind == HASH_PDQ && !twin_is_derived(bad) &&
           good->frame == bad->frame && good->distance <= bad->distance;
}

static enum verdict twin_ask(const struct policy_rules *rules, const struct policy_match *match)
{
    enum verdict asked =
        match->action == ACTION_REPORT && match->ruling != RULING_SET_ASIDE ? VERDICT_REPORT : VERDICT_BLOCK;

    return twin_is_derived(match) && asked > rules->view_action ? rules->view_action : asked;
}

static bool twin_stands(const struct policy_match *matches, size_t count, size_t at)
{
    for (size_t i = 0; i < count; i++) {
        if (twin_overrules(&matches[i], &matches[at]))
            return false;
    }
    return twin_is_strict(&matches[at]);
}

static bool twin_tells_derived(const struct policy_rules *rules, const struct policy_match *matches,
                               size_t count)
{
    bool any = false;
    bool standing = false;
    enum verdict most = VERDICT_ALLOW;

    for (size_t i = 0; i < count; i++) {
        if (!twin_is_strict(&matches[i]) || !twin_is_derived(&matches[i]))
            continue;
        any = true;
        if (twin_stands(matches, count, i) && twin_ask(rules, &matches[i]) > most)
            most = twin_ask(rules, &matches[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (!twin_is_derived(&matches[i]) && twin_stands(matches, count, i) &&
            twin_ask(rules, &matches[i]) >= most)
            standing = true;
    }
    return any && !standing;
}

static struct policy_decision twin_decide(const struct policy_rules *rules,
                                          const struct policy_match *matches, size_t count, reason_set media)
{
    struct policy_decision decision = {VERDICT_ALLOW, media == 0, media};
    bool bytes_are_good = false;

    for (size_t i = 0; i < count; i++) {
        if (matches[i].action == ACTION_ALLOW && matches[i].kind != HASH_PDQ &&
            matches[i].ruling != RULING_EXEMPT)
            bytes_are_good = true;
        if (matches[i].action == ACTION_OBSERVE || matches[i].ruling == RULING_EXEMPT)
            decision.reasons |= REASON_BIT(REASON_MATCH_OBSERVED);
        if (!twin_is_strict(&matches[i]))
            continue;
        enum verdict asked = twin_ask(rules, &matches[i]);
        if (!twin_is_derived(&matches[i]))
            decision.reasons |=
                REASON_BIT(matches[i].kind == HASH_PDQ ? REASON_MATCH_NEAR : REASON_MATCH_EXACT);
        if (!twin_stands(matches, count, i) && asked != VERDICT_ALLOW)
            decision.reasons |= REASON_BIT(REASON_MATCH_ALLOWED);
        if (twin_stands(matches, count, i) && asked > decision.verdict)
            decision.verdict = asked;
        if (twin_stands(matches, count, i) && matches[i].ruling == RULING_SET_ASIDE &&
            matches[i].action == ACTION_REPORT &&
            (!twin_is_derived(&matches[i]) || rules->view_action == VERDICT_REPORT))
            decision.reasons |= REASON_BIT(REASON_MATCH_SET_ASIDE);
    }
    for (int reason = 0; reason < REASON_COUNT; reason++) {
        if ((media & REASON_BIT(reason)) == 0 || rules->on[reason] == VERDICT_ALLOW)
            continue;
        if (bytes_are_good)
            decision.reasons |= REASON_BIT(REASON_MATCH_ALLOWED);
        else if (rules->on[reason] > decision.verdict)
            decision.verdict = rules->on[reason];
    }
    if (twin_tells_derived(rules, matches, count))
        decision.reasons |= REASON_BIT(REASON_MATCH_DERIVED);
    return decision;
}

/* Every match that differs in a way that could matter: 4 actions times two digests and PDQ at 3 distances
 * in 2 views of 2 frames. */
enum { KINDS_OF_MATCH = 4 * (2 + 3 * 2 * 2) };

static struct policy_match nth_match(size_t n)
{
    static const unsigned int distances[] = {0, 5, 9};
    struct policy_match match = {.action = (enum list_action)(n % 4)};
    size_t rest = n / 4;

    if (rest < 2) {
        match.kind = rest == 0 ? HASH_MD5 : HASH_SHA256;
        return match;
    }
    rest -= 2;
    match.kind = HASH_PDQ;
    match.distance = distances[rest % 3];
    match.view = rest / 3 % 2 == 0 ? VIEW_MAIN : VIEW_OVER_BLACK;
    match.frame = (uint32_t)(rest / 6);
    return match;
}

static const reason_set media_sets[] = {
    0, REASON_BIT(REASON_MEDIA_LOW_QUALITY), REASON_BIT(REASON_MEDIA_CORRUPT),
    REASON_BIT(REASON_MEDIA_UNSUPPORTED) | REASON_BIT(REASON_MEDIA_LOW_QUALITY)};

/* Calls check for all lists of up to three matches, each media set and each view_action. */
static void enumerate(void (*check)(const struct policy_rules *rules, const struct policy_match *matches,
                                    size_t count, reason_set media))
{
    struct policy_rules rules = shipped;
    struct policy_match matches[3];

    rules.on[REASON_MEDIA_UNSUPPORTED] = VERDICT_REPORT;
    for (size_t code = 0; code < (size_t)(KINDS_OF_MATCH + 1) * KINDS_OF_MATCH * KINDS_OF_MATCH; code++) {
        size_t count = code / (KINDS_OF_MATCH * KINDS_OF_MATCH) == KINDS_OF_MATCH ? 2 : 3;

        matches[0] = nth_match(code % KINDS_OF_MATCH);
        matches[1] = nth_match(code / KINDS_OF_MATCH % KINDS_OF_MATCH);
        matches[2] = nth_match(code / (KINDS_OF_MATCH * KINDS_OF_MATCH) % KINDS_OF_MATCH);
        for (size_t set = 0; set < sizeof media_sets / sizeof media_sets[0]; set++) {
            for (int action = 0; action < VERDICT_COUNT; action++) {
                rules.view_action = (enum verdict)action;
                check(&rules, matches, count, media_sets[set]);
            }
        }
    }
}

static bool same(const struct policy_decision *a, const struct policy_decision *b)
{
    return a->verdict == b->verdict && a->complete == b->complete && a->reasons == b->reasons;
}

static void check_twin(const struct policy_rules *rules, const struct policy_match *matches, size_t count,
                       reason_set media)
{
    struct policy_decision decision;
    struct policy_decision twin = twin_decide(rules, matches, count, media);

    policy_decide(rules, matches, count, media, &decision);
    if (!same(&decision, &twin))
        ck_abort_msg("%s %#x, twin %s %#x", verdict_name(decision.verdict), decision.reasons,
                     verdict_name(twin.verdict), twin.reasons);
}

START_TEST(every_small_case_agrees_with_the_obvious_twin)
{
    enumerate(check_twin);
}
END_TEST

/* Calls check for all pairs of matches with each ruling about each, each media set and each view_action. */
static void enumerate_rulings(void (*check)(const struct policy_rules *rules,
                                            const struct policy_match *matches, size_t count,
                                            reason_set media))
{
    enum { RULED = KINDS_OF_MATCH * RULING_COUNT };
    struct policy_rules rules = shipped;
    struct policy_match matches[2];

    rules.on[REASON_MEDIA_UNSUPPORTED] = VERDICT_REPORT;
    for (size_t code = 0; code < (size_t)RULED * RULED; code++) {
        for (size_t i = 0; i < 2; i++) {
            size_t part = i == 0 ? code % RULED : code / RULED;
            matches[i] = nth_match(part / RULING_COUNT);
            matches[i].ruling = (enum entry_ruling)(part % RULING_COUNT);
        }
        for (size_t set = 0; set < sizeof media_sets / sizeof media_sets[0]; set++) {
            for (int action = 0; action < VERDICT_COUNT; action++) {
                rules.view_action = (enum verdict)action;
                check(&rules, matches, 2, media_sets[set]);
            }
        }
    }
}

START_TEST(every_pair_with_rulings_agrees_with_the_obvious_twin)
{
    enumerate_rulings(check_twin);
}
END_TEST

/* The last match is the one whose ruling is looked at. */
static void check_ruling(const struct policy_rules *rules, const struct policy_match *matches, size_t count,
                         reason_set media)
{
    struct policy_match other[2];
    struct policy_decision ruled;
    struct policy_decision plain;

    memcpy(other, matches, count * sizeof *matches);
    policy_decide(rules, matches, count, media, &ruled);
    if (matches[count - 1].ruling == RULING_EXEMPT) {
        other[count - 1].ruling = RULING_NONE;
        other[count - 1].action = ACTION_OBSERVE;
        policy_decide(rules, other, count, media, &plain);
        if (!same(&ruled, &plain))
            ck_abort_msg("an exempt entry is not as one of an observe list");
        return;
    }
    other[count - 1].ruling = RULING_NONE;
    policy_decide(rules, other, count, media, &plain);
    ruled.reasons &= ~REASON_BIT(REASON_MATCH_SET_ASIDE);
    plain.reasons &= ~REASON_BIT(REASON_MATCH_SET_ASIDE);
    if (matches[count - 1].ruling == RULING_CONFIRMED && !same(&ruled, &plain))
        ck_abort_msg("a confirmed entry is not as any other");
    if (ruled.verdict != plain.verdict && (ruled.verdict != VERDICT_BLOCK || plain.verdict != VERDICT_REPORT))
        ck_abort_msg("setting an entry aside did other than make block of report");
}

START_TEST(a_ruling_does_what_it_says_and_no_more)
{
    enumerate_rulings(check_ruling);
}
END_TEST

static void check_asked(const struct policy_rules *rules, const struct policy_match *matches, size_t count,
                        reason_set media)
{
    for (size_t i = 0; i < count; i++) {
        enum verdict asked = twin_stands(matches, count, i) ? twin_ask(rules, &matches[i]) : VERDICT_ALLOW;
        if (policy_asked_by(rules, matches, count, i) != asked)
            ck_abort_msg("a match asks for %s (media %#x)", verdict_name(asked), media);
    }
}

START_TEST(what_one_match_asks_for_agrees_with_the_obvious_twin)
{
    enumerate_rulings(check_asked);
}
END_TEST

START_TEST(an_entry_that_is_set_aside_blocks_and_says_so)
{
    struct policy_match matches[] = {EXACT(ACTION_REPORT, HASH_MD5), NEAR(ACTION_REPORT, 3)};
    struct policy_decision decision;

    matches[0].ruling = RULING_SET_ASIDE;
    policy_decide(&shipped, matches, 1, 0, &decision);
    ck_assert_int_eq(decision.verdict, VERDICT_BLOCK);
    ck_assert_uint_eq(decision.reasons, REASON_BIT(REASON_MATCH_EXACT) | REASON_BIT(REASON_MATCH_SET_ASIDE));
    policy_decide(&shipped, matches, 2, 0, &decision);
    ck_assert_int_eq(decision.verdict, VERDICT_REPORT);
}
END_TEST

START_TEST(rulings_have_one_spelling)
{
    enum entry_ruling ruling = RULING_NONE;

    for (int i = 0; i < RULING_COUNT; i++) {
        ck_assert(entry_ruling_parse(entry_ruling_name((enum entry_ruling)i), &ruling));
        ck_assert_int_eq(ruling, i);
    }
    ck_assert(!entry_ruling_parse("Exempt", &ruling));
}
END_TEST

static void check_order(const struct policy_rules *rules, const struct policy_match *matches, size_t count,
                        reason_set media)
{
    struct policy_match turned[3];
    struct policy_decision straight;
    struct policy_decision other;

    policy_decide(rules, matches, count, media, &straight);
    for (size_t shift = 0; shift < count; shift++) {
        for (size_t i = 0; i < count; i++)
            turned[i] = matches[(i + shift) % count];
        policy_decide(rules, turned, count, media, &other);
        if (!same(&straight, &other))
            ck_abort_msg("turned by %zu the decision differs", shift);
    }
    for (size_t i = 0; i < count; i++)
        turned[i] = matches[count - 1 - i];
    policy_decide(rules, turned, count, media, &other);
    if (!same(&straight, &other))
        ck_abort_msg("reversed, the decision differs");
}

START_TEST(the_order_of_matches_never_matters)
{
    enumerate(check_order);
}
END_TEST

/* The last match is taken as the one that comes in addition. */
static void check_addition(const struct policy_rules *rules, const struct policy_match *matches, size_t count,
                           reason_set media)
{
    struct policy_decision without;
    struct policy_decision with;

    policy_decide(rules, matches, count - 1, media, &without);
    policy_decide(rules, matches, count, media, &with);
    switch (matches[count - 1].action) {
    case ACTION_OBSERVE:
        without.reasons |= REASON_BIT(REASON_MATCH_OBSERVED);
        if (!same(&without, &with))
            ck_abort_msg("an observe list changed the decision");
        break;
    case ACTION_ALLOW:
        if (with.verdict > without.verdict)
            ck_abort_msg("an allow list made the verdict stricter");
        if ((without.reasons & ~with.reasons) != 0)
            ck_abort_msg("an allow list lost a reason");
        break;
    default:
        if (with.verdict < without.verdict)
            ck_abort_msg("a match on a block or report list made the verdict milder");
        break;
    }
    if (with.complete != without.complete)
        ck_abort_msg("a match changed complete");
}

START_TEST(one_match_more_is_never_milder_unless_it_is_known_good)
{
    enumerate(check_addition);
}
END_TEST

static void check_media(const struct policy_rules *rules, const struct policy_match *matches, size_t count,
                        reason_set media)
{
    struct policy_decision clean;
    struct policy_decision dirty;

    policy_decide(rules, matches, count, 0, &clean);
    policy_decide(rules, matches, count, media, &dirty);
    if (dirty.verdict < clean.verdict)
        ck_abort_msg("a media reason made the verdict milder");
    if ((dirty.reasons & media) != media || (clean.reasons & ~dirty.reasons) != 0)
        ck_abort_msg("a reason was lost");
}

START_TEST(media_reasons_are_never_lost_and_never_make_milder)
{
    enumerate(check_media);
}
END_TEST

START_TEST(thousands_of_matches_are_decided_at_once)
{
    enum { MANY = 100000 };
    struct policy_match *matches = calloc(2 * MANY, sizeof *matches);
    struct policy_decision decision;

    ck_assert_ptr_nonnull(matches);
    for (size_t i = 0; i < MANY; i++) {
        matches[i] = (struct policy_match)NEAR(ACTION_ALLOW, 20);
        matches[MANY + i] = (struct policy_match)NEAR(ACTION_REPORT, 20 + (unsigned int)(i % 11));
    }
    policy_decide(&shipped, matches, 2 * MANY, 0, &decision);
    ck_assert_int_eq(decision.verdict, VERDICT_ALLOW);
    matches[2 * MANY - 1].distance = 19;
    policy_decide(&shipped, matches, 2 * MANY, 0, &decision);
    ck_assert_int_eq(decision.verdict, VERDICT_REPORT);
    free(matches);
}
END_TEST

START_TEST(effort_has_one_spelling)
{
    enum effort effort = EFFORT_THOROUGH;

    for (int i = 0; i < EFFORT_COUNT; i++) {
        ck_assert(effort_parse(effort_name((enum effort)i), &effort));
        ck_assert_int_eq(effort, i);
    }
    ck_assert(!effort_parse("Fast", &effort));
    ck_assert(!effort_parse("", &effort));
    ck_assert_int_eq(effort, EFFORT_THOROUGH);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy");
    TCase *tests = tcase_create("policy");

    tcase_add_loop_test(tests, each_example_comes_out_as_written, 0,
                        (int)(sizeof examples / sizeof examples[0]));
    tcase_add_test(tests, each_media_reason_answers_by_its_own_setting);
    tcase_add_test(tests, a_view_may_report_or_only_tell_when_the_profile_says_so);
    tcase_add_test(tests, every_small_case_agrees_with_the_obvious_twin);
    tcase_add_test(tests, every_pair_with_rulings_agrees_with_the_obvious_twin);
    tcase_add_test(tests, a_ruling_does_what_it_says_and_no_more);
    tcase_add_test(tests, what_one_match_asks_for_agrees_with_the_obvious_twin);
    tcase_add_test(tests, an_entry_that_is_set_aside_blocks_and_says_so);
    tcase_add_test(tests, rulings_have_one_spelling);
    tcase_add_test(tests, the_order_of_matches_never_matters);
    tcase_add_test(tests, one_match_more_is_never_milder_unless_it_is_known_good);
    tcase_add_test(tests, media_reasons_are_never_lost_and_never_make_milder);
    tcase_add_test(tests, thousands_of_matches_are_decided_at_once);
    tcase_add_test(tests, effort_has_one_spelling);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
