/* Pictures behind the end of a file's first one, and thumbnails: found, numbered, bounded. */
#include "decode/codec.h"
#include "decode/codec_limits.h"
#include "decode/jpeg_scans.h"
#include "decode/trailing.h"
#include "decode_pictures.h"
#include "decode_recorder.h"
#include "tap.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

static const struct jpeg_wish small = {.width = 48, .height = 32, .from = JCS_RGB, .to = JCS_YCbCr};
static const struct jpeg_wish other = {
    .width = 32, .height = 48, .from = JCS_RGB, .to = JCS_YCbCr, .shift = 9};

static struct decode_report decode(const struct made *made, struct recorder *recorder)
{
    struct decode_report report;

    ck_assert_int_eq(record(made->data, made->size, &roomy, recorder, &report), 0);
    return report;
}

/* Every picture that the file gives is, at the number, what the other file gives alone. */
static void check_picture(const struct made *made, unsigned int number, const struct made *alone)
{
    struct recorder found = {.keeps = number};
    struct recorder expected = {.keeps = 0};

    decode(made, &found);
    decode(alone, &expected);
    ck_assert_uint_eq(found.rows, expected.rows);
    ck_assert_mem_eq(found.pixels, expected.pixels, expected.rows * expected.row_bytes);
    recorder_free(&found);
    recorder_free(&expected);
}

START_TEST(a_picture_behind_the_end_of_one_is_a_further_frame)
{
    static const enum kind firsts[] = {JPEG_BASELINE,    JPEG_PROGRESSIVE, JPEG_APART,     JPEG_ARITHMETIC,
                                       JPEG_CMYK,        PNG_PLAIN,        PNG_INTERLACED, WEBP_LOSSY,
                                       WEBP_LOSSY_ALPHA, WEBP_LOSSLESS};
    static const enum kind seconds[] = {JPEG_BASELINE, JPEG_PROGRESSIVE, PNG_PLAIN, WEBP_LOSSY,
                                        WEBP_LOSSLESS};

    for (size_t i = 0; i < 50; i++) {
        struct made made = make(firsts[i / 5]);
        struct made second = make(seconds[i % 5]);
        struct recorder recorder = {.keeps = 0};
        made_append(&made, second.data, second.size);
        struct decode_report report = decode(&made, &recorder);
        ck_assert_uint_eq(report.reasons, 0);
        ck_assert_uint_eq(report.frames, 2);
        ck_assert_int_eq(report.trailing, TRAILING_PICTURE);
        ck_assert_uint_eq(report.trailing_bytes, second.size);
        ck_assert_uint_eq(recorder.begins, 2);
        ck_assert(recorder.shapes[1].frame == 1 && recorder.shapes[1].view == VIEW_MAIN);
        check_picture(&made, 1, &second);
        recorder_free(&recorder);
        made_free(&made);
        made_free(&second);
    }
}
END_TEST

START_TEST(the_size_and_format_told_are_the_first_pictures)
{
    struct made made = make_jpeg(small);
    struct made second = make(PNG_PLAIN);
    struct recorder recorder = {.keeps = 0};

    made_append(&made, second.data, second.size);
    struct decode_report report = decode(&made, &recorder);
    ck_assert(report.width == 48 && report.height == 32 && report.format == FORMAT_JPEG);
    recorder_free(&recorder);
    made_free(&made);
    made_free(&second);
}
END_TEST

START_TEST(a_following_picture_comes_in_the_colours_that_are_asked_for)
{
    struct made made = make_jpeg(small);
    struct made second = make_jpeg(other);

    made_append(&made, second.data, second.size);
    for (int colours = 0; colours < 2; colours++) {
        struct recorder recorder = {.keeps = 1, .colours = colours != 0};
        decode(&made, &recorder);
        ck_assert_int_eq(recorder.shape.layout, colours ? PIXEL_RGB : PIXEL_GRAY);
        recorder_free(&recorder);
    }
    made_free(&made);
    made_free(&second);
}
END_TEST

START_TEST(padding_between_pictures_is_passed_over)
{
    static const char padding[] = "\0\0\xff\r\n \xff\0";

    for (size_t size = 0; size <= sizeof padding - 1; size++) {
        struct made made = make_jpeg(small);
        struct made second = make_jpeg(other);
        struct recorder recorder = {.keeps = 0};
        made_append(&made, padding, size);
        made_append(&made, second.data, second.size);
        ck_assert_uint_eq(decode(&made, &recorder).frames, 2);
        check_picture(&made, 1, &second);
        recorder_free(&recorder);
        made_free(&made);
        made_free(&second);
    }
}
END_TEST

