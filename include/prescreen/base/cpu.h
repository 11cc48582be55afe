/* Which instruction set the fast paths may use: found once at start, or forced for tests. */
#ifndef PRESCREEN_BASE_CPU_H
#define PRESCREEN_BASE_CPU_H

#include <stdbool.h>

enum cpu_level {
    CPU_PLAIN,  /* what the compiler's baseline gives */
    CPU_AVX2,   /* x86-64 with AVX2, FMA, POPCNT, BMI2 */
    CPU_AVX512, /* also AVX-512 F, BW, DQ, VL, VPOPCNTDQ */
    CPU_LEVEL_COUNT
};

/* The highest level of this machine that the operating system lets a program use. */
enum cpu_level cpu_detect(void);

/* The level to use: PRESCREEN_CPU ("plain", "avx2", "avx512") when set, known and not above cpu_detect();
 * else cpu_detect(). */
enum cpu_level cpu_choose(void);

/* "plain", "avx2", "avx512". */
const char *cpu_level_name(enum cpu_level level);

/* Reads a name. Returns false, output untouched, on any other text. */
bool cpu_level_parse(const char *name, enum cpu_level *level);

#endif
