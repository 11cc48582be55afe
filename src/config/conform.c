#include "conform.h"

#include "prescreen/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NAME_COMPARED_MAX = 40, FIELDS_SHOWN_MAX = 32 };

/* The place in the text. */
struct walk {
    struct config_source *source;
    char key[CONFIG_KEY_TEXT_MAX]; /* of the value that is looked at: "profiles.post.on" */
    size_t length;
    size_t line;
};

static int check_value(struct walk *walk, const cyaml_schema_value_t *schema, const yaml_node_t *node);

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Letters to insert, drop or change on the way from one word to the other. */
static size_t edit_distance(const char *from, const char *to)
{
    size_t row[NAME_COMPARED_MAX + 1];
    size_t length = strlen(to);

    for (size_t i = 0; i <= length; i++)
        row[i] = i;
    for (size_t line = 1; *from != '\0'; from++, line++) {
        size_t diagonal = row[0];

        row[0] = line;
        for (size_t i = 1; i <= length; i++) {
            size_t above = row[i];
            row[i] = smallest(above + 1, row[i - 1] + 1, diagonal + (*from != to[i - 1]));
            diagonal = above;
        }
    }
    return row[length];
}

/* The name that differs least, by at most two letters and not in all; NULL when none is that near. */
static const char *find_nearest(const char *name, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t least = 3;

    if (strlen(name) > NAME_COMPARED_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (strlen(names[i]) > NAME_COMPARED_MAX)
            continue;
        size_t distance = edit_distance(name, names[i]);
        if (distance < least && distance < strlen(names[i])) {
            least = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

static int refuse_unknown(struct walk *walk, const cyaml_schema_field_t *fields, const char *key, size_t line)
{
    const char *names[FIELDS_SHOWN_MAX];
    char known[320] = "";
    size_t used = 0;
    size_t count = 0;

    for (; count < FIELDS_SHOWN_MAX && fields[count].key != NULL; count++) {
        names[count] = fields[count].key;
        int wrote = snprintf(known + used, sizeof known - used, "%s%s", count == 0 ? "" : ", ", names[count]);
        if (wrote > 0 && (size_t)wrote < sizeof known - used)
            used += (size_t)wrote;
    }
    const char *nearest = find_nearest(key, names, count);
    char path[CONFIG_KEY_TEXT_MAX + 64];
    snprintf(path, sizeof path, "%s%s%.48s", walk->key, walk->length > 0 ? "." : "", key);
    if (nearest != NULL)
        return config_refuse_at(walk->source, line, path, "unknown key, did you mean %s? Known here: %s",
                                nearest, known);
    return config_refuse_at(walk->source, line, path, "unknown key; known here: %s", known);
}

static const cyaml_schema_field_t *find_field(const cyaml_schema_field_t *fields, const char *key)
{
    for (; fields->key != NULL; fields++) {
        if (strcmp(fields->key, key) == 0)
            return fields;
    }
    return NULL;
}

/* The line of an earlier pair with the same key, or 0. */
static size_t find_earlier(yaml_document_t *document, const yaml_node_t *map, const yaml_node_pair_t *pair,
                           const char *key)
{
    for (const yaml_node_pair_t *other = map->data.mapping.pairs.start; other < pair; other++) {
        const yaml_node_t *name = yaml_document_get_node(document, other->key);
        const char *text = config_node_text(name);

        if (text != NULL && strcmp(text, key) == 0)
            return name->start_mark.line + 1;
    }
    return 0;
}

/* Looks at one value under its own key, then returns to the place before. */
static int check_below(struct walk *walk, const char *key, size_t line, const cyaml_schema_value_t *schema,
                       const yaml_node_t *node)
{
    size_t length = walk->length;
    size_t line_before = walk->line;
    int wrote = snprintf(walk->key + length, sizeof walk->key - length, "%s%s",
                         length > 0 && *key != '[' ? "." : "", key);

    if (wrote < 0 || (size_t)wrote >= sizeof walk->key - length)
        return config_refuse_at(walk->source, line, "", "a key is too long");
    walk->length = length + (size_t)wrote;
    walk->line = line;
    int error = check_value(walk, schema, node);
    walk->length = length;
    walk->line = line_before;
    walk->key[length] = '\0';
    return error;
}

static int check_pair(struct walk *walk, const cyaml_schema_value_t *schema, const yaml_node_t *map,
                      const yaml_node_pair_t *pair)
{
    yaml_document_t *document = &walk->source->document;
    const yaml_node_t *name = yaml_document_get_node(document, pair->key);
    const char *key = config_node_text(name);
    size_t line = name->start_mark.line + 1;

    if (key == NULL)
        return config_refuse_at(walk->source, line, walk->key, "a key must be a word, not a map or a list");
    const cyaml_schema_field_t *field = find_field(schema->mapping.fields, key);
    if (field == NULL || strlen(key) != name->data.scalar.length)
        return refuse_unknown(walk, schema->mapping.fields, key, line);
    size_t earlier = find_earlier(document, map, pair, key);
    if (earlier > 0)
        return config_refuse_at(walk->source, line, walk->key, "%s stands here twice, first in line %zu", key,
                                earlier);
    return check_below(walk, key, line, &field->value, yaml_document_get_node(document, pair->value));
}

static int check_required(struct walk *walk, const cyaml_schema_field_t *fields, const yaml_node_t *map)
{
    for (; fields->key != NULL; fields++) {
        if ((fields->value.flags & CYAML_FLAG_OPTIONAL) == 0 &&
            find_earlier(&walk->source->document, map, map->data.mapping.pairs.top, fields->key) == 0)
            return config_refuse_at(walk->source, walk->line, walk->key, "%s is missing", fields->key);
    }
    return 0;
}

static int check_map(struct walk *walk, const cyaml_schema_value_t *schema, const yaml_node_t *node)
{
    int error = 0;

    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         error == 0 && pair < node->data.mapping.pairs.top; pair++)
        error = check_pair(walk, schema, node, pair);
    return error != 0 ? error : check_required(walk, schema->mapping.fields, node);
}

static int check_list(struct walk *walk, const cyaml_schema_value_t *schema, const yaml_node_t *node)
{
    size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    int error = 0;

    if (count > schema->sequence.max)
        return config_refuse_at(walk->source, walk->line, walk->key, "has %zu entries; at most %u are taken",
                                count, schema->sequence.max);
    for (size_t i = 0; error == 0 && i < count; i++) {
        const yaml_node_t *item =
            yaml_document_get_node(&walk->source->document, node->data.sequence.items.start[i]);
        char place[32];

        snprintf(place, sizeof place, "[%zu]", i);
        error = check_below(walk, place, item->start_mark.line + 1, schema->sequence.entry, item);
    }
    return error;
}

static bool is_null(const yaml_node_t *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    const char *text = config_node_text(node);

    if (text == NULL || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) {
        if (strcmp(text, nulls[i]) == 0)
            return true;
    }
    return false;
}

static int check_text(struct walk *walk, const cyaml_schema_value_t *schema, const yaml_node_t *node)
{
    if (node->data.scalar.length > schema->string.max)
        return config_refuse_at(walk->source, walk->line, walk->key, "longer than %u bytes",
                                schema->string.max);
    if (!text_is_printable_utf8((const char *)node->data.scalar.value, node->data.scalar.length))
        return config_refuse_at(walk->source, walk->line, walk->key,
                                "has line breaks or other control characters");
    return 0;
}

static int check_value(struct walk *walk, const cyaml_schema_value_t *schema, const yaml_node_t *node)
{
    static const struct {
        cyaml_type_e type;
        yaml_node_type_t node;
        const char *wanted;
        int (*check)(struct walk *walk, const cyaml_schema_value_t *schema, const yaml_node_t *node);
    } kinds[] = {
        {CYAML_MAPPING, YAML_MAPPING_NODE, "a map of keys and values, or {}", check_map},
        {CYAML_SEQUENCE, YAML_SEQUENCE_NODE, "a list, or []", check_list},
        {CYAML_STRING, YAML_SCALAR_NODE, "one value", check_text},
    };
    size_t kind = 0;

    while (kinds[kind].type != schema->type)
        kind++;
    if (is_null(node))
        return config_refuse_at(walk->source, walk->line, walk->key,
                                "has no value; write %s, or leave the key out", kinds[kind].wanted);
    if (node->type != kinds[kind].node)
        return config_refuse_at(walk->source, walk->line, walk->key, "must be %s", kinds[kind].wanted);
    return kinds[kind].check(walk, schema, node);
}

int conform_check(struct config_source *source, const struct schema *schema)
{
    struct walk walk = {.source = source, .line = 1};
    const yaml_node_t *root = yaml_document_get_root_node(&source->document);

    return root == NULL ? 0 : check_value(&walk, schema_root(schema), root);
}
