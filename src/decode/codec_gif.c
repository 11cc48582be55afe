#include "animation.h"
#include "codec_limits.h"
#include "gif_blocks.h"

#include <gif_lib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* One GIF. giflib undoes LZW, line by line; it checks neither indexes nor that there is a palette. */
struct gif_decoder {
    const struct codec_job *job;
    size_t at; /* of the file, as giflib has read it */
    GifFileType *library;
    struct animation animation;
    GraphicsControlBlock control; /* of the frame to come */
    GifPixelType *indexes;        /* of a line */
    uint8_t *pixels;              /* the same in RGBA */
    uint32_t frames;              /* that were begun */
    bool ended;                   /* nothing after this can be read */
};

static int read_bytes(GifFileType *library, GifByteType *to, int count)
{
    struct gif_decoder *decoder = library->UserData;
    size_t left = decoder->job->size - decoder->at;
    size_t taken = count < 0 ? 0 : (size_t)count < left ? (size_t)count : left;

    memcpy(to, decoder->job->data + decoder->at, taken);
    decoder->at += taken;
    return (int)taken;
}

/* giflib gave up: adds why. */
static void give_up(struct gif_decoder *decoder)
{
    bool no_memory = decoder->library != NULL && decoder->library->Error == D_GIF_ERR_NOT_ENOUGH_MEM;
    const char *words = decoder->library == NULL ? NULL : GifErrorString(decoder->library->Error);

    codec_refuse(decoder->job, no_memory ? REASON_MEDIA_LIMIT_MEMORY : REASON_MEDIA_CORRUPT,
                 words == NULL ? "not a valid GIF" : words);
    decoder->ended = true;
}

static void reset_control(struct gif_decoder *decoder)
{
    decoder->control = (GraphicsControlBlock){.DisposalMode = DISPOSAL_UNSPECIFIED,
                                              .TransparentColor = NO_TRANSPARENT_COLOR};
}

/* A colour that the palette does not have is not drawn, as in browsers. */
static void colour_line(struct gif_decoder *decoder, const ColorMapObject *palette, uint32_t width)
{
    uint8_t *to = decoder->pixels;

    for (uint32_t x = 0; x < width; x++, to += 4) {
        int index = decoder->indexes[x];
        bool drawn =
            palette != NULL && index < palette->ColorCount && index != decoder->control.TransparentColor;
        const GifColorType none = {0, 0, 0};
        const GifColorType *colour = drawn ? &palette->Colors[index] : &none;
        to[0] = colour->Red;
        to[1] = colour->Green;
        to[2] = colour->Blue;
        to[3] = drawn ? 255 : 0;
    }
}

/* The row that comes as number n of an interlaced picture. */
static uint32_t interlaced_row(uint32_t n, uint32_t height)
{
    static const struct {
        uint32_t first, step;
    } passes[] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};

    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++) {
        uint32_t rows = height > passes[i].first ? (height - 1 - passes[i].first) / passes[i].step + 1 : 0;
        if (n < rows)
            return passes[i].first + n * passes[i].step;
        n -= rows;
    }
    return height;
}

static enum animation_disposal disposal_of(int mode)
{
    return mode == DISPOSE_BACKGROUND ? DISPOSE_CLEAR
           : mode == DISPOSE_PREVIOUS ? DISPOSE_RESTORE
                                      : DISPOSE_KEEP;
}

/* Draws the lines of the frame as far as they are there. Returns how many. */
static uint32_t draw_lines(struct gif_decoder *decoder)
{
    const GifImageDesc *image = &decoder->library->Image;
    const ColorMapObject *palette = image->ColorMap != NULL ? image->ColorMap : decoder->library->SColorMap;
    uint32_t width = (uint32_t)image->Width;
    uint32_t height = (uint32_t)image->Height;

    if (palette == NULL)
        codec_refuse(decoder->job, REASON_MEDIA_CORRUPT, "a frame without a palette");
    for (uint32_t n = 0; n < height; n++) {
        if (DGifGetLine(decoder->library, decoder->indexes, image->Width) == GIF_ERROR) {
            give_up(decoder);
            return n;
        }
        colour_line(decoder, palette, width);
        animation_draw_row(&decoder->animation, image->Interlace ? interlaced_row(n, height) : n,
                           decoder->pixels, width);
    }
    return height;
}

/* Room for a line of the frame. Returns false, the reason noted, when there is none. */
static bool allocate_line(struct gif_decoder *decoder, uint32_t width)
{
    free(decoder->indexes);
    free(decoder->pixels);
    decoder->indexes = malloc(width);
    decoder->pixels = malloc((size_t)width * 4);
    if (decoder->indexes != NULL && decoder->pixels != NULL)
        return true;
    codec_refuse(decoder->job, REASON_MEDIA_LIMIT_MEMORY, "no memory for a line");
    return false;
}

