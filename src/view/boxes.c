#include "cuts.h"
#include "derivation.h"

#include <math.h>

enum {
    /* A box is at least one part in so many of the picture along each side. */
    BOX_SHARE = 5,
    BOXES_FOUND_MAX = 256,
    /* One inside the other. */
    MARGINS_MAX = 4,
};

/* A rectangle between straight edges. */
struct box {
    struct view_rect rect;
    uint64_t weight; /* by which boxes are tried: the stronger its weakest edge and the larger, the sooner */
};

struct boxes {
    const struct luma_picture *picture;
    unsigned int count;
    struct box found[BOXES_FOUND_MAX];
};

/* Rows first and columns first find many a rectangle twice. */
static struct box *find_box(struct boxes *boxes, const struct view_rect *rect)
{
    for (unsigned int i = 0; i < boxes->count; i++) {
        const struct view_rect *known = &boxes->found[i].rect;
        if (known->left == rect->left && known->top == rect->top && known->width == rect->width &&
            known->height == rect->height)
            return &boxes->found[i];
    }
    return NULL;
}

static void note_box(struct boxes *boxes, const struct view_rect *rect, unsigned int jump)
{
    uint64_t weight = (uint64_t)jump * rect->width * rect->height;
    struct box *known = find_box(boxes, rect);

    if (known != NULL && known->weight < weight)
        known->weight = weight;
    else if (known == NULL && boxes->count < BOXES_FOUND_MAX)
        boxes->found[boxes->count++] = (struct box){*rect, weight};
}

/* The rectangle's edges with nothing between them. */
static struct borders edges_of(const struct view_rect *rect, bool columns)
{
    uint32_t start = columns ? rect->left : rect->top;
    uint32_t length = columns ? rect->width : rect->height;

    return (struct borders){.count = 2, .at = {{start, 255}, {start + length, 255}}};
}

static struct borders borders_of(const struct view_rect *rect, bool columns, const struct cuts *cuts)
{
    struct borders borders = edges_of(rect, columns);
    struct cut last = borders.at[1];

    for (unsigned int i = 0; i < cuts->count; i++)
        borders.at[1 + i] = cuts->at[i];
    borders.count = cuts->count + 2;
    borders.at[borders.count - 1] = last;
    return borders;
}

static unsigned int lesser(unsigned int a, unsigned int b)
{
    return a < b ? a : b;
}

/* A strip of a rectangle between two borders. */
struct strip {
    struct view_rect rect;
    unsigned int jump; /* of the weaker border */
    bool whole;        /* the borders are the rectangle's own edges */
};

/* Returns false for one that is too narrow to hold a picture. */
static bool strip_between(const struct boxes *boxes, const struct view_rect *rect, bool columns,
                          const struct borders *borders, unsigned int i, unsigned int k, struct strip *strip)
{
    uint32_t least = (columns ? boxes->picture->width : boxes->picture->height) / BOX_SHARE;
    uint32_t length = borders->at[k].at - borders->at[i].at;

    *strip = (struct strip){*rect, lesser(borders->at[i].jump, borders->at[k].jump),
                            i == 0 && k + 1 == borders->count};
    *(columns ? &strip->rect.left : &strip->rect.top) = borders->at[i].at;
    *(columns ? &strip->rect.width : &strip->rect.height) = length;
    return length >= least;
}

static void note_strips(struct boxes *boxes, const struct view_rect *rect, bool columns, unsigned int jump,
                        const struct cuts *cuts)
{
    const struct borders borders = borders_of(rect, columns, cuts);
    struct strip strip;

    for (unsigned int i = 0; i + 1 < borders.count; i++)
        for (unsigned int k = i + 1; k < borders.count; k++)
            if (strip_between(boxes, rect, columns, &borders, i, k, &strip) && !strip.whole)
                note_box(boxes, &strip.rect, lesser(jump, strip.jump));
}

/* The cuts of a whole rectangle, by whether they are between columns. */
struct whole_cuts {
    struct cuts of[2];
};

/* Goes through the strips between any two borders, and in each through the strips the other way. */
static void split(struct boxes *boxes, const struct view_rect *rect, bool columns,
                  const struct whole_cuts *whole)
{
    const struct borders borders = borders_of(rect, columns, &whole->of[columns]);
    struct strip_cuts cuts;

    if (borders.count == 2)
        cuts.of[0][1] = whole->of[!columns];
    else
        cuts_find(boxes->picture, rect, !columns, &borders, &cuts);
    for (unsigned int i = 0; i + 1 < borders.count; i++) {
        for (unsigned int k = i + 1; k < borders.count; k++) {
            struct strip strip;
            if (!strip_between(boxes, rect, columns, &borders, i, k, &strip))
                continue;
            if (!strip.whole)
                note_box(boxes, &strip.rect, strip.jump);
            note_strips(boxes, &strip.rect, !columns, strip.jump, &cuts.of[i][k]);
        }
    }
}

