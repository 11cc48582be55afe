/* Cut, broken, oversized and odd files: each is told by its reason, and what could be decoded has reached the
 * sink. */
#include "decode_pictures.h"
#include "decode_recorder.h"
#include "tap.h"

#include <errno.h>

#define CORRUPT REASON_BIT(REASON_MEDIA_CORRUPT)

/* Decodes a copy that ends where its allocation ends, so that a sanitizer sees a byte read too far. */
static int decode_exact(const struct made *made, size_t size, const struct decode_limits *limits,
                        struct recorder *recorder, struct decode_report *report)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    memcpy(copy, made->data, size);
    int status = record(copy, size, limits, recorder, report);
    free(copy);
    return status;
}

static void decode_made(const struct made *made, struct recorder *recorder, struct decode_report *report)
{
    *recorder = (struct recorder){.begins = 0};
    ck_assert_int_eq(decode_exact(made, made->size, &roomy, recorder, report), 0);
}

static void expect_reasons(const struct made *made, reason_set reasons, uint32_t rows)
{
    struct recorder recorder;
    struct decode_report report;

    decode_made(made, &recorder, &report);
    ck_assert_msg(report.reasons == reasons, "reasons %x instead of %x: %s", report.reasons, reasons,
                  report.detail);
    ck_assert_uint_eq(recorder.rows, rows);
    ck_assert_int_eq(reasons == 0, report.detail[0] == '\0');
    recorder_free(&recorder);
}

/* Rows that hold nothing but what the whole picture holds, too: of a JPEG the last row of blocks may be
 * filled up. */
static uint32_t rows_to_trust(enum kind kind, uint32_t rows)
{
    /* The canvas of an animation is whole however little is drawn on it. */
    if (kind == PNG_INTERLACED || kind == JPEG_PROGRESSIVE || kind == JPEG_APART || kind == WEBP_ANIMATED)
        return 0;
    if (kind == JPEG_BASELINE || kind == JPEG_ARITHMETIC || kind == JPEG_CMYK)
        return rows / 8 * 8 >= 8 ? rows / 8 * 8 - 8 : 0;
    return rows;
}

/* Cuts the file after every byte: the outcome is told, rows never get fewer, and they are those of the whole
 * picture. */
START_TEST(a_file_cut_anywhere_gives_the_rows_before_the_cut)
{
    enum kind kind = (enum kind)_i;
    struct made made = make(kind);
    struct recorder whole;
    struct decode_report report;
    uint32_t rows = 0;

    decode_made(&made, &whole, &report);
    ck_assert_uint_eq(report.reasons, 0);
    ck_assert_uint_eq(whole.rows, 24);
    for (size_t size = 0; size < made.size; size++) {
        struct recorder cut = {.begins = 0};
        ck_assert_int_eq(decode_exact(&made, size, &roomy, &cut, &report), 0);
        if (report.format != FORMAT_UNKNOWN && cut.rows < 24)
            ck_assert_uint_eq(report.reasons, CORRUPT);
        ck_assert_uint_ge(cut.rows, rows);
        rows = cut.rows;
        size_t bytes = rows_to_trust(kind, rows) * whole.row_bytes;
        if (bytes > 0)
            ck_assert_mem_eq(cut.pixels, whole.pixels, bytes);
        if (report.format != FORMAT_UNKNOWN && report.reasons == 0)
            ck_assert_mem_eq(cut.pixels, whole.pixels, 24 * whole.row_bytes);
        recorder_free(&cut);
    }
    recorder_free(&whole);
    made_free(&made);
}
END_TEST

START_TEST(every_fault_of_the_sink_ends_the_decoder_and_is_returned)
{
    struct made made = make((enum kind)_i);
    struct decode_report report;
    struct recorder refusing = {.begin_status = -ECANCELED};

    ck_assert_int_eq(decode_exact(&made, made.size, &roomy, &refusing, &report), -ECANCELED);
    ck_assert_uint_eq(refusing.rows, 0);
    recorder_free(&refusing);
    for (uint32_t row = 0; row < 24; row++) {
        struct recorder failing = {.fail_row = row, .row_status = -ENOSPC};
        ck_assert_int_eq(decode_exact(&made, made.size, &roomy, &failing, &report), -ENOSPC);
        ck_assert_uint_eq(failing.rows, row + 1);
        ck_assert_uint_eq(failing.late, 0);
        ck_assert_uint_eq(report.reasons, 0);
        recorder_free(&failing);
    }
    made_free(&made);
}
END_TEST

