#include "codec.h"
#include "codec_limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

/* One WebP. libwebp writes into a whole frame and has no interface that gives rows, so the frame is
 * unavoidable; a lossy picture is taken as its planes of luma and alpha, which need neither chroma upsampling
 * nor conversion. */
struct webp_decoder {
    const struct codec_job *job;
    const uint8_t *bitstream; /* of the still, or of the first frame of an animation */
    size_t bitstream_size;
    uint32_t left; /* of the picture on its canvas */
    uint32_t top;
    uint32_t width;
    uint32_t height;
    struct picture_shape shape; /* of the canvas */
    WebPDecoderConfig config;
    unsigned int memory_pixel_bytes;
    WebPIDecoder *library;
    uint8_t full_range[256]; /* luma 16-235 spread to 0-255 */
    uint8_t *row;
};

/* What libwebp has decoded. */
struct webp_planes {
    const uint8_t *samples; /* luma, or pixels of the layout */
    size_t stride;
    const uint8_t *alpha; /* NULL when it is among the samples or there is none */
    size_t alpha_stride;
    uint32_t rows; /* from the top */
};

struct webp_chunk {
    const uint8_t *start;
    const uint8_t *payload;
    size_t payload_present; /* as much of it as is in the file */
};

static uint32_t read_le24(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
}

static uint32_t read_le32(const uint8_t *at)
{
    return read_le24(at) | (uint32_t)at[3] << 24;
}

/* The bytes of the RIFF file, which may go on after it or be cut before its end. The recogniser has seen 12
 * bytes. */
static size_t riff_end(const struct codec_job *job)
{
    uint64_t end = (uint64_t)read_le32(job->data + 4) + 8;

    return end < job->size ? (size_t)end : job->size;
}

/* Reads the chunk at *at and moves past it. Returns false when the file ends before its head does. */
static bool next_chunk(const struct codec_job *job, size_t *at, struct webp_chunk *chunk)
{
    size_t end = riff_end(job);

    if (*at > end || end - *at < 8)
        return false;
    size_t left = end - *at - 8;
    size_t length = read_le32(job->data + *at + 4);
    chunk->start = job->data + *at;
    chunk->payload = chunk->start + 8;
    chunk->payload_present = length < left ? length : left;
    *at += 8 + length + (length & 1);
    return true;
}

static bool is_chunk(const struct webp_chunk *chunk, const char *type)
{
    return memcmp(chunk->start, type, 4) == 0;
}

static void refuse(const struct codec_job *job, VP8StatusCode status)
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

static void read_exif(const struct codec_job *job, const struct webp_chunk *chunk)
{
    size_t prefix = chunk->payload_present >= 6 && memcmp(chunk->payload, "Exif\0", 6) == 0 ? 6 : 0;

    codec_read_exif(job, chunk->payload + prefix, chunk->payload_present - prefix);
}

/* Walks the chunks of an extended file. Allocates nothing, however many frames there are. Returns the first
 * frame's chunk in first, if there is one. Source: RFC 9649 section 2.7. */
static void survey_chunks(const struct codec_job *job, struct webp_chunk *first)
{
    struct webp_chunk chunk;
    uint32_t frames = 0;
    bool oriented = false;

    for (size_t at = 12; next_chunk(job, &at, &chunk);) {
        if (is_chunk(&chunk, "ANMF") && frames++ == 0)
            *first = chunk;
        if (is_chunk(&chunk, "EXIF") && !oriented) {
            oriented = true;
            read_exif(job, &chunk);
        }
    }
    if (frames > 0)
        job->report->frames = frames;
}

static bool is_extended(const struct codec_job *job)
{
    return job->size >= 30 && memcmp(job->data + 12, "VP8X", 4) == 0;
}

/* Takes the first frame of an animation as the picture. Returns false, the reason noted, when there is none.
 */
