#include "codec.h"
#include "jpeg_scans.h"

/* clang-format off */
#include <stdio.h> /* jpeglib.h needs it before itself */
#include <jpeglib.h>
#include <jerror.h>
/* clang-format on */
#include <limits.h>
#include <setjmp.h>
#include <string.h>

/* One JPEG. Everything that lives across a longjmp is in here and not in a local variable. */
struct jpeg_decoder {
    struct jpeg_decompress_struct library;
    struct jpeg_error_mgr errors;
    jmp_buf escape;
    const struct codec_job *job;
    size_t size;       /* of the data to use: all of it, or what came before an error */
    size_t whole_size; /* up to the end of the last scan that ended well, 0 for none */
    bool gave_up;      /* reading the scans ended by an error in the data */
    enum pixel_layout layout;
    unsigned int reduction;   /* as in struct picture_shape: the library's own scaling */
    struct jpeg_pieces means; /* of a picture of which only the means of its blocks are needed */
    unsigned int means_read;
    bool every_scan;      /* is to be read */
    JDIMENSION real_rows; /* rows from here on are not in the data: the library would invent them */
    bool cut;             /* the data ended before the end marker */
    bool oriented;        /* an EXIF segment was read */
    uint8_t *rgb;         /* a row, where the library does not convert to RGB itself */
};

/* Warnings after which every pixel is still what the data says, and what other decoders show. Any other is a
 * loss. */
static bool is_harmless(int warning)
{
    static const int harmless[] = {
        JWRN_JPEG_EOF,        /* no end marker: pixels that are missing give a warning of their own */
        JWRN_EXTRANEOUS_DATA, /* padding between segments, written by some cameras */
        JWRN_ADOBE_XFORM,    /* an unknown colour transform is taken as YCbCr or YCCK, here and in browsers */
        JWRN_JFIF_MAJOR,     /* the version says nothing about the pixels */
        JWRN_NOT_SEQUENTIAL, /* wrong spectral selection in a baseline scan, which has no use for it */
        JWRN_BOGUS_PROGRESSION, /* scans in an odd order: all are applied, here and in browsers */
    };

    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
        if (harmless[i] == warning)
            return true;
    }
    return false;
}

static enum reason reason_of_error(const struct jpeg_decompress_struct *library)
{
    switch (library->err->msg_code) {
    case JERR_EMPTY_IMAGE: /* a height of 0 is given after the first scan, by DNL */
        return library->image_width > 0 && library->image_height == 0 ? REASON_MEDIA_UNSUPPORTED
                                                                      : REASON_MEDIA_CORRUPT;
    case JERR_SOF_UNSUPPORTED: /* lossless, hierarchical */
    case JERR_BAD_PRECISION:   /* 12 and 16 bits */
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_ARITH_NOTIMPL:
    case JERR_NOTIMPL:
    case JERR_NOT_COMPILED:
        return REASON_MEDIA_UNSUPPORTED;
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
        return REASON_MEDIA_LIMIT_PIXELS;
    case JERR_OUT_OF_MEMORY:
    case JERR_NO_BACKING_STORE: /* over max_memory_to_use: Debian's build has no temporary files */
        return REASON_MEDIA_LIMIT_MEMORY;
    default:
        return REASON_MEDIA_CORRUPT;
    }
}

static void refuse(struct jpeg_decoder *decoder, enum reason reason)
{
    char words[JMSG_LENGTH_MAX];

    if ((decoder->job->report->reasons & REASON_BIT(reason)) != 0)
        return; /* broken data can give a warning for every block */
    decoder->errors.format_message((j_common_ptr)&decoder->library, words);
    codec_refuse(decoder->job, reason, words);
}

static void on_error(j_common_ptr library)
{
    struct jpeg_decoder *decoder = library->client_data;

    refuse(decoder, reason_of_error(&decoder->library));
    longjmp(decoder->escape, 1);
}

/* The row of blocks in which the data ends is the last one that holds anything real. With restart intervals
 * only the end marker is the end: after any other the library looks for the next restart. */
static void note_end_of_data(struct jpeg_decoder *decoder)
{
    const struct jpeg_decompress_struct *library = &decoder->library;
    bool for_good = library->restart_interval == 0 || library->unread_marker == JPEG_EOI;

    if (for_good && decoder->real_rows == JPEG_MAX_DIMENSION)
        decoder->real_rows = (library->input_iMCU_row + 1) * (JDIMENSION)library->max_v_samp_factor * DCTSIZE;
}

