#include "intake.h"

#include "prescreen/base/text.h"

#include <string.h>

static const char no_class[] = "none";
static const char other[] = "other";

/* What a sink said of a record that it did not take. */
static int forward(const struct intake *intake, int outcome, struct diag *why)
{
    const struct diag *said = intake->options.entry_diag;

    if (outcome == 0)
        return 0;
    diag_set(why, "%s", said != NULL && said->text[0] != '\0' ? said->text : "the entry was refused");
    return outcome > 0 ? LIST_ENTRY_BAD : outcome;
}

/* What the class of an entry means for this list. */
static int find_meaning(const struct intake *intake, const char *class, const char *field,
                        unsigned int *meaning, struct diag *why)
{
    const struct format_row *format = format_describe(intake->options.format);
    const struct config_list *rules = intake->options.rules;
    bool has_rules = rules != NULL && rules->class_count > 0;

    *meaning = intake->options.action;
    if (intake->options.any_class || !format->has_classes || (!has_rules && !format->needs_classes))
        return 0;
    if (class[0] == '\0')
        class = no_class;
    if (has_rules && config_find_class(rules, class, meaning))
        return 0;
    return diag_fail(why, INTAKE_REFUSED,
                     "%s \"%s\" has no meaning for this list: name it in the configuration, in lists under "
                     "classes, as report, block, allow, observe or ignore",
                     field, class);
}

static int withdraw(struct intake *intake, const char *entry_id, uint64_t rank, struct diag *why)
{
    if (intake->options.on_withdrawal == NULL)
        return 0;
    return forward(intake, intake->options.on_withdrawal(intake->options.context, entry_id, rank), why);
}

int intake_take(struct intake *intake, const struct list_entry *entry, const char *field, struct diag *why)
{
    unsigned int meaning = 0;
    int outcome = find_meaning(intake, entry->classification, field, &meaning, why);

    if (outcome != 0)
        return outcome;
    if (meaning != intake->options.action) {
        outcome = withdraw(intake, entry->entry_id, entry->rank, why);
        if (outcome == 0)
            intake->tally.ignored++;
        return outcome;
    }
    outcome = forward(intake, intake->options.on_entry(intake->options.context, entry), why);
    if (outcome == 0)
        intake->tally.taken++;
    return outcome;
}

int intake_withdraw(struct intake *intake, const char *entry_id, uint64_t rank, struct diag *why)
{
    int outcome = withdraw(intake, entry_id, rank, why);

    if (outcome == 0)
        intake->tally.withdrawn++;
    return outcome;
}

/* The place of a name, or where it would go. */
static size_t find_leftover(const struct list_tally *tally, const char *name)
{
    size_t place = 0;

    while (place < tally->leftover_count && strcmp(tally->leftovers[place].name, name) != 0)
        place++;
    return place;
}

static void count_leftover(struct list_tally *tally, const char *name, uint64_t count)
{
    size_t place = find_leftover(tally, name);

    /* The last place is kept for all that find no other. */
    if (place >= LIST_LEFTOVERS_MAX - 1) {
        name = other;
        place = find_leftover(tally, name);
    }
    if (place == tally->leftover_count) {
        tally->leftover_count++;
        tally->leftovers[place].count = 0;
        (void)text_copy(tally->leftovers[place].name, sizeof tally->leftovers[place].name, name);
    }
    tally->leftovers[place].count += count;
}

void intake_leave(struct intake *intake, const char *name)
{
    count_leftover(&intake->tally, text_is_token(name, LIST_LEFTOVER_NAME_MAX) ? name : other, 1);
}

void list_tally_add(struct list_tally *sum, const struct list_tally *tally)
{
    sum->taken += tally->taken;
    sum->withdrawn += tally->withdrawn;
    sum->ignored += tally->ignored;
    sum->skipped += tally->skipped;
    sum->more = tally->more;
    for (size_t i = 0; i < tally->leftover_count; i++)
        count_leftover(sum, tally->leftovers[i].name, tally->leftovers[i].count);
}

int intake_leave_record(struct intake *intake, const char *entry_id, uint64_t rank, const char *name,
                        struct diag *why)
{
    int outcome = withdraw(intake, entry_id, rank, why);

    if (outcome == 0)
        intake_leave(intake, name);
    return outcome;
}

int intake_judge(struct intake *intake, const char *place, int outcome, const struct diag *why,
                 struct diag *diag)
{
    if (outcome == 0)
        return 0;
    if (outcome != LIST_ENTRY_BAD || !intake->options.skip_bad)
        return diag_fail(diag, outcome < 0 ? outcome : LIST_READER_BAD, "%s: %s", place, why->text);
    intake->tally.skipped++;
    if (intake->options.on_skip != NULL)
        intake->options.on_skip(intake->options.context, place, why->text);
    return 0;
}
