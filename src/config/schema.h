/* The one description of which keys there are. libcyaml reads by it, and the check that can name a line. */
#ifndef PRESCREEN_CONFIG_SCHEMA_H
#define PRESCREEN_CONFIG_SCHEMA_H

#include "prescreen/config/config.h"

#include "source.h"

#include <cyaml/cyaml.h>

enum {
    RAW_LIMITS = sizeof(struct config_limits) / sizeof(uint64_t),
    RAW_ON_LIMIT = REASON_COUNT, /* media.limit, the shorthand */
    RAW_ON_COUNT,
    RAW_RIGHTS_MAX = 3 /* as many as there are */
};

enum rule_setting {
    SETTING_EFFORT,
    SETTING_VIEW_RADIUS,
    SETTING_VIEW_ACTION,
    SETTING_MAX_LIST_AGE,
    SETTING_STALE_LISTS,
    SETTING_QUALITY_FLOOR,
    SETTING_RECORD,
    SETTING_COUNT
};

/* The file's values as they are written there; NULL = the key is not in the file. */
struct raw_rules {
    char *settings[SETTING_COUNT];
    char *on[RAW_ON_COUNT]; /* by media reason, and RAW_ON_LIMIT */
};

struct raw_profile {
    struct raw_rules rules;
    struct raw_rules audience[AUDIENCE_COUNT];
};

struct raw_key {
    char *name;
    char *sha256;
    char **rights;
    unsigned int right_count;
};

struct raw_words {
    char **words;
    unsigned int count;
};

struct raw_list {
    char *name;
    char *signature_key;
    char *columns[COLUMN_COUNT];
    struct raw_words classes[CLASS_MEANING_COUNT];
};

enum feed_setting {
    FEED_SETTING_NAME,
    FEED_SETTING_KIND,
    FEED_SETTING_URL,
    FEED_SETTING_CREDENTIALS,
    FEED_SETTING_INTERVAL,
    FEED_SETTING_RETRY,
    FEED_SETTING_CA_FILE,
    FEED_SETTING_BAD_RECORDS,
    FEED_SETTING_COUNT
};

struct raw_feed {
    char *settings[FEED_SETTING_COUNT];
    struct raw_words lists;
};

struct raw_config {
    char *listen;
    char *admin_listen;
    char *data_dir;
    char *workers;
    char *heif_workers;
    char *limits[RAW_LIMITS]; /* by row of config_limit_rows */
    struct raw_key *keys;
    unsigned int key_count;
    struct raw_list *lists;
    unsigned int list_count;
    struct raw_feed *feeds;
    unsigned int feed_count;
    struct raw_profile *profiles; /* as many as the schema names; NULL when the file has no profiles */
};

struct schema;

/* The schema of a source whose profiles bear the names that the source gives them. Errors: -EINVAL with a
 * name told, -ENOMEM. Ownership: *schema is the caller's, and lives no longer than the source. */
int schema_create(struct config_source *source, struct schema **schema);
void schema_free(struct schema *schema);

/* The whole file's. */
const cyaml_schema_value_t *schema_root(const struct schema *schema);

/* The profiles in the order of raw_config.profiles. */
size_t schema_profile_count(const struct schema *schema);
const char *schema_profile_name(const struct schema *schema, size_t at);

/* "report" and so on; "ignore" for CLASS_IGNORED. */
const char *schema_meaning_name(unsigned int meaning);

/* "kind" and so on. */
const char *schema_feed_setting_name(enum feed_setting setting);

/* "effort" and so on. */
const char *schema_setting_name(enum rule_setting setting);

/* "media.corrupt" and so on; "media.limit" for RAW_ON_LIMIT. */
const char *schema_on_name(int reason);

#endif
