/* Every allocation that a decoder makes fails once: the picture is refused for want of memory, nothing leaks,
 * nothing breaks. The libraries allocate inside shared objects, so malloc itself is replaced here; a
 * sanitizer has its own, with which the tests are skipped. Needs glibc. */
#include "decode_pictures.h"
#include "decode_recorder.h"
#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_OWN_MALLOC 0
#endif
#endif
#ifndef HAS_OWN_MALLOC
#define HAS_OWN_MALLOC 1
#endif

/* The one state of this program that its malloc and its tests share. */
static struct {
    bool armed;
    size_t spared;        /* smaller allocations than this never fail and are not counted as calls */
    unsigned int calls;   /* since it was armed */
    unsigned int fail_at; /* the call that fails, counted from 1; 0 for none */
    bool fail_on;         /* every later call fails as well */
    bool failed;
    long live; /* allocations less frees */
    long most; /* the highest that was */
} faults;

#if HAS_OWN_MALLOC
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

static bool fails_now(size_t size)
{
    if (!faults.armed || size < faults.spared)
        return false;
    faults.calls++;
    bool fails = faults.calls == faults.fail_at || (faults.fail_on && faults.failed);
    faults.failed = faults.failed || fails;
    if (fails)
        errno = ENOMEM;
    return fails;
}

static void *count_live(void *memory)
{
    if (faults.armed && memory != NULL && ++faults.live > faults.most)
        faults.most = faults.live;
    return memory;
}

void *malloc(size_t size)
{
    return fails_now(size) ? NULL : count_live(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails_now(count * size) ? NULL : count_live(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size)
{
    if (fails_now(size))
        return NULL;
    void *moved = __libc_realloc(memory, size);
    return memory == NULL ? count_live(moved) : moved;
}

void free(void *memory)
{
    if (faults.armed && memory != NULL)
        faults.live--;
    __libc_free(memory);
}
#endif

/* A sink that allocates nothing. */
static int count_begin(void *context, const struct picture_shape *shape)
{
    (void)context;
    (void)shape;
    return 0;
}

static int count_row(void *context, const uint8_t *samples)
{
    (void)samples;
    (*(uint32_t *)context)++;
    return 0;
}

static uint32_t decode_with_fault(const struct made *made, unsigned int fail_at, bool fail_on,
                                  struct decode_report *report)
{
    uint32_t rows = 0;
    const struct row_sink sink = {.context = &rows, .begin = count_begin, .row = count_row};

    faults.calls = 0;
    faults.live = 0;
    faults.most = 0;
    faults.failed = false;
    faults.fail_at = fail_at;
    faults.fail_on = fail_on;
    faults.armed = true;
    int status = decode_picture(&decode_codecs_plain, made->data, made->size, &roomy, &sink, report);
    faults.armed = false;
    ck_assert_int_eq(status, 0);
    return rows;
}

START_TEST(each_failing_allocation_is_told_and_leaks_nothing)
{
    struct decode_report report;

    if (!HAS_OWN_MALLOC) {
        if (_i == 0)
            printf("test_decode_memory: skipped, the sanitizer's malloc cannot be replaced\n");
        return;
    }
    struct made made = make((enum kind)_i);
    /* Up to libwebp 1.3.2 a lossless picture frees an uninitialised pointer when its first table of 512 bytes
     * cannot be had. */
    faults.spared = _i == WEBP_LOSSLESS ? 513 : 0;
    ck_assert_uint_eq(decode_with_fault(&made, 0, false, &report), 24);
    unsigned int calls = faults.calls;
    ck_assert_uint_gt(calls, 1);
    ck_assert_int_eq(faults.live, 0);
    for (unsigned int fail_at = 1; fail_at <= calls; fail_at++) {
        for (int fail_on = 0; fail_on < 2; fail_on++) {
            uint32_t rows = decode_with_fault(&made, fail_at, fail_on != 0, &report);
            ck_assert(faults.failed);
            ck_assert_int_eq(faults.live, 0);
            /* libjpeg asks again for less: after one failure alone it may succeed. */
            bool recovered =
                fail_on == 0 && report.format == FORMAT_JPEG && report.reasons == 0 && rows == 24;
            ck_assert_msg(recovered || report.reasons == REASON_BIT(REASON_MEDIA_LIMIT_MEMORY),
                          "allocation %u of %u failed (%d): reasons %x, %u rows, %s", fail_at, calls, fail_on,
                          report.reasons, rows, report.detail);
        }
    }
    made_free(&made);
}
END_TEST

/* Files of formats that no encoder of this program makes, broken ones among them: the fuzzers' seeds. */
static const char *const seeds[] = {"gif", "tiff", "bmp", "png", "webp"};

/* The smallest allocation that fails, by what the file, or what stands behind its picture, is decoded with.
 * libwebp: as above. libtiff 4.5 loses the state of its fax decoder, and does not live without a colour map:
 * its worker dies, which is told as well. */
static size_t spared_by(const struct decode_report *whole)
{
    if (whole->format == FORMAT_TIFF || whole->trailing == TRAILING_PICTURE)
        return 2048;
    return whole->format == FORMAT_WEBP || whole->format == FORMAT_PNG ? 513 : 0;
}

enum { SEED_COUNT = sizeof seeds / sizeof seeds[0], SEED_BYTES = 16384, SEED_CALLS = 150 };

static void check_file_with_faults(const struct made *made, const char *name)
{
    struct decode_report whole, report;
    uint32_t whole_rows = decode_with_fault(made, 0, false, &whole);
    faults.spared = spared_by(&whole);
    decode_with_fault(made, 0, false, &report);
    unsigned int calls = faults.calls < SEED_CALLS ? faults.calls : SEED_CALLS;

    ck_assert_msg(faults.live == 0, "%s: %ld allocations are left", name, faults.live);
    for (unsigned int fail_at = 1; fail_at <= calls; fail_at++) {
        uint32_t rows = decode_with_fault(made, fail_at, fail_at % 2 == 0, &report);
        bool recovered = report.reasons == whole.reasons && rows == whole_rows;

        ck_assert_msg(faults.live == 0, "%s: allocation %u failed and %ld are left", name, fail_at,
                      faults.live);
        ck_assert_msg(report.reasons != 0 || recovered, "%s: allocation %u failed and nobody was told", name,
                      fail_at);
    }
}

START_TEST(no_failing_allocation_makes_a_file_look_whole)
{
    char folder[64], path[PATH_MAX];
    unsigned int files = 0;

    if (!HAS_OWN_MALLOC)
        return;
    snprintf(folder, sizeof folder, "tests/fuzz/corpus/fuzz_%s", seeds[_i]);
    DIR *listing = opendir(folder);
    ck_assert_msg(listing != NULL, "%s: %s", folder, strerror(errno));
    for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        struct made made = {malloc(SEED_BYTES), 0};
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "rb");
        if (file != NULL) {
            made.size = fread(made.data, 1, SEED_BYTES, file);
            fclose(file);
            check_file_with_faults(&made, path);
            files++;
        }
        made_free(&made);
    }
    closedir(listing);
    ck_assert_uint_gt(files, 3);
}
END_TEST

