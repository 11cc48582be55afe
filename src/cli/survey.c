#include "survey.h"

#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add_list(void *context, const struct list_info *info)
{
    struct survey *survey = context;
    struct list_info *lists = realloc(survey->lists, (survey->count + 1) * sizeof *lists);

    if (lists == NULL)
        return -ENOMEM;
    survey->lists = lists;
    survey->lists[survey->count++] = *info;
    return 0;
}

static int ignore_removed(void *context, uint64_t row)
{
    (void)context;
    (void)row;
    return 0;
}

/* Moves survey->last to the list of this number; entries of one list mostly stand together. */
static bool find_list(struct survey *survey, uint32_t number)
{
    for (size_t i = 0; i < survey->count; i++) {
        size_t at = (survey->last + i) % survey->count;
        if (survey->lists[at].number == number) {
            survey->last = at;
            return true;
        }
    }
    return false;
}

static int count_entry(void *context, uint64_t row, uint32_t list, const struct known_hashes *hashes)
{
    struct survey *survey = context;

    (void)row;
    if (survey->found == NULL && survey->count > 0) {
        survey->found = calloc(survey->count, sizeof *survey->found);
        if (survey->found == NULL)
            return -ENOMEM;
    }
    survey->entries++;
    if (!find_list(survey, list)) {
        survey->stray++;
        return 0;
    }
    struct list_info *found = &survey->found[survey->last];
    found->entries++;
    for (int kind = 0; kind < HASH_KIND_COUNT; kind++)
        found->kinds[kind] += (hashes->kinds & HASH_BIT(kind)) != 0;
    return 0;
}

static int judge(const struct survey *survey, struct diag *diag)
{
    static const struct list_info none = {.entries = 0};

    if (survey->stray > 0)
        return diag_fail(diag, -EUCLEAN, "%llu %s to no list", (unsigned long long)survey->stray,
                         noun(survey->stray, "entry belongs", "entries belong"));
    for (size_t i = 0; i < survey->count; i++) {
        const struct list_info *info = &survey->lists[i];
        const struct list_info *found = survey->found != NULL ? &survey->found[i] : &none;
        if (info->entries != found->entries || memcmp(info->kinds, found->kinds, sizeof info->kinds) != 0)
            return diag_fail(diag, -EUCLEAN,
                             "list %s says that it has %llu %s, but %llu %s there; import it again",
                             info->properties.name, (unsigned long long)info->entries,
                             noun(info->entries, "entry", "entries"), (unsigned long long)found->entries,
                             noun(found->entries, "is", "are"));
    }
    return 0;
}

int survey_read(struct list_store *store, struct survey *survey, struct diag *diag)
{
    struct list_follower follower = {
        .context = survey, .on_list = add_list, .on_removed = ignore_removed, .on_added = count_entry};
    int result = list_store_follow(store, 0, &follower, &survey->lists_version, diag);

    return result == 0 ? judge(survey, diag) : result;
}

void survey_clear(struct survey *survey)
{
    free(survey->lists);
    free(survey->found);
    *survey = (struct survey){.lists = NULL};
}
