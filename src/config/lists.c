#include "prescreen/base/text.h"

#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE_SIZE = 96 };

static int read_name(struct config_source *source, size_t at, const char *text, struct config_list *list)
{
    char place[PLACE_SIZE];

    snprintf(place, sizeof place, "lists[%zu].name", at);
    if (!text_is_token(text, CONFIG_NAME_MAX))
        return config_refuse(source, place, "\"%.80s\" is no name; a name is 1 to %d of A-Z a-z 0-9 . _ -",
                             text, CONFIG_NAME_MAX);
    text_copy(list->name, sizeof list->name, text);
    return 0;
}

static int read_signature_key(struct config_source *source, size_t at, const char *text,
                              struct config_list *list)
{
    char place[PLACE_SIZE];

    if (text == NULL)
        return 0;
    snprintf(place, sizeof place, "lists[%zu].signature_key", at);
    list->is_signed = true;
    return settings_read_signature_key(source, place, text, list->signature_key);
}

/* The texts that a column or class may bear. */
static int read_word(struct config_source *source, const char *place, const char *text, char *word,
                     size_t capacity)
{
    if (*text == '\0' || !text_is_printable_utf8(text, strlen(text)))
        return config_refuse(source, place, "must be a text of at least one letter, in UTF-8");
    if (!text_copy(word, capacity, text))
        return config_refuse(source, place, "longer than %zu bytes", capacity - 1);
    return 0;
}

static int read_column(struct config_source *source, size_t at, enum list_column column, const char *text,
                       struct config_list *list)
{
    char place[PLACE_SIZE];

    snprintf(place, sizeof place, "lists[%zu].columns.%s", at, list_column_name(column));
    int error = read_word(source, place, text, list->columns[column], sizeof list->columns[column]);

    for (unsigned int i = 0; error == 0 && i < column; i++) {
        if (strcmp(list->columns[i], list->columns[column]) == 0)
            error = config_refuse(source, place, "\"%.64s\" is %s already", text,
                                  list_column_name((enum list_column)i));
    }
    list->has_columns = true;
    return error;
}

static int read_columns(struct config_source *source, size_t at, const struct raw_list *raw,
                        struct config_list *list)
{
    char place[PLACE_SIZE];
    bool has_hash = false;
    int error = 0;

    for (unsigned int i = 0; error == 0 && i < COLUMN_COUNT; i++) {
        if (raw->columns[i] == NULL)
            continue;
        error = read_column(source, at, (enum list_column)i, raw->columns[i], list);
        has_hash = has_hash || (i >= COLUMN_MD5 && i <= COLUMN_PDQ);
    }
    if (error != 0 || !list->has_columns || has_hash)
        return error;
    snprintf(place, sizeof place, "lists[%zu].columns", at);
    return config_refuse(source, place, "names no hash; one of md5, sha1, sha256, pdq is needed");
}

static int compare_classes(const void *a, const void *b)
{
    return strcmp(((const struct config_class *)a)->name, ((const struct config_class *)b)->name);
}

static int check_twice(struct config_source *source, size_t at, const struct config_list *list)
{
    char place[PLACE_SIZE];

    for (size_t i = 1; i < list->class_count; i++) {
        if (strcmp(list->classes[i - 1].name, list->classes[i].name) != 0)
            continue;
        snprintf(place, sizeof place, "lists[%zu].classes", at);
        return config_refuse(source, place, "\"%.64s\" stands under %s and under %s", list->classes[i].name,
                             schema_meaning_name(list->classes[i - 1].meaning),
                             schema_meaning_name(list->classes[i].meaning));
    }
    return 0;
}

static int read_classes(struct config_source *source, size_t at, const struct raw_list *raw,
                        struct config_list *list)
{
    char place[PLACE_SIZE];
    size_t total = 0;
    int error = 0;

    for (unsigned int meaning = 0; meaning < CLASS_MEANING_COUNT; meaning++)
        total += raw->classes[meaning].count;
    if (total == 0)
        return 0;
    list->classes = calloc(total, sizeof *list->classes);
    if (list->classes == NULL)
        return config_out_of_memory(source);
    for (unsigned int meaning = 0; meaning < CLASS_MEANING_COUNT; meaning++) {
        for (unsigned int i = 0; error == 0 && i < raw->classes[meaning].count; i++) {
            struct config_class *class = &list->classes[list->class_count++];

            class->meaning = meaning;
            snprintf(place, sizeof place, "lists[%zu].classes.%s[%u]", at, schema_meaning_name(meaning), i);
            error = read_word(source, place, raw->classes[meaning].words[i], class->name, sizeof class->name);
        }
    }
    if (error != 0)
        return error;
    qsort(list->classes, list->class_count, sizeof *list->classes, compare_classes);
    return check_twice(source, at, list);
}

static int read_list(struct config_source *source, const struct raw_list *raw, struct config_list *lists,
                     size_t at)
{
    char place[PLACE_SIZE];
    int error = read_name(source, at, raw->name, &lists[at]);

    for (size_t i = 0; error == 0 && i < at; i++) {
        if (strcmp(lists[i].name, lists[at].name) != 0)
            continue;
        snprintf(place, sizeof place, "lists[%zu].name", at);
        error = config_refuse(source, place, "%s is the name of lists[%zu] already", lists[at].name, i);
    }
    if (error == 0)
        error = read_signature_key(source, at, raw->signature_key, &lists[at]);
    if (error == 0)
        error = read_columns(source, at, raw, &lists[at]);
    return error != 0 ? error : read_classes(source, at, raw, &lists[at]);
}

static int compare_lists(const void *a, const void *b)
{
    return strcmp(((const struct config_list *)a)->name, ((const struct config_list *)b)->name);
}

int settings_read_lists(struct config_source *source, const struct raw_config *raw, struct config *config)
{
    int error = 0;

    if (raw->list_count == 0)
        return 0;
    struct config_list *lists = calloc(raw->list_count, sizeof *lists);
    if (lists == NULL)
        return config_out_of_memory(source);
    for (size_t i = 0; error == 0 && i < raw->list_count; i++)
        error = read_list(source, &raw->lists[i], lists, i);
    if (error != 0) {
        settings_free_lists(lists, raw->list_count);
        return error;
    }
    qsort(lists, raw->list_count, sizeof *lists, compare_lists);
    settings_free_lists(config->lists, config->list_count);
    config->lists = lists;
    config->list_count = raw->list_count;
    return 0;
}

void settings_free_lists(struct config_list *lists, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(lists[i].classes);
    free(lists);
}

static int compare_name_to_list(const void *name, const void *list)
{
    return strcmp(name, ((const struct config_list *)list)->name);
}

const struct config_list *config_find_list(const struct config *config, const char *name)
{
    if (config->list_count == 0)
        return NULL;
    return bsearch(name, config->lists, config->list_count, sizeof *config->lists, compare_name_to_list);
}

static int compare_name_to_class(const void *name, const void *class)
{
    return strcmp(name, ((const struct config_class *)class)->name);
}

bool config_find_class(const struct config_list *list, const char *name, unsigned int *meaning)
{
    const struct config_class *found = NULL;

    if (list->class_count > 0)
        found = bsearch(name, list->classes, list->class_count, sizeof *list->classes, compare_name_to_class);
    if (found != NULL)
        *meaning = found->meaning;
    return found != NULL;
}
