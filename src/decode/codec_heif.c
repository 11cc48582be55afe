#include "codec.h"
#include "codec_limits.h"
#include "heif_boxes.h"

#include <errno.h>
#include <libheif/heif.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS_MAX = 1 << 16, COLOURS = 3 };

/* One HEIC or AVIF file. libheif applies what the file says about turning, mirroring and cutting; it converts
 * to red, green and blue before it gives anything away, so that luma is made of these again. */
struct heif_decoder {
    const struct codec_job *job;
    struct heif_context *library;
    heif_item_id *items; /* the pictures that are shown; the primary one first */
    uint32_t item_count;
    uint8_t to_8_bits[LEVELS_MAX]; /* of the picture's samples */
    uint8_t *row;
};

/* A picture's samples: one byte each up to 8 bits, else two in this machine's byte order. */
struct heif_plane {
    const uint8_t *samples;
    size_t stride;
    unsigned int bits;
};

struct heif_planes {
    struct picture_shape shape;
    struct heif_plane colours[COLOURS]; /* luma alone, or red, green and blue */
    unsigned int colour_count;
    struct heif_plane alpha; /* samples NULL when there is none */
    bool premultiplied;
    bool limited_range;
};

static void refuse(const struct codec_job *job, const struct heif_error *error)
{
    enum reason reason = REASON_MEDIA_CORRUPT;

    if (error->subcode == heif_suberror_Security_limit_exceeded)
        reason = REASON_MEDIA_LIMIT_PIXELS;
    else if (error->code == heif_error_Memory_allocation_error || errno == ENOMEM)
        reason = REASON_MEDIA_LIMIT_MEMORY;
    else if (error->code == heif_error_Unsupported_feature || error->code == heif_error_Unsupported_filetype)
        reason = REASON_MEDIA_UNSUPPORTED;
    codec_refuse(job, reason, error->message[0] == '\0' ? "not a valid bitstream" : error->message);
}

/* Returns false, the reason noted, when the file has no picture that can be asked for. */
static bool open_file(struct heif_decoder *decoder, size_t end)
{
    const struct codec_job *job = decoder->job;
    struct heif_error error;
    heif_item_id primary = 0;

    decoder->library = heif_context_alloc();
    if (decoder->library == NULL) {
        codec_refuse(job, REASON_MEDIA_LIMIT_MEMORY, "no memory to decode");
        return false;
    }
    heif_context_set_max_decoding_threads(decoder->library, 0);
    heif_context_set_maximum_image_size_limit(decoder->library, (int)job->limits->edge);
    errno = 0;
    error = heif_context_read_from_memory_without_copy(decoder->library, job->data, end, NULL);
    if (error.code == heif_error_Ok)
        error = heif_context_get_primary_image_ID(decoder->library, &primary);
    int count =
        error.code == heif_error_Ok ? heif_context_get_number_of_top_level_images(decoder->library) : 0;
    if (error.code != heif_error_Ok || count <= 0) {
        refuse(job, &error);
        return false;
    }
    decoder->items = calloc((size_t)count, sizeof *decoder->items);
    if (decoder->items == NULL) {
        codec_refuse(job, REASON_MEDIA_LIMIT_MEMORY, "no memory to decode");
        return false;
    }
    decoder->item_count =
        (uint32_t)heif_context_get_list_of_top_level_image_IDs(decoder->library, decoder->items, count);
    for (uint32_t i = 1; i < decoder->item_count; i++) {
        if (decoder->items[i] == primary) {
            decoder->items[i] = decoder->items[0];
            decoder->items[0] = primary;
        }
    }
    return true;
}

/* As codec_accept_size(); the report keeps the size of the first picture, and frames. */
static bool accept_size(const struct heif_decoder *decoder, uint32_t frame, int width, int height)
{
    struct decode_report *report = decoder->job->report;
    const struct decode_report before = *report;
    bool accepted =
        codec_accept_size(decoder->job, width < 0 ? 0 : (uint32_t)width, height < 0 ? 0 : (uint32_t)height);

    report->frames = before.frames;
    if (frame > 0) {
        report->width = before.width;
        report->height = before.height;
    }
    return accepted;
}