START_TEST(size_limits_hold_to_the_pixel)
{
    struct made made = make((enum kind)_i);
    const struct {
        uint64_t pixels;
        uint32_t edge;
        bool passes;
    } cases[] = {{960, 40, true},  {961, 41, true}, {959, 40, false},
                 {960, 39, false}, {0, 40, false},  {960, 0, false}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct decode_limits limits = roomy;
        struct recorder recorder = {.begins = 0};
        struct decode_report report;
        limits.pixels = cases[i].pixels;
        limits.edge = cases[i].edge;
        ck_assert_int_eq(decode_exact(&made, made.size, &limits, &recorder, &report), 0);
        ck_assert_uint_eq(report.reasons, cases[i].passes ? 0 : REASON_BIT(REASON_MEDIA_LIMIT_PIXELS));
        ck_assert_uint_eq(recorder.begins, cases[i].passes);
        ck_assert_uint_eq(report.width, 40);
        ck_assert_uint_eq(report.height, 24);
        recorder_free(&recorder);
    }
    made_free(&made);
}
END_TEST

START_TEST(edge_limit_holds_for_the_height_as_for_the_width)
{
    struct made made =
        make_png((struct png_wish){.width = 4, .height = 30, .colour_type = PNG_COLOR_TYPE_GRAY, .depth = 8});

    for (uint32_t edge = 29; edge <= 31; edge++) {
        struct decode_limits limits = roomy;
        struct recorder recorder = {.begins = 0};
        struct decode_report report;
        limits.edge = edge;
        ck_assert_int_eq(decode_exact(&made, made.size, &limits, &recorder, &report), 0);
        ck_assert_uint_eq(report.reasons, edge < 30 ? REASON_BIT(REASON_MEDIA_LIMIT_PIXELS) : 0);
        recorder_free(&recorder);
    }
    made_free(&made);
}
END_TEST

static reason_set decode_within(const struct made *made, uint64_t memory_bytes)
{
    struct decode_limits limits = roomy;
    struct recorder recorder = {.begins = 0};
    struct decode_report report;

    limits.memory_bytes = memory_bytes;
    ck_assert_int_eq(decode_exact(made, made->size, &limits, &recorder, &report), 0);
    ck_assert_uint_eq(recorder.rows, report.reasons == 0 ? report.height : 0);
    recorder_free(&recorder);
    return report.reasons;
}

START_TEST(memory_limit_holds_to_the_byte_for_webp)
{
    static const struct {
        enum kind kind;
        uint64_t needs;
    } cases[] = {{WEBP_LOSSY, 40 * 24 * 2},
                 {WEBP_LOSSY_ALPHA, 40 * 24 * 8},
                 {WEBP_LOSSLESS, 40 * 24 * 8},
                 {WEBP_ANIMATED, 40 * 24 * (8 + 12)}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct made made = make(cases[i].kind);
        ck_assert_uint_eq(decode_within(&made, cases[i].needs), 0);
        ck_assert_uint_eq(decode_within(&made, cases[i].needs - 1), REASON_BIT(REASON_MEDIA_LIMIT_MEMORY));
        ck_assert_uint_eq(decode_within(&made, 0), REASON_BIT(REASON_MEDIA_LIMIT_MEMORY));
        made_free(&made);
    }
}
END_TEST

/* What libpng and libjpeg hold besides the frame is theirs to know: found by halving, then one byte less is
 * refused. */
START_TEST(memory_limit_refuses_interlaced_png_and_progressive_jpeg)
{
    struct made pictures[] = {
        make_png((struct png_wish){
            .width = 100, .height = 400, .colour_type = PNG_COLOR_TYPE_RGB, .depth = 8, .interlaced = true}),
        make_jpeg((struct jpeg_wish){
            .width = 100, .height = 400, .from = JCS_GRAYSCALE, .to = JCS_GRAYSCALE, .progressive = true}),
    };
    static const uint64_t frame_bytes[] = {100 * 400 * 3, 104 * 400 * 2};

    for (size_t i = 0; i < 2; i++) {
        uint64_t enough = 1 << 24;
        uint64_t too_little = 0;
        while (enough - too_little > 1) {
            uint64_t middle = (enough + too_little) / 2;
            reason_set reasons = decode_within(&pictures[i], middle);
            ck_assert(reasons == 0 || reasons == REASON_BIT(REASON_MEDIA_LIMIT_MEMORY));
            if (reasons == 0)
                enough = middle;
            else
                too_little = middle;
        }
        ck_assert_uint_gt(enough, frame_bytes[i] + 1024); /* a library that needs nothing was not counted */
        ck_assert_uint_le(enough, frame_bytes[i] + 200000);
        ck_assert_uint_eq(decode_within(&pictures[i], 0), REASON_BIT(REASON_MEDIA_LIMIT_MEMORY));
        made_free(&pictures[i]);
    }
}
END_TEST

