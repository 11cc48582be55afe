/* Who asks, and what they may do. */
#ifndef PRESCREEN_HTTP_AUTHORISE_H
#define PRESCREEN_HTTP_AUTHORISE_H

#include "prescreen/base/diag.h"
#include "prescreen/config/config.h"

#include "head.h"
#include "problem.h"

struct caller {
    const char *name;    /* of the key, or "anonymous" where no keys are configured; "" = nobody yet */
    unsigned int rights; /* set of enum right */
};

/* Finds the caller by Authorization: Bearer KEY. Where no keys are configured everybody may do everything,
 * but web pages (a request with an Origin) nothing. Returns PROBLEM_NONE, PROBLEM_NO_KEY or PROBLEM_WEB_PAGE.
 * Cost: one SHA-256; the time does not tell how much of a key was right, nor which keys there are. Source:
 * RFC 6750. */
enum problem authorise(const struct config *config, const struct head *head, struct caller *caller,
                       struct diag *diag);

#endif
