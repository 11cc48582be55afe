#include "codec.h"
#include "codec_limits.h"

#include <png.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNATURE_BYTES = 8, CHUNK_HEAD_BYTES = 8, CHUNK_CRC_BYTES = 4 };

/* One PNG. libpng is used as browsers use it, through its push reader: rows arrive as soon as their data
 * does, and what follows the last row is not inflated. */
struct png_decoder {
    const struct codec_job *job;
    png_structp library;
    png_infop info;
    struct picture_shape shape;
    uint64_t memory_left; /* of the job's limit */
    bool out_of_memory;
    bool interlaced;
    uint8_t *frame; /* of an interlaced picture, whose rows arrive several times */
    size_t row_bytes;
    uint32_t rows; /* that have arrived: delivered, or begun in the frame */
    int status;    /* of the sink */
};

/* A chunk of the file, or as much of it as is there. */
struct png_chunk {
    const uint8_t *start; /* its length field */
    size_t present;       /* bytes from start */
    const uint8_t *payload;
    size_t payload_present;
    bool whole;
};

static bool is_chunk(const struct png_chunk *chunk, const char *type)
{
    return memcmp(chunk->start + 4, type, 4) == 0;
}

/* Reads the chunk at *at and moves past it. Returns false when the file ends before the chunk's type. */
static bool next_chunk(const struct codec_job *job, size_t *at, struct png_chunk *chunk)
{
    const uint8_t *start = job->data + *at;
    size_t left = job->size - *at;

    if (left < CHUNK_HEAD_BYTES)
        return false;
    size_t length = (size_t)start[0] << 24 | (size_t)start[1] << 16 | (size_t)start[2] << 8 | start[3];
    size_t after_head = left - CHUNK_HEAD_BYTES;
    chunk->start = start;
    chunk->whole = after_head >= CHUNK_CRC_BYTES && length <= after_head - CHUNK_CRC_BYTES;
    chunk->present = chunk->whole ? CHUNK_HEAD_BYTES + length + CHUNK_CRC_BYTES : left;
    chunk->payload = start + CHUNK_HEAD_BYTES;
    chunk->payload_present = length < after_head ? length : after_head;
    *at += chunk->present;
    return true;
}

/* An ancillary chunk that cannot change the pixels, so that libpng need not see it: no profile to inflate, no
 * text to keep. What does not even look like a chunk's type is left for libpng to refuse. */
static bool is_decoration(const struct png_chunk *chunk)
{
    for (size_t i = 4; i < 8; i++) {
        uint8_t letter = chunk->start[i] | 0x20;
        if (letter < 'a' || letter > 'z')
            return false;
    }
    return (chunk->start[4] & 0x20) != 0 && !is_chunk(chunk, "tRNS");
}

/* Counts the frames that are there, whatever acTL claims, reads EXIF and notes the end. The picture in IDAT
 * is a frame of its own when no fcTL stands before it: shown by decoders that know no animation, and by no
 * others. Source: PNG 3rd edition, 11.3. */
static void survey_chunks(const struct codec_job *job)
{
    struct png_chunk chunk;
    bool animated = false;
    bool in_idat = false;
    bool oriented = false;
    bool hidden_default = true;
    uint32_t frames = 0;

    for (size_t at = SIGNATURE_BYTES; next_chunk(job, &at, &chunk);) {
        if (is_chunk(&chunk, "IDAT"))
            in_idat = true;
        else if (is_chunk(&chunk, "acTL") && !in_idat)
            animated = true;
        else if (is_chunk(&chunk, "fcTL")) {
            frames++;
            hidden_default = hidden_default && in_idat;
        } else if (is_chunk(&chunk, "eXIf") && !oriented) {
            oriented = true;
            codec_read_exif(job, chunk.payload, chunk.payload_present);
        } else if (is_chunk(&chunk, "IEND")) {
            codec_note_end(job, at);
            break;
        }
    }
    if (animated && frames > 0)
        job->report->frames = frames + (hidden_default ? 1 : 0);
    if (job->report->frames > 1)
        codec_refuse(job, REASON_MEDIA_LIMIT_FRAMES, "an animation: only its first picture is examined");
}

