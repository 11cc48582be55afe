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

/* Which colours a transparent pixel is given. */
enum pdq_backdrop { PDQ_OVER_WHITE, PDQ_OVER_BLACK, PDQ_UNDER_ALPHA };

struct pdq_stream;

/* Starts the hash of a picture. backdrop matters only for a layout with alpha. level picks the arithmetic, at
 * most cpu_detect(). Errors: -EINVAL when an edge is below PDQ_EDGE_MIN, -ENOMEM. Ownership: *stream is the
 * caller's, freed by pdq_stream_free(). Cost: memory about 60 bytes per pixel of width and 16 per pixel of
 * height. */
int pdq_stream_create(const struct picture_shape *shape, enum pdq_backdrop backdrop, enum cpu_level level,
                      struct pdq_stream **stream);

/* Takes the next row, from top to bottom; rows past the height are ignored. Cost: each pixel is touched about
 * once or twice. */
void pdq_stream_add_row(struct pdq_stream *stream, const uint8_t *samples);

/* Computes hashes and quality. Rows that never came are taken as repeats of the last one; with no row at all
 * quality is 0. */
void pdq_stream_finish(struct pdq_stream *stream, struct pdq_result *result);

void pdq_stream_free(struct pdq_stream *stream);

/* The slow, obvious twin: the reference's algorithm with box filters over a whole frame of float luma,
 * row-major width*height. For tests and benchmarks. Errors: -EINVAL below PDQ_EDGE_MIN, -ENOMEM. */
int pdq_hash_reference(const float *luma, uint32_t width, uint32_t height, struct pdq_result *result);

#endif
