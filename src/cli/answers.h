/* One question asked of many files, in place or of a daemon; the answers come in the order of the files. */
#ifndef PRESCREEN_CLI_ANSWERS_H
#define PRESCREEN_CLI_ANSWERS_H

#include "command.h"

#include <jansson.h>

enum question { QUESTION_SCREEN, QUESTION_HASH };

/* Takes one answer: a JSON object whose first member is "file". Borrowed for the call. */
typedef void answer_sink(void *context, const char *file, const json_t *answer);

/* Asks for every operand of the invocation. What could not be answered is said on stderr with its file.
 * Returns 0 when all were answered, else a negative errno. */
int answers_ask(const struct invocation *invocation, enum question question, answer_sink *sink,
                void *context);

/* Prints an answer as one line of JSON. */
void answer_print_json(const json_t *answer);

#endif
