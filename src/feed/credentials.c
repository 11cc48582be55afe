#include "prescreen/feed/credentials.h"

#include "prescreen/base/bytes.h"
#include "prescreen/base/text.h"
#include "prescreen/os/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const secret_names[FEED_KIND_COUNT][FEED_SECRET_COUNT] = {
    [FEED_NCMEC] = {"username", "password"}, [FEED_STOPNCII] = {"functions_key", "subscription_key"}};

static const char blanks[] = " \t\r";

/* The file that is read, for its sentences. */
struct reading {
    const char *path;
    const char *const *names;
    unsigned int line;
    struct feed_credentials *credentials;
    struct diag *diag;
};

static int refuse(const struct reading *reading, const char *why)
{
    return diag_fail(reading->diag, -EINVAL, "%s: line %u: %s; it takes %s: … and %s: …", reading->path,
                     reading->line, why, reading->names[0], reading->names[1]);
}

static int read_line(const struct reading *reading, char *line)
{
    char *key = line + strspn(line, blanks);
    char *value = strchr(key, ':');
    unsigned int secret = 0;

    if (*key == '\0' || *key == '#')
        return 0;
    if (value == NULL)
        return refuse(reading, "no KEY: VALUE");
    *value++ = '\0';
    while (secret < FEED_SECRET_COUNT && strcmp(key, reading->names[secret]) != 0)
        secret++;
    if (secret == FEED_SECRET_COUNT)
        return refuse(reading, "an unknown key");
    char *target = reading->credentials->secrets[secret];
    if (target[0] != '\0')
        return refuse(reading, "a key that was there before");
    value += strspn(value, blanks);
    for (size_t end = strlen(value); end > 0 && strchr(blanks, value[end - 1]) != NULL; end--)
        value[end - 1] = '\0';
    if (value[0] == '\0' || !text_is_printable_utf8(value, strlen(value)) ||
        !text_copy(target, FEED_SECRET_MAX + 1, value))
        return refuse(reading, "the value is empty, too long or no text");
    return 0;
}

static int read_text(struct reading *reading, char *text)
{
    int result = 0;

    for (char *line = text; result == 0 && line != NULL;) {
        char *next = strchr(line, '\n');

        if (next != NULL)
            *next++ = '\0';
        reading->line++;
        result = read_line(reading, line);
        line = next;
    }
    for (unsigned int i = 0; result == 0 && i < FEED_SECRET_COUNT; i++) {
        if (reading->credentials->secrets[i][0] == '\0')
            result = diag_fail(reading->diag, -EINVAL, "%s: %s is missing", reading->path, reading->names[i]);
    }
    return result;
}

static int find_file(const struct config_feed *feed, char path[CONFIG_PATH_MAX], struct diag *diag)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");

    if (feed->credentials[0] == '/') {
        (void)text_copy(path, CONFIG_PATH_MAX, feed->credentials);
        return 0;
    }
    if (folder == NULL)
        return diag_fail(diag, -ENOENT,
                         "credentials %s is a name in the folder that systemd makes (LoadCredential=), and "
                         "$CREDENTIALS_DIRECTORY is not set",
                         feed->credentials);
    if (snprintf(path, CONFIG_PATH_MAX, "%s/%s", folder, feed->credentials) >= CONFIG_PATH_MAX)
        return diag_fail(diag, -ENAMETOOLONG, "the path of the credentials %s is too long",
                         feed->credentials);
    return 0;
}

int feed_credentials_read(const struct config_feed *feed, struct feed_credentials *credentials,
                          struct diag *diag)
{
    struct feed_credentials read = {0};
    char path[CONFIG_PATH_MAX];
    struct bytes content;
    struct reading reading = {
        .path = path, .names = secret_names[feed->kind], .credentials = &read, .diag = diag};
    int result = find_file(feed, path, diag);

    bytes_init(&content, FEED_CREDENTIALS_FILE_MAX);
    if (result == 0)
        result = files_read_private(path, &content, diag);
    if (result == 0 && content.size > 0 && memchr(content.data, '\0', content.size) != NULL)
        result = diag_fail(diag, -EINVAL, "%s: no text", path);
    content.maximum++; /* for the end of the text */
    if (result == 0 && bytes_append(&content, "", 1) != 0)
        result = diag_fail(diag, -ENOMEM, "no memory for %s", path);
    if (result == 0)
        result = read_text(&reading, (char *)content.data);
    if (result == 0)
        *credentials = read;
    if (content.size > 0)
        explicit_bzero(content.data, content.size);
    bytes_clear(&content);
    feed_credentials_clear(&read);
    return result;
}

void feed_credentials_clear(struct feed_credentials *credentials)
{
    explicit_bzero(credentials, sizeof *credentials);
}
