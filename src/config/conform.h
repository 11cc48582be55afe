/* Whether a text is what the schema describes, told by line and key: what libcyaml does not tell. */
#ifndef PRESCREEN_CONFIG_CONFORM_H
#define PRESCREEN_CONFIG_CONFORM_H

#include "schema.h"

/* Refuses unknown keys (naming the nearest known one), keys that stand twice or are missing, maps, lists and
 * single values in each other's place, values that are missing, too long or not printable, lists that are too
 * long. Errors: -EINVAL, told. */
int conform_check(struct config_source *source, const struct schema *schema);

#endif
