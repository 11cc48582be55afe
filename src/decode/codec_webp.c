#include "codec_limits.h"
#include "webp_chunks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One WebP. libwebp writes into a whole frame and has no interface that gives rows, so the frame is
 * unavoidable; a lossy picture is taken as its planes of luma and alpha, which need neither chroma upsampling
 * nor conversion. */
struct webp_decoder {
    const struct codec_job *job;
    struct picture_shape shape;
    WebPDecoderConfig config;
    bool animated; /* then the rest is not used */
    unsigned int memory_pixel_bytes;
    WebPIDecoder *library;
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

static void read_exif(const struct codec_job *job, const struct webp_chunk *chunk)
{
    size_t prefix = chunk->payload_present >= 6 && memcmp(chunk->payload, "Exif\0", 6) == 0 ? 6 : 0;

    codec_read_exif(job, chunk->payload + prefix, chunk->payload_present - prefix);
}

/* Walks the chunks of an extended file. Allocates nothing, however many frames there are. Source: RFC 9649
 * section 2.7. */
static void survey_chunks(const struct codec_job *job)
{
    struct webp_chunk chunk;
    uint32_t frames = 0;
    bool oriented = false;

    for (size_t at = 12; webp_next_chunk(job, &at, &chunk);) {
        frames += webp_is_chunk(&chunk, "ANMF");
        if (webp_is_chunk(&chunk, "EXIF") && !oriented) {
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

static void choose_output(struct webp_decoder *decoder, const WebPBitstreamFeatures *features)
{
    bool alpha = features->has_alpha != 0;

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
    WebPBitstreamFeatures features;

    /* Before libwebp, to which a canvas of 4 gigapixels or more is an error like any other. */
    if (is_extended(job) &&
        !codec_accept_size(job, webp_read_le24(job->data + 24) + 1, webp_read_le24(job->data + 27) + 1))
        return false;
    VP8StatusCode status = WebPGetFeatures(job->data, job->size, &features);
    if (status != VP8_STATUS_OK) {
        webp_refuse(job, status);
        return false;
    }
    if (!codec_accept_size(job, (uint32_t)features.width, (uint32_t)features.height))
        return false;
    if (is_extended(job))
        survey_chunks(job);
    decoder->shape.width = job->report->width;
    decoder->shape.height = job->report->height;
    decoder->shape.exif = job->report->exif;
    decoder->animated = features.has_animation != 0;
    choose_output(decoder, &features);
    return true;
}

/* Lets libwebp decode what is there. Returns false, the reason noted, when it could not start. */
static bool run_library(struct webp_decoder *decoder)
{
    const struct codec_job *job = decoder->job;

    if (!codec_accept_memory(job, (uint64_t)decoder->shape.width * decoder->shape.height,
                             decoder->memory_pixel_bytes))
        return false;
    decoder->row = calloc(decoder->shape.width, pixel_layout_bytes(decoder->shape.layout));
    decoder->library = WebPIDecode(NULL, 0, &decoder->config);
    if (decoder->row == NULL || decoder->library == NULL) {
        webp_refuse(job, VP8_STATUS_OUT_OF_MEMORY);
        return false;
    }
    errno = 0;
    VP8StatusCode status = WebPIUpdate(decoder->library, job->data, job->size);
    if (status != VP8_STATUS_OK && errno == ENOMEM) /* libwebp calls it many things */
        status = VP8_STATUS_OUT_OF_MEMORY;
    if (status != VP8_STATUS_OK)
        webp_refuse(job, status);
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

/* Luma from 16-235 to 0-255. Source: ITU-R BT.601 section 2.5.3. */
static inline uint8_t full_range(uint8_t luma)
{
    int value = ((luma - 16) * 76309 + (1 << 15)) >> 16; /* 255 / 219 in 65536ths */

    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* The pixels of row y, converted where they are no RGB. */
static const uint8_t *convert_row(struct webp_decoder *decoder, const struct webp_planes *planes, uint32_t y)
{
    const uint8_t *samples = planes->samples + y * planes->stride;
    size_t width = decoder->shape.width;
    uint8_t *row = decoder->row;

    if (WebPIsRGBMode(decoder->config.output.colorspace))
        return samples;
    if (planes->alpha == NULL) {
        for (size_t x = 0; x < width; x++)
            row[x] = full_range(samples[x]);
        return row;
    }
    const uint8_t *alpha = planes->alpha + y * planes->alpha_stride;
    for (size_t x = 0; x < width; x++) {
        row[2 * x] = full_range(samples[x]);
        row[2 * x + 1] = alpha[x];
    }
    return row;
}

static int deliver_rows(struct webp_decoder *decoder)
{
    const struct row_sink *sink = decoder->job->sink;
    struct webp_planes planes;

    if (!read_planes(decoder, &planes))
        return 0;
    int status = sink->begin(sink->context, &decoder->shape);
    for (uint32_t y = 0; status == 0 && y < planes.rows; y++)
        status = sink->row(sink->context, convert_row(decoder, &planes, y));
    return status;
}

static int decode_still(struct webp_decoder *decoder)
{
    int status = run_library(decoder) ? deliver_rows(decoder) : 0;

    WebPIDelete(decoder->library);
    WebPFreeDecBuffer(&decoder->config.output);
    free(decoder->row);
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
    if (open_picture(&decoder))
        status = decoder.animated ? webp_animation_decode(job) : decode_still(&decoder);
    if ((uint64_t)webp_read_le32(job->data + 4) + 8 > job->size)
        codec_refuse(job, REASON_MEDIA_CORRUPT, "the file is shorter than its RIFF header says");
    codec_note_end(job, webp_riff_end(job));
    return status;
}
