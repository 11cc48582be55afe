#include "prescreen/index/snapshot.h"

#include "generation_model.h"
#include "index/snapshot_layout.h"
#include "store_folder.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <xxhash.h>

static const struct index_origin origin = {.lists_version = 42, .mark = "a store"};

/* Parts of several sizes, with removals, views, rows out of order and all kinds of hashes. */
static const struct index_generation *make_generation(struct model *model, uint64_t seed)
{
    static const size_t added[] = {9000, 700, 40, 3};
    const struct index_generation *generation = NULL;

    model_start(model, seed);
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
        const struct index_generation *next = advance(model, generation, added[i], i * 20);
        index_generation_release(generation);
        generation = next;
    }
    return generation;
}

static void write_snapshot(const struct store_folder *folder, const struct index_generation *generation)
{
    struct diag diag = {""};

    ck_assert_msg(index_snapshot_write(folder->path, generation, &origin, NULL, &diag) == 0, "%s", diag.text);
}

/* Opens and loads; *generation is set on 0. */
static int load(const struct store_folder *folder, const struct index_generation **generation,
                struct diag *diag)
{
    struct index_snapshot *snapshot = NULL;
    struct index_generation *loaded = NULL;
    struct index_origin found;
    int result = index_snapshot_open(folder->path, &snapshot, &found, diag);

    if (result == 0) {
        ck_assert_uint_eq(found.lists_version, origin.lists_version);
        ck_assert_mem_eq(found.mark, origin.mark, sizeof origin.mark);
        result = index_snapshot_load(snapshot, cpu_detect(), &loaded, diag);
    }
    index_snapshot_close(snapshot);
    ck_assert((result == 0) == (loaded != NULL));
    *generation = loaded;
    return result;
}

static void check_refused(const struct store_folder *folder, const char *why)
{
    const struct index_generation *generation = NULL;
    struct diag diag = {""};

    ck_assert_int_eq(load(folder, &generation, &diag), INDEX_SNAPSHOT_REFUSED);
    ck_assert_msg(strstr(diag.text, why) != NULL, "%s, not: %s", diag.text, why);
}

static const char *snapshot_path(const struct store_folder *folder)
{
    return file_in(folder, SNAPSHOT_FILE);
}

static void read_file(const struct store_folder *folder, void *data, size_t size, off_t offset)
{
    int file = open(snapshot_path(folder), O_RDONLY);

    ck_assert_int_eq(pread(file, data, size, offset), (ssize_t)size);
    close(file);
}

static void write_file_at(const struct store_folder *folder, const void *data, size_t size, off_t offset)
{
    int file = open(snapshot_path(folder), O_WRONLY);

    ck_assert_int_eq(pwrite(file, data, size, offset), (ssize_t)size);
    close(file);
}

static void flip(const struct store_folder *folder, off_t offset)
{
    uint8_t byte = 0;

    read_file(folder, &byte, 1, offset);
    byte ^= 0x10;
    write_file_at(folder, &byte, 1, offset);
}

static off_t file_size(const struct store_folder *folder)
{
    struct stat facts;

    ck_assert_int_eq(stat(snapshot_path(folder), &facts), 0);
    return facts.st_size;
}

START_TEST(what_is_loaded_answers_as_what_was_written)
{
    struct store_folder folder = make_folder();
    struct model model;
    const struct index_generation *built = make_generation(&model, 1);
    const struct index_generation *loaded = NULL;
    struct index_statistics before, after;
    struct diag diag = {""};

    index_generation_read_statistics(built, &before);
    ck_assert_uint_gt(before.segments, 1);
    ck_assert_uint_gt(before.removed, 0);
    ck_assert_uint_gt(before.views, 0);
    write_snapshot(&folder, built);
    index_generation_release(built);
    ck_assert_msg(load(&folder, &loaded, &diag) == 0, "%s", diag.text);
    index_generation_read_statistics(loaded, &after);
    ck_assert_uint_eq(after.segments, before.segments);
    ck_assert_uint_eq(after.entries, before.entries);
    for (int round = 0; round < 3; round++)
        check_generation(&model, loaded, model.version);
    index_generation_release(loaded);
    remove_folder(&folder);
    free(model.entries);
}
END_TEST

