#include "animation.h"
#include "codec_limits.h"
#include "png_chunks.h"
#include "png_reader.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Animated PNG, which libpng does not know: each frame is shown to it as a PNG of its own. Source: PNG 3rd
 * edition, sections 11.3.6 (acTL, fcTL, fdAT). */
enum { HEADER_BYTES = 13, CONTROL_BYTES = 26, SEQUENCE_BYTES = 4, RGBA = 4 };

struct png_animator {
    const struct codec_job *job;
    struct animation animation;
    const uint8_t *header;                  /* IHDR's payload */
    struct png_chunk palette, transparency; /* start NULL where there is none */
    uint32_t sequence;                      /* the number that comes next */
    uint32_t number;                        /* of the next frame */
    bool broken;                            /* nothing after this is to be shown */

    /* The frame under way. */
    bool open;
    bool drawn;                 /* a row at least */
    struct codec_job frame_job; /* with a sink and a report of its own */
    struct decode_report report;
    struct row_sink sink;
    struct png_reader reader;
    uint32_t width, height;
    uint32_t rows;
    enum pixel_layout layout;
    uint8_t *pixels; /* of a row, in RGBA */
};

static void give_up(struct png_animator *animator, const char *words)
{
    codec_refuse(animator->job, REASON_MEDIA_CORRUPT, words);
    animator->broken = true;
}

static int begin_frame_picture(void *context, const struct picture_shape *shape)
{
    struct png_animator *animator = context;

    animator->layout = shape->layout;
    return 0;
}

/* Samples of any layout as RGBA. */
static void spread_row(uint8_t *to, const uint8_t *samples, uint32_t width, enum pixel_layout layout)
{
    unsigned int bytes = pixel_layout_bytes(layout);
    bool colour = layout == PIXEL_RGB || layout == PIXEL_RGBA;
    bool alpha = layout == PIXEL_GRAY_ALPHA || layout == PIXEL_RGBA;

    for (uint32_t x = 0; x < width; x++, to += RGBA, samples += bytes) {
        to[0] = samples[0];
        to[1] = samples[colour ? 1 : 0];
        to[2] = samples[colour ? 2 : 0];
        to[3] = alpha ? samples[bytes - 1] : 255;
    }
}

static int take_frame_row(void *context, const uint8_t *samples)
{
    struct png_animator *animator = context;

    spread_row(animator->pixels, samples, animator->width, animator->layout);
    animation_draw_row(&animator->animation, animator->rows++, animator->pixels, animator->width);
    animator->drawn = true;
    return 0;
}

static void write_be32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Shows libpng a chunk of that type, made from a payload. */
static bool push_chunk(struct png_animator *animator, const char *type, const uint8_t *payload, size_t size)
{
    uint8_t head[PNG_CHUNK_HEAD_BYTES];
    uint8_t sum[PNG_CHUNK_CRC_BYTES];
    uLong crc = crc32(0, (const Bytef *)type, 4);

    write_be32(head, (uint32_t)size);
    memcpy(head + 4, type, 4);
    write_be32(sum, (uint32_t)crc32(crc, payload, (uInt)size));
    return png_reader_push(&animator->reader, head, sizeof head) &&
           (size == 0 || png_reader_push(&animator->reader, payload, size)) &&
           png_reader_push(&animator->reader, sum, sizeof sum);
}

static bool push_shared(struct png_animator *animator, const struct png_chunk *chunk)
{
    return chunk->start == NULL || png_reader_push(&animator->reader, chunk->start, chunk->present);
}

/* Starts libpng on a frame of that size. */
static bool open_stream(struct png_animator *animator)
{
    uint8_t header[HEADER_BYTES];

    animator->report = (struct decode_report){.format = FORMAT_PNG, .exif = 1};
    animator->sink =
        (struct row_sink){.context = animator, .begin = begin_frame_picture, .row = take_frame_row};
    animator->frame_job = *animator->job;
    animator->frame_job.report = &animator->report;
    animator->frame_job.sink = &animator->sink;
    memcpy(header, animator->header, sizeof header);
    write_be32(header, animator->width);
    write_be32(header + 4, animator->height);
    return png_reader_begin(&animator->reader, &animator->frame_job, 1) &&
           png_reader_push(&animator->reader, animator->job->data, PNG_SIGNATURE_BYTES) &&
           push_chunk(animator, "IHDR", header, sizeof header) && push_shared(animator, &animator->palette) &&
           push_shared(animator, &animator->transparency);
}

/* The frame's data has ended: hands on what it drew. Returns what the sink returned, or 0. */
static int close_frame(struct png_animator *animator)
{
    if (!animator->open)
        return 0;
    animator->open = false;
    png_reader_end(&animator->reader);
    if (animator->report.reasons != 0) {
        codec_refuse(animator->job, REASON_MEDIA_CORRUPT, animator->report.detail);
        animator->job->report->reasons |= animator->report.reasons;
        animator->broken = true;
    }
    uint32_t number = animator->number++;
    return animator->drawn ? animation_deliver(&animator->animation, number) : 0;
}

