/* HEIC and AVIF: drawings of tests/data/heif/, whole, limited and broken. */
#include "decode/heif_boxes.h"
#include "decode_recorder.h"
#include "tap.h"

#include <errno.h>

#define BIT(name)   REASON_BIT(REASON_MEDIA_##name)
#define FOLDER      "tests/data/heif/"
#define CLOSE_LUMA  12
#define CLOSE_ALPHA 4

struct picture_file {
    uint8_t *data;
    size_t size;
    struct recorder recorder;
    struct decode_report report;
    int status;
};

static struct picture_file open_file(const char *path)
{
    struct picture_file file = {.size = 0};

    file.data = read_file(path, &file.size);
    return file;
}

static void decode(struct picture_file *file, const struct decode_limits *limits)
{
    recorder_free(&file->recorder);
    file->recorder = (struct recorder){.keeps = file->recorder.keeps,
                                       .begin_status = file->recorder.begin_status,
                                       .fail_row = file->recorder.fail_row,
                                       .row_status = file->recorder.row_status};
    file->status =
        record_with(&decode_codecs_heif, file->data, file->size, limits, &file->recorder, &file->report);
}

static void close_file(struct picture_file *file)
{
    recorder_free(&file->recorder);
    free(file->data);
}

static struct picture_file decode_file(const char *path)
{
    struct picture_file file = open_file(path);

    decode(&file, &roomy);
    ck_assert_int_eq(file.status, 0);
    return file;
}

/* The drawing: a sun over a hill under a sky. Where each is, in a picture of 64 x 48 as drawn, and its luma.
 */
static const struct {
    uint32_t x, y;
    int luma, alpha;
} places[] = {
    {45, 14, 211, 255}, /* sun */
    {8, 4, 161, 255},   /* sky */
    {26, 40, 82, 0},    /* hill */
    {26, 44, 82, 0},    /* hill */
};

static void check_close(int found, int expected, int distance, const char *what)
{
    ck_assert_msg(abs(found - expected) <= distance, "%s: %d, not about %d", what, found, expected);
}

static const struct drawing {
    const char *path;
    enum media_format format;
    enum pixel_layout layout;
    bool turned;   /* a quarter turn anticlockwise */
    bool mirrored; /* left and right */
} drawings[] = {
    {FOLDER "plain.heic", FORMAT_HEIC, PIXEL_GRAY, false, false},
    {FOLDER "rgb.heic", FORMAT_HEIC, PIXEL_GRAY, false, false},
    {FOLDER "alpha.heic", FORMAT_HEIC, PIXEL_GRAY_ALPHA, false, false},
    {FOLDER "chroma400.avif", FORMAT_AVIF, PIXEL_GRAY, false, false},
    {FOLDER "chroma420.avif", FORMAT_AVIF, PIXEL_GRAY, false, false},
    {FOLDER "chroma444.avif", FORMAT_AVIF, PIXEL_GRAY, false, false},
    {FOLDER "lossless.avif", FORMAT_AVIF, PIXEL_GRAY, false, false},
    {FOLDER "ten_bits_limited.avif", FORMAT_AVIF, PIXEL_GRAY, false, false},
    {FOLDER "gray_limited.avif", FORMAT_AVIF, PIXEL_GRAY, false, false},
    {FOLDER "premultiplied.avif", FORMAT_AVIF, PIXEL_GRAY_ALPHA, false, false},
    {FOLDER "turned.avif", FORMAT_AVIF, PIXEL_GRAY, true, false},
    {FOLDER "mirrored.avif", FORMAT_AVIF, PIXEL_GRAY, false, true},
};

