#include "decode/animation.h"
#include "decode_pictures.h"
#include "decode_recorder.h"
#include "tap.h"

#include <math.h>
#include <zlib.h>

/* Animated PNG and WebP, each pixel held against a slow twin of what their documents say. */
enum { WIDTH = 12, HEIGHT = 10 };

#define CORRUPT REASON_BIT(REASON_MEDIA_CORRUPT)

/* One flat frame. */
struct flat {
    uint32_t left, top, width, height;
    uint8_t rgba[4];
    enum animation_disposal disposal;
    enum animation_blend blend;
};

static struct flat frames[] = {
    {0, 0, WIDTH, HEIGHT, {200, 100, 50, 255}, DISPOSE_KEEP, BLEND_REPLACE},
    {2, 2, 6, 4, {10, 20, 250, 128}, DISPOSE_KEEP, BLEND_OVER},
    {4, 0, 4, 8, {0, 255, 0, 60}, DISPOSE_KEEP, BLEND_REPLACE},
    {6, 4, 6, 6, {9, 9, 9, 200}, DISPOSE_KEEP, BLEND_OVER},
};
enum { FRAMES = sizeof frames / sizeof frames[0] };

/* --- the twin --- */

static double canvas[HEIGHT][WIDTH][4]; /* colours 0-255, alpha 0-1 */
static double before[HEIGHT][WIDTH][4];

static void draw(const struct flat *frame)
{
    memcpy(before, canvas, sizeof before);
    for (uint32_t y = frame->top; y < frame->top + frame->height; y++)
        for (uint32_t x = frame->left; x < frame->left + frame->width; x++) {
            double above = frame->rgba[3] / 255.0;
            double below = frame->blend == BLEND_OVER ? canvas[y][x][3] * (1 - above) : 0;
            double alpha = above + below;
            for (int i = 0; i < 3; i++)
                canvas[y][x][i] = alpha == 0 ? 0 : (frame->rgba[i] * above + canvas[y][x][i] * below) / alpha;
            canvas[y][x][3] = alpha;
        }
}

static void dispose(const struct flat *frame)
{
    for (uint32_t y = frame->top; y < frame->top + frame->height; y++)
        for (uint32_t x = frame->left; x < frame->left + frame->width; x++)
            for (int i = 0; i < 4 && frame->disposal != DISPOSE_KEEP; i++)
                canvas[y][x][i] = frame->disposal == DISPOSE_CLEAR ? 0 : before[y][x][i];
}

static void check_canvas(const struct recorder *recorder)
{
    bool alpha = recorder->shape.layout == PIXEL_RGBA;

    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++) {
            const uint8_t *found = recorder_pixel(recorder, x, y);
            ck_assert_double_le(fabs((alpha ? found[3] : 255) - canvas[y][x][3] * 255), 1.5);
            for (int i = 0; i < 3 && canvas[y][x][3] > 0.05; i++)
                ck_assert_double_le(fabs(found[i] - canvas[y][x][i]), 3);
        }
}

/* --- making files --- */

/* The zlib stream of a flat RGBA picture. */
static struct made flat_pixels(const struct flat *frame)
{
    size_t row = 1 + (size_t)frame->width * 4;
    uint8_t *raw = calloc(frame->height, row);
    uLongf size = compressBound(frame->height * row);
    struct made made = {malloc(size), 0};

    for (uint32_t y = 0; y < frame->height; y++)
        for (uint32_t x = 0; x < frame->width; x++)
            memcpy(raw + y * row + 1 + (size_t)x * 4, frame->rgba, 4);
    ck_assert_int_eq(compress(made.data, &size, raw, frame->height * row), Z_OK);
    made.size = size;
    free(raw);
    return made;
}

