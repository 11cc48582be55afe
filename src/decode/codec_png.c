#include "png_chunks.h"
#include "png_reader.h"

/* Shows libpng the chunks that make the picture, up to the end of the run of IDATs. */
static void push_picture(struct png_reader *reader)
{
    const struct codec_job *job = reader->job;
    struct png_chunk chunk;
    bool in_idat = false;
    bool going = png_reader_push(reader, job->data, PNG_SIGNATURE_BYTES);

    for (size_t at = PNG_SIGNATURE_BYTES; going && png_next_chunk(job, &at, &chunk);) {
        bool idat = png_is_chunk(&chunk, "IDAT");
        if (in_idat && !idat)
            return;
        in_idat = idat;
        going = png_is_decoration(&chunk) || png_reader_push(reader, chunk.start, chunk.present);
    }
}

static int decode_default_picture(const struct codec_job *job, const struct png_survey *survey)
{
    struct png_reader reader;

    if (png_reader_begin(&reader, job, survey->frames))
        push_picture(&reader);
    return png_reader_end(&reader);
}

int codec_png_decode(const struct codec_job *job)
{
    struct png_survey survey;
    int status = 0;

    if (job->size < PNG_SIGNATURE_BYTES) {
        codec_refuse(job, REASON_MEDIA_CORRUPT, "the file ends inside the signature");
        return 0;
    }
    png_survey_chunks(job, &survey);
    job->report->frames = survey.frames;
    if (!survey.animated || survey.hidden_default)
        status = decode_default_picture(job, &survey);
    if (status == 0 && survey.animated)
        status = png_animation_decode(job, survey.frames, survey.hidden_default ? 1 : 0);
    codec_note_end(job, survey.end);
    return status;
}