/* libpng's memory, each piece with its size in front so that the sum can be held below the limit. */
static png_voidp take_memory(png_structp library, png_alloc_size_t size)
{
    struct png_decoder *decoder = png_get_mem_ptr(library);
    size_t head = _Alignof(max_align_t);
    size_t *piece = NULL;

    if (size <= SIZE_MAX - head && size + head <= decoder->memory_left)
        piece = malloc(size + head);
    if (piece == NULL) {
        decoder->out_of_memory = true;
        return NULL;
    }
    *piece = size + head;
    decoder->memory_left -= *piece;
    return (uint8_t *)piece + head;
}

static void give_memory(png_structp library, png_voidp memory)
{
    struct png_decoder *decoder = png_get_mem_ptr(library);

    if (memory == NULL)
        return;
    void *piece = (uint8_t *)memory - _Alignof(max_align_t);
    decoder->memory_left += *(size_t *)piece;
    free(piece);
}

static void on_error(png_structp library, png_const_charp words)
{
    struct png_decoder *decoder = png_get_error_ptr(library);

    codec_refuse(decoder->job, decoder->out_of_memory ? REASON_MEDIA_LIMIT_MEMORY : REASON_MEDIA_CORRUPT,
                 words);
    png_longjmp(library, 1);
}

/* Nothing that libpng only warns of costs a pixel; rows that do not arrive are counted. */
static void on_warning(png_structp library, png_const_charp words)
{
    (void)library;
    (void)words;
}

/* Every depth becomes 8 bits, nearest value; a palette becomes its colours, transparency becomes alpha. No
 * gamma. */
static void choose_transformations(struct png_decoder *decoder)
{
    png_structp library = decoder->library;

    png_set_expand(library);
    png_set_scale_16(library);
    if (decoder->interlaced)
        png_set_interlace_handling(library);
    png_read_update_info(library, decoder->info);
}

static enum pixel_layout layout_of(unsigned int channels)
{
    return channels == 1   ? PIXEL_GRAY
           : channels == 2 ? PIXEL_GRAY_ALPHA
           : channels == 3 ? PIXEL_RGB
                           : PIXEL_RGBA;
}

/* Ends by on_error() when the memory is not there. */
static bool allocate_frame(struct png_decoder *decoder)
{
    uint64_t pixels = (uint64_t)decoder->shape.width * decoder->shape.height;

    if (!codec_accept_memory(decoder->job, pixels, pixel_layout_bytes(decoder->shape.layout)))
        return false;
    decoder->frame = png_calloc(decoder->library, decoder->shape.height * decoder->row_bytes);
    return true;
}

/* The header is complete: the first IDAT comes next. */
static void on_header(png_structp library, png_infop info)
{
    struct png_decoder *decoder = png_get_progressive_ptr(library);
    const struct row_sink *sink = decoder->job->sink;

    if (!codec_accept_size(decoder->job, png_get_image_width(library, info),
                           png_get_image_height(library, info)))
        png_longjmp(library, 1);
    survey_chunks(decoder->job);
    decoder->interlaced = png_get_interlace_type(library, info) != PNG_INTERLACE_NONE;
    choose_transformations(decoder);
    decoder->shape.width = decoder->job->report->width;
    decoder->shape.height = decoder->job->report->height;
    decoder->shape.layout = layout_of(png_get_channels(library, info));
    decoder->shape.exif = decoder->job->report->exif;
    decoder->row_bytes = png_get_rowbytes(library, info);
    if (decoder->interlaced && !allocate_frame(decoder))
        png_longjmp(library, 1);
    decoder->status = sink->begin(sink->context, &decoder->shape);
    if (decoder->status != 0)
        png_longjmp(library, 1);
}

