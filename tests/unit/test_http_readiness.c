/* The parts that readiness asks are played by this file. */
#include "http/readiness.h"
#include "tap.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct catalog_reading loaded = {.generation = (struct index_generation *)&loaded};
static const struct catalog_reading *reading;
static unsigned int alive[WORKER_KIND_COUNT], coming[WORKER_KIND_COUNT];
static bool has_heif;
static int version_result, probe_result, probes;
static struct readiness readiness;
static const struct http_server_parts parts;

const struct catalog_reading *catalog_acquire(struct catalog *catalog)
{
    (void)catalog;
    return reading;
}

void catalog_release(struct catalog *catalog, const struct catalog_reading *released)
{
    (void)catalog;
    ck_assert_ptr_eq(released, reading);
}

bool decoders_have(const struct decoders *decoders, enum worker_kind kind)
{
    (void)decoders;
    return kind == WORKER_PLAIN || has_heif;
}

void decoders_read_status(struct decoders *decoders, enum worker_kind kind, struct worker_pool_status *status)
{
    (void)decoders;
    *status = (struct worker_pool_status){.alive = alive[kind], .coming = coming[kind]};
}

int list_store_version(struct list_store *store, uint64_t *lists_version, struct diag *diag)
{
    (void)store;
    *lists_version = 1;
    return version_result == 0 ? 0 : diag_fail(diag, version_result, "lists.sqlite is gone");
}

int record_store_probe(struct record_store *store, struct diag *diag)
{
    (void)store;
    probes++;
    return probe_result == 0 ? 0 : diag_fail(diag, probe_result, "the disk is full");
}

static void create(void)
{
    reading = &loaded;
    alive[WORKER_PLAIN] = alive[WORKER_HEIF] = 1;
    has_heif = true;
    version_result = probe_result = probes = 0;
    readiness_init(&readiness);
}

static void destroy(void)
{
    readiness_destroy(&readiness);
}

static const char *missing(void)
{
    static struct diag diag;

    diag_set(&diag, "nothing");
    bool ready = readiness_check(&readiness, &parts, &diag);
    ck_assert_int_eq(ready, strcmp(diag.text, "nothing") == 0);
    return diag.text;
}

START_TEST(all_parts_make_it_ready)
{
    ck_assert_str_eq(missing(), "nothing");
}
END_TEST

START_TEST(each_missing_part_is_named)
{
    alive[WORKER_PLAIN] = 0;
    ck_assert_str_eq(missing(), "missing: workers");
    reading = NULL;
    ck_assert_str_eq(missing(), "missing: index workers");
    alive[WORKER_PLAIN] = 1;
    ck_assert_str_eq(missing(), "missing: index");
}
END_TEST

START_TEST(a_kind_of_workers_that_is_there_must_live)
{
    alive[WORKER_HEIF] = 0;
    ck_assert_str_eq(missing(), "missing: heif_workers");
    coming[WORKER_HEIF] = 1;
    ck_assert_str_eq(missing(), "nothing");
    coming[WORKER_HEIF] = 0;
    has_heif = false;
    ck_assert_str_eq(missing(), "nothing");
}
END_TEST

START_TEST(store_that_cannot_be_written_is_named_with_its_fault)
{
    probe_result = -ENOSPC;
    ck_assert_str_eq(missing(), "missing: store (the disk is full)");
    alive[WORKER_PLAIN] = 0;
    ck_assert_str_eq(missing(), "missing: workers store (the disk is full)");
}
END_TEST

START_TEST(store_of_lists_that_cannot_be_read_is_named_with_its_fault)
{
    version_result = -EIO;
    ck_assert_str_eq(missing(), "missing: store (lists.sqlite is gone)");
}
END_TEST

START_TEST(stores_are_tried_once_a_second)
{
    for (int i = 0; i < 1000; i++)
        ck_assert_str_eq(missing(), "nothing");
    ck_assert_int_eq(probes, 1);
    probe_result = -ENOSPC;
    usleep(1010000);
    ck_assert_str_eq(missing(), "missing: store (the disk is full)");
    ck_assert_int_eq(probes, 2);
    probe_result = 0;
    usleep(1010000);
    ck_assert_str_eq(missing(), "nothing");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http readiness");
    TCase *cases = tcase_create("readiness");

    tcase_add_checked_fixture(cases, create, destroy);
    tcase_add_test(cases, all_parts_make_it_ready);
    tcase_add_test(cases, each_missing_part_is_named);
    tcase_add_test(cases, a_kind_of_workers_that_is_there_must_live);
    tcase_add_test(cases, store_that_cannot_be_written_is_named_with_its_fault);
    tcase_add_test(cases, store_of_lists_that_cannot_be_read_is_named_with_its_fault);
    tcase_add_test(cases, stores_are_tried_once_a_second);
    suite_add_tcase(suite, cases);
    return run_suite(suite);
}
