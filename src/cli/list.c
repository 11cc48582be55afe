#include "list.h"

#include "prescreen/base/clock.h"
#include "prescreen/base/text.h"
#include "prescreen/lists/writer.h"

#include "command.h"
#include "local.h"
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void list_say_failure(const char *list, int result, const struct diag *diag)
{
    if (result == LIST_STORE_NOT_FOUND || result == -ENOENT)
        say("%s; prescreen list create %s --action … makes it", diag->text, list);
    else
        say("%s", diag->text);
}

void list_print_change(const char *list, const struct list_change *change)
{
    printf("%s: %llu added, %llu changed, %llu removed, %llu unchanged; lists_version %llu\n", list,
           (unsigned long long)change->added, (unsigned long long)change->changed,
           (unsigned long long)change->removed, (unsigned long long)change->unchanged,
           (unsigned long long)change->lists_version);
    if (change->lapsed > 0)
        printf("%s: %llu %s entry has become another picture; prescreen list exempt and list aside show %s\n",
               list, (unsigned long long)change->lapsed,
               noun(change->lapsed, "exemption or review lapsed, because its",
                    "exemptions or reviews lapsed, because their"),
               noun(change->lapsed, "it", "them"));
    if (change->forgotten > 0)
        printf("%s: %llu past %s no longer kept (limits.history)\n", list,
               (unsigned long long)change->forgotten, noun(change->forgotten, "entry is", "entries are"));
}

/* Fills properties from the options, over what they were. */
static int read_properties(const struct invocation *invocation, struct list_properties *properties,
                           struct diag *diag)
{
    const char *action = option_text(invocation, OPTION_ACTION, NULL);
    const char *source = option_text(invocation, OPTION_SOURCE, properties->source);
    uint64_t distance = 0;
    int result = option_number(invocation, OPTION_MAX_DISTANCE, 0, properties->max_distance,
                               LIST_DISTANCE_MAX, &distance, diag);

    if (result != 0)
        return result;
    if (action != NULL && !list_action_parse(action, &properties->action))
        return diag_fail(diag, -EINVAL, "--action %s: must be report, block, allow or observe", action);
    if (source != properties->source && !text_copy(properties->source, sizeof properties->source, source))
        return diag_fail(diag, -EINVAL, "--source: at most %d bytes", LIST_SOURCE_MAX);
    properties->max_distance = (unsigned int)distance;
    return 0;
}

static bool same_properties(const struct list_properties *a, const struct list_properties *b)
{
    return a->action == b->action && a->max_distance == b->max_distance && strcmp(a->source, b->source) == 0;
}

/* What the list shall be: from the options, over what it is when it exists. */
static int decide_properties(const struct invocation *invocation, struct list_store *store,
                             struct list_properties *properties, struct diag *diag)
{
    const char *name = invocation->operands[0];
    struct list_info info;
    int found = list_store_get(store, name, &info, diag);

    if (found != 0 && found != LIST_STORE_NOT_FOUND)
        return found;
    if (found == LIST_STORE_NOT_FOUND) {
        if (!option_given(invocation, OPTION_ACTION))
            return diag_fail(diag, -EINVAL, "--action is needed: report, block, allow or observe");
        memset(&info, 0, sizeof info);
        info.properties.max_distance = LIST_DISTANCE_DEFAULT;
        if (!text_copy(info.properties.name, sizeof info.properties.name, name))
            return diag_fail(diag, -EINVAL, "the name of a list has at most %d bytes", LIST_NAME_MAX);
    }
    *properties = info.properties;
    int result = read_properties(invocation, properties, diag);
    if (result == 0 && found == 0 && !same_properties(properties, &info.properties) &&
        !option_given(invocation, OPTION_UPDATE))
        return diag_fail(
            diag, -EEXIST,
            "list %s exists with action %s, max-distance %u, source \"%s\"; add --update to change it", name,
            list_action_name(info.properties.action), info.properties.max_distance, info.properties.source);
    return result;
}

int command_list_create(const struct invocation *invocation)
{
    struct local local = {.config = NULL};
    struct list_properties properties;
    struct list_change change;
    struct diag diag = {""};
    int result = local_open_lists(invocation, true, &local, &diag);

    if (result == 0)
        result = decide_properties(invocation, local.list_store, &properties, &diag);
    if (result == 0)
        result = list_store_put(local.list_store, &properties, local.who, &change, &diag);
    if (result == 0)
        printf("%s: action %s, max-distance %u; lists_version %llu\n", properties.name,
               list_action_name(properties.action), properties.max_distance,
               (unsigned long long)change.lists_version);
    else
        say("%s", diag.text);
    local_close(&local);
    return result == 0 ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}

static int print_row(void *context, const struct list_entry *entry)
{
    char row[LIST_CSV_ROW_MAX];
    const struct list_info *info = context;
    size_t size = list_csv_format_row(entry, info->views > 0, row, sizeof row);

    if (size == 0) {
        say("the list was given its first views meanwhile; try again");
        return -EAGAIN;
    }
    return fwrite(row, 1, size, stdout) == size ? 0 : -EIO;
}

