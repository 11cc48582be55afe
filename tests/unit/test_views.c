#include "prescreen/view/views.h"

#include "reference_rasters.h"
#include "tap.h"
#include "view/fill.h"
#include "view/lines.h"
#include "view/patch.h"
#include "view/skew.h"
#include "view/warp.h"

#include <errno.h>
#include <math.h>

enum { WIDTH = 320, HEIGHT = 240 };

static const struct picture_shape drawn_shape = {.width = WIDTH, .height = HEIGHT, .layout = PIXEL_GRAY};

/* A picture of its own for each seed; smoothed, as photographs are. The caller frees its samples. */
static struct luma_picture draw(uint64_t seed)
{
    uint8_t *rough = picture_draw(&drawn_shape, seed);
    struct luma_picture picture = {
        .width = WIDTH, .height = HEIGHT, .samples = malloc((size_t)WIDTH * HEIGHT)};

    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            unsigned int sum = 0;
            for (int i = 0; i < 9; i++) {
                int column = x + i % 3 - 1 < 0 ? 0 : x + i % 3 - 1 >= WIDTH ? WIDTH - 1 : x + i % 3 - 1;
                int row = y + i / 3 - 1 < 0 ? 0 : y + i / 3 - 1 >= HEIGHT ? HEIGHT - 1 : y + i / 3 - 1;
                sum += rough[row * WIDTH + column];
            }
            /* No line and no shape in it is of one colour. */
            picture.samples[y * WIDTH + x] = (uint8_t)(sum / 14 + (unsigned int)(3 * x + 5 * y) % 89);
        }
    free(rough);
    return picture;
}

static struct luma_picture blank(uint32_t width, uint32_t height, uint8_t level)
{
    struct luma_picture picture = {
        .width = width, .height = height, .samples = malloc((size_t)width * height)};

    memset(picture.samples, level, (size_t)width * height);
    return picture;
}

static void paste(struct luma_picture *onto, const struct luma_picture *picture, uint32_t left, uint32_t top)
{
    for (uint32_t y = 0; y < picture->height; y++)
        memcpy(onto->samples + (size_t)(top + y) * onto->width + left,
               picture->samples + (size_t)y * picture->width, picture->width);
}

static struct pdq_result hash_of(const struct luma_picture *picture)
{
    const struct picture_shape shape = {
        .width = picture->width, .height = picture->height, .layout = PIXEL_GRAY};
    struct pdq_result result;

    picture_hash(&shape, PDQ_OVER_WHITE, cpu_choose(), picture->samples, &result);
    return result;
}

/* What a list has of the picture: the hash of a large one, which is centred. */
static struct pdq_result listed_hash_of(const struct luma_picture *picture)
{
    const struct pdq_plane plane = {picture->samples, picture->width, picture->height};
    struct pdq_area whole = luma_picture_extent(picture);
    float grid[PDQ_GRID][PDQ_GRID];
    struct pdq_result result;

    pdq_area_sample(&plane, &whole, cpu_choose(), grid);
    pdq_grid_hash((const float(*)[PDQ_GRID])grid, &result);
    return result;
}

/* The views of a picture. */
struct views {
    unsigned int count;
    enum view view[VIEWS_MAX];
    struct pdq_result result[VIEWS_MAX];
    unsigned int stop_after;
};

static int keep(void *context, enum view view, const struct pdq_result *result)
{
    struct views *views = context;

    ck_assert_uint_lt(views->count, VIEWS_MAX);
    ck_assert_int_ge(result->quality, 20);
    views->view[views->count] = view;
    views->result[views->count++] = *result;
    return views->count == views->stop_after ? -ECANCELED : 0;
}

static void derive_at(const struct luma_picture *picture, enum effort effort, enum cpu_level cpu,
                      struct views *views)
{
    struct pdq_result shown = hash_of(picture);
    const struct view_source source = {picture, true, &shown, cpu};
    const struct view_sink sink = {views, keep};

    memset(views, 0, sizeof *views);
    ck_assert_int_eq(views_derive(&source, effort, &sink), 0);
}

static void derive(const struct luma_picture *picture, enum effort effort, struct views *views)
{
    derive_at(picture, effort, cpu_choose(), views);
}

