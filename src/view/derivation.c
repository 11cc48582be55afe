#include "derivation.h"

#include <errno.h>
#include <stdlib.h>

enum {
    /* Of a smaller rectangle the hash is mostly chance. */
    VIEW_EDGE_MIN = 40,
    QUALITY_MIN = 20,
    SAME_BITS = 3,
};

int derivation_begin(struct derivation *derivation, const struct view_source *source,
                     const struct view_sink *sink)
{
    *derivation = (struct derivation){.source = source, .sink = sink};
    derivation->seen[0] = source->shown->hashes[ORIENTATION_ORIGINAL];
    derivation->scratch = malloc((size_t)WARP_EDGE_MAX * WARP_EDGE_MAX);
    return derivation->scratch == NULL ? -ENOMEM : 0;
}

void derivation_end(struct derivation *derivation)
{
    free(derivation->scratch);
}

static bool is_known(const struct derivation *derivation, const struct pdq_hash *hash)
{
    for (unsigned int i = 0; i <= derivation->count; i++) {
        if (pdq_distance(&derivation->seen[i], hash) <= SAME_BITS)
            return true;
    }
    return false;
}

int derivation_add(struct derivation *derivation, enum view view, const struct pdq_result *result)
{
    const struct pdq_hash *hash = &result->hashes[ORIENTATION_ORIGINAL];

    if (result->quality < QUALITY_MIN || derivation->count == VIEWS_MAX || is_known(derivation, hash))
        return 0;
    derivation->seen[++derivation->count] = *hash;
    return derivation->sink->take(derivation->sink->context, view, result);
}

/* Hashes part of a picture. */
static int add_part(struct derivation *derivation, enum view view, const struct luma_picture *picture,
                    const struct view_rect *rect)
{
    const struct picture_shape shape = {.width = rect->width, .height = rect->height, .layout = PIXEL_GRAY};
    const uint8_t *row = picture->samples + (size_t)rect->top * picture->width + rect->left;
    struct pdq_stream *stream = NULL;
    struct pdq_result result;

    if (rect->width < VIEW_EDGE_MIN || rect->height < VIEW_EDGE_MIN)
        return 0;
    int status = pdq_stream_create(&shape, PDQ_OVER_WHITE, derivation->source->cpu, &stream);
    if (status != 0)
        return status;
    for (uint32_t y = 0; y < rect->height; y++, row += picture->width)
        pdq_stream_add_row(stream, row);
    pdq_stream_finish(stream, &result);
    pdq_stream_free(stream);
    return derivation_add(derivation, view, &result);
}

int derivation_add_rect(struct derivation *derivation, enum view view, const struct view_rect *rect)
{
    return add_part(derivation, view, derivation->source->picture, rect);
}

int derivation_add_picture(struct derivation *derivation, enum view view, const struct luma_picture *picture)
{
    const struct view_rect whole = {0, 0, picture->width, picture->height};

    return add_part(derivation, view, picture, &whole);
}

int derivation_add_frame(struct derivation *derivation, enum view view, const struct warp_frame *frame)
{
    struct luma_picture made = {.samples = derivation->scratch};

    if (frame->width < VIEW_EDGE_MIN || frame->height < VIEW_EDGE_MIN)
        return 0;
    warp_sample(derivation->source->picture, frame, &made);
    return derivation_add_picture(derivation, view, &made);
}

struct view_rect derivation_whole(const struct derivation *derivation)
{
    const struct luma_picture *picture = derivation->source->picture;

    return (struct view_rect){0, 0, picture->width, picture->height};
}
