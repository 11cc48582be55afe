/* What is not known of a 64x64 picture, guessed from what is around it. */
#ifndef PRESCREEN_SRC_VIEW_FILL_H
#define PRESCREEN_SRC_VIEW_FILL_H

#include "prescreen/hash/pdq.h"

struct view_grid {
    float cells[PDQ_GRID][PDQ_GRID];
    bool known[PDQ_GRID][PDQ_GRID];
};

/* Gives the cells that are not known the values of a membrane that is held by the known ones and free at the
 * edges. That is the best guess for photographs, whose power falls with the square of the frequency: it blurs
 * the more the farther it is from anything known, so that the signs of PDQ's coefficients are those of what
 * is known. Nothing is changed when no cell is known. Cost: about 3 ns a cell that is not known and sweep, of
 * which there are about 30. */
void fill_unknown(struct view_grid *grid);

#endif