START_TEST(changes_go_on_from_what_is_loaded)
{
    static const size_t added[] = {1, 600, 0, 20000, 5};
    struct store_folder folder = make_folder();
    struct model model;
    const struct index_generation *generation = make_generation(&model, 2);
    struct diag diag = {""};

    write_snapshot(&folder, generation);
    index_generation_release(generation);
    ck_assert_int_eq(load(&folder, &generation, &diag), 0);
    /* The name is not needed any more. */
    ck_assert_int_eq(unlink(snapshot_path(&folder)), 0);
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
        const struct index_generation *next = advance(&model, generation, added[i], 30);
        check_generation(&model, next, model.version);
        check_generation(&model, generation, model.version - 1);
        index_generation_release(generation);
        generation = next;
    }
    index_generation_release(generation);
    remove_folder(&folder);
    free(model.entries);
}
END_TEST

static void count_step(void *context)
{
    ++*(size_t *)context;
}

/* A merge of what lies in the file into memory; NULL when there is none to be made. */
static const struct index_generation *settle(const struct index_generation *generation, size_t *steps)
{
    const struct index_pace pace = {count_step, steps};
    const struct index_build build = {cpu_detect(), &pace};
    struct index_merge *merge = NULL;
    struct index_generation *settled = NULL;

    if (index_merge_begin(generation, &build, &merge) == INDEX_MERGE_NONE)
        return NULL;
    ck_assert_int_eq(index_merge_run(merge), 0);
    ck_assert_int_eq(index_merge_end(merge, generation, &settled), 0);
    return settled;
}

/* A generation of so many entries, out of a file. Nothing of it needed to be settled before. */
static const struct index_generation *make_mapped(const struct store_folder *folder, struct model *model,
                                                  size_t entries)
{
    struct diag diag = {""};
    size_t steps = 0;

    model_start(model, 5);
    const struct index_generation *generation = advance(model, NULL, entries, 0);
    write_snapshot(folder, generation);
    ck_assert_ptr_null(settle(generation, &steps));
    index_generation_release(generation);
    ck_assert_int_eq(load(folder, &generation, &diag), 0);
    return generation;
}

START_TEST(what_is_large_moves_from_the_file_into_memory)
{
    struct store_folder folder = make_folder();
    struct model model;
    const struct index_generation *generation = make_mapped(&folder, &model, 70000);
    size_t steps = 0;

    const struct index_generation *settled = settle(generation, &steps);
    ck_assert_ptr_nonnull(settled);
    index_generation_release(generation);
    ck_assert_ptr_null(settle(settled, &steps));
    check_generation(&model, settled, model.version);
    /* Every pass over the entries has gone at the pace: those that gather them, sort and fill the tables. */
    ck_assert_uint_gt(steps, 20 * (70000 / INDEX_PACE_ITEMS));
    index_generation_release(settled);
    remove_folder(&folder);
    free(model.entries);
}
END_TEST

START_TEST(what_is_small_stays_in_the_file)
{
    struct store_folder folder = make_folder();
    struct model model;
    const struct index_generation *generation = make_mapped(&folder, &model, 9000);
    size_t steps = 0;

    ck_assert_ptr_null(settle(generation, &steps));
    ck_assert_uint_eq(steps, 0);
    index_generation_release(generation);
    remove_folder(&folder);
    free(model.entries);
}
END_TEST

START_TEST(every_level_of_the_processor_reads_the_same_file)
{
    struct store_folder folder = make_folder();
    struct model model;
    const struct index_generation *generation = make_generation(&model, 3);

    write_snapshot(&folder, generation);
    index_generation_release(generation);
    for (enum cpu_level level = CPU_PLAIN; level <= cpu_detect(); level++) {
        struct index_snapshot *snapshot = NULL;
        struct index_generation *loaded = NULL;
        struct index_origin found;
        struct diag diag = {""};
        ck_assert_int_eq(index_snapshot_open(folder.path, &snapshot, &found, &diag), 0);
        ck_assert_int_eq(index_snapshot_load(snapshot, level, &loaded, &diag), 0);
        index_snapshot_close(snapshot);
        check_generation(&model, loaded, model.version);
        index_generation_release(loaded);
    }
    remove_folder(&folder);
    free(model.entries);
}
END_TEST

