/* Where the scans of a JPEG lie and where it ends, found without decoding. */
#ifndef PRESCREEN_SRC_DECODE_JPEG_SCANS_H
#define PRESCREEN_SRC_DECODE_JPEG_SCANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JPEG_PIECES_MAX = 128 };

/* Parts of a file that make a JPEG of their own when read one after the other. */
struct jpeg_pieces {
    struct {
        const uint8_t *start;
        size_t size;
    } piece[JPEG_PIECES_MAX];
    unsigned int count;
};

/* Finds the file without the scans that hold no mean of a block (AC coefficients), and without those that add
 * to means of which at most bits_spare bits are missing. Returns false unless the
 * file is one progressive frame that ends with its end marker, in which every component has one first scan of
 * its means and each further one refines them by the next bit: then nothing that is left out can change a
 * mean, and whether it is sound is not looked at. Anything else is for a decoder of all scans. Cost: one look
 * at each byte, memchr's. Source: ITU-T T.81 sections B.1.1.5, B.2 and G.1.1. */
bool jpeg_scans_find_means(const uint8_t *data, size_t size, unsigned int bits_spare,
                           struct jpeg_pieces *pieces);

/* Where the picture ends of which a segment or entropy-coded data stands at position at (at least 2): behind
 * its end marker, or where another picture starts without one; 0 when neither comes. */
size_t jpeg_scans_find_end(const uint8_t *data, size_t size, size_t at);

#endif