/* How near a view of that kind comes to the hash, turned any way. */
static unsigned int nearest_to(const struct views *views, enum view view, struct pdq_result wanted)
{
    unsigned int least = 256;

    for (unsigned int i = 0; i < views->count; i++)
        for (int o = 0; views->view[i] == view && o < ORIENTATION_COUNT; o++) {
            unsigned int bits =
                pdq_distance(&views->result[i].hashes[o], &wanted.hashes[ORIENTATION_ORIGINAL]);
            least = bits < least ? bits : least;
        }
    return least;
}

static unsigned int nearest(const struct views *views, enum view view, const struct luma_picture *picture)
{
    return nearest_to(views, view, listed_hash_of(picture));
}

static struct views views;

START_TEST(fast_derives_nothing)
{
    struct luma_picture picture = draw(1);

    derive(&picture, EFFORT_FAST, &views);
    ck_assert_uint_eq(views.count, 0);
    free(picture.samples);
}
END_TEST

START_TEST(a_negative_is_seen_through_to_the_bit)
{
    struct luma_picture picture = draw(2);
    struct luma_picture negative = draw(2);

    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++)
        negative.samples[i] = (uint8_t)(255 - negative.samples[i]);
    derive(&negative, EFFORT_STANDARD, &views);
    ck_assert_uint_le(nearest_to(&views, VIEW_NEGATIVE, hash_of(&picture)), 2);
    free(picture.samples);
    free(negative.samples);
}
END_TEST

START_TEST(margins_are_peeled)
{
    static const struct {
        uint32_t left, top, right, bottom;
    } margins[] = {{10, 10, 10, 10}, {0, 40, 0, 40}, {70, 0, 70, 0}, {30, 5, 0, 0}, {0, 0, 1, 0}};
    struct luma_picture picture = draw(3);
    struct luma_picture framed = blank(WIDTH + margins[_i].left + margins[_i].right,
                                       HEIGHT + margins[_i].top + margins[_i].bottom, 250);

    paste(&framed, &picture, margins[_i].left, margins[_i].top);
    struct view_rect rect = {0, 0, framed.width, framed.height};
    ck_assert(lines_peel(&framed, &rect));
    ck_assert(rect.left == margins[_i].left && rect.top == margins[_i].top);
    ck_assert(rect.width == WIDTH && rect.height == HEIGHT);
    if (_i < 4) {
        derive(&framed, EFFORT_STANDARD, &views);
        ck_assert_uint_le(nearest(&views, VIEW_PEELED, &picture), 8);
    }
    free(picture.samples);
    free(framed.samples);
}
END_TEST

START_TEST(a_margin_of_the_picture_s_own_is_kept)
{
    struct luma_picture inner = draw(4);
    struct luma_picture picture = blank(WIDTH + 60, HEIGHT + 40, 30);
    struct luma_picture framed = blank(WIDTH + 100, HEIGHT + 80, 255);

    paste(&picture, &inner, 30, 20);
    paste(&framed, &picture, 20, 20);
    derive(&framed, EFFORT_STANDARD, &views);
    ck_assert_uint_le(nearest(&views, VIEW_PEELED, &picture), 8);
    ck_assert_uint_le(nearest(&views, VIEW_PEELED, &inner), 8);
    free(inner.samples);
    free(picture.samples);
    free(framed.samples);
}
END_TEST

START_TEST(nothing_is_peeled_down_to_less_than_a_fifth)
{
    struct luma_picture picture = blank(100, 200, 7);
    struct view_rect rect = {0, 0, 100, 200};

    ck_assert(lines_peel(&picture, &rect));
    ck_assert_uint_ge(rect.width, 20);
    ck_assert_uint_ge(rect.height, 40);
    free(picture.samples);
}
END_TEST

/* Words as bars. */
static void write_bars(struct luma_picture *picture, uint32_t top, uint32_t bottom)
{
    for (uint32_t y = top + 5; y + 4 < bottom; y++)
        for (uint32_t x = 12; x + 12 < picture->width; x++)
            if ((y - top) % 14 < 8 && x % 37 < 29)
                picture->samples[y * picture->width + x] = 10;
}

