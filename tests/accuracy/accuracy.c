/* accuracy LIST: examines every file of the list at every effort and tells how well edits find their
 * photograph, and how near unrelated pictures come. A line of the list is "PHOTOGRAPH<tab>EDIT<tab>PATH"; the
 * edit "original" is what stands on the list of hashes. tests/accuracy/run makes the list and reads the lines
 * that this prints. */
#include "prescreen/decode/decode.h"
#include "prescreen/hash/pdq.h"

#include "worker/examine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILES_MAX = 1 << 16,
    EDIT_MAX = 64,
    PATH_MAX_BYTES = 512,
    CLOSEST = 20,
    BITS = 257,
};

struct file {
    unsigned int photograph;
    char edit[EDIT_MAX];
    char path[PATH_MAX_BYTES];
};

/* Two unrelated pictures that come near. */
struct pair {
    unsigned int bits;
    const struct file *file;
    const struct file *original;
    enum view view;
    unsigned int quality;
};

struct study {
    struct file *files;
    size_t count;
    struct pdq_hash *originals; /* by photograph */
    const struct file **original_files;
    unsigned int photographs;
    uint64_t by_bits[2][BITS]; /* unrelated comparisons: of main views, of others */
    struct pair closest[CLOSEST];
};

static _Noreturn void fail(const char *what, const char *name)
{
    fprintf(stderr, "accuracy: %s: %s\n", what, name);
    exit(1);
}

static uint8_t *read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        fail("cannot be read", path);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*size + 1);
    if (data == NULL || fread(data, 1, *size, file) != *size)
        fail("cannot be read", path);
    fclose(file);
    return data;
}

static void read_list(struct study *study, const char *path)
{
    FILE *list = fopen(path, "r");
    char line[1024];

    study->files = calloc(FILES_MAX, sizeof *study->files);
    if (list == NULL || study->files == NULL)
        fail("cannot be read", path);
    while (fgets(line, sizeof line, list) != NULL && study->count < FILES_MAX) {
        struct file *file = &study->files[study->count];
        if (sscanf(line, "%u\t%63[^\t]\t%511[^\n]", &file->photograph, file->edit, file->path) != 3)
            fail("a line that is not understood", line);
        if (file->photograph >= study->photographs)
            study->photographs = file->photograph + 1;
        study->count++;
    }
    fclose(list);
    study->originals = calloc(study->photographs, sizeof *study->originals);
    study->original_files = calloc(study->photographs, sizeof(struct file *));
}

static int begin_full(void *context, const struct picture_shape *shape)
{
    struct pdq_stream **stream = context;

    return *stream == NULL ? pdq_stream_create(shape, PDQ_OVER_WHITE, cpu_choose(), stream) : ROW_SINK_ENOUGH;
}

static int take_full(void *context, const uint8_t *samples)
{
    struct pdq_stream **stream = context;

    pdq_stream_add_row(*stream, samples);
    return 0;
}

/* The hash that a list has: of the picture in full. */
static void hash_originals(struct study *study)
{
    const struct decode_limits limits = {
        .pixels = 50000000, .edge = 16384, .scans = 100, .memory_bytes = (uint64_t)1 << 30};

    for (size_t i = 0; i < study->count; i++) {
        const struct file *file = &study->files[i];
        struct pdq_stream *stream = NULL;
        const struct row_sink sink = {.context = &stream, .begin = begin_full, .row = take_full};
        struct decode_report report;
        struct pdq_result result;
        size_t size = 0;
        if (strcmp(file->edit, "original") != 0)
            continue;
        uint8_t *data = read_whole(file->path, &size);
        if (decode_picture(&decode_codecs_plain, data, size, &limits, &sink, &report) < 0 || stream == NULL)
            fail("does not decode", file->path);
        pdq_stream_finish(stream, &result);
        pdq_stream_free(stream);
        free(data);
        study->originals[file->photograph] = result.hashes[ORIENTATION_ORIGINAL];
        study->original_files[file->photograph] = file;
    }
}

static unsigned int nearest_turn(const struct examined_view *view, const struct pdq_hash *hash)
{
    unsigned int nearest = 256;

    for (int o = 0; o < ORIENTATION_COUNT; o++) {
        unsigned int bits = pdq_distance(&view->hashes[o], hash);
        nearest = bits < nearest ? bits : nearest;
    }
    return nearest;
}

