#include "fill.h"

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

enum { SWEEPS_MAX = 60, CELLS = PDQ_GRID * PDQ_GRID };

/* How much farther than to the mean of its neighbours a cell is moved in a sweep, and the move (in levels of
 * luma) below which the sweeps end. */
static const float relaxation = 1.7F;
static const float move_min = 0.3F;

/* The cells to be filled. */
struct gaps {
    unsigned int count;
    uint16_t at[CELLS];
};

static float mean_of_known(const struct view_grid *grid, struct gaps *gaps)
{
    double sum = 0;
    unsigned int known = 0;

    gaps->count = 0;
    for (int i = 0; i < CELLS; i++) {
        if (!grid->known[i / PDQ_GRID][i % PDQ_GRID]) {
            gaps->at[gaps->count++] = (uint16_t)i;
            continue;
        }
        sum += (double)grid->cells[i / PDQ_GRID][i % PDQ_GRID];
        known++;
    }
    return known == 0 ? 0 : (float)(sum / known);
}

/* At an edge a cell is its own neighbour. */
static float mean_around(const struct view_grid *grid, int row, int column)
{
    float above = grid->cells[row > 0 ? row - 1 : row][column];
    float below = grid->cells[row < PDQ_GRID - 1 ? row + 1 : row][column];
    float before = grid->cells[row][column > 0 ? column - 1 : column];
    float after = grid->cells[row][column < PDQ_GRID - 1 ? column + 1 : column];

    return (above + below + before + after) * 0.25F;
}

static float sweep(struct view_grid *grid, const struct gaps *gaps)
{
    float farthest = 0;

    for (unsigned int i = 0; i < gaps->count; i++) {
        int row = gaps->at[i] / PDQ_GRID;
        int column = gaps->at[i] % PDQ_GRID;
        float move = relaxation * (mean_around(grid, row, column) - grid->cells[row][column]);
        grid->cells[row][column] += move;
        move = move < 0 ? -move : move;
        farthest = move > farthest ? move : farthest;
    }
    return farthest;
}

void fill_unknown(struct view_grid *grid)
{
    struct gaps gaps;
    float mean = mean_of_known(grid, &gaps);

    if (gaps.count == CELLS)
        return;
    for (unsigned int i = 0; i < gaps.count; i++)
        grid->cells[gaps.at[i] / PDQ_GRID][gaps.at[i] % PDQ_GRID] = mean;
    for (int i = 0; gaps.count > 0 && i < SWEEPS_MAX; i++) {
        if (sweep(grid, &gaps) < move_min)
            break;
    }
}
