/* Every constant limit of the decoders, each with its reason. The others come with the job: struct
 * decode_limits. */
#ifndef PRESCREEN_SRC_DECODE_CODEC_LIMITS_H
#define PRESCREEN_SRC_DECODE_CODEC_LIMITS_H

enum {
    /* How far the recogniser reads where a format's mark may come late: the brands of a HEIF file, the
     * comments of a PNM, the prologue of an SVG. Real ones need some hundred bytes. */
    CODEC_SNIFF_WINDOW_BYTES = 4096,

    /* Pictures that may follow the first one in its file. Cameras write a few; each costs some 30 us before
     * the sink is asked. */
    CODEC_FOLLOWING_MAX = 1000,
    /* Thumbnails of all pictures of a file. */
    CODEC_THUMBNAILS_MAX = 64,
    /* A camera's has 0.02 to 0.3 million pixels; a bomb of 64 KB could have the job's limit. */
    CODEC_THUMBNAIL_PIXELS = 4000000,

    /* The canvas of an animation, and what it was before a frame that is to be taken away again. */
    CODEC_ANIMATION_PIXEL_BYTES = 8,

    /* The longest header of a BMP is the fifth version's, 124; what is much longer is none. */
    CODEC_BMP_HEADER_MAX_BYTES = 256,

    /* Bytes per pixel of a band of a TIFF: libtiff's RGBA, and the samples that it undid, at most 4 of 16
       bits. */
    CODEC_TIFF_PIXEL_BYTES = 12,

    /* The longest chunk that libpng may keep. Of those that it is shown, a palette (768 bytes) is the
       longest. */
    CODEC_PNG_CHUNK_MAX_BYTES = 4096,
    /* Chunks that libpng may keep: it is shown a palette and its transparency. */
    CODEC_PNG_CHUNK_CACHE = 8,

    /* Bytes per pixel that libwebp holds at its worst while it decodes, next to about 1 MB of its own. It has
     * no limit that it could be told, so the product is compared with the job's limit before it starts.
     * Lossy: planes of luma and chroma, 1.5. */
    CODEC_WEBP_LOSSY_PIXEL_BYTES = 2,
    /* Lossy with alpha: the planes and one of alpha, the decoded alpha, and the lossless picture that carries
       it, 4. */
    CODEC_WEBP_LOSSY_ALPHA_PIXEL_BYTES = 8,
    /* Lossy in colours: what lossy with alpha takes, and the output of 3 or 4. */
    CODEC_WEBP_LOSSY_COLOUR_PIXEL_BYTES = 12,
    /* Lossless: its own picture of 4 and the output of 3 or 4. */
    CODEC_WEBP_LOSSLESS_PIXEL_BYTES = 8,
    /* A frame of an animation may be any of these and is always delivered with 4. */
    CODEC_WEBP_FRAME_PIXEL_BYTES = 12,

    /* Bytes per pixel that libheif holds at its worst: planes of luma and chroma, 1.5, and what it makes of
     * them, 3; for samples of more than 8 bits twice that. It knows no limit of memory; what a file hides
     * behind a small size meets the process's own. */
    CODEC_HEIF_PIXEL_BYTES = 5,
};

#endif
