#include "patch.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Between a sample and its neighbours where it is flat, and within a shape of one colour. */
    FLAT_RANGE = 8,
    /* Between a shape and what is around it, on the average: shapes that were laid over a picture stand out.
     */
    STANDS_OUT = 24,
    /* Shapes are taken from one part in SMALLEST_SHARE to one in LARGEST_SHARE of the picture, and all
     * together are at most one in ALL_SHARE of it. */
    SMALLEST_SHARE = 4000,
    LARGEST_SHARE = 5,
    ALL_SHARE = 3,
    /* Samples around a shape that its soft edge has coloured. */
    EDGE_SAMPLES = 3,
    LEVELS_MAX = 10,
};

_Static_assert(SKETCH_EDGE_MAX <= 1 << (LEVELS_MAX - 1), "the last level of the pyramid is one sample");

enum { UNSEEN, SEEN, COVERED };

/* A search for shapes. */
struct search {
    const struct luma_picture *picture;
    uint8_t *state;    /* of each sample */
    uint32_t *members; /* of the shape that is being gathered */
    uint32_t count;
    uint32_t covered;
};

static bool is_flat(const struct luma_picture *picture, uint32_t x, uint32_t y)
{
    const uint8_t *at = picture->samples + (size_t)y * picture->width + x;
    ptrdiff_t stride = (ptrdiff_t)picture->width;

    if (x == 0 || y == 0 || x + 1 == picture->width || y + 1 == picture->height)
        return false;
    return abs(at[0] - at[1]) <= FLAT_RANGE && abs(at[0] - at[-1]) <= FLAT_RANGE &&
           abs(at[0] - at[stride]) <= FLAT_RANGE && abs(at[0] - at[-stride]) <= FLAT_RANGE;
}

static void visit(struct search *search, uint32_t x, uint32_t y, int colour)
{
    uint32_t at = y * search->picture->width + x;

    if (search->state[at] != UNSEEN || abs(search->picture->samples[at] - colour) > FLAT_RANGE ||
        !is_flat(search->picture, x, y))
        return;
    search->state[at] = SEEN;
    search->members[search->count++] = at;
}

/* Gathers the flat samples of one colour that hang together with this one. */
static void gather(struct search *search, uint32_t x, uint32_t y)
{
    uint32_t width = search->picture->width;
    int colour = search->picture->samples[y * width + x];

    search->count = 0;
    visit(search, x, y, colour);
    for (uint32_t i = 0; i < search->count; i++) {
        uint32_t column = search->members[i] % width;
        uint32_t row = search->members[i] / width;
        /* Flat samples are never at an edge. */
        visit(search, column + 1, row, colour);
        visit(search, column - 1, row, colour);
        visit(search, column, row + 1, colour);
        visit(search, column, row - 1, colour);
    }
}

static int sample_at(const struct luma_picture *picture, int64_t x, int64_t y)
{
    int64_t column = x < 0 ? 0 : x >= picture->width ? picture->width - 1 : x;
    int64_t row = y < 0 ? 0 : y >= picture->height ? picture->height - 1 : y;

    return picture->samples[(size_t)row * picture->width + (size_t)column];
}

/* Looks from the outermost samples of each row of the shape to a little beyond. */
static bool stands_out(const struct search *search)
{
    const struct luma_picture *picture = search->picture;
    int colour = picture->samples[search->members[0]];
    uint64_t difference = 0;
    uint32_t edges = 0;

    for (uint32_t i = 0; i < search->count; i++) {
        int64_t x = search->members[i] % picture->width;
        int64_t y = search->members[i] / picture->width;
        for (int64_t side = -1; side <= 1; side += 2) {
            if (search->state[search->members[i] + (uint32_t)side] != UNSEEN)
                continue;
            difference += (uint64_t)abs(sample_at(picture, x + side * (EDGE_SAMPLES + 1), y) - colour);
            edges++;
        }
    }
    return edges > 0 && difference / edges >= STANDS_OUT;
}

/* Covers the shape and its soft edge. */
static void cover(struct search *search)
{
    uint32_t width = search->picture->width;
    uint32_t height = search->picture->height;

    for (uint32_t i = 0; i < search->count; i++) {
        uint32_t x = search->members[i] % width;
        uint32_t y = search->members[i] / width;
        uint32_t right = x + EDGE_SAMPLES < width ? x + EDGE_SAMPLES : width - 1;
        uint32_t bottom = y + EDGE_SAMPLES < height ? y + EDGE_SAMPLES : height - 1;
        for (uint32_t row = y < EDGE_SAMPLES ? 0 : y - EDGE_SAMPLES; row <= bottom; row++) {
            for (uint32_t column = x < EDGE_SAMPLES ? 0 : x - EDGE_SAMPLES; column <= right; column++) {
                search->covered += search->state[row * width + column] != COVERED;
                search->state[row * width + column] = COVERED;
            }
        }
    }
}

