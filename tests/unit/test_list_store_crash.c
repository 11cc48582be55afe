#include "prescreen/base/clock.h"
#include "prescreen/store/lists.h"

#include "entries.h"
#include "store_folder.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { ENTRIES = 1500, KILLS = 60, NOBODY = 65534 };

static struct store_folder folder;
static struct diag diag;

static void set_up(void)
{
    folder = make_folder();
}

static void tear_down(void)
{
    remove_folder(&folder);
}

static struct list_store *open_store(void)
{
    struct list_store *store = NULL;

    ck_assert_msg(list_store_open(folder.path, true, &store, &diag) == 0, "%s", diag.text);
    return store;
}

static int put(struct list_store *store, const char *name)
{
    struct list_properties properties = {.action = ACTION_BLOCK, .max_distance = 31};
    struct list_change change;

    strcpy(properties.name, name);
    return list_store_put(store, &properties, "tester", &change, &diag);
}

/* Replaces the list with entries that all carry the generation; ids and number of entries move with it. */
static int write_generation(struct list_store *store, unsigned int generation, unsigned int count,
                            const char *note)
{
    struct list_draft *draft = NULL;
    struct list_change change;
    char id[32];
    char classification[32];
    uint64_t state = generation + 1;
    int result = list_draft_begin(store, "a", LIST_REPLACE, &draft, &diag);

    snprintf(classification, sizeof classification, "g%u", generation);
    for (unsigned int i = 0; i < count && result == 0; i++) {
        struct list_entry entry = {.entry_id = id, .classification = classification, .note = note};

        snprintf(id, sizeof id, "%u", i + generation * 10);
        entry.hashes = random_hashes(&state, HASH_BIT(HASH_MD5) | HASH_BIT(HASH_PDQ));
        result = list_draft_upsert(draft, &entry, &diag);
    }
    if (result != 0) {
        list_draft_abandon(draft);
        return result;
    }
    return list_draft_commit(draft, "tester", "import", &change, &diag);
}

/* Writes generations until it is killed, telling each one that is durable. */
static _Noreturn void write_for_ever(int tell, unsigned int generation)
{
    struct list_store *store = open_store();

    for (;; generation++) {
        if (write_generation(store, generation, ENTRIES + generation % 7, "") != 0)
            _exit(1);
        if (write(tell, &generation, sizeof generation) != sizeof generation)
            _exit(2);
    }
}

/* The store holds one generation whole, and it is the last one told or the one after. Returns it. */
static unsigned int expect_whole(unsigned int told)
{
    struct list_store *store = open_store();
    struct kept_entries kept = {0};
    struct list_info info;
    unsigned int generation = 0;

    ck_assert_int_eq(list_store_get(store, "a", &info, &diag), 0);
    ck_assert_int_eq(list_store_each_entry(store, "a", keep_entry, &kept, &diag), 0);
    ck_assert_uint_gt(kept.count, 0);
    ck_assert_int_eq(sscanf(kept.items[0].classification, "g%u", &generation), 1);
    for (size_t i = 0; i < kept.count; i++)
        ck_assert_str_eq(kept.items[i].classification, kept.items[0].classification);
    ck_assert_uint_eq(kept.count, ENTRIES + generation % 7);
    ck_assert_uint_eq(info.entries, kept.count);
    ck_assert_uint_eq(info.kinds[HASH_PDQ], kept.count);
    ck_assert_msg(generation == told || generation == told + 1, "%u after %u", generation, told);
    ck_assert_uint_eq(info.version, generation + 1);
    forget_entries(&kept);
    list_store_close(store);
    return generation;
}

