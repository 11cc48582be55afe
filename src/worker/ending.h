/* What the end of a worker means. */
#ifndef PRESCREEN_WORKER_ENDING_H
#define PRESCREEN_WORKER_ENDING_H

#include "prescreen/base/vocabulary.h"
#include "prescreen/os/spawn.h"

#include <stddef.h>

enum { ENDING_TEXT_SIZE = 128 };

/* Writes a few words for people: "killed by SIGSEGV", "sandbox step seccomp failed". */
void ending_describe(const struct spawn_ending *ending, char text[ENDING_TEXT_SIZE]);

/* The media reason of a job in the middle of which its worker ended so. */
enum reason ending_reason(const struct spawn_ending *ending);

#endif