static void find_shapes(struct search *search)
{
    uint32_t size = search->picture->width * search->picture->height;

    for (uint32_t at = 0; at < size; at++) {
        if (search->state[at] != UNSEEN)
            continue;
        gather(search, at % search->picture->width, at / search->picture->width);
        if (search->count > size / SMALLEST_SHARE && search->count < size / LARGEST_SHARE &&
            stands_out(search))
            cover(search);
    }
}

/* One level of a pyramid: sums of the samples that are known, and how much of them there is. */
struct level {
    uint32_t width, height;
    float *sums;
    float *weights;
};

static void halve(const struct level *from, const struct level *to)
{
    for (uint32_t y = 0; y < to->height; y++) {
        for (uint32_t x = 0; x < to->width; x++) {
            float sum = 0;
            float weight = 0;
            for (uint32_t i = 0; i < 4; i++) {
                uint32_t column = 2 * x + (i & 1);
                uint32_t row = 2 * y + (i >> 1);
                if (column >= from->width || row >= from->height)
                    continue;
                sum += from->sums[row * from->width + column];
                weight += from->weights[row * from->width + column];
            }
            /* A sample counts no more than one however much is known of it. */
            float scale = weight > 1 ? 1 / weight : 1;
            to->sums[y * to->width + x] = sum * scale;
            to->weights[y * to->width + x] = weight * scale;
        }
    }
}

/* What the coarser level knows at a place of the finer one, blended between its nearest four samples. */
static float blend(const struct level *coarse, uint32_t x, uint32_t y)
{
    uint32_t left = x / 2 - (x % 2 == 0 && x > 0);
    uint32_t top = y / 2 - (y % 2 == 0 && y > 0);
    float sum = 0;
    float weight = 0;

    for (uint32_t i = 0; i < 4; i++) {
        uint32_t column = left + (i & 1);
        uint32_t row = top + (i >> 1);
        if (column >= coarse->width || row >= coarse->height)
            continue;
        float share = (column == x / 2 ? 3.0F : 1.0F) * (row == y / 2 ? 3.0F : 1.0F);
        sum += share * coarse->sums[row * coarse->width + column];
        weight += share * coarse->weights[row * coarse->width + column];
    }
    return weight > 0 ? sum / weight : 0;
}

/* Fills up what the finer level lacks. */
static void refine(const struct level *coarse, const struct level *fine)
{
    for (uint32_t y = 0; y < fine->height; y++) {
        for (uint32_t x = 0; x < fine->width; x++) {
            uint32_t at = y * fine->width + x;
            float missing = 1 - fine->weights[at];
            if (missing <= 0)
                continue;
            fine->sums[at] += missing * blend(coarse, x, y);
            fine->weights[at] = 1;
        }
    }
}

/* Lays the levels out in one block of floats. Returns how many levels. */
static int lay_out(uint32_t width, uint32_t height, float *block, struct level levels[LEVELS_MAX])
{
    int count = 0;

    for (;; width = (width + 1) / 2, height = (height + 1) / 2) {
        size_t size = (size_t)width * height;
        levels[count++] = (struct level){width, height, block, block + size};
        block += 2 * size;
        if (width == 1 && height == 1)
            return count;
    }
}

static void fill(const struct search *search, float *block, struct luma_picture *patched)
{
    const struct luma_picture *picture = search->picture;
    struct level levels[LEVELS_MAX];
    int count = lay_out(picture->width, picture->height, block, levels);
    size_t size = (size_t)picture->width * picture->height;

    for (size_t i = 0; i < size; i++) {
        bool known = search->state[i] != COVERED;
        levels[0].sums[i] = known ? (float)picture->samples[i] : 0;
        levels[0].weights[i] = known ? 1 : 0;
    }
    for (int i = 0; i + 1 < count; i++)
        halve(&levels[i], &levels[i + 1]);
    for (int i = count - 1; i > 0; i--)
        refine(&levels[i], &levels[i - 1]);
    for (size_t i = 0; i < size; i++)
        patched->samples[i] = (uint8_t)(levels[0].sums[i] + 0.5F);
}

bool patch_fill(const struct luma_picture *picture, struct luma_picture *patched, int *status)
{
    size_t size = (size_t)picture->width * picture->height;
    struct search search = {
        .picture = picture, .state = calloc(size, 1), .members = malloc(size * sizeof(uint32_t))};
    /* All levels together are less than 4 / 3 of the first, and a row more for each odd edge. */
    float *block = malloc((size * 4 / 3 + (size_t)LEVELS_MAX * 2 * SKETCH_EDGE_MAX) * 2 * sizeof *block);
    bool any = false;

    if (search.state == NULL || search.members == NULL || block == NULL) {
        *status = -ENOMEM;
    } else {
        *status = 0;
        find_shapes(&search);
        any = search.covered > 0 && search.covered < size / ALL_SHARE;
        if (any)
            fill(&search, block, patched);
    }
    free(search.state);
    free(search.members);
    free(block);
    return any;
}
