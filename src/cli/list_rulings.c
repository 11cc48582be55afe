/* prescreen list exempt, aside. */
#include "prescreen/base/clock.h"
#include "prescreen/store/rulings.h"

#include "command.h"
#include "list.h"
#include "local.h"
#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* What the two commands differ in. */
struct ruling_command {
    enum ruling_act makes, ends;
    enum entry_ruling shown[2];
    size_t shown_count;
    const char *states[RULING_COUNT];
};

static const struct ruling_command exempt_command = {.makes = RULING_ACT_EXEMPT,
                                                     .ends = RULING_ACT_LIFT,
                                                     .shown = {RULING_EXEMPT},
                                                     .shown_count = 1,
                                                     .states = {[RULING_EXEMPT] = "exempt"}};
static const struct ruling_command aside_command = {
    .makes = RULING_ACT_SET_ASIDE,
    .ends = RULING_ACT_RELEASE,
    .shown = {RULING_SET_ASIDE, RULING_CONFIRMED},
    .shown_count = 2,
    .states = {[RULING_SET_ASIDE] = "set aside", [RULING_CONFIRMED] = "released"}};

/* Where the rows of one listing go. */
struct listing {
    const struct ruling_command *command;
    struct table *table;
};

static int add_row(void *context, const struct entry_ruled *ruled)
{
    const struct listing *listing = context;
    char entry_id[ENTRY_ID_MAX + 1];
    char who[HISTORY_WHO_MAX + 1];
    char note[RULING_NOTE_MAX + 1];
    char at[CLOCK_RFC3339_SIZE];

    clock_format_rfc3339(ruled->at_us, at);
    table_add(listing->table, "%s", printable(ruled->entry_id, entry_id, sizeof entry_id));
    table_add(listing->table, "%s", ruled->lapsed ? "lapsed" : listing->command->states[ruled->ruling]);
    table_add(listing->table, "%s", ruled->present ? "yes" : "no");
    table_add(listing->table, "%" PRIu64, ruled->version);
    table_add(listing->table, "%.19sZ", at);
    table_add(listing->table, "%s", printable(ruled->who, who, sizeof who));
    table_add(listing->table, "%s", printable(ruled->note, note, sizeof note));
    return 0;
}

static int print_ruled(const struct ruling_command *command, struct list_store *store, const char *name,
                       struct diag *diag)
{
    static const char *const headings[] = {"entry", "state", "on-list", ">version", "when", "who", "note"};
    struct listing listing = {.command = command};
    int result = 0;

    if (table_create(headings, sizeof headings / sizeof headings[0], &listing.table) != 0)
        return diag_fail(diag, -ENOMEM, "no memory");
    for (size_t i = 0; result == 0 && i < command->shown_count; i++)
        result = list_store_each_ruled(store, name, command->shown[i], add_row, &listing, diag);
    if (result == 0 && table_print(listing.table) != 0)
        result = diag_fail(diag, -ENOMEM, "no memory");
    table_free(listing.table);
    return result;
}

static int rule(const struct ruling_command *command, const struct invocation *invocation,
                const struct local *local, struct diag *diag)
{
    const struct ruling_call call = {.list = invocation->operands[0],
                                     .act = option_given(invocation, OPTION_LIFT) ? command->ends
                                                                                  : command->makes,
                                     .entry_ids = invocation->operands + 1,
                                     .count = invocation->operand_count - 1,
                                     .who = local->who,
                                     .note = option_text(invocation, OPTION_NOTE, "")};
    struct list_change change;
    int result = list_store_rule(local->list_store, &call, &change, diag);

    if (result == 0)
        printf("%s: %llu %s changed, %llu unchanged; lists_version %llu\n", call.list,
               (unsigned long long)change.changed, noun(change.changed, "entry", "entries"),
               (unsigned long long)change.unchanged, (unsigned long long)change.lists_version);
    return result;
}

static int run(const struct ruling_command *command, const struct invocation *invocation)
{
    const char *name = invocation->operands[0];
    struct local local = {.config = NULL};
    struct list_info info;
    struct diag diag = {""};
    bool listed = invocation->operand_count == 1;
    int result = local_open_lists(invocation, false, &local, &diag);

    if (result == 0)
        result = list_store_get(local.list_store, name, &info, &diag);
    if (result != 0) {
        list_say_failure(name, result, &diag);
    } else if (listed && (option_given(invocation, OPTION_LIFT) || option_given(invocation, OPTION_NOTE))) {
        result = diag_fail(&diag, -EINVAL, "name the entries after the list");
        say("%s", diag.text);
    } else {
        result = listed ? print_ruled(command, local.list_store, name, &diag)
                        : rule(command, invocation, &local, &diag);
        if (result != 0)
            say("%s", diag.text);
    }
    local_close(&local);
    return result == 0 ? EXIT_STATUS_OK : EXIT_STATUS_ERROR;
}

int command_list_exempt(const struct invocation *invocation)
{
    return run(&exempt_command, invocation);
}

int command_list_aside(const struct invocation *invocation)
{
    return run(&aside_command, invocation);
}
