/* EXIF's orientation and thumbnail: both byte orders, every value, and blocks that lie about themselves. */
#include "decode/codec.h"
#include "tap.h"

#include <string.h>

/* A block with one directory: another entry, then an orientation of this type, count and value. */
static size_t build(uint8_t *block, bool big_endian, unsigned int type, unsigned int count,
                    unsigned int value)
{
    static const uint8_t little[] = {'I',  'I',  42, 0, 8, 0, 0, 0, 2,   0,       /* header, two entries */
                                     0x0f, 0x01, 2,  0, 1, 0, 0, 0, 'x', 0, 0, 0, /* Make */
                                     0x12, 0x01, 3,  0, 1, 0, 0, 0, 1,   0, 0, 0, /* Orientation */
                                     0,    0,    0,  0};
    static const uint8_t big[] = {'M', 'M', 0, 42,   0,    0, 0, 8, 0, 2, 0x01, 0x0f, 0, 2, 0, 0, 0, 1, 'x',
                                  0,   0,   0, 0x01, 0x12, 0, 3, 0, 0, 0, 1,    0,    1, 0, 0, 0, 0, 0, 0};

    memcpy(block, big_endian ? big : little, sizeof little);
    block[24 + (big_endian ? 1 : 0)] = (uint8_t)type;
    block[26 + (big_endian ? 3 : 0)] = (uint8_t)count;
    block[30 + (big_endian ? 1 : 0)] = (uint8_t)value;
    return sizeof little;
}

START_TEST(each_orientation_is_read_in_both_byte_orders)
{
    uint8_t block[64];

    for (unsigned int value = 0; value <= 255; value++) {
        unsigned int expected = value >= 1 && value <= 8 ? value : 1;
        ck_assert_uint_eq(exif_orientation(block, build(block, false, 3, 1, value)), expected);
        ck_assert_uint_eq(exif_orientation(block, build(block, true, 3, 1, value)), expected);
    }
}
END_TEST

START_TEST(only_one_short_counts)
{
    uint8_t block[64];

    ck_assert_uint_eq(exif_orientation(block, build(block, false, 4, 1, 6)), 1);
    ck_assert_uint_eq(exif_orientation(block, build(block, true, 4, 1, 6)), 1);
    ck_assert_uint_eq(exif_orientation(block, build(block, false, 3, 2, 6)), 1);
    ck_assert_uint_eq(exif_orientation(block, build(block, false, 3, 0, 6)), 1);
}
END_TEST

/* Each cut is a block of its own on the heap, so that a sanitizer sees a byte read too far. */
START_TEST(a_block_cut_anywhere_is_read_within_its_bytes)
{
    uint8_t block[64];
    const size_t whole = 34; /* the end of the entry: the pointer to a next directory is not needed */

    build(block, false, 3, 1, 6);
    for (size_t size = 0; size <= whole + 4; size++) {
        uint8_t *cut = malloc(size + 1);
        memcpy(cut, block, size);
        cut = realloc(cut, size > 0 ? size : 1);
        ck_assert_uint_eq(exif_orientation(cut, size), size >= whole ? 6 : 1);
        free(cut);
    }
    ck_assert_uint_eq(exif_orientation(NULL, 0), 1);
}
END_TEST

START_TEST(lies_about_places_and_counts_change_nothing)
{
    uint8_t block[64];
    size_t size = build(block, false, 3, 1, 6);

    block[8] = block[9] = 0xff; /* 65,535 entries */
    ck_assert_uint_eq(exif_orientation(block, size), 6);
    block[34] = 8; /* the next directory is this one */
    ck_assert_uint_eq(exif_orientation(block, size), 6);
    memset(block + 4, 0xff, 4); /* a directory at the end of the address space */
    ck_assert_uint_eq(exif_orientation(block, size), 1);
    block[4] = (uint8_t)size;
    block[5] = block[6] = block[7] = 0;
    ck_assert_uint_eq(exif_orientation(block, size), 1);
    block[4] = (uint8_t)(size - 1);
    ck_assert_uint_eq(exif_orientation(block, size), 1);
    size = build(block, false, 3, 1, 6);
    block[2] = 43;
    ck_assert_uint_eq(exif_orientation(block, size), 1);
    build(block, false, 3, 1, 6);
    block[0] = 'M';
    ck_assert_uint_eq(exif_orientation(block, size), 1);
    build(block, false, 3, 1, 6);
    block[9] = 0;
    block[8] = 1; /* the orientation is behind the last entry */
    ck_assert_uint_eq(exif_orientation(block, size), 1);
}
END_TEST

