/* EXIF's orientation: both byte orders, every value, and blocks that lie about themselves. */
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

int main(void)
{
    Suite *suite = suite_create("decode_exif");
    TCase *tests = tcase_create("decode_exif");

    tcase_add_test(tests, each_orientation_is_read_in_both_byte_orders);
    tcase_add_test(tests, only_one_short_counts);
    tcase_add_test(tests, a_block_cut_anywhere_is_read_within_its_bytes);
    tcase_add_test(tests, lies_about_places_and_counts_change_nothing);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
