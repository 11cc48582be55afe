/* What stands in a file after its picture: a polyglot is a picture to one program and something else to
 * another. */
#ifndef PRESCREEN_SRC_DECODE_TRAILING_H
#define PRESCREEN_SRC_DECODE_TRAILING_H

#include "prescreen/base/vocabulary.h"

#include <stddef.h>
#include <stdint.h>

/* Says what size bytes (at least 1) most likely are. Never TRAILING_NONE. Cost: looks at the first and last
 * kilobytes, and at every byte only while they are padding. Sources: APPNOTE.TXT 4.3 (ZIP), ISO 32000-1 7.5.2
 * (PDF), ISO/IEC 14496-12 4.3 (ftyp), RFC 1952 (gzip). */
enum trailing_data trailing_recognise(const uint8_t *data, size_t size);

/* How many of the bytes, from the first on, are padding: zeros, ones and white space. */
size_t trailing_padding(const uint8_t *data, size_t size);

#endif