START_TEST(a_picture_that_starts_where_the_end_marker_is_missing_is_found)
{
    struct made made = make_jpeg(small);
    struct made second = make_jpeg(other);
    struct recorder recorder = {.keeps = 1};

    made.size -= 2;
    made_append(&made, second.data, second.size);
    struct decode_report report = decode(&made, &recorder);
    ck_assert_uint_eq(report.frames, 2);
    ck_assert_uint_eq(report.trailing_bytes, second.size);
    ck_assert_uint_eq(recorder.rows, 48);
    recorder_free(&recorder);
    made_free(&made);
    made_free(&second);
}
END_TEST

START_TEST(a_picture_behind_one_that_is_broken_or_refused_is_found)
{
    for (int i = 0; i < 3; i++) {
        struct made made = make_jpeg(small);
        struct made second = make_jpeg(other);
        struct recorder recorder = {.keeps = 0};
        struct decode_report report;
        size_t frame = jpeg_find(&made, 0xc0, 0);
        if (i == 0)
            made.data[frame + 4] = 12; /* bits a sample: unsupported */
        else if (i == 1)
            made.data[frame + 5] = 0x40; /* 16,384 rows more than there are */
        else
            made.data[frame + 1] = 0xc3; /* lossless: unsupported */
        made_append(&made, second.data, second.size);
        struct decode_limits limits = roomy;
        limits.edge = 10000;
        ck_assert_int_eq(record(made.data, made.size, &limits, &recorder, &report), 0);
        ck_assert_uint_eq(report.reasons, i == 1 ? REASON_BIT(REASON_MEDIA_LIMIT_PIXELS)
                                                 : REASON_BIT(REASON_MEDIA_UNSUPPORTED));
        ck_assert_uint_eq(recorder.begins, 1);
        ck_assert(recorder.shape.width == 32 && recorder.shape.height == 48);
        ck_assert_uint_eq(recorder.shape.frame, i == 1 ? 1 : 0);
        ck_assert_uint_eq(report.frames, i == 1 ? 2 : 1);
        ck_assert(report.width == (i == 1 ? 48 : 32) && report.height == (i == 1 ? 0x4020 : 48));
        recorder_free(&recorder);
        made_free(&made);
        made_free(&second);
    }
}
END_TEST