/* Reads a frame control chunk. Returns false when browsers would not go on with it. */
static bool read_control(struct png_animator *animator, const struct png_chunk *chunk,
                         struct animation_rect *rect)
{
    const uint8_t *at = chunk->payload;

    if (!chunk->whole || chunk->payload_present != CONTROL_BYTES || png_read_be32(at) != animator->sequence)
        return false;
    animator->sequence++;
    *rect = (struct animation_rect){.width = png_read_be32(at + 4),
                                    .height = png_read_be32(at + 8),
                                    .left = png_read_be32(at + 12),
                                    .top = png_read_be32(at + 16)};
    return rect->width > 0 && rect->height > 0 && rect->left <= animator->animation.width &&
           rect->width <= animator->animation.width - rect->left && rect->top <= animator->animation.height &&
           rect->height <= animator->animation.height - rect->top && at[24] <= 2 && at[25] <= 1;
}

static void open_frame(struct png_animator *animator, const struct png_chunk *chunk)
{
    static const enum animation_disposal disposals[] = {DISPOSE_KEEP, DISPOSE_CLEAR, DISPOSE_RESTORE};
    struct animation_rect rect;

    if (!read_control(animator, chunk, &rect)) {
        give_up(animator, "a frame control chunk is not valid");
        return;
    }
    if (!animation_begin_frame(&animator->animation, rect, disposals[chunk->payload[24]],
                               chunk->payload[25] == 1 ? BLEND_OVER : BLEND_REPLACE)) {
        animator->broken = true;
        return;
    }
    animator->width = rect.width;
    animator->height = rect.height;
    animator->rows = 0;
    animator->drawn = false;
    animator->open = true;
    open_stream(animator);
}

/* Takes the data of a frame: what libpng refuses shows when the frame is closed. */
static void take_data(struct png_animator *animator, const struct png_chunk *chunk)
{
    bool numbered = png_is_chunk(chunk, "fdAT");
    size_t skipped = numbered ? SEQUENCE_BYTES : 0;

    if (!animator->open)
        return; /* the picture of those that know no animation */
    if (chunk->payload_present < skipped ||
        (numbered && png_read_be32(chunk->payload) != animator->sequence)) {
        give_up(animator, "the data of a frame is not the next");
        return;
    }
    animator->sequence += numbered;
    if (numbered && chunk->whole &&
        crc32(0, chunk->start + 4, (uInt)(4 + chunk->payload_present)) !=
            png_read_be32(chunk->payload + chunk->payload_present)) {
        give_up(animator, "the data of a frame is damaged");
        return;
    }
    push_chunk(animator, "IDAT", chunk->payload + skipped, chunk->payload_present - skipped);
}

/* Takes one chunk. Returns what the sink returned, or 0. */
static int take_chunk(struct png_animator *animator, const struct png_chunk *chunk)
{
    int status = 0;

    if (png_is_chunk(chunk, "fcTL")) {
        status = close_frame(animator);
        if (status == 0 && !animator->broken)
            open_frame(animator, chunk);
    } else if (png_is_chunk(chunk, "IDAT") || png_is_chunk(chunk, "fdAT")) {
        take_data(animator, chunk);
    } else if (png_is_chunk(chunk, "PLTE") && animator->palette.start == NULL) {
        animator->palette = *chunk;
    } else if (png_is_chunk(chunk, "tRNS") && animator->transparency.start == NULL) {
        animator->transparency = *chunk;
    }
    return status;
}

/* Reads the header, which comes first. Returns false, the reason noted, when the canvas cannot be had. */
static bool begin(struct png_animator *animator, const struct png_chunk *chunk, uint32_t frames)
{
    const struct codec_job *job = animator->job;
    if (!png_is_chunk(chunk, "IHDR") || !chunk->whole || chunk->payload_present != HEADER_BYTES) {
        codec_refuse(job, REASON_MEDIA_CORRUPT, "the header is not valid");
        return false;
    }
    animator->header = chunk->payload;
    if (!codec_accept_size(job, png_read_be32(chunk->payload), png_read_be32(chunk->payload + 4)))
        return false;
    job->report->frames = frames;
    if (!animation_begin(&animator->animation, job, job->report->width, job->report->height))
        return false;
    animator->pixels = malloc((size_t)job->report->width * RGBA);
    if (animator->pixels == NULL)
        codec_refuse(job, REASON_MEDIA_LIMIT_MEMORY, "no memory for a row");
    return animator->pixels != NULL;
}

int png_animation_decode(const struct codec_job *job, uint32_t frames, uint32_t first)
{
    struct png_animator animator = {.job = job, .number = first};
    struct png_chunk chunk;
    size_t at = PNG_SIGNATURE_BYTES;
    int status = 0;

    if (png_next_chunk(job, &at, &chunk) && begin(&animator, &chunk, frames)) {
        while (status == 0 && !animator.broken && png_next_chunk(job, &at, &chunk) &&
               !png_is_chunk(&chunk, "IEND"))
            status = take_chunk(&animator, &chunk);
        int last = close_frame(&animator);
        status = status != 0 ? status : last;
    }
    animation_end(&animator.animation);
    free(animator.pixels);
    return status;
}
