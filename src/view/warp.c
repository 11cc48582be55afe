#include "warp.h"

#include <math.h>
#include <stddef.h>

enum { FRACTION_BITS = 16, PERIOD_SHARE = 8 };

static uint32_t within(int64_t at, uint32_t length)
{
    return at < 0 ? 0 : at >= length ? length - 1 : (uint32_t)at;
}

/* Bilinear, at a position in 65536ths of a sample. */
static uint8_t sample_inside(const struct luma_picture *picture, int64_t x, int64_t y)
{
    const uint8_t *at =
        picture->samples + (size_t)(y >> FRACTION_BITS) * picture->width + (size_t)(x >> FRACTION_BITS);
    uint32_t right = (uint32_t)(x >> PERIOD_SHARE) & 0xff;
    uint32_t below = (uint32_t)(y >> PERIOD_SHARE) & 0xff;
    uint32_t upper = at[0] * (256 - right) + at[1] * right;
    uint32_t lower = at[picture->width] * (256 - right) + at[picture->width + 1] * right;

    return (uint8_t)((upper * (256 - below) + lower * below + (1 << 15)) >> 16);
}

static uint8_t sample_anywhere(const struct luma_picture *picture, int64_t x, int64_t y)
{
    int64_t column = x >> FRACTION_BITS;
    int64_t row = y >> FRACTION_BITS;

    if (column >= 0 && row >= 0 && column + 1 < picture->width && row + 1 < picture->height)
        return sample_inside(picture, x, y);
    /* Beyond the edges the nearest sample will do: this part is a guess anyway. */
    int64_t half = 1 << (FRACTION_BITS - 1);
    uint32_t near_column = within((x + half) >> FRACTION_BITS, picture->width);
    uint32_t near_row = within((y + half) >> FRACTION_BITS, picture->height);
    return picture->samples[(size_t)near_row * picture->width + near_column];
}

static void choose_size(const struct warp_frame *frame, struct luma_picture *made)
{
    double longest = fmax(frame->width, frame->height);
    double scale = longest > WARP_EDGE_MAX ? WARP_EDGE_MAX / longest : 1;

    made->width = (uint32_t)fmax(1, floor(frame->width * scale));
    made->height = (uint32_t)fmax(1, floor(frame->height * scale));
}

static int64_t fixed(double value)
{
    return (int64_t)floor(value * (1 << FRACTION_BITS));
}

void warp_sample(const struct luma_picture *picture, const struct warp_frame *frame,
                 struct luma_picture *made)
{
    choose_size(frame, made);
    double step_x = frame->width / made->width;
    double step_y = frame->height / made->height;
    double cosine = cos(frame->angle);
    double sine = sin(frame->angle);
    int64_t right_x = fixed(cosine * step_x);
    int64_t right_y = fixed(sine * step_x);
    double across = (0.5 - made->width / 2.0) * step_x;

    for (uint32_t row = 0; row < made->height; row++) {
        double down = (row + 0.5 - made->height / 2.0) * step_y;
        /* A sample stands for the square around its middle. */
        int64_t x = fixed(frame->center_x + cosine * across - sine * down - 0.5);
        int64_t y = fixed(frame->center_y + sine * across + cosine * down - 0.5);
        uint8_t *to = made->samples + (size_t)row * made->width;
        for (uint32_t column = 0; column < made->width; column++, x += right_x, y += right_y)
            to[column] = sample_anywhere(picture, x, y);
    }
}
