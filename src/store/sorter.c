#include "sorter.h"

#include "prescreen/base/bug.h"
#include "prescreen/base/bytes.h"
#include "prescreen/os/files.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How an item lies in memory and in the file: sizes, key, value. */
struct record_head {
    uint32_t key_size, value_size;
};

enum { RECORD_MAX = sizeof(struct record_head) + 2ul * SORTER_VALUE_MAX, WRITE_BUFFER = 256 * 1024 };
_Static_assert((int)RECORD_MAX <= (int)SORTER_RUN_BUFFER && (int)RECORD_MAX <= (int)WRITE_BUFFER,
               "a record fits in a buffer");

/* One sorted stretch of the file and the window of it that is in memory. */
struct run {
    uint64_t at, end; /* of what is still in the file */
    uint8_t *buffer;
    size_t used, filled;
};

struct sorter {
    char folder[PATH_MAX];
    size_t memory;
    int file;
    uint64_t file_size;
    struct bytes records;
    struct bytes offsets; /* uint32_t of each record in records */
    struct run *runs;
    uint32_t run_count;
    uint32_t *heap; /* runs that are not at their end, least item first */
    uint32_t heap_size;
    bool reading;
    bool given;        /* the first of the heap was given and must go on */
    size_t next_place; /* in offsets, when all is in memory */
};

int sorter_create(const char *folder, size_t memory, struct sorter **sorter)
{
    struct sorter *made = calloc(1, sizeof *made);

    if (made == NULL)
        return -ENOMEM;
    made->file = -1;
    made->memory = memory;
    bytes_init(&made->records, memory + RECORD_MAX);
    bytes_init(&made->offsets, memory + RECORD_MAX);
    if (snprintf(made->folder, sizeof made->folder, "%s", folder) >= (int)sizeof made->folder) {
        sorter_free(made);
        return -ENAMETOOLONG;
    }
    *sorter = made;
    return 0;
}

void sorter_free(struct sorter *sorter)
{
    if (sorter == NULL)
        return;
    for (uint32_t i = 0; i < sorter->run_count; i++)
        free(sorter->runs[i].buffer);
    free(sorter->runs);
    free(sorter->heap);
    bytes_clear(&sorter->records);
    bytes_clear(&sorter->offsets);
    if (sorter->file >= 0)
        close(sorter->file);
    free(sorter);
}

static void read_record(const uint8_t *record, struct sorted_item *item)
{
    struct record_head head;

    memcpy(&head, record, sizeof head);
    *item = (struct sorted_item){.key = record + sizeof head,
                                 .key_size = head.key_size,
                                 .value = record + sizeof head + head.key_size,
                                 .value_size = head.value_size};
}

static size_t record_size(const struct sorted_item *item)
{
    return sizeof(struct record_head) + item->key_size + item->value_size;
}

static int compare_keys(const struct sorted_item *a, const struct sorted_item *b)
{
    size_t common = a->key_size < b->key_size ? a->key_size : b->key_size;
    int order = common > 0 ? memcmp(a->key, b->key, common) : 0;

    return order != 0 ? order : (a->key_size > b->key_size) - (a->key_size < b->key_size);
}

static int compare_offsets(const void *a, const void *b, void *records)
{
    uint32_t one;
    uint32_t other;
    struct sorted_item first, second;

    memcpy(&one, a, sizeof one);
    memcpy(&other, b, sizeof other);
    read_record((const uint8_t *)records + one, &first);
    read_record((const uint8_t *)records + other, &second);
    int order = compare_keys(&first, &second);
    return order != 0 ? order : (one > other) - (one < other);
}

static void sort_memory(struct sorter *sorter)
{
    if (sorter->offsets.size > 0)
        qsort_r(sorter->offsets.data, sorter->offsets.size / sizeof(uint32_t), sizeof(uint32_t),
                compare_offsets, sorter->records.data);
}

static const uint8_t *record_in_memory(const struct sorter *sorter, size_t place)
{
    uint32_t offset;

    memcpy(&offset, sorter->offsets.data + place * sizeof offset, sizeof offset);
    return sorter->records.data + offset;
}

static int write_all(struct sorter *sorter, const uint8_t *data, size_t size)
{
    int result = files_write_at(sorter->file, data, size, sorter->file_size);

    if (result == 0)
        sorter->file_size += size;
    return result;
}

static int write_records(struct sorter *sorter)
{
    struct bytes pending;
    int result = 0;

    bytes_init(&pending, WRITE_BUFFER);
    for (size_t i = 0; i < sorter->offsets.size / sizeof(uint32_t) && result == 0; i++) {
        struct sorted_item item;
        const uint8_t *record = record_in_memory(sorter, i);

        read_record(record, &item);
        if (record_size(&item) > WRITE_BUFFER - pending.size) {
            result = write_all(sorter, pending.data, pending.size);
            pending.size = 0;
        }
        if (result == 0)
            result = bytes_append(&pending, record, record_size(&item));
    }
    if (result == 0)
        result = write_all(sorter, pending.data, pending.size);
    bytes_clear(&pending);
    return result;
}

/* Moves what is in memory to the file, as a run of its own. */
static int write_run(struct sorter *sorter)
{
    struct run run = {.at = sorter->file_size};
    int result = sorter->file < 0 ? files_open_unnamed(sorter->folder, &sorter->file) : 0;

    if (result != 0)
        return result;
    if (sorter->run_count == SORTER_RUNS_MAX)
        return -EFBIG;
    struct run *grown = realloc(sorter->runs, (sorter->run_count + 1) * sizeof *grown);
    if (grown == NULL)
        return -ENOMEM;
    sorter->runs = grown;
    sort_memory(sorter);
    result = write_records(sorter);
    if (result != 0)
        return result;
    run.end = sorter->file_size;
    sorter->runs[sorter->run_count++] = run;
    sorter->records.size = 0;
    sorter->offsets.size = 0;
    return 0;
}

