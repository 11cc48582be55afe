/* The parts of a JSON document that a format knows, by a table; all else is passed over, however deep. */
#ifndef PRESCREEN_LISTS_JSON_WALK_H
#define PRESCREEN_LISTS_JSON_WALK_H

#include "json_stream.h"

enum { JSON_ELSEWHERE, JSON_START }; /* places that every table has; its own begin behind them */

struct json_place {
    unsigned int parent;
    const char *key; /* NULL: the items of a list, or the document itself */
    bool is_map;     /* else a list */
    unsigned int place;
};

enum { JSON_KEY_MAX = 63 }; /* bytes of a key that can be known */

struct json_walk {
    const struct json_place *places;
    size_t place_count;
    /* Anything but 0 stops. The sinks leave the sentence for LIST_READER_BAD in diag. */
    int (*on_enter)(void *context, unsigned int place);
    int (*on_leave)(void *context, unsigned int place);
    int (*on_value)(void *context, unsigned int place, const char *key, const struct json_scalar *scalar);
    void *context;
    struct diag *diag; /* borrowed: where refusals of the walk itself go */
    /* Private to json_walk.c. */
    unsigned int depth;
    unsigned int stack[LIST_DEPTH_MAX + 1];
    bool maps[LIST_DEPTH_MAX + 1];
    char key[JSON_KEY_MAX + 1];
};

/* The sink whose context is a struct json_walk. */
extern const struct json_sink json_walk_sink;

/* Call once all but the private members are set. */
void json_walk_start(struct json_walk *walk);

#endif
