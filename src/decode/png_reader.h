/* libpng's push reader, held to a job's limits: chunks go in, rows come out at the job's sink. It is used as
 * browsers use it: rows arrive as soon as their data does, and what follows the last row is not inflated. */
#ifndef PRESCREEN_SRC_DECODE_PNG_READER_H
#define PRESCREEN_SRC_DECODE_PNG_READER_H

#include "codec.h"

#include <png.h>

struct png_reader {
    const struct codec_job *job;
    uint32_t frames; /* to report once the header is accepted */
    png_structp library;
    png_infop info;
    struct picture_shape shape;
    uint64_t memory_left; /* of the job's limit */
    bool out_of_memory;
    bool gave_up; /* there is no library, or it must not be shown more after an error */
    bool interlaced;
    uint8_t *frame; /* of an interlaced picture, whose rows arrive several times */
    size_t row_bytes;
    uint32_t rows; /* that have arrived: delivered, or begun in the frame */
    int status;    /* of the sink */
};

/* Starts a picture of which nothing has been shown yet. frames is what the report is to say.
 * Returns false, the reason noted, when memory is short. Ownership: ended by png_reader_end(), also then. */
bool png_reader_begin(struct png_reader *reader, const struct codec_job *job, uint32_t frames);

/* Shows it more of the stream. Returns false when libpng or the sink gave up, now or before. */
bool png_reader_push(struct png_reader *reader, const uint8_t *bytes, size_t size);

/* Ends the picture: delivers an interlaced one (where a pass is missing, pixels repeat those of the passes
 * before) and notes when it is not complete. Returns what the sink returned, or 0. */
int png_reader_end(struct png_reader *reader);

#endif