START_TEST(each_drawing_comes_out_as_it_was_drawn)
{
    const struct drawing *drawing = &drawings[_i];
    struct picture_file file = decode_file(drawing->path);
    const struct picture_shape *shape = &file.recorder.shape;

    ck_assert_msg(file.report.reasons == 0, "%s", file.report.detail);
    ck_assert_int_eq(file.report.format, drawing->format);
    ck_assert_uint_eq(file.report.width, drawing->turned ? 48 : 64);
    ck_assert_uint_eq(file.report.height, drawing->turned ? 64 : 48);
    ck_assert(file.report.frames == 1 && file.report.exif == 1 && file.recorder.begins == 1);
    ck_assert_int_eq(shape->layout, drawing->layout);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        uint32_t x = drawing->mirrored ? 63 - places[i].x : places[i].x;
        uint32_t y = places[i].y;
        const uint8_t *pixel = drawing->turned ? recorder_pixel(&file.recorder, y, 63 - x)
                                               : recorder_pixel(&file.recorder, x, y);
        bool hidden = shape->layout == PIXEL_GRAY_ALPHA && places[i].alpha == 0;
        if (!hidden || strstr(drawing->path, "premultiplied") == NULL)
            check_close(pixel[0], places[i].luma, CLOSE_LUMA, drawing->path);
        if (shape->layout == PIXEL_GRAY_ALPHA)
            check_close(pixel[1], places[i].alpha, CLOSE_ALPHA, drawing->path);
    }
    close_file(&file);
}
END_TEST

START_TEST(a_part_that_is_cut_out_is_what_is_shown)
{
    struct picture_file file = decode_file(FOLDER "cut.avif");

    ck_assert_uint_eq(file.report.reasons, 0);
    ck_assert(file.report.width == 40 && file.report.height == 32);
    check_close(recorder_pixel(&file.recorder, 45 - 8, 14 - 8)[0], 211, CLOSE_LUMA, "sun");
    close_file(&file);
}
END_TEST

START_TEST(tiles_make_one_picture)
{
    struct picture_file file = decode_file(FOLDER "grid.avif");

    ck_assert_uint_eq(file.report.reasons, 0);
    ck_assert(file.report.width == 128 && file.report.height == 64 && file.report.frames == 1);
    for (uint32_t tile = 0; tile < 2; tile++)
        check_close(recorder_pixel(&file.recorder, 64 * tile + 45, 19)[0], 211, CLOSE_LUMA, "sun");
    close_file(&file);
}
END_TEST

START_TEST(every_picture_of_a_file_is_a_frame_the_primary_one_first)
{
    struct picture_file file = decode_file(FOLDER "two.heic");

    ck_assert_uint_eq(file.report.reasons, 0);
    ck_assert_uint_eq(file.report.frames, 2);
    ck_assert_uint_eq(file.recorder.begins, 2);
    ck_assert(file.report.width == 64 && file.report.height == 48);
    ck_assert(file.recorder.shapes[0].width == 64 && file.recorder.shapes[0].frame == 0);
    ck_assert(file.recorder.shapes[1].width == 200 && file.recorder.shapes[1].frame == 1);
    close_file(&file);
}
END_TEST

START_TEST(a_thumbnail_comes_after_the_picture_that_it_belongs_to)
{
    struct picture_file file = decode_file(FOLDER "thumbnail.heic");

    ck_assert_uint_eq(file.report.reasons, 0);
    ck_assert(file.report.frames == 1 && file.recorder.begins == 2);
    ck_assert(file.report.width == 200 && file.report.height == 150);
    ck_assert_int_eq(file.recorder.shapes[1].view, VIEW_THUMBNAIL);
    ck_assert(file.recorder.shapes[1].frame == 0 && file.recorder.shapes[1].width == 32);
    close_file(&file);
}
END_TEST

START_TEST(a_moving_picture_has_its_still_examined_and_is_incomplete)
{
    struct picture_file file = decode_file(FOLDER "sequence.avif");

    ck_assert_uint_eq(file.report.reasons, BIT(LIMIT_FRAMES));
    ck_assert_uint_eq(file.report.frames, 1 + 3);
    ck_assert(file.recorder.begins == 1 && file.recorder.rows == 48);
    close_file(&file);
}
END_TEST

