#include "cuts.h"

#include <string.h>

enum {
    LEVELS = 256,
    SEGMENTS_MAX = BORDERS_MAX - 1,
    STRIPS_MAX = BORDERS_MAX * (BORDERS_MAX - 1) / 2,
    /* Of a line that is not parted every other sample is enough from here on. */
    LONG_LINE = 192,
    /* The least jump of a cut. */
    JUMP_MIN = 6,
    /* How many times the ordinary change between lines it must be. */
    JUMP_FACTOR = 3,
    /* Lines around a cut in which there is no other. */
    CUT_APART = 3,
};

/* The lines of a rectangle, all rows or all columns, and where they are parted. */
struct field {
    const uint8_t *corner;
    size_t line_step, sample_step;
    uint32_t lines, first_line; /* how many; the place of the first one in the picture */
    uint32_t stride;            /* which samples of a line are looked at */
    unsigned int segments;
    uint32_t ends[BORDERS_MAX]; /* borders[i] from the rectangle's edge; the first is 0 */
};

/* How often each difference between two lines occurs, by segment. */
struct tally {
    uint16_t counts[LEVELS][SEGMENTS_MAX];
};

/* One strip: segments from first to before end. */
struct strip {
    unsigned int first, end;
    uint8_t jumps[SKETCH_EDGE_MAX + 1];
};

static struct field make_field(const struct luma_picture *picture, const struct view_rect *rect, bool columns,
                               const struct borders *borders)
{
    struct field field = {.corner = picture->samples + (size_t)rect->top * picture->width + rect->left,
                          .line_step = columns ? 1 : picture->width,
                          .sample_step = columns ? picture->width : 1,
                          .lines = columns ? rect->width : rect->height,
                          .first_line = columns ? rect->left : rect->top,
                          .stride = 1,
                          .segments = borders->count - 1};
    uint32_t length = columns ? rect->height : rect->width;

    for (unsigned int i = 0; i < borders->count; i++)
        field.ends[i] = borders->at[i].at - borders->at[0].at;
    if (borders->count == 2 && length >= LONG_LINE)
        field.stride = 2;
    return field;
}

/* Counts the differences between two lines. */
static void tally_lines(const struct field *field, uint32_t a, uint32_t b, struct tally *tally)
{
    const uint8_t *first = field->corner + a * field->line_step;
    const uint8_t *second = field->corner + b * field->line_step;

    memset(tally, 0, sizeof *tally);
    for (unsigned int s = 0; s < field->segments; s++) {
        for (uint32_t i = field->ends[s]; i < field->ends[s + 1]; i += field->stride) {
            int difference = first[i * field->sample_step] - second[i * field->sample_step];
            tally->counts[difference < 0 ? -difference : difference][s]++;
        }
    }
}

/* The 35th percentile of the differences within a strip. */
static unsigned int jump_of(const struct field *field, const struct tally *tally, const struct strip *strip)
{
    uint32_t length = field->ends[strip->end] - field->ends[strip->first];
    uint32_t below = (length + field->stride - 1) / field->stride * 35 / 100;
    uint32_t passed = 0;
    unsigned int value = 0;

    for (; value < LEVELS - 1; value++) {
        for (unsigned int s = strip->first; s < strip->end; s++)
            passed += tally->counts[value][s];
        if (passed > below)
            break;
    }
    return value;
}

/* The median of the jumps: what changes from line to line anyway. */
static unsigned int ordinary_jump(const uint8_t *jumps, uint32_t count)
{
    uint32_t counts[LEVELS] = {0};
    uint32_t passed = 0;
    unsigned int value = 0;

    for (uint32_t i = 0; i < count; i++)
        counts[jumps[i]]++;
    while (value < LEVELS - 1 && passed + counts[value] <= count / 2)
        passed += counts[value++];
    return value;
}

/* The strongest jump that is left; the ones around it are taken out with it. Returns false when there is
 * none. */
static bool take_strongest(uint8_t *jumps, uint32_t count, unsigned int least, struct cut *cut)
{
    uint32_t strongest = 0;

    for (uint32_t i = 1; i < count; i++) {
        if (jumps[i] > jumps[strongest])
            strongest = i;
    }
    if (jumps[strongest] < least)
        return false;
    cut->at = strongest;
    cut->jump = jumps[strongest];
    uint32_t from = strongest < CUT_APART ? 0 : strongest - CUT_APART;
    for (uint32_t i = from; i < count && i <= strongest + CUT_APART; i++)
        jumps[i] = 0;
    return true;
}

static void insert_cut(struct cuts *cuts, struct cut cut)
{
    unsigned int at = cuts->count++;

    for (; at > 0 && cuts->at[at - 1].at > cut.at; at--)
        cuts->at[at] = cuts->at[at - 1];
    cuts->at[at] = cut;
}

/* Whether more of the change across the line is behind it than before it. */
static bool changes_behind(const struct field *field, const struct strip *strip, uint32_t line,
                           struct tally *tally)
{
    tally_lines(field, line - 1, line, tally);
    unsigned int before = jump_of(field, tally, strip);
    tally_lines(field, line, line + 1, tally);
    return before < jump_of(field, tally, strip);
}

static void choose_cuts(const struct field *field, struct strip *strip, struct tally *tally,
                        struct cuts *cuts)
{
    unsigned int least = JUMP_FACTOR * ordinary_jump(strip->jumps, field->lines);
    struct cut cut;

    cuts->count = 0;
    if (least < JUMP_MIN)
        least = JUMP_MIN;
    while (cuts->count < CUTS_MAX && take_strongest(strip->jumps, field->lines, least, &cut)) {
        cut.at += changes_behind(field, strip, cut.at, tally);
        cut.at += field->first_line;
        insert_cut(cuts, cut);
    }
}

void cuts_find(const struct luma_picture *picture, const struct view_rect *rect, bool columns,
               const struct borders *borders, struct strip_cuts *found)
{
    const struct field field = make_field(picture, rect, columns, borders);
    struct strip strips[STRIPS_MAX];
    struct tally tally;
    unsigned int count = 0;

    memset(found, 0, sizeof *found);
    if (field.lines < 3 || field.lines > SKETCH_EDGE_MAX)
        return;
    for (unsigned int i = 0; i < field.segments; i++)
        for (unsigned int k = i + 1; k <= field.segments; k++)
            strips[count++] = (struct strip){.first = i, .end = k};
    /* Across two lines: a sketch smears an edge over the line that it runs through. */
    for (uint32_t line = 1; line + 1 < field.lines; line++) {
        tally_lines(&field, line - 1, line + 1, &tally);
        for (unsigned int i = 0; i < count; i++)
            strips[i].jumps[line] = (uint8_t)jump_of(&field, &tally, &strips[i]);
    }
    for (unsigned int i = 0; i < count; i++)
        choose_cuts(&field, &strips[i], &tally, &found->of[strips[i].first][strips[i].end]);
}
