#include "prescreen/store/import.h"

#include "entries.h"
#include "store_folder.h"
#include "tap.h"

#include <errno.h>
#include <openssl/evp.h>

#define MD5_A "00112233445566778899aabbccddeeff"
#define MD5_B "ffeeddccbbaa99887766554433221100"
#define PDQ_A "8000000000000000000000000000000000000000000000000000000000000001"
#define PDQ_B "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
#define QUERY "<queryResult xmlns=\"https://hashsharing.ncmec.org/hashsharing/v2\">"
#define IMAGE(id, second, md5)                                                                               \
    "<images><image><member id=\"1\"/><id>" id "</id><timestamp>2026-01-01T00:00:" second                    \
    "Z</timestamp><classification>A1</classification><fingerprints><md5>" md5                                \
    "</md5></fingerprints></image></images>"
#define GONE(id, second)                                                                                     \
    "<images><deletedImage><member id=\"1\"/><id>" id "</id><timestamp>2026-01-01T00:00:" second             \
    "Z</timestamp></deletedImage></images>"
#define CSV "entry_id,md5\n"

static struct store_folder folder;
static struct list_store *store;
static struct diag diag;
static EVP_PKEY *signer;
static struct config_class classes[] = {{"A1", ACTION_REPORT}};
static struct config_list rules[2]; /* open, sealed */
static struct config config = {.lists = rules, .list_count = 2};
static struct list_change change;

static void set_up(void)
{
    static const char *const names[] = {"open", "sealed"};
    size_t size = CONFIG_SIGNATURE_KEY_SIZE;

    folder = make_folder();
    ck_assert_int_eq(list_store_open(folder.path, true, &store, &diag), 0);
    signer = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    ck_assert_ptr_nonnull(signer);
    for (int i = 0; i < 2; i++) {
        struct list_properties properties = {.action = ACTION_REPORT, .max_distance = 31};

        rules[i] = (struct config_list){.classes = classes, .class_count = 1};
        strcpy(rules[i].name, names[i]);
        strcpy(properties.name, names[i]);
        ck_assert_int_eq(list_store_put(store, &properties, "tester", &change, &diag), 0);
    }
    rules[1].is_signed = true;
    ck_assert_int_eq(EVP_PKEY_get_raw_public_key(signer, rules[1].signature_key, &size), 1);
    list_store_guard(store, &config);
}

static void tear_down(void)
{
    list_store_close(store);
    EVP_PKEY_free(signer);
    remove_folder(&folder);
}

