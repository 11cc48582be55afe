#include "answers.h"

static void take_hashes(void *context, const char *file, const json_t *answer)
{
    (void)context;
    (void)file;
    answer_print_json(answer);
}

int command_hash(const struct invocation *invocation)
{
    return answers_ask(invocation, QUESTION_HASH, take_hashes, NULL) == 0 ? EXIT_STATUS_OK
                                                                          : EXIT_STATUS_ERROR;
}
