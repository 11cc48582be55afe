/* Every row of the shared corpus (../shared/corpus/MANIFEST.tsv) comes out as its manifest expects, or as the
 * table of stands below says, with the reason. Skips, saying so, when the corpus is not there. */
#include "decode_recorder.h"
#include "tap.h"

#include <limits.h>

#define BIT(name) REASON_BIT(REASON_MEDIA_##name)

enum { LINE_BYTES = 1024 };

/* Rows in which this build differs from the manifest. */
static const struct stand {
    const char *file;
    reason_set reasons;
    const char *why;
} stands[] = {
    {"corrupt/zero_length.jpg", BIT(UNRECOGNISED), "no bytes are no format, not a broken one"},
    {"corrupt/ftyp_box_size0.avif", BIT(UNRECOGNISED), "eight bytes name no brand"},
    {"corrupt/png_text_crc.png", 0,
     "a comment is no part of the picture and is not read: every pixel is there"},
    {"limit/apng_20000_frames.png", 0, "how many frames and how long is for the sink to say"},
    {"limit/webp_anim_2000x2000x1000.webp", 0, "how many frames and how long is for the sink to say"},
    {"unsupported/pic.bmp", 0, "it is decoded here"},
    {"unsupported/pic.tif", 0, "it is decoded here"},
    {"limit/gif_100k_frames_1x1.gif", 0, "how many frames and how long is for the sink to say"},
    {"limit/gif_210x1000sq_frames.gif", 0, "how many frames and how long is for the sink to say"},
};

static const char *corpus_path(char path[PATH_MAX], const char *file)
{
    const char *shared = getenv("PRESCREEN_SHARED");

    snprintf(path, PATH_MAX, "%s/corpus/%s", shared == NULL ? "../shared" : shared, file);
    return path;
}

static const struct stand *find_stand(const char *file)
{
    for (size_t i = 0; i < sizeof stands / sizeof stands[0]; i++) {
        if (strcmp(stands[i].file, file) == 0)
            return &stands[i];
    }
    return NULL;
}

static bool is_as_expected(const char *file, const char *expected, reason_set reasons)
{
    const reason_set limits = BIT(LIMIT_PIXELS) | BIT(LIMIT_FRAMES) | BIT(LIMIT_TIME) | BIT(LIMIT_MEMORY);
    const struct stand *stand = find_stand(file);

    if (stand != NULL)
        return reasons == stand->reasons;
    if (strcmp(expected, "decodes") == 0)
        return reasons == 0;
    if (strcmp(expected, "refuse-corrupt") == 0)
        return reasons == BIT(CORRUPT);
    if (strcmp(expected, "refuse-limit") == 0)
        return reasons != 0 && (reasons & ~limits) == 0;
    return strcmp(expected, "refuse-unsupported") == 0 &&
           (reasons == BIT(UNSUPPORTED) || reasons == BIT(UNRECOGNISED));
}

static void check_row(const char *file, const char *format, const char *expected)
{
    char path[PATH_MAX];
    struct recorder recorder = {.begins = 0};
    struct decode_report report;
    size_t size = 0;
    uint8_t *data = read_file(corpus_path(path, file), &size);

    bool heif = strcmp(format, "avif") == 0 || strcmp(format, "heic") == 0;
    const struct decode_codecs *codecs = heif ? &decode_codecs_heif : &decode_codecs_plain;

    ck_assert_int_eq(record_with(codecs, data, size, &roomy, &recorder, &report), 0);
    ck_assert_msg(is_as_expected(file, expected, report.reasons),
                  "%s: reasons %x (%s), but the manifest says %s", file, report.reasons, report.detail,
                  expected);
    if ((report.reasons & ~BIT(LIMIT_FRAMES)) == 0)
        ck_assert_msg(recorder.rows > 0 && recorder.rows == report.height, "%s: %u rows of %u", file,
                      recorder.rows, report.height);
    recorder_free(&recorder);
    free(data);
}

/* Cuts the line at its tabs. Returns the number of fields. */
static size_t split(char *line, char *fields[], size_t maximum)
{
    size_t count = 0;

    line[strcspn(line, "\r\n")] = '\0';
    for (char *rest = line; count < maximum; count++) {
        fields[count] = strsep(&rest, "\t");
        if (fields[count] == NULL)
            break;
    }
    return count;
}

START_TEST(corpus_comes_out_as_its_manifest_says)
{
    char path[PATH_MAX];
    char line[LINE_BYTES];
    size_t rows = 0;
    FILE *manifest = fopen(corpus_path(path, "MANIFEST.tsv"), "r");

    if (manifest == NULL) {
        printf("test_decode_corpus: skipped, there is no %s\n", path);
        return;
    }
    ck_assert_ptr_nonnull(fgets(line, sizeof line, manifest));
    while (fgets(line, sizeof line, manifest) != NULL) {
        char *fields[8];
        ck_assert_uint_ge(split(line, fields, 8), 5);
        check_row(fields[0], fields[1], fields[4]);
        rows++;
    }
    fclose(manifest);
    ck_assert_uint_gt(rows, 200);
}
END_TEST

START_TEST(pictures_of_the_repository_come_out_as_their_readme_says)
{
    static const struct {
        const char *path;
        enum media_format format;
        uint32_t width, height, rows;
        enum pixel_layout layout;
        reason_set reasons;
    } files[] = {
        {"tests/data/photo_a.jpg", FORMAT_JPEG, 600, 400, 400, PIXEL_GRAY, 0},
        {"tests/data/photo_a_recompressed.jpg", FORMAT_JPEG, 450, 300, 300, PIXEL_GRAY, 0},
        {"tests/data/photo_a_mirrored.jpg", FORMAT_JPEG, 600, 400, 400, PIXEL_GRAY, 0},
        {"tests/data/photo_b.jpg", FORMAT_JPEG, 451, 300, 300, PIXEL_GRAY, 0},
        {"tests/data/hidden_under_alpha.png", FORMAT_PNG, 170, 113, 113, PIXEL_RGBA, 0},
        {"tests/data/lossy.webp", FORMAT_WEBP, 451, 300, 300, PIXEL_GRAY, 0},
        {"tests/data/lossless.webp", FORMAT_WEBP, 150, 100, 100, PIXEL_RGB, 0},
        {"tests/data/truncated.jpg", FORMAT_JPEG, 600, 400, 224, PIXEL_GRAY, BIT(CORRUPT)},
        {"tests/data/not_a_picture.txt", FORMAT_UNKNOWN, 0, 0, 0, PIXEL_GRAY, BIT(UNRECOGNISED)},
    };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct recorder recorder = {.begins = 0};
        struct decode_report report;
        size_t size = 0;
        uint8_t *data = read_file(files[i].path, &size);
        ck_assert_int_eq(record(data, size, &roomy, &recorder, &report), 0);
        ck_assert_int_eq(report.format, files[i].format);
        ck_assert_uint_eq(report.width, files[i].width);
        ck_assert_uint_eq(report.height, files[i].height);
        ck_assert_uint_eq(report.reasons, files[i].reasons);
        ck_assert_uint_eq(recorder.rows, files[i].rows);
        ck_assert_int_eq(recorder.shape.layout, files[i].layout);
        recorder_free(&recorder);
        free(data);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode_corpus");
    TCase *tests = tcase_create("decode_corpus");

    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, pictures_of_the_repository_come_out_as_their_readme_says);
    tcase_add_test(tests, corpus_comes_out_as_its_manifest_says);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
