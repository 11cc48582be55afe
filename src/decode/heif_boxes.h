/* What must be known of a HEIF file's boxes before libheif reads them. */
#ifndef PRESCREEN_SRC_DECODE_HEIF_BOXES_H
#define PRESCREEN_SRC_DECODE_HEIF_BOXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heif_survey {
    size_t end;               /* of the last box; what follows is no box of this format */
    bool cut;                 /* the last box goes on past the end of the file */
    bool sequence;            /* there is a moving picture as well */
    uint32_t sequence_frames; /* that its longest track claims */
};

/* Walks the boxes. Cost: reads their heads, at most a few thousand. Source: ISO/IEC 14496-12 sections 4.2 and
 * 8.1. */
void heif_survey_boxes(const uint8_t *data, size_t size, struct heif_survey *survey);

/* Whether no picture of the file is made of itself, nor of others in more than a few steps: libheif, which
 * follows the references by recursion, would run out of stack. Cost: a pass over the references for each
 * step. Source: ISO/IEC 14496-12 section 8.11.12, ISO/IEC 23008-12 sections 6.4 and 6.6. */
bool heif_references_end(const uint8_t *data, size_t size);

#endif
