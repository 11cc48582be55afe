/* What a file shows beside the picture that its format is for: pictures behind that one's end (a second view,
 * or one that was appended to hide it), and thumbnails. */
#ifndef PRESCREEN_SRC_DECODE_PARTS_H
#define PRESCREEN_SRC_DECODE_PARTS_H

#include "codec.h"
#include "codec_limits.h"

struct picture_thumbnail {
    const uint8_t *data;
    size_t size;
    uint32_t frame;
    unsigned int exif;
};

struct picture_parts {
    uint32_t first_frame; /* the number that the first picture of the part being decoded has in the file */
    unsigned int thumbnail_count;
    struct picture_thumbnail thumbnails[CODEC_THUMBNAILS_MAX];
};

/* Decodes the pictures behind the first one's end, of any format, each as further frames of the file, as long
 * as nothing but padding is between them. What has only the look of a picture, or a
 * format that no worker decodes, is told by report->trailing alone. A picture that cannot be decoded as a
 * whole is as incomplete as the first would be; one that only another kind of worker decodes is
 * media.unsupported. Returns what the sink returned. job is the file's, its first picture decoded. */
int parts_decode_following(const struct codec_job *job);

/* Decodes the thumbnails that were noted of pictures with a header, without those of their own, as
 * VIEW_THUMBNAIL. Nobody is shown one
 * that is broken or too large: it gives no reason. Returns what the sink returned. */
int parts_decode_thumbnails(const struct codec_job *job);

#endif