static void on_message(j_common_ptr library, int level)
{
    struct jpeg_decoder *decoder = library->client_data;
    int code = library->err->msg_code;

    if (level >= 0)
        return;
    if (code == JWRN_JPEG_EOF)
        decoder->cut = true;
    /* Arithmetic decoding reads zeros past the end, and rightly so: there the missing end marker is the only
     * sign. */
    bool out_of_data = code == JWRN_HIT_MARKER || (code == JWRN_JPEG_EOF && decoder->library.arith_code);
    if (out_of_data)
        note_end_of_data(decoder);
    if (out_of_data || !is_harmless(code))
        refuse(decoder, REASON_MEDIA_CORRUPT);
}

static void say_nothing(j_common_ptr library)
{
    (void)library;
}

/* Reads EXIF where the segment lies, so that nothing of it is kept however many there are. The
 * library's source is the whole file in one piece: what is not in the buffer is not in the file. */
static boolean read_app1(j_decompress_ptr library)
{
    struct jpeg_decoder *decoder = library->client_data;
    struct jpeg_source_mgr *source = library->src;
    const uint8_t *at = source->next_input_byte;
    size_t present = source->bytes_in_buffer;
    size_t length = present < 2 ? present : (size_t)at[0] << 8 | at[1]; /* its own two bytes included */

    if (length < 2 && present >= 2)
        length = 2;
    if (length > present)
        length = present;
    if (!decoder->oriented && length >= 8 && memcmp(at + 2, "Exif\0", 6) == 0) {
        decoder->oriented = true;
        codec_read_exif(decoder->job, at + 8, length - 8);
    }
    source->next_input_byte += length;
    source->bytes_in_buffer -= length;
    return TRUE;
}

static bool open_library(struct jpeg_decoder *decoder)
{
    uint64_t memory = decoder->job->limits->memory_bytes;

    decoder->library.err = jpeg_std_error(&decoder->errors);
    decoder->errors.error_exit = on_error;
    decoder->errors.emit_message = on_message;
    decoder->errors.output_message = say_nothing;
    decoder->library.client_data = decoder;
    if (setjmp(decoder->escape) != 0)
        return false;
    jpeg_create_decompress(&decoder->library);
    decoder->library.mem->max_memory_to_use = memory > LONG_MAX ? LONG_MAX : memory > 0 ? (long)memory : 1;
    return true;
}

static bool read_header(struct jpeg_decoder *decoder)
{
    struct jpeg_decompress_struct *library = &decoder->library;

    if (setjmp(decoder->escape) != 0)
        return false;
    jpeg_mem_src(library, decoder->job->data, decoder->size);
    jpeg_set_marker_processor(library, JPEG_APP0 + 1, read_app1);
    jpeg_read_header(library, TRUE);
    return true;
}

/* Luma alone is enough for most sinks: no conversion of colours and no upsampling of chroma. */
static bool choose_colours(struct jpeg_decoder *decoder)
{
    struct jpeg_decompress_struct *library = &decoder->library;
    bool colours = false;

    switch (library->jpeg_color_space) {
    case JCS_GRAYSCALE:
    case JCS_YCbCr:
        colours = library->jpeg_color_space == JCS_YCbCr && decoder->job->sink->colours;
        library->out_color_space = colours ? JCS_RGB : JCS_GRAYSCALE;
        decoder->layout = colours ? PIXEL_RGB : PIXEL_GRAY;
        return true;
    case JCS_RGB:
        library->out_color_space = JCS_RGB;
        decoder->layout = PIXEL_RGB;
        return true;
    case JCS_CMYK:
    case JCS_YCCK:
        library->out_color_space = JCS_CMYK;
        decoder->layout = PIXEL_RGB;
        return true;
    default:
        codec_refuse(decoder->job, REASON_MEDIA_UNSUPPORTED,
                     "a JPEG with a number of components that has no colours");
        return false;
    }
}

/* Where the scan that has just ended ends in the data: the marker after it may have been taken in already. */
static size_t scan_end(const struct jpeg_decoder *decoder)
{
    size_t ahead = decoder->library.unread_marker != 0 ? 2 : 0;

    return decoder->cut ? decoder->size : decoder->size - decoder->library.src->bytes_in_buffer - ahead;
}

/* The library scales by leaving out frequencies; at the last step a block is its mean. */
static void choose_scale(struct jpeg_decoder *decoder)
{
    struct jpeg_decompress_struct *library = &decoder->library;
    const struct row_sink *sink = decoder->job->sink;

    if (sink->reduction != NULL)
        decoder->reduction = sink->reduction(sink->context, library->image_width, library->image_height);
    library->scale_num = 1;
    library->scale_denom = 1U << decoder->reduction;
}

