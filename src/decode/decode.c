#include "prescreen/decode/decode.h"

#include "codec.h"
#include "parts.h"
#include "trailing.h"

#include <stdio.h>

static const struct codec *find_codec(const struct decode_codecs *codecs, enum media_format format)
{
    for (size_t i = 0; i < codecs->count; i++) {
        if (codecs->rows[i].format == format)
            return &codecs->rows[i];
    }
    return NULL;
}

int codec_decode(const struct codec_job *job)
{
    const struct codec *codec = find_codec(job->codecs, job->report->format);

    if (codec != NULL)
        return codec->decode(job);
    if (job->report->format == FORMAT_UNKNOWN)
        codec_refuse(job, REASON_MEDIA_UNRECOGNISED,
                     job->size == 0 ? "empty" : "not a picture format known here");
    else
        codec_refuse(job, REASON_MEDIA_UNSUPPORTED, "no decoder for this format");
    return 0;
}

bool decode_codecs_have(const struct decode_codecs *codecs, enum media_format format)
{
    return find_codec(codecs, format) != NULL;
}

uint64_t decode_codecs_memory(const struct decode_codecs *codecs)
{
    return codecs->memory_bytes;
}

int decode_picture(const struct decode_codecs *codecs, const uint8_t *data, size_t size,
                   const struct decode_limits *limits, const struct row_sink *sink,
                   struct decode_report *report)
{
    struct picture_parts parts = {.thumbnail_count = 0};
    const struct codec_job job = {data, size, limits, sink, report, &parts, codecs};

    *report = (struct decode_report){.format = decode_sniff(data, size), .exif = 1};
    int status = codec_decode(&job);
    if (status == 0)
        status = parts_decode_following(&job);
    if (status == 0)
        status = parts_decode_thumbnails(&job);
    return status;
}

void codec_refuse(const struct codec_job *job, enum reason reason, const char *words)
{
    char *detail = job->report->detail;

    job->report->reasons |= REASON_BIT(reason);
    if (detail[0] != '\0')
        return;
    snprintf(detail, sizeof job->report->detail, "%s", words);
    for (; *detail != '\0'; detail++) {
        if (*detail < 0x20 || *detail > 0x7e)
            *detail = '?';
    }
}

void codec_note_end(const struct codec_job *job, size_t end)
{
    if (end >= job->size)
        return;
    job->report->trailing = trailing_recognise(job->data + end, job->size - end);
    job->report->trailing_bytes = job->size - end;
}

bool codec_accept_size(const struct codec_job *job, uint32_t width, uint32_t height)
{
    char words[sizeof job->report->detail];

    job->report->width = width;
    job->report->height = height;
    job->report->frames = 1;
    if (width == 0 || height == 0) {
        codec_refuse(job, REASON_MEDIA_CORRUPT, "a picture without pixels");
        return false;
    }
    if (width <= job->limits->edge && height <= job->limits->edge &&
        (uint64_t)width * height <= job->limits->pixels)
        return true;
    snprintf(words, sizeof words, "%u x %u pixels are above the limit", width, height);
    codec_refuse(job, REASON_MEDIA_LIMIT_PIXELS, words);
    return false;
}

bool codec_accept_memory(const struct codec_job *job, uint64_t pixels, unsigned int bytes_per_pixel)
{
    char words[sizeof job->report->detail];
    uint64_t bytes = 0;

    if (!__builtin_mul_overflow(pixels, (uint64_t)bytes_per_pixel, &bytes) &&
        bytes <= job->limits->memory_bytes)
        return true;
    snprintf(words, sizeof words, "decoding would take about %llu bytes of memory",
             (unsigned long long)bytes);
    codec_refuse(job, REASON_MEDIA_LIMIT_MEMORY, words);
    return false;
}