START_TEST(what_only_looks_like_a_picture_is_named_and_no_more)
{
    static const struct {
        const char *bytes;
        size_t size;
    } looks[] = {
        {"\xff\xd8\xff\xe0\0\4ab", 8},          /* a JPEG without a frame */
        {"8BPS\0\1\0\0\0\0\0\0\0\3\0\0\0", 17}, /* without a codec */
        {"P6 20 20 255\n", 13},
    };
    struct recorder recorder = {.keeps = 0};
    struct made made = make_jpeg(small);

    made_append(&made, looks[_i].bytes, looks[_i].size);
    struct decode_report report = decode(&made, &recorder);
    ck_assert_uint_eq(report.reasons, 0);
    ck_assert_uint_eq(report.frames, 1);
    ck_assert_int_eq(report.trailing, TRAILING_PICTURE);
    ck_assert_uint_eq(report.trailing_bytes, looks[_i].size);
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

START_TEST(a_following_picture_that_is_cut_or_too_large_is_incomplete)
{
    for (int i = 0; i < 2; i++) {
        struct made made = make_jpeg(small);
        struct made second = make_jpeg(other);
        struct recorder recorder = {.keeps = 0};
        struct decode_limits limits = roomy;
        struct decode_report report;
        if (i == 0) {
            second.size -= 30;
        } else {
            limits.pixels = 48 * 32;
            second.data[jpeg_find(&second, 0xc0, 0) + 8] = 33; /* its width: 33 x 48 */
        }
        made_append(&made, second.data, second.size);
        ck_assert_int_eq(record(made.data, made.size, &limits, &recorder, &report), 0);
        ck_assert_uint_eq(report.reasons,
                          REASON_BIT(i == 1 ? REASON_MEDIA_LIMIT_PIXELS : REASON_MEDIA_CORRUPT));
        ck_assert_uint_eq(report.frames, 2);
        ck_assert_ptr_nonnull(strstr(report.detail, "a following picture: "));
        recorder_free(&recorder);
        made_free(&made);
        made_free(&second);
    }
}
END_TEST

START_TEST(what_stands_behind_all_pictures_is_named)
{
    static const struct {
        const char *bytes;
        size_t size, told;
        enum trailing_data trailing;
    } ends[] = {
        {"", 0, 0, TRAILING_PICTURE},
        {"\0\0", 2, 0, TRAILING_PICTURE},
        {"PK\3\4 and so on", 13, 13, TRAILING_ZIP},
        {"<script>", 8, 8, TRAILING_SCRIPT},
    };
    struct recorder recorder = {.keeps = 0};
    struct made made = make_jpeg(small);
    struct made second = make_jpeg(other);

    made_append(&made, second.data, second.size);
    made_append(&made, ends[_i].bytes, ends[_i].size);
    struct decode_report report = decode(&made, &recorder);
    ck_assert_uint_eq(report.frames, 2);
    ck_assert_int_eq(report.trailing, ends[_i].trailing);
    ck_assert_uint_eq(report.trailing_bytes, ends[_i].told > 0 ? ends[_i].told : second.size + ends[_i].size);
    recorder_free(&recorder);
    made_free(&made);
    made_free(&second);
}
END_TEST

START_TEST(data_behind_a_picture_is_named)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum trailing_data trailing;
    } ends[] = {
        {"", 0, TRAILING_NONE},
        {"\0\0\0", 3, TRAILING_PADDING},
        {"\0\0PK\3\4....", 10, TRAILING_ZIP},
        {"a few words, PK\5\6 and 18 bytes....", 34, TRAILING_ZIP},
        {"Rar!\x1a\7\0", 7, TRAILING_ARCHIVE},
        {"%PDF-1.7", 8, TRAILING_PDF},
        {"\0\0\0\x18"
         "ftypmp42\0\0\0\0isommp42",
         24, TRAILING_VIDEO}, /* the zeros are its own */
        {"\0\0\0\x20"
         "ftypmp42\0\0\0\0isommp42",
         24, TRAILING_VIDEO},
        {"\0 \0\0\0\0\x20"
         "ftypavif\0\0\0\0mif1miaf",
         27, TRAILING_PICTURE}, /* for another kind of worker */
        {"words <?php", 11, TRAILING_SCRIPT},
        {"<svg xmlns=''/>", 15, TRAILING_SCRIPT},
        {"words", 5, TRAILING_UNKNOWN},
    };
    static const enum kind kinds[] = {JPEG_BASELINE, JPEG_PROGRESSIVE, PNG_PLAIN, WEBP_LOSSY, WEBP_LOSSLESS};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct recorder recorder = {.keeps = 0};
        struct made made = make(kinds[i]);
        made_append(&made, ends[_i].bytes, ends[_i].size);
        struct decode_report report = decode(&made, &recorder);
        bool elsewhere = ends[_i].trailing == TRAILING_PICTURE;
        ck_assert_uint_eq(report.reasons, elsewhere ? REASON_BIT(REASON_MEDIA_UNSUPPORTED) : 0);
        ck_assert_uint_eq(report.frames, 1);
        ck_assert_int_eq(report.trailing, ends[_i].trailing);
        ck_assert_uint_eq(report.trailing_bytes, ends[_i].size);
        recorder_free(&recorder);
        made_free(&made);
    }
}
END_TEST

/* As of a JPEG behind a HEIC, whose worker has no other codec. */
START_TEST(a_following_picture_that_only_another_kind_of_worker_decodes_is_incomplete)
{
    const struct decode_codecs codecs = {.rows = decode_codecs_plain.rows, .count = 1};
    struct made made = make_jpeg(small);
    struct made second = make(PNG_PLAIN);
    struct recorder recorder = {.keeps = 0};
    struct decode_report report;

    ck_assert_int_eq(codecs.rows[0].format, FORMAT_JPEG);
    made_append(&made, second.data, second.size);
    ck_assert_int_eq(record_with(&codecs, made.data, made.size, &roomy, &recorder, &report), 0);
    ck_assert_uint_eq(report.reasons, REASON_BIT(REASON_MEDIA_UNSUPPORTED));
    ck_assert_uint_eq(recorder.begins, 1);
    ck_assert_int_eq(report.trailing, TRAILING_PICTURE);
    recorder_free(&recorder);
    made_free(&made);
    made_free(&second);
}
END_TEST

