/* From facts to a verdict: a pure, table-driven function. No I/O, no clock, no state. */
#ifndef PRESCREEN_POLICY_POLICY_H
#define PRESCREEN_POLICY_POLICY_H

#include "prescreen/base/vocabulary.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum effort { EFFORT_FAST, EFFORT_STANDARD, EFFORT_THOROUGH, EFFORT_COUNT };

/* What one audience gets on one surface of the platform. */
struct policy_rules {
    enum effort effort;
    unsigned int view_radius;      /* bits: radius of views other than main */
    enum verdict view_action;      /* the most that a match found only through a view may do */
    uint64_t max_list_age_us;      /* 0 = no limit */
    unsigned int quality_floor;    /* PDQ quality below which near matching is not meaningful */
    bool record_allow;             /* also screenings that end as allow are recorded */
    enum verdict on[REASON_COUNT]; /* what each media reason answers; entries of match reasons unused */
};

/* The facts of one match that the verdict depends on. */
struct policy_match {
    enum list_action action;
    enum hash_kind kind;
    unsigned int distance; /* bits; 0 for a digest */
    enum view view;
};

struct policy_decision {
    enum verdict verdict;
    bool complete;
    reason_set reasons;
};

/* Decides. media is the set of media reasons that the examination gave (with media.low_quality where it
 * applies). The strictest of all that applies wins. A match on an allow list overrules: by digest,
 * everything; by PDQ, those PDQ matches that are not nearer than itself. An observe list never changes the
 * verdict. A view other than main asks for at most view_action. */
void policy_decide(const struct policy_rules *rules, const struct policy_match *matches, size_t count,
                   reason_set media, struct policy_decision *decision);

#endif
