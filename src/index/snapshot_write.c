#include "prescreen/index/snapshot.h"
#include "prescreen/os/files.h"

#include "memory.h"
#include "snapshot_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    CHUNK = 8 << 20,     /* is on its way to the disk before the next one is written */
    BLOCK = 256 << 10,   /* is hashed and written at once */
    RESERVE = 256 << 20, /* bytes that must be left on the disk for records and lists */
    ATTEMPTS = 3         /* to take the name of the file that is written */
};

/* A part on its way to the file. */
struct source {
    struct near_saved near;
    const void *data[PIECE_COUNT];
};

struct writer {
    int file;
    const struct index_pace *pace;
    struct snapshot_head head;
    struct snapshot_part parts[PARTS_MAX];
    struct source sources[PARTS_MAX];
};

static void set_piece(struct snapshot_part *part, struct source *source, int piece, const void *data,
                      size_t size_bytes)
{
    source->data[piece] = data;
    part->pieces[piece].size_bytes = size_bytes;
}

static void set_array(struct snapshot_part *part, struct source *source, int piece,
                      const struct index_array *array)
{
    set_piece(part, source, piece, array->items, array->count * array->item_bytes);
}

static void describe_part(const struct index_part *part, struct snapshot_part *kept, struct source *source)
{
    const struct index_segment *segment = part->segment;
    const struct index_batch *entries = &segment->entries;
    struct near_tables tables;

    kept->count = part->count;
    for (int kind = 0; kind < HASH_KIND_COUNT; kind++)
        kept->kinds[kind] = part->kinds[kind];
    set_array(kept, source, PIECE_ROWS, &entries->rows);
    set_array(kept, source, PIECE_LISTS, &entries->lists);
    set_array(kept, source, PIECE_KINDS, &entries->kinds);
    set_array(kept, source, PIECE_HASHES, &entries->hashes);
    set_array(kept, source, PIECE_HASH_SLOTS, &entries->hash_slots);
    set_array(kept, source, PIECE_VIEWS, &entries->views);
    for (int kind = 0; kind < DIGEST_KIND_COUNT; kind++) {
        size_t bytes = 0;
        const void *buckets =
            segment->digests[kind] == NULL ? NULL : exact_index_table(segment->digests[kind], &bytes);
        set_array(kept, source, PIECE_RECORDS + kind, &entries->records[kind]);
        set_piece(kept, source, PIECE_BUCKETS + kind, buckets, bytes);
    }
    set_piece(kept, source, PIECE_BY_ROW, segment->by_row,
              segment->by_row == NULL ? 0 : index_segment_count(segment) * sizeof *segment->by_row);
    near_index_save(segment->near, &source->near, &tables);
    set_piece(kept, source, PIECE_NEAR, &source->near, sizeof source->near);
    set_piece(kept, source, PIECE_NEAR_TABLES, tables.memory, tables.memory_bytes);
    set_piece(kept, source, PIECE_NEAR_SPILL, tables.spill, tables.spill_bytes);
    if (part->removals != NULL)
        set_piece(kept, source, PIECE_REMOVALS, part->removals->words,
                  (index_segment_count(segment) + 63) / 64 * sizeof(uint64_t));
}

static uint64_t place_pieces(struct snapshot_part *part, uint64_t offset)
{
    for (int piece = 0; piece < PIECE_COUNT; piece++) {
        part->pieces[piece].offset = offset;
        offset = snapshot_page_from(offset + part->pieces[piece].size_bytes);
    }
    return offset;
}

static void describe(struct writer *writer, const struct index_generation *generation,
                     const struct index_origin *origin)
{
    struct snapshot_head *head = &writer->head;
    uint64_t offset =
        snapshot_page_from(SNAPSHOT_PAGE + generation->part_count * sizeof(struct snapshot_part));

    memcpy(head->magic, SNAPSHOT_MAGIC, sizeof head->magic);
    head->byte_order = SNAPSHOT_BYTE_ORDER;
    head->format = SNAPSHOT_FORMAT;
    snprintf(head->program, sizeof head->program, "%s", PRESCREEN_VERSION);
    head->sizes = snapshot_sizes();
    head->origin = *origin;
    head->part_count = generation->part_count;
    for (size_t p = 0; p < generation->part_count; p++) {
        describe_part(&generation->parts[p], &writer->parts[p], &writer->sources[p]);
        offset = place_pieces(&writer->parts[p], offset);
    }
    head->file_bytes = offset;
}

/* Sends what was written on its way to the disk and waits for what was sent before: dirty pages never pile
 * up, so that nobody else's flush has to wait for gigabytes. */
static void send_off(int file, uint64_t offset, size_t size)
{
    (void)sync_file_range(file, (off_t)offset, (off_t)size, SYNC_FILE_RANGE_WRITE);
    if (offset >= CHUNK)
        (void)sync_file_range(file, (off_t)(offset - CHUNK), CHUNK,
                              SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                  SYNC_FILE_RANGE_WAIT_AFTER);
}