START_TEST(a_caption_is_left_aside)
{
    struct luma_picture picture = draw(5);
    struct luma_picture captioned = blank(WIDTH, HEIGHT + 50, 255);
    bool above = _i == 1;

    paste(&captioned, &picture, 0, above ? 50 : 0);
    write_bars(&captioned, above ? 0 : HEIGHT, above ? 50 : HEIGHT + 50);
    derive(&captioned, EFFORT_STANDARD, &views);
    ck_assert_uint_le(nearest(&views, VIEW_BOX, &picture), 12);
    free(picture.samples);
    free(captioned.samples);
}
END_TEST

START_TEST(a_picture_on_a_screen_is_found)
{
    struct luma_picture picture = draw(6);
    struct luma_picture screen = blank(WIDTH, 512, 245);

    write_bars(&screen, 0, 60);
    write_bars(&screen, 420, 480);
    paste(&screen, &picture, 0, 110);
    derive(&screen, EFFORT_STANDARD, &views);
    ck_assert_uint_le(nearest(&views, VIEW_BOX, &picture), 12);
    free(picture.samples);
    free(screen.samples);
}
END_TEST

START_TEST(pictures_side_by_side_are_taken_apart)
{
    struct luma_picture left = draw(7);
    struct luma_picture right = draw(8);
    struct luma_picture both = blank(2 * WIDTH > SKETCH_EDGE_MAX ? SKETCH_EDGE_MAX : 2 * WIDTH, HEIGHT, 0);

    /* Each is cut down to what a sketch holds. */
    for (uint32_t y = 0; y < HEIGHT; y++) {
        memcpy(both.samples + y * both.width, left.samples + y * WIDTH, both.width / 2);
        memcpy(both.samples + y * both.width + both.width / 2, right.samples + y * WIDTH, both.width / 2);
    }
    struct luma_picture half = blank(both.width / 2, HEIGHT, 0);
    for (uint32_t y = 0; y < HEIGHT; y++)
        memcpy(half.samples + y * half.width, right.samples + y * WIDTH, half.width);
    derive(&both, EFFORT_STANDARD, &views);
    unsigned int by_half = nearest(&views, VIEW_HALF, &half);
    unsigned int by_box = nearest(&views, VIEW_BOX, &half);
    ck_assert_uint_le(by_half < by_box ? by_half : by_box, 3);
    free(left.samples);
    free(right.samples);
    free(both.samples);
    free(half.samples);
}
END_TEST

START_TEST(a_crop_is_undone_from_what_is_left)
{
    struct luma_picture picture = draw(9);
    struct luma_picture cropped = blank(WIDTH - 14, HEIGHT - 10, 0);

    for (uint32_t y = 0; y < cropped.height; y++)
        memcpy(cropped.samples + y * cropped.width, picture.samples + (y + 5) * WIDTH + 7, cropped.width);
    derive(&cropped, EFFORT_STANDARD, &views);
    ck_assert_uint_le(nearest(&views, VIEW_UNCROPPED, &picture), 24);
    free(picture.samples);
    free(cropped.samples);
}
END_TEST

/* The picture turned about its middle on a canvas that has room for it. */
static struct luma_picture turned(const struct luma_picture *picture, double degrees)
{
    double angle = degrees * M_PI / 180;
    double cosine = cos(fabs(angle));
    double sine = sin(fabs(angle));
    struct luma_picture canvas =
        blank((uint32_t)(WIDTH * cosine + HEIGHT * sine), (uint32_t)(WIDTH * sine + HEIGHT * cosine), 0);

    for (uint32_t y = 0; y < canvas.height; y++)
        for (uint32_t x = 0; x < canvas.width; x++) {
            double right = x + 0.5 - canvas.width / 2.0;
            double down = y + 0.5 - canvas.height / 2.0;
            double column = cos(angle) * right + sin(angle) * down + WIDTH / 2.0;
            double row = -sin(angle) * right + cos(angle) * down + HEIGHT / 2.0;
            if (column >= 0 && row >= 0 && column < WIDTH && row < HEIGHT)
                canvas.samples[y * canvas.width + x] =
                    picture->samples[(uint32_t)row * WIDTH + (uint32_t)column];
        }
    return canvas;
}

