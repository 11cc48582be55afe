#include "lines.h"

#include <string.h>

enum {
    LEVELS = 256,
    LONG_LINE = 192,
    /* Between the 5th and the 95th percentile of a line that is one colour but for what compression did. */
    UNIFORM_RANGE = 14,
    /* What is left of a side after peeling is at least one part in so many. */
    PEEL_SHARE = 5,
    /* A background is this near one level, at least one part in so many of the picture, and of each of its
       lines. */
    BACKGROUND_RANGE = 6,
    BACKGROUND_SHARE = 8,
    BACKGROUND_LINE_SHARE = 4,
    /* A step along a blurred line, and the part of its steps that may be larger. */
    BLURRED_STEP = 6,
    SHARP_SHARE = 50,
};

/* How a line lies in the picture: row or column number at of the rectangle. Of a long one every other sample
 * is enough for what is asked of it. */
struct line {
    const uint8_t *first;
    size_t step;
    uint32_t count;
};

static struct line line_at(const struct luma_picture *picture, const struct view_rect *rect, bool column,
                           uint32_t at)
{
    const uint8_t *corner = picture->samples + (size_t)rect->top * picture->width + rect->left;
    struct line line = {corner + (size_t)at * picture->width, 1, rect->width};

    if (column)
        line = (struct line){corner + at, picture->width, rect->height};
    if (line.count >= LONG_LINE) {
        line.step *= 2;
        line.count /= 2;
    }
    return line;
}

/* The value below which so many of the counted values lie. */
static unsigned int value_at(const uint32_t counts[LEVELS], uint32_t below)
{
    uint32_t passed = 0;
    unsigned int value = 0;

    while (value < LEVELS - 1 && passed + counts[value] <= below)
        passed += counts[value++];
    return value;
}

/* What one colour a line is, as its median; NO_COLOUR when it is of several. */
enum { NO_COLOUR = -1 };

static int colour_of(struct line line)
{
    uint32_t counts[LEVELS] = {0};

    for (uint32_t i = 0; i < line.count; i++)
        counts[line.first[i * line.step]]++;
    unsigned int high = value_at(counts, line.count - 1 - line.count / 20);
    unsigned int low = value_at(counts, line.count / 20);
    return high - low <= UNIFORM_RANGE ? (int)value_at(counts, line.count / 2) : NO_COLOUR;
}

/* One side of a rectangle. */
enum side { SIDE_TOP, SIDE_BOTTOM, SIDE_LEFT, SIDE_RIGHT, SIDE_COUNT };

static bool is_margin(int colour, int *margin)
{
    if (colour == NO_COLOUR)
        return false;
    if (*margin == NO_COLOUR)
        *margin = colour;
    return colour - *margin <= UNIFORM_RANGE && *margin - colour <= UNIFORM_RANGE;
}

static bool peel_side(const struct luma_picture *picture, struct view_rect *rect, enum side side, int *margin)
{
    bool column = side == SIDE_LEFT || side == SIDE_RIGHT;
    bool first = side == SIDE_TOP || side == SIDE_LEFT;
    uint32_t *length = column ? &rect->width : &rect->height;
    uint32_t *start = column ? &rect->left : &rect->top;
    uint32_t least = (column ? picture->width : picture->height) / PEEL_SHARE + 1;
    uint32_t before = *length;

    while (*length > least &&
           is_margin(colour_of(line_at(picture, rect, column, first ? 0 : *length - 1)), margin)) {
        (*length)--;
        *start += first;
    }
    return *length != before;
}

bool lines_peel(const struct luma_picture *picture, struct view_rect *rect)
{
    int margins[SIDE_COUNT] = {NO_COLOUR, NO_COLOUR, NO_COLOUR, NO_COLOUR};
    bool any = false;
    bool again = true;

    while (again) {
        again = false;
        for (int side = 0; side < SIDE_COUNT; side++)
            again = peel_side(picture, rect, (enum side)side, &margins[side]) || again;
        any = any || again;
    }
    return any;
}

/* The level around which most samples of the rectangle lie, and whether they are many enough to be a
 * background. */
static bool find_background(const struct luma_picture *picture, const struct view_rect *rect,
                            unsigned int *level)
{
    uint32_t counts[LEVELS] = {0};
    uint32_t most = 0;
    uint32_t samples = 0;

    for (uint32_t y = 0; y < rect->height; y++) {
        struct line line = line_at(picture, rect, false, y);
        for (uint32_t x = 0; x < line.count; x++)
            counts[line.first[x * line.step]]++;
        samples += line.count;
    }
    for (unsigned int i = 0; i + 2 * BACKGROUND_RANGE < LEVELS; i++) {
        uint32_t sum = 0;
        for (unsigned int k = 0; k <= 2 * BACKGROUND_RANGE; k++)
            sum += counts[i + k];
        if (sum > most) {
            most = sum;
            *level = i + BACKGROUND_RANGE;
        }
    }
    return most > samples / BACKGROUND_SHARE;
}

