/* A command as a row of a table, and one call of it as typed on the command line. */
#ifndef PRESCREEN_CLI_COMMAND_SOURCE_H
#define PRESCREEN_CLI_COMMAND_SOURCE_H

#include "prescreen/base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses; of several files the highest one counts. */
enum { EXIT_STATUS_OK = 0, EXIT_STATUS_ERROR = 1, EXIT_STATUS_BLOCK = 3, EXIT_STATUS_REPORT = 4 };

/* Every option that any command has; each means the same everywhere. */
enum option_id {
    OPTION_HELP,
    OPTION_CONFIG,
    OPTION_DATA_DIR,
    OPTION_URL,
    OPTION_KEY_FILE,
    OPTION_PROFILE,
    OPTION_AUDIENCE,
    OPTION_HUMAN,
    OPTION_READY,
    OPTION_ACTION,
    OPTION_SOURCE,
    OPTION_MAX_DISTANCE,
    OPTION_UPDATE,
    OPTION_FORMAT,
    OPTION_MODE,
    OPTION_SKIP_BAD,
    OPTION_DRY_RUN,
    OPTION_SIGNATURE,
    OPTION_TO,
    OPTION_NOTE,
    OPTION_LIFT,
    OPTION_YES,
    OPTION_ENTRY_ID,
    OPTION_CLASSIFICATION,
    OPTION_ENTRIES,
    OPTION_RADIUS,
    OPTION_CLIENTS,
    OPTION_REQUESTS,
    OPTION_SAME,
    OPTION_CHANGE,
    OPTION_RATE,
    OPTION_COUNT
};
#define OPTION_BIT(option) (1u << (unsigned int)(option))

/* One option as help shows it. */
struct option_row {
    const char *name;  /* without the dashes */
    const char *value; /* what stands after it in help; NULL: a flag */
    const char *help;
};

struct invocation;

struct command {
    const char *group;    /* first word when the command has two, else NULL */
    const char *name;     /* its last word */
    const char *operands; /* as help shows them */
    const char *summary;  /* one line */
    const char *details;  /* more lines for its own help, or NULL */
    unsigned int options; /* set of OPTION_BIT; OPTION_HELP is always in */
    size_t operands_min;
    size_t operands_max;
    bool passes_on; /* hands its words on unread */
    int (*run)(const struct invocation *invocation);
};

/* One call of a command. Everything is borrowed from argv and the table. */
struct invocation {
    const struct command *command;
    const char *values[OPTION_COUNT]; /* NULL = not given; "" for a flag */
    const char **operands;            /* owned; ended by NULL */
    size_t operand_count;
};

extern const struct option_row option_rows[OPTION_COUNT];
extern const struct command command_rows[];
extern const size_t command_count;

/* Reads the words after the command's own. Errors: -EINVAL with diag naming the word and the way out;
 * -ENOMEM. Ownership: invocation->operands is the caller's to free() on 0 alone. */
int invocation_parse(const struct command *command, int count, char *const words[],
                     struct invocation *invocation, struct diag *diag);

bool option_given(const struct invocation *invocation, enum option_id option);

/* The option's text, or standard when it was not given. */
const char *option_text(const struct invocation *invocation, enum option_id option, const char *standard);

/* The option's number, or standard when it was not given. Errors: -EINVAL with diag for anything but a number
 * from minimum to maximum. */
int option_number(const struct invocation *invocation, enum option_id option, uint64_t minimum,
                  uint64_t standard, uint64_t maximum, uint64_t *value, struct diag *diag);

/* Writes help to stdout: of everything, of one group, of one command. */
void help_print_all(void);
void help_print_group(const char *group);
void help_print_command(const struct command *command);

/* The commands, each in the file of its name. All return an exit status. */
int command_check(const struct invocation *invocation);
int command_screen(const struct invocation *invocation);
int command_hash(const struct invocation *invocation);
int command_list_create(const struct invocation *invocation);
int command_list_import(const struct invocation *invocation);
int command_list_export(const struct invocation *invocation);
int command_list_show(const struct invocation *invocation);
int command_list_remove(const struct invocation *invocation);
int command_list_history(const struct invocation *invocation);
int command_list_diff(const struct invocation *invocation);
int command_list_exempt(const struct invocation *invocation);
int command_list_aside(const struct invocation *invocation);
int command_list_revert(const struct invocation *invocation);
int command_list_add(const struct invocation *invocation);
int command_bench_decode(const struct invocation *invocation);
int command_bench_index(const struct invocation *invocation);
int command_bench_serve(const struct invocation *invocation);
/* Hands operands on to the daemon's program; returns only when that failed. */
int command_serve(const struct invocation *invocation);

#endif