static bool accept_picture(const struct heif_decoder *decoder, const struct heif_image_handle *handle,
                           uint32_t frame)
{
    int width = heif_image_handle_get_width(handle);
    int height = heif_image_handle_get_height(handle);
    unsigned int bytes = heif_image_handle_get_luma_bits_per_pixel(handle) > 8 ? 2 * CODEC_HEIF_PIXEL_BYTES
                                                                               : CODEC_HEIF_PIXEL_BYTES;
    int whole_width = heif_image_handle_get_ispe_width(handle); /* before a part is cut out */
    int whole_height = heif_image_handle_get_ispe_height(handle);

    if (whole_width > 0 && whole_height > 0 && !accept_size(decoder, frame, whole_width, whole_height))
        return false;
    return accept_size(decoder, frame, width, height) &&
           codec_accept_memory(decoder->job, (uint64_t)width * (uint64_t)height, bytes);
}

static bool open_plane(const struct heif_image *image, enum heif_channel channel,
                       const struct picture_shape *shape, struct heif_plane *plane)
{
    int stride = 0;

    plane->samples = heif_image_get_plane_readonly(image, channel, &stride);
    if (plane->samples == NULL || stride <= 0)
        return false;
    plane->bits = (unsigned int)heif_image_get_bits_per_pixel_range(image, channel);
    plane->stride = (size_t)stride;
    return plane->bits >= 1 && plane->bits <= 16 &&
           heif_image_get_width(image, channel) == (int)shape->width &&
           heif_image_get_height(image, channel) == (int)shape->height &&
           plane->stride >= (size_t)shape->width * (plane->bits > 8 ? 2 : 1);
}

static bool has_limited_range(const struct heif_image *image)
{
    struct heif_color_profile_nclx *profile = NULL;
    struct heif_error error = heif_image_get_nclx_color_profile(image, &profile);
    bool limited = error.code == heif_error_Ok && profile != NULL && profile->full_range_flag == 0;

    heif_nclx_color_profile_free(profile);
    return limited;
}

/* Finds the samples of a decoded picture. Returns false when they are not what was asked for. */
static bool open_planes(struct heif_image *image, struct heif_planes *planes)
{
    static const enum heif_channel rgb[COLOURS] = {heif_channel_R, heif_channel_G, heif_channel_B};
    bool monochrome = heif_image_get_colorspace(image) == heif_colorspace_monochrome;
    enum heif_channel first = monochrome ? heif_channel_Y : heif_channel_R;

    if (!heif_image_has_channel(image, first))
        return false;
    planes->shape.width = (uint32_t)heif_image_get_width(image, first);
    planes->shape.height = (uint32_t)heif_image_get_height(image, first);
    planes->colour_count = monochrome ? 1 : COLOURS;
    planes->limited_range = monochrome && has_limited_range(image);
    for (unsigned int i = 0; i < planes->colour_count; i++) {
        enum heif_channel channel = monochrome ? heif_channel_Y : rgb[i];
        if (!heif_image_has_channel(image, channel) ||
            !open_plane(image, channel, &planes->shape, &planes->colours[i]) ||
            planes->colours[i].bits != planes->colours[0].bits)
            return false;
    }
    planes->shape.layout = PIXEL_GRAY;
    if (!heif_image_has_channel(image, heif_channel_Alpha))
        return true;
    planes->shape.layout = PIXEL_GRAY_ALPHA;
    planes->premultiplied = heif_image_is_premultiplied_alpha(image) != 0;
    return open_plane(image, heif_channel_Alpha, &planes->shape, &planes->alpha);
}

static unsigned int spread(unsigned int level, unsigned int lowest, unsigned int levels)
{
    unsigned int value = level <= lowest ? 0 : ((level - lowest) * 255 + levels / 2) / levels;

    return value > 255 ? 255 : value;
}

/* Source: ITU-T H.273 section 8.3, the two ranges of luma. */
static void fill_table(uint8_t *table, unsigned int bits, bool limited_range)
{
    unsigned int lowest = limited_range && bits >= 8 ? 16U << (bits - 8) : 0;
    unsigned int levels = limited_range && bits >= 8 ? 219U << (bits - 8) : (1U << bits) - 1;

    for (unsigned int level = 0; level < 1U << bits; level++)
        table[level] = (uint8_t)spread(level, lowest, levels);
}

