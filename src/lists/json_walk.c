#include "json_walk.h"

#include <string.h>

void json_walk_start(struct json_walk *walk)
{
    walk->depth = 0;
    walk->stack[0] = JSON_START;
    walk->maps[0] = false;
    walk->key[0] = '\0';
}

static unsigned int here(const struct json_walk *walk)
{
    return walk->stack[walk->depth];
}

/* The key under which the next value stands; NULL in a list. */
static const char *key_of(const struct json_walk *walk)
{
    return walk->maps[walk->depth] ? walk->key : NULL;
}

static const struct json_place *find_place(const struct json_walk *walk)
{
    const char *key = key_of(walk);

    for (size_t i = 0; i < walk->place_count && here(walk) != JSON_ELSEWHERE; i++) {
        const struct json_place *row = &walk->places[i];
        if (row->parent != here(walk))
            continue;
        if (key == NULL ? row->key == NULL : row->key != NULL && strcmp(row->key, key) == 0)
            return row;
    }
    return NULL;
}

static int refuse(struct json_walk *walk, const struct json_place *row)
{
    return diag_fail(walk->diag, LIST_READER_BAD, "%s: must be a %s",
                     row->key != NULL           ? row->key
                     : here(walk) == JSON_START ? "the document"
                                                : "an item of the list",
                     row->is_map ? "map" : "list");
}

static int on_open(void *context, bool is_map)
{
    struct json_walk *walk = context;
    const struct json_place *row = find_place(walk);
    const struct json_scalar container = {.type = JSON_TYPE_CONTAINER, .text = ""};
    unsigned int place = JSON_ELSEWHERE;
    int outcome = 0;

    if (row != NULL && row->is_map != is_map)
        return refuse(walk, row);
    if (row == NULL && here(walk) != JSON_ELSEWHERE)
        outcome = walk->on_value(walk->context, here(walk), key_of(walk), &container);
    if (row != NULL) {
        place = row->place;
        outcome = walk->on_enter(walk->context, place);
    }
    walk->depth++;
    walk->stack[walk->depth] = place;
    walk->maps[walk->depth] = is_map;
    walk->key[0] = '\0';
    return outcome;
}

static int on_close(void *context)
{
    struct json_walk *walk = context;
    unsigned int place = here(walk);

    walk->depth--;
    walk->key[0] = '\0';
    return place == JSON_ELSEWHERE ? 0 : walk->on_leave(walk->context, place);
}

/* A key that is too long to be known, or holds NUL, is as good as none. */
static int on_key(void *context, const char *text, size_t size)
{
    struct json_walk *walk = context;

    if (size > JSON_KEY_MAX || memchr(text, '\0', size) != NULL)
        size = 0;
    memcpy(walk->key, text, size);
    walk->key[size] = '\0';
    return 0;
}

static int on_scalar(void *context, const struct json_scalar *scalar)
{
    struct json_walk *walk = context;
    const struct json_place *row = find_place(walk);

    if (here(walk) == JSON_ELSEWHERE)
        return 0;
    if (row != NULL && (scalar->type != JSON_TYPE_NULL || row->key == NULL))
        return refuse(walk, row);
    return row != NULL ? 0 : walk->on_value(walk->context, here(walk), key_of(walk), scalar);
}

const struct json_sink json_walk_sink = {
    .on_open = on_open, .on_close = on_close, .on_key = on_key, .on_scalar = on_scalar};
