/* One text of configuration, well-formed and bounded, and where in it each key stands. */
#ifndef PRESCREEN_CONFIG_SOURCE_H
#define PRESCREEN_CONFIG_SOURCE_H

#include "prescreen/base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

enum { CONFIG_DEPTH_MAX = 8, CONFIG_KEY_TEXT_MAX = 256 };

/* The environment is a source without a document and with an empty origin: its keys are names of variables.
 */
struct config_source {
    const char *origin; /* borrowed; for errors */
    char *text;
    size_t size;
    yaml_document_t document;
    bool has_document;
    struct diag *diag; /* borrowed; where errors go */
};

/* Reads a file. Errors: a negative errno with the reason told; -ENOENT told too. Ownership: the source is to
 * be closed also after an error. */
int config_source_read(struct config_source *source, const char *path);

/* The same without looking at what the text is. */
int config_source_read_raw(struct config_source *source, const char *path);

/* Takes a copy of a text. Errors and ownership as above. */
int config_source_copy(struct config_source *source, const char *text, size_t size);

void config_source_close(struct config_source *source);

/* The line of a key such as "profiles.post.on.media.limit" or "keys[2].name", counted from 1; 0 when the
 * text does not have it. */
size_t config_source_line(struct config_source *source, const char *key);

/* Tells "ORIGIN:LINE: KEY: ..." and returns -EINVAL. The line is looked up, or given. */
int config_refuse(struct config_source *source, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int config_refuse_at(struct config_source *source, size_t line, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Tells it and returns -ENOMEM. */
int config_out_of_memory(struct config_source *source);

/* The text of a scalar node; NULL for any other. */
const char *config_node_text(const yaml_node_t *node);

#endif
