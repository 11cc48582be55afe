#include "prescreen/hash/hashes.h"

#include "tap.h"

#include <string.h>

static const char hex_of_steps[] = "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210";

START_TEST(bit_255_is_the_first_digit_s_top_bit)
{
    char text[PDQ_HEX_SIZE];

    for (unsigned int bit = 0; bit < 256; bit++) {
        struct pdq_hash hash = {{0}};
        struct pdq_hash back = {{0}};
        uint8_t bytes[PDQ_SIZE];
        hash.words[bit / 64] = (uint64_t)1 << (bit % 64);
        pdq_to_bytes(&hash, bytes);
        for (unsigned int i = 0; i < PDQ_SIZE; i++)
            ck_assert_uint_eq(bytes[i], i == (255 - bit) / 8 ? 1U << (bit % 8) : 0);
        pdq_from_bytes(bytes, &back);
        ck_assert_mem_eq(&back, &hash, sizeof hash);
        pdq_to_hex(&hash, text);
        for (unsigned int i = 0; i < 64; i++)
            ck_assert_int_eq(text[i], i == (255 - bit) / 4 ? "1248"[bit % 4] : '0');
    }
}
END_TEST

START_TEST(words_count_from_the_end_of_the_text)
{
    struct pdq_hash hash = {{0}};
    char text[PDQ_HEX_SIZE];

    ck_assert(pdq_from_hex(hex_of_steps, 64, &hash));
    ck_assert_uint_eq(hash.words[3], 0x0011223344556677U);
    ck_assert_uint_eq(hash.words[2], 0x8899aabbccddeeffU);
    ck_assert_uint_eq(hash.words[1], 0x0123456789abcdefU);
    ck_assert_uint_eq(hash.words[0], 0xfedcba9876543210U);
    pdq_to_hex(&hash, text);
    ck_assert_str_eq(text, hex_of_steps);
}
END_TEST

START_TEST(other_text_is_refused_and_nothing_written)
{
    static const struct {
        const char *text;
        size_t length;
    } refused[] = {
        {hex_of_steps, 63},
        {hex_of_steps, 62},
        {hex_of_steps, 0},
        {"00112233445566778899aabbccddeeff0123456789abcdeffedcba98765432100", 65},
        {"00112233445566778899aabbccddeeff0123456789abcdeffedcba987654321g", 64},
        {" 0112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210", 64},
        {"0x112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210", 64},
    };
    struct pdq_hash hash = {{1, 2, 3, 4}};
    struct pdq_hash before = hash;

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        ck_assert(!pdq_from_hex(refused[i].text, refused[i].length, &hash));
        ck_assert_mem_eq(&hash, &before, sizeof hash);
    }
}
END_TEST

START_TEST(distance_counts_the_bits_that_differ)
{
    struct pdq_hash a = {{0, 0, 0, 0}};
    struct pdq_hash b = {{~(uint64_t)0, ~(uint64_t)0, ~(uint64_t)0, ~(uint64_t)0}};
    struct pdq_hash c = {{1, (uint64_t)1 << 63, 3, 0}};

    ck_assert_uint_eq(pdq_distance(&a, &a), 0);
    ck_assert_uint_eq(pdq_distance(&a, &b), 256);
    ck_assert_uint_eq(pdq_distance(&a, &c), 4);
    ck_assert_uint_eq(pdq_distance(&c, &b), 252);
}
END_TEST

START_TEST(every_kind_has_its_own_place_and_size)
{
    static const size_t sizes[HASH_KIND_COUNT] = {16, 20, 32, 32};
    char text[PDQ_HEX_SIZE];

    for (unsigned int i = 0; i < HASH_KIND_COUNT; i++) {
        enum hash_kind kind = (enum hash_kind)i;
        size_t digits = 2 * sizes[i];
        struct known_hashes hashes = {.kinds = 0, .pdq_quality = -1};
        struct known_hashes before = hashes;
        ck_assert_uint_eq(hash_kind_size(kind), sizes[i]);
        ck_assert(!known_hashes_parse(&hashes, kind, hex_of_steps, digits - 1));
        ck_assert(!known_hashes_parse(&hashes, kind, hex_of_steps, digits + 1));
        ck_assert_mem_eq(&hashes, &before, sizeof hashes);
        ck_assert(known_hashes_parse(&hashes, kind, hex_of_steps, digits));
        ck_assert_uint_eq(hashes.kinds, HASH_BIT(kind));
        known_hashes_format(&hashes, kind, text);
        ck_assert_uint_eq(strlen(text), digits);
        ck_assert_int_eq(strncmp(text, hex_of_steps, digits), 0);
        for (unsigned int other = 0; other < HASH_KIND_COUNT; other++) {
            known_hashes_format(&hashes, (enum hash_kind)other, text);
            ck_assert_int_eq(strspn(text, "0") == strlen(text), other != i);
        }
    }
}
END_TEST

START_TEST(a_second_value_keeps_the_first)
{
    struct known_hashes hashes = {.kinds = 0};
    char text[PDQ_HEX_SIZE];

    ck_assert(known_hashes_parse(&hashes, HASH_MD5, "900150983CD24FB0D6963F7D28E17F72", 32));
    ck_assert(known_hashes_parse(&hashes, HASH_PDQ, hex_of_steps, 64));
    ck_assert_uint_eq(hashes.kinds, HASH_BIT(HASH_MD5) | HASH_BIT(HASH_PDQ));
    known_hashes_format(&hashes, HASH_MD5, text);
    ck_assert_str_eq(text, "900150983cd24fb0d6963f7d28e17f72");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hashes");
    TCase *tests = tcase_create("hashes");

    tcase_add_test(tests, bit_255_is_the_first_digit_s_top_bit);
    tcase_add_test(tests, words_count_from_the_end_of_the_text);
    tcase_add_test(tests, other_text_is_refused_and_nothing_written);
    tcase_add_test(tests, distance_counts_the_bits_that_differ);
    tcase_add_test(tests, every_kind_has_its_own_place_and_size);
    tcase_add_test(tests, a_second_value_keeps_the_first);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
