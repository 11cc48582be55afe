#include "parts.h"

#include "trailing.h"

#include <stdio.h>

/* A sink for one part of a file, in front of the file's. */
struct part_sink {
    const struct row_sink *sink;
    uint32_t first_frame;
    const struct picture_thumbnail *thumbnail; /* NULL for main pictures */
    unsigned int begins;
    bool enough; /* of a thumbnail only one picture is taken */
};

static int begin_part(void *context, const struct picture_shape *shape)
{
    struct part_sink *part = context;
    struct picture_shape passed = *shape;

    passed.frame += part->first_frame;
    if (part->thumbnail != NULL) {
        part->enough = part->begins++ > 0;
        if (part->enough)
            return ROW_SINK_ENOUGH;
        passed.frame = part->thumbnail->frame;
        passed.exif = part->thumbnail->exif;
        passed.view = VIEW_THUMBNAIL;
    }
    return part->sink->begin(part->sink->context, &passed);
}

static int take_row(void *context, const uint8_t *samples)
{
    struct part_sink *part = context;

    return part->sink->row(part->sink->context, samples);
}

static unsigned int ask_reduction(void *context, uint32_t width, uint32_t height)
{
    struct part_sink *part = context;

    return part->sink->reduction(part->sink->context, width, height);
}

static struct row_sink sink_of(struct part_sink *part)
{
    return (struct row_sink){.context = part,
                             .begin = begin_part,
                             .row = take_row,
                             .colours = part->sink->colours,
                             .reduction = part->sink->reduction == NULL ? NULL : ask_reduction};
}

/* Adds what was found of a following picture to what is told of the file. */
static void add_report(const struct codec_job *job, const struct decode_report *part)
{
    char words[sizeof part->detail + 32];

    if (job->report->frames == 0) { /* nothing is known of the first picture */
        job->report->width = part->width;
        job->report->height = part->height;
        job->report->exif = part->exif;
    }
    job->report->frames += part->frames;
    for (int reason = REASON_MEDIA_FIRST; reason < REASON_COUNT; reason++) {
        if ((part->reasons & REASON_BIT(reason)) == 0)
            continue;
        snprintf(words, sizeof words, "a following picture: %s", part->detail);
        codec_refuse(job, (enum reason)reason, words);
    }
}

/* Viewers show these, and no other data has their marks by chance: without a codec here, another kind of
 * worker has it. */
static bool is_left_out(const struct codec_job *job, enum media_format format)
{
    static const enum media_format shown[] = {FORMAT_JPEG, FORMAT_PNG,  FORMAT_WEBP,
                                              FORMAT_GIF,  FORMAT_HEIC, FORMAT_AVIF};

    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        if (shown[i] == format)
            return !decode_codecs_have(job->codecs, format);
    }
    return false;
}

/* Decodes the picture that starts at *at, and moves past its end, or to the end of the file when it has none.
 * Adds nothing when there is only the look of a picture. */
static int decode_one(const struct codec_job *job, size_t *at, enum trailing_data *trailing)
{
    struct part_sink part = {.sink = job->sink, .first_frame = job->report->frames};
    const struct row_sink sink = sink_of(&part);
    struct decode_report report = {.format = FORMAT_UNKNOWN, .exif = 1};
    const struct codec_job inner = {job->data + *at, job->size - *at, job->limits, &sink,
                                    &report,         job->parts,      job->codecs};

    job->parts->first_frame = part.first_frame;
    report.format = decode_sniff(inner.data, inner.size);
    int status = codec_decode(&inner);
    if (report.frames > 0)
        add_report(job, &report);
    else if (is_left_out(job, report.format))
        codec_refuse(job, REASON_MEDIA_UNSUPPORTED, "a following picture of a format not decoded here");
    *trailing = report.trailing;
    *at = job->size - (size_t)report.trailing_bytes;
    return status;
}

/* Of everything behind the first picture, what is no picture is what people will want to know. */
static void note_rest(const struct codec_job *job, size_t at, enum trailing_data trailing)
{
    if (trailing == TRAILING_NONE || trailing == TRAILING_PADDING || trailing == TRAILING_PICTURE)
        return;
    job->report->trailing = trailing;
    job->report->trailing_bytes = job->size - at;
}

int parts_decode_following(const struct codec_job *job)
{
    size_t at = job->size - (size_t)job->report->trailing_bytes;
    enum trailing_data trailing = job->report->trailing;
    int status = 0;

    for (unsigned int count = 0; status == 0 && trailing == TRAILING_PICTURE; count++) {
        if (count == CODEC_FOLLOWING_MAX) {
            codec_refuse(job, REASON_MEDIA_LIMIT_FRAMES, "more following pictures than the limit");
            return 0;
        }
        at += trailing_padding(job->data + at, job->size - at);
        status = decode_one(job, &at, &trailing);
    }
    note_rest(job, at, trailing);
    return status;
}

static int decode_thumbnail(const struct codec_job *job, const struct picture_thumbnail *thumbnail)
{
    struct part_sink part = {.sink = job->sink, .thumbnail = thumbnail};
    const struct row_sink sink = sink_of(&part);
    struct decode_limits limits = *job->limits;
    struct decode_report report = {.format = decode_sniff(thumbnail->data, thumbnail->size), .exif = 1};
    const struct codec_job inner = {thumbnail->data, thumbnail->size, &limits, &sink, &report, NULL,
                                    job->codecs};

    if (limits.pixels > CODEC_THUMBNAIL_PIXELS)
        limits.pixels = CODEC_THUMBNAIL_PIXELS;
    int status = codec_decode(&inner);
    return part.enough ? 0 : status;
}

int parts_decode_thumbnails(const struct codec_job *job)
{
    const struct picture_parts *parts = job->parts;
    int status = 0;

    for (unsigned int i = 0; status == 0 && i < parts->thumbnail_count; i++) {
        if (parts->thumbnails[i].frame < job->report->frames)
            status = decode_thumbnail(job, &parts->thumbnails[i]);
    }
    return status;
}

void codec_note_thumbnail(const struct codec_job *job, uint32_t frame, const uint8_t *data, size_t size)
{
    struct picture_parts *parts = job->parts;

    if (parts == NULL)
        return;
    for (unsigned int i = 0; i < parts->thumbnail_count; i++) {
        if (parts->thumbnails[i].data == data)
            return;
    }
    if (parts->thumbnail_count == CODEC_THUMBNAILS_MAX) {
        codec_refuse(job, REASON_MEDIA_LIMIT_FRAMES, "more thumbnails than the limit");
        return;
    }
    parts->thumbnails[parts->thumbnail_count++] =
        (struct picture_thumbnail){data, size, parts->first_frame + frame, job->report->exif};
}