START_TEST(a_turn_is_read_from_empty_corners_and_undone)
{
    static const double degrees[] = {2, -3.5, 5, -8, 12, -15};
    struct luma_picture picture = draw(10);
    struct luma_picture canvas = turned(&picture, degrees[_i]);
    double angle = 0;

    ck_assert(skew_find(&canvas, &angle));
    ck_assert_double_eq_tol(angle * 180 / M_PI, degrees[_i], 0.5);
    derive(&canvas, EFFORT_STANDARD, &views);
    ck_assert_uint_le(nearest(&views, VIEW_UNROTATED, &picture), 24);
    free(picture.samples);
    free(canvas.samples);
}
END_TEST

START_TEST(an_upright_picture_has_no_angle)
{
    struct luma_picture picture = draw(11);
    struct luma_picture framed = blank(WIDTH + 40, HEIGHT + 40, 0);
    double angle = 0;

    paste(&framed, &picture, 20, 20);
    ck_assert(!skew_find(&framed, &angle));
    free(picture.samples);
    free(framed.samples);
}
END_TEST

/* A picture without flat shapes of its own. */
static struct luma_picture draw_grained(uint64_t seed)
{
    struct luma_picture picture = draw(seed);
    uint64_t state = 5;

    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++)
        picture.samples[i] = (uint8_t)(picture.samples[i] / 2 + (random_byte(&state) & 63));
    return picture;
}

static void fill_rect(struct luma_picture *picture, struct view_rect rect, uint8_t level)
{
    for (uint32_t y = 0; y < rect.height; y++)
        memset(picture->samples + (size_t)(rect.top + y) * picture->width + rect.left, level, rect.width);
}

START_TEST(a_shape_is_covered_with_what_it_encloses_and_its_edge)
{
    static const struct view_rect sticker = {100, 100, 60, 50};
    struct luma_picture picture = draw_grained(12);
    uint8_t labels[WIDTH * HEIGHT];
    uint8_t kept[WIDTH * HEIGHT];
    struct patch_shapes found = {.labels = labels};

    ck_assert_int_eq(patch_find(&picture, &found), 0);
    ck_assert_uint_eq(found.count, 0);
    fill_rect(&picture, sticker, 255);
    fill_rect(&picture, (struct view_rect){120, 115, 10, 12}, 20);
    ck_assert_int_eq(patch_find(&picture, &found), 0);
    unsigned int largest = 0;
    for (unsigned int i = 0; i < found.count; i++)
        largest = found.shapes[i].size > found.shapes[largest].size ? i : largest;
    ck_assert_uint_eq(found.shapes[largest].colour, 255);
    memset(kept, 255, sizeof kept);
    patch_cover(&picture, &found, largest, kept);
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++) {
            bool inside = x >= 100 && x < 160 && y >= 100 && y < 150;
            bool near = x >= 96 && x < 164 && y >= 96 && y < 154;
            ck_assert(inside ? kept[y * WIDTH + x] == 0 : near || kept[y * WIDTH + x] == 255);
        }
    free(picture.samples);
}
END_TEST

START_TEST(a_sticker_is_filled_from_around_it)
{
    struct luma_picture picture = draw_grained(12);
    struct luma_picture covered = draw_grained(12);

    fill_rect(&covered, (struct view_rect){100, 100, 60, 50}, 255);
    /* What is a part of the picture itself hides no sticker. */
    for (int i = 0; i < 2; i++)
        fill_rect(i == 0 ? &picture : &covered, (struct view_rect){200, 150, 80, 70}, 230);
    derive(&covered, EFFORT_STANDARD, &views);
    ck_assert_uint_eq(nearest(&views, VIEW_PATCHED, &picture), 256);
    derive(&covered, EFFORT_THOROUGH, &views);
    ck_assert_uint_le(nearest(&views, VIEW_PATCHED, &picture), 24);
    free(picture.samples);
    free(covered.samples);
}
END_TEST

