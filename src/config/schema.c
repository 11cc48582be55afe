#include "schema.h"

#include "prescreen/base/bug.h"
#include "prescreen/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TOP_KEYS = 10, KEY_KEYS = 3, LIST_KEYS = 4 };

static const char *const setting_names[SETTING_COUNT] = {
    [SETTING_EFFORT] = "effort",           [SETTING_VIEW_RADIUS] = "view_radius",
    [SETTING_VIEW_ACTION] = "view_action", [SETTING_MAX_LIST_AGE] = "max_list_age",
    [SETTING_STALE_LISTS] = "stale_lists", [SETTING_QUALITY_FLOOR] = "quality_floor",
    [SETTING_RECORD] = "record",
};

static const struct {
    const char *name;
    bool needed;
} feed_settings[FEED_SETTING_COUNT] = {
    [FEED_SETTING_NAME] = {"name", true},
    [FEED_SETTING_KIND] = {"kind", true},
    [FEED_SETTING_URL] = {"url", true},
    [FEED_SETTING_CREDENTIALS] = {"credentials", true},
    [FEED_SETTING_INTERVAL] = {"interval", false},
    [FEED_SETTING_RETRY] = {"retry", false},
    [FEED_SETTING_CA_FILE] = {"ca_file", false},
    [FEED_SETTING_BAD_RECORDS] = {"bad_records", false},
};

/* Each array ends with an empty field, as libcyaml wants it. */
struct schema {
    cyaml_schema_field_t top[TOP_KEYS + 1];
    cyaml_schema_field_t limits[RAW_LIMITS + 1];
    cyaml_schema_field_t key[KEY_KEYS + 1];
    cyaml_schema_field_t columns[COLUMN_COUNT + 1];
    cyaml_schema_field_t classes[CLASS_MEANING_COUNT + 1];
    cyaml_schema_field_t list[LIST_KEYS + 1];
    cyaml_schema_field_t feed[FEED_SETTING_COUNT + 1 + 1]; /* settings, lists */
    cyaml_schema_field_t on[RAW_ON_COUNT - REASON_MEDIA_FIRST + 1];
    cyaml_schema_field_t rules[SETTING_COUNT + 1 + 1];   /* settings, on */
    cyaml_schema_field_t profile[SETTING_COUNT + 2 + 1]; /* settings, on, audience */
    cyaml_schema_field_t audience[AUDIENCE_COUNT + 1];
    cyaml_schema_value_t key_value, right_value, list_value, class_value, feed_value, root;
    size_t profile_count;
    cyaml_schema_field_t profiles[]; /* profile_count + 1 */
};

const char *schema_setting_name(enum rule_setting setting)
{
    BUG_ON(setting >= SETTING_COUNT);
    return setting_names[setting];
}

const char *schema_feed_setting_name(enum feed_setting setting)
{
    BUG_ON(setting >= FEED_SETTING_COUNT);
    return feed_settings[setting].name;
}

const char *schema_meaning_name(unsigned int meaning)
{
    return meaning == CLASS_IGNORED ? "ignore" : list_action_name((enum list_action)meaning);
}

const char *schema_on_name(int reason)
{
    return reason == RAW_ON_LIMIT ? "media.limit" : reason_name((enum reason)reason);
}

static cyaml_schema_value_t text_value(enum cyaml_flag flags)
{
    return (cyaml_schema_value_t){
        .type = CYAML_STRING,
        .flags = (enum cyaml_flag)(flags | CYAML_FLAG_POINTER),
        .data_size = sizeof(char *),
        .string = {.min = 0, .max = CONFIG_PATH_MAX - 1},
    };
}

static cyaml_schema_value_t map_value(enum cyaml_flag flags, size_t size, const cyaml_schema_field_t *fields)
{
    return (cyaml_schema_value_t){
        .type = CYAML_MAPPING,
        .flags = flags,
        .data_size = (uint32_t)size,
        .mapping = {.fields = fields},
    };
}

static cyaml_schema_field_t text_field(const char *key, size_t offset, enum cyaml_flag flags)
{
    return (cyaml_schema_field_t){.key = key, .data_offset = (uint32_t)offset, .value = text_value(flags)};
}

static cyaml_schema_field_t map_field(const char *key, size_t offset, size_t size,
                                      const cyaml_schema_field_t *fields)
{
    return (cyaml_schema_field_t){
        .key = key, .data_offset = (uint32_t)offset, .value = map_value(CYAML_FLAG_OPTIONAL, size, fields)};
}

static cyaml_schema_field_t list_field(const char *key, size_t offset, size_t count_offset, size_t item_size,
                                       const cyaml_schema_value_t *item, enum cyaml_flag flags)
{
    return (cyaml_schema_field_t){
        .key = key,
        .data_offset = (uint32_t)offset,
        .count_offset = (uint32_t)count_offset,
        .count_size = sizeof(unsigned int),
        .value = {.type = CYAML_SEQUENCE,
                  .flags = (enum cyaml_flag)(flags | CYAML_FLAG_POINTER),
                  .data_size = (uint32_t)item_size,
                  .sequence = {.entry = item, .min = 0, .max = CONFIG_KEYS_MAX}},
    };
}