START_TEST(an_empty_generation_is_kept_too)
{
    struct store_folder folder = make_folder();
    struct index_generation *empty = NULL;
    const struct index_generation *loaded = NULL;
    struct index_statistics statistics;
    struct diag diag = {""};

    ck_assert_int_eq(index_generation_apply(NULL, NULL, NULL, 0, SIZE_MAX, CPU_PLAIN, &empty), 0);
    write_snapshot(&folder, empty);
    index_generation_release(empty);
    ck_assert_int_eq(load(&folder, &loaded, &diag), 0);
    index_generation_read_statistics(loaded, &statistics);
    ck_assert_uint_eq(statistics.entries, 0);
    index_generation_release(loaded);
    remove_folder(&folder);
}
END_TEST

START_TEST(without_a_file_there_is_none)
{
    struct store_folder folder = make_folder();
    const struct index_generation *generation = NULL;
    struct diag diag = {""};

    ck_assert_int_eq(load(&folder, &generation, &diag), INDEX_SNAPSHOT_NONE);
    remove_folder(&folder);
    ck_assert_int_eq(load(&folder, &generation, &diag), INDEX_SNAPSHOT_NONE);
}
END_TEST

START_TEST(only_the_owner_may_read_the_file)
{
    struct store_folder folder = make_folder();
    struct model model;
    const struct index_generation *generation = make_generation(&model, 4);

    umask(0);
    write_snapshot(&folder, generation);
    ck_assert_uint_eq(mode_of(snapshot_path(&folder)), 0600);
    ck_assert_str_eq(names_in(&folder), "index.snapshot ");
    index_generation_release(generation);
    remove_folder(&folder);
    free(model.entries);
}
END_TEST

/* A file of a few parts for the tests that damage it. */
static struct store_folder make_sound_file(struct snapshot_head *head, struct snapshot_part *parts)
{
    struct store_folder folder = make_folder();
    struct model model;
    const struct index_generation *generation = make_generation(&model, 5);

    write_snapshot(&folder, generation);
    index_generation_release(generation);
    free(model.entries);
    read_file(&folder, head, sizeof *head, 0);
    ck_assert_uint_gt(head->part_count, 1);
    read_file(&folder, parts, head->part_count * sizeof *parts, SNAPSHOT_PAGE);
    return folder;
}

START_TEST(a_flipped_bit_in_any_piece_is_refused)
{
    struct snapshot_part parts[PARTS_MAX];
    struct snapshot_head head;
    struct store_folder folder = make_sound_file(&head, parts);
    bool seen[PIECE_COUNT] = {false};

    for (size_t p = 0; p < head.part_count; p++) {
        for (int piece = 0; piece < PIECE_COUNT; piece++) {
            const struct snapshot_place *place = &parts[p].pieces[piece];
            const off_t places[] = {0, (off_t)place->size_bytes / 2, (off_t)place->size_bytes - 1};
            for (size_t i = 0; i < 3 && place->size_bytes > 0; i++) {
                flip(&folder, (off_t)place->offset + places[i]);
                check_refused(&folder, "the checksum of a piece is wrong");
                flip(&folder, (off_t)place->offset + places[i]);
                seen[piece] = true;
            }
        }
    }
    /* All kinds of pieces were there but for these, which entries of the model do not make. */
    for (int piece = 0; piece < PIECE_COUNT; piece++)
        ck_assert_msg(seen[piece] || piece == PIECE_NEAR_SPILL, "piece %d was never there", piece);
    remove_folder(&folder);
}
END_TEST

START_TEST(a_flipped_bit_in_head_or_table_is_refused)
{
    struct snapshot_part parts[PARTS_MAX];
    struct snapshot_head head;
    struct store_folder folder = make_sound_file(&head, parts);

    for (size_t offset = 0; offset < sizeof head; offset++) {
        flip(&folder, (off_t)offset);
        check_refused(&folder, "");
        flip(&folder, (off_t)offset);
    }
    for (size_t offset = 0; offset < head.part_count * sizeof parts[0]; offset += 5) {
        flip(&folder, (off_t)(SNAPSHOT_PAGE + offset));
        check_refused(&folder, "the checksum of its table is wrong");
        flip(&folder, (off_t)(SNAPSHOT_PAGE + offset));
    }
    remove_folder(&folder);
}
END_TEST