/* A comment with markup would else make the second picture a script. */
START_TEST(words_within_a_following_picture_do_not_hide_it)
{
    static const char comment[] = "\xff\xfe\0\x13<script><?php...";
    struct made made = make_jpeg(small);
    struct made second = make_jpeg(other);
    struct recorder recorder = {.keeps = 0};

    made_insert(&second, 2, comment, 2 + 0x13);
    made_append(&made, second.data, second.size);
    ck_assert_uint_eq(decode(&made, &recorder).frames, 2);
    check_picture(&made, 1, &second);
    recorder_free(&recorder);
    made_free(&made);
    made_free(&second);
}
END_TEST

START_TEST(following_pictures_are_held_to_their_limit)
{
    struct made tiny =
        make_jpeg((struct jpeg_wish){.width = 1, .height = 1, .from = JCS_GRAYSCALE, .to = JCS_GRAYSCALE});

    for (size_t count = CODEC_FOLLOWING_MAX - 1; count <= CODEC_FOLLOWING_MAX + 1; count++) {
        struct made made = {malloc((count + 1) * tiny.size), (count + 1) * tiny.size};
        struct recorder recorder = {.keeps = 0};
        for (size_t i = 0; i <= count; i++)
            memcpy(made.data + i * tiny.size, tiny.data, tiny.size);
        struct decode_report report = decode(&made, &recorder);
        bool above = count > CODEC_FOLLOWING_MAX;
        ck_assert_uint_eq(report.reasons, above ? REASON_BIT(REASON_MEDIA_LIMIT_FRAMES) : 0);
        ck_assert_uint_eq(report.frames, 1 + (above ? (size_t)CODEC_FOLLOWING_MAX : count));
        ck_assert_uint_eq(recorder.begins, report.frames);
        recorder_free(&recorder);
        made_free(&made);
    }
    made_free(&tiny);
}
END_TEST

/* --- thumbnails --- */

START_TEST(a_thumbnail_is_delivered_behind_the_main_pictures_as_its_pictures_own)
{
    struct made made = make(_i == 0 ? JPEG_BASELINE : JPEG_PROGRESSIVE);
    struct made second = make_jpeg(small);
    struct made thumbnail = make_jpeg(other);
    struct recorder recorder = {.keeps = 0};

    jpeg_add_exif(&made, 6, &thumbnail);
    jpeg_add_exif(&second, 3, &thumbnail);
    made_append(&made, second.data, second.size);
    struct decode_report report = decode(&made, &recorder);
    ck_assert_uint_eq(report.reasons, 0);
    ck_assert_uint_eq(report.frames, 2);
    ck_assert_uint_eq(report.exif, 6);
    ck_assert_uint_eq(recorder.begins, 4);
    for (unsigned int i = 0; i < 4; i++) {
        ck_assert_int_eq(recorder.shapes[i].view, i < 2 ? VIEW_MAIN : VIEW_THUMBNAIL);
        ck_assert_uint_eq(recorder.shapes[i].frame, i % 2);
        ck_assert_uint_eq(recorder.shapes[i].exif, i % 2 == 0 ? 6 : 3);
    }
    check_picture(&made, 2, &thumbnail);
    check_picture(&made, 3, &thumbnail);
    recorder_free(&recorder);
    made_free(&made);
    made_free(&second);
    made_free(&thumbnail);
}
END_TEST

START_TEST(thumbnails_of_png_and_webp_are_found)
{
    struct made thumbnail = make_jpeg(other);
    struct made exif = make_exif(6, &thumbnail);
    struct made still = make(WEBP_LOSSLESS);

    for (int i = 0; i < 2; i++) {
        struct made made = i == 0 ? make(PNG_PLAIN) : webp_begin_extended(0x08, 40, 24);
        struct recorder recorder = {.keeps = 1};
        if (i == 0) {
            png_insert_chunk(&made, png_find(&made, "IDAT", 0), "eXIf", exif.data, exif.size);
        } else {
            made_append(&made, still.data + 12, still.size - 12);
            webp_append_chunk(&made, "EXIF", exif.data, exif.size);
        }
        struct decode_report report = decode(&made, &recorder);
        ck_assert_uint_eq(report.reasons, 0);
        ck_assert_uint_eq(recorder.begins, 2);
        ck_assert_int_eq(recorder.shape.view, VIEW_THUMBNAIL);
        ck_assert(recorder.shape.width == 32 && recorder.shape.exif == 6);
        recorder_free(&recorder);
        made_free(&made);
    }
    made_free(&thumbnail);
    made_free(&exif);
    made_free(&still);
}
END_TEST