static unsigned int read_sample(const struct heif_plane *plane, size_t y, size_t x)
{
    const uint8_t *row = plane->samples + y * plane->stride;
    uint16_t wide;

    if (plane->bits <= 8)
        return row[x] & ((1U << plane->bits) - 1);
    memcpy(&wide, row + 2 * x, sizeof wide);
    return wide & ((1U << plane->bits) - 1);
}

/* Source: ITU-R BT.601, the luma that PDQ takes. The weights add up to 1 << 16. */
static unsigned int weigh(unsigned int red, unsigned int green, unsigned int blue)
{
    return (19595U * red + 38470U * green + 7471U * blue + 32768U) >> 16;
}

/* The same as the general case, in a form that the compiler makes wide. */
static void fill_row_of_bytes(const struct heif_planes *planes, size_t y, uint8_t *row)
{
    const uint8_t *red = planes->colours[0].samples + y * planes->colours[0].stride;
    const uint8_t *green = planes->colours[1].samples + y * planes->colours[1].stride;
    const uint8_t *blue = planes->colours[2].samples + y * planes->colours[2].stride;

    for (size_t x = 0; x < planes->shape.width; x++)
        row[x] = (uint8_t)weigh(red[x], green[x], blue[x]);
}

static unsigned int read_luma(const struct heif_planes *planes, size_t y, size_t x)
{
    const struct heif_plane *colours = planes->colours;

    if (planes->colour_count == 1)
        return read_sample(&colours[0], y, x);
    return weigh(read_sample(&colours[0], y, x), read_sample(&colours[1], y, x),
                 read_sample(&colours[2], y, x));
}

static void fill_row(struct heif_decoder *decoder, const struct heif_planes *planes, size_t y)
{
    unsigned int samples = pixel_layout_bytes(planes->shape.layout);
    unsigned int alpha_max = (1U << planes->alpha.bits) - 1;
    uint8_t *row = decoder->row;

    if (planes->colour_count == COLOURS && planes->colours[0].bits == 8 && samples == 1) {
        fill_row_of_bytes(planes, y, row);
        return;
    }
    for (size_t x = 0; x < planes->shape.width; x++, row += samples) {
        row[0] = decoder->to_8_bits[read_luma(planes, y, x)];
        if (samples == 1)
            continue;
        row[1] = (uint8_t)spread(read_sample(&planes->alpha, y, x), 0, alpha_max);
        if (planes->premultiplied && row[1] != 0)
            row[0] = (uint8_t)spread(row[0], 0, row[1]);
    }
}

static int deliver_rows(struct heif_decoder *decoder, const struct heif_planes *planes)
{
    const struct row_sink *sink = decoder->job->sink;

    decoder->row = calloc(planes->shape.width, pixel_layout_bytes(planes->shape.layout));
    if (decoder->row == NULL) {
        codec_refuse(decoder->job, REASON_MEDIA_LIMIT_MEMORY, "no memory to decode");
        return 0;
    }
    fill_table(decoder->to_8_bits, planes->colours[0].bits, planes->limited_range);
    int status = sink->begin(sink->context, &planes->shape);
    for (uint32_t y = 0; status == 0 && y < planes->shape.height; y++) {
        fill_row(decoder, planes, y);
        status = sink->row(sink->context, decoder->row);
    }
    free(decoder->row);
    decoder->row = NULL;
    return status;
}

static int decode_picture_of(struct heif_decoder *decoder, const struct heif_image_handle *handle,
                             uint32_t frame, enum view view)
{
    struct heif_planes planes = {.shape = {.frame = frame, .view = view}};
    struct heif_image *image = NULL;
    int status = 0;

    if (!accept_picture(decoder, handle, frame))
        return 0;
    errno = 0;
    struct heif_error error =
        heif_decode_image(handle, &image, heif_colorspace_undefined, heif_chroma_undefined, NULL);
    if (error.code != heif_error_Ok)
        refuse(decoder->job, &error);
    else if (!open_planes(image, &planes))
        codec_refuse(decoder->job, REASON_MEDIA_UNSUPPORTED, "planes of different sizes or depths");
    else if (accept_size(decoder, frame, (int)planes.shape.width, (int)planes.shape.height))
        status = deliver_rows(decoder, &planes); /* which may be larger than was declared */
    heif_image_release(image);
    return status;
}