START_TEST(words_of_one_colour_are_filled_together)
{
    struct luma_picture picture = draw_grained(18);
    struct luma_picture covered = draw_grained(18);

    for (uint32_t left = 10; left + 30 < WIDTH; left += 40)
        fill_rect(&covered, (struct view_rect){left, 180, 28, 20}, 250);
    fill_rect(&covered, (struct view_rect){30, 30, 60, 60}, 5);
    fill_rect(&picture, (struct view_rect){30, 30, 60, 60}, 5);
    derive(&covered, EFFORT_THOROUGH, &views);
    ck_assert_uint_le(nearest(&views, VIEW_PATCHED, &picture), 24);
    free(picture.samples);
    free(covered.samples);
}
END_TEST

START_TEST(shapes_past_the_most_are_left)
{
    struct luma_picture picture = blank(512, 512, 100);
    uint8_t *labels = malloc((size_t)512 * 512);
    struct patch_shapes found = {.labels = labels};

    for (uint32_t y = 4; y + 16 < 512; y += 24)
        for (uint32_t x = 4; x + 16 < 512; x += 24)
            fill_rect(&picture, (struct view_rect){x, y, 16, 16}, 240);
    ck_assert_int_eq(patch_find(&picture, &found), 0);
    ck_assert_uint_eq(found.count, PATCH_SHAPES_MAX);
    free(labels);
    free(picture.samples);
}
END_TEST

START_TEST(what_is_not_known_is_a_membrane_between_what_is)
{
    struct view_grid grid;

    /* A slope with a hole: the hole is filled with the slope. */
    for (int i = 0; i < PDQ_GRID; i++)
        for (int k = 0; k < PDQ_GRID; k++) {
            grid.known[i][k] = i < 20 || i > 28 || k < 30 || k > 40;
            grid.cells[i][k] = grid.known[i][k] ? (float)(i + 2 * k) : 1e6F;
        }
    fill_unknown(&grid);
    for (int i = 0; i < PDQ_GRID; i++)
        for (int k = 0; k < PDQ_GRID; k++)
            ck_assert_float_eq_tol(grid.cells[i][k], (float)(i + 2 * k), 2);
    /* A margin: it has no slope outwards, and stays between the least and the most that is known. */
    for (int i = 0; i < PDQ_GRID; i++)
        for (int k = 0; k < PDQ_GRID; k++) {
            grid.known[i][k] = k >= 6;
            grid.cells[i][k] = k >= 6 ? (float)(i / 32 * 100) : -5;
        }
    fill_unknown(&grid);
    ck_assert_float_eq_tol(grid.cells[0][0], grid.cells[0][1], 1);
    ck_assert_float_lt(grid.cells[5][0], 30);
    ck_assert_float_gt(grid.cells[60][0], 70);
    for (int k = 0; k < 6; k++)
        ck_assert(grid.cells[31][k] > 1 && grid.cells[31][k] < 50);
}
END_TEST

START_TEST(nothing_is_filled_from_nothing)
{
    struct view_grid grid = {.known = {{false}}};

    for (int i = 0; i < PDQ_GRID; i++)
        for (int k = 0; k < PDQ_GRID; k++)
            grid.cells[i][k] = (float)(i ^ k);
    fill_unknown(&grid);
    for (int i = 0; i < PDQ_GRID; i++)
        for (int k = 0; k < PDQ_GRID; k++)
            ck_assert_float_eq(grid.cells[i][k], (float)(i ^ k));
}
END_TEST

