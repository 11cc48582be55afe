#include "prescreen/base/clock.h"
#include "prescreen/os/files.h"
#include "prescreen/screen/screener.h"

#include "tap.h"

#include <jansson.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The whole pipeline with real stores in a folder of its own and a real worker. */
struct bench {
    char folder[64];
    struct diag diag;
    struct config *config;
    struct list_store *lists;
    struct list_store *outside; /* the same, of whoever changes lists */
    struct record_store *records;
    struct decoders *decoders;
    struct examination_cache *cache;
    struct catalog *catalog;
    struct screener *screener;
    unsigned int announced;
    unsigned int stale; /* of these */
};

static struct bench bench;

static void on_screening(void *context, const struct screening *screening)
{
    struct bench *own = context;

    ck_assert_uint_eq(strlen(screening->screening_id), 36);
    own->announced++;
    own->stale += screening->stale_lists;
}

static void write_config(const char *text)
{
    char path[128];

    snprintf(path, sizeof path, "%s/prescreen.yaml", bench.folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "data_dir: %s\nworkers: 1\n%s", bench.folder, text);
    fclose(file);
    ck_assert_msg(config_load(path, &bench.config, &bench.diag) == 0, "%s", bench.diag.text);
}

static void start(const char *config_text)
{
    char self[4096];
    char worker[4200];

    snprintf(bench.folder, sizeof bench.folder, "/tmp/prescreen-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(bench.folder));
    write_config(config_text);
    ck_assert_int_eq(files_executable_directory(self, sizeof self), 0);
    snprintf(worker, sizeof worker, "%s/prescreen-worker", dirname(self));
    struct decoders_options options = {.pool = {.worker_path = worker,
                                                .count = 1,
                                                .job_time_us = 10000000,
                                                .queue_time_us = 10000000,
                                                .queue_max = 8,
                                                .memory_bytes = bench.config->limits.worker_memory_bytes,
                                                .pixels_max = bench.config->limits.pixels,
                                                .frames_max = 1,
                                                .recycle_after = 1000,
                                                .cpu = cpu_choose()}};
    ck_assert_msg(decoders_create(&options, &bench.decoders, &bench.diag) == 0, "%s", bench.diag.text);
    ck_assert_msg(list_store_open(bench.folder, true, &bench.lists, &bench.diag) == 0, "%s", bench.diag.text);
    ck_assert_msg(list_store_open(bench.folder, false, &bench.outside, &bench.diag) == 0, "%s",
                  bench.diag.text);
    ck_assert_msg(record_store_open(bench.folder, &bench.records, &bench.diag) == 0, "%s", bench.diag.text);
    const struct catalog_options catalog = {.store = bench.lists, .cpu = cpu_choose()};
    ck_assert_msg(catalog_create(&catalog, &bench.catalog, &bench.diag) == 0, "%s", bench.diag.text);
    ck_assert_int_eq(examination_cache_create(1 << 20, &bench.cache), 0);
    struct screener_parts parts = {.config = bench.config,
                                   .decoders = bench.decoders,
                                   .cache = bench.cache,
                                   .catalog = bench.catalog,
                                   .list_store = bench.lists,
                                   .record_store = bench.records,
                                   .on_screening = on_screening,
                                   .on_screening_context = &bench};
    ck_assert_int_eq(screener_create(&parts, &bench.screener), 0);
}

static void start_default(void)
{
    start("");
}

static void stop(void)
{
    screener_free(bench.screener);
    catalog_free(bench.catalog);
    examination_cache_free(bench.cache);
    decoders_free(bench.decoders);
    record_store_close(bench.records);
    list_store_close(bench.lists);
    list_store_close(bench.outside);
    config_free(bench.config);
}

static struct upload *upload_bytes(const void *data, size_t size)
{
    struct upload *upload = NULL;

    ck_assert_int_eq(upload_create(32 << 20, screener_digest_kinds(bench.screener), &upload), 0);
    ck_assert_int_eq(upload_append(upload, data, size), 0);
    ck_assert_int_eq(upload_finish(upload), 0);
    return upload;
}

static struct upload *upload_file(const char *path)
{
    struct bytes content;

    bytes_init(&content, 32 << 20);
    ck_assert_msg(files_read(path, &content, &bench.diag) == 0, "%s", bench.diag.text);
    struct upload *upload = upload_bytes(content.data, content.size);
    bytes_clear(&content);
    return upload;
}

static const struct screening_request plain_request = {.profile = "default",
                                                       .audience = AUDIENCE_UNKNOWN,
                                                       .content_id = "",
                                                       .account_ref = "",
                                                       .key_name = "test",
                                                       .request_id = "r1",
                                                       .idempotency_key = "",
                                                       .detailed = true};

/* Screens and returns the parsed answer; frees the upload. */
static json_t *screen(struct upload *upload, const struct screening_request *request)
{
    char *answer = NULL;
    int result = screener_screen(bench.screener, upload, request, &answer, &bench.diag);

    ck_assert_msg(result == 0, "%d: %s", result, bench.diag.text);
    json_t *root = json_loads(answer, 0, NULL);
    ck_assert_ptr_nonnull(root);
    free(answer);
    upload_free(upload);
    return root;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text == NULL ? "" : text;
}

static bool has_reason(const json_t *answer, const char *reason)
{
    size_t index = 0;
    json_t *item = NULL;

    json_array_foreach(json_object_get(answer, "reasons"), index, item)
    {
        if (strcmp(json_string_value(item), reason) == 0)
            return true;
    }
    return false;
}

static bool is_recorded(const json_t *answer)
{
    char *row = NULL;
    int result = record_store_get(bench.records, text_of(answer, "screening_id"), &row, &bench.diag);

    free(row);
    ck_assert_int_ge(result, 0);
    return result == 0;
}

static void put_list(const char *name, enum list_action action, unsigned int max_distance)
{
    struct list_properties properties = {.action = action, .max_distance = max_distance};
    struct list_change change;

    snprintf(properties.name, sizeof properties.name, "%s", name);
    ck_assert_msg(list_store_put(bench.outside, &properties, "test", &change, &bench.diag) == 0, "%s",
                  bench.diag.text);
}

static void add_entries(const char *list, const struct list_entry *entries, size_t count)
{
    struct list_draft *draft = NULL;
    struct list_change change;

    ck_assert_int_eq(list_draft_begin(bench.outside, list, LIST_MERGE, &draft, &bench.diag), 0);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(list_draft_upsert(draft, &entries[i], &bench.diag), 0);
    ck_assert_int_eq(list_draft_commit(draft, "test", "entries", &change, &bench.diag), 0);
}

static void add_entry(const char *list, const char *entry_id, const struct known_hashes *hashes)
{
    struct list_entry entry = {.entry_id = entry_id, .hashes = *hashes, .classification = "A1", .note = ""};

    add_entries(list, &entry, 1);
}

/* The hashes of a file as the service itself finds them. */
static struct known_hashes hashes_of(const char *path)
{
    struct known_hashes hashes = {.pdq_quality = -1};
    struct upload *upload = upload_file(path);
    char *answer = NULL;

    ck_assert_int_eq(screener_hash(bench.screener, upload, "r", &answer, &bench.diag), 0);
    json_t *root = json_loads(answer, 0, NULL);
    const json_t *texts = json_object_get(root, "hashes");
    for (int kind = 0; kind < HASH_KIND_COUNT; kind++) {
        const char *text = text_of(texts, hash_kind_name((enum hash_kind)kind));
        known_hashes_parse(&hashes, (enum hash_kind)kind, text, strlen(text));
    }
    json_decref(root);
    free(answer);
    upload_free(upload);
    return hashes;
}

static struct known_hashes only(struct known_hashes hashes, enum hash_kind kind)
{
    hashes.kinds &= HASH_BIT(kind);
    ck_assert_uint_ne(hashes.kinds, 0);
    return hashes;
}

static struct known_hashes flip_bits(struct known_hashes hashes, unsigned int first, unsigned int count)
{
    for (unsigned int bit = first; bit < first + count; bit++)
        hashes.pdq.words[bit / 64 % 4] ^= (uint64_t)1 << (bit % 64);
    return hashes;
}

START_TEST(an_unknown_picture_is_allowed_and_leaves_no_record)
{
    json_t *answer = screen(upload_file("tests/data/photo_b.jpg"), &plain_request);

    ck_assert_str_eq(text_of(answer, "verdict"), "allow");
    ck_assert(json_is_true(json_object_get(answer, "complete")));
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "reasons")), 0);
    ck_assert_str_eq(text_of(json_object_get(answer, "media"), "format"), "jpeg");
    ck_assert(!is_recorded(answer));
    ck_assert_uint_eq(bench.announced, 1);
    json_decref(answer);
}
END_TEST

