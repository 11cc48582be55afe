/* The chunks of a PNG file. Source: PNG 3rd edition, sections 5 and 11. */
#ifndef PRESCREEN_SRC_DECODE_PNG_CHUNKS_H
#define PRESCREEN_SRC_DECODE_PNG_CHUNKS_H

#include "codec.h"

enum { PNG_SIGNATURE_BYTES = 8, PNG_CHUNK_HEAD_BYTES = 8, PNG_CHUNK_CRC_BYTES = 4 };

/* A chunk of the file, or as much of it as is there. */
struct png_chunk {
    const uint8_t *start; /* its length field */
    size_t present;       /* bytes from start */
    const uint8_t *payload;
    size_t payload_present;
    bool whole;
};

uint32_t png_read_be32(const uint8_t *at);

bool png_is_chunk(const struct png_chunk *chunk, const char *type);

/* Reads the chunk at *at and moves past it. Returns false when the file ends before the chunk's type. */
bool png_next_chunk(const struct codec_job *job, size_t *at, struct png_chunk *chunk);

/* An ancillary chunk that cannot change the pixels, so that libpng need not see it: no profile to inflate, no
 * text to keep. What does not even look like a chunk's type is left for libpng to refuse. */
bool png_is_decoration(const struct png_chunk *chunk);

struct png_survey {
    bool animated; /* with a frame at least */
    bool
        hidden_default; /* the picture in IDAT is none of the animation's: shown by decoders that know none */
    uint32_t frames; /* that are there, whatever acTL claims, that picture included; 1 where nothing moves */
    size_t end;      /* after IEND, or the end of the file */
};

/* Counts the frames, finds the end and reads EXIF into the report. */
void png_survey_chunks(const struct codec_job *job, struct png_survey *survey);

/* Decodes the frames of an animation onto its canvas: numbers from first on, of frames in the file. Returns
 * what the sink returned, or 0. */
int png_animation_decode(const struct codec_job *job, uint32_t frames, uint32_t first);

#endif
