#include "png_chunks.h"

#include <string.h>

uint32_t png_read_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

bool png_is_chunk(const struct png_chunk *chunk, const char *type)
{
    return memcmp(chunk->start + 4, type, 4) == 0;
}

bool png_next_chunk(const struct codec_job *job, size_t *at, struct png_chunk *chunk)
{
    const uint8_t *start = job->data + *at;
    size_t left = job->size - *at;

    if (left < PNG_CHUNK_HEAD_BYTES)
        return false;
    size_t length = png_read_be32(start);
    size_t after_head = left - PNG_CHUNK_HEAD_BYTES;
    chunk->start = start;
    chunk->whole = after_head >= PNG_CHUNK_CRC_BYTES && length <= after_head - PNG_CHUNK_CRC_BYTES;
    chunk->present = chunk->whole ? PNG_CHUNK_HEAD_BYTES + length + PNG_CHUNK_CRC_BYTES : left;
    chunk->payload = start + PNG_CHUNK_HEAD_BYTES;
    chunk->payload_present = length < after_head ? length : after_head;
    *at += chunk->present;
    return true;
}

bool png_is_decoration(const struct png_chunk *chunk)
{
    for (size_t i = 4; i < 8; i++) {
        uint8_t letter = chunk->start[i] | 0x20;
        if (letter < 'a' || letter > 'z')
            return false;
    }
    return (chunk->start[4] & 0x20) != 0 && !png_is_chunk(chunk, "tRNS");
}

void png_survey_chunks(const struct codec_job *job, struct png_survey *survey)
{
    struct png_chunk chunk;
    bool announced = false;
    bool in_idat = false;
    bool oriented = false;
    uint32_t frames = 0;

    *survey = (struct png_survey){.hidden_default = true, .frames = 1, .end = job->size};
    for (size_t at = PNG_SIGNATURE_BYTES; png_next_chunk(job, &at, &chunk);) {
        if (png_is_chunk(&chunk, "IDAT")) {
            in_idat = true;
        } else if (png_is_chunk(&chunk, "acTL") && !in_idat) {
            announced = true;
        } else if (png_is_chunk(&chunk, "fcTL")) {
            frames++;
            survey->hidden_default = survey->hidden_default && in_idat;
        } else if (png_is_chunk(&chunk, "eXIf") && !oriented) {
            oriented = true;
            codec_read_exif(job, chunk.payload, chunk.payload_present);
        } else if (png_is_chunk(&chunk, "IEND") && chunk.whole) {
            survey->end = at;
            break;
        }
    }
    survey->animated = announced && frames > 0;
    if (survey->animated)
        survey->frames = frames + (survey->hidden_default ? 1 : 0);
}
