#include "codec.h"
#include "codec_limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

/* One TIFF. Every directory of the chain is a picture of its own, those of reduced resolution too;
 * sub-directories are not followed. libtiff converts to RGBA, a band of strips or a row of tiles at a time.
 */
struct tiff_decoder {
    const struct codec_job *job;
    TIFF *library;
    uint64_t at;      /* position in the file */
    char words[128];  /* libtiff's own, of its last error */
    uint32_t *raster; /* of a band */
    uint8_t *row;
};

static tmsize_t read_bytes(thandle_t handle, void *to, tmsize_t size)
{
    struct tiff_decoder *decoder = handle;
    uint64_t left = decoder->at < decoder->job->size ? decoder->job->size - decoder->at : 0;
    uint64_t taken = size < 0 ? 0 : (uint64_t)size < left ? (uint64_t)size : left;

    memcpy(to, decoder->job->data + (taken > 0 ? decoder->at : 0), taken);
    decoder->at += taken;
    return (tmsize_t)taken;
}

static tmsize_t write_nothing(thandle_t handle, void *from, tmsize_t size)
{
    (void)handle;
    (void)from;
    (void)size;
    return 0;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence)
{
    struct tiff_decoder *decoder = handle;

    if (whence == SEEK_CUR)
        offset += decoder->at;
    else if (whence == SEEK_END)
        offset += decoder->job->size;
    decoder->at = offset;
    return offset;
}

static int close_nothing(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t tell_size(thandle_t handle)
{
    const struct tiff_decoder *decoder = handle;

    return decoder->job->size;
}

/* libtiff reads straight from the upload. */
static int map(thandle_t handle, void **base, toff_t *size)
{
    const struct tiff_decoder *decoder = handle;

    *base = (void *)(uintptr_t)decoder->job->data;
    *size = decoder->job->size;
    return 1;
}

static void unmap(thandle_t handle, void *base, toff_t size)
{
    (void)handle;
    (void)base;
    (void)size;
}

static int on_error(TIFF *library, void *context, const char *module, const char *format, va_list arguments)
{
    struct tiff_decoder *decoder = context;

    (void)library;
    (void)module;
    vsnprintf(decoder->words, sizeof decoder->words, format, arguments);
    return 1; /* not to stderr */
}

static int on_warning(TIFF *library, void *context, const char *module, const char *format, va_list arguments)
{
    (void)library;
    (void)context;
    (void)module;
    (void)format;
    (void)arguments;
    return 1;
}

/* Adds why libtiff gave up: it tells in words alone. */
static void refuse(const struct tiff_decoder *decoder, enum reason reason)
{
    bool memory = strstr(decoder->words, "emory") != NULL || strstr(decoder->words, "allocat") != NULL;

    codec_refuse(decoder->job, memory ? REASON_MEDIA_LIMIT_MEMORY : reason,
                 decoder->words[0] != '\0' ? decoder->words : "not a valid TIFF");
}

static bool open_library(struct tiff_decoder *decoder)
{
    uint64_t memory = decoder->job->limits->memory_bytes;
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();

    if (options == NULL) {
        codec_refuse(decoder->job, REASON_MEDIA_LIMIT_MEMORY, "no memory to start libtiff");
        return false;
    }
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, memory > INT64_MAX ? INT64_MAX
                                                 : memory > 0       ? (tmsize_t)memory
                                                                    : 1);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, decoder);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, decoder);
    decoder->library = TIFFClientOpenExt("upload", "r", decoder, read_bytes, write_nothing, seek,
                                         close_nothing, tell_size, map, unmap, options);
    TIFFOpenOptionsFree(options);
    if (decoder->library == NULL)
        refuse(decoder, REASON_MEDIA_CORRUPT);
    return decoder->library != NULL;
}

/* How the page's alpha came. libtiff would dim colours by it, so that what is hidden under it were lost: it
 * is told that they are dimmed already, and those that really are are brightened here. */
static bool colours_are_dimmed(TIFF *library)
{
    uint16_t count = 0;
    uint16_t *kinds = NULL;
    uint16_t dimmed = EXTRASAMPLE_ASSOCALPHA;

    TIFFGetFieldDefaulted(library, TIFFTAG_EXTRASAMPLES, &count, &kinds);
    if (count != 1 || kinds == NULL || kinds[0] != EXTRASAMPLE_UNASSALPHA)
        return count > 0 && kinds != NULL && kinds[0] == EXTRASAMPLE_ASSOCALPHA;
    TIFFSetField(library, TIFFTAG_EXTRASAMPLES, 1, &dimmed);
    return false;
}

static uint8_t brighten(uint32_t value, uint32_t alpha)
{
    if (alpha == 0)
        return (uint8_t)value;
    uint32_t bright = (value * 255 + alpha / 2) / alpha;
    return (uint8_t)(bright < 255 ? bright : 255);
}

static void convert_row(struct tiff_decoder *decoder, const uint32_t *pixels, uint32_t width, bool alpha,
                        bool dimmed)
{
    uint8_t *to = decoder->row;

    for (uint32_t x = 0; x < width; x++) {
        const uint32_t values[3] = {TIFFGetR(pixels[x]), TIFFGetG(pixels[x]), TIFFGetB(pixels[x])};
        for (int i = 0; i < 3; i++)
            *to++ = dimmed ? brighten(values[i], TIFFGetA(pixels[x])) : (uint8_t)values[i];
        if (alpha)
            *to++ = (uint8_t)TIFFGetA(pixels[x]);
    }
}

