#include "codec.h"

static const struct codec rows[] = {
    {FORMAT_JPEG, codec_jpeg_decode}, {FORMAT_PNG, codec_png_decode},   {FORMAT_WEBP, codec_webp_decode},
    {FORMAT_GIF, codec_gif_decode},   {FORMAT_TIFF, codec_tiff_decode}, {FORMAT_BMP, codec_bmp_decode},
};

const struct decode_codecs decode_codecs_plain = {
    .rows = rows, .count = sizeof rows / sizeof rows[0], .memory_bytes = (uint64_t)40 << 20};
