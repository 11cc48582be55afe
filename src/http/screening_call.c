#include "screening_call.h"

#include "prescreen/base/text.h"

#include <stdlib.h>
#include <string.h>

enum problem screening_check_reference(const char *name, const char *value, struct diag *diag)
{
    if (strlen(value) > REFERENCE_MAX || !text_is_printable_utf8(value, strlen(value)))
        return problem_fail(diag, PROBLEM_MALFORMED, "%s must be at most %d bytes of printable UTF-8", name,
                            REFERENCE_MAX);
    return PROBLEM_NONE;
}

enum problem screening_check_profile(struct request *request, const char *name)
{
    if (!text_is_token(name, CONFIG_NAME_MAX))
        return problem_fail(&request->diag, PROBLEM_MALFORMED, "profile must be 1 to %d of A-Z a-z 0-9 . _ -",
                            CONFIG_NAME_MAX);
    if (config_find_profile(request->service->parts.config, name) == NULL)
        return problem_fail(&request->diag, PROBLEM_NO_PROFILE, "there is no profile \"%s\"", name);
    return PROBLEM_NONE;
}

enum problem screening_read_audience(const char *name, enum audience *audience, struct diag *diag)
{
    if (!audience_parse(name, audience))
        return problem_fail(diag, PROBLEM_MALFORMED, "audience must be child, adult or unknown");
    return PROBLEM_NONE;
}

enum problem screening_read_key(struct request *request, const char **key)
{
    const char *given = request->head.fields[HEAD_IDEMPOTENCY_KEY];
    size_t size = given != NULL ? strlen(given) : 0;

    for (size_t i = 0; i < size; i++) {
        if (given[i] < 0x20 || given[i] > 0x7e)
            size = 0;
    }
    if (given != NULL && (size == 0 || size > IDEMPOTENCY_KEY_MAX))
        return problem_fail(&request->diag, PROBLEM_MALFORMED,
                            "Idempotency-Key must be 1 to %d printable ASCII characters",
                            IDEMPOTENCY_KEY_MAX);
    *key = given != NULL ? given : "";
    return PROBLEM_NONE;
}

enum problem screening_judge(struct request *request, int outcome)
{
    switch (outcome) {
    case 0:
    case SCREENER_REPEATED:
        return PROBLEM_NONE;
    case SCREENER_CONFLICT:
        return PROBLEM_CONFLICT;
    case SCREENER_NO_PROFILE:
        return PROBLEM_NO_PROFILE;
    case SCREENER_BUSY:
        return PROBLEM_BUSY;
    case SCREENER_STALE_LISTS:
        return PROBLEM_STALE_LISTS;
    case SCREENER_NOT_RECORDED:
        return PROBLEM_NOT_RECORDED;
    default:
        if (request->diag.text[0] == '\0')
            diag_set(&request->diag, "%s", strerror(outcome < 0 ? -outcome : 0));
        return PROBLEM_INTERNAL;
    }
}

enum problem screening_reply(struct request *request, char *answer, bool by_status)
{
    enum verdict verdict = VERDICT_BLOCK;
    unsigned int status = 200;

    if (by_status) {
        if (screening_answer_verdict(answer, &verdict) != 0) {
            free(answer);
            return problem_fail(&request->diag, PROBLEM_INTERNAL, "the answer holds no verdict");
        }
        status = verdict == VERDICT_ALLOW ? 200 : 403;
    }
    if ((request->caller.rights & RIGHT_DETAIL) == 0) {
        char *redacted = screening_answer_redact(answer);
        free(answer);
        if (redacted == NULL)
            return problem_fail(&request->diag, PROBLEM_INTERNAL, "no memory for the answer");
        answer = redacted;
    }
    answer_set_json(&request->answer, status, answer);
    return PROBLEM_NONE;
}