static bool open_frame(struct webp_decoder *decoder, const struct webp_chunk *first)
{
    const struct codec_job *job = decoder->job;
    const uint8_t *head = first->payload;
    WebPBitstreamFeatures features;

    if (head == NULL || first->payload_present <= 16) {
        codec_refuse(job, REASON_MEDIA_CORRUPT, "an animation without a frame");
        return false;
    }
    if (job->report->frames > 1)
        codec_refuse(job, REASON_MEDIA_LIMIT_FRAMES, "an animation: only its first frame is examined");
    decoder->left = 2 * read_le24(head);
    decoder->top = 2 * read_le24(head + 3);
    decoder->width = read_le24(head + 6) + 1;
    decoder->height = read_le24(head + 9) + 1;
    decoder->bitstream = head + 16;
    decoder->bitstream_size = first->payload_present - 16;
    VP8StatusCode status = WebPGetFeatures(decoder->bitstream, decoder->bitstream_size, &features);
    if (status == VP8_STATUS_OK &&
        ((uint32_t)features.width != decoder->width || (uint32_t)features.height != decoder->height ||
         decoder->left + decoder->width > decoder->shape.width ||
         decoder->top + decoder->height > decoder->shape.height))
        status = VP8_STATUS_BITSTREAM_ERROR;
    if (status != VP8_STATUS_OK)
        refuse(job, status);
    decoder->config.output.colorspace = MODE_RGBA;
    decoder->shape.layout = PIXEL_RGBA;
    decoder->memory_pixel_bytes = CODEC_WEBP_FRAME_PIXEL_BYTES;
    return status == VP8_STATUS_OK;
}

static void open_still(struct webp_decoder *decoder, const WebPBitstreamFeatures *features)
{
    bool alpha = features->has_alpha != 0;

    decoder->bitstream = decoder->job->data;
    decoder->bitstream_size = decoder->job->size;
    decoder->width = decoder->shape.width;
    decoder->height = decoder->shape.height;
    if (features->format == 1 && !decoder->job->sink->colours) {
        decoder->config.output.colorspace = alpha ? MODE_YUVA : MODE_YUV;
        decoder->shape.layout = alpha ? PIXEL_GRAY_ALPHA : PIXEL_GRAY;
        decoder->memory_pixel_bytes =
            alpha ? CODEC_WEBP_LOSSY_ALPHA_PIXEL_BYTES : CODEC_WEBP_LOSSY_PIXEL_BYTES;
    } else {
        decoder->config.output.colorspace = alpha ? MODE_RGBA : MODE_RGB;
        decoder->shape.layout = alpha ? PIXEL_RGBA : PIXEL_RGB;
        decoder->memory_pixel_bytes =
            features->format == 1 ? CODEC_WEBP_LOSSY_COLOUR_PIXEL_BYTES : CODEC_WEBP_LOSSLESS_PIXEL_BYTES;
    }
}

/* Reads the header and chooses what to decode. Returns false, the reason noted, when there is nothing to
 * decode. */
static bool open_picture(struct webp_decoder *decoder)
{
    const struct codec_job *job = decoder->job;
    struct webp_chunk first = {NULL, NULL, 0};
    WebPBitstreamFeatures features;

    /* Before libwebp, to which a canvas of 4 gigapixels or more is an error like any other. */
    if (is_extended(job) &&
        !codec_accept_size(job, read_le24(job->data + 24) + 1, read_le24(job->data + 27) + 1))
        return false;
    VP8StatusCode status = WebPGetFeatures(job->data, job->size, &features);
    if (status != VP8_STATUS_OK) {
        refuse(job, status);
        return false;
    }
    if (!codec_accept_size(job, (uint32_t)features.width, (uint32_t)features.height))
        return false;
    decoder->shape.width = job->report->width;
    decoder->shape.height = job->report->height;
    if (is_extended(job))
        survey_chunks(job, &first);
    if (features.has_animation)
        return open_frame(decoder, &first);
    open_still(decoder, &features);
    return true;
}

/* Lets libwebp decode what is there. Returns false, the reason noted, when it could not start. */
static bool run_library(struct webp_decoder *decoder)
{
    const struct codec_job *job = decoder->job;

    if (!codec_accept_memory(job, (uint64_t)decoder->width * decoder->height, decoder->memory_pixel_bytes))
        return false;
    decoder->row = calloc(decoder->shape.width, pixel_layout_bytes(decoder->shape.layout));
    decoder->library = WebPIDecode(NULL, 0, &decoder->config);
    if (decoder->row == NULL || decoder->library == NULL) {
        refuse(job, VP8_STATUS_OUT_OF_MEMORY);
        return false;
    }
    errno = 0;
    VP8StatusCode status = WebPIUpdate(decoder->library, decoder->bitstream, decoder->bitstream_size);
    if (status != VP8_STATUS_OK && errno == ENOMEM) /* libwebp calls it many things */
        status = VP8_STATUS_OUT_OF_MEMORY;
    if (status != VP8_STATUS_OK)
        refuse(job, status);
    return true;
}

