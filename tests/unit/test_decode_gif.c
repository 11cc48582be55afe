#include "decode/gif_blocks.h"
#include "decode_recorder.h"
#include "tap.h"

#include <gif_lib.h>

/* A GIF that is made here, frame by frame, by giflib's other half. */
struct gif {
    GifFileType *library;
    uint8_t *data;
    size_t size;
};

enum { ROOM = 1 << 20, WIDTH = 12, HEIGHT = 9, NONE = NO_TRANSPARENT_COLOR };

static const GifColorType colours[4] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {200, 200, 200}};

static int write_bytes(GifFileType *library, const GifByteType *bytes, int count)
{
    struct gif *gif = library->UserData;

    ck_assert_uint_le(gif->size + (size_t)count, ROOM);
    memcpy(gif->data + gif->size, bytes, (size_t)count);
    gif->size += (size_t)count;
    return count;
}

static void gif_begin(struct gif *gif, int width, int height)
{
    ColorMapObject *palette = GifMakeMapObject(4, colours);
    int error = 0;

    *gif = (struct gif){.data = malloc(ROOM)};
    gif->library = EGifOpen(gif, write_bytes, &error);
    ck_assert_ptr_nonnull(gif->library);
    EGifSetGifVersion(gif->library, true);
    ck_assert_int_eq(EGifPutScreenDesc(gif->library, width, height, 8, 0, palette), GIF_OK);
    GifFreeMapObject(palette);
}

struct gif_frame {
    int left, top, width, height;
    int disposal;
    int transparent;
    uint8_t colour; /* of every pixel, or */
    bool rows;      /* that of its row modulo 4 */
    bool interlaced;
};

static void gif_add(struct gif *gif, const struct gif_frame *frame)
{
    GraphicsControlBlock control = {.DisposalMode = frame->disposal, .TransparentColor = frame->transparent};
    static const int firsts[] = {0, 4, 2, 1};
    static const int steps[] = {8, 8, 4, 2};
    GifByteType packed[4];
    GifPixelType line[256];

    EGifGCBToExtension(&control, packed);
    ck_assert_int_eq(EGifPutExtension(gif->library, GRAPHICS_EXT_FUNC_CODE, 4, packed), GIF_OK);
    ck_assert_int_eq(EGifPutImageDesc(gif->library, frame->left, frame->top, frame->width, frame->height,
                                      frame->interlaced, NULL),
                     GIF_OK);
    for (int pass = 0; pass < (frame->interlaced ? 4 : 1); pass++)
        for (int y = frame->interlaced ? firsts[pass] : 0; y < frame->height;
             y += frame->interlaced ? steps[pass] : 1) {
            memset(line, frame->rows ? y % 4 : frame->colour, sizeof line);
            ck_assert_int_eq(EGifPutLine(gif->library, line, frame->width), GIF_OK);
        }
}

static void gif_end(struct gif *gif)
{
    int error = 0;

    ck_assert_int_eq(EGifCloseFile(gif->library, &error), GIF_OK);
    gif->library = NULL;
}

static void decode(const struct gif *gif, unsigned int keeps, struct recorder *recorder,
                   struct decode_report *report)
{
    *recorder = (struct recorder){.keeps = keeps};
    ck_assert_int_eq(record(gif->data, gif->size, &roomy, recorder, report), 0);
}

/* The colour at a place of a picture, -1 where it is transparent. */
static int colour_at(const struct recorder *recorder, uint32_t x, uint32_t y)
{
    const uint8_t *pixel = recorder_pixel(recorder, x, y);

    if (recorder->shape.layout == PIXEL_RGBA && pixel[3] == 0)
        return -1;
    for (int i = 0; i < 4; i++) {
        if (pixel[0] == colours[i].Red && pixel[1] == colours[i].Green && pixel[2] == colours[i].Blue)
            return i;
    }
    ck_abort_msg("a colour that is not in the palette");
    return -2;
}