static void sign(const char *text, uint8_t signature[LIST_SIGNATURE_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t size = LIST_SIGNATURE_SIZE;

    ck_assert_int_eq(EVP_DigestSignInit(context, NULL, NULL, NULL, signer), 1);
    ck_assert_int_eq(EVP_DigestSign(context, signature, &size, (const uint8_t *)text, strlen(text)), 1);
    EVP_MD_CTX_free(context);
}

struct order {
    const char *list;
    enum list_format format;
    enum list_change_mode mode;
    bool dry_run;
    const char *files[4]; /* up to NULL */
    const uint8_t *signature;
};

/* Does it all; returns what the first call that did not return 0 returned. */
static int import_files(const struct order *order)
{
    const struct list_import_options options = {
        .list = order->list, .config = &config, .format = order->format, .mode = order->mode};
    struct list_import *import = NULL;
    int result = list_import_begin(store, &options, &import, &diag);

    for (size_t i = 0; result == 0 && i < 4 && order->files[i] != NULL; i++) {
        result = list_import_begin_file(import, order->signature, &diag);
        if (result == 0)
            result = list_import_feed(import, order->files[i], strlen(order->files[i]), &diag);
        if (result == 0)
            result = list_import_end_file(import, &diag);
    }
    if (result == 0)
        result = list_import_commit(import, "tester", order->dry_run, &change, &diag);
    list_import_free(import);
    return result;
}

static void expect_change(uint64_t added, uint64_t changed, uint64_t removed, uint64_t unchanged)
{
    ck_assert_uint_eq(change.added, added);
    ck_assert_uint_eq(change.changed, changed);
    ck_assert_uint_eq(change.removed, removed);
    ck_assert_uint_eq(change.unchanged, unchanged);
}

static uint64_t count_entries(const char *name)
{
    struct list_info info;

    ck_assert_int_eq(list_store_get(store, name, &info, &diag), 0);
    return info.entries;
}

static uint64_t version(void)
{
    uint64_t now = 0;

    ck_assert_int_eq(list_store_version(store, &now, &diag), 0);
    return now;
}

/* The MD5 of the one entry of a list. */
static const char *only_md5(const char *name)
{
    static char hex[PDQ_HEX_SIZE];
    struct kept_entries kept = {0};

    ck_assert_int_eq(list_store_each_entry(store, name, keep_entry, &kept, &diag), 0);
    ck_assert_uint_eq(kept.count, 1);
    known_hashes_format(&kept.items[0].hashes, HASH_MD5, hex);
    forget_entries(&kept);
    return hex;
}

START_TEST(a_dry_run_counts_what_an_import_would_do)
{
    struct order order = {.list = "open", .files = {CSV "1," MD5_A "\n2," MD5_A "\n3," MD5_A "\n"}};

    rules[0].class_count = 0;
    ck_assert_msg(import_files(&order) == 0, "%s", diag.text);
    uint64_t before = version();
    order = (struct order){.list = "open",
                           .mode = LIST_REPLACE,
                           .dry_run = true,
                           .files = {CSV "1," MD5_A "\n2," MD5_B "\n4," MD5_A "\n"}};
    ck_assert_msg(import_files(&order) == 0, "%s", diag.text);
    expect_change(1, 1, 1, 1);
    ck_assert_uint_eq(change.lists_version, before);
    ck_assert_uint_eq(version(), before);
    ck_assert_uint_eq(count_entries("open"), 3);
    order.dry_run = false;
    ck_assert_int_eq(import_files(&order), 0);
    expect_change(1, 1, 1, 1);
    ck_assert_uint_eq(version(), before + 1);
}
END_TEST

START_TEST(all_pages_are_one_change_and_the_latest_record_of_an_entry_counts)
{
    struct order order = {
        .list = "open",
        .format = LIST_FORMAT_NCMEC,
        .mode = LIST_REPLACE,
        .files = {QUERY IMAGE("a", "02", MD5_B) "<paging><next>x</next></paging></queryResult>",
                  QUERY IMAGE("a", "01", MD5_A) "</queryResult>", QUERY GONE("b", "05") "</queryResult>"}};
    uint64_t before = version();

    ck_assert_msg(import_files(&order) == 0, "%s", diag.text);
    expect_change(1, 0, 0, 0);
    ck_assert_uint_eq(version(), before + 1);
    ck_assert_str_eq(only_md5("open"), MD5_B);
    /* A tombstone that came before the image it buries, and one that is older than it. */
    order = (struct order){.list = "open",
                           .format = LIST_FORMAT_NCMEC,
                           .files = {QUERY GONE("a", "09") IMAGE("a", "03", MD5_A) "</queryResult>"}};
    ck_assert_int_eq(import_files(&order), 0);
    expect_change(0, 0, 1, 0);
    order.files[0] = QUERY GONE("a", "03") IMAGE("a", "09", MD5_A) "</queryResult>";
    ck_assert_int_eq(import_files(&order), 0);
    expect_change(1, 0, 0, 0);
}
END_TEST

START_TEST(a_later_record_of_stopncii_replaces_an_earlier_one)
{
    static const char *const end[] = {"Active", "Withdrawn"};

    for (int i = 0; i < 2; i++) {
        char text[1024];
        struct order order = {.list = "open", .format = LIST_FORMAT_STOPNCII, .files = {text}};

        snprintf(text, sizeof text,
                 "{\"hashRecords\":[{\"signalType\":\"ImagePDQ\",\"hashValue\":\"" PDQ_A
                 "\",\"hashStatus\":\"%s\"},{\"signalType\":\"ImagePDQ\",\"hashValue\":\"" PDQ_A
                 "\",\"hashStatus\":\"%s\"}]}",
                 end[1 - i], end[i]);
        ck_assert_msg(import_files(&order) == 0, "%s", diag.text);
        ck_assert_uint_eq(count_entries("open"), i == 0 ? 1 : 0);
    }
}
END_TEST

START_TEST(one_page_of_several_does_not_replace)
{
    struct order order = {
        .list = "open",
        .format = LIST_FORMAT_NCMEC,
        .mode = LIST_REPLACE,
        .files = {QUERY IMAGE("a", "02", MD5_B) "<paging><next>x</next></paging></queryResult>"}};

    ck_assert_int_eq(import_files(&order), LIST_STORE_REFUSED);
    ck_assert_ptr_nonnull(strstr(diag.text, "more pages follow"));
    ck_assert_uint_eq(count_entries("open"), 0);
    order.mode = LIST_MERGE;
    ck_assert_int_eq(import_files(&order), 0);
}
END_TEST

START_TEST(what_is_no_longer_of_the_lists_class_leaves_it)
{
    struct config_class two[] = {{"A1", ACTION_REPORT}, {"B2", ACTION_BLOCK}};
    struct order order = {.list = "open",
                          .files = {"entry_id,md5,classification\n1," MD5_A ",A1\n2," MD5_A ",A1\n"}};

    rules[0].classes = two;
    rules[0].class_count = 2;
    ck_assert_int_eq(import_files(&order), 0);
    expect_change(2, 0, 0, 0);
    order.files[0] = "entry_id,md5,classification\n1," MD5_A ",B2\n3," MD5_A ",B2\n";
    ck_assert_int_eq(import_files(&order), 0);
    expect_change(0, 0, 1, 0);
}
END_TEST

START_TEST(a_bad_second_file_undoes_the_first)
{
    struct order order = {.list = "open", .files = {CSV "1," MD5_A "\n", CSV "2,x\n"}};
    uint64_t before = version();

    rules[0].class_count = 0;
    ck_assert_int_eq(import_files(&order), LIST_STORE_REFUSED);
    ck_assert_uint_eq(version(), before);
    ck_assert_uint_eq(count_entries("open"), 0);
}
END_TEST

START_TEST(a_record_that_comes_twice_as_it_is_counts_once)
{
    static const struct {
        enum list_format format;
        const char *files[2];
        uint64_t added, unchanged;
    } orders[] = {
        {LIST_FORMAT_CSV, {CSV "2," MD5_A "\n1," MD5_A "\n2," MD5_A "\n2," MD5_A "\n", NULL}, 2, 2},
        {LIST_FORMAT_CSV, {CSV "1," MD5_A "\n", "md5,entry_id\n" MD5_A ",1\n"}, 1, 1},
        {LIST_FORMAT_LINES, {MD5_A "\n" MD5_B "\n" MD5_A "\n", NULL}, 2, 1},
        {LIST_FORMAT_HMA, {"md5 " MD5_A "\nmd5 " MD5_A "\n", NULL}, 1, 1},
    };

    rules[0].class_count = 0;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct order order = {.list = "open", .format = orders[i].format, .mode = LIST_REPLACE};

        order.files[0] = orders[i].files[0];
        order.files[1] = orders[i].files[1];
        list_store_delete(store, "open", "tester", &change, &diag);
        struct list_properties properties = {.name = "open", .max_distance = 31};
        ck_assert_int_eq(list_store_put(store, &properties, "tester", &change, &diag), 0);
        ck_assert_msg(import_files(&order) == 0, "%s", diag.text);
        expect_change(orders[i].added, 0, 0, orders[i].unchanged);
        ck_assert_uint_eq(count_entries("open"), orders[i].added);
        ck_assert_int_eq(import_files(&order), 0);
        expect_change(0, 0, 0, orders[i].added + orders[i].unchanged);
    }
}
END_TEST

