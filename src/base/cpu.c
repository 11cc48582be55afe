#include "prescreen/base/cpu.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[CPU_LEVEL_COUNT] = {"plain", "avx2", "avx512"};

enum cpu_level cpu_detect(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
        !__builtin_cpu_supports("popcnt") || !__builtin_cpu_supports("bmi2"))
        return CPU_PLAIN;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vpopcntdq"))
        return CPU_AVX512;
    return CPU_AVX2;
#else
    return CPU_PLAIN;
#endif
}

enum cpu_level cpu_choose(void)
{
    enum cpu_level detected = cpu_detect();
    enum cpu_level wanted = detected;
    const char *forced = getenv("PRESCREEN_CPU");

    if (forced != NULL && cpu_level_parse(forced, &wanted) && wanted < detected)
        return wanted;
    return detected;
}

const char *cpu_level_name(enum cpu_level level)
{
    return names[level];
}

bool cpu_level_parse(const char *name, enum cpu_level *level)
{
    for (int i = 0; i < CPU_LEVEL_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *level = (enum cpu_level)i;
            return true;
        }
    }
    return false;
}