/* Three frames: a full one, a small one with that disposal, another small one elsewhere. */
static void make_animation(struct gif *gif, int disposal)
{
    const struct gif_frame frames[] = {
        {0, 0, WIDTH, HEIGHT, DISPOSE_DO_NOT, NONE, .colour = 0},
        {2, 3, 4, 2, disposal, NONE, .colour = 1},
        {8, 3, 2, 2, DISPOSE_DO_NOT, NONE, .colour = 2},
    };

    gif_begin(gif, WIDTH, HEIGHT);
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++)
        gif_add(gif, &frames[i]);
    gif_end(gif);
}

START_TEST(frames_are_composed_as_their_disposal_says)
{
    static const struct {
        int disposal, afterwards;
    } cases[] = {
        {DISPOSAL_UNSPECIFIED, 1}, {DISPOSE_DO_NOT, 1}, {DISPOSE_BACKGROUND, -1}, {DISPOSE_PREVIOUS, 0}};
    struct recorder recorder;
    struct decode_report report;
    struct gif gif;

    make_animation(&gif, cases[_i].disposal);
    decode(&gif, 1, &recorder, &report);
    ck_assert_uint_eq(report.reasons, 0);
    ck_assert(report.frames == 3 && recorder.begins == 3);
    ck_assert(report.width == WIDTH && report.height == HEIGHT);
    ck_assert_uint_eq(recorder.shape.frame, 1);
    ck_assert_int_eq(colour_at(&recorder, 2, 3), 1);
    ck_assert_int_eq(colour_at(&recorder, 1, 3), 0);
    recorder_free(&recorder);
    decode(&gif, 2, &recorder, &report);
    ck_assert_int_eq(colour_at(&recorder, 2, 3), cases[_i].afterwards);
    ck_assert_int_eq(colour_at(&recorder, 5, 4), cases[_i].afterwards);
    ck_assert_int_eq(colour_at(&recorder, 6, 4), 0);
    ck_assert_int_eq(colour_at(&recorder, 8, 3), 2);
    recorder_free(&recorder);
    free(gif.data);
}
END_TEST

START_TEST(a_transparent_colour_lets_through_what_is_below)
{
    struct recorder recorder;
    struct decode_report report;
    struct gif gif;

    gif_begin(&gif, WIDTH, HEIGHT);
    gif_add(&gif, &(struct gif_frame){0, 0, WIDTH, HEIGHT, 0, 2, .rows = true});
    gif_add(&gif, &(struct gif_frame){0, 0, WIDTH, HEIGHT, 0, 0, .rows = true});
    gif_end(&gif);
    decode(&gif, 0, &recorder, &report);
    for (uint32_t y = 0; y < HEIGHT; y++)
        ck_assert_int_eq(colour_at(&recorder, 3, y), y % 4 == 2 ? -1 : (int)(y % 4));
    recorder_free(&recorder);
    decode(&gif, 1, &recorder, &report);
    ck_assert_int_eq(recorder.shape.layout, PIXEL_RGB);
    ck_assert_int_eq(colour_at(&recorder, 3, 2), 2);
    ck_assert_int_eq(colour_at(&recorder, 3, 4), 0);
    recorder_free(&recorder);
    free(gif.data);
}
END_TEST

START_TEST(interlaced_rows_find_their_places)
{
    for (int height = 1; height < 20; height++) {
        struct recorder recorder;
        struct decode_report report;
        struct gif gif;
        gif_begin(&gif, WIDTH, height);
        gif_add(&gif, &(struct gif_frame){0, 0, WIDTH, height, 0, NONE, .rows = true, .interlaced = true});
        gif_end(&gif);
        decode(&gif, 0, &recorder, &report);
        ck_assert_uint_eq(report.reasons, 0);
        for (uint32_t y = 0; y < (uint32_t)height; y++)
            ck_assert_int_eq(colour_at(&recorder, 11, y), (int)(y % 4));
        recorder_free(&recorder);
        free(gif.data);
    }
}
END_TEST

