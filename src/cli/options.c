#include "prescreen/base/text.h"

#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct option_row option_rows[OPTION_COUNT] = {
    [OPTION_HELP] = {"help", NULL, "this help"},
    [OPTION_CONFIG] = {"config", "FILE",
                       "configuration (default /etc/prescreen/prescreen.yaml, else built in)"},
    [OPTION_DATA_DIR] = {"data-dir", "FOLDER",
                         "where the lists are (default: data_dir of the configuration)"},
    [OPTION_URL] = {"url", "URL", "ask a running daemon: http://HOST:PORT, https://HOST:PORT or unix:/PATH"},
    [OPTION_KEY_FILE] = {"key-file", "FILE", "file with the API key for --url (default: PRESCREEN_KEY)"},
    [OPTION_PROFILE] = {"profile", "NAME", "policy to apply (default: default)"},
    [OPTION_AUDIENCE] = {"audience", "BAND", "child, adult or unknown (default: unknown)"},
    [OPTION_HUMAN] = {"human", NULL, "lines for people instead of JSON"},
    [OPTION_READY] = {"ready", NULL, "ask the running daemon whether it is ready, and nothing else"},
    [OPTION_ACTION] = {"action", "ACTION", "what a match asks for: report, block, allow or observe"},
    [OPTION_SOURCE] = {"source", "TEXT", "where the list comes from"},
    [OPTION_MAX_DISTANCE] = {"max-distance", "BITS",
                             "largest distance of a near match, 0 to 64 (default 31)"},
    [OPTION_UPDATE] = {"update", NULL, "change the list when it exists already"},
    [OPTION_FORMAT] = {"format", "FORMAT", "csv, lines, vics, ncmec, stopncii or hma (default csv)"},
    [OPTION_MODE] = {"mode", "MODE",
                     "merge, or replace: what the file does not name is removed (default merge)"},
    [OPTION_SKIP_BAD] = {"skip-bad", NULL,
                         "leave bad records out, naming each, instead of refusing the file"},
    [OPTION_DRY_RUN] = {"dry-run", NULL, "tell what the file would change, and change nothing"},
    [OPTION_SIGNATURE] =
        {"signature", "FILE",
         "detached Ed25519 signature of FILE (default: FILE.sig, for a list that has a key)"},
    [OPTION_TO] = {"to", "VERSION", "version of the list to go back to"},
    [OPTION_NOTE] = {"note", "TEXT", "why; kept with it and shown"},
    [OPTION_LIFT] = {"lift", NULL, "end it"},
    [OPTION_YES] = {"yes", NULL, "do not ask"},
    [OPTION_ENTRY_ID] = {"entry-id", "ID", "name of the entry, for one FILE (default: its SHA-256)"},
    [OPTION_CLASSIFICATION] = {"classification", "TEXT", "kept with the entries and shown with a match"},
    [OPTION_ENTRIES] = {"entries", "N,N", "sizes of the index (default 1000000)"},
    [OPTION_RADIUS] = {"radius", "BITS", "radius of the lookups, 0 to 64 (default 31)"},
    [OPTION_CLIENTS] = {"clients", "N", "requests under way at once, 1 to 64 (default 4)"},
    [OPTION_REQUESTS] = {"requests", "N", "how many in all, 1 to 1000000 (default 2000)"},
    [OPTION_SAME] = {"same", NULL, "the same bytes in every request, as when a picture goes round"},
    [OPTION_CHANGE] = {"change", "LIST", "measure again while entries of this list come and go"},
    [OPTION_RATE] = {"rate", "N", "of those entries a second; 0: as many as go (default 20000)"},
};

static bool takes(const struct command *command, int option)
{
    return option == OPTION_HELP || (command->options & OPTION_BIT(option)) != 0;
}

/* The option that the first length bytes of name spell in full, or OPTION_COUNT. */
static int find_option(const struct command *command, const char *name, size_t length)
{
    for (int option = 0; option < OPTION_COUNT; option++) {
        const char *candidate = option_rows[option].name;
        if (takes(command, option) && strlen(candidate) == length && memcmp(candidate, name, length) == 0)
            return option;
    }
    return OPTION_COUNT;
}

