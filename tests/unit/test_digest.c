#include "prescreen/hash/digest.h"

#include "tap.h"

#include <errno.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define ALL (HASH_BIT(HASH_MD5) | HASH_BIT(HASH_SHA1) | HASH_BIT(HASH_SHA256))

struct vector {
    const char *text;
    size_t repeats;
    const char *hex[3]; /* MD5, SHA-1, SHA-256 */
};

/* RFC 1321 appendix A.5, FIPS 180 and NIST's examples for it. */
static const struct vector vectors[] = {
    {"",
     1,
     {"d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
    {"abc",
     1,
     {"900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d",
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     1,
     {"8215ef0796a20bcaaae116d3876c664a", "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"}},
    {"a",
     1000000,
     {"7707d6ae4e027c70eea2a935c2296f21", "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"}},
};

static void digest_in_chunks(const uint8_t *data, size_t size, size_t chunk, unsigned int kinds,
                             struct known_hashes *hashes)
{
    struct digest_stream *stream = NULL;

    ck_assert_int_eq(digest_stream_create(kinds, &stream), 0);
    for (size_t at = 0; at < size; at += chunk)
        ck_assert_int_eq(digest_stream_update(stream, data + at, size - at < chunk ? size - at : chunk), 0);
    ck_assert_int_eq(digest_stream_finish(stream, hashes), 0);
    digest_stream_free(stream);
}

START_TEST(published_values_come_out_whatever_the_chunks)
{
    static const size_t chunks[] = {1, 3, 63, 64, 65, 4099, 1000000};
    const struct vector *vector = &vectors[_i];
    size_t length = strlen(vector->text);
    size_t size = length * vector->repeats;
    uint8_t *data = malloc(size + 1);
    char text[PDQ_HEX_SIZE];

    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)vector->text[i % length];
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        struct known_hashes hashes = {.kinds = 0};
        digest_in_chunks(data, size, chunks[i], ALL, &hashes);
        ck_assert_uint_eq(hashes.kinds, ALL);
        for (int kind = 0; kind < 3; kind++) {
            known_hashes_format(&hashes, (enum hash_kind)kind, text);
            ck_assert_str_eq(text, vector->hex[kind]);
        }
    }
    free(data);
}
END_TEST

START_TEST(only_what_was_asked_for_is_written)
{
    for (unsigned int kinds = 0; kinds <= ALL; kinds++) {
        struct known_hashes hashes;
        struct known_hashes before;
        memset(&hashes, 0x5a, sizeof hashes);
        hashes.kinds = HASH_BIT(HASH_PDQ);
        before = hashes;
        digest_in_chunks((const uint8_t *)"abc", 3, 3, kinds, &hashes);
        ck_assert_uint_eq(hashes.kinds, kinds | HASH_BIT(HASH_PDQ));
        ck_assert_int_eq(memcmp(hashes.md5, before.md5, MD5_SIZE) != 0, (kinds & HASH_BIT(HASH_MD5)) != 0);
        ck_assert_int_eq(memcmp(hashes.sha1, before.sha1, SHA1_SIZE) != 0,
                         (kinds & HASH_BIT(HASH_SHA1)) != 0);
        ck_assert_int_eq(memcmp(hashes.sha256, before.sha256, SHA256_SIZE) != 0,
                         (kinds & HASH_BIT(HASH_SHA256)) != 0);
        ck_assert_mem_eq(&hashes.pdq, &before.pdq, sizeof hashes.pdq);
        ck_assert_int_eq(hashes.pdq_quality, before.pdq_quality);
    }
}
END_TEST

START_TEST(a_stream_can_be_dropped_at_any_point)
{
    struct digest_stream *stream = NULL;

    digest_stream_free(NULL);
    ck_assert_int_eq(digest_stream_create(ALL, &stream), 0);
    ck_assert_int_eq(digest_stream_update(stream, "abc", 3), 0);
    digest_stream_free(stream);
}
END_TEST

START_TEST(a_finished_stream_takes_no_more)
{
    struct digest_stream *stream = NULL;
    struct known_hashes hashes = {.kinds = 0};

    ck_assert_int_eq(digest_stream_create(ALL, &stream), 0);
    ck_assert_int_eq(digest_stream_finish(stream, &hashes), 0);
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    digest_stream_update(stream, "abc", 3);
}
END_TEST

START_TEST(a_library_without_the_digest_is_a_fault)
{
    struct digest_stream *stream = NULL;

    /* No provider has this property: nothing can be fetched. */
    ck_assert_int_eq(EVP_set_default_properties(NULL, "provider=nobody"), 1);
    for (unsigned int kind = HASH_MD5; kind <= HASH_SHA256; kind++)
        ck_assert_int_eq(digest_stream_create(HASH_BIT(kind), &stream), -EIO);
    ck_assert_ptr_null(stream);
    ck_assert_int_eq(digest_stream_create(0, &stream), 0);
    digest_stream_free(stream);
    ck_assert_int_eq(EVP_set_default_properties(NULL, ""), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("digest");
    TCase *tests = tcase_create("digest");

    tcase_add_loop_test(tests, published_values_come_out_whatever_the_chunks, 0,
                        sizeof vectors / sizeof *vectors);
    tcase_add_test(tests, only_what_was_asked_for_is_written);
    tcase_add_test(tests, a_stream_can_be_dropped_at_any_point);
    tcase_add_test_raise_signal(tests, a_finished_stream_takes_no_more, SIGABRT);
    tcase_add_test(tests, a_library_without_the_digest_is_a_fault);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
