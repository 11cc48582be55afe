#include "prescreen/base/vocabulary.h"

#include "answers.h"
#include "output.h"

#include <stdio.h>
#include <string.h>

struct verdicts {
    bool human;
    int status; /* of the strictest verdict so far */
    bool unreadable;
};

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text != NULL ? text : "";
}

static void print_reasons(const json_t *answer)
{
    const json_t *reasons = json_object_get(answer, "reasons");

    for (size_t i = 0; i < json_array_size(reasons); i++)
        printf("%s%s", i == 0 ? "  " : ", ", json_string_value(json_array_get(reasons, i)));
}

static void print_match(const json_t *match)
{
    char entry[512];
    bool derived = strcmp(text_of(match, "view"), "main") != 0;

    printf("        list %s, entry %s: %s", text_of(match, "list"),
           printable(text_of(match, "entry_id"), entry, sizeof entry), text_of(match, "kind"));
    if (strcmp(text_of(match, "kind"), "pdq") == 0)
        printf(" at distance %lld, %s%s%s", (long long)json_integer_value(json_object_get(match, "distance")),
               text_of(match, "orientation"), derived ? ", view " : "",
               derived ? text_of(match, "view") : "");
    printf(" (%s)\n", text_of(match, "action"));
}

static void print_for_people(const char *file, const json_t *answer)
{
    char name[512];
    const json_t *media = json_object_get(answer, "media");
    const json_t *matches = json_object_get(answer, "matches");

    printf("%-6s  %s", text_of(answer, "verdict"), printable(file, name, sizeof name));
    if (json_integer_value(json_object_get(media, "width")) > 0)
        printf("  %s %lldx%lld", text_of(media, "format"),
               (long long)json_integer_value(json_object_get(media, "width")),
               (long long)json_integer_value(json_object_get(media, "height")));
    print_reasons(answer);
    printf("%s\n", json_is_false(json_object_get(answer, "complete")) ? "  (incomplete)" : "");
    for (size_t i = 0; i < json_array_size(matches); i++)
        print_match(json_array_get(matches, i));
}

static void take_verdict(void *context, const char *file, const json_t *answer)
{
    static const int statuses[VERDICT_COUNT] = {EXIT_STATUS_OK, EXIT_STATUS_BLOCK, EXIT_STATUS_REPORT};
    struct verdicts *verdicts = context;
    enum verdict verdict = VERDICT_ALLOW;

    if (!verdict_parse(text_of(answer, "verdict"), &verdict)) {
        say("%s: the answer has no verdict", file);
        verdicts->unreadable = true;
        return;
    }
    if (statuses[verdict] > verdicts->status)
        verdicts->status = statuses[verdict];
    if (verdicts->human)
        print_for_people(file, answer);
    else
        answer_print_json(answer);
}

int command_screen(const struct invocation *invocation)
{
    struct verdicts verdicts = {.human = option_given(invocation, OPTION_HUMAN)};
    int result = answers_ask(invocation, QUESTION_SCREEN, take_verdict, &verdicts);
    bool failed = result != 0 || verdicts.unreadable;

    /* What could not be screened is never an allow, but does not hide a stricter verdict either. */
    return verdicts.status == EXIT_STATUS_OK && failed ? EXIT_STATUS_ERROR : verdicts.status;
}
