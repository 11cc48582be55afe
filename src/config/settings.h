/* From the words of a source to values: each part of the configuration with its own rules. */
#ifndef PRESCREEN_CONFIG_SETTINGS_H
#define PRESCREEN_CONFIG_SETTINGS_H

#include "layer.h"

/* All of these: Errors: -EINVAL or -ENOMEM, told through the source. */

/* Sets the limits that are written. */
int settings_read_limits(struct config_source *source, char *const texts[RAW_LIMITS],
                         struct config_limits *limits);

/* Reads "ADDRESS:PORT", "[IPv6]:PORT", "localhost:PORT" or "unix:/PATH"; key names it in errors. */
int settings_read_listen(struct config_source *source, const char *key, const char *text,
                         struct config_listen *listen);

/* Replaces the configuration's keys when the source has any. */
int settings_read_keys(struct config_source *source, const struct raw_config *raw, struct config *config);

/* Replaces what is said of lists when the source says anything of them. */
int settings_read_lists(struct config_source *source, const struct raw_config *raw, struct config *config);
void settings_free_lists(struct config_list *lists, size_t count);

/* Replaces the feeds when the source has any. What is said of their lists must have been read. */
int settings_read_feeds(struct config_source *source, const struct raw_config *raw, struct config *config);

/* Reads an Ed25519 public key: base64 of its 32 bytes, or the absolute path of a PEM file. key names it in
 * errors. */
int settings_read_signature_key(struct config_source *source, const char *key, const char *text,
                                uint8_t value[CONFIG_SIGNATURE_KEY_SIZE]);

/* Makes the profiles of all layers, the weakest layer first; the first names "default" and no other. */
int settings_resolve_profiles(struct config_layer *layers, size_t count, struct config *config);

#endif