START_TEST(a_torn_file_is_refused)
{
    struct snapshot_part parts[PARTS_MAX];
    struct snapshot_head head;
    struct store_folder folder = make_sound_file(&head, parts);
    const off_t whole = file_size(&folder);

    ck_assert_int_eq(truncate(snapshot_path(&folder), whole + 1), 0);
    check_refused(&folder, "is torn");
    for (off_t size = whole; size > 0; size -= size < 70000 ? 997 : 65537) {
        ck_assert_int_eq(truncate(snapshot_path(&folder), size - 1), 0);
        check_refused(&folder, "is torn");
    }
    ck_assert_int_eq(truncate(snapshot_path(&folder), 0), 0);
    check_refused(&folder, "is torn");
    /* A file that lost what it held to a crash. */
    ck_assert_int_eq(truncate(snapshot_path(&folder), whole), 0);
    check_refused(&folder, "is no snapshot");
    remove_folder(&folder);
}
END_TEST

/* Writes a head with the checksum that it ought to have. */
static void write_head(const struct store_folder *folder, struct snapshot_head head)
{
    head.checksum = XXH3_64bits(&head, offsetof(struct snapshot_head, checksum));
    write_file_at(folder, &head, sizeof head, 0);
}

START_TEST(a_foreign_file_is_refused)
{
    struct snapshot_part parts[PARTS_MAX];
    struct snapshot_head sound;
    struct store_folder folder = make_sound_file(&sound, parts);
    struct snapshot_head head = sound;

    head.magic[0] = 'Q';
    write_head(&folder, head);
    check_refused(&folder, "is no snapshot");
    head = sound;
    head.byte_order = __builtin_bswap32(sound.byte_order);
    write_head(&folder, head);
    check_refused(&folder, "another byte order");
    head = sound;
    head.format++;
    write_head(&folder, head);
    check_refused(&folder, "another version of prescreen");
    head = sound;
    memcpy(head.program, "0.0.9", sizeof "0.0.9");
    write_head(&folder, head);
    check_refused(&folder, "another version of prescreen");
    head = sound;
    head.sizes ^= 1;
    write_head(&folder, head);
    check_refused(&folder, "in another way");
    head = sound;
    head.part_count = PARTS_MAX + 1;
    write_head(&folder, head);
    check_refused(&folder, "its table of parts cannot be");
    remove_folder(&folder);
}
END_TEST

/* Writes a table, and all checksums as they ought to be. */
static void write_parts(const struct store_folder *folder, struct snapshot_head head,
                        const struct snapshot_part *parts)
{
    const size_t bytes = head.part_count * sizeof parts[0];

    write_file_at(folder, parts, bytes, SNAPSHOT_PAGE);
    head.table_checksum = XXH3_64bits(parts, bytes);
    write_head(folder, head);
}

/* Makes a piece shorter, its checksum right. */
static void shorten(const struct store_folder *folder, struct snapshot_place *place, uint64_t size_bytes)
{
    void *data = malloc(size_bytes + 1);

    read_file(folder, data, size_bytes, (off_t)place->offset);
    place->size_bytes = size_bytes;
    place->checksum = XXH3_64bits(data, size_bytes);
    free(data);
}

START_TEST(a_piece_that_is_not_in_the_file_is_refused)
{
    struct snapshot_part sound[PARTS_MAX];
    struct snapshot_head head;
    struct store_folder folder = make_sound_file(&head, sound);
    const uint64_t offsets[] = {0,
                                SNAPSHOT_PAGE,
                                head.file_bytes,
                                head.file_bytes + SNAPSHOT_PAGE,
                                UINT64_MAX - SNAPSHOT_PAGE + 1,
                                sound[0].pieces[PIECE_HASHES].offset + 8};

    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        struct snapshot_part parts[PARTS_MAX];
        memcpy(parts, sound, sizeof parts);
        parts[0].pieces[PIECE_HASHES].offset = offsets[i];
        write_parts(&folder, head, parts);
        check_refused(&folder, "a piece lies outside of it");
    }
    struct snapshot_part parts[PARTS_MAX];
    memcpy(parts, sound, sizeof parts);
    parts[1].pieces[PIECE_ROWS].size_bytes = UINT64_MAX;
    write_parts(&folder, head, parts);
    check_refused(&folder, "a piece lies outside of it");
    remove_folder(&folder);
}
END_TEST