START_TEST(each_digest_alone_gives_an_exact_report_that_is_on_disk)
{
    const enum hash_kind kinds[] = {HASH_MD5, HASH_SHA1, HASH_SHA256};
    struct known_hashes hashes = hashes_of("tests/data/photo_a.jpg");
    struct known_hashes one = only(hashes, kinds[_i]);

    put_list("hotline", ACTION_REPORT, 31);
    add_entry("hotline", "4711", &one);
    json_t *answer = screen(upload_file("tests/data/photo_a.jpg"), &plain_request);
    const json_t *match = json_array_get(json_object_get(answer, "matches"), 0);
    ck_assert_str_eq(text_of(answer, "verdict"), "report");
    ck_assert(has_reason(answer, "match.exact"));
    ck_assert_str_eq(text_of(match, "list"), "hotline");
    ck_assert_str_eq(text_of(match, "entry_id"), "4711");
    ck_assert_str_eq(text_of(match, "classification"), "A1");
    ck_assert_str_eq(text_of(match, "kind"), hash_kind_name(kinds[_i]));
    ck_assert(is_recorded(answer));
    json_decref(answer);
}
END_TEST

START_TEST(a_near_hash_matches_up_to_the_distance_of_its_list_and_no_further)
{
    struct known_hashes hashes = only(hashes_of("tests/data/photo_a.jpg"), HASH_PDQ);
    struct known_hashes near = flip_bits(hashes, 3, 20);

    put_list("hotline", ACTION_BLOCK, 20);
    add_entry("hotline", "n", &near);
    json_t *answer = screen(upload_file("tests/data/photo_a.jpg"), &plain_request);
    const json_t *match = json_array_get(json_object_get(answer, "matches"), 0);
    ck_assert_str_eq(text_of(answer, "verdict"), "block");
    ck_assert(has_reason(answer, "match.near"));
    ck_assert_int_eq(json_integer_value(json_object_get(match, "distance")), 20);
    json_decref(answer);

    put_list("hotline", ACTION_BLOCK, 19);
    answer = screen(upload_file("tests/data/photo_a.jpg"), &plain_request);
    ck_assert_str_eq(text_of(answer, "verdict"), "allow");
    json_decref(answer);
}
END_TEST