/* Passes over the codes of a frame that is too large to be undone. */
static void skip_frame(struct gif_decoder *decoder)
{
    GifByteType *block = NULL;
    int size = 0;

    codec_refuse(decoder->job, REASON_MEDIA_LIMIT_PIXELS, "a frame is above the limit");
    if (DGifGetCode(decoder->library, &size, &block) == GIF_ERROR) {
        give_up(decoder);
        return;
    }
    while (block != NULL && !decoder->ended) {
        if (DGifGetCodeNext(decoder->library, &block) == GIF_ERROR)
            give_up(decoder);
    }
}

static int draw_frame(struct gif_decoder *decoder, uint32_t frame)
{
    const GifImageDesc *image = &decoder->library->Image;
    const struct animation_rect rect = {(uint32_t)image->Left, (uint32_t)image->Top, (uint32_t)image->Width,
                                        (uint32_t)image->Height};

    if (!allocate_line(decoder, rect.width) ||
        !animation_begin_frame(&decoder->animation, rect, disposal_of(decoder->control.DisposalMode),
                               BLEND_OVER)) {
        decoder->ended = true;
        return 0;
    }
    return draw_lines(decoder) > 0 ? animation_deliver(&decoder->animation, frame) : 0;
}

/* giflib keeps a description of every frame, with its palette. */
static void forget_frame(GifFileType *library)
{
    GifFreeSavedImages(library);
    library->ImageCount = 0;
}

static int decode_frame(struct gif_decoder *decoder)
{
    const GifImageDesc *image = &decoder->library->Image;
    uint32_t frame = decoder->frames++;
    int status = 0;

    if (DGifGetImageDesc(decoder->library) == GIF_ERROR)
        give_up(decoder);
    else if (image->Width <= 0 || image->Height <= 0)
        codec_refuse(decoder->job, REASON_MEDIA_CORRUPT, "a frame without pixels");
    else if ((uint64_t)image->Width * (uint64_t)image->Height > decoder->job->limits->pixels)
        skip_frame(decoder);
    else
        status = draw_frame(decoder, frame);
    forget_frame(decoder->library);
    reset_control(decoder);
    return status;
}

static void read_extension(struct gif_decoder *decoder)
{
    GifByteType *block = NULL;
    int code = 0;

    if (DGifGetExtension(decoder->library, &code, &block) == GIF_ERROR) {
        give_up(decoder);
        return;
    }
    if (code == GRAPHICS_EXT_FUNC_CODE && block != NULL &&
        DGifExtensionToGCB(block[0], block + 1, &decoder->control) == GIF_ERROR)
        reset_control(decoder);
    while (block != NULL && !decoder->ended) {
        if (DGifGetExtensionNext(decoder->library, &block) == GIF_ERROR)
            give_up(decoder);
    }
}

static int decode_records(struct gif_decoder *decoder, const struct gif_survey *survey)
{
    GifRecordType record = UNDEFINED_RECORD_TYPE;
    int status = 0;

    while (status == 0 && !decoder->ended && decoder->frames < survey->frames) {
        if (DGifGetRecordType(decoder->library, &record) == GIF_ERROR)
            give_up(decoder);
        else if (record == IMAGE_DESC_RECORD_TYPE)
            status = decode_frame(decoder);
        else if (record == EXTENSION_RECORD_TYPE)
            read_extension(decoder);
        else
            decoder->ended = true;
    }
    return status;
}

/* The canvas: a first frame that does not fit makes it larger, as in browsers. */
static bool accept_canvas(const struct gif_decoder *decoder, const struct gif_survey *survey)
{
    uint32_t width = survey->screen_width > survey->first_right ? survey->screen_width : survey->first_right;
    uint32_t height =
        survey->screen_height > survey->first_bottom ? survey->screen_height : survey->first_bottom;

    if (!codec_accept_size(decoder->job, width, height))
        return false;
    if (survey->frames == 0) {
        codec_refuse(decoder->job, REASON_MEDIA_CORRUPT, "a GIF without a picture");
        return false;
    }
    decoder->job->report->frames = survey->frames;
    return true;
}

int codec_gif_decode(const struct codec_job *job)
{
    struct gif_decoder decoder = {.job = job};
    struct gif_survey survey;
    int status = 0;

    if (!gif_survey_blocks(job->data, job->size, &survey)) {
        codec_refuse(job, REASON_MEDIA_CORRUPT, "the file ends inside its header");
        return 0;
    }
    reset_control(&decoder);
    if (accept_canvas(&decoder, &survey) &&
        animation_begin(&decoder.animation, job, job->report->width, job->report->height)) {
        decoder.library = DGifOpen(&decoder, read_bytes, NULL);
        if (decoder.library == NULL)
            give_up(&decoder);
        else
            status = decode_records(&decoder, &survey);
    }
    if (survey.cut)
        codec_refuse(job, REASON_MEDIA_CORRUPT, "the data ends inside a block, or is none");
    if (status == 0 && decoder.frames < survey.frames && job->report->reasons == 0)
        codec_refuse(job, REASON_MEDIA_CORRUPT, "a frame could not be read");
    codec_note_end(job, survey.end);
    if (decoder.library != NULL)
        DGifCloseFile(decoder.library, NULL);
    animation_end(&decoder.animation);
    free(decoder.indexes);
    free(decoder.pixels);
    return status;
}