static void put_be(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void append(struct made *made, const char *type, const void *payload, size_t size)
{
    png_insert_chunk(made, made->size, type, payload, size);
}

static struct made png_begin(uint32_t claimed)
{
    struct made made = {NULL, 0};
    uint8_t header[13] = {0, 0, 0, WIDTH, 0, 0, 0, HEIGHT, 8, 6, 0, 0, 0};
    uint8_t control[8] = {0};

    made_append(&made, "\x89PNG\r\n\x1a\n", 8);
    append(&made, "IHDR", header, sizeof header);
    put_be(control, claimed);
    append(&made, "acTL", control, sizeof control);
    return made;
}

static void png_add_control(struct made *made, const struct flat *frame, uint32_t sequence)
{
    uint8_t control[26] = {0};

    put_be(control, sequence);
    put_be(control + 4, frame->width);
    put_be(control + 8, frame->height);
    put_be(control + 12, frame->left);
    put_be(control + 16, frame->top);
    control[24] = (uint8_t)frame->disposal;
    control[25] = frame->blend == BLEND_OVER;
    append(made, "fcTL", control, sizeof control);
}

static void png_add_data(struct made *made, const struct flat *frame, bool numbered, uint32_t sequence)
{
    struct made pixels = flat_pixels(frame);
    uint8_t number[4];

    put_be(number, sequence);
    if (numbered)
        made_insert(&pixels, 0, number, sizeof number);
    append(made, numbered ? "fdAT" : "IDAT", pixels.data, pixels.size);
    made_free(&pixels);
}

/* All frames; with a picture before them that is none of theirs, or the first of them in its place. */
static struct made make_apng(bool hidden_default)
{
    static const struct flat hidden = {0, 0, WIDTH, HEIGHT, {1, 2, 3, 255}, DISPOSE_KEEP, BLEND_REPLACE};
    struct made made = png_begin(FRAMES);
    uint32_t sequence = 0;

    if (hidden_default)
        png_add_data(&made, &hidden, false, 0);
    for (int i = 0; i < FRAMES; i++) {
        bool first = i == 0 && !hidden_default;
        png_add_control(&made, &frames[i], sequence++);
        png_add_data(&made, &frames[i], !first, sequence);
        sequence += !first;
    }
    append(&made, "IEND", NULL, 0);
    return made;
}

static struct made make_still(const struct flat *frame)
{
    uint8_t *pixels = malloc((size_t)frame->width * frame->height * 4);
    WebPConfig config;
    WebPPicture picture;
    WebPMemoryWriter writer;

    for (size_t i = 0; i < (size_t)frame->width * frame->height; i++)
        memcpy(pixels + 4 * i, frame->rgba, 4);
    ck_assert(WebPConfigInit(&config) && WebPPictureInit(&picture));
    WebPMemoryWriterInit(&writer);
    config.lossless = 1;
    config.exact = 1;
    picture.use_argb = 1;
    picture.width = (int)frame->width;
    picture.height = (int)frame->height;
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = &writer;
    ck_assert(WebPPictureImportRGBA(&picture, pixels, (int)frame->width * 4));
    ck_assert(WebPEncode(&config, &picture));
    WebPPictureFree(&picture);
    free(pixels);
    struct made made = {malloc(writer.size), writer.size};
    memcpy(made.data, writer.mem, writer.size);
    WebPMemoryWriterClear(&writer);
    return made;
}

static struct made make_webp_animation(void)
{
    struct made made = webp_begin_extended(0x12, WIDTH, HEIGHT);

    for (int i = 0; i < FRAMES; i++) {
        struct made still = make_still(&frames[i]);
        size_t at = made.size;
        webp_append_frame(&made, &still, frames[i].left, frames[i].top, frames[i].width, frames[i].height);
        made.data[at + 8 + 15] =
            (uint8_t)((frames[i].blend == BLEND_REPLACE) << 1 | (frames[i].disposal == DISPOSE_CLEAR));
        made_free(&still);
    }
    return made;
}

/* --- tests --- */

static void decode(const struct made *made, unsigned int keeps, struct recorder *recorder,
                   struct decode_report *report)
{
    *recorder = (struct recorder){.keeps = keeps};
    ck_assert_int_eq(record(made->data, made->size, &roomy, recorder, report), 0);
}

static void check_frames(const struct made *made, unsigned int first)
{
    struct recorder recorder;
    struct decode_report report;

    memset(canvas, 0, sizeof canvas);
    for (unsigned int i = 0; i < FRAMES; i++) {
        if (i > 0)
            dispose(&frames[i - 1]);
        draw(&frames[i]);
        decode(made, first + i, &recorder, &report);
        ck_assert_uint_eq(report.reasons, 0);
        ck_assert(report.frames == first + FRAMES && recorder.begins == first + FRAMES);
        ck_assert_uint_eq(recorder.shape.frame, first + i);
        check_canvas(&recorder);
        recorder_free(&recorder);
    }
}

/* Every disposal of the second and third frame with every blend of the third. */
static void choose(int n, int disposals)
{
    frames[1].disposal = (enum animation_disposal)(n % disposals);
    frames[2].disposal = (enum animation_disposal)(n / disposals % disposals);
    frames[2].blend = (enum animation_blend)(n / disposals / disposals % 2);
}

START_TEST(frames_of_a_png_are_composed_as_its_document_says)
{
    choose(_i, 3);
    struct made made = make_apng(_i % 2 == 1);
    check_frames(&made, _i % 2 == 1 ? 1 : 0);
    made_free(&made);
}
END_TEST

START_TEST(frames_of_a_webp_are_composed_as_its_document_says)
{
    choose(_i, 2);
    struct made made = make_webp_animation();
    check_frames(&made, 0);
    made_free(&made);
}
END_TEST

START_TEST(a_default_picture_that_no_animation_shows_is_seen)
{
    struct made made = make_apng(true);
    struct recorder recorder;
    struct decode_report report;

    decode(&made, 0, &recorder, &report);
    ck_assert_uint_eq(recorder.shape.frame, 0);
    ck_assert_mem_eq(recorder_pixel(&recorder, 3, 3), "\1\2\3", 3);
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

START_TEST(an_animation_cut_anywhere_gives_what_is_there_and_says_so)
{
    struct made made = _i == 0 ? make_apng(false) : _i == 1 ? make_apng(true) : make_webp_animation();

    for (size_t size = 12; size < made.size; size++) {
        struct recorder recorder = {.keeps = 0};
        struct decode_report report;
        uint8_t *copy = malloc(size); /* a read past its end is seen */
        memcpy(copy, made.data, size);
        ck_assert_int_eq(record(copy, size, &roomy, &recorder, &report), 0);
        ck_assert_uint_le(recorder.begins, FRAMES + 1);
        /* Between two frames a cut PNG cannot be told from one whose end was left out. */
        if (_i == 2)
            ck_assert_uint_eq(report.reasons, CORRUPT);
        recorder_free(&recorder);
        free(copy);
    }
    made_free(&made);
}
END_TEST

START_TEST(a_frame_that_browsers_refuse_ends_the_animation_and_is_told)
{
    static const struct {
        const char *type; /* of the chunk that is changed, */
        unsigned int number;
        size_t at; /* where in its payload, */
        uint8_t value;
    } changes[] = {
        {"fcTL", 1, 3, 9},   /* a number out of order */
        {"fdAT", 0, 3, 9},   /* the same, of data */
        {"fcTL", 1, 7, 200}, /* wider than the canvas */
        {"fcTL", 1, 7, 0},   /* without pixels */
        {"fcTL", 1, 15, 11}, /* beyond the canvas to the right */
        {"fcTL", 1, 24, 3},  /* a disposal that there is not */
        {"fcTL", 1, 25, 2},  /* a blend that there is not */
    };
    struct made made = make_apng(false);
    size_t at = png_find(&made, changes[_i].type, changes[_i].number);
    uint32_t length = (uint32_t)made.data[at + 2] << 8 | made.data[at + 3];
    struct recorder recorder;
    struct decode_report report;

    made.data[at + 8 + changes[_i].at] = changes[_i].value;
    put_be(made.data + at + 8 + length, (uint32_t)crc32(0, made.data + at + 4, 4 + length));
    decode(&made, 0, &recorder, &report);
    ck_assert_uint_eq(report.reasons, CORRUPT);
    ck_assert_uint_eq(report.frames, FRAMES);
    ck_assert_uint_eq(recorder.begins, 1);
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

START_TEST(damaged_data_of_a_frame_is_told)
{
    struct made made = make_apng(false);
    size_t at = png_find(&made, "fdAT", 1);
    struct recorder recorder;
    struct decode_report report;

    made.data[at + 8 + 6] ^= 0x40;
    decode(&made, 0, &recorder, &report);
    ck_assert_uint_eq(report.reasons, CORRUPT);
    ck_assert_uint_ge(recorder.begins, 2);
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

START_TEST(memory_for_an_animation_is_held_to_the_limit)
{
    struct made made = _i == 0 ? make_apng(false) : make_webp_animation();
    struct decode_limits limits = roomy;
    struct recorder recorder = {.keeps = 0};
    struct decode_report report;

    limits.memory_bytes = WIDTH * HEIGHT * 8 - 1;
    ck_assert_int_eq(record(made.data, made.size, &limits, &recorder, &report), 0);
    ck_assert_uint_eq(report.reasons, REASON_BIT(REASON_MEDIA_LIMIT_MEMORY));
    ck_assert_uint_eq(recorder.begins, 0);
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

START_TEST(a_sink_that_has_enough_is_asked_no_more)
{
    struct made made = _i == 0 ? make_apng(false) : make_webp_animation();
    struct recorder recorder = {.keeps = 0, .fail_row = HEIGHT + 3, .row_status = ROW_SINK_ENOUGH};
    struct decode_report report;

    ck_assert_int_eq(record(made.data, made.size, &roomy, &recorder, &report), ROW_SINK_ENOUGH);
    ck_assert_uint_eq(recorder.late, 0);
    ck_assert_uint_eq(recorder.begins, 2);
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

START_TEST(an_animation_without_frames_is_corrupt_or_a_still_picture)
{
    struct made webp = webp_begin_extended(2, 16, 16);
    struct made png = png_begin(5);
    struct recorder recorder;
    struct decode_report report;

    decode(&webp, 0, &recorder, &report);
    ck_assert_uint_eq(report.reasons, CORRUPT);
    recorder_free(&recorder);
    png_add_data(&png, &frames[0], false, 0);
    append(&png, "IEND", NULL, 0);
    decode(&png, 0, &recorder, &report);
    ck_assert_uint_eq(report.reasons, 0);
    ck_assert(report.frames == 1 && recorder.begins == 1);
    recorder_free(&recorder);
    made_free(&webp);
    made_free(&png);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode_animation");
    TCase *tests = tcase_create("decode_animation");

    tcase_add_loop_test(tests, frames_of_a_png_are_composed_as_its_document_says, 0, 18);
    tcase_add_loop_test(tests, frames_of_a_webp_are_composed_as_its_document_says, 0, 8);
    tcase_add_test(tests, a_default_picture_that_no_animation_shows_is_seen);
    tcase_add_loop_test(tests, an_animation_cut_anywhere_gives_what_is_there_and_says_so, 0, 3);
    tcase_add_loop_test(tests, a_frame_that_browsers_refuse_ends_the_animation_and_is_told, 0, 7);
    tcase_add_test(tests, damaged_data_of_a_frame_is_told);
    tcase_add_loop_test(tests, memory_for_an_animation_is_held_to_the_limit, 0, 2);
    tcase_add_loop_test(tests, a_sink_that_has_enough_is_asked_no_more, 0, 2);
    tcase_add_test(tests, an_animation_without_frames_is_corrupt_or_a_still_picture);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