enum { THUMBNAIL_AT = 56, BLOCK_BYTES = 66 };

/* A block with an empty first directory and a second one that names the ten bytes at its end. */
static void build_thumbnail(uint8_t block[BLOCK_BYTES])
{
    static const uint8_t bytes[] = {'I',  'I',  42, 0, 8, 0, 0, 0, 0,  0, 14, 0,
                                    0,    0,    3,  0,                           /* header, directories */
                                    0x03, 0x01, 3,  0, 1, 0, 0, 0, 6,  0, 0,  0, /* compression */
                                    0x01, 0x02, 4,  0, 1, 0, 0, 0, 56, 0, 0,  0, /* start */
                                    0x02, 0x02, 4,  0, 1, 0, 0, 0, 10, 0, 0,  0, /* length */
                                    0,    0,    0,  0};

    memset(block, 'x', BLOCK_BYTES);
    memcpy(block, bytes, sizeof bytes);
}

START_TEST(a_thumbnail_is_where_the_second_directory_says)
{
    uint8_t block[BLOCK_BYTES];
    size_t start = 0;
    size_t length = 0;

    build_thumbnail(block);
    ck_assert(exif_thumbnail(block, BLOCK_BYTES, &start, &length));
    ck_assert(start == THUMBNAIL_AT && length == 10);
    ck_assert_uint_eq(exif_orientation(block, BLOCK_BYTES), 1);
}
END_TEST

START_TEST(a_thumbnail_ends_with_its_block)
{
    uint8_t block[BLOCK_BYTES];

    build_thumbnail(block);
    for (size_t size = 0; size <= BLOCK_BYTES; size++) {
        size_t start = 0;
        size_t length = 0;
        uint8_t *cut = malloc(size + 1);
        memcpy(cut, block, size);
        cut = realloc(cut, size > 0 ? size : 1);
        ck_assert(exif_thumbnail(cut, size, &start, &length) == (size > THUMBNAIL_AT));
        if (size > THUMBNAIL_AT)
            ck_assert(start == THUMBNAIL_AT && length == size - THUMBNAIL_AT);
        free(cut);
    }
}
END_TEST

START_TEST(lies_about_a_thumbnail_give_none)
{
    static const struct {
        size_t at;
        uint8_t value;
    } lies[] = {
        {10, 0},    /* no second directory */
        {10, 0xff}, /* one past the end */
        {8, 9},     /* a first directory that reaches past the end */
        {36, 0},    /* a start of 0, */
        {36, 66},   /* at the end, */
        {39, 0x80}, /* far past it */
        {48, 0},    /* no length */
        {30, 3},    /* a start that is a SHORT */
        {44, 2},    /* two lengths */
        {14, 2},    /* the length is behind the last entry */
    };
    uint8_t block[BLOCK_BYTES];
    size_t start = 0;
    size_t length = 0;

    build_thumbnail(block);
    block[lies[_i].at] = lies[_i].value;
    ck_assert(!exif_thumbnail(block, BLOCK_BYTES, &start, &length));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode_exif");
    TCase *tests = tcase_create("decode_exif");

    tcase_add_test(tests, each_orientation_is_read_in_both_byte_orders);
    tcase_add_test(tests, only_one_short_counts);
    tcase_add_test(tests, a_block_cut_anywhere_is_read_within_its_bytes);
    tcase_add_test(tests, lies_about_places_and_counts_change_nothing);
    tcase_add_test(tests, a_thumbnail_is_where_the_second_directory_says);
    tcase_add_test(tests, a_thumbnail_ends_with_its_block);
    tcase_add_loop_test(tests, lies_about_a_thumbnail_give_none, 0, 10);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
