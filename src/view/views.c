#include "prescreen/view/views.h"

#include "derivation.h"
#include "skew.h"

#include <math.h>

/* How much of each kind an effort takes. Chosen with tests/accuracy by the edits seen through for the time.
 */
static const struct budget {
    unsigned int boxes;
    unsigned int crops;  /* of the table below */
    unsigned int angles; /* of the table below, each both ways */
    bool patches;
    bool quarters;
} budgets[EFFORT_COUNT] = {
    [EFFORT_STANDARD] = {.boxes = 10, .crops = 6, .angles = 0, .patches = false, .quarters = false},
    [EFFORT_THOROUGH] = {.boxes = 32, .crops = 14, .angles = 9, .patches = true, .quarters = true},
};

/* Parts of the original picture, in hundredths of its edges, that a crop is taken to have cut off. */
struct crop {
    uint8_t left, top, right, bottom;
};

static const struct crop crops[] = {
    {2, 2, 2, 2},  {5, 5, 5, 5},  {10, 0, 0, 0}, {0, 10, 0, 0}, {0, 0, 10, 0},  {0, 0, 0, 10},  {8, 8, 8, 8},
    {20, 0, 0, 0}, {0, 20, 0, 0}, {0, 0, 20, 0}, {0, 0, 0, 20}, {10, 0, 10, 0}, {0, 10, 0, 10}, {3, 3, 3, 3},
};

/* Degrees by which the picture is taken to have been turned. */
static const double angles[] = {1.2, 2.2, 3.4, 4.8, 6.4, 8, 10, 12, 14};

static int add_negative(struct derivation *derivation)
{
    struct pdq_result negative = *derivation->source->shown;

    for (int o = 0; o < ORIENTATION_COUNT; o++) {
        for (int i = 0; i < 4; i++)
            negative.hashes[o].words[i] = ~negative.hashes[o].words[i];
    }
    return derivation_add(derivation, VIEW_NEGATIVE, &negative);
}

/* Part of the picture, in hundredths of its edges. */
static struct pdq_area part_of(const struct derivation *derivation, double left, double top, double right,
                               double bottom)
{
    struct pdq_area whole = derivation_extent(derivation);

    return (struct pdq_area){whole.right * left / 100, whole.bottom * top / 100, whole.right * right / 100,
                             whole.bottom * bottom / 100};
}

static int add_parts(struct derivation *derivation, enum view view, const uint8_t parts[][4], size_t count)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < count; i++) {
        const struct pdq_area area = part_of(derivation, parts[i][0], parts[i][1], parts[i][2], parts[i][3]);
        status = derivation_add_area(derivation, view, &area);
    }
    return status;
}

static int add_halves(struct derivation *derivation)
{
    static const uint8_t halves[][4] = {
        {0, 0, 50, 100}, {50, 0, 100, 100}, {0, 0, 100, 50}, {0, 50, 100, 100}};

    return add_parts(derivation, VIEW_HALF, halves, sizeof halves / sizeof halves[0]);
}

static int add_quarters(struct derivation *derivation)
{
    static const uint8_t quarters[][4] = {
        {0, 0, 50, 50}, {50, 0, 100, 50}, {0, 50, 50, 100}, {50, 50, 100, 100}};

    return add_parts(derivation, VIEW_QUARTER, quarters, sizeof quarters / sizeof quarters[0]);
}

/* The picture is what a crop left. */
static int add_uncropped(struct derivation *derivation, const struct crop *crop)
{
    struct pdq_area whole = derivation_extent(derivation);
    double width = whole.right / (1 - (crop->left + crop->right) / 100.0);
    double height = whole.bottom / (1 - (crop->top + crop->bottom) / 100.0);
    double left = -width * crop->left / 100;
    double top = -height * crop->top / 100;
    const struct pdq_area area = {left, top, left + width, top + height};

    return derivation_add_area(derivation, VIEW_UNCROPPED, &area);
}

/* What became of the canvas when the picture on it was turned. */
enum canvas_kind { CANVAS_GREW, CANVAS_KEPT, CANVAS_CUT, CANVAS_COUNT };

