/* What the targets of list files share: whatever the bytes, a reader refuses with a sentence or gives sound
 * entries, and says the same however the bytes are cut. */
#ifndef PRESCREEN_TESTS_FUZZ_LIST_TARGET_H
#define PRESCREEN_TESTS_FUZZ_LIST_TARGET_H

#include "prescreen/lists/reader.h"

#include <stdlib.h>
#include <string.h>

/* What one reading came to. */
struct list_outcome {
    int outcome;
    uint64_t taken, withdrawn, ignored, skipped, sum;
    size_t leftovers;
};

static inline void require(bool holds)
{
    if (!holds)
        abort();
}

static inline void add_text(struct list_outcome *reading, const char *text)
{
    for (; *text != '\0'; text++)
        reading->sum = reading->sum * 31 + (unsigned char)*text;
}

static inline int take_entry(void *context, const struct list_entry *entry)
{
    struct list_outcome *reading = context;
    struct diag diag;

    require(list_entry_check(entry, &diag) == 0);
    add_text(reading, entry->entry_id);
    add_text(reading, entry->classification);
    return 0;
}

static inline int take_withdrawal(void *context, const char *entry_id, uint64_t rank)
{
    require(entry_id[0] != '\0');
    (void)rank;
    add_text(context, entry_id);
    return 0;
}

static inline struct list_outcome read_list(enum list_format format, bool skip_bad, const uint8_t *data,
                                            size_t size, size_t piece)
{
    static struct config_class classes[] = {
        {"1", ACTION_REPORT}, {"2", ACTION_BLOCK}, {"A1", ACTION_REPORT}, {"none", CLASS_IGNORED}};
    static const struct config_list rules = {.name = "a", .classes = classes, .class_count = 4};
    struct list_outcome reading = {.outcome = 0};
    struct diag diag = {""};
    struct list_reader *reader = NULL;
    const struct list_reader_options options = {.format = format,
                                                .action = ACTION_REPORT,
                                                .rules = &rules,
                                                .skip_bad = skip_bad,
                                                .on_entry = take_entry,
                                                .on_withdrawal = take_withdrawal,
                                                .context = &reading};

    require(list_reader_create(&options, &reader) == 0);
    for (size_t at = 0; at < size && reading.outcome == 0; at += piece)
        reading.outcome = list_reader_feed(reader, data + at, size - at < piece ? size - at : piece, &diag);
    if (reading.outcome == 0)
        reading.outcome = list_reader_finish(reader, &diag);
    require(reading.outcome == 0 || (reading.outcome == LIST_READER_BAD && diag.text[0] != '\0'));
    const struct list_tally *tally = list_reader_tally(reader);
    reading.taken = tally->taken;
    reading.withdrawn = tally->withdrawn;
    reading.ignored = tally->ignored;
    reading.skipped = tally->skipped;
    reading.leftovers = tally->leftover_count;
    require(tally->leftover_count <= LIST_LEFTOVERS_MAX);
    list_reader_free(reader);
    return reading;
}

/* The first byte: format, skipping, size of the pieces. The rest is the file. */
static inline int fuzz_list(const enum list_format *formats, size_t count, const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const enum list_format format = formats[(data[0] & 3U) % count];
    const bool skip_bad = (data[0] & 4U) != 0;
    const size_t piece = (size_t)(data[0] >> 3) + 1;
    const struct list_outcome whole = read_list(format, skip_bad, data + 1, size - 1, size);
    const struct list_outcome cut = read_list(format, skip_bad, data + 1, size - 1, piece);

    require(memcmp(&whole.outcome, &cut.outcome, sizeof whole.outcome) == 0);
    /* Before it refuses, a parser may have told more or less. */
    if (whole.outcome == 0)
        require(whole.taken == cut.taken && whole.withdrawn == cut.withdrawn &&
                whole.ignored == cut.ignored && whole.skipped == cut.skipped && whole.sum == cut.sum &&
                whole.leftovers == cut.leftovers);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
