/* From bytes to rows of pixels, picture by picture. Runs only inside a worker: everything here handles what
 * an attacker wrote. Opens no file, reads no clock. */
#ifndef PRESCREEN_DECODE_DECODE_H
#define PRESCREEN_DECODE_DECODE_H

#include "prescreen/base/vocabulary.h"
#include "prescreen/image/rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a program decodes. Each program names the one that it needs, and so links those codecs and no others.
 */
struct decode_codecs;

/* Formats whose libraries need nothing but memory. */
extern const struct decode_codecs decode_codecs_plain;

/* HEIC and AVIF, by libheif, which starts threads. */
extern const struct decode_codecs decode_codecs_heif;

/* Whether the format is among them. */
bool decode_codecs_have(const struct decode_codecs *codecs, enum media_format format);

/* Address space in bytes that program, libraries and stacks take before the first picture. */
uint64_t decode_codecs_memory(const struct decode_codecs *codecs);

/* What is above a limit is refused before anything is allocated in proportion to it. 0 lets nothing pass. */
struct decode_limits {
    uint64_t pixels; /* of one picture, or of an animation's canvas: media.limit.pixels */
    uint32_t edge;   /* pixels along one side: media.limit.pixels */
    uint32_t scans; /* of a progressive JPEG: media.limit.time, with the picture that the scans before give */
    uint64_t memory_bytes; /* that a codec may hold where it can be told: media.limit.memory */
};

struct decode_report {
    enum media_format format; /* what the bytes are, whatever was declared */
    uint32_t width;           /* pixels as stored, 0 when unknown; also of a picture refused for its size */
    uint32_t height;
    uint32_t frames;    /* that the file holds, whatever it claims; at least 1 once a header was read */
    unsigned int exif;  /* orientation 1-8 of the first picture, 1 when absent or invalid */
    reason_set reasons; /* media reasons; 0 = all of the picture reached the sink */
    enum trailing_data
        trailing;            /* after the end of the first picture, where the format has an end; what stands
                                after pictures that follow, when that is neither picture nor padding */
    uint64_t trailing_bytes; /* from there to the end of the file */
    char detail[128];        /* the first reason in the decoder's own words for the log, printable ASCII */
};

/* What the first bytes are. FORMAT_UNKNOWN when they are no picture format known here. data may be NULL when
 * size is 0. Source: each format's own document. */
enum media_format decode_sniff(const uint8_t *data, size_t size);

/* Decodes every picture that the file holds into the sink: its frames or pages in their order, each as it is
 * shown (an animation's frames are composed on their canvas), then pictures that follow the first one in the
 * file, then thumbnails. Always fills report; a refused, cut or broken file is told in report->reasons, never
 * by the return value, and rows that could be decoded have reached the sink, which may mean begin without a
 * row. A row that the data only begins is filled up by the codec; rows that it does not reach are not
 * delivered, save in an interlaced PNG or a progressive JPEG, whose first pass covers all. A frame above the
 * limits gives its media.limit reason and the others are decoded all the same. A following picture that is
 * cut or broken is told as the first would be; of a thumbnail nothing is told. Colour profiles and gamma are
 * not applied. Shapes: luma where the format has it and the sink does not ask for colours (PIXEL_GRAY, with
 * alpha PIXEL_GRAY_ALPHA), else as stored, 16 bits rounded to 8. Errors: only what the sink returned.
 * Threads: any, no shared state. Cost: the codec's; a frame of memory where the format demands it. data is
 * borrowed. */
int decode_picture(const struct decode_codecs *codecs, const uint8_t *data, size_t size,
                   const struct decode_limits *limits, const struct row_sink *sink,
                   struct decode_report *report);

#endif
