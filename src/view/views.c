#include "prescreen/view/views.h"

#include "derivation.h"
#include "patch.h"
#include "skew.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

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

static int add_halves(struct derivation *derivation)
{
    struct view_rect whole = derivation_whole(derivation);
    uint32_t across = whole.width / 2;
    uint32_t down = whole.height / 2;
    const struct view_rect halves[] = {{0, 0, across, whole.height},
                                       {whole.width - across, 0, across, whole.height},
                                       {0, 0, whole.width, down},
                                       {0, whole.height - down, whole.width, down}};
    int status = 0;

    for (size_t i = 0; status == 0 && i < sizeof halves / sizeof halves[0]; i++)
        status = derivation_add_rect(derivation, VIEW_HALF, &halves[i]);
    return status;
}

static int add_quarters(struct derivation *derivation)
{
    struct view_rect whole = derivation_whole(derivation);
    struct view_rect quarter = {0, 0, whole.width / 2, whole.height / 2};
    int status = 0;

    for (int i = 0; status == 0 && i < 4; i++) {
        quarter.left = i % 2 == 0 ? 0 : whole.width - quarter.width;
        quarter.top = i / 2 == 0 ? 0 : whole.height - quarter.height;
        status = derivation_add_rect(derivation, VIEW_QUARTER, &quarter);
    }
    return status;
}

/* What was cut off is taken to have looked like the mirror image of what is beside it. */
static int add_uncropped(struct derivation *derivation, const struct crop *crop)
{
    struct view_rect whole = derivation_whole(derivation);
    double width = whole.width / (1 - (crop->left + crop->right) / 100.0);
    double height = whole.height / (1 - (crop->top + crop->bottom) / 100.0);
    const struct warp_frame frame = {.center_x = width * (0.5 - crop->left / 100.0),
                                     .center_y = height * (0.5 - crop->top / 100.0),
                                     .width = width,
                                     .height = height};

    return derivation_add_frame(derivation, VIEW_UNCROPPED, &frame);
}

/* What became of the canvas when the picture on it was turned. */
enum canvas_kind { CANVAS_GREW, CANVAS_KEPT, CANVAS_CUT, CANVAS_COUNT };

/* The picture was turned by the angle: its own edges follow from those of the canvas. */
static int add_unrotated(struct derivation *derivation, double angle, enum canvas_kind kind)
{
    struct view_rect whole = derivation_whole(derivation);
    double cosine = cos(fabs(angle));
    double sine = sin(fabs(angle));
    double width = whole.width;
    double height = whole.height;
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

static int add_patched(struct derivation *derivation)
{
    const struct luma_picture *picture = derivation->source->picture;
    struct luma_picture patched = {picture->width, picture->height, NULL};
    int status = 0;

    patched.samples = malloc((size_t)patched.width * patched.height);
    if (patched.samples == NULL)
        return -ENOMEM;
    if (patch_fill(picture, &patched, &status))
        status = derivation_add_picture(derivation, VIEW_PATCHED, &patched);
    free(patched.samples);
    return status;
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
        status = add_patched(derivation);
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
    struct view_rect rect = derivation_whole(derivation);
    uint32_t left = rect.width * crop->left / 100;
    uint32_t top = rect.height * crop->top / 100;

    rect.width -= left + rect.width * crop->right / 100;
    rect.height -= top + rect.height * crop->bottom / 100;
    rect.left = left;
    rect.top = top;
    return derivation_add_rect(derivation, VIEW_CROP, &rect);
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