int sorter_add(struct sorter *sorter, const struct sorted_item *item)
{
    struct record_head head = {.key_size = item->key_size, .value_size = item->value_size};
    int result = 0;

    BUG_ON(sorter->reading || item->key_size > SORTER_VALUE_MAX || item->value_size > SORTER_VALUE_MAX);
    if (sorter->records.size > 0 && sorter->records.size + record_size(item) > sorter->memory)
        result = write_run(sorter);
    uint32_t offset = (uint32_t)sorter->records.size;
    if (result == 0)
        result = bytes_append(&sorter->offsets, &offset, sizeof offset);
    if (result == 0)
        result = bytes_append(&sorter->records, &head, sizeof head);
    if (result == 0)
        result = bytes_append(&sorter->records, item->key, item->key_size);
    if (result == 0)
        result = bytes_append(&sorter->records, item->value, item->value_size);
    return result;
}

static int fill(const struct sorter *sorter, struct run *run)
{
    memmove(run->buffer, run->buffer + run->used, run->filled - run->used);
    run->filled -= run->used;
    run->used = 0;
    while (run->at < run->end && run->filled < SORTER_RUN_BUFFER) {
        size_t wanted = SORTER_RUN_BUFFER - run->filled;

        if (wanted > run->end - run->at)
            wanted = (size_t)(run->end - run->at);
        ssize_t got = pread(sorter->file, run->buffer + run->filled, wanted, (off_t)run->at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        run->filled += (size_t)got;
        run->at += (uint64_t)got;
    }
    return 0;
}

/* Makes sure that a whole record is in the buffer. Returns SORTER_ITEM with it, 0 at the end of the run. A
 * disk that gives back something else than it was given must not lead beyond the buffer. */
static int look(const struct sorter *sorter, struct run *run, struct sorted_item *item)
{
    if (run->filled - run->used < RECORD_MAX && run->at < run->end) {
        int result = fill(sorter, run);
        if (result != 0)
            return result;
    }
    size_t left = run->filled - run->used;
    if (left == 0)
        return 0;
    if (left < sizeof(struct record_head))
        return -EIO;
    read_record(run->buffer + run->used, item);
    if (item->key_size > SORTER_VALUE_MAX || item->value_size > SORTER_VALUE_MAX || record_size(item) > left)
        return -EIO;
    return SORTER_ITEM;
}

static bool comes_first(const struct sorter *sorter, uint32_t one, uint32_t other)
{
    struct sorted_item a, b;

    read_record(sorter->runs[one].buffer + sorter->runs[one].used, &a);
    read_record(sorter->runs[other].buffer + sorter->runs[other].used, &b);
    int order = compare_keys(&a, &b);
    return order != 0 ? order < 0 : one < other;
}

static void sift_down(struct sorter *sorter, uint32_t place)
{
    for (;;) {
        uint32_t least = place;

        for (uint32_t child = 2 * place + 1; child <= 2 * place + 2 && child < sorter->heap_size; child++) {
            if (comes_first(sorter, sorter->heap[child], sorter->heap[least]))
                least = child;
        }
        if (least == place)
            return;
        uint32_t moved = sorter->heap[place];
        sorter->heap[place] = sorter->heap[least];
        sorter->heap[least] = moved;
        place = least;
    }
}

static int begin_merge(struct sorter *sorter)
{
    int result = write_run(sorter);

    if (result != 0)
        return result;
    bytes_clear(&sorter->records);
    bytes_clear(&sorter->offsets);
    sorter->heap = calloc(sorter->run_count, sizeof *sorter->heap);
    if (sorter->heap == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < sorter->run_count; i++) {
        struct sorted_item item;
        struct run *run = &sorter->runs[i];

        run->buffer = malloc(SORTER_RUN_BUFFER);
        if (run->buffer == NULL)
            return -ENOMEM;
        result = look(sorter, run, &item);
        if (result < 0)
            return result;
        sorter->heap[sorter->heap_size++] = i;
    }
    for (uint32_t place = sorter->heap_size / 2; place-- > 0;)
        sift_down(sorter, place);
    return 0;
}

static int next_merged(struct sorter *sorter, struct sorted_item *item)
{
    if (sorter->given) {
        struct run *run = &sorter->runs[sorter->heap[0]];
        struct sorted_item next;

        read_record(run->buffer + run->used, &next);
        run->used += record_size(&next);
        int result = look(sorter, run, &next);
        if (result < 0)
            return result;
        if (result == 0)
            sorter->heap[0] = sorter->heap[--sorter->heap_size];
        sift_down(sorter, 0);
    }
    sorter->given = sorter->heap_size > 0;
    if (!sorter->given)
        return 0;
    const struct run *least = &sorter->runs[sorter->heap[0]];
    read_record(least->buffer + least->used, item);
    return SORTER_ITEM;
}

int sorter_next(struct sorter *sorter, struct sorted_item *item)
{
    int result = 0;

    if (!sorter->reading) {
        sorter->reading = true;
        if (sorter->run_count > 0)
            result = begin_merge(sorter);
        else
            sort_memory(sorter);
    }
    if (result != 0)
        return result;
    if (sorter->run_count > 0)
        return next_merged(sorter, item);
    if (sorter->next_place == sorter->offsets.size / sizeof(uint32_t))
        return 0;
    read_record(record_in_memory(sorter, sorter->next_place++), item);
    return SORTER_ITEM;
}