START_TEST(a_first_frame_beyond_the_screen_makes_it_larger_and_a_later_one_is_cut)
{
    struct recorder recorder;
    struct decode_report report;
    struct gif gif;

    gif_begin(&gif, _i == 0 ? 0 : 4, _i == 0 ? 0 : 4);
    gif_add(&gif, &(struct gif_frame){2, 1, 10, 8, 0, NONE, .colour = 1});
    gif_add(&gif, &(struct gif_frame){8, 8, 100, 100, 0, NONE, .colour = 2});
    gif_add(&gif, &(struct gif_frame){200, 200, 3, 3, 0, NONE, .colour = 3});
    gif_end(&gif);
    decode(&gif, 2, &recorder, &report);
    ck_assert_uint_eq(report.reasons, 0);
    ck_assert(report.width == 12 && report.height == 9 && report.frames == 3);
    ck_assert_int_eq(colour_at(&recorder, 1, 1), -1);
    ck_assert_int_eq(colour_at(&recorder, 2, 1), 1);
    ck_assert_int_eq(colour_at(&recorder, 11, 8), 2);
    recorder_free(&recorder);
    free(gif.data);
}
END_TEST

START_TEST(an_index_beyond_the_palette_draws_nothing)
{
    struct recorder recorder;
    struct decode_report report;
    struct gif gif;

    gif_begin(&gif, WIDTH, HEIGHT);
    gif_add(&gif, &(struct gif_frame){0, 0, WIDTH, HEIGHT, 0, NONE, .rows = true});
    gif_end(&gif);
    gif.data[10] = (uint8_t)(gif.data[10] & ~7); /* two colours: the last two become a block that is none */
    memmove(gif.data + 13 + 6, gif.data + 13 + 12, gif.size - 25);
    gif.size -= 6;
    decode(&gif, 0, &recorder, &report);
    ck_assert_uint_eq(report.reasons, 0);
    ck_assert_int_eq(colour_at(&recorder, 0, 1), 1);
    ck_assert_int_eq(colour_at(&recorder, 0, 2), -1);
    recorder_free(&recorder);
    free(gif.data);
}
END_TEST

START_TEST(what_follows_the_trailer_is_told)
{
    struct recorder recorder;
    struct decode_report report;
    struct gif gif;

    make_animation(&gif, 0);
    memcpy(gif.data + gif.size, "PK\3\4 and so on", 14);
    gif.size += 14;
    decode(&gif, 0, &recorder, &report);
    ck_assert_int_eq(report.trailing, TRAILING_ZIP);
    ck_assert_uint_eq(report.trailing_bytes, 14);
    recorder_free(&recorder);
    free(gif.data);
}
END_TEST

START_TEST(a_file_cut_anywhere_gives_what_is_there_and_says_so)
{
    struct gif_survey survey;
    struct gif gif;

    make_animation(&gif, DISPOSE_PREVIOUS);
    for (size_t size = 6; size < gif.size; size++) {
        struct recorder recorder = {.keeps = 0};
        struct decode_report report;
        uint8_t *copy = malloc(size); /* a read past its end is seen */
        memcpy(copy, gif.data, size);
        ck_assert_int_eq(record(copy, size, &roomy, &recorder, &report), 0);
        ck_assert_uint_le(recorder.begins, 3);
        /* Between two blocks a cut file cannot be told from one whose trailer was left out. */
        bool cut = !gif_survey_blocks(copy, size, &survey) || survey.cut || survey.frames == 0;
        ck_assert_uint_eq(report.reasons, cut ? REASON_BIT(REASON_MEDIA_CORRUPT) : 0);
        recorder_free(&recorder);
        free(copy);
    }
    free(gif.data);
}
END_TEST

START_TEST(canvas_and_frames_are_held_to_the_limits)
{
    struct decode_limits limits = roomy;
    struct recorder recorder = {.keeps = 0};
    struct decode_report report;
    struct gif gif;

    make_animation(&gif, 0);
    for (uint64_t pixels = WIDTH * HEIGHT - 1; pixels <= WIDTH * HEIGHT + 1; pixels++) {
        recorder = (struct recorder){.keeps = 0};
        limits.pixels = pixels;
        ck_assert_int_eq(record(gif.data, gif.size, &limits, &recorder, &report), 0);
        ck_assert_uint_eq(report.reasons,
                          pixels < WIDTH * HEIGHT ? REASON_BIT(REASON_MEDIA_LIMIT_PIXELS) : 0);
        recorder_free(&recorder);
    }
    limits = roomy;
    for (uint64_t bytes = WIDTH * HEIGHT * 8 - 1; bytes <= WIDTH * HEIGHT * 8 + 1; bytes++) {
        recorder = (struct recorder){.keeps = 0};
        limits.memory_bytes = bytes;
        ck_assert_int_eq(record(gif.data, gif.size, &limits, &recorder, &report), 0);
        ck_assert_uint_eq(report.reasons,
                          bytes < WIDTH * HEIGHT * 8 ? REASON_BIT(REASON_MEDIA_LIMIT_MEMORY) : 0);
        recorder_free(&recorder);
    }
    free(gif.data);
}
END_TEST

