/* What has been seen, by a digest of each. */
#ifndef PRESCREEN_FEED_SEEN_H
#define PRESCREEN_FEED_SEEN_H

#include <stddef.h>

struct seen;

/* Errors: -ENOMEM. Ownership: *seen is the caller's. */
int seen_create(struct seen **seen);
void seen_free(struct seen *seen);

/* Positive outcome of seen_add(): it was there. */
enum { SEEN_BEFORE = 1 };

/* Errors: -ENOMEM, -EIO when the digest library refuses. Cost: linear in what has been seen, some nanoseconds
 * each. */
int seen_add(struct seen *seen, const void *data, size_t size);

#endif
