/* PDQ, the perceptual hash, in its closed form: the 64x64 picture is R * luma * C^T with two fixed sparse
 * matrices, so that rows can be taken as a decoder delivers them and no frame is kept. Source: Meta, "The
 * TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", 2019, and its C++ reference. */
#ifndef PRESCREEN_HASH_PDQ_H
#define PRESCREEN_HASH_PDQ_H

#include "prescreen/base/cpu.h"
#include "prescreen/hash/hashes.h"
#include "prescreen/image/rows.h"

#include <stdbool.h>
#include <stdint.h>

enum { PDQ_EDGE_MIN = 5 }; /* pixels: a smaller picture has no hash */

struct pdq_result {
    struct pdq_hash hashes[ORIENTATION_COUNT]; /* of the picture turned each way */
    int quality;                               /* 0-100: how much the picture has to tell */
};

/* Which colours a transparent pixel is given: mixed with white or black in proportion to 255 - alpha, in
 * float and not rounded to 8 bits, or its stored ones. Where all pixels are opaque, results are the same to
 * the bit as those of the layout without alpha. */
enum pdq_backdrop { PDQ_OVER_WHITE, PDQ_OVER_BLACK, PDQ_UNDER_ALPHA };

/* How far a picture may be reduced before it is hashed (struct picture_shape): the hash stays within 4 bits
 * of the full picture's on photographs. */
unsigned int pdq_reduction_max(uint32_t width, uint32_t height);

struct pdq_stream;

/* Starts the hash of a picture. backdrop matters only for a layout with alpha. level picks the arithmetic, at
 * most cpu_detect(). Errors: -EINVAL when an edge is below PDQ_EDGE_MIN or the reduction above
 * pdq_reduction_max(), -ENOMEM. Ownership: *stream is the caller's, freed by pdq_stream_free(). Cost: memory
 * of 24 KiB, an eighth of a byte per pixel of height and for each pixel of width 10 bytes (gray), 19 (gray
 * and alpha), 32 (RGB) or 41 (RGBA). */
int pdq_stream_create(const struct picture_shape *shape, enum pdq_backdrop backdrop, enum cpu_level level,
                      struct pdq_stream **stream);

/* Before the first row, at most once: results become those of the picture that this change makes of the rows
 * to come, the same as if the turned raster were hashed. Permuting the hashes instead costs up to 30 bits
 * where the change flips: PDQ's windows and samples are not centred. */
void pdq_stream_turn(struct pdq_stream *stream, enum orientation upright);

/* Takes the next row, from top to bottom; rows past the height are ignored. Cost: each pixel is touched about
 * once or twice, and copied. */
void pdq_stream_add_row(struct pdq_stream *stream, const uint8_t *samples);

/* Computes hashes and quality. Rows that never came are taken as repeats of the last one; with no row at all
 * hash and quality are 0. No row is taken afterwards. The result is the same to the bit at every level. */
void pdq_stream_finish(struct pdq_stream *stream, struct pdq_result *result);

void pdq_stream_free(struct pdq_stream *stream);

enum {
    PDQ_GRID = 64, /* samples of the decimated picture along each axis */
    PDQ_AREA_EDGE_MAX = 2048,
};

/* 8-bit luma, row after row without gaps, at most PDQ_AREA_EDGE_MAX wide. */
struct pdq_plane {
    const uint8_t *samples;
    uint32_t width;
    uint32_t height;
};

/* A rectangle by its edges, in samples from the plane's left and top. They may lie between samples and
 * outside the plane. Neither side is empty or longer than PDQ_AREA_EDGE_MAX. */
struct pdq_area {
    double left, top, right, bottom;
};

/* Makes the 64x64 picture that PDQ makes of what the area shows, as if it had been given in full: windows and
 * samples are centred, while those of a small picture are up to a 64th off. It is near to what a stream makes
 * of a large picture, not equal. Beyond the plane its edge is continued. Cost: about 30 us for 400 x 300. */
void pdq_area_sample(const struct pdq_plane *plane, const struct pdq_area *area, enum cpu_level level,
                     float grid[PDQ_GRID][PDQ_GRID]);

/* Hashes a 64x64 picture, row by row from the top. Cost: about 20 microseconds. */
void pdq_grid_hash(const float grid[PDQ_GRID][PDQ_GRID], struct pdq_result *result);

/* The slow, obvious twin: the reference's algorithm with box filters over a whole frame of float luma,
 * row-major width*height. For tests and benchmarks. Errors: -EINVAL below PDQ_EDGE_MIN, -ENOMEM. */
int pdq_hash_reference(const float *luma, uint32_t width, uint32_t height, struct pdq_result *result);

#endif