START_TEST(mirrored_and_recompressed_copies_are_near_matches)
{
    struct known_hashes hashes = only(hashes_of("tests/data/photo_a.jpg"), HASH_PDQ);

    put_list("hotline", ACTION_REPORT, 31);
    add_entry("hotline", "n", &hashes);
    json_t *answer = screen(upload_file("tests/data/photo_a_recompressed.jpg"), &plain_request);
    const json_t *match = json_array_get(json_object_get(answer, "matches"), 0);
    ck_assert_str_eq(text_of(answer, "verdict"), "report");
    ck_assert_str_eq(text_of(match, "orientation"), "original");
    json_decref(answer);
    answer = screen(upload_file("tests/data/photo_a_mirrored.jpg"), &plain_request);
    match = json_array_get(json_object_get(answer, "matches"), 0);
    ck_assert_str_eq(text_of(answer, "verdict"), "report");
    ck_assert_str_ne(text_of(match, "orientation"), "original");
    ck_assert_str_eq(text_of(match, "view"), "main");
    json_decref(answer);
}
END_TEST

START_TEST(an_observe_list_is_recorded_and_changes_nothing)
{
    struct known_hashes hashes = hashes_of("tests/data/photo_a.jpg");

    put_list("trial", ACTION_OBSERVE, 31);
    add_entry("trial", "n", &hashes);
    json_t *answer = screen(upload_file("tests/data/photo_a.jpg"), &plain_request);
    ck_assert_str_eq(text_of(answer, "verdict"), "allow");
    ck_assert(has_reason(answer, "match.observed"));
    ck_assert(is_recorded(answer));
    json_decref(answer);
}
END_TEST

START_TEST(a_known_good_list_overrules_and_says_so)
{
    struct known_hashes hashes = hashes_of("tests/data/photo_a.jpg");

    put_list("hotline", ACTION_REPORT, 31);
    put_list("good", ACTION_ALLOW, 31);
    add_entry("hotline", "n", &hashes);
    struct known_hashes digest = only(hashes, HASH_SHA256);
    add_entry("good", "g", &digest);
    json_t *answer = screen(upload_file("tests/data/photo_a.jpg"), &plain_request);
    ck_assert_str_eq(text_of(answer, "verdict"), "allow");
    ck_assert(has_reason(answer, "match.allowed"));
    ck_assert(is_recorded(answer));
    json_decref(answer);
}
END_TEST

START_TEST(a_flood_of_mild_matches_does_not_hide_a_strict_one)
{
    enum { FLOOD = 250 };
    struct known_hashes hashes = only(hashes_of("tests/data/photo_a.jpg"), HASH_PDQ);
    struct known_hashes farther = flip_bits(hashes, 7, 12);
    static struct list_entry entries[FLOOD];
    static char ids[FLOOD][8];

    put_list("mild", ACTION_OBSERVE, 31);
    put_list("strict", ACTION_REPORT, 31);
    for (unsigned int i = 0; i < FLOOD; i++) {
        snprintf(ids[i], sizeof ids[i], "m%u", i);
        entries[i] = (struct list_entry){
            .entry_id = ids[i], .hashes = flip_bits(hashes, i, 1), .classification = "", .note = ""};
    }
    add_entries("mild", entries, FLOOD);
    add_entry("strict", "s", &farther);
    json_t *answer = screen(upload_file("tests/data/photo_a.jpg"), &plain_request);
    ck_assert_str_eq(text_of(answer, "verdict"), "report");
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "matches")), SCREENING_MATCHES_MAX);
    ck_assert_int_eq(json_integer_value(json_object_get(answer, "matches_total")), FLOOD + 1);
    json_decref(answer);
}
END_TEST

