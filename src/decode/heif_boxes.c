#include "heif_boxes.h"

#include <string.h>

enum {
    TYPE_SIZE = 4,
    /* Each is eight bytes or more; a real file has a handful. */
    BOXES_MAX = 4096,
    /* From the file down to a track's table of samples: moov, trak, mdia, minf, stbl, stsz. */
    DEPTH_MAX = 6,
    /* A grid, its tiles, their transparency: real files take three. */
    STEPS_MAX = 8,
    /* Of one file: a grid of a hundred megapixels has some hundred tiles. */
    REFERENCES_MAX = 100000,
    /* Numbers of items are taken modulo this; more than the older boxes can hold are not seen in practice. */
    ITEMS = 1 << 16,
};

/* A stretch of boxes that is being walked. */
struct range {
    const uint8_t *data;
    size_t size;
    size_t at;
};

struct box {
    const uint8_t *type;
    const uint8_t *content;
    size_t content_size; /* as much of it as is there */
    bool cut;
};

static uint32_t read_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Reads the box at range->at and moves past it. Returns false when there is no head of one. */
static bool next_box(struct range *range, struct box *box)
{
    size_t left = range->size - range->at;
    const uint8_t *start = range->data + range->at;
    size_t head = 8;

    if (left < head)
        return false;
    uint64_t length = read_be32(start);
    if (length == 1) {
        head = 16;
        if (left < head)
            return false;
        length = (uint64_t)read_be32(start + 8) << 32 | read_be32(start + 12);
    } else if (length == 0) {
        length = left;
    }
    if (length < head)
        return false;
    box->type = start + 4;
    box->content = start + head;
    box->cut = length > left;
    size_t present = box->cut ? left : (size_t)length;
    box->content_size = present - head;
    range->at += present;
    return true;
}

static bool is_type(const struct box *box, const char *types)
{
    for (; *types != '\0'; types += TYPE_SIZE) {
        if (memcmp(box->type, types, TYPE_SIZE) == 0)
            return true;
    }
    return false;
}

/* The largest count of samples of any track in a moov box. */
static uint32_t count_samples(const struct box *moov)
{
    struct range open[DEPTH_MAX] = {{moov->content, moov->content_size, 0}};
    struct box box;
    uint32_t most = 0;
    int depth = 0;

    for (int seen = 0; depth >= 0 && seen < BOXES_MAX; seen++) {
        if (!next_box(&open[depth], &box)) {
            depth--;
            continue;
        }
        if (is_type(&box, "trakmdiaminfstbl") && depth + 1 < DEPTH_MAX)
            open[++depth] = (struct range){box.content, box.content_size, 0};
        else if (is_type(&box, "stsz") && box.content_size >= 12 && read_be32(box.content + 8) > most)
            most = read_be32(box.content + 8);
    }
    return most;
}

static bool is_printable(const uint8_t *type)
{
    for (int i = 0; i < TYPE_SIZE; i++) {
        if (type[i] < 0x20 || type[i] > 0x7e)
            return false;
    }
    return true;
}

/* Whether the box belongs to the file that began before it: a second ftyp begins another. One that goes on
 * past the end is believed to be cut only when it is of a type that is known here. */
static bool goes_on(const struct box *box, bool first)
{
    if (is_type(box, "ftyp"))
        return first;
    return box->cut ? is_type(box, "metamdatmoovfreeskipuuidmoof") : is_printable(box->type);
}

void heif_survey_boxes(const uint8_t *data, size_t size, struct heif_survey *survey)
{
    struct range range = {data, size, 0};
    struct box box;

    *survey = (struct heif_survey){.end = 0};
    for (int seen = 0; seen < BOXES_MAX && !survey->cut; seen++) {
        if (!next_box(&range, &box) || !goes_on(&box, seen == 0))
            break;
        survey->end = range.at;
        survey->cut = box.cut;
        if (is_type(&box, "moov")) {
            survey->sequence = true;
            survey->sequence_frames = count_samples(&box);
        }
    }
}

/* Items, each a bit. */
struct item_set {
    uint8_t bits[ITEMS / 8];
};

static bool has_item(const struct item_set *set, uint32_t item)
{
    return (set->bits[item % ITEMS / 8] >> (item % 8) & 1) != 0;
}

static void add_item(struct item_set *set, uint32_t item)
{
    set->bits[item % ITEMS / 8] |= (uint8_t)(1U << (item % 8));
}

/* Finds the next box of the type. Returns false when there is none. */
static bool find_box(struct range *range, const char *type, struct box *box)
{
    while (next_box(range, box)) {
        if (is_type(box, type))
            return true;
    }
    return false;
}

static uint32_t read_item(const uint8_t *at, size_t width)
{
    return width == 4 ? read_be32(at) : (uint32_t)at[0] << 8 | at[1];
}

/* Adds to next the items that those of here are directly made of. Returns the references that were read. */
static size_t follow_reference(const struct box *box, size_t width, const struct item_set *here,
                               struct item_set *next)
{
    bool made_of = is_type(box, "dimg");

    if (box->content_size < width + 2 || !(made_of || is_type(box, "auxl")))
        return 1;
    uint32_t from = read_item(box->content, width);
    size_t count = read_item(box->content + width, 2);
    size_t present = (box->content_size - width - 2) / width;
    for (size_t i = 0; i < count && i < present; i++) {
        uint32_t to = read_item(box->content + width + 2 + i * width, width);
        uint32_t whole = made_of ? from : to; /* transparency refers to what it belongs to */
        if (has_item(here, whole))
            add_item(next, made_of ? to : from);
    }
    return count + 1;
}

/* One step along all references. Returns false when there are more than the limit. */
static bool follow_references(const struct box *references, const struct item_set *here,
                              struct item_set *next)
{
    size_t width = references->content[0] == 0 ? 2 : 4;
    struct range range = {references->content, references->content_size, 4};
    struct box box;
    size_t seen = 0;

    memset(next, 0, sizeof *next);
    while (seen <= REFERENCES_MAX && next_box(&range, &box))
        seen += follow_reference(&box, width, here, next);
    return seen <= REFERENCES_MAX;
}

static bool is_empty(const struct item_set *set)
{
    static const struct item_set empty;

    return memcmp(set, &empty, sizeof empty) == 0;
}

static bool references_end(const struct box *references)
{
    struct item_set sets[2];

    memset(&sets[0], 0xff, sizeof sets[0]);
    for (int step = 0; step < STEPS_MAX; step++) {
        if (!follow_references(references, &sets[step % 2], &sets[(step + 1) % 2]))
            return false;
        if (is_empty(&sets[(step + 1) % 2]))
            return true;
    }
    return false;
}

bool heif_references_end(const uint8_t *data, size_t size)
{
    struct range file = {data, size, 0};
    struct box meta;
    struct box references;

    while (find_box(&file, "meta", &meta)) {
        struct range inside = {meta.content, meta.content_size, 4};
        while (meta.content_size >= 4 && find_box(&inside, "iref", &references)) {
            if (references.content_size >= 4 && !references_end(&references))
                return false;
        }
    }
    return true;
}
