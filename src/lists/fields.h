/* The values of one record of JSON or XML that a reader cares for, each at most once. */
#ifndef PRESCREEN_LISTS_FIELDS_H
#define PRESCREEN_LISTS_FIELDS_H

#include "prescreen/lists/reader.h"

enum { FIELDS_MAX = 12 };

struct field_set {
    const char *const *names; /* count of them, borrowed */
    unsigned int count;       /* at most FIELDS_MAX */
    struct {
        bool given;
        size_t size;
        char text[LIST_FIELD_MAX + 1];
    } values[FIELDS_MAX];
};

void fields_init(struct field_set *set, const char *const *names, unsigned int count);

/* Forgets the values. */
void fields_clear(struct field_set *set);

/* The number of a name, or count. */
unsigned int fields_find(const struct field_set *set, const char *name, size_t size);

/* Adds text to a value that may come in pieces. LIST_ENTRY_BAD with why when it grows past LIST_FIELD_MAX. */
int fields_append(struct field_set *set, unsigned int field, const char *text, size_t size, struct diag *why);

/* Begins a value: LIST_ENTRY_BAD when there is one already. */
int fields_begin(struct field_set *set, unsigned int field, struct diag *why);

/* Ends a value: white space around it is cut off. LIST_ENTRY_BAD when it is not printable UTF-8. */
int fields_end(struct field_set *set, unsigned int field, struct diag *why);

/* "" when it is not given. */
const char *fields_text(const struct field_set *set, unsigned int field);

/* Reads a value as a hash; one that is not given, or empty, is none. LIST_ENTRY_BAD with why, which names the
 * field; also when hashes has another value of the kind. */
int fields_read_hash(const struct field_set *set, unsigned int field, enum hash_kind kind,
                     struct known_hashes *hashes, struct diag *why);

#endif
