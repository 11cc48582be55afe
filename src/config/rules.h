/* The rules of a profile: how each is read, and how all of them are told apart. */
#ifndef PRESCREEN_CONFIG_RULES_H
#define PRESCREEN_CONFIG_RULES_H

#include "prescreen/hash/digest.h"

#include "schema.h"

/* Sets the rules that are written below place, such as "profiles.default". Errors: -EINVAL, told. */
int rules_read(struct config_source *source, const char *place, const struct raw_rules *raw,
               struct policy_rules *rules);

/* Adds a canonical text of all of one audience's rules. Errors: those of digest_stream_update(). */
int rules_digest(struct digest_stream *stream, enum audience audience, const struct policy_rules *rules);

#endif