START_TEST(a_record_that_comes_twice_and_differs_refuses_the_import)
{
    static const char *const files[] = {
        CSV "1," MD5_A "\n1," MD5_B "\n",
        CSV "1," MD5_A "\n1," MD5_A "\n1," MD5_B "\n",
        "entry_id,md5,note\n1," MD5_A ",\n1," MD5_A ",x\n",
        "entry_id,md5,note\n1," MD5_A ",xy\n1," MD5_A ",xz\n",
        "entry_id,md5,classification,note\n1," MD5_A ",a,b\n1," MD5_A ",b,a\n",
        "entry_id,pdq,pdq_quality\n1," PDQ_A ",80\n1," PDQ_A ",81\n",
        "entry_id,md5,pdq\n1," MD5_A ",\n1,," PDQ_A "\n",
    };

    rules[0].class_count = 0;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct order order = {.list = "open", .files = {files[i]}};

        ck_assert_int_eq(import_files(&order), LIST_STORE_REFUSED);
        ck_assert_ptr_nonnull(strstr(diag.text, "name each only once: \"1\""));
        ck_assert_uint_eq(count_entries("open"), 0);
    }
}
END_TEST

START_TEST(a_signed_list_takes_what_its_key_signed)
{
    const char *text = CSV "1," MD5_A "\n";
    uint8_t signature[LIST_SIGNATURE_SIZE];
    struct order order = {.list = "sealed", .files = {text}, .signature = signature};

    rules[1].class_count = 0;
    sign(text, signature);
    ck_assert_msg(import_files(&order) == 0, "%s", diag.text);
    ck_assert_str_eq(
        ask_sql(&folder, "lists.sqlite", "SELECT what FROM change ORDER BY version DESC LIMIT 1"),
        "signed import");
    ck_assert_uint_eq(count_entries("sealed"), 1);
    /* The signature of one file is none of another. */
    order.files[0] = CSV "1," MD5_B "\n";
    ck_assert_int_eq(import_files(&order), LIST_STORE_REFUSED);
    ck_assert_ptr_nonnull(strstr(diag.text, "the signature is not of this file"));
    order.files[0] = text;
    for (size_t bit = 0; bit < 8ul * LIST_SIGNATURE_SIZE; bit += 37) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_int_eq(import_files(&order), LIST_STORE_REFUSED);
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    order.signature = NULL;
    order.dry_run = true;
    ck_assert_int_eq(import_files(&order), LIST_STORE_REFUSED);
    ck_assert_ptr_nonnull(strstr(diag.text, "the file has no signature"));
    ck_assert_str_eq(only_md5("sealed"), MD5_A);
}
END_TEST

