/* One source of settings, read and checked as far as its form goes: the built-in defaults or a file. */
#ifndef PRESCREEN_CONFIG_LAYER_H
#define PRESCREEN_CONFIG_LAYER_H

#include "schema.h"

struct config_layer {
    struct config_source source;
    struct schema *schema;
    struct raw_config *raw; /* NULL when the text holds no key at all */
};

/* Reads an open source by its schema. Errors: -EINVAL, -ENOMEM, told. Ownership: the layer is to be closed
 * also after an error. */
int layer_read(struct config_layer *layer);

/* Closes the source too. */
void layer_close(struct config_layer *layer);

/* The profile of that name; NULL when this layer has none. */
const struct raw_profile *layer_find_profile(const struct config_layer *layer, const char *name);

#endif
