#include "prescreen/lists/page.h"

#include "prescreen/hash/digest.h"

#include <errno.h>
#include <string.h>

struct page_reading {
    struct digest_stream *digest;
    uint64_t records;
};

static int add(struct page_reading *reading, const char *entry_id, uint64_t rank, bool withdrawn)
{
    const uint64_t facts[] = {rank, withdrawn};
    int result = digest_stream_update(reading->digest, entry_id, strlen(entry_id) + 1);

    if (result == 0)
        result = digest_stream_update(reading->digest, facts, sizeof facts);
    if (result == 0)
        reading->records++;
    return result;
}

static int take_entry(void *context, const struct list_entry *entry)
{
    struct page_reading *reading = context;
    char hex[PDQ_HEX_SIZE];
    int result = add(reading, entry->entry_id, entry->rank, false);

    for (unsigned int kind = 0; result == 0 && kind < HASH_KIND_COUNT; kind++) {
        if ((entry->hashes.kinds & HASH_BIT(kind)) == 0)
            continue;
        known_hashes_format(&entry->hashes, (enum hash_kind)kind, hex);
        result = digest_stream_update(reading->digest, hex, strlen(hex) + 1);
    }
    return result;
}

static int take_withdrawal(void *context, const char *entry_id, uint64_t rank)
{
    return add(context, entry_id, rank, true);
}

static int read_with(struct list_reader *reader, const void *data, size_t size, struct diag *diag)
{
    int result = list_reader_feed(reader, data, size, diag);

    return result != 0 ? result : list_reader_finish(reader, diag);
}

int list_page_read(enum list_format format, const void *data, size_t size, struct list_page *page,
                   struct diag *diag)
{
    struct page_reading reading = {.records = 0};
    const struct list_reader_options options = {.format = format,
                                                .any_class = true,
                                                .skip_bad = true,
                                                .on_entry = take_entry,
                                                .on_withdrawal = take_withdrawal,
                                                .context = &reading};
    struct list_reader *reader = NULL;
    struct known_hashes hashes = {.kinds = 0};
    int result = digest_stream_create(HASH_BIT(HASH_SHA256), &reading.digest);

    if (result == 0)
        result = list_reader_create(&options, &reader);
    if (result != 0)
        diag_set(diag, "no memory to read a page");
    if (result == 0)
        result = read_with(reader, data, size, diag);
    if (result == 0) {
        result = digest_stream_finish(reading.digest, &hashes);
        if (result != 0)
            diag_set(diag, "the library of digests refused SHA-256");
    }
    if (result == 0) {
        *page = (struct list_page){.more = list_reader_tally(reader)->more,
                                   .paging = *list_reader_paging(reader),
                                   .records = reading.records};
        memcpy(page->digest, hashes.sha256, sizeof page->digest);
    }
    list_reader_free(reader);
    digest_stream_free(reading.digest);
    return result;
}
