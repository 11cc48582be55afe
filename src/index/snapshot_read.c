#include "prescreen/index/snapshot.h"

#include "memory.h"
#include "snapshot_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

struct index_snapshot {
    int file;
    struct snapshot_head head;
    char path[PATH_MAX];
};

static int refuse(const struct index_snapshot *snapshot, const char *why, struct diag *diag)
{
    return diag_fail(diag, INDEX_SNAPSHOT_REFUSED, "%s %s", snapshot->path, why);
}

static int read_at(int file, void *data, size_t size, uint64_t offset)
{
    uint8_t *bytes = data;

    while (size > 0) {
        ssize_t got = pread(file, bytes, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        bytes += got;
        size -= (size_t)got;
        offset += (uint64_t)got;
    }
    return 0;
}

/* What is wrong with the head, NULL when nothing is. */
static const char *judge_head(const struct snapshot_head *head, uint64_t file_bytes)
{
    char program[SNAPSHOT_PROGRAM_SIZE] = "";

    snprintf(program, sizeof program, "%s", PRESCREEN_VERSION);
    if (memcmp(head->magic, SNAPSHOT_MAGIC, sizeof head->magic) != 0)
        return "is no snapshot of an index";
    if (head->byte_order != SNAPSHOT_BYTE_ORDER)
        return "was made on a machine with another byte order";
    if (head->format != SNAPSHOT_FORMAT || memcmp(head->program, program, sizeof program) != 0)
        return "was made by another version of prescreen";
    if (head->sizes != snapshot_sizes())
        return "was made by a prescreen that lays an index out in another way";
    if (head->checksum != XXH3_64bits(head, offsetof(struct snapshot_head, checksum)))
        return "is damaged: the checksum of its head is wrong";
    if (head->file_bytes != file_bytes)
        return "is torn: its size is another than its head says";
    if (head->part_count > PARTS_MAX ||
        file_bytes < SNAPSHOT_PAGE + head->part_count * sizeof(struct snapshot_part))
        return "is damaged: its table of parts cannot be";
    return NULL;
}

static int open_file(struct index_snapshot *snapshot, struct diag *diag)
{
    struct stat facts;

    snapshot->file = open(snapshot->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (snapshot->file < 0 && errno == ENOENT)
        return diag_fail(diag, INDEX_SNAPSHOT_NONE, "there is no %s", snapshot->path);
    if (snapshot->file < 0 || fstat(snapshot->file, &facts) != 0)
        return diag_fail(diag, -errno, "%s: %s", snapshot->path, strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return refuse(snapshot, "is no regular file", diag);
    if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return refuse(snapshot, "can be written by others than its owner", diag);
    if ((uint64_t)facts.st_size < sizeof snapshot->head)
        return refuse(snapshot, "is torn: it ends within its head", diag);
    int result = read_at(snapshot->file, &snapshot->head, sizeof snapshot->head, 0);
    if (result != 0)
        return diag_fail(diag, result, "%s: %s", snapshot->path, strerror(-result));
    const char *why = judge_head(&snapshot->head, (uint64_t)facts.st_size);
    return why == NULL ? 0 : refuse(snapshot, why, diag);
}

int index_snapshot_open(const char *folder, struct index_snapshot **snapshot, struct index_origin *origin,
                        struct diag *diag)
{
    struct index_snapshot *made = index_memory_acquire(sizeof *made);

    if (made == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the snapshot of the index");
    made->file = -1;
    int result = snprintf(made->path, sizeof made->path, "%s/" SNAPSHOT_FILE, folder) < (int)sizeof made->path
                     ? open_file(made, diag)
                     : diag_fail(diag, -ENAMETOOLONG, "the path of the snapshot is too long");
    if (result != 0) {
        index_snapshot_close(made);
        return result;
    }
    *origin = made->head.origin;
    *snapshot = made;
    return 0;
}

void index_snapshot_close(struct index_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    if (snapshot->file >= 0)
        close(snapshot->file);
    index_memory_release(snapshot, sizeof *snapshot);
}

/* Whether every piece lies in the file, behind the table. */
static bool pieces_lie_within(const struct snapshot_part *part, uint64_t first, uint64_t file_bytes)
{
    for (int piece = 0; piece < PIECE_COUNT; piece++) {
        const struct snapshot_place *place = &part->pieces[piece];
        if (place->offset % SNAPSHOT_PAGE != 0 || place->offset < first || place->offset > file_bytes ||
            place->size_bytes > file_bytes - place->offset)
            return false;
    }
    return true;
}

static bool pieces_are_whole(const struct snapshot_part *part, const uint8_t *data)
{
    for (int piece = 0; piece < PIECE_COUNT; piece++) {
        const struct snapshot_place *place = &part->pieces[piece];
        if (XXH3_64bits(data + place->offset, place->size_bytes) != place->checksum)
            return false;
    }
    return true;
}

/* One part, whose pieces are verified. */
struct reading {
    const struct snapshot_part *part;
    const uint8_t *data;
    struct index_segment segment; /* as index_segment_adopt() takes it */
    enum cpu_level level;
};

static void *piece_at(const struct reading *reading, int piece)
{
    const struct snapshot_place *place = &reading->part->pieces[piece];

    /* Mapped for reading: nobody may write to it, and nobody does. */
    return place->size_bytes == 0 ? NULL : (uint8_t *)(uintptr_t)reading->data + place->offset;
}

static bool adopt_array(const struct reading *reading, int piece, struct index_array *array)
{
    const uint64_t bytes = reading->part->pieces[piece].size_bytes;

    array->items = piece_at(reading, piece);
    array->count = array->capacity = bytes / array->item_bytes;
    return bytes % array->item_bytes == 0;
}

/* Whether arrays that belong together are of one length. */
static bool lengths_agree(const struct reading *reading)
{
    const struct snapshot_part *part = reading->part;
    const struct index_batch *entries = &reading->segment.entries;
    const size_t count = entries->rows.count;
    const uint64_t by_row = part->pieces[PIECE_BY_ROW].size_bytes;
    const uint64_t removals = part->pieces[PIECE_REMOVALS].size_bytes;

    return count > 0 && count <= NEAR_COUNT_MAX && part->count <= count && entries->lists.count == count &&
           entries->kinds.count == count && entries->views.count <= entries->hashes.count &&
           (entries->hash_slots.count == entries->hashes.count ||
            (entries->hash_slots.count == 0 && entries->hashes.count <= count)) &&
           (by_row == 0 || by_row == count * sizeof(uint32_t)) &&
           (removals == 0 || removals == (count + 63) / 64 * sizeof(uint64_t));
}

static bool adopt_entries(struct reading *reading)
{
    struct index_batch *entries = &reading->segment.entries;
    bool sound;

    index_batch_init(entries);
    sound = adopt_array(reading, PIECE_ROWS, &entries->rows);
    sound = adopt_array(reading, PIECE_LISTS, &entries->lists) && sound;
    sound = adopt_array(reading, PIECE_KINDS, &entries->kinds) && sound;
    sound = adopt_array(reading, PIECE_HASHES, &entries->hashes) && sound;
    sound = adopt_array(reading, PIECE_HASH_SLOTS, &entries->hash_slots) && sound;
    sound = adopt_array(reading, PIECE_VIEWS, &entries->views) && sound;
    for (int kind = 0; kind < DIGEST_KIND_COUNT; kind++)
        sound = adopt_array(reading, PIECE_RECORDS + kind, &entries->records[kind]) && sound;
    reading->segment.by_row = piece_at(reading, PIECE_BY_ROW);
    return sound && lengths_agree(reading);
}

static int adopt_digests(struct reading *reading)
{
    int result = 0;

    for (int kind = 0; kind < DIGEST_KIND_COUNT && result == 0; kind++) {
        const struct index_array *records = &reading->segment.entries.records[kind];
        const void *buckets = piece_at(reading, PIECE_BUCKETS + kind);
        if (records->count == 0)
            continue;
        result = buckets == NULL
                     ? -EINVAL
                     : exact_index_adopt(records->items, records->count, hash_kind_size((enum hash_kind)kind),
                                         buckets, reading->part->pieces[PIECE_BUCKETS + kind].size_bytes,
                                         &reading->segment.digests[kind]);
    }
    return result;
}

static int adopt_near(struct reading *reading)
{
    const struct snapshot_place *pieces = reading->part->pieces;
    const struct index_array *hashes = &reading->segment.entries.hashes;
    const struct near_tables tables = {.memory = piece_at(reading, PIECE_NEAR_TABLES),
                                       .memory_bytes = pieces[PIECE_NEAR_TABLES].size_bytes,
                                       .spill = piece_at(reading, PIECE_NEAR_SPILL),
                                       .spill_bytes = pieces[PIECE_NEAR_SPILL].size_bytes};

    if (pieces[PIECE_NEAR].size_bytes != sizeof(struct near_saved))
        return -EINVAL;
    return near_index_adopt(piece_at(reading, PIECE_NEAR), hashes->items, hashes->count, &tables,
                            reading->level, &reading->segment.near);
}

static int adopt_removals(const struct reading *reading, struct index_part *part)
{
    const struct snapshot_place *place = &reading->part->pieces[PIECE_REMOVALS];
    const size_t bytes = sizeof(struct index_removals) + place->size_bytes;

    if (place->size_bytes == 0)
        return 0;
    part->removals = index_memory_acquire(bytes);
    if (part->removals == NULL)
        return -ENOMEM;
    atomic_init(&part->removals->references, 1);
    part->removals->bytes = bytes;
    memcpy(part->removals->words, piece_at(reading, PIECE_REMOVALS), place->size_bytes);
    return 0;
}

/* Makes a part of pieces that are verified. -EINVAL when they do not belong together. */
static int adopt_part(struct reading *reading, struct index_mapping *mapping, struct index_part *part)
{
    int result = adopt_entries(reading) ? 0 : -EINVAL;

    if (result == 0)
        result = adopt_digests(reading);
    if (result == 0)
        result = adopt_near(reading);
    if (result < 0) {
        for (int kind = 0; kind < DIGEST_KIND_COUNT; kind++)
            exact_index_free(reading->segment.digests[kind]);
        return result;
    }
    result = index_segment_adopt(&reading->segment, mapping, &part->segment);
    if (result < 0)
        return result;
    part->count = reading->part->count;
    for (int kind = 0; kind < HASH_KIND_COUNT; kind++)
        part->kinds[kind] = reading->part->kinds[kind];
    return adopt_removals(reading, part);
}

/* Verifies the table and all pieces. Returns what is wrong, NULL when nothing is. */
static const char *judge_file(const struct snapshot_head *head, const uint8_t *data)
{
    const struct snapshot_part *parts = (const struct snapshot_part *)(const void *)(data + SNAPSHOT_PAGE);
    const uint64_t table_bytes = head->part_count * sizeof *parts;

    if (XXH3_64bits(parts, table_bytes) != head->table_checksum)
        return "is damaged: the checksum of its table is wrong";
    for (size_t p = 0; p < head->part_count; p++) {
        if (!pieces_lie_within(&parts[p], SNAPSHOT_PAGE + table_bytes, head->file_bytes))
            return "is damaged: a piece lies outside of it";
        if (!pieces_are_whole(&parts[p], data))
            return "is damaged: the checksum of a piece is wrong";
    }
    return NULL;
}

static int adopt_parts(const struct index_snapshot *snapshot, struct index_mapping *mapping,
                       enum cpu_level level, struct index_generation *generation)
{
    const uint8_t *data = index_mapping_data(mapping);
    int result = 0;

    for (size_t p = 0; p < snapshot->head.part_count && result == 0; p++) {
        struct reading reading = {.part =
                                      (const struct snapshot_part *)(const void *)(data + SNAPSHOT_PAGE) + p,
                                  .data = data,
                                  .level = level};
        result = adopt_part(&reading, mapping, &generation->parts[p]);
        /* Counted also when it failed half-way: released with the rest. */
        generation->part_count++;
    }
    return result;
}

int index_snapshot_load(const struct index_snapshot *snapshot, enum cpu_level level,
                        struct index_generation **generation, struct diag *diag)
{
    struct index_mapping *mapping = NULL;
    struct index_generation *made = NULL;
    int result = index_mapping_open(snapshot->file, snapshot->head.file_bytes, &mapping);

    if (result < 0)
        return diag_fail(diag, result, "%s cannot be mapped: %s", snapshot->path, strerror(-result));
    const char *why = judge_file(&snapshot->head, index_mapping_data(mapping));
    if (why != NULL) {
        result = refuse(snapshot, why, diag);
        goto out;
    }
    made = index_memory_acquire(sizeof *made);
    result = made == NULL ? -ENOMEM : 0;
    if (result == 0) {
        atomic_init(&made->references, 1);
        result = adopt_parts(snapshot, mapping, level, made);
    }
    if (result == -EINVAL)
        result = refuse(snapshot, "is damaged: its pieces do not belong together", diag);
    else if (result < 0)
        diag_set(diag, "%s: %s", snapshot->path, strerror(-result));
    if (result == 0) {
        *generation = made;
        made = NULL;
    }
out:
    index_generation_release(made);
    index_mapping_release(mapping);
    return result;
}
