/* An import: files of one format, read as they stream in, into one change of one list, all or nothing. */
#ifndef PRESCREEN_STORE_IMPORT_H
#define PRESCREEN_STORE_IMPORT_H

#include "prescreen/lists/reader.h"
#include "prescreen/lists/signature.h"
#include "prescreen/store/lists.h"

struct list_import_options {
    const char *list;            /* its name */
    const struct config *config; /* what it says of the list; borrowed */
    enum list_format format;
    enum list_change_mode mode;
    bool skip_bad;           /* as list_reader_options */
    bool spare_versions;     /* as list_draft_spare_versions() */
    list_skip_sink *on_skip; /* may be NULL */
    void *context;
};

struct list_import;

/* The list must exist. Outcomes of this and the calls below: those of the store's, LIST_STORE_REFUSED also
 * for whatever the reader refuses. Ownership: *import is the caller's, to list_import_free() whatever
 * happens. */
int list_import_begin(struct list_store *store, const struct list_import_options *options,
                      struct list_import **import, struct diag *diag);

/* Begins a file. signature: NULL when there is none. Refuses a file without one where the list has a key, and
 * one with one where it has none to check it by. */
int list_import_begin_file(struct list_import *import, const uint8_t *signature, struct diag *diag);
int list_import_feed(struct list_import *import, const void *data, size_t size, struct diag *diag);

/* Ends a file: its signature must be right. Another may follow. After anything but 0 only tally and free are
 * legal. */
int list_import_end_file(struct list_import *import, struct diag *diag);

/* Of all files so far. Borrowed. */
const struct list_tally *list_import_tally(const struct list_import *import);

/* Makes the change once all files have ended, or with dry_run tells what it would be. Refuses to replace when
 * the last file says that others follow it. */
int list_import_commit(struct list_import *import, const char *who, bool dry_run, struct list_change *change,
                       struct diag *diag);

void list_import_free(struct list_import *import);

#endif
