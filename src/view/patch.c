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
};

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

int patch_find(const struct luma_picture *picture, uint8_t *kept)
{
    size_t size = (size_t)picture->width * picture->height;
    struct search search = {.picture = picture, .state = kept, .members = malloc(size * sizeof(uint32_t))};

    if (search.members == NULL)
        return -ENOMEM;
    memset(kept, UNSEEN, size);
    find_shapes(&search);
    free(search.members);
    for (size_t i = 0; i < size; i++)
        kept[i] = kept[i] == COVERED ? 0 : UINT8_MAX;
    return search.covered > 0 && search.covered < size / ALL_SHARE ? PATCH_FOUND : 0;
}
