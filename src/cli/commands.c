#include "prescreen/cli/cli.h"

#include "command.h"
#include "output.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACE  (OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_DATA_DIR))
#define REMOTE (OPTION_BIT(OPTION_URL) | OPTION_BIT(OPTION_KEY_FILE))

/* Commands of one group stand together. */
const struct command command_rows[] = {
    {.name = "serve",
     .operands = "[OPTION… of prescreend]",
     .summary = "runs the daemon (prescreend) in the foreground",
     .details = "Everything is handed on to prescreend as it stands; prescreend --help lists what it takes.",
     .operands_max = SIZE_MAX,
     .passes_on = true,
     .run = command_serve},
    {.name = "check",
     .operands = "",
     .summary = "checks configuration, lists and sandbox; changes nothing",
     .details =
         "Prints one line for each part. The exit status is 0 when all are in order, else 1.\n"
         "With --ready it asks the running daemon instead, at the address of the configuration or --url.",
     .options = PLACE | OPTION_BIT(OPTION_READY) | OPTION_BIT(OPTION_URL),
     .run = command_check},
    {.name = "screen",
     .operands = "FILE…",
     .summary = "screens pictures: one verdict a line",
     .details =
         "FILE may be - for standard input. Each line is the answer of POST /v1/screen with the member\n"
         "\"file\" before it. Without --url the pictures go through the same sandboxed decoder and the same\n"
         "lists in place; such a trial is not recorded. The key for --url is read from --key-file or from\n"
         "PRESCREEN_KEY.\n"
         "Exit status: 4 one is to be reported, else 3 one is blocked, else 1 one could not be screened, "
         "else 0.",
     .options =
         PLACE | REMOTE | OPTION_BIT(OPTION_PROFILE) | OPTION_BIT(OPTION_AUDIENCE) | OPTION_BIT(OPTION_HUMAN),
     .operands_min = 1,
     .operands_max = SIZE_MAX,
     .run = command_screen},
    {.name = "hash",
     .operands = "FILE…",
     .summary = "hashes pictures: one JSON a line",
     .details = "FILE may be - for standard input. Each line is the answer of POST /v1/hash with the member "
                "\"file\"\n"
                "before it; with --url the key needs the right detail.",
     .options = PLACE | REMOTE,
     .operands_min = 1,
     .operands_max = SIZE_MAX,
     .run = command_hash},
    {.group = "list",
     .name = "create",
     .operands = "NAME",
     .summary = "makes an empty list; --action is needed",
     .details = "A list that exists already as asked for is left as it is; to change one, add --update.",
     .options = PLACE | OPTION_BIT(OPTION_ACTION) | OPTION_BIT(OPTION_SOURCE) |
                OPTION_BIT(OPTION_MAX_DISTANCE) | OPTION_BIT(OPTION_UPDATE),
     .operands_min = 1,
     .operands_max = 1,
     .run = command_list_create},
    {.group = "list",
     .name = "import",
     .operands = "NAME FILE…",
     .summary = "takes entries from files, all or none",
     .details =
         "FILE may be - for standard input. csv: a header line with any of entry_id, md5, sha1, sha256, "
         "pdq,\n"
         "pdq_quality, classification, note, or the columns that the configuration names. lines: one hash a\n"
         "line. vics: Project VIC JSON. ncmec: Hash Sharing v2 XML. stopncii: StopNCII JSON. hma: lists of\n"
         "HMA and ThreatExchange. Several files, such as all pages of a query, are one change. A bad record\n"
         "refuses everything and names its place. A running daemon takes the change in with its next\n"
         "screening.",
     .options = PLACE | OPTION_BIT(OPTION_FORMAT) | OPTION_BIT(OPTION_MODE) | OPTION_BIT(OPTION_SKIP_BAD) |
                OPTION_BIT(OPTION_DRY_RUN) | OPTION_BIT(OPTION_SIGNATURE),
     .operands_min = 2,
     .operands_max = SIZE_MAX,
     .run = command_list_import},
    {.group = "list",
     .name = "export",
     .operands = "NAME",
     .summary = "prints a list as CSV that import takes back",
     .options = PLACE,
     .operands_min = 1,
     .operands_max = 1,
     .run = command_list_export},
    {.group = "list",
     .name = "show",
     .operands = "[NAME]",
     .summary = "prints the lists, or everything about one",
     .options = PLACE,
     .operands_max = 1,
     .run = command_list_show},
    {.group = "list",
     .name = "history",
     .operands = "NAME",
     .summary = "prints every change of a list: who, what, when, how many",
     .details = "kept says whether the entries of a version are still known (limits.history).",
     .options = PLACE,
     .operands_min = 1,
     .operands_max = 1,
     .run = command_list_history},
    {.group = "list",
     .name = "diff",
     .operands = "NAME [FROM [TO]]",
     .summary = "prints the entries that differ between two versions",
     .details =
         "+ added, ~ changed, - removed. FROM is the version before the last change when it is not given,\n"
         "TO the one in force.",
     .options = PLACE,
     .operands_min = 1,
     .operands_max = 3,
     .run = command_list_diff},
    {.group = "list",
     .name = "revert",
     .operands = "NAME",
     .summary = "goes back to the entries of an earlier version; --to is needed",
     .details =
         "It is a change like any other, and can itself be reverted. Action and other properties stay.",
     .options = PLACE | OPTION_BIT(OPTION_TO),
     .operands_min = 1,
     .operands_max = 1,
     .run = command_list_revert},
    {.group = "list",
     .name = "exempt",
     .operands = "NAME [ENTRY_ID…]",
     .summary = "exempts entries after a false positive, or prints those that are exempt",
     .details =
         "An exempt entry stays on the list, through imports too; its matches are recorded and shown and "
         "change\n"
         "no verdict. --note must say why. It holds for the picture that the entry is now: when its hashes\n"
         "become those of another, the exemption lapses, and is shown as lapsed. --lift ends it.",
     .options = PLACE | OPTION_BIT(OPTION_NOTE) | OPTION_BIT(OPTION_LIFT),
     .operands_min = 1,
     .operands_max = SIZE_MAX,
     .run = command_list_exempt},
    {.group = "list",
     .name = "aside",
     .operands = "NAME [ENTRY_ID…]",
     .summary = "sets entries aside for review, or prints those that are",
     .details =
         "The matches of an entry that is set aside ask at most for block. The flood guard sets entries "
         "aside\n"
         "that suddenly match far above their history (limits.flood_…). After review, --lift releases an "
         "entry\n"
         "that is right: the flood guard leaves it alone from then on. Exempt or remove one that is wrong.",
     .options = PLACE | OPTION_BIT(OPTION_NOTE) | OPTION_BIT(OPTION_LIFT),
     .operands_min = 1,
     .operands_max = SIZE_MAX,
     .run = command_list_aside},
    {.group = "list",
     .name = "remove",
     .operands = "NAME [ENTRY_ID…]",
     .summary = "removes a list, or entries of it",
     .details = "Removing a whole list asks first, or needs --yes. What was on a list stays known to earlier "
                "records.",
     .options = PLACE | OPTION_BIT(OPTION_YES),
     .operands_min = 1,
     .operands_max = SIZE_MAX,
     .run = command_list_remove},
    {.group = "list",
     .name = "add",
     .operands = "NAME FILE…",
     .summary = "enrols pictures of one's own, all or none",
     .details =
         "Each picture is hashed by the sandboxed decoder; the list keeps its digests, and its PDQ when the\n"
         "picture has enough to tell. The picture itself is not kept.",
     .options = PLACE | OPTION_BIT(OPTION_ENTRY_ID) | OPTION_BIT(OPTION_CLASSIFICATION),
     .operands_min = 2,
     .operands_max = SIZE_MAX,
     .run = command_list_add},
    {.group = "bench",
     .name = "decode",
     .operands = "FILE…",
     .summary = "times decoding and PDQ beside the bare codec and the reference algorithm",
     .options = PLACE,
     .operands_min = 1,
     .operands_max = 1000,
     .run = command_bench_decode},
    {.group = "bench",
     .name = "index",
     .operands = "[FILE]",
     .summary = "times near lookups beside a plain scan of the same hashes",
     .details =
         "FILE holds PDQ hashes of pictures, one a line: a list of entries around them is measured too.",
     .options = OPTION_BIT(OPTION_ENTRIES) | OPTION_BIT(OPTION_RADIUS),
     .operands_max = 1,
     .run = command_bench_index},
    {.group = "bench",
     .name = "serve",
     .operands = "FILE",
     .summary = "drives a daemon on this machine with one picture",
     .details =
         "The address must be a loopback or unix one: load is never sent to another machine. Each "
         "request sends\n"
         "other bytes (the picture, and white space behind it), unless --same is given. --change is for a\n"
         "list that exists for nothing else: what it adds is left on it.",
     .options = PLACE | REMOTE | OPTION_BIT(OPTION_CLIENTS) | OPTION_BIT(OPTION_REQUESTS) |
                OPTION_BIT(OPTION_SAME) | OPTION_BIT(OPTION_CHANGE) | OPTION_BIT(OPTION_RATE),
     .operands_min = 1,
     .operands_max = 1,
     .run = command_bench_serve},
};
const size_t command_count = sizeof command_rows / sizeof command_rows[0];