START_TEST(killed_writer_leaves_the_old_or_the_new_version)
{
    uint64_t state = clock_monotonic_us();
    unsigned int generation = 1;
    unsigned int cut_short = 0;
    struct list_store *store = open_store();

    ck_assert_int_eq(put(store, "a"), 0);
    ck_assert_int_eq(write_generation(store, generation, ENTRIES + generation % 7, ""), 0);
    list_store_close(store);
    for (int round = 0; round < KILLS; round++) {
        unsigned int told = generation;
        int pipes[2];

        ck_assert_int_eq(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0)
            write_for_ever(pipes[1], generation + 1);
        close(pipes[1]);
        ck_assert_int_eq(read(pipes[0], &told, sizeof told), sizeof told);
        usleep(random_below(&state, 30000));
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        while (read(pipes[0], &told, sizeof told) > 0)
            ;
        close(pipes[0]);
        generation = expect_whole(told);
        cut_short += generation == told;
    }
    /* Most kills must have met a change in the making. */
    ck_assert_uint_gt(cut_short, KILLS / 2);
    ck_assert_str_eq(names_in(&folder), "lists.sqlite ");
    ck_assert_str_eq(ask_sql(&folder, "lists.sqlite", "PRAGMA integrity_check"), "ok");
}
END_TEST

START_TEST(processes_that_open_an_empty_store_at_once_agree)
{
    for (int round = 0; round < 10; round++) {
        pid_t children[6];

        for (unsigned int i = 0; i < 6; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                struct list_store *store = open_store();
                char name[8];

                snprintf(name, sizeof name, "l%u", i);
                int result = put(store, name);
                list_store_close(store);
                _exit(result == 0 ? 0 : 1);
            }
        }
        for (unsigned int i = 0; i < 6; i++) {
            int status = -1;

            ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
            ck_assert_int_eq(status, 0);
        }
        ck_assert_str_eq(ask_sql(&folder, "lists.sqlite", "SELECT group_concat(version) FROM change"),
                         "1,2,3,4,5,6");
        ck_assert_int_eq(unlink(file_in(&folder, "lists.sqlite")), 0);
    }
}
END_TEST

static int count_list(void *context, const struct list_info *info)
{
    (void)info;
    ++*(unsigned int *)context;
    return 0;
}

static int count_row(void *context, uint64_t row)
{
    (void)row;
    ++*(unsigned int *)context;
    return 0;
}

static int count_added(void *context, uint64_t row, uint32_t list, const struct known_hashes *hashes)
{
    (void)row;
    (void)list;
    (void)hashes;
    ++*(unsigned int *)context;
    return 0;
}

START_TEST(change_of_another_process_is_seen_and_followed)
{
    struct list_store *store = open_store();
    struct list_info info;
    uint64_t version = 0;
    unsigned int calls = 0;
    struct list_follower follower = {
        .context = &calls, .on_list = count_list, .on_removed = count_row, .on_added = count_added};

    ck_assert_int_eq(put(store, "a"), 0);
    for (unsigned int generation = 1; generation <= 3; generation++) {
        int status = -1;
        pid_t child = fork();

        if (child == 0) {
            struct list_store *own = open_store();
            int result = write_generation(own, generation, 10, "");
            list_store_close(own);
            _exit(result == 0 ? 0 : 1);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(list_store_version(store, &version, &diag), 0);
        ck_assert_uint_eq(version, generation + 1);
        ck_assert_int_eq(list_store_get(store, "a", &info, &diag), 0);
        ck_assert_uint_eq(info.entries, 10);
        calls = 0;
        ck_assert_int_eq(list_store_follow(store, generation, &follower, &version, &diag), 0);
        ck_assert_uint_eq(version, generation + 1);
        /* One list, ten rows out from the second time on, ten in. */
        ck_assert_uint_eq(calls, generation == 1 ? 11 : 21);
    }
    list_store_close(store);
}
END_TEST

static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};

    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(change_that_the_disk_cannot_hold_never_happens)
{
    static char note[ENTRY_NOTE_MAX + 1];
    struct list_store *store = open_store();
    struct list_info info;
    uint64_t version = 0;

    signal(SIGXFSZ, SIG_IGN);
    memset(note, 'n', sizeof note - 1);
    ck_assert_int_eq(put(store, "a"), 0);
    ck_assert_int_eq(write_generation(store, 1, ENTRIES, ""), 0);
    limit_files(1000000);
    /* The log of 5 MB does not fit; then even the gathering of 20 MB does not. */
    ck_assert_int_eq(write_generation(store, 2, 4000, note), -EFBIG);
    ck_assert_msg(strstr(diag.text, "lists.sqlite: ") != NULL && strstr(diag.text, "File too large") != NULL,
                  "%s", diag.text);
    ck_assert_int_eq(write_generation(store, 2, 20000, note), -EFBIG);
    ck_assert_msg(strstr(diag.text, "the change cannot be gathered in a file beside") != NULL, "%s",
                  diag.text);
    ck_assert_int_eq(list_store_version(store, &version, &diag), 0);
    ck_assert_uint_eq(version, 2);
    ck_assert_int_eq(list_store_get(store, "a", &info, &diag), 0);
    ck_assert_uint_eq(info.entries, ENTRIES);
    limit_files(RLIM_INFINITY);
    ck_assert_int_eq(write_generation(store, 2, 4000, note), 0);
    list_store_close(store);
    ck_assert_str_eq(ask_sql(&folder, "lists.sqlite", "PRAGMA integrity_check"), "ok");
}
END_TEST

