/* JSON that callers send: weighed before it is taken apart, and strict about its members. */
#ifndef PRESCREEN_HTTP_JSON_BODY_H
#define PRESCREEN_HTTP_JSON_BODY_H

#include "prescreen/base/bytes.h"
#include "prescreen/base/diag.h"
#include "prescreen/hash/hashes.h"

#include "problem.h"

#include <jansson.h>

/* Reads an object of at most values_max values in all, nested at most JSON_BODY_DEPTH_MAX deep: counted
 * first, so that a small body cannot become a large tree. Members given twice are refused. Returns
 * PROBLEM_NONE or a problem with diag. Ownership: *object is the caller's. */
enum { JSON_BODY_DEPTH_MAX = 4 };
enum problem json_body_read(const struct bytes *body, size_t values_max, json_t **object, struct diag *diag);

/* Refuses members other than allowed (ends with NULL), naming the first one. where is put before the words,
 * for example "items[3]: ". */
enum problem json_body_check_members(const json_t *object, const char *const *allowed, const char *where,
                                     struct diag *diag);

/* Gives a text member; the fallback when it is absent. */
enum problem json_body_read_text(const json_t *object, const char *name, const char *fallback,
                                 const char *where, const char **text, struct diag *diag);

/* Gives a whole number from 0 to maximum; the fallback when it is absent. */
enum problem json_body_read_number(const json_t *object, const char *name, unsigned int maximum, int fallback,
                                   const char *where, int *number, struct diag *diag);

/* Reads the members md5, sha1, sha256 and pdq, those that are there. At least one must be. */
enum problem json_body_read_hashes(const json_t *object, const char *where, struct known_hashes *hashes,
                                   struct diag *diag);

#endif