static bool is_group(const char *word)
{
    for (size_t i = 0; i < command_count; i++) {
        if (command_rows[i].group != NULL && strcmp(command_rows[i].group, word) == 0)
            return true;
    }
    return false;
}

static const struct command *find_command(const char *group, const char *name)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &command_rows[i];
        bool same_group = group == NULL ? command->group == NULL
                                        : command->group != NULL && strcmp(command->group, group) == 0;
        if (same_group && strcmp(command->name, name) == 0)
            return command;
    }
    return NULL;
}

static int run_command(const struct command *command, int count, char *const words[])
{
    struct invocation invocation;
    struct diag diag = {""};
    int status = EXIT_STATUS_OK;

    if (invocation_parse(command, count, words, &invocation, &diag) != 0) {
        say("%s%s%s: %s; --help tells more", command->group != NULL ? command->group : "",
            command->group != NULL ? " " : "", command->name, diag.text);
        return EXIT_STATUS_ERROR;
    }
    if (option_given(&invocation, OPTION_HELP))
        help_print_command(command);
    else
        status = command->run(&invocation);
    free(invocation.operands);
    return status;
}

static bool asks_for_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static int dispatch(int argc, char *const argv[])
{
    const char *group = argc > 1 && is_group(argv[1]) ? argv[1] : NULL;
    int at = group != NULL ? 2 : 1;

    if (at >= argc) {
        say("no command; prescreen %s%s--help lists them", group != NULL ? group : "",
            group != NULL ? " " : "");
        return EXIT_STATUS_ERROR;
    }
    if (asks_for_help(argv[at])) {
        if (group != NULL)
            help_print_group(group);
        else
            help_print_all();
        return EXIT_STATUS_OK;
    }
    if (group == NULL && strcmp(argv[at], "--version") == 0) {
        printf("prescreen %s\n", PRESCREEN_VERSION);
        return EXIT_STATUS_OK;
    }
    const struct command *command = find_command(group, argv[at]);
    if (command == NULL) {
        say("unknown %s %s; prescreen %s%s--help lists what there is",
            argv[at][0] == '-' ? "option" : "command", argv[at], group != NULL ? group : "",
            group != NULL ? " " : "");
        return EXIT_STATUS_ERROR;
    }
    return run_command(command, argc - at - 1, argv + at + 1);
}

int cli_run(int argc, char *const argv[])
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    /* A reader of our output or a peer that leaves shows as a failed write, which is then told. */
    sigaction(SIGPIPE, &ignore, NULL);
    int status = dispatch(argc, argv);
    int written = output_finish();
    if (written == 0)
        return status;
    say("not all output could be written: %s", strerror(-written));
    return EXIT_STATUS_ERROR;
}