/* Nobody is shown a thumbnail that is broken or too large: it gives no reason. */
static int decode_thumbnail(struct heif_decoder *decoder, const struct heif_image_handle *handle,
                            uint32_t frame)
{
    const struct codec_job *job = decoder->job;
    struct decode_limits limits = *job->limits;
    struct decode_report report = {.exif = 1};
    const struct codec_job inner = {.limits = &limits, .sink = job->sink, .report = &report};

    if (limits.pixels > CODEC_THUMBNAIL_PIXELS)
        limits.pixels = CODEC_THUMBNAIL_PIXELS;
    decoder->job = &inner;
    int status = decode_picture_of(decoder, handle, frame, VIEW_THUMBNAIL);
    decoder->job = job;
    return status;
}

static int decode_thumbnails_of(struct heif_decoder *decoder, const struct heif_image_handle *picture,
                                uint32_t frame)
{
    heif_item_id items[CODEC_THUMBNAILS_MAX];
    int count = heif_image_handle_get_list_of_thumbnail_IDs(picture, items, CODEC_THUMBNAILS_MAX);
    int status = 0;

    for (int i = 0; status == 0 && i < count; i++) {
        struct heif_image_handle *handle = NULL;
        struct heif_error error = heif_image_handle_get_thumbnail(picture, items[i], &handle);
        if (error.code == heif_error_Ok)
            status = decode_thumbnail(decoder, handle, frame);
        heif_image_handle_release(handle);
    }
    if (heif_image_handle_get_number_of_thumbnails(picture) > CODEC_THUMBNAILS_MAX)
        codec_refuse(decoder->job, REASON_MEDIA_LIMIT_FRAMES, "more thumbnails than the limit");
    return status;
}

/* Decodes the frame itself, or its thumbnails. */
static int decode_item(struct heif_decoder *decoder, uint32_t frame, enum view view)
{
    struct heif_image_handle *handle = NULL;
    struct heif_error error = heif_context_get_image_handle(decoder->library, decoder->items[frame], &handle);
    int status = 0;

    if (error.code == heif_error_Ok)
        status = view == VIEW_MAIN ? decode_picture_of(decoder, handle, frame, view)
                                   : decode_thumbnails_of(decoder, handle, frame);
    else if (view == VIEW_MAIN)
        refuse(decoder->job, &error);
    heif_image_handle_release(handle);
    return status;
}

static void note_sequence(const struct codec_job *job, const struct heif_survey *survey)
{
    uint32_t frames = survey->sequence_frames > 0 ? survey->sequence_frames : 1;

    codec_refuse(job, REASON_MEDIA_LIMIT_FRAMES, "a moving picture: only its stills are examined");
    job->report->frames +=
        frames > UINT32_MAX - job->report->frames ? UINT32_MAX - job->report->frames : frames;
}

static int decode_items(struct heif_decoder *decoder)
{
    int status = 0;

    for (uint32_t i = 0; status == 0 && i < decoder->item_count; i++)
        status = decode_item(decoder, i, VIEW_MAIN);
    for (uint32_t i = 0; status == 0 && i < decoder->item_count; i++)
        status = decode_item(decoder, i, VIEW_THUMBNAIL);
    return status;
}

int codec_heif_decode(const struct codec_job *job)
{
    struct heif_decoder *decoder = calloc(1, sizeof *decoder);
    struct heif_survey survey;
    int status = 0;

    if (decoder == NULL) {
        codec_refuse(job, REASON_MEDIA_LIMIT_MEMORY, "no memory to decode");
        return 0;
    }
    decoder->job = job;
    heif_survey_boxes(job->data, job->size, &survey);
    if (!heif_references_end(job->data, survey.end)) {
        codec_refuse(job, REASON_MEDIA_CORRUPT, "a picture that is made of itself, or in too many steps");
    } else if (open_file(decoder, survey.end)) {
        job->report->frames = decoder->item_count;
        if (survey.sequence)
            note_sequence(job, &survey);
        status = decode_items(decoder);
    }
    if (survey.cut)
        codec_refuse(job, REASON_MEDIA_CORRUPT, "the file is shorter than its boxes say");
    if (survey.end > 0)
        codec_note_end(job, survey.end);
    heif_context_free(decoder->library);
    free(decoder->items);
    free(decoder);
    return status;
}
