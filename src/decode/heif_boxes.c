#include "heif_boxes.h"

#include <string.h>

enum {
    TYPE_SIZE = 4,
    /* Each is eight bytes or more; a real file has a handful. */
    BOXES_MAX = 4096,
    /* From the file down to a track's table of samples: moov, trak, mdia, minf, stbl, stsz. */
    DEPTH_MAX = 6,
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

void heif_survey_boxes(const uint8_t *data, size_t size, struct heif_survey *survey)
{
    /* What may stand outermost in such a file; anything else is another file that follows. */
    static const char known[] = "ftypmetamdatmoovfreeskipuuidmoofmfrastypsidxpdinwideudtaidatjunkpnot";
    struct range range = {data, size, 0};
    struct box box;

    *survey = (struct heif_survey){.end = 0};
    for (int seen = 0; seen < BOXES_MAX && !survey->cut; seen++) {
        if (!next_box(&range, &box) || !is_type(&box, known))
            break;
        survey->end = range.at;
        survey->cut = box.cut;
        if (is_type(&box, "moov")) {
            survey->sequence = true;
            survey->sequence_frames = count_samples(&box);
        }
    }
}
