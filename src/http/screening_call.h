/* What the calls that end in a verdict have in common. */
#ifndef PRESCREEN_HTTP_SCREENING_CALL_H
#define PRESCREEN_HTTP_SCREENING_CALL_H

#include "request.h"

#include <stdbool.h>

/* A reference (content_id, account_ref) is at most REFERENCE_MAX bytes of printable UTF-8. */
enum problem screening_check_reference(const char *name, const char *value, struct diag *diag);

/* The profile must exist. */
enum problem screening_check_profile(struct request *request, const char *name);

/* Reads the audience's name. */
enum problem screening_read_audience(const char *name, enum audience *audience, struct diag *diag);

/* Gives the Idempotency-Key of the head, "" when there is none. */
enum problem screening_read_key(struct request *request, const char **key);

/* Judges what a call of the screener returned; request->diag is its diag. */
enum problem screening_judge(struct request *request, int outcome);

/* Answers with the screener's answer, whose ownership is taken, without what the caller may not see.
 * by_status: 403 for any verdict but allow. */
enum problem screening_reply(struct request *request, char *answer, bool by_status);

#endif