START_TEST(an_edge_within_a_sample_is_told_from_the_lines_around_it)
{
    static const double shares[] = {0, 0.2, 0.5, 0.8, 1};
    struct luma_picture picture = draw(16);
    struct luma_picture framed = blank(WIDTH + 40, HEIGHT + 40, 240);
    const struct view_rect rect = {20, 20, WIDTH, HEIGHT};
    double margin = 240 * (1 - shares[_i]);

    paste(&framed, &picture, 20, 20);
    /* The margin's last column and the picture's last row are mixed with what is beyond them. */
    for (uint32_t y = 0; y < HEIGHT; y++) {
        uint8_t *at = framed.samples + (size_t)(20 + y) * framed.width + 19;
        *at = (uint8_t)(at[1] * shares[_i] + margin);
    }
    for (uint32_t x = 20; x < 20 + WIDTH; x++) {
        uint8_t *at = framed.samples + (size_t)(19 + HEIGHT) * framed.width + x;
        *at = (uint8_t)(*at * shares[_i] + margin);
    }
    struct pdq_area area = lines_refine(&framed, &rect);
    ck_assert_double_eq_tol(area.left, 20 - shares[_i], 0.25);
    ck_assert_double_eq_tol(area.bottom, 19 + shares[_i] + HEIGHT, 0.25);
    ck_assert_double_eq_tol(area.top, 20, 0.2);
    free(picture.samples);
    free(framed.samples);
}
END_TEST

START_TEST(edges_of_the_picture_are_where_it_ends)
{
    struct luma_picture picture = draw(17);
    const struct view_rect whole = {0, 0, WIDTH, HEIGHT};

    picture.right = WIDTH - 0.75;
    picture.bottom = HEIGHT - 0.5;
    struct pdq_area area = lines_refine(&picture, &whole);
    ck_assert(area.left == 0 && area.top == 0);
    ck_assert(area.right == picture.right && area.bottom == picture.bottom);
    free(picture.samples);
}
END_TEST

START_TEST(a_frame_beyond_the_edges_continues_them)
{
    struct luma_picture picture = blank(4, 2, 0);
    uint8_t room[WARP_EDGE_MAX * 8];
    struct luma_picture made = {.samples = room};
    static const char expected[4][9] = {"aaaaabcd", "aaaaabcd", "eeeeefgh", "eeeeefgh"};

    memcpy(picture.samples, "abcdefgh", 8);
    /* From 1 above and 4 to the left. */
    const struct warp_frame frame = {.center_x = 0, .center_y = 1, .width = 8, .height = 4};
    warp_sample(&picture, &frame, &made);
    ck_assert(made.width == 8 && made.height == 4);
    ck_assert_mem_eq(room, expected[0], 8);
    ck_assert_mem_eq(room + 8, expected[1], 8);
    ck_assert_mem_eq(room + 16, expected[2], 8);
    ck_assert_mem_eq(room + 24, expected[3], 8);
    free(picture.samples);
}
END_TEST

START_TEST(views_are_the_same_at_every_level_of_the_cpu)
{
    static struct views plain;
    struct luma_picture picture = draw(13);

    derive_at(&picture, EFFORT_THOROUGH, CPU_PLAIN, &plain);
    ck_assert_uint_gt(plain.count, 20);
    for (int level = CPU_PLAIN + 1; level <= (int)cpu_detect(); level++) {
        derive_at(&picture, EFFORT_THOROUGH, (enum cpu_level)level, &views);
        ck_assert_uint_eq(views.count, plain.count);
        for (unsigned int i = 0; i < plain.count; i++) {
            ck_assert_int_eq(views.view[i], plain.view[i]);
            ck_assert_int_eq(views.result[i].quality, plain.result[i].quality);
            ck_assert_mem_eq(views.result[i].hashes, plain.result[i].hashes, sizeof plain.result[i].hashes);
        }
    }
    free(picture.samples);
}
END_TEST

START_TEST(a_sink_that_has_enough_ends_the_derivation)
{
    struct luma_picture picture = draw(14);
    struct pdq_result shown = hash_of(&picture);
    const struct view_source source = {&picture, true, &shown, cpu_choose()};
    const struct view_sink sink = {&views, keep};

    for (unsigned int after = 1; after < 30; after++) {
        memset(&views, 0, sizeof views);
        views.stop_after = after;
        int status = views_derive(&source, EFFORT_THOROUGH, &sink);
        ck_assert_int_eq(status, views.count < after ? 0 : -ECANCELED);
        ck_assert_uint_le(views.count, after);
    }
    free(picture.samples);
}
END_TEST

