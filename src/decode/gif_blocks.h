/* The blocks of a GIF, walked without decoding. */
#ifndef PRESCREEN_SRC_DECODE_GIF_BLOCKS_H
#define PRESCREEN_SRC_DECODE_GIF_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gif_survey {
    uint32_t screen_width, screen_height; /* of the logical screen; 0 where the file says so */
    uint32_t first_right, first_bottom;   /* how far the first frame reaches; 0 when there is none */
    uint32_t frames;                      /* whose head is there */
    size_t end;                           /* after the trailer, or where the walk ended without one */
    bool cut;                             /* it ended in the middle of a block, or at bytes that are none */
};

/* Walks data, whose signature was recognised. Returns false when it ends inside the header. Cost: one look at
 * each block. Source: CompuServe, GIF89a, sections 17 to 27. */
bool gif_survey_blocks(const uint8_t *data, size_t size, struct gif_survey *survey);

#endif