START_TEST(a_later_frame_above_the_limit_is_left_out_and_told)
{
    struct decode_limits limits = roomy;
    struct recorder recorder = {.keeps = 1};
    struct decode_report report;
    struct gif gif;

    gif_begin(&gif, WIDTH, HEIGHT);
    gif_add(&gif, &(struct gif_frame){0, 0, WIDTH, HEIGHT, 0, NONE, .colour = 0});
    gif_add(&gif, &(struct gif_frame){0, 0, 200, 200, 0, NONE, .colour = 1});
    gif_add(&gif, &(struct gif_frame){0, 0, 2, 2, 0, NONE, .colour = 2});
    gif_end(&gif);
    limits.pixels = 39999;
    ck_assert_int_eq(record(gif.data, gif.size, &limits, &recorder, &report), 0);
    ck_assert_uint_eq(report.reasons, REASON_BIT(REASON_MEDIA_LIMIT_PIXELS));
    ck_assert(report.frames == 3 && recorder.begins == 2);
    ck_assert_uint_eq(recorder.shape.frame, 2);
    ck_assert_int_eq(colour_at(&recorder, 5, 5), 0);
    recorder_free(&recorder);
    free(gif.data);
}
END_TEST

START_TEST(a_sink_that_has_enough_is_asked_no_more)
{
    struct recorder recorder = {.keeps = 0, .fail_row = HEIGHT + 2, .row_status = ROW_SINK_ENOUGH};
    struct decode_report report;
    struct gif gif;

    make_animation(&gif, 0);
    ck_assert_int_eq(record(gif.data, gif.size, &roomy, &recorder, &report), ROW_SINK_ENOUGH);
    ck_assert_uint_eq(recorder.late, 0);
    ck_assert_uint_eq(recorder.begins, 2);
    recorder_free(&recorder);
    free(gif.data);
}
END_TEST

START_TEST(blocks_are_counted_without_decoding)
{
    struct gif_survey survey;
    struct gif gif;

    make_animation(&gif, 0);
    ck_assert(gif_survey_blocks(gif.data, gif.size, &survey));
    ck_assert(survey.frames == 3 && survey.end == gif.size && !survey.cut);
    ck_assert(!gif_survey_blocks(gif.data, 12, &survey));
    ck_assert(gif_survey_blocks(gif.data, 13, &survey));
    ck_assert(survey.cut && survey.frames == 0);
    free(gif.data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode_gif");
    TCase *tests = tcase_create("decode_gif");

    tcase_add_loop_test(tests, frames_are_composed_as_their_disposal_says, 0, 4);
    tcase_add_test(tests, a_transparent_colour_lets_through_what_is_below);
    tcase_add_test(tests, interlaced_rows_find_their_places);
    tcase_add_loop_test(tests, a_first_frame_beyond_the_screen_makes_it_larger_and_a_later_one_is_cut, 0, 2);
    tcase_add_test(tests, an_index_beyond_the_palette_draws_nothing);
    tcase_add_test(tests, what_follows_the_trailer_is_told);
    tcase_add_test(tests, a_file_cut_anywhere_gives_what_is_there_and_says_so);
    tcase_add_test(tests, canvas_and_frames_are_held_to_the_limits);
    tcase_add_test(tests, a_later_frame_above_the_limit_is_left_out_and_told);
    tcase_add_test(tests, a_sink_that_has_enough_is_asked_no_more);
    tcase_add_test(tests, blocks_are_counted_without_decoding);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
