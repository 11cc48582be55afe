#include "prescreen/feed/checkpoint.h"

#include "prescreen/base/bug.h"
#include "prescreen/base/bytes.h"
#include "prescreen/base/text.h"
#include "prescreen/os/files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char first_line[] = "prescreen feed 1";
static const char last_line[] = "end";

enum { NAME_SIZE = CONFIG_NAME_MAX + 16, LINE_SIZE = CONFIG_URL_MAX + 32 };

static void name_file(const struct config_feed *feed, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%s.checkpoint", feed->name);
}

/* A text that is read line by line. */
struct reading {
    char *rest;
    const struct config_feed *feed;
    struct diag why;
};

static int refuse(struct reading *reading, const char *why)
{
    return diag_fail(&reading->why, FEED_CHECKPOINT_FOREIGN, "%s", why);
}

/* Cuts the next line off; NULL when there is no whole one. */
static char *next_line(struct reading *reading)
{
    char *line = reading->rest;
    char *end = strchr(line, '\n');

    if (end == NULL)
        return NULL;
    *end = '\0';
    reading->rest = end + 1;
    return line;
}

/* The value of the next line, which must begin with this word; NULL when it does not. */
static char *next_value(struct reading *reading, const char *word)
{
    char *line = next_line(reading);
    size_t length = strlen(word);

    if (line == NULL || strncmp(line, word, length) != 0 || line[length] != ' ')
        return NULL;
    return line + length + 1;
}

static bool next_number(struct reading *reading, const char *word, uint64_t *number)
{
    const char *value = next_value(reading, word);

    return value != NULL && text_parse_u64(value, UINT64_MAX, number);
}

/* "NAME NUMBER VERSION" */
static bool read_list(char *text, const char *name, uint32_t *number, uint64_t *version)
{
    char *digits = strchr(text, ' ');
    char *more = digits != NULL ? strchr(digits + 1, ' ') : NULL;
    uint64_t value = 0;

    if (more == NULL)
        return false;
    *digits = '\0';
    *more = '\0';
    if (strcmp(text, name) != 0 || !text_parse_u64(digits + 1, UINT32_MAX, &value) ||
        !text_parse_u64(more + 1, UINT64_MAX, version))
        return false;
    *number = (uint32_t)value;
    return true;
}

static int check_list(struct reading *reading, const struct list_info *list, uint32_t number,
                      uint64_t version)
{
    if (list->number != number)
        return refuse(reading,
                      "a list was deleted and made again since: what was fetched before is not in it");
    if (list->version < version)
        return refuse(reading, "a list is older than the last pull: the list store is an earlier copy");
    return 0;
}

static int read_lists(struct reading *reading, const struct list_info *lists,
                      struct feed_checkpoint *checkpoint)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < reading->feed->list_count; i++) {
        char *value = next_value(reading, "list");
        uint32_t number = 0;
        uint64_t version = 0;

        if (value == NULL || !read_list(value, reading->feed->lists[i], &number, &version))
            return refuse(reading, "it is of other lists than the configuration names");
        result = check_list(reading, &lists[i], number, version);
        checkpoint->lists[i].number = number;
        checkpoint->lists[i].version = version;
        checkpoint->list_count++;
    }
    return result;
}

static int read_text(struct reading *reading, const struct list_info *lists,
                     struct feed_checkpoint *checkpoint)
{
    const char *begin = next_line(reading);
    const char *value = NULL;

    if (begin == NULL || strcmp(begin, first_line) != 0)
        return refuse(reading, "it is no checkpoint of this program");
    value = next_value(reading, "kind");
    if (value == NULL || strcmp(value, feed_kind_name(reading->feed->kind)) != 0)
        return refuse(reading, "it is of another kind than the configuration says");
    value = next_value(reading, "url");
    if (value == NULL || strcmp(value, reading->feed->url) != 0)
        return refuse(reading, "it is of another url than the configuration says");
    if (!next_number(reading, "from", &checkpoint->from_s) ||
        !next_number(reading, "pulled", &checkpoint->pulled_us))
        return refuse(reading, "it is damaged");
    int result = read_lists(reading, lists, checkpoint);
    if (result != 0)
        return result;
    const char *end = next_line(reading);
    if (end == NULL || strcmp(end, last_line) != 0 || *reading->rest != '\0')
        return refuse(reading, "it is of other lists than the configuration names, or damaged");
    return 0;
}

static int read_content(struct bytes *content, const struct config_feed *feed, const struct list_info *lists,
                        const char *path, struct feed_checkpoint *checkpoint, struct diag *diag)
{
    struct reading reading = {.feed = feed};
    struct feed_checkpoint read = {.list_count = 0};

    if (bytes_append(content, "", 1) != 0)
        return diag_fail(diag, -ENOMEM, "no memory for %s", path);
    reading.rest = (char *)content->data;
    int result = read_text(&reading, lists, &read);
    if (result == 0)
        *checkpoint = read;
    else
        diag_set(diag, "%s: %s; remove it to fetch everything anew", path, reading.why.text);
    return result;
}

int feed_checkpoint_read(const char *folder, const struct config_feed *feed, const struct list_info *lists,
                         struct feed_checkpoint *checkpoint, struct diag *diag)
{
    char name[NAME_SIZE];
    char path[CONFIG_PATH_MAX];
    struct bytes content;

    name_file(feed, name);
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return diag_fail(diag, -ENAMETOOLONG, "the path of %s is too long", name);
    bytes_init(&content, FEED_CHECKPOINT_FILE_MAX);
    int result = files_read(path, &content, diag);
    if (result == -ENOENT)
        result = FEED_CHECKPOINT_NONE;
    else if (result == 0)
        result = read_content(&content, feed, lists, path, checkpoint, diag);
    bytes_clear(&content);
    return result;
}

int feed_checkpoint_write(const char *folder, const struct config_feed *feed,
                          const struct feed_checkpoint *checkpoint, struct diag *diag)
{
    char name[NAME_SIZE];
    char text[FEED_CHECKPOINT_FILE_MAX];
    size_t used = 0;

    BUG_ON(checkpoint->list_count != feed->list_count);
    used = (size_t)snprintf(text, sizeof text, "%s\nkind %s\nurl %s\nfrom %" PRIu64 "\npulled %" PRIu64 "\n",
                            first_line, feed_kind_name(feed->kind), feed->url, checkpoint->from_s,
                            checkpoint->pulled_us);
    for (size_t i = 0; i < feed->list_count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "list %s %" PRIu32 " %" PRIu64 "\n",
                                 feed->lists[i], checkpoint->lists[i].number, checkpoint->lists[i].version);
    used += (size_t)snprintf(text + used, sizeof text - used, "%s\n", last_line);
    BUG_ON(used >= sizeof text);
    name_file(feed, name);
    return files_replace(folder, name, text, used, diag);
}