static void describe_rules(struct schema *schema)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        schema->rules[i] = text_field(
            setting_names[i], offsetof(struct raw_rules, settings) + i * sizeof(char *), CYAML_FLAG_OPTIONAL);
    for (size_t i = REASON_MEDIA_FIRST; i < RAW_ON_COUNT; i++)
        schema->on[i - REASON_MEDIA_FIRST] =
            text_field(schema_on_name((int)i), i * sizeof(char *), CYAML_FLAG_OPTIONAL);
    schema->rules[SETTING_COUNT] =
        map_field("on", offsetof(struct raw_rules, on), sizeof(char *[RAW_ON_COUNT]), schema->on);
}

static void describe_profile(struct schema *schema)
{
    for (size_t i = 0; i < AUDIENCE_COUNT; i++)
        schema->audience[i] = map_field(audience_name((enum audience)i), i * sizeof(struct raw_rules),
                                        sizeof(struct raw_rules), schema->rules);
    memcpy(schema->profile, schema->rules, sizeof schema->rules);
    schema->profile[SETTING_COUNT + 1] =
        map_field("audience", offsetof(struct raw_profile, audience),
                  sizeof(struct raw_rules[AUDIENCE_COUNT]), schema->audience);
}

static void describe_key(struct schema *schema)
{
    schema->right_value = text_value(CYAML_FLAG_DEFAULT);
    schema->key[0] = text_field("name", offsetof(struct raw_key, name), CYAML_FLAG_DEFAULT);
    schema->key[1] = text_field("sha256", offsetof(struct raw_key, sha256), CYAML_FLAG_DEFAULT);
    schema->key[2] =
        list_field("rights", offsetof(struct raw_key, rights), offsetof(struct raw_key, right_count),
                   sizeof(char *), &schema->right_value, CYAML_FLAG_DEFAULT);
    schema->key[2].value.sequence.max = RAW_RIGHTS_MAX;
    schema->key_value = map_value(CYAML_FLAG_DEFAULT, sizeof(struct raw_key), schema->key);
}

static void describe_list(struct schema *schema)
{
    schema->class_value = text_value(CYAML_FLAG_DEFAULT);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        schema->columns[i] =
            text_field(list_column_name((enum list_column)i), i * sizeof(char *), CYAML_FLAG_OPTIONAL);
    for (unsigned int i = 0; i < CLASS_MEANING_COUNT; i++) {
        const size_t place = i * sizeof(struct raw_words);

        schema->classes[i] = list_field(schema_meaning_name(i), place + offsetof(struct raw_words, words),
                                        place + offsetof(struct raw_words, count), sizeof(char *),
                                        &schema->class_value, CYAML_FLAG_OPTIONAL);
        schema->classes[i].value.sequence.max = CONFIG_CLASSES_MAX;
    }
    schema->list[0] = text_field("name", offsetof(struct raw_list, name), CYAML_FLAG_DEFAULT);
    schema->list[1] =
        text_field("signature_key", offsetof(struct raw_list, signature_key), CYAML_FLAG_OPTIONAL);
    schema->list[2] = map_field("columns", offsetof(struct raw_list, columns), sizeof(char *[COLUMN_COUNT]),
                                schema->columns);
    schema->list[3] = map_field("classes", offsetof(struct raw_list, classes),
                                sizeof(struct raw_words[CLASS_MEANING_COUNT]), schema->classes);
    schema->list_value = map_value(CYAML_FLAG_DEFAULT, sizeof(struct raw_list), schema->list);
}

/* Names of lists are texts as classes are. */
static void describe_feed(struct schema *schema)
{
    for (size_t i = 0; i < FEED_SETTING_COUNT; i++)
        schema->feed[i] =
            text_field(feed_settings[i].name, offsetof(struct raw_feed, settings) + i * sizeof(char *),
                       feed_settings[i].needed ? CYAML_FLAG_DEFAULT : CYAML_FLAG_OPTIONAL);
    schema->feed[FEED_SETTING_COUNT] =
        list_field("lists", offsetof(struct raw_feed, lists) + offsetof(struct raw_words, words),
                   offsetof(struct raw_feed, lists) + offsetof(struct raw_words, count), sizeof(char *),
                   &schema->class_value, CYAML_FLAG_DEFAULT);
    schema->feed[FEED_SETTING_COUNT].value.sequence.max = CONFIG_FEED_LISTS_MAX;
    schema->feed_value = map_value(CYAML_FLAG_DEFAULT, sizeof(struct raw_feed), schema->feed);
}