START_TEST(a_thumbnail_that_is_none_or_broken_changes_nothing)
{
    struct made words = {(uint8_t *)strdup("no picture at all"), 17};
    struct made cut = make_jpeg(other);
    struct made psd = {(uint8_t *)strdup("8BPS__________________"), 20};

    cut.size -= 30;
    memcpy(psd.data, "8BPS\0\1", 6);
    const struct made *thumbnails[] = {&words, &cut, &psd};
    for (size_t i = 0; i < 3; i++) {
        struct recorder recorder = {.keeps = 0};
        struct made made = make_jpeg(small);
        jpeg_add_exif(&made, 1, thumbnails[i]);
        struct decode_report report = decode(&made, &recorder);
        ck_assert_uint_eq(report.reasons, 0);
        ck_assert_str_eq(report.detail, "");
        ck_assert_uint_eq(report.frames, 1);
        ck_assert_uint_eq(recorder.begins, thumbnails[i] == &cut ? 2 : 1);
        recorder_free(&recorder);
        made_free(&made);
    }
    made_free(&words);
    made_free(&cut);
    made_free(&psd);
}
END_TEST

START_TEST(a_thumbnail_is_held_to_its_own_limit_of_pixels)
{
    _Static_assert(CODEC_THUMBNAIL_PIXELS == 4000 * 1000, "the edges below are made for it");

    for (unsigned int width = 3999; width <= 4001; width++) {
        struct made made = make_jpeg(small);
        struct made thumbnail = make_jpeg(other);
        struct recorder recorder = {.keeps = 0};
        uint8_t *frame = thumbnail.data + jpeg_find(&thumbnail, 0xc0, 0);
        frame[5] = 1000 >> 8;
        frame[6] = 1000 & 0xff;
        frame[7] = (uint8_t)(width >> 8);
        frame[8] = (uint8_t)width;
        jpeg_add_exif(&made, 1, &thumbnail);
        ck_assert_uint_eq(decode(&made, &recorder).reasons, 0);
        ck_assert_uint_eq(recorder.begins, width <= 4000 ? 2 : 1);
        recorder_free(&recorder);
        made_free(&made);
        made_free(&thumbnail);
    }
}
END_TEST

START_TEST(what_a_thumbnail_carries_is_not_followed)
{
    struct made made = make_jpeg(small);
    struct made inner = make_jpeg(other);
    struct made thumbnail = make_jpeg(other);
    struct recorder recorder = {.keeps = 0};

    jpeg_add_exif(&thumbnail, 1, &inner);            /* a thumbnail of its own */
    made_append(&thumbnail, inner.data, inner.size); /* and a picture behind it */
    jpeg_add_exif(&made, 1, &thumbnail);
    struct decode_report report = decode(&made, &recorder);
    ck_assert_uint_eq(report.frames, 1);
    ck_assert_int_eq(report.trailing, TRAILING_NONE);
    ck_assert_uint_eq(recorder.begins, 2);
    recorder_free(&recorder);
    made_free(&made);
    made_free(&inner);
    made_free(&thumbnail);
}
END_TEST

START_TEST(of_a_thumbnail_one_picture_is_taken_and_the_next_thumbnail_follows)
{
    struct made made = make_jpeg(small);
    struct made second = make_jpeg(small);
    struct made animation = make(WEBP_ANIMATED);
    struct recorder recorder = {.keeps = 0};

    jpeg_add_exif(&made, 1, &animation);
    jpeg_add_exif(&second, 1, &animation);
    made_append(&made, second.data, second.size);
    ck_assert_uint_eq(decode(&made, &recorder).frames, 2);
    ck_assert_uint_eq(recorder.begins, 4);
    recorder_free(&recorder);
    made_free(&made);
    made_free(&second);
    made_free(&animation);
}
END_TEST