START_TEST(pieces_that_do_not_belong_together_are_refused)
{
    struct snapshot_part sound[PARTS_MAX];
    struct snapshot_head head;
    struct store_folder folder = make_sound_file(&head, sound);

    for (int piece = 0; piece < PIECE_COUNT; piece++) {
        const uint64_t bytes = sound[0].pieces[piece].size_bytes;
        const uint64_t sizes[] = {bytes - 1, bytes / 2, bytes - 64};
        for (size_t i = 0; i < 3 && bytes > 64; i++) {
            struct snapshot_part parts[PARTS_MAX];
            memcpy(parts, sound, sizeof parts);
            shorten(&folder, &parts[0].pieces[piece], sizes[i]);
            write_parts(&folder, head, parts);
            /* How many of these there are nothing else tells. */
            if ((piece != PIECE_VIEWS && piece != PIECE_NEAR_SPILL) || i == 0)
                check_refused(&folder, "its pieces do not belong together");
        }
    }
    remove_folder(&folder);
}
END_TEST

START_TEST(a_near_index_that_reaches_beyond_its_tables_is_refused)
{
    struct snapshot_part parts[PARTS_MAX];
    struct snapshot_head head;
    struct store_folder folder = make_sound_file(&head, parts);
    struct snapshot_place *place = &parts[0].pieces[PIECE_NEAR];
    struct near_saved sound;

    read_file(&folder, &sound, sizeof sound, (off_t)place->offset);
    ck_assert_uint_gt(sound.chunk_count, 0);
    for (int damage = 0; damage < 19; damage++) {
        struct near_saved saved = sound;
        switch (damage) {
        case 0:
            saved.count++;
            break;
        case 1:
            saved.layout++;
            break;
        case 2:
            saved.chunk_count = NEAR_CHUNKS_MAX + 1;
            break;
        case 3:
            saved.chunk_count = 0;
            break;
        case 4:
            saved.scan_from = NEAR_RADIUS_MAX + 2;
            break;
        case 5:
            saved.raises[0] = (uint8_t)saved.chunk_count;
            break;
        case 6:
            saved.id_bits = 33;
            break;
        case 7:
            saved.chunks[0].first_bit = 256;
            break;
        case 8:
            saved.chunks[0].width = NEAR_LOW_BITS - 1;
            break;
        case 9:
            saved.chunks[0].width = 32;
            break;
        case 10:
            saved.chunks[0].width = 33;
            break;
        case 11:
            saved.chunks[1].blocks_at += 1;
            break;
        case 12:
            saved.chunks[1].entries_at = parts[0].pieces[PIECE_NEAR_TABLES].size_bytes - 4;
            break;
        case 13:
            saved.masks_at[1] = UINT64_MAX;
            break;
        case 14:
            saved.tabled++;
            break;
        case 15:
            saved.crowd_count = NEAR_CROWDS_MAX + 1;
            break;
        case 16:
            saved.crowd_count = 1;
            saved.octet_count =
                (uint32_t)(parts[0].pieces[PIECE_NEAR_TABLES].size_bytes / sizeof(struct near_octet));
            break;
        case 17:
            saved.tabled--;
            break;
        default:
            saved.masks_at[1] = parts[0].pieces[PIECE_NEAR_TABLES].size_bytes;
            break;
        }
        write_file_at(&folder, &saved, sizeof saved, (off_t)place->offset);
        place->checksum = XXH3_64bits(&saved, sizeof saved);
        write_parts(&folder, head, parts);
        check_refused(&folder, "its pieces do not belong together");
    }
    remove_folder(&folder);
}
END_TEST

START_TEST(what_is_no_file_or_anybodys_is_refused)
{
    struct snapshot_part parts[PARTS_MAX];
    struct snapshot_head head;
    struct store_folder folder = make_sound_file(&head, parts);
    const struct index_generation *generation = NULL;
    struct diag diag = {""};

    ck_assert_int_eq(chmod(snapshot_path(&folder), 0620), 0);
    check_refused(&folder, "can be written by others");
    ck_assert_int_eq(chmod(snapshot_path(&folder), 0602), 0);
    check_refused(&folder, "can be written by others");
    ck_assert_int_eq(unlink(snapshot_path(&folder)), 0);
    ck_assert_int_eq(mkfifo(snapshot_path(&folder), 0600), 0);
    check_refused(&folder, "is no regular file");
    ck_assert_int_eq(unlink(snapshot_path(&folder)), 0);
    ck_assert_int_eq(symlink("elsewhere", snapshot_path(&folder)), 0);
    ck_assert_int_eq(load(&folder, &generation, &diag), -ELOOP);
    remove_folder(&folder);
}
END_TEST