int command_list_export(const struct invocation *invocation)
{
    struct local local = {.config = NULL};
    struct list_info info;
    char header[LIST_CSV_ROW_MAX] = "";
    struct diag diag = {""};
    const char *name = invocation->operands[0];
    int result = local_open_lists(invocation, false, &local, &diag);

    if (result == 0)
        result = list_store_get(local.list_store, name, &info, &diag);
    if (result == 0) {
        size_t size = list_csv_format_header(info.views > 0, header, sizeof header);
        fwrite(header, 1, size, stdout);
        result = list_store_each_entry(local.list_store, name, print_row, &info, &diag);
    }
    if (result != 0)
        list_say_failure(name, result, &diag);
    local_close(&local);
    return result == 0 ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}

static int add_list_row(void *context, const struct list_info *info)
{
    char updated[CLOCK_RFC3339_SIZE];

    clock_format_rfc3339(info->updated_us, updated);
    table_add(context, "%s", info->properties.name);
    table_add(context, "%s", list_action_name(info->properties.action));
    table_add(context, "%llu", (unsigned long long)info->entries);
    for (int kind = 0; kind < HASH_KIND_COUNT; kind++)
        table_add(context, "%llu", (unsigned long long)info->kinds[kind]);
    table_add(context, "%llu", (unsigned long long)info->views);
    table_add(context, "%llu", (unsigned long long)info->exempt);
    table_add(context, "%llu", (unsigned long long)info->set_aside);
    table_add(context, "%u", info->properties.max_distance);
    table_add(context, "%.19sZ", updated);
    table_add(context, "%s", info->properties.source);
    return 0;
}

int command_list_show(const struct invocation *invocation)
{
    static const char *const headings[] = {"list",          "action",  ">entries", ">md5",    ">sha1",
                                           ">sha256",       ">pdq",    ">views",   ">exempt", ">aside",
                                           ">max-distance", "updated", "source"};
    struct local local = {.config = NULL};
    struct table *table = NULL;
    struct list_info info;
    struct diag diag = {""};
    const char *name = invocation->operand_count > 0 ? invocation->operands[0] : NULL;
    int result = local_open_lists(invocation, false, &local, &diag);

    if (result == 0 && table_create(headings, sizeof headings / sizeof headings[0], &table) != 0)
        result = diag_fail(&diag, -ENOMEM, "no memory");
    if (result == 0 && name != NULL) {
        result = list_store_get(local.list_store, name, &info, &diag);
        if (result == 0)
            result = add_list_row(table, &info);
    } else if (result == 0) {
        result = list_store_each(local.list_store, add_list_row, table, &diag);
    }
    if (result == 0 && table_print(table) != 0)
        result = diag_fail(&diag, -ENOMEM, "no memory");
    if (result != 0)
        list_say_failure(name != NULL ? name : "NAME", result, &diag);
    table_free(table);
    local_close(&local);
    return result == 0 ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}

/* Asks the person at the terminal to type the list's name. */
static bool is_confirmed(const struct invocation *invocation, const struct list_info *info)
{
    char line[LIST_NAME_MAX + 2] = "";

    if (option_given(invocation, OPTION_YES))
        return true;
    if (isatty(STDIN_FILENO) != 1) {
        say("removing a whole list needs --yes when nobody can be asked");
        return false;
    }
    fprintf(stderr, "List %s has %llu %s. Type its name to remove it: ", info->properties.name,
            (unsigned long long)info->entries, noun(info->entries, "entry", "entries"));
    if (fgets(line, sizeof line, stdin) != NULL)
        line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, info->properties.name) == 0)
        return true;
    say("not removed");
    return false;
}

static int remove_entries(const struct invocation *invocation, const struct local *local,
                          struct list_change *change, struct diag *diag)
{
    struct list_draft *draft = NULL;
    int result = list_draft_begin(local->list_store, invocation->operands[0], LIST_MERGE, &draft, diag);

    if (result != 0)
        return result;
    for (size_t i = 1; result == 0 && i < invocation->operand_count; i++)
        result = list_draft_remove(draft, invocation->operands[i], diag);
    if (result != 0) {
        list_draft_abandon(draft);
        return result;
    }
    return list_draft_commit(draft, local->who, "entries", change, diag);
}

int command_list_remove(const struct invocation *invocation)
{
    const char *name = invocation->operands[0];
    struct local local = {.config = NULL};
    struct list_info info;
    struct list_change change;
    struct diag diag = {""};
    int status = EXIT_STATUS_ERROR;
    bool whole = invocation->operand_count == 1;
    int result = local_open_lists(invocation, false, &local, &diag);

    if (result == 0)
        result = list_store_get(local.list_store, name, &info, &diag);
    if (result == 0 && whole && !is_confirmed(invocation, &info))
        goto out;
    if (result == 0)
        result = whole ? list_store_delete(local.list_store, name, local.who, &change, &diag)
                       : remove_entries(invocation, &local, &change, &diag);
    if (result == 0) {
        list_print_change(name, &change);
        status = EXIT_STATUS_OK;
    } else {
        say("%s", diag.text);
    }
out:
    local_close(&local);
    return status;
}