static void note_pair(struct study *study, struct pair pair)
{
    int at = CLOSEST;

    while (at > 0 && pair.bits < study->closest[at - 1].bits)
        at--;
    if (at == CLOSEST)
        return;
    memmove(&study->closest[at + 1], &study->closest[at], (size_t)(CLOSEST - 1 - at) * sizeof pair);
    study->closest[at] = pair;
}

static void compare_unrelated(struct study *study, const struct file *file, const struct examined_view *view)
{
    for (unsigned int other = 0; other < study->photographs; other++) {
        if (other == file->photograph)
            continue;
        for (int o = 0; o < ORIENTATION_COUNT; o++)
            study->by_bits[view->view != VIEW_MAIN]
                          [pdq_distance(&view->hashes[o], &study->originals[other])]++;
        note_pair(study, (struct pair){nearest_turn(view, &study->originals[other]), file,
                                       study->original_files[other], (enum view)view->view, view->quality});
    }
}

/* What the nearest view of each kind is away from the photograph. */
static void report_file(const struct study *study, const struct file *file, enum effort effort,
                        const struct examination *examination)
{
    const struct pdq_hash *hash = &study->originals[file->photograph];
    unsigned int nearest[VIEW_COUNT];

    for (int i = 0; i < VIEW_COUNT; i++)
        nearest[i] = 256;
    for (uint32_t i = 0; i < examination->view_count; i++) {
        const struct examined_view *view = &examination->views[i];
        unsigned int bits = nearest_turn(view, hash);
        nearest[view->view] = bits < nearest[view->view] ? bits : nearest[view->view];
    }
    printf("file\t%s\t%u\t%s\t%u\t%u\t%u", effort_name(effort), file->photograph, file->edit,
           pdq_distance(&examination->views[0].hashes[ORIENTATION_ORIGINAL], hash), nearest[VIEW_MAIN],
           examination->view_count);
    for (int i = 0; i < VIEW_COUNT; i++)
        printf("\t%u", nearest[i]);
    printf("\n");
}

static void study_file(struct study *study, const struct file *file, enum effort effort,
                       struct examination *examination)
{
    size_t size = 0;
    uint8_t *data = read_whole(file->path, &size);
    struct examine_orders orders = {
        .codecs = &decode_codecs_plain,
        .limits = examine_limits_for(&decode_codecs_plain, size, (uint64_t)1 << 30, 100000000, 1),
        .deadline_us = UINT64_MAX,
        .effort = effort,
        .cpu = cpu_choose()};

    examine_upload(data, size, &orders, examination);
    if (examination->reasons != 0 || examination->view_count == 0)
        fail("does not decode", file->path);
    report_file(study, file, effort, examination);
    for (uint32_t i = 0; effort == EFFORT_THOROUGH && i < examination->view_count; i++)
        compare_unrelated(study, file, &examination->views[i]);
    free(data);
}

static void report_unrelated(const struct study *study)
{
    for (int derived = 0; derived < 2; derived++) {
        for (unsigned int bits = 0; bits < BITS; bits++) {
            if (study->by_bits[derived][bits] > 0)
                printf("unrelated\t%s\t%u\t%llu\n", derived ? "derived" : "main", bits,
                       (unsigned long long)study->by_bits[derived][bits]);
        }
    }
    for (int i = 0; i < CLOSEST && study->closest[i].file != NULL; i++) {
        const struct pair *pair = &study->closest[i];
        printf("closest\t%u\t%s\t%u\t%s\t%s\n", pair->bits, view_name(pair->view), pair->quality,
               pair->file->path, pair->original->path);
    }
}

int main(int argc, char **argv)
{
    struct study study = {.count = 0};
    struct examination *examination = calloc(1, sizeof *examination);

    if (argc != 2 || examination == NULL)
        fail("usage", "accuracy LIST");
    for (int i = 0; i < CLOSEST; i++)
        study.closest[i].bits = 257;
    read_list(&study, argv[1]);
    hash_originals(&study);
    for (int effort = 0; effort < EFFORT_COUNT; effort++) {
        for (size_t i = 0; i < study.count; i++) {
            if (strcmp(study.files[i].edit, "original") != 0)
                study_file(&study, &study.files[i], (enum effort)effort, examination);
        }
    }
    report_unrelated(&study);
    free(examination);
    free(study.files);
    free(study.originals);
    free(study.original_files);
    return 0;
}