START_TEST(a_writer_that_dies_leaves_the_one_before)
{
    struct store_folder folder = make_folder();
    struct model model;
    const struct index_generation *generation = make_generation(&model, 6);
    struct diag diag = {""};

    write_snapshot(&folder, generation);
    for (int round = 0; round < 20; round++) {
        const struct index_generation *loaded = NULL;
        pid_t child = fork();
        if (child == 0) {
            for (;;)
                (void)index_snapshot_write(folder.path, generation, &origin, NULL, &diag);
        }
        usleep((useconds_t)random_below(&model.state, 30000));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        ck_assert_msg(load(&folder, &loaded, &diag) == 0, "%s", diag.text);
        check_generation(&model, loaded, model.version);
        index_generation_release(loaded);
    }
    /* What the dead left behind is taken over. */
    write_snapshot(&folder, generation);
    ck_assert_str_eq(names_in(&folder), "index.snapshot ");
    index_generation_release(generation);
    remove_folder(&folder);
    free(model.entries);
}
END_TEST

START_TEST(a_writer_that_finds_no_room_leaves_the_one_before)
{
    struct store_folder folder = make_folder();
    struct model model;
    const struct index_generation *generation = make_generation(&model, 7);
    const struct index_generation *loaded = NULL;
    const struct rlimit little = {.rlim_cur = 100000, .rlim_max = RLIM_INFINITY};
    const struct rlimit all = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    struct diag diag = {""};

    write_snapshot(&folder, generation);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    ck_assert_int_eq(index_snapshot_write(folder.path, generation, &origin, NULL, &diag), -EFBIG);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
    ck_assert_ptr_nonnull(strstr(diag.text, "index.snapshot: File too large"));
    ck_assert_str_eq(names_in(&folder), "index.snapshot ");
    ck_assert_int_eq(load(&folder, &loaded, &diag), 0);
    index_generation_release(loaded);
    index_generation_release(generation);
    remove_folder(&folder);
    free(model.entries);
}
END_TEST

START_TEST(one_writes_at_a_time)
{
    struct store_folder folder = make_folder();
    struct model model;
    const struct index_generation *generation = make_generation(&model, 8);
    struct diag diag = {""};
    int file = open(file_in(&folder, SNAPSHOT_FILE ".new"), O_RDWR | O_CREAT, 0600);

    ck_assert_int_eq(flock(file, LOCK_EX), 0);
    ck_assert_int_eq(index_snapshot_write(folder.path, generation, &origin, NULL, &diag), -EBUSY);
    ck_assert_str_eq(names_in(&folder), "index.snapshot.new ");
    close(file);
    write_snapshot(&folder, generation);
    ck_assert_str_eq(names_in(&folder), "index.snapshot ");
    index_generation_release(generation);
    remove_folder(&folder);
    ck_assert_int_eq(index_snapshot_write(folder.path, generation, &origin, NULL, &diag), -ENOENT);
    free(model.entries);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("index_snapshot");
    TCase *tests = tcase_create("index_snapshot");

    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, what_is_loaded_answers_as_what_was_written);
    tcase_add_test(tests, changes_go_on_from_what_is_loaded);
    tcase_add_test(tests, what_is_large_moves_from_the_file_into_memory);
    tcase_add_test(tests, what_is_small_stays_in_the_file);
    tcase_add_test(tests, every_level_of_the_processor_reads_the_same_file);
    tcase_add_test(tests, an_empty_generation_is_kept_too);
    tcase_add_test(tests, without_a_file_there_is_none);
    tcase_add_test(tests, only_the_owner_may_read_the_file);
    tcase_add_test(tests, a_flipped_bit_in_any_piece_is_refused);
    tcase_add_test(tests, a_flipped_bit_in_head_or_table_is_refused);
    tcase_add_test(tests, a_torn_file_is_refused);
    tcase_add_test(tests, a_foreign_file_is_refused);
    tcase_add_test(tests, a_piece_that_is_not_in_the_file_is_refused);
    tcase_add_test(tests, pieces_that_do_not_belong_together_are_refused);
    tcase_add_test(tests, a_near_index_that_reaches_beyond_its_tables_is_refused);
    tcase_add_test(tests, what_is_no_file_or_anybodys_is_refused);
    tcase_add_test(tests, a_writer_that_dies_leaves_the_one_before);
    tcase_add_test(tests, a_writer_that_finds_no_room_leaves_the_one_before);
    tcase_add_test(tests, one_writes_at_a_time);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