/* Rows that are decoded together: strips and tiles come whole or not at all. */
static uint32_t band_rows(TIFF *library, uint32_t height)
{
    uint32_t rows = 0;

    if (!TIFFGetField(library, TIFFIsTiled(library) ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP, &rows) ||
        rows == 0 || rows > height)
        return height;
    return rows;
}

/* Decodes the page into the sink, band by band. Returns what the sink returned, or 0. */
static int deliver(struct tiff_decoder *decoder, TIFFRGBAImage *image, const struct picture_shape *shape,
                   bool dimmed)
{
    const struct row_sink *sink = decoder->job->sink;
    uint32_t band = band_rows(decoder->library, shape->height);
    bool alpha = shape->layout == PIXEL_RGBA;
    int status = sink->begin(sink->context, shape);

    for (uint32_t top = 0; status == 0 && top < shape->height; top += band) {
        uint32_t rows = band < shape->height - top ? band : shape->height - top;
        image->row_offset = (int)top;
        if (!TIFFRGBAImageGet(image, decoder->raster, shape->width, rows)) {
            refuse(decoder, REASON_MEDIA_CORRUPT);
            return 0;
        }
        for (uint32_t y = 0; status == 0 && y < rows; y++) {
            convert_row(decoder, decoder->raster + (size_t)y * shape->width, shape->width, alpha, dimmed);
            status = sink->row(sink->context, decoder->row);
        }
    }
    return status;
}

/* Room for a band and a row. Returns false, the reason noted, when there is none. */
static bool allocate(struct tiff_decoder *decoder, uint32_t width, uint32_t height)
{
    uint64_t pixels = (uint64_t)width * band_rows(decoder->library, height);

    free(decoder->raster);
    free(decoder->row);
    decoder->raster = NULL;
    decoder->row = NULL;
    if (!codec_accept_memory(decoder->job, pixels, CODEC_TIFF_PIXEL_BYTES))
        return false;
    decoder->raster = malloc(pixels * sizeof *decoder->raster);
    decoder->row = malloc((size_t)width * 4);
    if (decoder->raster != NULL && decoder->row != NULL)
        return true;
    codec_refuse(decoder->job, REASON_MEDIA_LIMIT_MEMORY, "no memory for a band of rows");
    return false;
}

/* Holds a page's size against the limits; the report has that of the first. */
static bool accept_page(const struct tiff_decoder *decoder, uint32_t page, uint32_t width, uint32_t height)
{
    struct decode_report *report = decoder->job->report;
    const struct decode_report first = *report;
    bool accepted = codec_accept_size(decoder->job, width, height);

    report->frames = first.frames;
    if (page > 0) {
        report->width = first.width;
        report->height = first.height;
    }
    return accepted;
}

static int decode_page(struct tiff_decoder *decoder, uint32_t page)
{
    TIFFRGBAImage image;
    uint32_t width = 0;
    uint32_t height = 0;
    uint16_t orientation = 1;
    char words[1024] = "";

    TIFFGetField(decoder->library, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(decoder->library, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetFieldDefaulted(decoder->library, TIFFTAG_ORIENTATION, &orientation);
    if (!accept_page(decoder, page, width, height))
        return 0;
    bool dimmed = colours_are_dimmed(decoder->library);
    if (!TIFFRGBAImageOK(decoder->library, words) ||
        !TIFFRGBAImageBegin(&image, decoder->library, 1, words)) {
        codec_refuse(decoder->job, REASON_MEDIA_UNSUPPORTED,
                     words[0] != '\0' ? words : "a TIFF of another kind");
        return 0;
    }
    image.req_orientation = image.orientation; /* rows as they are stored */
    const struct picture_shape shape = {.width = width,
                                        .height = height,
                                        .layout = image.alpha != 0 ? PIXEL_RGBA : PIXEL_RGB,
                                        .frame = page,
                                        .exif = orientation >= 1 && orientation <= 8 ? orientation : 1};
    if (page == 0)
        decoder->job->report->exif = shape.exif;
    int status = allocate(decoder, width, height) ? deliver(decoder, &image, &shape, dimmed) : 0;
    TIFFRGBAImageEnd(&image);
    return status;
}

/* Goes along the chain of directories, which libtiff holds to be without loops. */
static int decode_pages(struct tiff_decoder *decoder)
{
    int status = 0;

    decoder->words[0] = '\0';
    uint32_t pages = TIFFNumberOfDirectories(decoder->library);
    if (decoder->words[0] != '\0') /* where the chain breaks it only counts no further */
        refuse(decoder, REASON_MEDIA_CORRUPT);
    decoder->job->report->frames = pages > 0 ? pages : 1;
    if (!TIFFSetDirectory(decoder->library, 0)) {
        refuse(decoder, REASON_MEDIA_CORRUPT);
        return 0;
    }
    for (uint32_t page = 0; status == 0 && page < pages; page++) {
        if (page > 0 && !TIFFReadDirectory(decoder->library)) {
            refuse(decoder, REASON_MEDIA_CORRUPT);
            break;
        }
        status = decode_page(decoder, page);
    }
    return status;
}

int codec_tiff_decode(const struct codec_job *job)
{
    struct tiff_decoder decoder = {.job = job};
    int status = open_library(&decoder) ? decode_pages(&decoder) : 0;

    if (decoder.library != NULL)
        TIFFClose(decoder.library);
    free(decoder.raster);
    free(decoder.row);
    return status;
}
