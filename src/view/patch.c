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
    /* Shapes are taken from one part in SMALLEST_SHARE to one in LARGEST_SHARE of the picture. */
    SMALLEST_SHARE = 4000,
    LARGEST_SHARE = 5,
    /* Samples around a shape that its soft edge has coloured. */
    EDGE_SAMPLES = 3,
};

_Static_assert(PATCH_SHAPES_MAX < UINT8_MAX, "every shape has a label, and so have two states");

/* What a label is besides the number of a shape. */
enum { UNSEEN = UINT8_MAX, NO_SHAPE = PATCH_SHAPES_MAX };

/* A search for shapes. */
struct search {
    const struct luma_picture *picture;
    struct patch_shapes *found;
    uint32_t *members; /* of the shape that is being gathered */
    uint32_t count;
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

    if (search->found->labels[at] != UNSEEN || abs(search->picture->samples[at] - colour) > FLAT_RANGE ||
        !is_flat(search->picture, x, y))
        return;
    search->found->labels[at] = NO_SHAPE;
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
            if (search->found->labels[search->members[i] + (uint32_t)side] != UNSEEN)
                continue;
            difference += (uint64_t)abs(sample_at(picture, x + side * (EDGE_SAMPLES + 1), y) - colour);
            edges++;
        }
    }
    return edges > 0 && difference / edges >= STANDS_OUT;
}

static void note_shape(struct search *search)
{
    struct patch_shapes *found = search->found;
    uint32_t width = search->picture->width;
    struct patch_shape shape = {.size = search->count,
                                .colour = search->picture->samples[search->members[0]],
                                .left = UINT32_MAX,
                                .top = search->members[0] / width};

    for (uint32_t i = 0; i < search->count; i++) {
        uint32_t x = search->members[i] % width;
        uint32_t y = search->members[i] / width;
        found->labels[search->members[i]] = (uint8_t)found->count;
        shape.left = x < shape.left ? x : shape.left;
        shape.top = y < shape.top ? y : shape.top;
        shape.right = x >= shape.right ? x + 1 : shape.right;
        shape.bottom = y >= shape.bottom ? y + 1 : shape.bottom;
    }
    found->shapes[found->count++] = shape;
}

static void find_shapes(struct search *search)
{
    uint32_t size = search->picture->width * search->picture->height;

    for (uint32_t at = 0; at < size && search->found->count < PATCH_SHAPES_MAX; at++) {
        if (search->found->labels[at] != UNSEEN)
            continue;
        gather(search, at % search->picture->width, at / search->picture->width);
        if (search->count > size / SMALLEST_SHARE && search->count < size / LARGEST_SHARE &&
            stands_out(search))
            note_shape(search);
    }
}

int patch_find(const struct luma_picture *picture, struct patch_shapes *found)
{
    size_t size = (size_t)picture->width * picture->height;
    struct search search = {.picture = picture, .found = found, .members = malloc(size * sizeof(uint32_t))};

    if (search.members == NULL)
        return -ENOMEM;
    memset(found->labels, UNSEEN, size);
    found->count = 0;
    find_shapes(&search);
    free(search.members);
    return 0;
}

/* What of each row and column lies between members of the shape. */
struct hull {
    uint16_t first_in_row[SKETCH_EDGE_MAX], end_in_row[SKETCH_EDGE_MAX];
    uint16_t first_in_column[SKETCH_EDGE_MAX], end_in_column[SKETCH_EDGE_MAX];
};

static void find_hull(const struct luma_picture *picture, const struct patch_shapes *found,
                      unsigned int number, struct hull *hull)
{
    const struct patch_shape *shape = &found->shapes[number];

    memset(hull, 0, sizeof *hull);
    for (uint32_t y = shape->top; y < shape->bottom; y++) {
        for (uint32_t x = shape->left; x < shape->right; x++) {
            if (found->labels[(size_t)y * picture->width + x] != number)
                continue;
            if (hull->end_in_row[y] == 0)
                hull->first_in_row[y] = (uint16_t)x;
            if (hull->end_in_column[x] == 0)
                hull->first_in_column[x] = (uint16_t)y;
            hull->end_in_row[y] = (uint16_t)(x + 1);
            hull->end_in_column[x] = (uint16_t)(y + 1);
        }
    }
}

/* Covers samples from to end - 1 of a row and their soft edge. */
static void cover_run(const struct luma_picture *picture, uint32_t y, uint32_t from, uint32_t end,
                      uint8_t *kept)
{
    uint32_t left = from < EDGE_SAMPLES ? 0 : from - EDGE_SAMPLES;
    uint32_t right = end + EDGE_SAMPLES < picture->width ? end + EDGE_SAMPLES : picture->width;
    uint32_t bottom = y + EDGE_SAMPLES < picture->height ? y + EDGE_SAMPLES : picture->height - 1;

    for (uint32_t row = y < EDGE_SAMPLES ? 0 : y - EDGE_SAMPLES; row <= bottom; row++)
        memset(kept + (size_t)row * picture->width + left, 0, right - left);
}

void patch_cover(const struct luma_picture *picture, const struct patch_shapes *found, unsigned int number,
                 uint8_t *kept)
{
    const struct patch_shape *shape = &found->shapes[number];
    struct hull hull;

    find_hull(picture, found, number, &hull);
    for (uint32_t y = shape->top; y < shape->bottom; y++) {
        uint32_t from = hull.first_in_row[y];
        for (uint32_t x = from; x < hull.end_in_row[y]; x++) {
            if (y >= hull.first_in_column[x] && y < hull.end_in_column[x])
                continue;
            if (x > from)
                cover_run(picture, y, from, x, kept);
            from = x + 1;
        }
        if (from < hull.end_in_row[y])
            cover_run(picture, y, from, hull.end_in_row[y], kept);
    }
}
