/* From facts to a verdict: a pure, table-driven function. No I/O, no clock, no state. */
#ifndef PRESCREEN_POLICY_POLICY_H
#define PRESCREEN_POLICY_POLICY_H

#include "prescreen/base/vocabulary.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POLICY_QUALITY_MAX = 100, POLICY_RADIUS_MAX = 64 };

/* What one audience gets on one surface of the platform. */
struct policy_rules {
    enum effort effort;
    unsigned int view_radius;      /* bits, 0-POLICY_RADIUS_MAX: radius of views other than main */
    enum verdict view_action;      /* the most that a match found only through a view may do */
    uint64_t max_list_age_us;      /* 0 = no limit */
    bool serve_stale;              /* lists past that age are served from, with a warning */
    unsigned int quality_floor;    /* 0-POLICY_QUALITY_MAX: a PDQ quality below it is media.low_quality */
    bool record_allow;             /* also screenings that end as allow are recorded */
    enum verdict on[REASON_COUNT]; /* what each media reason answers; entries of match reasons unused */
};

/* The facts of one match that the verdict depends on. */
struct policy_match {
    enum list_action action;
    enum hash_kind kind;
    unsigned int distance;    /* bits; 0 for a digest */
    enum view view;           /* of a PDQ match: that of the upload or of the entry, whichever is not main */
    uint32_t frame;           /* of a PDQ match; 0 for a still picture */
    enum entry_ruling ruling; /* about the entry */
};

struct policy_decision {
    enum verdict verdict;
    bool complete;
    reason_set reasons;
};

/* Decides. matches are all that were found, in any order and before any cap: where one entry matched in
 * several ways, each of them, or else the digest before the main view before the other views. media is the
 * set of media reasons that the examination gave, with media.low_quality where it applies.
 *
 * What is asked for. A match asks for its list's action; a PDQ match through a view other than main for at
 * most view_action; a media reason for rules->on. Allow and observe lists ask for nothing. The strictest of
 * all that stands is the verdict; when nothing stands it is allow.
 *
 * What was decided about the entry. One that is exempt neither asks for anything nor overrules anything: its
 * list counts as an observe list for it. One that is set aside asks for at most block.
 *
 * What an allow list overrules. By digest (these very bytes are known good): everything, media reasons too.
 * By PDQ through the main view: block and report matches by PDQ through the main view of the same frame that
 * are not nearer than itself. Nothing else: no digest, no other view and no other frame (something else may
 * hide behind, or follow, a known-good picture), no media reason. By PDQ through another view: nothing.
 *
 * Reasons. Block and report lists give match.exact (digest) and match.near (PDQ, main view), also when they
 * are overruled. match.derived is given for their matches through other views, unless a standing exact or
 * near match asks for as much, so that it says "without this view the answer would be milder".
 * match.observed: an observe list or an exempt entry matched, in any way; it changes nothing else.
 * match.set_aside: an entry that is set aside matched, and what it asks for would be more without that.
 * match.allowed: an allow list overruled something that asked for more than allow; a known-good match that
 * overruled nothing is no reason. Media reasons are given as they came, also when overruled. complete is
 * false when there is any.
 *
 * Cost: linear in count for a still picture. */
void policy_decide(const struct policy_rules *rules, const struct policy_match *matches, size_t count,
                   reason_set media, struct policy_decision *decision);

/* What the match at the place asks for by itself, as far as it stands: VERDICT_ALLOW when it asks for nothing
 * or is overruled. Cost: linear in count. */
enum verdict policy_asked_by(const struct policy_rules *rules, const struct policy_match *matches,
                             size_t count, size_t at);

#endif