static void on_row(png_structp library, png_bytep samples, png_uint_32 y, int pass)
{
    struct png_decoder *decoder = png_get_progressive_ptr(library);
    const struct row_sink *sink = decoder->job->sink;

    (void)pass;
    if (samples == NULL || y >= decoder->shape.height)
        return;
    if (y >= decoder->rows)
        decoder->rows = y + 1;
    if (decoder->interlaced) {
        png_progressive_combine_row(library, decoder->frame + y * decoder->row_bytes, samples);
        return;
    }
    decoder->status = sink->row(sink->context, samples);
    if (decoder->status != 0)
        png_longjmp(library, 1);
}

/* Returns false, the reason noted, when there is no memory for it. */
static bool open_library(struct png_decoder *decoder)
{
    decoder->library = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, decoder, on_error, on_warning, decoder,
                                                take_memory, give_memory);
    if (decoder->library != NULL)
        decoder->info = png_create_info_struct(decoder->library);
    if (decoder->info == NULL) {
        codec_refuse(decoder->job, REASON_MEDIA_LIMIT_MEMORY, "no memory to start libpng");
        return false;
    }
    if (setjmp(png_jmpbuf(decoder->library)) != 0)
        return false;
    png_set_user_limits(decoder->library, PNG_UINT_31_MAX,
                        PNG_UINT_31_MAX); /* so that on_header() tells the size */
    png_set_chunk_malloc_max(decoder->library, CODEC_PNG_CHUNK_MAX_BYTES);
    png_set_chunk_cache_max(decoder->library, CODEC_PNG_CHUNK_CACHE);
    png_set_keep_unknown_chunks(decoder->library, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_progressive_read_fn(decoder->library, decoder, on_header, on_row, NULL);
    return true;
}

/* Returns false when libpng or one of the callbacks gave up. */
static bool push(struct png_decoder *decoder, const uint8_t *bytes, size_t size)
{
    if (setjmp(png_jmpbuf(decoder->library)) != 0)
        return false;
    png_process_data(decoder->library, decoder->info, (png_bytep)(uintptr_t)bytes, size); /* reads only */
    return true;
}

/* Shows libpng the chunks that make the picture, up to the end of the run of IDATs. */
static void push_picture(struct png_decoder *decoder)
{
    const struct codec_job *job = decoder->job;
    struct png_chunk chunk;
    bool in_idat = false;
    bool going = push(decoder, job->data, SIGNATURE_BYTES);

    for (size_t at = SIGNATURE_BYTES; going && next_chunk(job, &at, &chunk);) {
        bool idat = is_chunk(&chunk, "IDAT");
        if (in_idat && !idat)
            return;
        in_idat = idat;
        going = is_decoration(&chunk) || push(decoder, chunk.start, chunk.present);
    }
}

static bool is_complete(const struct png_decoder *decoder)
{
    if (decoder->interlaced)
        return png_get_current_pass_number(decoder->library) >= PNG_INTERLACE_ADAM7_PASSES;
    return decoder->rows > 0 && decoder->rows == decoder->shape.height;
}

/* Delivers an interlaced picture: where a pass is missing, pixels repeat those of the passes before. */
static void deliver_frame(struct png_decoder *decoder)
{
    const struct row_sink *sink = decoder->job->sink;

    for (uint32_t y = 0; y < decoder->rows && decoder->status == 0; y++)
        decoder->status = sink->row(sink->context, decoder->frame + y * decoder->row_bytes);
}

int codec_png_decode(const struct codec_job *job)
{
    struct png_decoder decoder = {.job = job, .memory_left = job->limits->memory_bytes};
    reason_set only_frames = REASON_BIT(REASON_MEDIA_LIMIT_FRAMES);

    if (job->size < SIGNATURE_BYTES) {
        codec_refuse(job, REASON_MEDIA_CORRUPT, "the file ends inside the signature");
        return 0;
    }
    if (open_library(&decoder)) {
        push_picture(&decoder);
        if (decoder.frame != NULL)
            deliver_frame(&decoder);
        png_free(decoder.library, decoder.frame);
        if (decoder.status == 0 && (job->report->reasons & ~only_frames) == 0 && !is_complete(&decoder))
            codec_refuse(job, REASON_MEDIA_CORRUPT, "the data ends before the picture");
    }
    png_destroy_read_struct(&decoder.library, &decoder.info, NULL);
    return decoder.status;
}
