#include "prescreen/image/orientation.h"

#include "prescreen/base/bug.h"

static const struct orientation_steps steps[ORIENTATION_COUNT] = {
    [ORIENTATION_ORIGINAL] = {false, false, false},  [ORIENTATION_ROTATE90] = {false, true, true},
    [ORIENTATION_ROTATE180] = {true, true, false},   [ORIENTATION_ROTATE270] = {true, false, true},
    [ORIENTATION_FLIP_X] = {true, false, false},     [ORIENTATION_FLIP_Y] = {false, true, false},
    [ORIENTATION_FLIP_PLUS1] = {false, false, true}, [ORIENTATION_FLIP_MINUS1] = {true, true, true},
};

struct orientation_steps orientation_steps(enum orientation orientation)
{
    BUG_ON(orientation >= ORIENTATION_COUNT);
    return steps[orientation];
}

enum orientation orientation_from_exif(unsigned int exif)
{
    static const enum orientation upright[] = {
        [1] = ORIENTATION_ORIGINAL,    [2] = ORIENTATION_FLIP_Y,     [3] = ORIENTATION_ROTATE180,
        [4] = ORIENTATION_FLIP_X,      [5] = ORIENTATION_FLIP_PLUS1, [6] = ORIENTATION_ROTATE270,
        [7] = ORIENTATION_FLIP_MINUS1, [8] = ORIENTATION_ROTATE90,
    };

    return exif >= 1 && exif <= 8 ? upright[exif] : ORIENTATION_ORIGINAL;
}

enum orientation orientation_compose(enum orientation first, enum orientation second)
{
    struct orientation_steps a = orientation_steps(first);
    struct orientation_steps b = orientation_steps(second);
    /* A flip that comes after a transposition is the other flip before it. */
    bool flips_rows = a.flips_rows != (a.transposes ? b.flips_columns : b.flips_rows);
    bool flips_columns = a.flips_columns != (a.transposes ? b.flips_rows : b.flips_columns);
    bool transposes = a.transposes != b.transposes;

    for (int i = 0; i < ORIENTATION_COUNT; i++)
        if (steps[i].flips_rows == flips_rows && steps[i].flips_columns == flips_columns &&
            steps[i].transposes == transposes)
            return (enum orientation)i;
    bug_abort(__FILE__, __LINE__, "the eight changes are closed under composition");
}
