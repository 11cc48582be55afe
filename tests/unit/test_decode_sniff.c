/* What the bytes are: every format's mark, the same mark cut short or without the structure that must follow,
 * and texts that begin like one. */
#include "decode_recorder.h"
#include "tap.h"

#define BYTES(literal) (literal), sizeof(literal) - 1

struct sample {
    const char *bytes;
    size_t size;
    enum media_format format;
};

static void check_all(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum media_format found = decode_sniff((const uint8_t *)samples[i].bytes, samples[i].size);
        ck_assert_msg(found == samples[i].format, "sample %zu is taken as %s, not as %s", i,
                      media_format_name(found), media_format_name(samples[i].format));
    }
}

#define CHECK_ALL(samples) check_all(samples, sizeof(samples) / sizeof(samples)[0])

START_TEST(formats_are_known_by_their_marks)
{
    static const struct sample samples[] = {
        {BYTES("\xff\xd8\xff\xe0"), FORMAT_JPEG},
        {BYTES("\x89PNG\r\n\x1a\n"), FORMAT_PNG},
        {BYTES("RIFF\0\0\0\0WEBPVP8 "), FORMAT_WEBP},
        {BYTES("GIF87a"), FORMAT_GIF},
        {BYTES("GIF89a"), FORMAT_GIF},
        {BYTES("\0\0\0\x18"
               "ftypavif\0\0\0\0"),
         FORMAT_AVIF},
        {BYTES("\0\0\0\x18"
               "ftypmif1\0\0\0\0heicavif"),
         FORMAT_AVIF},
        {BYTES("\0\0\0\x18"
               "ftypheic\0\0\0\0mif1heic"),
         FORMAT_HEIC},
        {BYTES("\0\0\0\x14"
               "ftypabcd\0\0\0\0msf1"),
         FORMAT_HEIC},
        {BYTES("II*\0\x08\0\0\0"), FORMAT_TIFF},
        {BYTES("MM\0*\0\0\0\x08"), FORMAT_TIFF},
        {BYTES("II+\0\x08\0\0\0"), FORMAT_TIFF},
        {BYTES("MM\0+\0\x08\0\0"), FORMAT_TIFF},
        {BYTES("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0"), FORMAT_BMP},
        {BYTES("BM\x46\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\1\0\1\0\1\0\x18\0"), FORMAT_BMP},
        {BYTES("\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0\x44\0\0\0\x16\0\0\0"), FORMAT_ICO},
        {BYTES("\0\0\2\0\1\0\x10\x10\0\0\1\0\x20\0\x44\0\0\0\x16\0\0\0"), FORMAT_ICO},
        {BYTES("\0\0\0\x0cJXL \r\n\x87\n"), FORMAT_JXL},
        {BYTES("\xff\x0a\0\0\0\0\0\0\0\0\0\0"), FORMAT_JXL},
        {BYTES("\0\0\0\x0cjP  \r\n\x87\n"), FORMAT_JP2},
        {BYTES("\xff\x4f\xff\x51"), FORMAT_JP2},
        {BYTES("8BPS\0\1"), FORMAT_PSD},
        {BYTES("8BPS\0\2"), FORMAT_PSD},
        {BYTES("DDS \x7c\0\0\0"), FORMAT_DDS},
        {BYTES("P1 1 1\n0"), FORMAT_PNM},
        {BYTES("P6\n# a comment\n3 2\n255\n"), FORMAT_PNM},
        {BYTES("P5\t3 #c\n2 255 "), FORMAT_PNM},
        {BYTES("P7\nWIDTH 3\n"), FORMAT_PNM},
        {BYTES("<svg xmlns='http://www.w3.org/2000/svg'/>"), FORMAT_SVG},
        {BYTES("\xef\xbb\xbf <?xml version='1.0'?><!-- a -->\n<!DOCTYPE svg>\n<svg>"), FORMAT_SVG},
        {BYTES("<svg:svg xmlns:svg='x'>"), FORMAT_SVG},
    };

    CHECK_ALL(samples);
}
END_TEST

START_TEST(a_file_cut_inside_its_mark_is_that_format_once_chance_is_out)
{
    static const struct sample samples[] = {
        {BYTES("\xff"), FORMAT_UNKNOWN},
        {BYTES("\xff\xd8"), FORMAT_JPEG},
        {BYTES("\xff\xd8\xff"), FORMAT_JPEG},
        {BYTES("\xff\xd8\0"), FORMAT_UNKNOWN},
        {BYTES("\x89PN"), FORMAT_UNKNOWN},
        {BYTES("\x89PNG"), FORMAT_PNG},
        {BYTES("\x89PNG\r\n\x1a"), FORMAT_PNG},
        {BYTES("\x89PNG\n\x1a\n"), FORMAT_UNKNOWN},
        {BYTES("RIFF\0\0\0\0WEB"), FORMAT_UNKNOWN},
    };

    CHECK_ALL(samples);
    ck_assert_int_eq(decode_sniff(NULL, 0), FORMAT_UNKNOWN);
}
END_TEST