static int write_chunk(const struct writer *writer, const uint8_t *chunk, size_t size, uint64_t offset,
                       XXH3_state_t *state)
{
    int result = 0;

    for (size_t done = 0; done < size && result == 0; done += BLOCK) {
        const size_t block = size - done < BLOCK ? size - done : BLOCK;
        index_pace_step(writer->pace);
        (void)XXH3_64bits_update(state, chunk + done, block);
        result = files_write_at(writer->file, chunk + done, block, offset + done);
    }
    return result;
}

/* Writes a piece and learns its checksum. */
static int write_piece(const struct writer *writer, const void *data, struct snapshot_place *place,
                       XXH3_state_t *state)
{
    int result = 0;

    (void)XXH3_64bits_reset(state);
    for (uint64_t done = 0; done < place->size_bytes && result == 0; done += CHUNK) {
        size_t size = place->size_bytes - done < CHUNK ? (size_t)(place->size_bytes - done) : CHUNK;
        result = write_chunk(writer, (const uint8_t *)data + done, size, place->offset + done, state);
        send_off(writer->file, place->offset + done, size);
    }
    place->checksum = XXH3_64bits_digest(state);
    return result;
}

static int write_pieces(struct writer *writer)
{
    XXH3_state_t *state = XXH3_createState();
    int result = state == NULL ? -ENOMEM : 0;

    for (size_t p = 0; p < writer->head.part_count && result == 0; p++) {
        for (int piece = 0; piece < PIECE_COUNT && result == 0; piece++)
            result =
                write_piece(writer, writer->sources[p].data[piece], &writer->parts[p].pieces[piece], state);
    }
    (void)XXH3_freeState(state);
    return result;
}

/* Whether the disk has room for it and for others' work after it. */
static int make_room(int file, uint64_t size)
{
    struct statvfs disk;

    if (fstatvfs(file, &disk) == 0 && disk.f_bavail < (size + RESERVE) / disk.f_frsize)
        return -ENOSPC;
    /* Where the file system cannot promise it, the writing will tell. */
    if (fallocate(file, 0, 0, (off_t)size) != 0 && errno != EOPNOTSUPP)
        return -errno;
    return 0;
}

static int write_file(struct writer *writer)
{
    struct snapshot_head *head = &writer->head;
    const size_t table_bytes = head->part_count * sizeof writer->parts[0];
    int result = ftruncate(writer->file, 0) == 0 ? 0 : -errno;

    if (result == 0)
        result = make_room(writer->file, head->file_bytes);
    if (result == 0 && ftruncate(writer->file, (off_t)head->file_bytes) != 0)
        result = -errno;
    if (result == 0)
        result = write_pieces(writer);
    head->table_checksum = XXH3_64bits(writer->parts, table_bytes);
    head->checksum = XXH3_64bits(head, offsetof(struct snapshot_head, checksum));
    if (result == 0)
        result = files_write_at(writer->file, writer->parts, table_bytes, SNAPSHOT_PAGE);
    if (result == 0)
        result = files_write_at(writer->file, head, sizeof *head, 0);
    if (result == 0 && fsync(writer->file) != 0)
        result = -errno;
    return result;
}

/* Opens the file that is written and locks it: one writer at a time, and what a dead one left is taken over.
 * While this one waited for the lock, the file may have become the snapshot. */
static int open_locked(const char *path, int *opened)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct stat named, own;
        int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (file < 0)
            return -errno;
        if (flock(file, LOCK_EX | LOCK_NB) != 0) {
            int result = errno == EWOULDBLOCK ? -EBUSY : -errno;
            close(file);
            return result;
        }
        if (fstat(file, &own) == 0 && stat(path, &named) == 0 && own.st_ino == named.st_ino &&
            own.st_dev == named.st_dev) {
            *opened = file;
            return 0;
        }
        close(file);
    }
    return -EBUSY;
}

static int replace(const char *folder, const char *from, const char *to)
{
    if (rename(from, to) != 0)
        return -errno;
    return files_sync_directory(folder);
}

int index_snapshot_write(const char *folder, const struct index_generation *generation,
                         const struct index_origin *origin, const struct index_pace *pace, struct diag *diag)
{
    char path[PATH_MAX];
    char new_path[PATH_MAX];
    struct writer *writer = NULL;
    int result = -ENAMETOOLONG;

    if (snprintf(path, sizeof path, "%s/" SNAPSHOT_FILE, folder) >= (int)sizeof path ||
        snprintf(new_path, sizeof new_path, "%s.new", path) >= (int)sizeof new_path)
        goto out;
    writer = index_memory_acquire(sizeof *writer);
    result = writer == NULL ? -ENOMEM : open_locked(new_path, &writer->file);
    if (result != 0)
        goto out;
    writer->pace = pace;
    describe(writer, generation, origin);
    result = write_file(writer);
    if (result == 0)
        result = replace(folder, new_path, path);
    if (result != 0)
        (void)unlink(new_path);
    close(writer->file);
out:
    index_memory_release(writer, sizeof *writer);
    return result == 0 ? 0 : diag_fail(diag, result, "%s/" SNAPSHOT_FILE ": %s", folder, strerror(-result));
}