/* At most and one less than what a drawing of 64 x 48 takes. */
START_TEST(each_limit_is_exact)
{
    static const struct {
        struct decode_limits limits;
        reason_set reasons;
    } rows[] = {
        {{.pixels = 64 * 48, .edge = 64, .memory_bytes = 64 * 48 * 5}, 0},
        {{.pixels = 64 * 48 - 1, .edge = 64, .memory_bytes = 64 * 48 * 5}, BIT(LIMIT_PIXELS)},
        {{.pixels = 64 * 48, .edge = 63, .memory_bytes = 64 * 48 * 5}, BIT(LIMIT_PIXELS)},
        {{.pixels = 64 * 48, .edge = 64, .memory_bytes = 64 * 48 * 5 - 1}, BIT(LIMIT_MEMORY)},
        {{.pixels = 64 * 48, .edge = 64, .memory_bytes = 0}, BIT(LIMIT_MEMORY)},
    };
    struct picture_file file = open_file(_i == 0 ? FOLDER "chroma420.avif" : FOLDER "chroma444.avif");

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        decode(&file, &rows[i].limits);
        ck_assert_msg(file.report.reasons == rows[i].reasons, "row %zu: %s", i, file.report.detail);
        ck_assert_uint_eq(file.recorder.begins, rows[i].reasons == 0);
    }
    close_file(&file);
}
END_TEST

START_TEST(ten_bits_take_twice_the_memory)
{
    struct decode_limits limits = {.pixels = 64 * 48, .edge = 64, .memory_bytes = 64 * 48 * 10};
    struct picture_file file = open_file(FOLDER "ten_bits_limited.avif");

    decode(&file, &limits);
    ck_assert_uint_eq(file.report.reasons, 0);
    limits.memory_bytes--;
    decode(&file, &limits);
    ck_assert_uint_eq(file.report.reasons, BIT(LIMIT_MEMORY));
    close_file(&file);
}
END_TEST

static void declare_size(struct picture_file *file, uint8_t edge)
{
    uint8_t *ispe = memmem(file->data, file->size, "ispe", 4);

    ck_assert_ptr_nonnull(ispe);
    memset(ispe + 8, 0, 8);
    ispe[11] = ispe[15] = edge;
}

START_TEST(a_picture_larger_than_it_declares_meets_the_limits_all_the_same)
{
    struct decode_limits limits = {.pixels = 64 * 48, .edge = 64, .memory_bytes = 1 << 20};
    struct picture_file file = open_file(FOLDER "chroma420.avif");

    declare_size(&file, 16);
    decode(&file, &limits);
    ck_assert_uint_eq(file.report.reasons, 0);
    ck_assert(file.report.width == 64 && file.report.height == 48);
    limits.pixels--;
    decode(&file, &limits);
    ck_assert_uint_eq(file.report.reasons, BIT(LIMIT_PIXELS));
    ck_assert_uint_eq(file.recorder.begins, 0);
    close_file(&file);
}
END_TEST

START_TEST(a_frame_above_the_limits_leaves_the_others)
{
    struct decode_limits limits = {.pixels = 64 * 48, .edge = 200, .memory_bytes = 1 << 20};
    struct picture_file file = open_file(FOLDER "two.heic");

    decode(&file, &limits);
    ck_assert_uint_eq(file.report.reasons, BIT(LIMIT_PIXELS));
    ck_assert(file.report.frames == 2 && file.report.width == 64 && file.report.height == 48);
    ck_assert(file.recorder.begins == 1 && file.recorder.rows == 48);
    close_file(&file);
}
END_TEST

