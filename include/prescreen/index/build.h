/* How an index is built: with which instructions, and with how much regard for whatever else goes on. */
#ifndef PRESCREEN_INDEX_BUILD_H
#define PRESCREEN_INDEX_BUILD_H

#include "prescreen/base/cpu.h"

#include <stddef.h>

/* Called again and again while an index is built, about every 0.1 ms, on the thread that builds: there it may
 * give the processor away or wait. */
struct index_pace {
    void (*step)(void *context);
    void *context;
};

struct index_build {
    enum cpu_level level;          /* at most cpu_detect() */
    const struct index_pace *pace; /* borrowed while it builds; NULL: as fast as it goes */
};

enum { INDEX_PACE_ITEMS = 4096 };

/* pace may be NULL. */
static inline void index_pace_step(const struct index_pace *pace)
{
    if (pace != NULL)
        pace->step(pace->context);
}

/* For loops over hashes or entries, with the number of the one at hand. pace may be NULL. */
static inline void index_pace_at(const struct index_pace *pace, size_t number)
{
    if (number % INDEX_PACE_ITEMS == 0)
        index_pace_step(pace);
}

#endif
