/* What every codec gets, and the few words with which it refuses. Adding a format takes one file codec_*.c,
 * one line here and one row in codecs_plain.c or codecs_heif.c. */
#ifndef PRESCREEN_SRC_DECODE_CODEC_H
#define PRESCREEN_SRC_DECODE_CODEC_H

#include "prescreen/decode/decode.h"

#include <stdbool.h>

struct picture_parts;

struct codec_job {
    const uint8_t *data;
    size_t size;
    const struct decode_limits *limits;
    const struct row_sink *sink;
    struct decode_report *report; /* format, exif 1 and zeros when the codec starts */
    struct picture_parts *parts;  /* where codec_note_thumbnail() notes; NULL where none is wanted */
    const struct decode_codecs *codecs;
};

struct decode_codecs {
    const struct codec {
        enum media_format format;
        int (*decode)(const struct codec_job *job);
    } * rows;
    size_t count;
    uint64_t memory_bytes; /* as decode_codecs_memory() tells */
};

/* Decodes data by the codec of report->format, or refuses it when there is none. */
int codec_decode(const struct codec_job *job);

/* Each decodes the pictures of data that was recognised as its format, with decode_picture()'s contract. */
int codec_jpeg_decode(const struct codec_job *job);
int codec_png_decode(const struct codec_job *job);
int codec_webp_decode(const struct codec_job *job);
int codec_gif_decode(const struct codec_job *job);
int codec_tiff_decode(const struct codec_job *job);
int codec_bmp_decode(const struct codec_job *job);
int codec_heif_decode(const struct codec_job *job);

/* Adds the reason to the report. The first words given stay as its detail; bytes that are not printable ASCII
 * become '?'. */
void codec_refuse(const struct codec_job *job, enum reason reason, const char *words);

/* Notes the size in the report, with one frame. Returns false, the reason noted, when an edge or the area is
 * 0 or above the limits. */
bool codec_accept_size(const struct codec_job *job, uint32_t width, uint32_t height);

/* Returns false, the reason noted, when pixels (an accepted size) times bytes_per_pixel is above the limit of
 * memory. */
bool codec_accept_memory(const struct codec_job *job, uint64_t pixels, unsigned int bytes_per_pixel);

/* Notes what follows position end of the file, at which its last picture ends; nothing when end is at or past
 * the file's end. */
void codec_note_end(const struct codec_job *job, size_t end);

/* Notes a file within the job's data that shows the picture of that number, counted from 0 in the file, in
 * small. It has the orientation that is in the report now. The same place noted again adds nothing. */
void codec_note_thumbnail(const struct codec_job *job, uint32_t frame, const uint8_t *data, size_t size);

/* Notes the orientation that an EXIF block (from its TIFF header on) gives the pictures of the file, and the
 * thumbnail of the first one that it may hold. */
void codec_read_exif(const struct codec_job *job, const uint8_t *tiff, size_t size);

/* The orientation (1-8) of an EXIF block that starts at its TIFF header, 1 when it is absent or anything is
 * wrong with it. Only the first directory is read, and only a SHORT counts, as in browsers. Source: Exif 2.32
 * sections 4.5 and 4.6.4. */
unsigned int exif_orientation(const uint8_t *tiff, size_t size);

/* The compressed thumbnail that the second directory of an EXIF block names, as far as it lies in the block.
 * Returns false when there is none. Source: Exif 2.32 section 4.5.8, tags 0x0201 and 0x0202. */
bool exif_thumbnail(const uint8_t *tiff, size_t size, size_t *start, size_t *length);

#endif