/* Opens the store as somebody without special rights. Returns the result; the sentence goes to diag. */
static int open_as_nobody(bool create)
{
    int pipes[2];
    struct {
        int result;
        struct diag diag;
    } answer = {.result = 1};

    ck_assert_int_eq(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        struct list_store *store = NULL;

        if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
            _exit(1);
        answer.result = list_store_open(folder.path, create, &store, &answer.diag);
        list_store_close(store);
        _exit(write(pipes[1], &answer, sizeof answer) == sizeof answer ? 0 : 1);
    }
    close(pipes[1]);
    ck_assert_int_eq(read(pipes[0], &answer, sizeof answer), sizeof answer);
    close(pipes[0]);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    diag = answer.diag;
    return answer.result;
}

static void give_to_nobody(const char *path, mode_t mode)
{
    ck_assert_int_eq(chmod(path, mode), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(chown(path, NOBODY, NOBODY), 0);
}

START_TEST(folder_that_cannot_be_written_is_a_clear_error)
{
    give_to_nobody(folder.path, 0500);
    ck_assert_int_eq(open_as_nobody(true), -EACCES);
    ck_assert_msg(strstr(diag.text, "lists.sqlite cannot be made: Permission denied") != NULL, "%s",
                  diag.text);
    ck_assert_int_eq(open_as_nobody(false), -ENOENT);
    ck_assert_int_eq(chmod(folder.path, 0700), 0);
    list_store_close(open_store());
    give_to_nobody(file_in(&folder, "lists.sqlite"), 0400);
    ck_assert_int_eq(open_as_nobody(true), -EROFS);
    ck_assert_msg(strstr(diag.text, "lists.sqlite: the file or its folder cannot be written") != NULL, "%s",
                  diag.text);
    give_to_nobody(file_in(&folder, "lists.sqlite"), 0600);
    ck_assert_int_eq(chmod(folder.path, 0500), 0);
    ck_assert_int_lt(open_as_nobody(false), 0);
    ck_assert_msg(strstr(diag.text, "lists.sqlite: ") != NULL, "%s", diag.text);
    ck_assert_int_eq(chmod(folder.path, 0700), 0);
    ck_assert_int_eq(open_as_nobody(false), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("list_store_crash");
    TCase *tests = tcase_create("list_store_crash");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, killed_writer_leaves_the_old_or_the_new_version);
    tcase_add_test(tests, processes_that_open_an_empty_store_at_once_agree);
    tcase_add_test(tests, change_of_another_process_is_seen_and_followed);
    tcase_add_test(tests, change_that_the_disk_cannot_hold_never_happens);
    tcase_add_test(tests, folder_that_cannot_be_written_is_a_clear_error);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