/* Reads words[*at], an option, and moves *at past the value that it took. */
static int parse_option(int count, char *const words[], int *at, struct invocation *invocation,
                        struct diag *diag)
{
    const char *word = strcmp(words[*at], "-h") == 0 ? "--help" : words[*at];
    const char *name = word + 2;
    const char *equals = strchr(word, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(word) - 2;
    const char *value = equals != NULL ? equals + 1 : NULL;
    int option = word[1] == '-' ? find_option(invocation->command, name, length) : OPTION_COUNT;

    if (option == OPTION_COUNT)
        return diag_fail(diag, -EINVAL, "unknown option %s", word);
    if (invocation->values[option] != NULL)
        return diag_fail(diag, -EINVAL, "--%s is given twice", option_rows[option].name);
    if (option_rows[option].value == NULL) {
        if (value != NULL)
            return diag_fail(diag, -EINVAL, "--%s takes no value", option_rows[option].name);
        invocation->values[option] = "";
        return 0;
    }
    if (value == NULL && *at + 1 < count)
        value = words[++*at];
    if (value == NULL || value[0] == '\0')
        return diag_fail(diag, -EINVAL, "--%s needs a value: %s", option_rows[option].name,
                         option_rows[option].value);
    invocation->values[option] = value;
    return 0;
}

static int check_operands(const struct invocation *invocation, struct diag *diag)
{
    const struct command *command = invocation->command;

    if (option_given(invocation, OPTION_HELP))
        return 0;
    if (invocation->operand_count < command->operands_min)
        return diag_fail(diag, -EINVAL, "not enough is named; it takes: %s", command->operands);
    if (invocation->operand_count > command->operands_max)
        return diag_fail(diag, -EINVAL, "%s is one too many; it takes: %s",
                         invocation->operands[command->operands_max],
                         command->operands[0] != '\0' ? command->operands : "options only");
    return 0;
}

int invocation_parse(const struct command *command, int count, char *const words[],
                     struct invocation *invocation, struct diag *diag)
{
    struct invocation parsed = {.command = command};
    bool options_ended = command->passes_on;
    int result = 0;

    parsed.operands = calloc((size_t)count + 1, sizeof *parsed.operands);
    if (parsed.operands == NULL)
        return diag_fail(diag, -ENOMEM, "no memory");
    if (command->passes_on && count == 1 && (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0))
        options_ended = false;
    for (int at = 0; result == 0 && at < count; at++) {
        if (!options_ended && strcmp(words[at], "--") == 0)
            options_ended = true;
        else if (!options_ended && words[at][0] == '-' && words[at][1] != '\0')
            result = parse_option(count, words, &at, &parsed, diag);
        else
            parsed.operands[parsed.operand_count++] = words[at];
    }
    if (result == 0)
        result = check_operands(&parsed, diag);
    if (result != 0) {
        free(parsed.operands);
        return result;
    }
    *invocation = parsed;
    return 0;
}

bool option_given(const struct invocation *invocation, enum option_id option)
{
    return invocation->values[option] != NULL;
}

const char *option_text(const struct invocation *invocation, enum option_id option, const char *standard)
{
    return option_given(invocation, option) ? invocation->values[option] : standard;
}

int option_number(const struct invocation *invocation, enum option_id option, uint64_t minimum,
                  uint64_t standard, uint64_t maximum, uint64_t *value, struct diag *diag)
{
    uint64_t number = standard;

    if (option_given(invocation, option) &&
        (!text_parse_u64(invocation->values[option], maximum, &number) || number < minimum))
        return diag_fail(diag, -EINVAL, "--%s %s: must be a number from %llu to %llu",
                         option_rows[option].name, invocation->values[option], (unsigned long long)minimum,
                         (unsigned long long)maximum);
    *value = number;
    return 0;
}