static bool is_background(struct line line, unsigned int level)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < line.count; i++) {
        int difference = line.first[i * line.step] - (int)level;
        count += difference <= BACKGROUND_RANGE && difference >= -BACKGROUND_RANGE;
    }
    return count > line.count / BACKGROUND_LINE_SHARE;
}

/* Whether a line shows what is to be left out. */
typedef bool line_test(struct line line, unsigned int level);

/* Narrows the rectangle to its longest run of rows, or columns, that pass no test. */
static bool narrow(const struct luma_picture *picture, struct view_rect *rect, bool columns,
                   line_test *is_out, unsigned int level)
{
    uint32_t *start = columns ? &rect->left : &rect->top;
    uint32_t *length = columns ? &rect->width : &rect->height;
    uint32_t run = 0;
    uint32_t longest = 0;
    uint32_t end = 0;

    for (uint32_t i = 0; i < *length; i++) {
        run = is_out(line_at(picture, rect, columns, i), level) ? 0 : run + 1;
        if (run > longest) {
            longest = run;
            end = i + 1;
        }
    }
    if (longest == *length || longest == 0)
        return false;
    *start += end - longest;
    *length = longest;
    return true;
}

static bool narrow_all(const struct luma_picture *picture, struct view_rect *rect, line_test *is_out,
                       unsigned int level)
{
    bool narrowed = narrow(picture, rect, false, is_out, level);

    narrowed = narrow(picture, rect, true, is_out, level) || narrowed;
    return narrow(picture, rect, false, is_out, level) || narrowed;
}

bool lines_find_content(const struct luma_picture *picture, struct view_rect *rect)
{
    unsigned int level = 0;

    return find_background(picture, rect, &level) && narrow_all(picture, rect, is_background, level);
}

/* Hardly any step along the line is one that a blur would have left. */
static bool is_blurred(struct line line, unsigned int level)
{
    uint32_t sharp = 0;

    (void)level;
    for (uint32_t i = 1; i < line.count; i++) {
        int difference = line.first[i * line.step] - line.first[(i - 1) * line.step];
        sharp += difference > BLURRED_STEP || difference < -BLURRED_STEP;
    }
    return sharp <= line.count / SHARP_SHARE;
}

bool lines_find_sharp(const struct luma_picture *picture, struct view_rect *rect)
{
    return narrow_all(picture, rect, is_blurred, 0);
}

/* How much of the line is like before, the rest being like after: by least squares, from 0 to 1. */
static double share_of(struct line before, struct line line, struct line after)
{
    int64_t both = 0;
    int64_t all = 0;

    for (uint32_t i = 0; i < line.count; i++) {
        int beyond = after.first[i * after.step];
        int difference = before.first[i * before.step] - beyond;
        both += (int64_t)difference * (line.first[i * line.step] - beyond);
        all += (int64_t)difference * difference;
    }
    if (both <= 0)
        return 0;
    return both >= all ? 1 : (double)both / (double)all;
}

/* The edge before row, or column, at of the picture, along the rectangle. end is where the picture's last one
 * ends. */
static double refine_edge(const struct luma_picture *picture, const struct view_rect *rect, bool columns,
                          uint32_t at, double end)
{
    struct view_rect along = *rect;
    uint32_t length = columns ? picture->width : picture->height;

    if (at == 0 || at >= length)
        return at == 0 ? 0 : end;
    *(columns ? &along.left : &along.top) = 0;
    uint32_t before = at >= 2 ? at - 2 : at - 1;
    uint32_t after = at + 1 < length ? at + 1 : at;
    double edge = before + 1;
    for (uint32_t i = before + 1; i < after; i++)
        edge += share_of(line_at(picture, &along, columns, before), line_at(picture, &along, columns, i),
                         line_at(picture, &along, columns, after));
    return edge;
}

struct pdq_area lines_refine(const struct luma_picture *picture, const struct view_rect *rect)
{
    struct pdq_area extent = luma_picture_extent(picture);

    return (struct pdq_area){
        .left = refine_edge(picture, rect, true, rect->left, extent.right),
        .top = refine_edge(picture, rect, false, rect->top, extent.bottom),
        .right = refine_edge(picture, rect, true, rect->left + rect->width, extent.right),
        .bottom = refine_edge(picture, rect, false, rect->top + rect->height, extent.bottom),
    };
}