START_TEST(thumbnails_are_held_to_their_limit)
{
    struct made tiny =
        make_jpeg((struct jpeg_wish){.width = 8, .height = 8, .from = JCS_GRAYSCALE, .to = JCS_GRAYSCALE});
    struct made one = make_jpeg(small);

    jpeg_add_exif(&one, 1, &tiny);
    for (size_t count = CODEC_THUMBNAILS_MAX - 1; count <= CODEC_THUMBNAILS_MAX + 1; count++) {
        struct made made = {NULL, 0};
        struct recorder recorder = {.keeps = 0};
        for (size_t i = 0; i < count; i++)
            made_append(&made, one.data, one.size);
        bool above = count > CODEC_THUMBNAILS_MAX;
        struct decode_report report = decode(&made, &recorder);
        ck_assert_uint_eq(report.reasons, above ? REASON_BIT(REASON_MEDIA_LIMIT_FRAMES) : 0);
        ck_assert_uint_eq(recorder.begins, above ? 2 * count - 1 : 2 * count);
        recorder_free(&recorder);
        made_free(&made);
    }
    made_free(&tiny);
    made_free(&one);
}
END_TEST

/* A refusal of the sink at any row of any picture ends the decoding with just that. */
START_TEST(whatever_the_sink_refuses_ends_the_decoding)
{
    struct made made = make_jpeg(small);
    struct made second = make_jpeg(small);
    struct made thumbnail = make_jpeg(small);
    struct decode_report report;

    jpeg_add_exif(&made, 1, &thumbnail);
    made_append(&made, second.data, second.size);
    for (uint32_t row = 0; row < 96; row += 5) {
        struct recorder recorder = {.fail_row = row, .row_status = row % 2 == 0 ? -ENOSPC : ROW_SINK_ENOUGH};
        ck_assert_int_eq(record(made.data, made.size, &roomy, &recorder, &report), recorder.row_status);
        ck_assert_uint_eq(recorder.all_rows, row + 1);
        ck_assert_uint_eq(recorder.late, 0);
        ck_assert_uint_eq(report.reasons, 0);
        recorder_free(&recorder);
    }
    made_free(&made);
    made_free(&second);
    made_free(&thumbnail);
}
END_TEST

/* Each cut is a block of its own, so that a sanitizer sees a byte read too far. */
START_TEST(a_file_of_many_parts_cut_anywhere_is_read_within_its_bytes)
{
    struct made made = make_jpeg(other);
    struct made second = make_jpeg(small);
    struct made thumbnail = make_jpeg(other);

    jpeg_add_exif(&made, 1, &thumbnail);
    size_t first_size = made.size;
    made_append(&made, second.data, second.size);
    for (size_t size = 0; size <= made.size; size += size + 40 > made.size ? 1 : 7) {
        struct recorder recorder = {.keeps = 0};
        struct decode_report report;
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, made.data, size);
        copy = realloc(copy, size > 0 ? size : 1);
        ck_assert_int_eq(record(copy, size, &roomy, &recorder, &report), 0);
        if (size == first_size || size == made.size)
            ck_assert_uint_eq(report.reasons, 0);
        recorder_free(&recorder);
        free(copy);
    }
    made_free(&made);
    made_free(&second);
    made_free(&thumbnail);
}
END_TEST

START_TEST(the_end_of_a_jpeg_is_found_past_its_segments)
{
    static const struct {
        const char *bytes;
        size_t size, end;
    } files[] = {
        {"\xff\xd8\xff\xd9", 4, 4},
        {"\xff\xd8\xff\xd9\xff\xd9", 6, 4},
        {"\xff\xd8\xff\xe1\0\6\xff\xd9\xff\xd8\xff\xd9", 12, 12},  /* inside a segment */
        {"\xff\xd8 data \xff\0\xff\xd0 \xff\xff\xff\xd9", 17, 17}, /* stuffing, a restart, fill bytes */
        {"\xff\xd8 data \xff\xd8\xff", 11, 8},                     /* the next one starts */
        {"\xff\xd8\xff\1\xff\xd9", 6, 6},                          /* TEM has no length */
        {"\xff\xd8\xff\xe1\0\x9\xff\xd9", 8, 0},                   /* a segment longer than the file */
        {"\xff\xd8\xff\xe1\0", 5, 0},
        {"\xff\xd8\xff\xe1", 4, 0},
        {"\xff\xd8 data \xff", 9, 0},
        {"\xff\xd8", 2, 0},
    };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        uint8_t *copy = malloc(files[i].size);
        memcpy(copy, files[i].bytes, files[i].size);
        ck_assert_msg(jpeg_scans_find_end(copy, files[i].size, 2) == files[i].end, "file %zu", i);
        free(copy);
    }
}
END_TEST

