#include "png_reader.h"

#include "codec_limits.h"

#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>

/* libpng's memory, each piece with its size in front so that the sum can be held below the limit. */
static png_voidp take_memory(png_structp library, png_alloc_size_t size)
{
    struct png_reader *reader = png_get_mem_ptr(library);
    size_t head = _Alignof(max_align_t);
    size_t *piece = NULL;

    if (size <= SIZE_MAX - head && size + head <= reader->memory_left)
        piece = malloc(size + head);
    if (piece == NULL) {
        reader->out_of_memory = true;
        return NULL;
    }
    *piece = size + head;
    reader->memory_left -= *piece;
    return (uint8_t *)piece + head;
}

static void give_memory(png_structp library, png_voidp memory)
{
    struct png_reader *reader = png_get_mem_ptr(library);

    if (memory == NULL)
        return;
    void *piece = (uint8_t *)memory - _Alignof(max_align_t);
    reader->memory_left += *(size_t *)piece;
    free(piece);
}

static void on_error(png_structp library, png_const_charp words)
{
    struct png_reader *reader = png_get_error_ptr(library);

    codec_refuse(reader->job, reader->out_of_memory ? REASON_MEDIA_LIMIT_MEMORY : REASON_MEDIA_CORRUPT,
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
static void choose_transformations(struct png_reader *reader)
{
    png_structp library = reader->library;

    png_set_expand(library);
    png_set_scale_16(library);
    if (reader->interlaced)
        png_set_interlace_handling(library);
    png_read_update_info(library, reader->info);
}

static enum pixel_layout layout_of(unsigned int channels)
{
    return channels == 1   ? PIXEL_GRAY
           : channels == 2 ? PIXEL_GRAY_ALPHA
           : channels == 3 ? PIXEL_RGB
                           : PIXEL_RGBA;
}

/* Ends by on_error() when the memory is not there. */
static bool allocate_frame(struct png_reader *reader)
{
    uint64_t pixels = (uint64_t)reader->shape.width * reader->shape.height;

    if (!codec_accept_memory(reader->job, pixels, pixel_layout_bytes(reader->shape.layout)))
        return false;
    reader->frame = png_calloc(reader->library, reader->shape.height * reader->row_bytes);
    return true;
}

/* The header is complete: the first IDAT comes next. */
static void on_header(png_structp library, png_infop info)
{
    struct png_reader *reader = png_get_progressive_ptr(library);
    const struct row_sink *sink = reader->job->sink;

    if (!codec_accept_size(reader->job, png_get_image_width(library, info),
                           png_get_image_height(library, info)))
        png_longjmp(library, 1);
    reader->job->report->frames = reader->frames;
    reader->interlaced = png_get_interlace_type(library, info) != PNG_INTERLACE_NONE;
    choose_transformations(reader);
    reader->shape.width = reader->job->report->width;
    reader->shape.height = reader->job->report->height;
    reader->shape.layout = layout_of(png_get_channels(library, info));
    reader->shape.exif = reader->job->report->exif;
    reader->row_bytes = png_get_rowbytes(library, info);
    if (reader->interlaced && !allocate_frame(reader))
        png_longjmp(library, 1);
    reader->status = sink->begin(sink->context, &reader->shape);
    if (reader->status != 0)
        png_longjmp(library, 1);
}

static void on_row(png_structp library, png_bytep samples, png_uint_32 y, int pass)
{
    struct png_reader *reader = png_get_progressive_ptr(library);
    const struct row_sink *sink = reader->job->sink;

    (void)pass;
    if (samples == NULL || y >= reader->shape.height)
        return;
    if (y >= reader->rows)
        reader->rows = y + 1;
    if (reader->interlaced) {
        png_progressive_combine_row(library, reader->frame + y * reader->row_bytes, samples);
        return;
    }
    reader->status = sink->row(sink->context, samples);
    if (reader->status != 0)
        png_longjmp(library, 1);
}

/* Returns false, the reason noted, when there is no memory for it. */
static bool open_library(struct png_reader *reader)
{
    reader->library = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, reader, on_error, on_warning, reader,
                                               take_memory, give_memory);
    if (reader->library != NULL)
        reader->info = png_create_info_struct(reader->library);
    if (reader->info == NULL) {
        codec_refuse(reader->job, REASON_MEDIA_LIMIT_MEMORY, "no memory to start libpng");
        return false;
    }
    if (setjmp(png_jmpbuf(reader->library)) != 0)
        return false;
    png_set_user_limits(reader->library, PNG_UINT_31_MAX,
                        PNG_UINT_31_MAX); /* so that on_header() tells the size */
    png_set_chunk_malloc_max(reader->library, CODEC_PNG_CHUNK_MAX_BYTES);
    png_set_chunk_cache_max(reader->library, CODEC_PNG_CHUNK_CACHE);
    png_set_keep_unknown_chunks(reader->library, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_progressive_read_fn(reader->library, reader, on_header, on_row, NULL);
    return true;
}

bool png_reader_begin(struct png_reader *reader, const struct codec_job *job, uint32_t frames)
{
    *reader = (struct png_reader){.job = job, .frames = frames, .memory_left = job->limits->memory_bytes};
    reader->gave_up = !open_library(reader);
    return !reader->gave_up;
}

bool png_reader_push(struct png_reader *reader, const uint8_t *bytes, size_t size)
{
    if (reader->gave_up)
        return false;
    if (setjmp(png_jmpbuf(reader->library)) != 0) {
        reader->gave_up = true;
        return false;
    }
    png_process_data(reader->library, reader->info, (png_bytep)(uintptr_t)bytes, size); /* reads only */
    return true;
}

static bool is_complete(const struct png_reader *reader)
{
    if (reader->interlaced)
        return png_get_current_pass_number(reader->library) >= PNG_INTERLACE_ADAM7_PASSES;
    return reader->rows > 0 && reader->rows == reader->shape.height;
}

/* Delivers an interlaced picture: where a pass is missing, pixels repeat those of the passes before. */
static void deliver_frame(struct png_reader *reader)
{
    const struct row_sink *sink = reader->job->sink;

    for (uint32_t y = 0; y < reader->rows && reader->status == 0; y++)
        reader->status = sink->row(sink->context, reader->frame + y * reader->row_bytes);
}

int png_reader_end(struct png_reader *reader)
{
    if (reader->info != NULL) {
        if (reader->frame != NULL)
            deliver_frame(reader);
        png_free(reader->library, reader->frame);
        if (reader->status == 0 && reader->job->report->reasons == 0 && !is_complete(reader))
            codec_refuse(reader->job, REASON_MEDIA_CORRUPT, "the data ends before the picture");
    }
    png_destroy_read_struct(&reader->library, &reader->info, NULL);
    return reader->status;
}
