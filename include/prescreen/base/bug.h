/* Invariants of our own code. Never for anything that arrives from outside. */
#ifndef PRESCREEN_BASE_BUG_H
#define PRESCREEN_BASE_BUG_H

/* Ends the process when an invariant of ours does not hold. Compiled in always. */
#define BUG_ON(condition)                                                                                    \
    do {                                                                                                     \
        if (condition)                                                                                       \
            bug_abort(__FILE__, __LINE__, #condition);                                                       \
    } while (0)

/* Writes file, line and condition to stderr and aborts. Async-signal-safe. */
_Noreturn void bug_abort(const char *file, int line, const char *condition);

#endif