START_TEST(no_shape_of_a_sketch_is_too_much)
{
    static const struct {
        uint32_t width, height;
    } sizes[] = {{1, 1},    {5, 5},    {64, 64}, {512, 512}, {512, 1}, {1, 512},
                 {512, 40}, {40, 512}, {3, 512}, {41, 41},   {39, 300}};

    for (int kind = 0; kind < 4; kind++) {
        struct luma_picture picture = blank(sizes[_i].width, sizes[_i].height, (uint8_t)(kind * 85));
        struct pdq_result shown = {.quality = 100};
        const struct view_source source = {&picture, kind % 2 == 0, &shown, cpu_choose()};
        const struct view_sink sink = {&views, keep};
        uint64_t state = 1;
        for (size_t i = 0; kind > 1 && i < (size_t)picture.width * picture.height; i++)
            picture.samples[i] = kind == 2 ? random_byte(&state) : (uint8_t)((i / 7 % 2) * 255);
        for (int effort = 0; effort < EFFORT_COUNT; effort++) {
            memset(&views, 0, sizeof views);
            ck_assert_int_eq(views_derive(&source, (enum effort)effort, &sink), 0);
        }
        memset(&views, 0, sizeof views);
        ck_assert_int_eq(views_enrol(&source, &sink), 0);
        free(picture.samples);
    }
}
END_TEST

START_TEST(an_enrolled_picture_is_known_by_its_parts)
{
    struct luma_picture picture = draw(15);
    struct luma_picture part = blank(WIDTH * 7 / 10, HEIGHT * 7 / 10, 0);
    struct pdq_result shown = hash_of(&picture);
    const struct view_source source = {&picture, true, &shown, cpu_choose()};
    const struct view_sink sink = {&views, keep};

    memset(&views, 0, sizeof views);
    ck_assert_int_eq(views_enrol(&source, &sink), 0);
    for (uint32_t y = 0; y < part.height; y++)
        memcpy(part.samples + y * part.width,
               picture.samples + (y + HEIGHT * 15 / 100) * WIDTH + WIDTH * 15 / 100, part.width);
    ck_assert_uint_le(nearest(&views, VIEW_CROP, &part), 2);
    free(picture.samples);
    free(part.samples);
}
END_TEST

/* --- sketches --- */

static struct sketch *sketch_of(const struct picture_shape *shape, const uint8_t *samples, uint32_t rows)
{
    struct sketch *sketch = NULL;

    ck_assert_int_eq(sketch_create(shape, &sketch), 0);
    for (uint32_t y = 0; y < rows; y++)
        sketch_add_row(sketch, samples + y * raster_row_bytes(shape));
    return sketch;
}

START_TEST(a_sketch_is_as_large_as_it_may_be)
{
    static const struct {
        uint32_t width, height, sketch_width, sketch_height;
        bool square;
    } sizes[] = {
        {512, 512, 512, 512, true},
        {513, 512, 257, 256, true},
        {1024, 700, 512, 350, true},
        {1025, 10, 342, 10, false},
        {1, 1, 1, 1, true},
        {3000, 2000, 500, 334, true},
        {30000, 100, 509, 100, false},
        {100, 32768, 100, 512, false},
    };
    struct picture_shape shape = {.width = sizes[_i].width, .height = sizes[_i].height, .layout = PIXEL_GRAY};
    uint8_t *samples = calloc(shape.height, shape.width);
    struct sketch *sketch = sketch_of(&shape, samples, shape.height);
    bool square = !sizes[_i].square;
    const struct luma_picture *picture = sketch_finish(sketch, &square);

    ck_assert_uint_eq(picture->width, sizes[_i].sketch_width);
    ck_assert_uint_eq(picture->height, sizes[_i].sketch_height);
    ck_assert(square == sizes[_i].square);
    /* The last sample may stand for less than the others. */
    struct pdq_area extent = luma_picture_extent(picture);
    ck_assert(extent.right > picture->width - 1 && extent.right <= picture->width);
    ck_assert_double_eq_tol(sizes[_i].width / extent.right, round(sizes[_i].width / extent.right), 1e-9);
    ck_assert_double_eq_tol(sizes[_i].height / extent.bottom, round(sizes[_i].height / extent.bottom), 1e-9);
    sketch_free(sketch);
    free(samples);
}
END_TEST