/* --- JPEG --- */

START_TEST(scan_limit_shows_the_scans_before_it)
{
    struct made made = make(JPEG_PROGRESSIVE);
    struct recorder whole;
    struct decode_report report;
    unsigned int scans = 0;

    while (jpeg_find(&made, 0xda, scans) != SIZE_MAX)
        scans++;
    ck_assert_uint_gt(scans, 5);
    decode_made(&made, &whole, &report);
    for (unsigned int limit = 0; limit <= scans + 1; limit++) {
        struct decode_limits limits = roomy;
        struct recorder recorder = {.begins = 0};
        limits.scans = limit;
        ck_assert_int_eq(decode_exact(&made, made.size, &limits, &recorder, &report), 0);
        ck_assert_int_eq((report.reasons & REASON_BIT(REASON_MEDIA_LIMIT_TIME)) != 0, limit < scans);
        ck_assert_int_eq(report.reasons == 0, limit >= scans);
        ck_assert_uint_eq(recorder.rows, limit > 0 ? 24 : 0);
        if (limit >= scans)
            ck_assert_mem_eq(recorder.pixels, whole.pixels, 24 * whole.row_bytes);
        recorder_free(&recorder);
    }
    recorder_free(&whole);
    made_free(&made);
}
END_TEST

/* A browser that draws while it loads has shown them. */
START_TEST(scans_before_a_broken_one_are_shown)
{
    struct made made = make(JPEG_PROGRESSIVE);

    for (unsigned int scan = 1; jpeg_find(&made, 0xda, scan) != SIZE_MAX; scan++) {
        struct made broken = {malloc(made.size), made.size};
        memcpy(broken.data, made.data, made.size);
        broken.data[jpeg_find(&made, 0xda, scan) + 4] = 77; /* the number of components */
        expect_reasons(&broken, CORRUPT, 24);
        made_free(&broken);
    }
    made.data[jpeg_find(&made, 0xda, 0) + 4] = 77;
    expect_reasons(&made, CORRUPT, 0);
    made_free(&made);
}
END_TEST

/* The library has taken the second header's numbers over by the time it refuses it. */
START_TEST(second_frame_header_between_scans_leaves_the_scans_before_it)
{
    struct made made = make(JPEG_PROGRESSIVE);
    uint8_t frame[19];

    memcpy(frame, made.data + jpeg_find(&made, 0xc2, 0), sizeof frame);
    put_be32(frame + 5, 0xffffffff); /* height and width */
    frame[9] = 10;                   /* components */
    size_t second = jpeg_find(&made, 0xda, 0) + 2;
    while (made.data[second] != 0xff || made.data[second + 1] == 0)
        second++;
    made_insert(&made, second, frame, sizeof frame);
    expect_reasons(&made, CORRUPT, 24);
    made_free(&made);
}
END_TEST

START_TEST(file_that_ends_between_two_scans_is_corrupt_unless_it_says_that_it_ends)
{
    for (int kind = JPEG_PROGRESSIVE; kind <= JPEG_APART; kind++) {
        struct made made = make((enum kind)kind);
        size_t first = jpeg_find(&made, 0xda, 0);
        /* Up to the tables of the second scan. */
        for (made.size = first + 2; made.data[made.size] != 0xff || made.data[made.size + 1] == 0;
             made.size++)
            ;
        expect_reasons(&made, CORRUPT, 24);
        made_append(&made, "\xff\xd9", 2);
        /* What refines may be left out by an encoder; a component may not. */
        expect_reasons(&made, kind == JPEG_APART ? CORRUPT : 0, 24);
        made_free(&made);
    }
}
END_TEST

