#include "command.h"

#include <stdio.h>
#include <string.h>

static const char *group_summary(const char *group)
{
    return strcmp(group, "list") == 0 ? "keeps the lists: create, import, export, show, remove, add"
                                      : "measures: decode, index, serve";
}

static void print_call(const struct command *command)
{
    bool grouped = command->group != NULL;

    printf("usage: prescreen %s%s%s%s%s%s\n", grouped ? command->group : "", grouped ? " " : "",
           command->name, command->options != 0 ? " [OPTION…]" : "", command->operands[0] != '\0' ? " " : "",
           command->operands);
}

static void print_option(enum option_id option)
{
    const struct option_row *row = &option_rows[option];
    char left[40];

    snprintf(left, sizeof left, "--%s%s%s", row->name, row->value != NULL ? " " : "",
             row->value != NULL ? row->value : "");
    printf("  %-22s %s\n", left, row->help);
}

void help_print_command(const struct command *command)
{
    print_call(command);
    printf("\n%s\n", command->summary);
    if (command->details != NULL)
        printf("\n%s\n", command->details);
    printf("\n");
    for (int option = 1; option < OPTION_COUNT; option++) {
        if ((command->options & OPTION_BIT(option)) != 0)
            print_option((enum option_id)option);
    }
    print_option(OPTION_HELP);
}

void help_print_group(const char *group)
{
    printf("usage: prescreen %s COMMAND …\n\n", group);
    for (size_t i = 0; i < command_count; i++) {
        if (command_rows[i].group != NULL && strcmp(command_rows[i].group, group) == 0)
            printf("  %-8s %s\n", command_rows[i].name, command_rows[i].summary);
    }
    printf("\nprescreen %s COMMAND --help tells more.\n", group);
}

void help_print_all(void)
{
    const char *last_group = "";

    printf("prescreen screens pictures against lists of hashes of known illegal material.\n\n"
           "usage: prescreen COMMAND …\n\n");
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &command_rows[i];
        if (command->group == NULL)
            printf("  %-8s %s\n", command->name, command->summary);
        else if (strcmp(command->group, last_group) != 0)
            printf("  %-8s %s\n", command->group, group_summary(command->group));
        last_group = command->group != NULL ? command->group : "";
    }
    printf("\nprescreen COMMAND --help tells more; prescreen --version prints the version.\n");
}
