/* The chunks of a WebP file, and what libwebp says of them. Source: RFC 9649 section 2. */
#ifndef PRESCREEN_SRC_DECODE_WEBP_CHUNKS_H
#define PRESCREEN_SRC_DECODE_WEBP_CHUNKS_H

#include "codec.h"

#include <webp/decode.h>

struct webp_chunk {
    const uint8_t *start;
    const uint8_t *payload;
    size_t payload_present; /* as much of it as is in the file */
};

uint32_t webp_read_le24(const uint8_t *at);
uint32_t webp_read_le32(const uint8_t *at);

/* Where the RIFF file ends in the job's data, which may go on after it or be cut before. The recogniser has
 * seen 12 bytes. */
size_t webp_riff_end(const struct codec_job *job);

/* Reads the chunk at *at and moves past it. Returns false when the file ends before its head does. */
bool webp_next_chunk(const struct codec_job *job, size_t *at, struct webp_chunk *chunk);

bool webp_is_chunk(const struct webp_chunk *chunk, const char *type);

/* Adds why libwebp gave up. */
void webp_refuse(const struct codec_job *job, VP8StatusCode status);

/* Decodes every frame of an animation onto its canvas, whose size has been accepted and whose frames have
 * been counted. Returns what the sink returned, or 0. */
int webp_animation_decode(const struct codec_job *job);

#endif