START_TEST(jpeg_without_its_end_marker_is_whole_when_its_pixels_are)
{
    struct made made = make(JPEG_BASELINE);

    made.size -= 2;
    expect_reasons(&made, 0, 24);
    made_free(&made);
    made = make(JPEG_PROGRESSIVE);
    made.size -= 2;
    expect_reasons(&made, 0, 24);
    made_free(&made);
    made = make(JPEG_ARITHMETIC);
    made.size -= 2;
    expect_reasons(&made, CORRUPT, 24); /* nobody can know */
    made_free(&made);
}
END_TEST

/* The marker that a cut leaves does not end a picture with restarts: decoding goes on at the next one. */
START_TEST(restart_after_broken_data_brings_the_rest_back)
{
    struct made made = make_jpeg((struct jpeg_wish){
        .width = 40, .height = 64, .from = JCS_GRAYSCALE, .to = JCS_GRAYSCALE, .restart = 5});
    struct recorder whole;
    struct recorder broken;
    struct decode_report report;

    decode_made(&made, &whole, &report);
    size_t second = jpeg_find(&made, 0xd1, 0);
    made_insert(&made, second - 3, "\xff\x01", 2);
    decode_made(&made, &broken, &report);
    ck_assert_uint_eq(report.reasons, CORRUPT);
    ck_assert_uint_eq(broken.rows, 64);
    ck_assert_mem_eq(broken.pixels + 32 * broken.row_bytes, whole.pixels + 32 * whole.row_bytes,
                     32 * whole.row_bytes);
    recorder_free(&whole);
    recorder_free(&broken);
    made_free(&made);
}
END_TEST

START_TEST(frames_of_other_jpeg_processes_are_unsupported)
{
    static const struct {
        uint8_t marker, precision;
        bool no_height;
        reason_set reasons;
    } cases[] = {{0xc0, 8, false, 0},
                 {0xc3, 8, false, REASON_BIT(REASON_MEDIA_UNSUPPORTED)},
                 {0xc5, 8, false, REASON_BIT(REASON_MEDIA_UNSUPPORTED)},
                 {0xc1, 12, false, REASON_BIT(REASON_MEDIA_UNSUPPORTED)},
                 {0xc0, 8, true, REASON_BIT(REASON_MEDIA_UNSUPPORTED)}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct made made = make(JPEG_BASELINE);
        uint8_t *frame = made.data + jpeg_find(&made, 0xc0, 0);
        frame[1] = cases[i].marker;
        frame[4] = cases[i].precision;
        if (cases[i].no_height)
            frame[5] = frame[6] = 0;
        expect_reasons(&made, cases[i].reasons, cases[i].reasons == 0 ? 24 : 0);
        made_free(&made);
    }
}
END_TEST

START_TEST(two_frame_headers_or_no_width_are_corrupt)
{
    struct made made = make(JPEG_BASELINE);
    size_t at = jpeg_find(&made, 0xc0, 0);
    uint8_t frame[19];

    memcpy(frame, made.data + at, sizeof frame);
    made_insert(&made, at, frame, sizeof frame);
    expect_reasons(&made, CORRUPT, 0);
    made_free(&made);
    made = make(JPEG_BASELINE);
    made.data[at + 7] = made.data[at + 8] = 0;
    expect_reasons(&made, CORRUPT, 0);
    made_free(&made);
}
END_TEST

START_TEST(harmless_oddities_of_a_jpeg_are_no_loss)
{
    struct made made = make(JPEG_BASELINE);

    made.data[11] = 9;                                          /* the JFIF version */
    made_insert(&made, jpeg_find(&made, 0xdb, 0), "\0\0\0", 3); /* padding */
    made.data[jpeg_find(&made, 0xda, 0) + 12] = 0; /* the spectral selection of a baseline scan */
    made_append(&made, "PK\3\4 and whatever follows the end", 32);
    expect_reasons(&made, 0, 24);
    made_free(&made);
}
END_TEST

