#include "codec.h"

static const struct codec rows[] = {
    {FORMAT_HEIC, codec_heif_decode},
    {FORMAT_AVIF, codec_heif_decode},
};

/* libheif brings encoders along, which are never called but are mapped: 60 MB. */
const struct decode_codecs decode_codecs_heif = {
    .rows = rows, .count = sizeof rows / sizeof rows[0], .memory_bytes = (uint64_t)100 << 20};