START_TEST(pictures_of_the_shared_corpus_come_with_what_hides_in_them)
{
    static const struct {
        const char *name;
        uint32_t frames;
        unsigned int pictures;
        enum trailing_data trailing;
    } files[] = {
        {"two_images.mpo.jpg", 2, 2, TRAILING_PICTURE},
        {"appended_second.jpg", 2, 2, TRAILING_PICTURE},
        {"exif_thumb_differs.jpg", 1, 2, TRAILING_NONE},
        {"trailing_junk.jpg", 1, 1, TRAILING_PADDING},
    };
    const char *shared = getenv("PRESCREEN_SHARED");
    struct recorder recorder = {.keeps = 0};
    struct made made;
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/corpus/good/jpeg/%s", shared == NULL ? "../shared" : shared,
             files[_i].name);
    if (access(path, R_OK) != 0) {
        printf("test_decode_parts: skipped, there is no %s\n", path);
        return;
    }
    made.data = read_file(path, &made.size);
    struct decode_report report = decode(&made, &recorder);
    ck_assert_uint_eq(report.reasons, 0);
    ck_assert_uint_eq(report.frames, files[_i].frames);
    ck_assert_uint_eq(recorder.begins, files[_i].pictures);
    ck_assert_int_eq(report.trailing, files[_i].trailing);
    recorder_free(&recorder);
    made_free(&made);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode_parts");
    TCase *tests = tcase_create("decode_parts");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_picture_behind_the_end_of_one_is_a_further_frame);
    tcase_add_test(tests, the_size_and_format_told_are_the_first_pictures);
    tcase_add_test(tests, a_following_picture_comes_in_the_colours_that_are_asked_for);
    tcase_add_test(tests, padding_between_pictures_is_passed_over);
    tcase_add_test(tests, a_picture_that_starts_where_the_end_marker_is_missing_is_found);
    tcase_add_test(tests, a_picture_behind_one_that_is_broken_or_refused_is_found);
    tcase_add_loop_test(tests, what_only_looks_like_a_picture_is_named_and_no_more, 0, 3);
    tcase_add_test(tests, a_following_picture_that_is_cut_or_too_large_is_incomplete);
    tcase_add_loop_test(tests, what_stands_behind_all_pictures_is_named, 0, 4);
    tcase_add_loop_test(tests, data_behind_a_picture_is_named, 0, 12);
    tcase_add_test(tests, a_following_picture_that_only_another_kind_of_worker_decodes_is_incomplete);
    tcase_add_test(tests, words_within_a_following_picture_do_not_hide_it);
    tcase_add_test(tests, following_pictures_are_held_to_their_limit);
    tcase_add_loop_test(tests, a_thumbnail_is_delivered_behind_the_main_pictures_as_its_pictures_own, 0, 2);
    tcase_add_test(tests, thumbnails_of_png_and_webp_are_found);
    tcase_add_test(tests, a_thumbnail_that_is_none_or_broken_changes_nothing);
    tcase_add_test(tests, a_thumbnail_is_held_to_its_own_limit_of_pixels);
    tcase_add_test(tests, what_a_thumbnail_carries_is_not_followed);
    tcase_add_test(tests, of_a_thumbnail_one_picture_is_taken_and_the_next_thumbnail_follows);
    tcase_add_test(tests, thumbnails_are_held_to_their_limit);
    tcase_add_test(tests, whatever_the_sink_refuses_ends_the_decoding);
    tcase_add_test(tests, a_file_of_many_parts_cut_anywhere_is_read_within_its_bytes);
    tcase_add_test(tests, the_end_of_a_jpeg_is_found_past_its_segments);
    tcase_add_loop_test(tests, pictures_of_the_shared_corpus_come_with_what_hides_in_them, 0, 4);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