START_TEST(unknown_adobe_transform_is_taken_as_ycbcr)
{
    static const uint8_t adobe[] = {0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 7};
    struct made made = make(JPEG_BASELINE);
    struct recorder whole;
    struct recorder recorder;
    struct decode_report report;

    decode_made(&made, &whole, &report);
    ck_assert_uint_eq(made.data[3], 0xe0); /* JFIF, which would decide */
    memcpy(made.data + 2, adobe, sizeof adobe);
    memset(made.data + 2 + sizeof adobe, 0, 2); /* JFIF was longer: what is left of it is padding */
    decode_made(&made, &recorder, &report);
    ck_assert_uint_eq(report.reasons, 0);
    ck_assert_mem_eq(recorder.pixels, whole.pixels, 24 * whole.row_bytes);
    recorder_free(&whole);
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

/* --- PNG --- */

START_TEST(damage_in_picture_chunks_counts_and_in_others_does_not)
{
    struct made made = make(PNG_PLAIN);
    size_t idat = png_find(&made, "IDAT", 0);

    png_insert_chunk(&made, idat, "tEXt", "Comment\0hello", 13);
    made.data[idat + 10] ^= 1;
    expect_reasons(&made, 0, 24);
    made.data[png_find(&made, "IEND", 0) - 1] ^= 1; /* the CRC of the last IDAT, after the last row */
    expect_reasons(&made, CORRUPT, 24);
    made.data[png_find(&made, "IEND", 0) - 1] ^= 1;
    made.data[8 + 8 + 13] ^= 1; /* the CRC of IHDR */
    expect_reasons(&made, CORRUPT, 0);
    made_free(&made);
}
END_TEST

START_TEST(unknown_chunks_are_skipped_when_ancillary_and_refused_when_critical_or_no_chunk)
{
    static const struct {
        const char *type;
        reason_set reasons;
    } cases[] = {{"abCd", 0}, {"iCCP", 0}, {"zTXt", 0}, {"ABCD", CORRUPT}, {"a\1CD", CORRUPT}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct made made = make(PNG_PLAIN);
        png_insert_chunk(&made, png_find(&made, "IDAT", 0), cases[i].type, "anything", 8);
        expect_reasons(&made, cases[i].reasons, cases[i].reasons == 0 ? 24 : 0);
        made_free(&made);
    }
}
END_TEST

START_TEST(what_follows_the_last_row_of_a_png_is_not_needed)
{
    struct made made = make(PNG_PLAIN);

    png_insert_chunk(&made, png_find(&made, "IEND", 0), "ABCD", "critical and unknown", 20);
    expect_reasons(&made, 0, 24);
    made.size = png_find(&made, "ABCD", 0);
    expect_reasons(&made, 0, 24);
    made_free(&made);
}
END_TEST

/* A run of IDATs that another chunk interrupts is two runs, of which decoders read the first. */
START_TEST(interrupted_image_data_is_corrupt)
{
    struct made made = make_png(
        (struct png_wish){.width = 40, .height = 100, .colour_type = PNG_COLOR_TYPE_RGB, .depth = 8});
    struct recorder recorder;
    struct decode_report report;

    png_insert_chunk(&made, png_find(&made, "IDAT", 3), "tEXt", "a\0b", 3);
    decode_made(&made, &recorder, &report);
    ck_assert_uint_eq(report.reasons, CORRUPT);
    ck_assert_uint_gt(recorder.rows, 0);
    ck_assert_uint_lt(recorder.rows, 100);
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

START_TEST(animation_that_is_announced_after_the_pixels_is_none)
{
    uint8_t bytes[26] = {0, 0, 0, 2};
    struct made made = make(PNG_PLAIN);

    png_insert_chunk(&made, png_find(&made, "IDAT", 0), "fcTL", bytes, 26);
    png_insert_chunk(&made, png_find(&made, "IEND", 0), "acTL", bytes, 8);
    png_insert_chunk(&made, png_find(&made, "IEND", 0), "fcTL", bytes, 26);
    expect_reasons(&made, 0, 24);
    made_free(&made);
}
END_TEST

START_TEST(png_orientation_is_read_before_and_after_the_pixels)
{
    static const uint8_t exif[] = {'M',  'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01,
                                   0x12, 0,   3, 0,  0, 0, 1, 0, 5, 0, 0};
    static const char *const places[] = {"IDAT", "IEND"};

    for (size_t i = 0; i < 2; i++) {
        struct made made = make(PNG_PLAIN);
        struct recorder recorder;
        struct decode_report report;
        png_insert_chunk(&made, png_find(&made, places[i], 0), "eXIf", exif, sizeof exif);
        decode_made(&made, &recorder, &report);
        ck_assert_uint_eq(report.reasons, 0);
        ck_assert_uint_eq(report.exif, 5);
        recorder_free(&recorder);
        made_free(&made);
    }
}
END_TEST

/* --- WebP --- */

START_TEST(frame_outside_its_canvas_or_of_another_size_than_its_data_is_corrupt)
{
    static const struct {
        uint32_t left, top, width, height;
        reason_set reasons;
    } cases[] = {{8, 8, 8, 8, 0},       {10, 8, 8, 8, CORRUPT}, {8, 10, 8, 8, CORRUPT},
                 {0, 0, 7, 8, CORRUPT}, {0, 0, 8, 7, CORRUPT},  {0x1fffffe, 8, 8, 8, CORRUPT}};
    struct made still = make_webp((struct webp_wish){.width = 8, .height = 8, .lossless = true});

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct made made = webp_begin_extended(2, 16, 16);
        webp_append_frame(&made, &still, cases[i].left, cases[i].top, cases[i].width, cases[i].height);
        expect_reasons(&made, cases[i].reasons, cases[i].reasons == 0 ? 16 : 0);
        made_free(&made);
    }
    made_free(&still);
}
END_TEST

START_TEST(riff_size_above_the_file_is_corrupt_and_below_it_cuts)
{
    struct made made = make(WEBP_LOSSLESS);
    uint32_t size = (uint32_t)made.size - 8;

    put_le(made.data + 4, size + 1, 4);
    expect_reasons(&made, CORRUPT, 24);
    put_le(made.data + 4, 0x7fffffff, 4);
    expect_reasons(&made, CORRUPT, 24);
    put_le(made.data + 4, 0xffffffff, 4); /* more than RIFF can hold */
    expect_reasons(&made, CORRUPT, 0);
    put_le(made.data + 4, size, 4);
    made_append(&made, "behind the file", 15);
    expect_reasons(&made, 0, 24);
    made_free(&made);
}
END_TEST

START_TEST(canvas_of_the_largest_size_is_refused_as_too_large)
{
    struct made made = webp_begin_extended(0, 1 << 24, 1 << 24);

    expect_reasons(&made, REASON_BIT(REASON_MEDIA_LIMIT_PIXELS), 0);
    made_free(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode_refusal");
    TCase *tests = tcase_create("decode_refusal");

    tcase_add_loop_test(tests, a_file_cut_anywhere_gives_the_rows_before_the_cut, 0, KIND_COUNT);
    tcase_add_loop_test(tests, every_fault_of_the_sink_ends_the_decoder_and_is_returned, 0, KIND_COUNT);
    tcase_add_loop_test(tests, size_limits_hold_to_the_pixel, 0, KIND_COUNT);
    tcase_add_test(tests, edge_limit_holds_for_the_height_as_for_the_width);
    tcase_add_test(tests, memory_limit_holds_to_the_byte_for_webp);
    tcase_add_test(tests, memory_limit_refuses_interlaced_png_and_progressive_jpeg);
    tcase_add_test(tests, scan_limit_shows_the_scans_before_it);
    tcase_add_test(tests, scans_before_a_broken_one_are_shown);
    tcase_add_test(tests, second_frame_header_between_scans_leaves_the_scans_before_it);
    tcase_add_test(tests, file_that_ends_between_two_scans_is_corrupt_unless_it_says_that_it_ends);
    tcase_add_test(tests, jpeg_without_its_end_marker_is_whole_when_its_pixels_are);
    tcase_add_test(tests, restart_after_broken_data_brings_the_rest_back);
    tcase_add_test(tests, frames_of_other_jpeg_processes_are_unsupported);
    tcase_add_test(tests, two_frame_headers_or_no_width_are_corrupt);
    tcase_add_test(tests, unknown_adobe_transform_is_taken_as_ycbcr);
    tcase_add_test(tests, harmless_oddities_of_a_jpeg_are_no_loss);
    tcase_add_test(tests, damage_in_picture_chunks_counts_and_in_others_does_not);
    tcase_add_test(tests, unknown_chunks_are_skipped_when_ancillary_and_refused_when_critical_or_no_chunk);
    tcase_add_test(tests, what_follows_the_last_row_of_a_png_is_not_needed);
    tcase_add_test(tests, interrupted_image_data_is_corrupt);
    tcase_add_test(tests, animation_that_is_announced_after_the_pixels_is_none);
    tcase_add_test(tests, png_orientation_is_read_before_and_after_the_pixels);
    tcase_add_test(tests, frame_outside_its_canvas_or_of_another_size_than_its_data_is_corrupt);
    tcase_add_test(tests, riff_size_above_the_file_is_corrupt_and_below_it_cuts);
    tcase_add_test(tests, canvas_of_the_largest_size_is_refused_as_too_large);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