static void find_boxes(struct boxes *boxes, const struct view_rect *rect)
{
    struct whole_cuts whole;
    struct strip_cuts cuts;

    for (int columns = 0; columns < 2; columns++) {
        const struct borders across = edges_of(rect, columns == 0);
        cuts_find(boxes->picture, rect, columns != 0, &across, &cuts);
        whole.of[columns] = cuts.of[0][1];
    }
    split(boxes, rect, false, &whole);
    split(boxes, rect, true, &whole);
}

/* Heaviest first. Not qsort(): the C library's asks the kernel about memory, which a worker must not. */
static void sort_boxes(struct boxes *boxes)
{
    for (unsigned int i = 1; i < boxes->count; i++) {
        struct box box = boxes->found[i];
        unsigned int at = i;
        for (; at > 0 && boxes->found[at - 1].weight < box.weight; at--)
            boxes->found[at] = boxes->found[at - 1];
        boxes->found[at] = box;
    }
}

static int add_box(struct derivation *derivation, const struct box *box)
{
    struct view_rect inner = box->rect;
    int status = derivation_add_rect(derivation, VIEW_BOX, &box->rect);

    if (status == 0 && lines_peel(derivation->source->picture, &inner))
        status = derivation_add_rect(derivation, VIEW_BOX, &inner);
    return status;
}

static int add_boxes(struct derivation *derivation, struct boxes *boxes, unsigned int boxes_max)
{
    unsigned int limit = derivation->count + boxes_max;
    int status = 0;

    sort_boxes(boxes);
    for (unsigned int i = 0; status == 0 && i < boxes->count && derivation->count < limit; i++)
        status = add_box(derivation, &boxes->found[i]);
    return status;
}

/* Borders that somebody adds are as wide on both sides, or on all four; what else was peeled was the
 * picture's own.
 */
static int add_even_margins(struct derivation *derivation, const struct view_rect *rect)
{
    struct pdq_area inner = lines_refine(derivation->source->picture, rect);
    struct pdq_area whole = derivation_extent(derivation);
    double across = fmin(inner.left, whole.right - inner.right);
    double down = fmin(inner.top, whole.bottom - inner.bottom);
    double all = fmin(across, down);
    const struct pdq_area even[] = {
        {all, all, whole.right - all, whole.bottom - all},
        {across, 0, whole.right - across, whole.bottom},
        {0, down, whole.right, whole.bottom - down},
        {across, down, whole.right - across, whole.bottom - down},
    };
    int status = 0;

    for (size_t i = 0; status == 0 && i < sizeof even / sizeof even[0]; i++)
        status = derivation_add_area(derivation, VIEW_PEELED, &even[i]);
    return status;
}

static int peel_margins(struct derivation *derivation)
{
    const struct luma_picture *picture = derivation->source->picture;
    struct view_rect inner = derivation_whole(derivation);
    int status = 0;

    for (int margin = 0; status == 0 && margin < MARGINS_MAX && lines_peel(picture, &inner); margin++) {
        status = derivation_add_rect(derivation, VIEW_PEELED, &inner);
        if (status == 0 && margin == 0)
            status = add_even_margins(derivation, &inner);
    }
    return status;
}

/* What stands out from a background of one colour, or from a blurred one, on which it is mostly in the
 * middle. */
static int add_foregrounds(struct derivation *derivation)
{
    const struct luma_picture *picture = derivation->source->picture;
    struct view_rect content = derivation_whole(derivation);
    struct view_rect sharp = content;
    int status = 0;

    if (lines_find_content(picture, &content))
        status = derivation_add_rect(derivation, VIEW_BOX, &content);
    if (status == 0 && lines_find_sharp(picture, &sharp)) {
        status = derivation_add_rect(derivation, VIEW_BOX, &sharp);
        if (status == 0)
            status = add_even_margins(derivation, &sharp);
    }
    return status;
}

int boxes_derive(struct derivation *derivation, unsigned int boxes_max)
{
    struct boxes boxes = {.picture = derivation->source->picture};
    struct view_rect whole = derivation_whole(derivation);
    int status = peel_margins(derivation);

    if (status == 0)
        status = add_foregrounds(derivation);
    if (status != 0)
        return status;
    find_boxes(&boxes, &whole);
    return add_boxes(derivation, &boxes, boxes_max);
}