/* The picture was turned by the angle: its own edges follow from those of the canvas. */
static int add_unrotated(struct derivation *derivation, double angle, enum canvas_kind kind)
{
    struct pdq_area whole = derivation_extent(derivation);
    double cosine = cos(fabs(angle));
    double sine = sin(fabs(angle));
    double width = whole.right;
    double height = whole.bottom;
    struct warp_frame frame = {
        .center_x = width / 2, .center_y = height / 2, .width = width, .height = height, .angle = angle};

    if (kind == CANVAS_GREW) {
        double shrink = cosine * cosine - sine * sine;
        if (shrink < 0.1)
            return 0; /* near 45 degrees any picture fits any canvas */
        frame.width = (width * cosine - height * sine) / shrink;
        frame.height = (height * cosine - width * sine) / shrink;
    } else if (kind == CANVAS_CUT) {
        double grow = cosine + fmax(width / height, height / width) * sine;
        frame.width *= grow;
        frame.height *= grow;
    }
    return derivation_add_frame(derivation, VIEW_UNROTATED, &frame);
}

/* By the angle that empty corners tell. */
static int add_straightened(struct derivation *derivation)
{
    double angle = 0;
    int status = 0;

    if (!derivation->source->square || !skew_find(derivation->source->picture, &angle))
        return 0;
    status = add_unrotated(derivation, angle, CANVAS_GREW);
    return status != 0 ? status : add_unrotated(derivation, angle, CANVAS_KEPT);
}

/* By every angle of the table, for a picture that was cut and so tells none. */
static int add_turned_back(struct derivation *derivation, unsigned int count)
{
    int status = 0;

    for (unsigned int i = 0; status == 0 && derivation->source->square && i < 2 * count; i++) {
        double angle = angles[i / 2] * M_PI / 180 * (i % 2 == 0 ? 1 : -1);
        status = add_unrotated(derivation, angle, CANVAS_CUT);
    }
    return status;
}

static int add_all_uncropped(struct derivation *derivation, unsigned int count)
{
    int status = 0;

    for (unsigned int i = 0; status == 0 && i < count; i++)
        status = add_uncropped(derivation, &crops[i]);
    return status;
}

static int derive_by_budget(struct derivation *derivation, const struct budget *budget)
{
    int status = add_negative(derivation);

    if (status == 0)
        status = add_straightened(derivation);
    if (status == 0)
        status = boxes_derive(derivation, budget->boxes);
    if (status == 0)
        status = add_halves(derivation);
    if (status == 0)
        status = add_all_uncropped(derivation, budget->crops);
    if (status == 0 && budget->patches)
        status = patched_derive(derivation);
    if (status == 0 && budget->quarters)
        status = add_quarters(derivation);
    if (status == 0)
        status = add_turned_back(derivation, budget->angles);
    return status;
}

int views_derive(const struct view_source *source, enum effort effort, const struct view_sink *sink)
{
    struct derivation derivation;

    if (effort == EFFORT_FAST)
        return 0;
    int status = derivation_begin(&derivation, source, sink);
    if (status == 0)
        status = derive_by_budget(&derivation, &budgets[effort]);
    derivation_end(&derivation);
    return status;
}

static int add_cropped(struct derivation *derivation, const struct crop *crop)
{
    const struct pdq_area area =
        part_of(derivation, crop->left, crop->top, 100 - crop->right, 100 - crop->bottom);

    return derivation_add_area(derivation, VIEW_CROP, &area);
}

int views_enrol(const struct view_source *source, const struct view_sink *sink)
{
    static const struct crop parts[] = {
        {5, 5, 5, 5},   {10, 10, 10, 10}, {15, 15, 15, 15}, {20, 20, 20, 20}, {10, 0, 0, 0},
        {0, 10, 0, 0},  {0, 0, 10, 0},    {0, 0, 0, 10},    {20, 0, 0, 0},    {0, 20, 0, 0},
        {0, 0, 20, 0},  {0, 0, 0, 20},    {10, 0, 10, 0},   {0, 10, 0, 10},   {20, 0, 20, 0},
        {0, 20, 0, 20}, {30, 0, 0, 0},    {0, 30, 0, 0},    {0, 0, 30, 0},    {0, 0, 0, 30},
    };
    struct derivation derivation;
    int status = derivation_begin(&derivation, source, sink);

    for (size_t i = 0; status == 0 && i < sizeof parts / sizeof parts[0]; i++)
        status = add_cropped(&derivation, &parts[i]);
    if (status == 0)
        status = add_halves(&derivation);
    if (status == 0)
        status = add_quarters(&derivation);
    derivation_end(&derivation);
    return status;
}
