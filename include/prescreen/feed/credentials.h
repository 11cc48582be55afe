/* What a feed shows its source to be let in. Only the program that fetches lists reads it. */
#ifndef PRESCREEN_FEED_CREDENTIALS_H
#define PRESCREEN_FEED_CREDENTIALS_H

#include "prescreen/base/diag.h"
#include "prescreen/config/config.h"

enum {
    FEED_SECRET_MAX = 512,           /* bytes of one, printable UTF-8 */
    FEED_CREDENTIALS_FILE_MAX = 4096 /* bytes */
};

/* ncmec: username and password; stopncii: functions_key and subscription_key. */
enum { FEED_SECRET_FIRST, FEED_SECRET_SECOND, FEED_SECRET_COUNT };

struct feed_credentials {
    char secrets[FEED_SECRET_COUNT][FEED_SECRET_MAX + 1];
};

/* Reads the file that the feed names: lines "KEY: VALUE"; blank lines and those that begin with '#' are
 * passed over. Its name without a slash is looked for in $CREDENTIALS_DIRECTORY. Errors: -EINVAL, -EPERM when
 * others may read it, -errno, with diag, which never shows any of it. Ownership: to be cleared by the caller.
 */
int feed_credentials_read(const struct config_feed *feed, struct feed_credentials *credentials,
                          struct diag *diag);

void feed_credentials_clear(struct feed_credentials *credentials);

#endif