/* Enrols a hash as a view of an entry whose own hash is another. */
static void enrol(const char *list, const struct known_hashes *own, const struct pdq_hash *view)
{
    struct entry_view views[2] = {{VIEW_OVER_BLACK, {{1, 2, 3, 4}}}, {VIEW_THUMBNAIL, *view}};
    struct list_entry entry = {.entry_id = "enrolled",
                               .hashes = *own,
                               .classification = "",
                               .note = "",
                               .views = views,
                               .view_count = 2};

    add_entries(list, &entry, 1);
}

START_TEST(a_view_of_an_entry_gives_a_derived_match_that_names_it)
{
    struct known_hashes hashes = only(hashes_of("tests/data/photo_a.jpg"), HASH_PDQ);
    struct known_hashes own = flip_bits(hashes, 0, 200);
    struct known_hashes view = flip_bits(hashes, 9, 20);

    put_list("ours", ACTION_REPORT, 31);
    enrol("ours", &own, &view.pdq);
    json_t *answer = screen(upload_file("tests/data/photo_a_mirrored.jpg"), &plain_request);
    const json_t *match = json_array_get(json_object_get(answer, "matches"), 0);
    ck_assert_str_eq(text_of(answer, "verdict"), "block");
    ck_assert(has_reason(answer, "match.derived"));
    ck_assert(!has_reason(answer, "match.near"));
    ck_assert_str_eq(text_of(match, "entry_id"), "enrolled");
    ck_assert_str_eq(text_of(match, "view"), "main");
    ck_assert_str_eq(text_of(match, "entry_view"), "thumbnail");
    ck_assert_int_eq(json_integer_value(json_object_get(answer, "matches_total")), 1);
    json_decref(answer);
    /* Gone with its entry. */
    add_entry("ours", "enrolled", &own);
    answer = screen(upload_file("tests/data/photo_a.jpg"), &plain_request);
    ck_assert_str_eq(text_of(answer, "verdict"), "allow");
    json_decref(answer);
}
END_TEST

START_TEST(a_view_of_an_entry_is_found_within_the_smaller_of_both_radii)
{
    static const struct {
        unsigned int max_distance, distance;
        const char *verdict;
    } rows[] = {{31, 24, "block"}, {31, 25, "allow"}, {10, 10, "block"}, {10, 11, "allow"}};
    struct known_hashes hashes = only(hashes_of("tests/data/photo_a.jpg"), HASH_PDQ);
    struct known_hashes own = flip_bits(hashes, 0, 200);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct known_hashes view = flip_bits(hashes, 40, rows[i].distance);
        put_list("ours", ACTION_BLOCK, rows[i].max_distance);
        enrol("ours", &own, &view.pdq);
        json_t *answer = screen(upload_file("tests/data/photo_a.jpg"), &plain_request);
        ck_assert_str_eq(text_of(answer, "verdict"), rows[i].verdict);
        json_decref(answer);
    }
}
END_TEST

START_TEST(a_nearer_view_of_an_entry_does_not_soften_its_own_match)
{
    struct known_hashes hashes = only(hashes_of("tests/data/photo_a.jpg"), HASH_PDQ);
    struct known_hashes own = flip_bits(hashes, 0, 30);

    put_list("ours", ACTION_REPORT, 31);
    enrol("ours", &own, &hashes.pdq);
    json_t *answer = screen(upload_file("tests/data/photo_a.jpg"), &plain_request);
    const json_t *match = json_array_get(json_object_get(answer, "matches"), 0);
    ck_assert_str_eq(text_of(answer, "verdict"), "report");
    ck_assert(has_reason(answer, "match.near"));
    ck_assert(!has_reason(answer, "match.derived"));
    ck_assert_int_eq(json_integer_value(json_object_get(match, "distance")), 30);
    ck_assert_ptr_null(json_object_get(match, "entry_view"));
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "matches")), 1);
    json_decref(answer);
}
END_TEST

static void start_with_reporting_views(void)
{
    start("profiles:\n  default:\n    view_action: report\n");
}

START_TEST(a_derived_match_reports_when_the_operator_says_so)
{
    struct known_hashes hashes = only(hashes_of("tests/data/photo_a.jpg"), HASH_PDQ);
    struct known_hashes own = flip_bits(hashes, 0, 200);

    put_list("ours", ACTION_REPORT, 31);
    enrol("ours", &own, &hashes.pdq);
    json_t *answer = screen(upload_file("tests/data/photo_a.jpg"), &plain_request);
    ck_assert_str_eq(text_of(answer, "verdict"), "report");
    ck_assert(has_reason(answer, "match.derived"));
    json_decref(answer);
}
END_TEST

START_TEST(what_is_no_picture_is_blocked_as_incomplete)
{
    json_t *answer = screen(upload_bytes("<html>hello</html>", 18), &plain_request);

    ck_assert_str_eq(text_of(answer, "verdict"), "block");
    ck_assert(json_is_false(json_object_get(answer, "complete")));
    ck_assert(has_reason(answer, "media.unrecognised"));
    ck_assert(is_recorded(answer));
    json_decref(answer);
    answer = screen(upload_bytes("", 0), &plain_request);
    ck_assert_str_eq(text_of(answer, "verdict"), "block");
    ck_assert(has_reason(answer, "media.unrecognised"));
    json_decref(answer);
}
END_TEST