START_TEST(every_cut_is_told)
{
    static const char *const paths[] = {FOLDER "plain.heic", FOLDER "chroma420.avif", FOLDER "alpha.heic"};
    struct picture_file file = open_file(paths[_i]);
    size_t whole = file.size;

    for (file.size = 0; file.size < whole; file.size++) {
        uint8_t *exact = malloc(file.size + 1); /* so that a read past the end is seen */
        struct picture_file cut = {.data = exact, .size = file.size};
        memcpy(exact, file.data, file.size);
        decode(&cut, &roomy);
        ck_assert_int_eq(cut.status, 0);
        ck_assert_msg(cut.report.reasons == BIT(CORRUPT) || cut.report.reasons == BIT(UNRECOGNISED) ||
                          cut.report.reasons == BIT(UNSUPPORTED),
                      "%zu bytes: %x %s", cut.size, cut.report.reasons, cut.report.detail);
        close_file(&cut);
    }
    close_file(&file);
}
END_TEST

START_TEST(what_follows_the_file_is_told_and_does_not_matter)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum trailing_data trailing;
    } rows[] = {
        {"", 0, TRAILING_NONE},
        {"\0\0\0\0\0\0\0\0\0\0\0\0", 12, TRAILING_PADDING},
        {"PK\3\4\24\0\0\0\0\0\0\0\0\0\0\0\0\0", 18, TRAILING_ZIP},
        {"%PDF-1.7\n%....", 14, TRAILING_PDF},
        {"<script>alert(1)</script>", 25, TRAILING_SCRIPT},
        {"\0\0\0\24ftypmp42\0\0\0\0mp42", 20, TRAILING_VIDEO},
    };
    struct picture_file file = open_file(FOLDER "plain.heic");
    size_t whole = file.size;

    file.data = realloc(file.data, whole + 64);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memcpy(file.data + whole, rows[i].bytes, rows[i].size);
        file.size = whole + rows[i].size;
        decode(&file, &roomy);
        ck_assert_msg(file.report.reasons == 0, "row %zu: %s", i, file.report.detail);
        ck_assert_int_eq(file.report.trailing, rows[i].trailing);
        ck_assert_uint_eq(file.report.trailing_bytes, rows[i].size);
    }
    close_file(&file);
}
END_TEST

/* In alpha.heic transparency is item 3 in a grid 4, the picture item 1 in a grid 2: bytes "auxl" 4 1 2. */
START_TEST(a_picture_that_is_its_own_transparency_is_refused)
{
    struct picture_file file = open_file(FOLDER "alpha.heic");
    uint8_t *auxl = memmem(file.data, file.size, "auxl\0\4\0\1\0\2", 10);

    ck_assert_ptr_nonnull(auxl);
    decode(&file, &roomy);
    ck_assert_uint_eq(file.report.reasons, 0);
    auxl[5] = 2;
    decode(&file, &roomy);
    ck_assert_uint_eq(file.report.reasons, BIT(CORRUPT));
    ck_assert_ptr_nonnull(strstr(file.report.detail, "made of itself"));
    close_file(&file);
}
END_TEST

static size_t put_box(uint8_t *at, const char *type, size_t size)
{
    at[0] = at[1] = 0;
    at[2] = (uint8_t)(size >> 8);
    at[3] = (uint8_t)size;
    memcpy(at + 4, type, 4);
    return 8;
}

/* A meta box in which item 1 is made of item 2, and so on. */
static size_t put_chain(uint8_t *at, unsigned int length, const char *type)
{
    size_t size = 12 + 12 + (size_t)length * 14;
    uint8_t *next = at + put_box(at, "meta", size) + 4;

    memset(at + 8, 0, size - 8);
    next += put_box(next, "iref", size - 12) + 4;
    for (unsigned int i = 1; i <= length; i++) {
        bool forwards = memcmp(type, "dimg", 4) == 0;
        next += put_box(next, type, 14);
        next[1] = (uint8_t)(forwards ? i : i + 1);
        next[3] = 1;
        next[5] = (uint8_t)(forwards ? i + 1 : i);
        next += 6;
    }
    return size;
}

