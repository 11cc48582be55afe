/* prescreen list history, diff, revert. */
#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"
#include "prescreen/store/history.h"

#include "command.h"
#include "list.h"
#include "local.h"
#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static int add_version_row(void *context, const struct list_version *version)
{
    char who[HISTORY_WHO_MAX + 1];
    char at[CLOCK_RFC3339_SIZE];

    clock_format_rfc3339(version->at_us, at);
    table_add(context, "%" PRIu64, version->version);
    table_add(context, "%.19sZ", at);
    table_add(context, "%s", printable(version->who, who, sizeof who));
    table_add(context, "%s", version->what);
    table_add(context, "%s", list_action_name(version->properties.action));
    table_add(context, "%" PRIu64, version->change.added);
    table_add(context, "%" PRIu64, version->change.changed);
    table_add(context, "%" PRIu64, version->change.removed);
    table_add(context, "%s", version->kept ? "yes" : "forgotten");
    return 0;
}

int command_list_history(const struct invocation *invocation)
{
    static const char *const headings[] = {">version", "when",     "who",      "what", "action",
                                           ">added",   ">changed", ">removed", "kept"};
    const char *name = invocation->operands[0];
    struct local local = {.config = NULL};
    struct table *table = NULL;
    struct diag diag = {""};
    int result = local_open_lists(invocation, false, &local, &diag);

    if (result == 0 && table_create(headings, sizeof headings / sizeof headings[0], &table) != 0)
        result = diag_fail(&diag, -ENOMEM, "no memory");
    if (result == 0)
        result = list_store_each_version(local.list_store, name, UINT64_MAX, add_version_row, table, &diag);
    if (result == 0 && table_print(table) != 0)
        result = diag_fail(&diag, -ENOMEM, "no memory");
    if (result != 0)
        list_say_failure(name, result, &diag);
    table_free(table);
    local_close(&local);
    return result == 0 ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}

/* How many of each. */
struct difference_counts {
    uint64_t count[DIFFERENCE_COUNT];
};

static int print_difference(void *context, enum list_difference difference, const char *entry_id)
{
    static const char signs[DIFFERENCE_COUNT] = {
        [DIFFERENCE_ADDED] = '+', [DIFFERENCE_CHANGED] = '~', [DIFFERENCE_REMOVED] = '-'};
    struct difference_counts *counts = context;

    counts->count[difference]++;
    return printf("%c %s\n", signs[difference], entry_id) > 0 ? 0 : -EIO;
}

static int read_version(const char *text, uint64_t *version, struct diag *diag)
{
    if (text_parse_u64(text, INT64_MAX, version) && *version > 0)
        return 0;
    return diag_fail(diag, -EINVAL, "%s is no version; prescreen list history shows them", text);
}

/* The versions that are named after the list; 0 where none is. */
static int read_versions(const struct invocation *invocation, uint64_t *from, uint64_t *to, struct diag *diag)
{
    int result = 0;

    if (invocation->operand_count > 1)
        result = read_version(invocation->operands[1], from, diag);
    if (result == 0 && invocation->operand_count > 2)
        result = read_version(invocation->operands[2], to, diag);
    return result;
}

int command_list_diff(const struct invocation *invocation)
{
    const char *name = invocation->operands[0];
    struct difference_counts counts = {{0}};
    struct local local = {.config = NULL};
    struct diag diag = {""};
    uint64_t from = 0;
    uint64_t to = 0;
    int result = read_versions(invocation, &from, &to, &diag);

    if (result == 0)
        result = local_open_lists(invocation, false, &local, &diag);
    if (result == 0)
        result = list_store_diff(local.list_store, name, &from, &to, print_difference, &counts, &diag);
    if (result == 0)
        say("%s: version %" PRIu64 " to %" PRIu64 ": %" PRIu64 " added, %" PRIu64 " changed, %" PRIu64
            " removed",
            name, from, to, counts.count[DIFFERENCE_ADDED], counts.count[DIFFERENCE_CHANGED],
            counts.count[DIFFERENCE_REMOVED]);
    else
        say("%s", diag.text[0] != '\0' ? diag.text : "not all output could be written");
    local_close(&local);
    return result == 0 ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}

int command_list_revert(const struct invocation *invocation)
{
    const char *name = invocation->operands[0];
    const char *text = option_text(invocation, OPTION_TO, NULL);
    struct local local = {.config = NULL};
    struct list_change change;
    struct diag diag = {""};
    uint64_t version = 0;
    int result = text != NULL ? read_version(text, &version, &diag)
                              : diag_fail(&diag, -EINVAL,
                                          "--to VERSION is needed; prescreen list history %s "
                                          "shows the versions",
                                          name);

    if (result == 0)
        result = local_open_lists(invocation, false, &local, &diag);
    if (result == 0)
        result = list_store_revert(local.list_store, name, version, local.who, &change, &diag);
    if (result == 0)
        list_print_change(name, &change);
    else
        say("%s", diag.text);
    local_close(&local);
    return result == 0 ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}
