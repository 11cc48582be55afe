/* An entry of a list, as files and calls bring it. */
#ifndef PRESCREEN_LISTS_ENTRY_H
#define PRESCREEN_LISTS_ENTRY_H

#include "prescreen/base/diag.h"
#include "prescreen/hash/hashes.h"

enum {
    LIST_NAME_MAX = 64,      /* bytes of a list's name: A-Z a-z 0-9 . _ - */
    LIST_SOURCE_MAX = 256,   /* bytes, printable UTF-8 */
    ENTRY_ID_MAX = 256,      /* bytes, printable UTF-8, at least 1 */
    CLASSIFICATION_MAX = 64, /* bytes, printable UTF-8 */
    ENTRY_NOTE_MAX = 1024,   /* bytes, printable UTF-8 */
    LIST_DISTANCE_MAX = 64,  /* bits: the largest max_distance */
    LIST_DISTANCE_DEFAULT = 31,
    ENTRY_VIEWS_MAX = 64
};

/* A further perceptual hash of an entry: of a view of its picture that copies may show. */
struct entry_view {
    enum view view; /* never VIEW_MAIN: that one is the entry's pdq */
    struct pdq_hash hash;
};

/* Texts are terminated and borrowed from whoever made the entry; "" = absent (never for entry_id). At least
 * one hash is known. line is for sentences alone. */
struct list_entry {
    const char *entry_id;
    struct known_hashes hashes;
    const char *classification;
    const char *note;
    const struct entry_view *views; /* borrowed like the texts; NULL when there are none */
    size_t view_count;              /* at most ENTRY_VIEWS_MAX */
    uint64_t line; /* of the file that it stands in, from 1; 0 when it comes from nowhere of the kind */
    uint64_t rank; /* of several records of one entry_id the highest counts, where they may repeat */
};

/* Positive outcome of list_entry_check(). */
enum { LIST_ENTRY_BAD = 1 };

/* Holds an entry against the rules above. 0, or LIST_ENTRY_BAD with a sentence that begins with the member's
 * name and never shows a hash. */
int list_entry_check(const struct list_entry *entry, struct diag *diag);

/* Takes one entry on its way. 0; a positive value when it refuses this one entry; or a negative errno. Both
 * stop the caller, which forwards them; list_reader alone treats a refusal as a bad row. */
typedef int entry_sink(void *context, const struct list_entry *entry);

#endif