START_TEST(references_may_take_seven_steps_and_not_eight)
{
    static const char *const types[] = {"dimg", "auxl"};
    uint8_t file[256];

    for (int i = 0; i < 2; i++) {
        ck_assert(heif_references_end(file, put_chain(file, 0, types[i])));
        ck_assert(heif_references_end(file, put_chain(file, 7, types[i])));
        ck_assert(!heif_references_end(file, put_chain(file, 8, types[i])));
    }
    ck_assert(heif_references_end(file, put_chain(file, 8, "thmb")));
    ck_assert(heif_references_end(file, 0));
}
END_TEST

START_TEST(a_second_description_is_looked_at_as_well)
{
    uint8_t file[512];
    size_t size = put_chain(file, 1, "dimg");

    size += put_chain(file + size, 8, "dimg");
    ck_assert(!heif_references_end(file, size));
}
END_TEST

START_TEST(what_the_sink_returns_stops_and_is_returned)
{
    struct picture_file file = open_file(FOLDER "two.heic");

    file.recorder = (struct recorder){.begin_status = ROW_SINK_ENOUGH};
    decode(&file, &roomy);
    ck_assert_int_eq(file.status, ROW_SINK_ENOUGH);
    ck_assert(file.recorder.begins == 1 && file.recorder.late == 0);
    recorder_free(&file.recorder);
    file.recorder = (struct recorder){.fail_row = 50, .row_status = -ECANCELED};
    decode(&file, &roomy);
    ck_assert_int_eq(file.status, -ECANCELED);
    ck_assert(file.recorder.begins == 2 && file.recorder.late == 0 && file.recorder.all_rows == 51);
    close_file(&file);
}
END_TEST

START_TEST(the_plain_codecs_know_neither)
{
    struct picture_file file = open_file(FOLDER "plain.heic");

    ck_assert_int_eq(record(file.data, file.size, &roomy, &file.recorder, &file.report), 0);
    ck_assert_uint_eq(file.report.reasons, BIT(UNSUPPORTED));
    ck_assert(!decode_codecs_have(&decode_codecs_plain, FORMAT_HEIC));
    ck_assert(decode_codecs_have(&decode_codecs_heif, FORMAT_AVIF));
    ck_assert(!decode_codecs_have(&decode_codecs_heif, FORMAT_JPEG));
    close_file(&file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode_heif");
    TCase *tests = tcase_create("decode_heif");

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, each_drawing_comes_out_as_it_was_drawn, 0,
                        sizeof drawings / sizeof drawings[0]);
    tcase_add_test(tests, a_part_that_is_cut_out_is_what_is_shown);
    tcase_add_test(tests, tiles_make_one_picture);
    tcase_add_test(tests, every_picture_of_a_file_is_a_frame_the_primary_one_first);
    tcase_add_test(tests, a_thumbnail_comes_after_the_picture_that_it_belongs_to);
    tcase_add_test(tests, a_moving_picture_has_its_still_examined_and_is_incomplete);
    tcase_add_loop_test(tests, each_limit_is_exact, 0, 2);
    tcase_add_test(tests, ten_bits_take_twice_the_memory);
    tcase_add_test(tests, a_picture_larger_than_it_declares_meets_the_limits_all_the_same);
    tcase_add_test(tests, a_frame_above_the_limits_leaves_the_others);
    tcase_add_loop_test(tests, every_cut_is_told, 0, 3);
    tcase_add_test(tests, what_follows_the_file_is_told_and_does_not_matter);
    tcase_add_test(tests, a_picture_that_is_its_own_transparency_is_refused);
    tcase_add_test(tests, references_may_take_seven_steps_and_not_eight);
    tcase_add_test(tests, a_second_description_is_looked_at_as_well);
    tcase_add_test(tests, what_the_sink_returns_stops_and_is_returned);
    tcase_add_test(tests, the_plain_codecs_know_neither);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
