/* Hashes for tests: repeatable, random or in clusters. */
#ifndef PRESCREEN_TESTS_UNIT_RANDOM_HASHES_H
#define PRESCREEN_TESTS_UNIT_RANDOM_HASHES_H

#include "prescreen/hash/hashes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static inline size_t random_below(uint64_t *state, size_t end)
{
    return (size_t)(random_next(state) % end);
}

static inline struct pdq_hash random_hash(uint64_t *state)
{
    struct pdq_hash hash;

    for (int i = 0; i < 4; i++)
        hash.words[i] = random_next(state);
    return hash;
}

/* The hash with exactly so many bits changed. */
static inline struct pdq_hash random_neighbour(uint64_t *state, struct pdq_hash hash,
                                               unsigned int distance_bits)
{
    struct pdq_hash changed = hash;

    while (pdq_distance(&hash, &changed) < distance_bits) {
        size_t bit = random_below(state, 256);
        uint64_t mask = (uint64_t)1 << (bit % 64);
        if (((hash.words[bit / 64] ^ changed.words[bit / 64]) & mask) == 0)
            changed.words[bit / 64] ^= mask;
    }
    return changed;
}

/* The hashes of real pictures in the shared folder. Returns how many were read, 0 without the folder. */
static inline size_t read_real_hashes(struct pdq_hash *hashes, size_t capacity)
{
    const char *shared = getenv("PRESCREEN_SHARED");
    char path[512];
    char line[128];
    size_t count = 0;

    snprintf(path, sizeof path, "%s/pdq/real_hashes.txt", shared != NULL ? shared : "../shared");
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        printf("skipped: no %s\n", path);
        return 0;
    }
    while (count < capacity && fgets(line, sizeof line, file) != NULL)
        count += pdq_from_hex(line, strcspn(line, "\n"), &hashes[count]);
    fclose(file);
    return count;
}

#endif