START_TEST(an_idempotency_key_gives_the_first_answer_again_and_refuses_other_bytes)
{
    struct screening_request request = plain_request;
    struct upload *upload = upload_file("tests/data/photo_b.jpg");
    struct upload *other = upload_bytes("other", 5);
    char *first = NULL;
    char *second = NULL;

    request.idempotency_key = "k1";
    ck_assert_int_eq(screener_screen(bench.screener, upload, &request, &first, &bench.diag), 0);
    ck_assert_int_eq(screener_screen(bench.screener, upload, &request, &second, &bench.diag),
                     SCREENER_REPEATED);
    ck_assert_str_eq(first, second);
    free(second);
    second = NULL;
    ck_assert_int_eq(screener_screen(bench.screener, other, &request, &second, &bench.diag),
                     SCREENER_CONFLICT);
    ck_assert_ptr_null(second);
    request.audience = AUDIENCE_CHILD;
    ck_assert_int_eq(screener_screen(bench.screener, upload, &request, &second, &bench.diag),
                     SCREENER_CONFLICT);
    request = plain_request;
    request.idempotency_key = "k1";
    request.key_name = "another";
    ck_assert_int_eq(screener_screen(bench.screener, upload, &request, &second, &bench.diag), 0);
    ck_assert_str_ne(first, second);
    free(first);
    free(second);
    upload_free(upload);
    upload_free(other);
}
END_TEST

static uint64_t jobs_done(void)
{
    struct worker_pool_status status;

    decoders_read_status(bench.decoders, WORKER_PLAIN, &status);
    return status.jobs;
}

static bool is_cached(const json_t *answer)
{
    const json_t *timing = json_object_get(answer, "timing_us");

    ck_assert(!json_is_true(json_object_get(timing, "cached")) ||
              json_integer_value(json_object_get(timing, "decode")) == 0);
    return json_is_true(json_object_get(timing, "cached"));
}

START_TEST(the_same_bytes_are_decoded_once_and_looked_up_each_time)
{
    struct known_hashes hashes = hashes_of("tests/data/photo_b.jpg"); /* another effort: another finding */
    uint64_t before = jobs_done();
    json_t *first = screen(upload_file("tests/data/photo_a.jpg"), &plain_request);
    json_t *second = screen(upload_file("tests/data/photo_a.jpg"), &plain_request);

    ck_assert(!is_cached(first));
    ck_assert(is_cached(second));
    ck_assert_uint_eq(jobs_done(), before + 1);
    ck_assert_str_eq(text_of(second, "verdict"), "allow");
    ck_assert(json_equal(json_object_get(first, "media"), json_object_get(second, "media")));
    ck_assert(json_equal(json_object_get(first, "hashes"), json_object_get(second, "hashes")));
    ck_assert_str_ne(text_of(first, "screening_id"), text_of(second, "screening_id"));
    json_decref(first);
    json_decref(second);

    hashes = only(hashes_of("tests/data/photo_a.jpg"), HASH_PDQ);
    put_list("hotline", ACTION_REPORT, 31);
    add_entry("hotline", "n", &hashes);
    json_t *third = screen(upload_file("tests/data/photo_a.jpg"), &plain_request);
    ck_assert(is_cached(third));
    ck_assert_str_eq(text_of(third, "verdict"), "report");
    ck_assert(has_reason(third, "match.near"));
    ck_assert(is_recorded(third));
    json_decref(third);
}
END_TEST

START_TEST(what_could_not_be_decoded_is_known_again_too)
{
    json_t *first = screen(upload_bytes("GIF89a", 6), &plain_request);
    json_t *second = screen(upload_bytes("GIF89a", 6), &plain_request);

    ck_assert(is_cached(second));
    ck_assert_str_eq(text_of(second, "verdict"), "block");
    ck_assert(json_equal(json_object_get(first, "reasons"), json_object_get(second, "reasons")));
    json_decref(first);
    json_decref(second);
}
END_TEST

static unsigned int digests_shown(const json_t *answer)
{
    const json_t *hashes = json_object_get(answer, "hashes");
    unsigned int kinds = 0;

    for (unsigned int kind = 0; kind < HASH_PDQ; kind++) {
        if (json_is_string(json_object_get(hashes, hash_kind_name((enum hash_kind)kind))))
            kinds |= HASH_BIT(kind);
    }
    return kinds;
}