START_TEST(a_signature_that_nothing_can_check_is_refused)
{
    uint8_t signature[LIST_SIGNATURE_SIZE] = {0};
    struct order order = {.list = "open", .files = {CSV "1," MD5_A "\n"}, .signature = signature};

    ck_assert_int_eq(import_files(&order), LIST_STORE_REFUSED);
    ck_assert_ptr_nonnull(strstr(diag.text, "no signature_key in the configuration"));
}
END_TEST

START_TEST(a_signed_list_changes_in_no_other_way)
{
    struct list_draft *draft = NULL;
    const struct list_entry entry = {
        .entry_id = "1", .classification = "", .note = "", .hashes = {.kinds = 1, .pdq_quality = -1}};
    uint64_t before = version();

    ck_assert_int_eq(list_draft_begin(store, "sealed", LIST_MERGE, &draft, &diag), 0);
    ck_assert_int_eq(list_draft_upsert(draft, &entry, &diag), 0);
    ck_assert_int_eq(list_draft_commit(draft, "tester", "entries", &change, &diag), LIST_STORE_REFUSED);
    ck_assert_ptr_nonnull(strstr(diag.text, "only by the import of a signed file"));
    ck_assert_int_eq(list_draft_begin(store, "sealed", LIST_REPLACE, &draft, &diag), 0);
    ck_assert_int_eq(list_draft_commit(draft, "tester", "entries", &change, &diag), LIST_STORE_REFUSED);
    ck_assert_int_eq(list_store_delete(store, "sealed", "tester", &change, &diag), LIST_STORE_REFUSED);
    ck_assert_uint_eq(version(), before);
}
END_TEST

