#include "webp_chunks.h"

#include <string.h>

uint32_t webp_read_le24(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
}

uint32_t webp_read_le32(const uint8_t *at)
{
    return webp_read_le24(at) | (uint32_t)at[3] << 24;
}

size_t webp_riff_end(const struct codec_job *job)
{
    uint64_t end = (uint64_t)webp_read_le32(job->data + 4) + 8;

    return end < job->size ? (size_t)end : job->size;
}

bool webp_next_chunk(const struct codec_job *job, size_t *at, struct webp_chunk *chunk)
{
    size_t end = webp_riff_end(job);

    if (*at > end || end - *at < 8)
        return false;
    size_t left = end - *at - 8;
    size_t length = webp_read_le32(job->data + *at + 4);
    chunk->start = job->data + *at;
    chunk->payload = chunk->start + 8;
    chunk->payload_present = length < left ? length : left;
    *at += 8 + length + (length & 1);
    return true;
}

bool webp_is_chunk(const struct webp_chunk *chunk, const char *type)
{
    return memcmp(chunk->start, type, 4) == 0;
}

void webp_refuse(const struct codec_job *job, VP8StatusCode status)
{
    switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
        codec_refuse(job, REASON_MEDIA_LIMIT_MEMORY, "no memory to decode");
        break;
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        codec_refuse(job, REASON_MEDIA_UNSUPPORTED, "a bitstream that libwebp does not know");
        break;
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
        codec_refuse(job, REASON_MEDIA_CORRUPT, "the data ends before the picture");
        break;
    default:
        codec_refuse(job, REASON_MEDIA_CORRUPT, "not a valid bitstream");
    }
}
