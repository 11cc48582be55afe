#include "bench_lists.h"

#include "prescreen/hash/pdq.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EDGE = 64, FLAT_QUALITY_END = 25, READ_MAX = 1000000 };

/* Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static float between(uint64_t *state, float low, float high)
{
    return low + (high - low) * (float)(next_random(state) >> 40) / (float)(1 << 24);
}

static int allocate(size_t count, struct bench_seeds *seeds)
{
    seeds->hashes = calloc(count, sizeof *seeds->hashes);
    seeds->count = 0;
    return seeds->hashes == NULL ? -ENOMEM : 0;
}

int bench_seeds_random(size_t count, struct bench_seeds *seeds)
{
    uint64_t state = 1;
    int result = allocate(count, seeds);

    for (; result == 0 && seeds->count < count; seeds->count++) {
        for (int i = 0; i < 4; i++)
            seeds->hashes[seeds->count].words[i] = next_random(&state);
    }
    return result;
}

static void draw(uint64_t *state, uint8_t luma[EDGE * EDGE])
{
    const float x_slope = between(state, -0.3F, 0.3F);
    const float y_slope = between(state, -0.3F, 0.3F);
    const float x_centre = between(state, 0, EDGE);
    const float y_centre = between(state, 0, EDGE);
    const float radius = between(state, 4, EDGE / 2.0F);
    const float depth = between(state, 6, 40);
    const float softness = between(state, 1, 4);

    for (size_t y = 0; y < EDGE; y++) {
        for (size_t x = 0; x < EDGE; x++) {
            float away = hypotf((float)x - x_centre, (float)y - y_centre);
            float inside = fminf(fmaxf((radius - away) / softness, 0), 1);
            luma[y * EDGE + x] = (uint8_t)lrintf(128 + x_slope * ((float)x - EDGE / 2.0F) +
                                                 y_slope * ((float)y - EDGE / 2.0F) + depth * inside);
        }
    }
}

static int hash_luma(const uint8_t luma[EDGE * EDGE], struct pdq_result *result)
{
    const struct picture_shape shape = {.width = EDGE, .height = EDGE, .layout = PIXEL_GRAY};
    struct pdq_stream *stream = NULL;
    int outcome = pdq_stream_create(&shape, PDQ_OVER_WHITE, cpu_choose(), &stream);

    if (outcome < 0)
        return outcome;
    for (size_t y = 0; y < EDGE; y++)
        pdq_stream_add_row(stream, luma + y * EDGE);
    pdq_stream_finish(stream, result);
    pdq_stream_free(stream);
    return 0;
}

int bench_seeds_flat(size_t count, struct bench_seeds *seeds)
{
    uint8_t luma[EDGE * EDGE];
    struct pdq_result drawn;
    uint64_t state = 1;
    int result = allocate(count, seeds);

    while (result == 0 && seeds->count < count) {
        draw(&state, luma);
        result = hash_luma(luma, &drawn);
        if (result == 0 && drawn.quality < FLAT_QUALITY_END)
            seeds->hashes[seeds->count++] = drawn.hashes[0];
    }
    return result;
}

static int read_lines(FILE *file, const char *path, struct bench_seeds *seeds, struct diag *diag)
{
    char line[256];

    while (seeds->count < READ_MAX && fgets(line, sizeof line, file) != NULL) {
        if (!pdq_from_hex(line, strcspn(line, "\r\n"), &seeds->hashes[seeds->count]))
            return diag_fail(diag, -EINVAL, "%s:%zu: must be the 64 hexadecimal digits of a PDQ", path,
                             seeds->count + 1);
        seeds->count++;
    }
    return seeds->count > 0 ? 0 : diag_fail(diag, -EINVAL, "%s: has no hashes", path);
}

int bench_seeds_read(const char *path, struct bench_seeds *seeds, struct diag *diag)
{
    FILE *file = fopen(path, "re");
    int result;

    if (file == NULL)
        return diag_fail(diag, -errno, "%s: %s", path, strerror(errno));
    result = allocate(READ_MAX, seeds);
    if (result == 0)
        result = read_lines(file, path, seeds, diag);
    (void)fclose(file);
    return result;
}
