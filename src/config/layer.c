#include "layer.h"

#include "conform.h"

#include <errno.h>
#include <string.h>

static const cyaml_config_t cyaml_settings = {
    .mem_fn = cyaml_mem,
    .log_level = CYAML_LOG_ERROR,
    .flags = CYAML_CFG_NO_ALIAS,
};

static int load_raw(struct config_layer *layer)
{
    struct config_source *source = &layer->source;
    cyaml_data_t *data = NULL;
    cyaml_err_t error = cyaml_load_data((const uint8_t *)source->text, source->size, &cyaml_settings,
                                        schema_root(layer->schema), &data, NULL);

    layer->raw = data;
    switch (error) {
    case CYAML_OK:
        return 0;
    case CYAML_ERR_OOM:
    case CYAML_ERR_LIBYAML_PARSER_INIT:
    case CYAML_ERR_LIBYAML_PARSER: /* it could be parsed before, so that only memory is new */
        return config_out_of_memory(source);
    default:
        return config_refuse_at(source, 0, "", "%s", cyaml_strerror(error));
    }
}

int layer_read(struct config_layer *layer)
{
    int error = schema_create(&layer->source, &layer->schema);

    if (error == 0)
        error = conform_check(&layer->source, layer->schema);
    if (error == 0 && yaml_document_get_root_node(&layer->source.document) != NULL)
        error = load_raw(layer);
    return error;
}

void layer_close(struct config_layer *layer)
{
    if (layer->raw != NULL)
        cyaml_free(&cyaml_settings, schema_root(layer->schema), layer->raw, 0);
    layer->raw = NULL;
    schema_free(layer->schema);
    layer->schema = NULL;
    config_source_close(&layer->source);
}

const struct raw_profile *layer_find_profile(const struct config_layer *layer, const char *name)
{
    if (layer->raw == NULL || layer->raw->profiles == NULL)
        return NULL;
    for (size_t i = 0; i < schema_profile_count(layer->schema); i++) {
        if (strcmp(schema_profile_name(layer->schema, i), name) == 0)
            return &layer->raw->profiles[i];
    }
    return NULL;
}