static boolean read_next_piece(j_decompress_ptr library)
{
    static const JOCTET end[] = {0xff, JPEG_EOI};
    struct jpeg_decoder *decoder = library->client_data;
    struct jpeg_source_mgr *source = library->src;

    if (decoder->means_read < decoder->means.count) {
        source->next_input_byte = decoder->means.piece[decoder->means_read].start;
        source->bytes_in_buffer = decoder->means.piece[decoder->means_read].size;
        decoder->means_read++;
        return TRUE;
    }
    WARNMS(library, JWRN_JPEG_EOF);
    source->next_input_byte = end;
    source->bytes_in_buffer = sizeof end;
    return TRUE;
}

/* Bits that the means may lack: as long as one step of the coarser mean is at most one of 256 levels of luma,
 * PDQ, which averages over many blocks, does not see it. */
static unsigned int spare_bits(const struct jpeg_decompress_struct *library)
{
    unsigned int step = 1; /* of a mean, in eighths of a level */
    unsigned int bits = 0;

    for (int i = 0; i < library->num_components; i++) {
        const JQUANT_TBL *table = library->quant_tbl_ptrs[library->comp_info[i].quant_tbl_no];
        bool counts = i == 0 || library->out_color_space != JCS_GRAYSCALE;
        if (table == NULL)
            return 0;
        if (counts && table->quantval[0] > step)
            step = table->quantval[0];
    }
    while (step << (bits + 1) <= DCTSIZE)
        bits++;
    return bits;
}

/* Where the means of blocks are all that is asked for, the other scans of a progressive picture are passed
 * over: they are most of it. The header has been read, up to the first scan. */
static void pass_over_details(struct jpeg_decoder *decoder)
{
    struct jpeg_source_mgr *source = decoder->library.src;
    const uint8_t *data = decoder->job->data;

    if (decoder->every_scan || decoder->reduction < PICTURE_REDUCTION_MAX ||
        !jpeg_scans_find_means(data, decoder->size, spare_bits(&decoder->library), &decoder->means))
        return;
    size_t taken = (size_t)(source->next_input_byte - data);
    if (taken > decoder->means.piece[0].size)
        return;
    source->bytes_in_buffer = decoder->means.piece[0].size - taken;
    source->fill_input_buffer = read_next_piece;
    decoder->means_read = 1;
    decoder->library.do_block_smoothing = FALSE; /* it would guess what is left out */
}

/* Reads every scan into coefficients, up to the limit of scans. Returns true when they can be shown. */
static bool read_scans(struct jpeg_decoder *decoder)
{
    struct jpeg_decompress_struct *library = &decoder->library;

    if (setjmp(decoder->escape) != 0) {
        decoder->gave_up = (decoder->job->report->reasons & REASON_BIT(REASON_MEDIA_LIMIT_MEMORY)) == 0;
        return false;
    }
    library->buffered_image = TRUE;
    jpeg_start_decompress(library);
    while (!jpeg_input_complete(library)) {
        if ((uint32_t)library->input_scan_number > decoder->job->limits->scans) {
            codec_refuse(decoder->job, REASON_MEDIA_LIMIT_TIME, "more scans than the limit");
            return library->input_scan_number > 1;
        }
        if (jpeg_consume_input(library) == JPEG_SCAN_COMPLETED && decoder->means.count == 0)
            decoder->whole_size = scan_end(decoder);
    }
    return true;
}

/* True when the scans so far hold every bit of every coefficient. */
static bool is_fully_refined(const struct jpeg_decompress_struct *library)
{
    for (int component = 0; component < library->num_components && library->coef_bits != NULL; component++) {
        for (int k = 0; k < DCTSIZE2; k++) {
            if (library->coef_bits[component][k] != 0)
                return false;
        }
    }
    return true;
}

/* A file cut between two scans gives no warning about missing data. An encoder may leave out refinement, so
 * that it is a loss only when the end marker is missing, too; a component without any scan always is. */
static void check_scans(struct jpeg_decoder *decoder)
{
    const struct jpeg_decompress_struct *library = &decoder->library;

    for (int i = 0; i < library->num_components; i++) {
        if (library->comp_info[i].quant_table == NULL)
            codec_refuse(decoder->job, REASON_MEDIA_CORRUPT, "a component without a scan");
    }
    if (library->input_scan_number > 1)
        decoder->real_rows = JPEG_MAX_DIMENSION; /* a later scan may hold what the first one lacks */
    if (decoder->cut && !is_fully_refined(library))
        codec_refuse(decoder->job, REASON_MEDIA_CORRUPT, "the data ends before the last scan");
}

/* Starts the output. At the limit of scans the last scan but one is asked for, since for the last one the
 * library would go on reading; what is shown is all that was read. */
static void start_output(struct jpeg_decoder *decoder)
{
    struct jpeg_decompress_struct *library = &decoder->library;

    if (library->buffered_image)
        jpeg_start_output(library, library->input_scan_number - (jpeg_input_complete(library) ? 0 : 1));
    else
        jpeg_start_decompress(library);
}