/* Returns false when no row is there. */
static bool read_planes(const struct webp_decoder *decoder, struct webp_planes *planes)
{
    uint8_t *alpha = NULL;
    int rows = 0;
    int stride = 0;
    int alpha_stride = 0;

    if (WebPIsRGBMode(decoder->config.output.colorspace))
        planes->samples = WebPIDecGetRGB(decoder->library, &rows, NULL, NULL, &stride);
    else
        planes->samples = WebPIDecGetYUVA(decoder->library, &rows, NULL, NULL, &alpha, NULL, NULL, &stride,
                                          NULL, &alpha_stride);
    planes->stride = (size_t)stride;
    planes->alpha = alpha;
    planes->alpha_stride = (size_t)alpha_stride;
    planes->rows = rows > 0 ? (uint32_t)rows : 0;
    return planes->samples != NULL && planes->rows > 0;
}

/* Puts row y of the picture into the row of its canvas. */
static void fill_row(struct webp_decoder *decoder, const struct webp_planes *planes, uint32_t y)
{
    const uint8_t *samples = planes->samples + y * planes->stride;
    unsigned int bytes = pixel_layout_bytes(decoder->shape.layout);
    uint8_t *row = decoder->row;

    if (WebPIsRGBMode(decoder->config.output.colorspace)) {
        memcpy(row + (size_t)decoder->left * bytes, samples, (size_t)decoder->width * bytes);
        return;
    }
    for (size_t x = 0; x < decoder->width; x++)
        row[x * bytes] = decoder->full_range[samples[x]];
    for (size_t x = 0; x < decoder->width && planes->alpha != NULL; x++)
        row[x * bytes + 1] = planes->alpha[y * planes->alpha_stride + x];
}

/* Source: ITU-R BT.601 section 2.5.3, the range of luma. */
static void fill_full_range(uint8_t table[256])
{
    for (int luma = 0; luma < 256; luma++) {
        int value = ((luma - 16) * 255 + 109) / 219;
        table[luma] = (uint8_t)(luma < 16 ? 0 : value > 255 ? 255 : value);
    }
}

/* Outside the frame the canvas of an animation is transparent, as in browsers; its background colour is a
 * hint that they ignore. */
static int deliver_rows(struct webp_decoder *decoder)
{
    const struct row_sink *sink = decoder->job->sink;
    struct webp_planes planes;

    if (!read_planes(decoder, &planes))
        return 0;
    fill_full_range(decoder->full_range);
    decoder->shape.exif = decoder->job->report->exif;
    int status = sink->begin(sink->context, &decoder->shape);
    for (uint32_t y = 0; status == 0 && y < decoder->shape.height; y++) {
        bool inside = y >= decoder->top && y - decoder->top < decoder->height;
        if (inside && y - decoder->top >= planes.rows)
            break;
        if (inside)
            fill_row(decoder, &planes, y - decoder->top);
        else
            memset(decoder->row, 0, (size_t)decoder->shape.width * pixel_layout_bytes(decoder->shape.layout));
        status = sink->row(sink->context, decoder->row);
    }
    return status;
}

int codec_webp_decode(const struct codec_job *job)
{
    struct webp_decoder decoder = {.job = job};
    int status = 0;

    if (!WebPInitDecoderConfig(&decoder.config)) {
        codec_refuse(job, REASON_MEDIA_UNSUPPORTED, "libwebp has another version than this build expects");
        return 0;
    }
    if (open_picture(&decoder) && run_library(&decoder))
        status = deliver_rows(&decoder);
    codec_note_end(job, riff_end(job));
    if ((uint64_t)read_le32(job->data + 4) + 8 > job->size)
        codec_refuse(job, REASON_MEDIA_CORRUPT, "the file is shorter than its RIFF header says");
    WebPIDelete(decoder.library);
    WebPFreeDecBuffer(&decoder.config.output);
    free(decoder.row);
    return status;
}