/* A GIF of frames of one pixel, each with a palette of its own. */
static struct made make_gif(unsigned int frames)
{
    static const uint8_t start[] = {'G', 'I', 'F', '8', '9', 'a', 1, 0, 1, 0, 0, 0, 0};
    static const uint8_t frame[] = {0x2c, 0, 0,   0,   0,   1, 0, 1,    0, 0x80, 1,
                                    2,    3, 250, 251, 252, 2, 2, 0x44, 1, 0};
    struct made made = {malloc(sizeof start + frames * sizeof frame + 1), sizeof start};

    ck_assert_ptr_nonnull(made.data);
    memcpy(made.data, start, sizeof start);
    for (unsigned int i = 0; i < frames; i++, made.size += sizeof frame)
        memcpy(made.data + made.size, frame, sizeof frame);
    made.data[made.size++] = ';';
    return made;
}

START_TEST(what_is_kept_of_a_gif_does_not_grow_with_its_frames)
{
    struct decode_report report;
    struct made few = make_gif(3);
    struct made many = make_gif(500);

    ck_assert_uint_eq(decode_with_fault(&few, 0, false, &report), 3);
    long most = faults.most;
    ck_assert_uint_eq(decode_with_fault(&many, 0, false, &report), 500);
    ck_assert_uint_eq(report.reasons, 0);
    ck_assert_int_eq(faults.most, most);
    made_free(&few);
    made_free(&many);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode_memory");
    TCase *tests = tcase_create("decode_memory");

    tcase_add_loop_test(tests, each_failing_allocation_is_told_and_leaks_nothing, 0, KIND_COUNT);
    tcase_add_loop_test(tests, no_failing_allocation_makes_a_file_look_whole, 0, SEED_COUNT);
    tcase_add_test(tests, what_is_kept_of_a_gif_does_not_grow_with_its_frames);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