START_TEST(a_mark_without_its_structure_is_no_picture)
{
    static const struct sample samples[] = {
        {BYTES("P3 rocks, and so does P6 more"), FORMAT_UNKNOWN},
        {BYTES("P6 640 by 480 is small"), FORMAT_UNKNOWN},
        {BYTES("P8 1 1 1 1"), FORMAT_UNKNOWN},
        {BYTES("P6\n3 2\n"), FORMAT_UNKNOWN},
        {BYTES("P6\n3 2\n255"), FORMAT_UNKNOWN},
        {BYTES("P6\n1234567890 2\n255\n"), FORMAT_UNKNOWN},
        {BYTES("P7\nis a plane\n"), FORMAT_UNKNOWN},
        {BYTES("BMW builds cars in Munich and elsewhere."), FORMAT_UNKNOWN},
        {BYTES("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\2\0\x18\0"), FORMAT_UNKNOWN},
        {BYTES("BM\x46\0\0\0\0\0\0\0\x35\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0"), FORMAT_UNKNOWN},
        {BYTES("II*\0\7\0\0\0"), FORMAT_UNKNOWN},
        {BYTES("MM\0*\0\0\0"), FORMAT_UNKNOWN},
        {BYTES("\0\0\1\0\0\0\x10\x10\0\0\1\0\x20\0\x44\0\0\0\x16\0\0\0"), FORMAT_UNKNOWN},
        {BYTES("\0\0\1\0\1\0\x10\x10\0\1\1\0\x20\0\x44\0\0\0\x16\0\0\0"), FORMAT_UNKNOWN},
        {BYTES("\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0\x44\0\0\0\x15\0\0\0"), FORMAT_UNKNOWN},
        {BYTES("\xff\x0a\0\0\0\0\0\0\0\0\0"), FORMAT_UNKNOWN},
        {BYTES("DDS \x7b\0\0\0"), FORMAT_UNKNOWN},
        {BYTES("8BPS\0\3"), FORMAT_UNKNOWN},
        {BYTES("\0\0\0\x10"
               "ftypisom\0\0\0\0avif"),
         FORMAT_UNKNOWN}, /* the brand lies behind the box */
        {BYTES("\0\0\0\x10"
               "ftypisom\0\0avif"),
         FORMAT_UNKNOWN},
        {BYTES("\xff\xff\xff\xff"
               "ftypisom\0\0\0\0mp42"),
         FORMAT_UNKNOWN}, /* a box of 4 GB in 20 bytes */
        {BYTES("\0\0\0\0"
               "ftyp"),
         FORMAT_UNKNOWN},
        {BYTES("\0\0\0\x14"
               "ftypisomavifmp42"),
         FORMAT_UNKNOWN}, /* that is the minor version */
    };

    CHECK_ALL(samples);
}
END_TEST

START_TEST(pages_texts_and_archives_are_no_picture)
{
    static const struct sample samples[] = {
        {BYTES("<!DOCTYPE html><html><body><svg></svg></body></html>"), FORMAT_UNKNOWN},
        {BYTES("<svgother>"), FORMAT_UNKNOWN},
        {BYTES("<svg"), FORMAT_UNKNOWN},
        {BYTES("<!-- <svg> "), FORMAT_UNKNOWN},
        {BYTES("<?xml version='1.0'"), FORMAT_UNKNOWN},
        {BYTES("  \n\t"), FORMAT_UNKNOWN},
        {BYTES("%PDF-1.4\n"), FORMAT_UNKNOWN},
        {BYTES("PK\3\4"), FORMAT_UNKNOWN},
        {BYTES("push graphic-context\nviewbox 0 0 10 10\n"), FORMAT_UNKNOWN},
        {BYTES("GIF88a"), FORMAT_UNKNOWN},
        {BYTES("RIFF\0\0\0\0WAVE"), FORMAT_UNKNOWN},
    };

    CHECK_ALL(samples);
}
END_TEST

/* A mark that comes later than the window is not looked for, wherever the file is long. */
START_TEST(the_search_for_a_late_mark_is_bounded)
{
    static char text[8192];
    const size_t last = 4096 - 6; /* "<svg " and what follows still lie inside */

    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, ' ', sizeof text);
        memcpy(text + last + shift, "<svg >", 6);
        enum media_format expected = shift < 2 ? FORMAT_SVG : FORMAT_UNKNOWN;
        ck_assert_int_eq(decode_sniff((const uint8_t *)text, sizeof text), expected);
    }
}
END_TEST

START_TEST(what_is_not_decoded_says_why)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum reason reason;
    } samples[] = {
        {BYTES(""), REASON_MEDIA_UNRECOGNISED},
        {BYTES("hello, world"), REASON_MEDIA_UNRECOGNISED},
        {BYTES("<svg "), REASON_MEDIA_UNSUPPORTED},
        {BYTES("8BPS\0\1"), REASON_MEDIA_UNSUPPORTED},
    };

    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct recorder recorder = {.begins = 0};
        struct decode_report report;
        ck_assert_int_eq(
            record((const uint8_t *)samples[i].bytes, samples[i].size, &roomy, &recorder, &report), 0);
        ck_assert_uint_eq(report.reasons, REASON_BIT(samples[i].reason));
        ck_assert_uint_eq(recorder.begins, 0);
        ck_assert_uint_eq(report.exif, 1);
        ck_assert_uint_eq(report.frames, 0);
        ck_assert_uint_gt(strlen(report.detail), 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode_sniff");
    TCase *tests = tcase_create("decode_sniff");

    tcase_add_test(tests, formats_are_known_by_their_marks);
    tcase_add_test(tests, a_file_cut_inside_its_mark_is_that_format_once_chance_is_out);
    tcase_add_test(tests, a_mark_without_its_structure_is_no_picture);
    tcase_add_test(tests, pages_texts_and_archives_are_no_picture);
    tcase_add_test(tests, the_search_for_a_late_mark_is_bounded);
    tcase_add_test(tests, what_is_not_decoded_says_why);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