START_TEST(signatures_are_read_as_bytes_and_as_base64)
{
    uint8_t bytes[LIST_SIGNATURE_SIZE], read[LIST_SIGNATURE_SIZE];
    unsigned char text[200] = " \n";

    for (int i = 0; i < LIST_SIGNATURE_SIZE; i++)
        bytes[i] = (uint8_t)(i * 7);
    ck_assert(list_signature_read(bytes, sizeof bytes, read));
    ck_assert_mem_eq(read, bytes, sizeof bytes);
    int size = 2 + EVP_EncodeBlock(text + 2, bytes, sizeof bytes);
    text[size] = '\n';
    memset(read, 0, sizeof read);
    ck_assert(list_signature_read(text, (size_t)size + 1, read));
    ck_assert_mem_eq(read, bytes, sizeof bytes);
    ck_assert(!list_signature_read(text, (size_t)size - 1, read));
    ck_assert(!list_signature_read(bytes, sizeof bytes - 1, read));
    ck_assert(!list_signature_read("", 0, read));
    text[10] = '*';
    ck_assert(!list_signature_read(text, (size_t)size + 1, read));
}
END_TEST

START_TEST(the_known_answer_of_rfc_8032_is_verified)
{
    /* Section 7.1, test 1: the empty message. */
    static const uint8_t key[CONFIG_SIGNATURE_KEY_SIZE] = {
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
        0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};
    static const uint8_t signature[LIST_SIGNATURE_SIZE] = {
        0xe5, 0x56, 0x43, 0x00, 0xc3, 0x60, 0xac, 0x72, 0x90, 0x86, 0xe2, 0xcc, 0x80, 0x6e, 0x82, 0x8a,
        0x84, 0x87, 0x7f, 0x1e, 0xb8, 0xe5, 0xd9, 0x74, 0xd8, 0x73, 0xe0, 0x65, 0x22, 0x49, 0x01, 0x55,
        0x5f, 0xb8, 0x82, 0x15, 0x90, 0xa3, 0x3b, 0xac, 0xc6, 0x1e, 0x39, 0x70, 0x1c, 0xf9, 0xb4, 0x6b,
        0xd2, 0x5b, 0xf5, 0xf0, 0x59, 0x5b, 0xbe, 0x24, 0x65, 0x51, 0x41, 0x43, 0x8e, 0x7a, 0x10, 0x0b};

    ck_assert_int_eq(list_signature_verify(key, signature, "", 0), 0);
    ck_assert_int_eq(list_signature_verify(key, signature, "x", 1), LIST_SIGNATURE_WRONG);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("list_import");
    TCase *tests = tcase_create("import");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_dry_run_counts_what_an_import_would_do);
    tcase_add_test(tests, all_pages_are_one_change_and_the_latest_record_of_an_entry_counts);
    tcase_add_test(tests, a_later_record_of_stopncii_replaces_an_earlier_one);
    tcase_add_test(tests, one_page_of_several_does_not_replace);
    tcase_add_test(tests, what_is_no_longer_of_the_lists_class_leaves_it);
    tcase_add_test(tests, a_bad_second_file_undoes_the_first);
    tcase_add_test(tests, a_record_that_comes_twice_as_it_is_counts_once);
    tcase_add_test(tests, a_record_that_comes_twice_and_differs_refuses_the_import);
    tcase_add_test(tests, a_signed_list_takes_what_its_key_signed);
    tcase_add_test(tests, a_signature_that_nothing_can_check_is_refused);
    tcase_add_test(tests, a_signed_list_changes_in_no_other_way);
    tcase_add_test(tests, signatures_are_read_as_bytes_and_as_base64);
    tcase_add_test(tests, the_known_answer_of_rfc_8032_is_verified);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
