#include "derivation.h"

#include "fill.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum {
    /* Of a smaller area the hash is mostly chance. */
    VIEW_EDGE_MIN = 40,
    QUALITY_MIN = 20,
    SAME_BITS = 3,
    /* Of 255: how much of a cell must not be covered for it to be told by the rest. */
    KEPT_MIN = 96,
};

int derivation_begin(struct derivation *derivation, const struct view_source *source,
                     const struct view_sink *sink)
{
    *derivation = (struct derivation){.source = source, .sink = sink};
    derivation->seen[0] = source->shown->hashes[ORIENTATION_ORIGINAL];
    derivation->scratch = malloc((size_t)SCRATCH_EDGE * SCRATCH_EDGE);
    return derivation->scratch == NULL ? -ENOMEM : 0;
}

void derivation_end(struct derivation *derivation)
{
    free(derivation->scratch);
}

static bool is_known(const struct derivation *derivation, const struct pdq_hash *hash)
{
    for (unsigned int i = 0; i <= derivation->count; i++) {
        if (pdq_distance(&derivation->seen[i], hash) <= SAME_BITS)
            return true;
    }
    return false;
}

int derivation_add(struct derivation *derivation, enum view view, const struct pdq_result *result)
{
    const struct pdq_hash *hash = &result->hashes[ORIENTATION_ORIGINAL];

    if (result->quality < QUALITY_MIN || derivation->count == VIEWS_MAX || is_known(derivation, hash))
        return 0;
    derivation->seen[++derivation->count] = *hash;
    return derivation->sink->take(derivation->sink->context, view, result);
}

static int add_cells(struct derivation *derivation, enum view view, const float cells[PDQ_GRID][PDQ_GRID])
{
    struct pdq_result result;

    pdq_grid_hash(cells, &result);
    return derivation_add(derivation, view, &result);
}

static int add_grid(struct derivation *derivation, enum view view, struct view_grid *grid)
{
    fill_unknown(grid);
    return add_cells(derivation, view, (const float(*)[PDQ_GRID])grid->cells);
}

static double place_of(int cell, double start, double end)
{
    return start + (cell + 0.5) * (end - start) / PDQ_GRID;
}

int derivation_add_area(struct derivation *derivation, enum view view, const struct pdq_area *area)
{
    const struct luma_picture *picture = derivation->source->picture;
    const struct pdq_plane plane = {picture->samples, picture->width, picture->height};
    struct pdq_area extent = derivation_extent(derivation);
    struct view_grid grid;

    if (!(area->right - area->left >= VIEW_EDGE_MIN) || !(area->bottom - area->top >= VIEW_EDGE_MIN))
        return 0;
    pdq_area_sample(&plane, area, derivation->source->cpu, grid.cells);
    if (area->left >= 0 && area->top >= 0 && area->right <= extent.right && area->bottom <= extent.bottom)
        return add_cells(derivation, view, (const float(*)[PDQ_GRID])grid.cells);
    for (int i = 0; i < PDQ_GRID; i++) {
        double y = place_of(i, area->top, area->bottom);
        for (int k = 0; k < PDQ_GRID; k++) {
            double x = place_of(k, area->left, area->right);
            grid.known[i][k] = x >= 0 && y >= 0 && x <= extent.right && y <= extent.bottom;
        }
    }
    return add_grid(derivation, view, &grid);
}

int derivation_add_rect(struct derivation *derivation, enum view view, const struct view_rect *rect)
{
    struct pdq_area area = lines_refine(derivation->source->picture, rect);

    return derivation_add_area(derivation, view, &area);
}

int derivation_add_frame(struct derivation *derivation, enum view view, const struct warp_frame *frame)
{
    struct luma_picture made = {.samples = derivation->scratch};
    struct pdq_area extent = derivation_extent(derivation);
    double cosine = cos(frame->angle);
    double sine = sin(frame->angle);
    struct view_grid grid;

    if (frame->width < VIEW_EDGE_MIN || frame->height < VIEW_EDGE_MIN)
        return 0;
    warp_sample(derivation->source->picture, frame, &made);
    const struct pdq_plane plane = {made.samples, made.width, made.height};
    const struct pdq_area whole = {0, 0, made.width, made.height};
    pdq_area_sample(&plane, &whole, derivation->source->cpu, grid.cells);
    for (int i = 0; i < PDQ_GRID; i++) {
        double down = place_of(i, -frame->height / 2, frame->height / 2);
        for (int k = 0; k < PDQ_GRID; k++) {
            double across = place_of(k, -frame->width / 2, frame->width / 2);
            double x = frame->center_x + cosine * across - sine * down;
            double y = frame->center_y + sine * across + cosine * down;
            grid.known[i][k] = x >= 0 && y >= 0 && x <= extent.right && y <= extent.bottom;
        }
    }
    return add_grid(derivation, view, &grid);
}

int derivation_add_kept(struct derivation *derivation, enum view view, const uint8_t *kept)
{
    const struct luma_picture *picture = derivation->source->picture;
    struct pdq_area extent = derivation_extent(derivation);
    enum cpu_level cpu = derivation->source->cpu;
    float shares[PDQ_GRID][PDQ_GRID];
    struct view_grid grid;

    for (size_t i = 0; i < (size_t)picture->width * picture->height; i++)
        derivation->scratch[i] = kept[i] & picture->samples[i];
    const struct pdq_plane masked = {derivation->scratch, picture->width, picture->height};
    const struct pdq_plane mask = {kept, picture->width, picture->height};
    pdq_area_sample(&masked, &extent, cpu, grid.cells);
    pdq_area_sample(&mask, &extent, cpu, shares);
    for (int i = 0; i < PDQ_GRID; i++) {
        for (int k = 0; k < PDQ_GRID; k++) {
            grid.known[i][k] = shares[i][k] > KEPT_MIN;
            grid.cells[i][k] *= UINT8_MAX / fmaxf(shares[i][k], 1);
        }
    }
    return add_grid(derivation, view, &grid);
}

struct view_rect derivation_whole(const struct derivation *derivation)
{
    const struct luma_picture *picture = derivation->source->picture;

    return (struct view_rect){0, 0, picture->width, picture->height};
}

struct pdq_area derivation_extent(const struct derivation *derivation)
{
    return luma_picture_extent(derivation->source->picture);
}