START_TEST(a_sample_of_a_sketch_is_the_mean_of_its_pixels_over_white)
{
    static const uint8_t pixels[PIXEL_RGBA + 1][4] = {{90}, {90, 51}, {10, 200, 30}, {10, 200, 30, 51}};
    static const uint8_t luma[] = {90, 222, 124, 229}; /* of 0.299 R + 0.587 G + 0.114 B, then over white */
    struct picture_shape shape = {.width = 1030, .height = 516, .layout = (enum pixel_layout)_i};
    size_t bytes = pixel_layout_bytes(shape.layout);
    uint8_t *samples = malloc(bytes * shape.width * shape.height);
    bool square = false;

    for (size_t i = 0; i < (size_t)shape.width * shape.height; i++)
        memcpy(samples + i * bytes, pixels[_i], bytes);
    struct sketch *sketch = sketch_of(&shape, samples, shape.height);
    const struct luma_picture *picture = sketch_finish(sketch, &square);
    for (size_t i = 0; i < (size_t)picture->width * picture->height; i++)
        ck_assert_int_le(abs(picture->samples[i] - luma[_i]), 1);
    sketch_free(sketch);
    free(samples);
}
END_TEST

START_TEST(a_sketch_ends_where_the_rows_do)
{
    struct picture_shape shape = {.width = 2000, .height = 1500, .layout = PIXEL_GRAY};
    uint8_t *samples = calloc(shape.height, shape.width);
    bool square = false;
    struct sketch *sketch = sketch_of(&shape, samples, 0);

    ck_assert_ptr_null(sketch_finish(sketch, &square));
    sketch_free(sketch);
    sketch = sketch_of(&shape, samples, 9);
    ck_assert_uint_eq(sketch_finish(sketch, &square)->height, 3);
    sketch_free(sketch);
    free(samples);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("views");
    TCase *tests = tcase_create("views");

    tcase_add_test(tests, fast_derives_nothing);
    tcase_add_test(tests, a_negative_is_seen_through_to_the_bit);
    tcase_add_loop_test(tests, margins_are_peeled, 0, 5);
    tcase_add_test(tests, a_margin_of_the_picture_s_own_is_kept);
    tcase_add_test(tests, nothing_is_peeled_down_to_less_than_a_fifth);
    tcase_add_loop_test(tests, a_caption_is_left_aside, 0, 2);
    tcase_add_test(tests, a_picture_on_a_screen_is_found);
    tcase_add_test(tests, pictures_side_by_side_are_taken_apart);
    tcase_add_test(tests, a_crop_is_undone_from_what_is_left);
    tcase_add_loop_test(tests, a_turn_is_read_from_empty_corners_and_undone, 0, 6);
    tcase_add_test(tests, an_upright_picture_has_no_angle);
    tcase_add_test(tests, a_shape_is_covered_with_what_it_encloses_and_its_edge);
    tcase_add_test(tests, a_sticker_is_filled_from_around_it);
    tcase_add_test(tests, words_of_one_colour_are_filled_together);
    tcase_add_test(tests, shapes_past_the_most_are_left);
    tcase_add_test(tests, what_is_not_known_is_a_membrane_between_what_is);
    tcase_add_test(tests, nothing_is_filled_from_nothing);
    tcase_add_loop_test(tests, an_edge_within_a_sample_is_told_from_the_lines_around_it, 0, 5);
    tcase_add_test(tests, edges_of_the_picture_are_where_it_ends);
    tcase_add_test(tests, a_frame_beyond_the_edges_continues_them);
    tcase_add_test(tests, views_are_the_same_at_every_level_of_the_cpu);
    tcase_add_test(tests, a_sink_that_has_enough_ends_the_derivation);
    tcase_add_loop_test(tests, no_shape_of_a_sketch_is_too_much, 0, 11);
    tcase_add_test(tests, an_enrolled_picture_is_known_by_its_parts);
    tcase_add_loop_test(tests, a_sketch_is_as_large_as_it_may_be, 0, 8);
    tcase_add_loop_test(tests, a_sample_of_a_sketch_is_the_mean_of_its_pixels_over_white, 0, 4);
    tcase_add_test(tests, a_sketch_ends_where_the_rows_do);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