START_TEST(only_digests_that_somebody_needs_are_computed)
{
    struct screening_request request = plain_request;
    struct known_hashes entry = {.kinds = HASH_BIT(HASH_SHA1), .pdq_quality = -1};

    request.detailed = false;
    json_t *answer = screen(upload_file("tests/data/photo_b.jpg"), &request);
    ck_assert_uint_eq(digests_shown(answer), HASH_BIT(HASH_SHA256));
    json_decref(answer);
    /* A list has entries of the kind. */
    put_list("hotline", ACTION_REPORT, 31);
    add_entry("hotline", "n", &entry);
    ck_assert_int_eq(catalog_refresh(bench.catalog, &bench.diag), 0);
    ck_assert_uint_eq(screener_digest_kinds(bench.screener), HASH_BIT(HASH_SHA256) | HASH_BIT(HASH_SHA1));
    answer = screen(upload_file("tests/data/photo_b.jpg"), &request);
    ck_assert_uint_eq(digests_shown(answer), HASH_BIT(HASH_SHA256) | HASH_BIT(HASH_SHA1));
    json_decref(answer);
    /* The answer is for somebody who sees them. */
    request.detailed = true;
    answer = screen(upload_file("tests/data/photo_b.jpg"), &request);
    ck_assert_uint_eq(digests_shown(answer), UPLOAD_DIGESTS);
    json_decref(answer);
    /* The screening is recorded. */
    request.detailed = false;
    answer = screen(upload_bytes("no picture", 10), &request);
    ck_assert_uint_eq(digests_shown(answer), UPLOAD_DIGESTS);
    json_decref(answer);
    /* The answer is kept for a repeat. */
    request.idempotency_key = "k";
    answer = screen(upload_file("tests/data/photo_a.jpg"), &request);
    ck_assert_uint_eq(digests_shown(answer), UPLOAD_DIGESTS);
    json_decref(answer);
}
END_TEST

START_TEST(digests_computed_later_are_those_of_the_bytes)
{
    static const size_t sizes[] = {0, 1, 64, 100000};
    static uint8_t data[100000];

    memset(data, 'x', sizeof data);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct upload *late = NULL;
        struct upload *early = NULL;

        ck_assert_int_eq(upload_create(sizeof data, 0, &late), 0);
        ck_assert_int_eq(upload_create(sizeof data, UPLOAD_DIGESTS, &early), 0);
        ck_assert_int_eq(upload_append(late, data, sizes[i]), 0);
        ck_assert_int_eq(upload_append(early, data, sizes[i]), 0);
        ck_assert_int_eq(upload_finish(late), 0);
        ck_assert_int_eq(upload_finish(early), 0);
        ck_assert_uint_eq(late->hashes.kinds, HASH_BIT(HASH_SHA256));
        ck_assert_int_eq(upload_complete(late, HASH_BIT(HASH_SHA1) | HASH_BIT(HASH_SHA256)), 0);
        ck_assert_uint_eq(late->hashes.kinds, HASH_BIT(HASH_SHA1) | HASH_BIT(HASH_SHA256));
        ck_assert_int_eq(upload_complete(late, UPLOAD_DIGESTS), 0);
        ck_assert_uint_eq(late->hashes.kinds, UPLOAD_DIGESTS);
        ck_assert_mem_eq(late->hashes.md5, early->hashes.md5, MD5_SIZE);
        ck_assert_mem_eq(late->hashes.sha1, early->hashes.sha1, SHA1_SIZE);
        ck_assert_mem_eq(late->hashes.sha256, early->hashes.sha256, SHA256_SIZE);
        upload_free(late);
        upload_free(early);
    }
}
END_TEST

/* _i: the kind. The list gets its first entry of the kind while the upload is under way; seen before or not.
 */
START_TEST(a_list_that_changes_during_an_upload_misses_nothing)
{
    const enum hash_kind kind = (enum hash_kind)(_i / 2);
    struct known_hashes entry = only(hashes_of("tests/data/photo_a.jpg"), kind);
    struct screening_request request = plain_request;

    request.detailed = false;
    if (_i % 2 == 1)
        json_decref(screen(upload_file("tests/data/photo_a.jpg"), &request));
    struct upload *upload = upload_file("tests/data/photo_a.jpg");
    ck_assert_uint_eq(upload->hashes.kinds, HASH_BIT(HASH_SHA256));
    put_list("hotline", ACTION_REPORT, 0);
    add_entry("hotline", "n", &entry);
    json_t *answer = screen(upload, &request);
    ck_assert_str_eq(text_of(answer, "verdict"), "report");
    ck_assert(has_reason(answer, "match.exact"));
    ck_assert_uint_eq(digests_shown(answer), UPLOAD_DIGESTS);
    json_decref(answer);
}
END_TEST

START_TEST(an_unknown_profile_is_refused)
{
    struct screening_request request = plain_request;
    struct upload *upload = upload_bytes("x", 1);
    char *answer = NULL;

    request.profile = "nonesuch";
    ck_assert_int_eq(screener_screen(bench.screener, upload, &request, &answer, &bench.diag),
                     SCREENER_NO_PROFILE);
    upload_free(upload);
}
END_TEST

