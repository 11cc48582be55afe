#include "animation.h"
#include "codec_limits.h"
#include "webp_chunks.h"

#include <errno.h>

enum { FRAME_HEAD_BYTES = 16, FLAG_CLEARS = 1, FLAG_REPLACES = 2 };

/* What the head of a frame says. */
struct frame {
    struct animation_rect rect;
    enum animation_disposal disposal;
    enum animation_blend blend;
    const uint8_t *bitstream;
    size_t bitstream_size;
};

/* Reads a frame's head. Returns false, the reason noted, when it is cut or the frame reaches beyond the
 * canvas. */
static bool read_frame(const struct codec_job *job, const struct webp_chunk *chunk, struct frame *frame)
{
    const uint8_t *head = chunk->payload;

    if (chunk->payload_present <= FRAME_HEAD_BYTES) {
        codec_refuse(job, REASON_MEDIA_CORRUPT, "a frame of an animation is cut");
        return false;
    }
    frame->rect = (struct animation_rect){2 * webp_read_le24(head), 2 * webp_read_le24(head + 3),
                                          webp_read_le24(head + 6) + 1, webp_read_le24(head + 9) + 1};
    frame->disposal = (head[15] & FLAG_CLEARS) != 0 ? DISPOSE_CLEAR : DISPOSE_KEEP;
    frame->blend = (head[15] & FLAG_REPLACES) != 0 ? BLEND_REPLACE : BLEND_OVER;
    frame->bitstream = head + FRAME_HEAD_BYTES;
    frame->bitstream_size = chunk->payload_present - FRAME_HEAD_BYTES;
    if (frame->rect.left + frame->rect.width <= job->report->width &&
        frame->rect.top + frame->rect.height <= job->report->height)
        return true;
    codec_refuse(job, REASON_MEDIA_CORRUPT, "a frame reaches beyond its canvas");
    return false;
}

/* Starts libwebp on the frame's bitstream. Returns NULL, the reason noted, when it cannot. */
static WebPIDecoder *open_frame(const struct codec_job *job, const struct frame *frame,
                                WebPDecoderConfig *config)
{
    WebPBitstreamFeatures features;
    VP8StatusCode status = WebPGetFeatures(frame->bitstream, frame->bitstream_size, &features);

    if (status == VP8_STATUS_OK &&
        ((uint32_t)features.width != frame->rect.width || (uint32_t)features.height != frame->rect.height ||
         features.has_animation))
        status = VP8_STATUS_BITSTREAM_ERROR;
    if (status != VP8_STATUS_OK) {
        webp_refuse(job, status);
        return NULL;
    }
    /* The canvas is never smaller than the frame. */
    if (!codec_accept_memory(job, (uint64_t)job->report->width * job->report->height,
                             CODEC_ANIMATION_PIXEL_BYTES + CODEC_WEBP_FRAME_PIXEL_BYTES))
        return NULL;
    config->output.colorspace = MODE_RGBA;
    WebPIDecoder *library = WebPIDecode(NULL, 0, config);
    if (library == NULL)
        webp_refuse(job, VP8_STATUS_OUT_OF_MEMORY);
    return library;
}

/* Draws the rows that libwebp has. Returns how many. */
static uint32_t draw_rows(struct animation *animation, WebPIDecoder *library, uint32_t width)
{
    int rows = 0;
    int stride = 0;
    const uint8_t *pixels = WebPIDecGetRGB(library, &rows, NULL, NULL, &stride);

    for (int y = 0; pixels != NULL && y < rows; y++)
        animation_draw_row(animation, (uint32_t)y, pixels + (size_t)y * (size_t)stride, width);
    return pixels == NULL || rows < 0 ? 0 : (uint32_t)rows;
}

/* Draws one frame as far as its data goes. Returns whether anything was drawn. */
static bool draw_frame(struct animation *animation, const struct frame *frame)
{
    const struct codec_job *job = animation->job;
    WebPDecoderConfig config;
    uint32_t rows = 0;

    if (!WebPInitDecoderConfig(&config))
        return false;
    WebPIDecoder *library = open_frame(job, frame, &config);
    if (library == NULL || !animation_begin_frame(animation, frame->rect, frame->disposal, frame->blend)) {
        WebPIDelete(library);
        return false;
    }
    errno = 0;
    VP8StatusCode status = WebPIUpdate(library, frame->bitstream, frame->bitstream_size);
    if (status != VP8_STATUS_OK)
        webp_refuse(job, errno == ENOMEM ? VP8_STATUS_OUT_OF_MEMORY : status);
    rows = draw_rows(animation, library, frame->rect.width);
    WebPIDelete(library);
    WebPFreeDecBuffer(&config.output);
    return rows > 0;
}

int webp_animation_decode(const struct codec_job *job)
{
    struct animation animation;
    struct webp_chunk chunk;
    struct frame frame;
    uint32_t number = 0;
    int status = 0;

    if (!animation_begin(&animation, job, job->report->width, job->report->height)) {
        animation_end(&animation);
        return 0;
    }
    for (size_t at = 12; status == 0 && webp_next_chunk(job, &at, &chunk);) {
        if (!webp_is_chunk(&chunk, "ANMF"))
            continue;
        if (read_frame(job, &chunk, &frame) && draw_frame(&animation, &frame))
            status = animation_deliver(&animation, number);
        number++;
    }
    if (number == 0)
        codec_refuse(job, REASON_MEDIA_CORRUPT, "an animation without a frame");
    animation_end(&animation);
    return status;
}