static void describe_top(struct schema *schema)
{
    cyaml_schema_field_t profiles =
        map_field("profiles", offsetof(struct raw_config, profiles),
                  (schema->profile_count + 1) * sizeof(struct raw_profile), schema->profiles);

    profiles.value.flags |= CYAML_FLAG_POINTER;
    for (size_t i = 0; i < RAW_LIMITS; i++)
        schema->limits[i] = text_field(config_limit_rows[i].name, i * sizeof(char *), CYAML_FLAG_OPTIONAL);
    schema->top[0] = text_field("listen", offsetof(struct raw_config, listen), CYAML_FLAG_OPTIONAL);
    schema->top[1] =
        text_field("admin_listen", offsetof(struct raw_config, admin_listen), CYAML_FLAG_OPTIONAL);
    schema->top[2] = text_field("data_dir", offsetof(struct raw_config, data_dir), CYAML_FLAG_OPTIONAL);
    schema->top[3] = text_field("workers", offsetof(struct raw_config, workers), CYAML_FLAG_OPTIONAL);
    schema->top[4] =
        text_field("heif_workers", offsetof(struct raw_config, heif_workers), CYAML_FLAG_OPTIONAL);
    schema->top[5] =
        map_field("limits", offsetof(struct raw_config, limits), sizeof(char *[RAW_LIMITS]), schema->limits);
    schema->top[6] =
        list_field("keys", offsetof(struct raw_config, keys), offsetof(struct raw_config, key_count),
                   sizeof(struct raw_key), &schema->key_value, CYAML_FLAG_OPTIONAL);
    schema->top[7] =
        list_field("lists", offsetof(struct raw_config, lists), offsetof(struct raw_config, list_count),
                   sizeof(struct raw_list), &schema->list_value, CYAML_FLAG_OPTIONAL);
    schema->top[7].value.sequence.max = CONFIG_LISTS_MAX;
    schema->top[8] =
        list_field("feeds", offsetof(struct raw_config, feeds), offsetof(struct raw_config, feed_count),
                   sizeof(struct raw_feed), &schema->feed_value, CYAML_FLAG_OPTIONAL);
    schema->top[8].value.sequence.max = CONFIG_FEEDS_MAX;
    schema->top[9] = profiles;
    schema->root = map_value(CYAML_FLAG_POINTER, sizeof(struct raw_config), schema->top);
}

/* The value of profiles:, when it is a map. */
static const yaml_node_t *find_profiles(struct config_source *source)
{
    yaml_document_t *document = &source->document;
    const yaml_node_t *root = source->has_document ? yaml_document_get_root_node(document) : NULL;

    if (root == NULL || root->type != YAML_MAPPING_NODE)
        return NULL;
    for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top;
         pair++) {
        const char *key = config_node_text(yaml_document_get_node(document, pair->key));
        const yaml_node_t *value = yaml_document_get_node(document, pair->value);

        if (key != NULL && strcmp(key, "profiles") == 0)
            return value->type == YAML_MAPPING_NODE ? value : NULL;
    }
    return NULL;
}

static int describe_profiles(struct config_source *source, const yaml_node_t *profiles, struct schema *schema)
{
    for (size_t i = 0; i < schema->profile_count; i++) {
        const yaml_node_t *node =
            yaml_document_get_node(&source->document, profiles->data.mapping.pairs.start[i].key);
        const char *name = config_node_text(node);

        if (name == NULL || strlen(name) != node->data.scalar.length || !text_is_token(name, CONFIG_NAME_MAX))
            return config_refuse_at(
                source, node->start_mark.line + 1, "profiles",
                "\"%.80s\" is no name for a profile; a name is 1 to %d of A-Z a-z 0-9 . _ -",
                name == NULL ? "" : name, CONFIG_NAME_MAX);
        schema->profiles[i] =
            map_field(name, i * sizeof(struct raw_profile), sizeof(struct raw_profile), schema->profile);
    }
    return 0;
}

int schema_create(struct config_source *source, struct schema **schema)
{
    const yaml_node_t *profiles = find_profiles(source);
    size_t count = 0;

    if (profiles != NULL)
        count = (size_t)(profiles->data.mapping.pairs.top - profiles->data.mapping.pairs.start);
    if (count > CONFIG_PROFILES_MAX)
        return config_refuse(source, "profiles", "there are %zu; at most %d are taken", count,
                             CONFIG_PROFILES_MAX);
    struct schema *made = calloc(1, sizeof *made + (count + 1) * sizeof made->profiles[0]);
    if (made == NULL)
        return config_out_of_memory(source);
    made->profile_count = count;
    describe_rules(made);
    describe_profile(made);
    describe_key(made);
    describe_list(made);
    describe_feed(made);
    describe_top(made);
    int error = describe_profiles(source, profiles, made);
    if (error != 0)
        schema_free(made);
    else
        *schema = made;
    return error;
}

void schema_free(struct schema *schema)
{
    free(schema);
}

const cyaml_schema_value_t *schema_root(const struct schema *schema)
{
    return &schema->root;
}

size_t schema_profile_count(const struct schema *schema)
{
    return schema->profile_count;
}

const char *schema_profile_name(const struct schema *schema, size_t at)
{
    BUG_ON(at >= schema->profile_count);
    return schema->profiles[at].key;
}