START_TEST(without_room_for_the_record_there_is_no_verdict)
{
    struct upload *upload = upload_bytes("not a picture", 13);
    struct rlimit none = {0, 0};
    char *answer = NULL;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    int result = screener_screen(bench.screener, upload, &plain_request, &answer, &bench.diag);
    ck_assert_int_eq(result, SCREENER_NOT_RECORDED);
    ck_assert_ptr_null(answer);
    upload_free(upload);
}
END_TEST

START_TEST(hashes_made_elsewhere_are_matched_and_recorded_in_order)
{
    struct known_hashes hashes = hashes_of("tests/data/photo_a.jpg");
    struct match_item items[3] = {{.content_id = "one"}, {.content_id = "two"}, {.content_id = ""}};
    struct match_call call = {.items = items, .count = 3, .body = "b", .body_size = 1};
    char *answer = NULL;

    put_list("hotline", ACTION_REPORT, 31);
    add_entry("hotline", "n", &hashes);
    items[0].hashes = flip_bits(hashes, 0, 40);
    items[0].hashes.kinds = HASH_BIT(HASH_PDQ);
    items[1].hashes = only(hashes, HASH_SHA256);
    items[2].hashes = flip_bits(hashes, 0, 1);
    items[2].hashes.kinds = HASH_BIT(HASH_PDQ);
    items[2].hashes.pdq_quality = 3;
    ck_assert_int_eq(screener_match(bench.screener, &call, &plain_request, &answer, &bench.diag), 0);
    json_t *root = json_loads(answer, 0, NULL);
    const json_t *results = json_object_get(root, "results");
    ck_assert_uint_eq(json_array_size(results), 3);
    ck_assert_str_eq(text_of(json_array_get(results, 0), "verdict"), "allow");
    ck_assert_str_eq(text_of(json_array_get(results, 1), "verdict"), "report");
    ck_assert_str_eq(text_of(json_array_get(results, 1), "content_id"), "two");
    ck_assert(has_reason(json_array_get(results, 2), "media.low_quality"));
    ck_assert(is_recorded(json_array_get(results, 1)));
    ck_assert(!is_recorded(json_array_get(results, 0)));
    json_decref(root);
    free(answer);
}
END_TEST

START_TEST(redaction_leaves_no_hash_and_no_match)
{
    struct known_hashes hashes = hashes_of("tests/data/photo_a.jpg");
    char hex[PDQ_HEX_SIZE];
    struct upload *upload = upload_file("tests/data/photo_a.jpg");
    char *answer = NULL;

    put_list("hotline", ACTION_REPORT, 31);
    add_entry("hotline", "secret-entry", &hashes);
    ck_assert_int_eq(screener_screen(bench.screener, upload, &plain_request, &answer, &bench.diag), 0);
    char *shown = screening_answer_redact(answer);
    pdq_to_hex(&hashes.pdq, hex);
    ck_assert_ptr_nonnull(strstr(answer, "secret-entry"));
    ck_assert_ptr_nonnull(strstr(answer, hex));
    ck_assert_ptr_null(strstr(shown, "secret-entry"));
    ck_assert_ptr_null(strstr(shown, hex));
    ck_assert_ptr_nonnull(strstr(shown, "\"verdict\":\"report\""));
    free(shown);
    free(answer);
    upload_free(upload);
}
END_TEST

static void start_with_age(void)
{
    start("profiles:\n  default:\n    max_list_age: 1s\n");
}

static void let_lists_age(void)
{
    uint64_t until_us = clock_monotonic_us() + 1100000;

    while (clock_monotonic_us() < until_us)
        usleep(10000);
}

START_TEST(lists_past_their_age_give_no_verdict)
{
    struct known_hashes hashes = {.kinds = HASH_BIT(HASH_MD5), .pdq_quality = -1};
    struct upload *upload = upload_bytes("x", 1);
    char *answer = NULL;

    ck_assert_int_eq(screener_screen(bench.screener, upload, &plain_request, &answer, &bench.diag),
                     SCREENER_STALE_LISTS);
    put_list("hotline", ACTION_REPORT, 31);
    add_entry("hotline", "n", &hashes);
    ck_assert_int_eq(screener_screen(bench.screener, upload, &plain_request, &answer, &bench.diag), 0);
    free(answer);
    let_lists_age();
    ck_assert_int_eq(screener_screen(bench.screener, upload, &plain_request, &answer, &bench.diag),
                     SCREENER_STALE_LISTS);
    ck_assert_ptr_nonnull(strstr(bench.diag.text, "hotline"));
    upload_free(upload);
}
END_TEST

static void start_serving_stale(void)
{
    start("profiles:\n  default:\n    max_list_age: 1s\n    stale_lists: serve\n");
}

/* As a source does that is asked and has nothing new. */
static void look_at_source(const char *list)
{
    struct list_draft *draft = NULL;
    struct list_change change;

    ck_assert_int_eq(list_draft_begin(bench.outside, list, LIST_MERGE, &draft, &bench.diag), 0);
    list_draft_spare_versions(draft);
    ck_assert_int_eq(list_draft_commit(draft, "test", "import", &change, &bench.diag), 0);
}

