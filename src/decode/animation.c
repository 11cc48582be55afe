#include "animation.h"

#include "codec_limits.h"

#include <stdlib.h>
#include <string.h>

enum { RGBA = 4, RGB = 3 };

bool animation_begin(struct animation *animation, const struct codec_job *job, uint32_t width,
                     uint32_t height)
{
    *animation = (struct animation){.job = job, .width = width, .height = height};
    if (!codec_accept_memory(job, (uint64_t)width * height, CODEC_ANIMATION_PIXEL_BYTES))
        return false;
    animation->canvas = calloc(height, (size_t)width * RGBA);
    animation->row = malloc((size_t)width * RGB);
    if (animation->canvas != NULL && animation->row != NULL)
        return true;
    codec_refuse(job, REASON_MEDIA_LIMIT_MEMORY, "no memory for the canvas of an animation");
    return false;
}

void animation_end(struct animation *animation)
{
    free(animation->canvas);
    free(animation->saved);
    free(animation->row);
    *animation = (struct animation){.canvas = NULL};
}

static uint8_t *pixel_at(uint8_t *pixels, const struct animation *animation, uint32_t x, uint32_t y)
{
    return pixels + ((size_t)y * animation->width + x) * RGBA;
}

/* Clears the frame's place, or makes it what it was before the frame. */
static void dispose(struct animation *animation)
{
    const struct animation_rect *rect = &animation->rect;

    if (animation->disposal == DISPOSE_KEEP || rect->width == 0)
        return;
    for (uint32_t y = rect->top; y < rect->top + rect->height; y++) {
        uint8_t *to = pixel_at(animation->canvas, animation, rect->left, y);
        if (animation->disposal == DISPOSE_CLEAR)
            memset(to, 0, (size_t)rect->width * RGBA);
        else
            memcpy(to, pixel_at(animation->saved, animation, rect->left, y), (size_t)rect->width * RGBA);
    }
}

static bool save(struct animation *animation)
{
    size_t size = (size_t)animation->width * animation->height * RGBA;

    if (animation->saved == NULL)
        animation->saved = malloc(size);
    if (animation->saved == NULL) {
        codec_refuse(animation->job, REASON_MEDIA_LIMIT_MEMORY,
                     "no memory to restore the canvas of an animation");
        return false;
    }
    memcpy(animation->saved, animation->canvas, size);
    return true;
}

static struct animation_rect cut_to_canvas(const struct animation *animation, struct animation_rect rect)
{
    if (rect.left >= animation->width || rect.top >= animation->height)
        return (struct animation_rect){0, 0, 0, 0};
    if (rect.width > animation->width - rect.left)
        rect.width = animation->width - rect.left;
    if (rect.height > animation->height - rect.top)
        rect.height = animation->height - rect.top;
    return rect;
}

bool animation_begin_frame(struct animation *animation, struct animation_rect rect,
                           enum animation_disposal disposal, enum animation_blend blend)
{
    dispose(animation);
    animation->rect = cut_to_canvas(animation, rect);
    animation->disposal = disposal;
    animation->blend = blend;
    return disposal != DISPOSE_RESTORE || save(animation);
}

/* Straight alpha over straight alpha. */
static void blend_over(uint8_t *to, const uint8_t *from)
{
    unsigned int above = from[3] * 255U;
    unsigned int below = to[3] * (255U - from[3]);
    unsigned int alpha = above + below; /* times 255 */

    if (alpha == 0)
        return;
    for (size_t i = 0; i < RGB; i++)
        to[i] = (uint8_t)((from[i] * above + to[i] * below + alpha / 2) / alpha);
    to[3] = (uint8_t)((alpha + 127) / 255);
}

void animation_draw_row(struct animation *animation, uint32_t y, const uint8_t *pixels, uint32_t width)
{
    const struct animation_rect *rect = &animation->rect;
    uint32_t count = width < rect->width ? width : rect->width;

    if (y >= rect->height || count == 0)
        return;
    uint8_t *to = pixel_at(animation->canvas, animation, rect->left, rect->top + y);
    if (animation->blend == BLEND_REPLACE) {
        memcpy(to, pixels, (size_t)count * RGBA);
        return;
    }
    for (uint32_t x = 0; x < count; x++, to += RGBA, pixels += RGBA) {
        if (pixels[3] == 255)
            memcpy(to, pixels, RGBA);
        else if (pixels[3] > 0)
            blend_over(to, pixels);
    }
}

static bool is_opaque(const struct animation *animation)
{
    size_t count = (size_t)animation->width * animation->height;
    uint8_t all = 255;

    for (size_t i = 0; i < count; i++)
        all &= animation->canvas[i * RGBA + 3];
    return all == 255;
}

static const uint8_t *rgb_row(struct animation *animation, const uint8_t *rgba)
{
    uint8_t *to = animation->row;

    for (size_t x = 0; x < animation->width; x++, to += RGB, rgba += RGBA) {
        to[0] = rgba[0];
        to[1] = rgba[1];
        to[2] = rgba[2];
    }
    return animation->row;
}

int animation_deliver(struct animation *animation, uint32_t frame)
{
    const struct row_sink *sink = animation->job->sink;
    bool opaque = is_opaque(animation);
    const struct picture_shape shape = {.width = animation->width,
                                        .height = animation->height,
                                        .layout = opaque ? PIXEL_RGB : PIXEL_RGBA,
                                        .frame = frame,
                                        .exif = animation->job->report->exif};
    int status = sink->begin(sink->context, &shape);

    for (uint32_t y = 0; status == 0 && y < animation->height; y++) {
        const uint8_t *row = pixel_at(animation->canvas, animation, 0, y);
        status = sink->row(sink->context, opaque ? rgb_row(animation, row) : row);
    }
    return status;
}