/* Adobe writes CMYK inverted (0 is full ink) and marks it. Without the mark decoders disagree; Chromium and
 * WebKit take it as inverted all the same, and what most people would see is what is screened. Source: Adobe
 * Technical Note 5116. */
static const uint8_t *rgb_from_inverted_cmyk(const struct jpeg_decoder *decoder, const uint8_t *cmyk)
{
    for (size_t x = 0; x < decoder->library.output_width; x++) {
        unsigned int black = cmyk[4 * x + 3];
        for (size_t i = 0; i < 3; i++)
            decoder->rgb[3 * x + i] = (uint8_t)((cmyk[4 * x + i] * black + 127) / 255);
    }
    return decoder->rgb;
}

static JSAMPARRAY allocate_rows(struct jpeg_decoder *decoder)
{
    struct jpeg_decompress_struct *library = &decoder->library;
    j_common_ptr common = (j_common_ptr)library;

    if (library->out_color_space == JCS_CMYK)
        decoder->rgb = library->mem->alloc_large(common, JPOOL_IMAGE, (size_t)library->output_width * 3);
    return library->mem->alloc_sarray(common, JPOOL_IMAGE,
                                      library->output_width * (JDIMENSION)library->output_components, 1);
}

static int deliver_rows(struct jpeg_decoder *decoder)
{
    struct jpeg_decompress_struct *library = &decoder->library;
    const struct row_sink *sink = decoder->job->sink;

    if (setjmp(decoder->escape) != 0)
        return 0;
    start_output(decoder);
    const JSAMPARRAY rows = allocate_rows(decoder);
    const struct picture_shape shape = {.width = library->image_width,
                                        .height = library->image_height,
                                        .reduction = decoder->reduction,
                                        .layout = decoder->layout,
                                        .exif = decoder->job->report->exif};
    int status = sink->begin(sink->context, &shape);
    while (status == 0 && library->output_scanline < library->output_height &&
           library->output_scanline << decoder->reduction < decoder->real_rows) {
        jpeg_read_scanlines(library, rows, 1);
        status = sink->row(sink->context,
                           decoder->rgb == NULL ? rows[0] : rgb_from_inverted_cmyk(decoder, rows[0]));
    }
    return status;
}

/* The header is there and within the limits. */
static int decode_accepted(struct jpeg_decoder *decoder)
{
    if (!choose_colours(decoder))
        return 0;
    choose_scale(decoder);
    if (jpeg_has_multiple_scans(&decoder->library)) {
        pass_over_details(decoder);
        if (!read_scans(decoder))
            return 0;
        check_scans(decoder);
    }
    return deliver_rows(decoder);
}

/* Looks for the picture's end from where the library stopped; from the start when the data made it stop. */
static void note_end(const struct jpeg_decoder *decoder)
{
    const struct codec_job *job = decoder->job;
    const struct jpeg_pieces *means = &decoder->means;
    size_t at = 2;

    if (decoder->library.src != NULL && !decoder->cut && job->report->reasons == 0) {
        size_t ended = jpeg_input_complete((j_decompress_ptr)&decoder->library) ? 2 : 0; /* by its marker */
        at = means->count > 0 ? (size_t)(means->piece[means->count - 1].start - job->data) +
                                    means->piece[means->count - 1].size - 2
                              : scan_end(decoder) - ended;
    }
    size_t end = jpeg_scans_find_end(job->data, job->size, at);
    if (end > 0)
        codec_note_end(job, end);
}

static int decode_from_start(struct jpeg_decoder *decoder)
{
    int status = 0;

    if (open_library(decoder) && read_header(decoder) &&
        codec_accept_size(decoder->job, decoder->library.image_width, decoder->library.image_height))
        status = decode_accepted(decoder);
    note_end(decoder);
    jpeg_destroy_decompress(&decoder->library);
    return status;
}

int codec_jpeg_decode(const struct codec_job *job)
{
    struct jpeg_decoder decoder = {.job = job, .size = job->size, .real_rows = JPEG_MAX_DIMENSION};
    int status = decode_from_start(&decoder);
    bool was_short = decoder.means.count > 0;

    if (decoder.gave_up && was_short) {
        decoder = (struct jpeg_decoder){
            .job = job, .size = job->size, .real_rows = JPEG_MAX_DIMENSION, .every_scan = true};
        status = decode_from_start(&decoder);
    }
    /* The scans before an error are shown as if the file ended with them. Not from the library's state after
     * the error: a second frame header, for one, has by then overwritten the first. */
    if (decoder.gave_up && decoder.whole_size > 0) {
        decoder = (struct jpeg_decoder){
            .job = job, .size = decoder.whole_size, .real_rows = JPEG_MAX_DIMENSION, .every_scan = true};
        status = decode_from_start(&decoder);
    }
    return status;
}