START_TEST(lists_past_their_age_may_be_served_from_with_a_warning)
{
    struct known_hashes hashes = {.kinds = HASH_BIT(HASH_MD5), .pdq_quality = -1};
    struct upload *upload = upload_bytes("x", 1);
    char *answer = NULL;

    /* Without any list there is nothing to serve from. */
    ck_assert_int_eq(screener_screen(bench.screener, upload, &plain_request, &answer, &bench.diag),
                     SCREENER_STALE_LISTS);
    put_list("hotline", ACTION_REPORT, 31);
    add_entry("hotline", "n", &hashes);
    ck_assert_int_eq(screener_screen(bench.screener, upload, &plain_request, &answer, &bench.diag), 0);
    ck_assert_uint_eq(bench.stale, 0);
    free(answer);
    let_lists_age();
    ck_assert_int_eq(screener_screen(bench.screener, upload, &plain_request, &answer, &bench.diag), 0);
    ck_assert_uint_eq(bench.stale, 1);
    free(answer);
    upload_free(upload);
}
END_TEST

START_TEST(a_list_is_young_again_without_a_new_version)
{
    struct known_hashes hashes = {.kinds = HASH_BIT(HASH_MD5), .pdq_quality = -1};
    struct upload *upload = upload_bytes("x", 1);
    char *answer = NULL;

    put_list("hotline", ACTION_REPORT, 31);
    add_entry("hotline", "n", &hashes);
    ck_assert_int_eq(screener_screen(bench.screener, upload, &plain_request, &answer, &bench.diag), 0);
    free(answer);
    let_lists_age();
    ck_assert_int_eq(screener_screen(bench.screener, upload, &plain_request, &answer, &bench.diag),
                     SCREENER_STALE_LISTS);
    look_at_source("hotline");
    ck_assert_int_eq(screener_screen(bench.screener, upload, &plain_request, &answer, &bench.diag), 0);
    ck_assert_ptr_nonnull(strstr(answer, "\"lists_version\":2"));
    free(answer);
    upload_free(upload);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("screener");
    TCase *tests = tcase_create("pipeline");
    TCase *aged = tcase_create("aged");
    TCase *serving = tcase_create("serving");
    TCase *reporting = tcase_create("reporting");

    tcase_add_checked_fixture(tests, start_default, stop);
    tcase_add_test(tests, an_unknown_picture_is_allowed_and_leaves_no_record);
    tcase_add_loop_test(tests, each_digest_alone_gives_an_exact_report_that_is_on_disk, 0, 3);
    tcase_add_test(tests, a_near_hash_matches_up_to_the_distance_of_its_list_and_no_further);
    tcase_add_test(tests, mirrored_and_recompressed_copies_are_near_matches);
    tcase_add_test(tests, an_observe_list_is_recorded_and_changes_nothing);
    tcase_add_test(tests, a_known_good_list_overrules_and_says_so);
    tcase_add_test(tests, a_flood_of_mild_matches_does_not_hide_a_strict_one);
    tcase_add_test(tests, a_view_of_an_entry_gives_a_derived_match_that_names_it);
    tcase_add_test(tests, a_view_of_an_entry_is_found_within_the_smaller_of_both_radii);
    tcase_add_test(tests, a_nearer_view_of_an_entry_does_not_soften_its_own_match);
    tcase_add_test(tests, what_is_no_picture_is_blocked_as_incomplete);
    tcase_add_test(tests, an_idempotency_key_gives_the_first_answer_again_and_refuses_other_bytes);
    tcase_add_test(tests, the_same_bytes_are_decoded_once_and_looked_up_each_time);
    tcase_add_test(tests, what_could_not_be_decoded_is_known_again_too);
    tcase_add_test(tests, only_digests_that_somebody_needs_are_computed);
    tcase_add_test(tests, digests_computed_later_are_those_of_the_bytes);
    tcase_add_loop_test(tests, a_list_that_changes_during_an_upload_misses_nothing, 0, 2 * HASH_PDQ);
    tcase_add_test(tests, an_unknown_profile_is_refused);
    tcase_add_test(tests, without_room_for_the_record_there_is_no_verdict);
    tcase_add_test(tests, hashes_made_elsewhere_are_matched_and_recorded_in_order);
    tcase_add_test(tests, redaction_leaves_no_hash_and_no_match);
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(aged, start_with_age, stop);
    tcase_add_test(aged, lists_past_their_age_give_no_verdict);
    tcase_add_test(aged, a_list_is_young_again_without_a_new_version);
    suite_add_tcase(suite, aged);
    tcase_add_checked_fixture(serving, start_serving_stale, stop);
    tcase_add_test(serving, lists_past_their_age_may_be_served_from_with_a_warning);
    suite_add_tcase(suite, serving);
    tcase_add_checked_fixture(reporting, start_with_reporting_views, stop);
    tcase_add_test(reporting, a_derived_match_reports_when_the_operator_says_so);
    suite_add_tcase(suite, reporting);
    return run_suite(suite);
}
