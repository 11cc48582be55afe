/* From bytes to rows of pixels. Runs only inside a worker: everything here handles what an attacker wrote. */
#ifndef PRESCREEN_DECODE_DECODE_H
#define PRESCREEN_DECODE_DECODE_H

#include "prescreen/base/vocabulary.h"
#include "prescreen/image/rows.h"

#include <stddef.h>
#include <stdint.h>

struct decode_limits {
    uint64_t pixels;       /* of one picture */
    uint32_t edge;         /* pixels along one side */
    uint32_t scans;        /* of a progressive JPEG */
    uint64_t memory_bytes; /* that a codec may hold where it can be told */
};

struct decode_report {
    enum media_format format; /* what the bytes are, whatever was declared */
    uint32_t width;           /* pixels as stored, 0 when unknown */
    uint32_t height;
    uint32_t frames;    /* that the file holds, at least 1 once a header was read */
    unsigned int exif;  /* orientation 1-8, 1 when absent or invalid */
    reason_set reasons; /* media reasons; 0 = all of the picture reached the sink */
    char detail[128];   /* the decoder's own words for the log, printable ASCII */
};

/* What the first bytes are. FORMAT_UNKNOWN when they are no picture format known here. Source: each format's
 * own document. */
enum media_format decode_sniff(const uint8_t *data, size_t size);

/* Decodes the (first) picture into the sink, row by row where the codec can. Always fills report; a refused,
 * cut or broken file is told in report->reasons, never by the return value, and rows that could be decoded
 * have reached the sink. Errors: only what the sink returned. Threads: any, no shared state. Cost: the
 * codec's. data is borrowed. */
int decode_picture(const uint8_t *data, size_t size, const struct decode_limits *limits,
                   const struct row_sink *sink, struct decode_report *report);

#endif
