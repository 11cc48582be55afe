/* StopNCII's answer to FetchHashes: one page of records. Source: the client in python-threatexchange. */
#include "prescreen/base/text.h"

#include "hash_text.h"
#include "json_reader.h"

#include <errno.h>
#include <string.h>

enum place { PLACE_ROOT = JSON_START + 1, PLACE_RECORDS, PLACE_RECORD };

static const struct json_place places[] = {
    {JSON_START, NULL, true, PLACE_ROOT},
    {PLACE_ROOT, "hashRecords", false, PLACE_RECORDS},
    {PLACE_RECORDS, NULL, true, PLACE_RECORD},
};

enum { FIELD_HASH, FIELD_STATUS, FIELD_TYPE, FIELD_COUNT };
static const char *const field_names[FIELD_COUNT] = {"hashValue", "hashStatus", "signalType"};

enum { PAGE_TOKEN, PAGE_TIME, PAGE_COUNT };
static const char *const page_names[PAGE_COUNT] = {"nextPageToken", "nextSetTimestamp"};

struct stopncii_reader {
    struct json_reader json; /* first: the state is both */
    struct field_set page;
    struct field_set fields;
    bool has_records;
    char entry_id[DERIVED_ID_SIZE];
};

static int enter(void *context, unsigned int place)
{
    struct stopncii_reader *reader = context;

    if (place == PLACE_RECORDS) {
        if (reader->has_records)
            return json_reader_refuse(&reader->json, "hashRecords: given twice");
        reader->has_records = true;
    }
    if (place == PLACE_RECORD) {
        json_reader_begin(&reader->json);
        fields_clear(&reader->fields);
    }
    return 0;
}

/* What is wrong with the paging is wrong with the whole document: records could be missed. */
static int take_page_value(struct stopncii_reader *reader, const char *key, const struct json_scalar *scalar)
{
    struct list_paging *paging = &reader->json.intake->paging;
    unsigned int field = fields_find(&reader->page, key, strlen(key));
    struct diag why = {""};

    if (field == PAGE_COUNT || scalar->type == JSON_TYPE_NULL)
        return 0;
    int outcome = fields_begin(&reader->page, field, &why);
    if (outcome == 0 && (scalar->type == JSON_TYPE_BOOL || scalar->type == JSON_TYPE_CONTAINER))
        outcome = diag_fail(&why, LIST_ENTRY_BAD, "%s: must be a text or a number", page_names[field]);
    if (outcome == 0)
        outcome = fields_append(&reader->page, field, scalar->text, scalar->size, &why);
    if (outcome == 0)
        outcome = fields_end(&reader->page, field, &why);
    if (outcome == 0 && field == PAGE_TIME &&
        !text_parse_u64(fields_text(&reader->page, field), INT64_MAX, &paging->next_time))
        outcome = diag_fail(&why, LIST_ENTRY_BAD, "%s: not a number of seconds", page_names[field]);
    if (outcome != 0)
        return json_reader_refuse(&reader->json, "%s", why.text);
    if (field == PAGE_TOKEN)
        memcpy(paging->next, fields_text(&reader->page, field), sizeof paging->next);
    return 0;
}

static int take_value(void *context, unsigned int place, const char *key, const struct json_scalar *scalar)
{
    struct stopncii_reader *reader = context;

    if (place == PLACE_ROOT && strcmp(key, "hasMoreRecords") == 0) {
        if (scalar->type != JSON_TYPE_BOOL)
            return json_reader_refuse(&reader->json, "hasMoreRecords: must be true or false");
        reader->json.intake->tally.more = scalar->size == strlen("true");
    }
    if (place == PLACE_ROOT)
        return take_page_value(reader, key, scalar);
    if (place != PLACE_RECORD)
        return 0;
    unsigned int field = fields_find(&reader->fields, key, strlen(key));
    if (field < FIELD_COUNT)
        json_reader_take(&reader->json, &reader->fields, field, scalar);
    return 0;
}

/* What a status does: true = the hash is to go. LIST_ENTRY_BAD when it is none that is known. */
static int read_status(const char *status, bool *gone, struct diag *why)
{
    static const struct {
        const char *name;
        bool gone;
    } known[] = {
        {"Active", false}, {"Received", false}, {"Unknown", false}, {"Withdrawn", true}, {"Deleted", true}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(status, known[i].name) == 0) {
            *gone = known[i].gone;
            return 0;
        }
    }
    return diag_fail(why, LIST_ENTRY_BAD,
                     "hashStatus: \"%.40s\" is none of Unknown, Received, Active, Withdrawn, Deleted",
                     status);
}

static int take_hash(struct stopncii_reader *reader, struct diag *why)
{
    struct list_entry *entry = &reader->json.entry;
    bool gone = false;
    int outcome = read_status(fields_text(&reader->fields, FIELD_STATUS), &gone, why);

    if (outcome == 0 && fields_text(&reader->fields, FIELD_HASH)[0] == '\0')
        outcome = diag_fail(why, LIST_ENTRY_BAD, "hashValue: missing");
    if (outcome == 0)
        outcome = fields_read_hash(&reader->fields, FIELD_HASH, HASH_PDQ, &entry->hashes, why);
    if (outcome == 0 && hash_text_name_entry(&entry->hashes, reader->entry_id) != 0)
        outcome = diag_fail(why, -EIO, "the library of digests refused SHA-256");
    if (outcome != 0)
        return outcome;
    entry->entry_id = reader->entry_id;
    return gone ? intake_withdraw(reader->json.intake, entry->entry_id, 0, why)
                : intake_take(reader->json.intake, entry, "hashStatus", why);
}

static int end_record(struct stopncii_reader *reader)
{
    const char *type = fields_text(&reader->fields, FIELD_TYPE);
    struct diag why = {""};
    int outcome = reader->json.flaw_outcome;

    if (outcome == 0 && type[0] == '\0')
        outcome = diag_fail(&why, LIST_ENTRY_BAD, "signalType: missing");
    else if (outcome == 0 && strcmp(type, "ImagePDQ") == 0)
        outcome = take_hash(reader, &why);
    else if (outcome == 0)
        intake_leave(reader->json.intake, type);
    return json_reader_end(&reader->json, outcome, &why);
}

static int leave(void *context, unsigned int place)
{
    return place == PLACE_RECORD ? end_record(context) : 0;
}

static int create(struct intake *intake, void **state)
{
    static const struct json_walk walk = {.places = places,
                                          .place_count = sizeof places / sizeof places[0],
                                          .on_enter = enter,
                                          .on_leave = leave,
                                          .on_value = take_value};
    int result = json_reader_create(&walk, sizeof(struct stopncii_reader), intake, state);

    if (result != 0)
        return result;
    struct stopncii_reader *made = *state;
    fields_init(&made->fields, field_names, FIELD_COUNT);
    fields_init(&made->page, page_names, PAGE_COUNT);
    return 0;
}

static int finish(void *state, struct diag *diag)
{
    struct stopncii_reader *reader = state;
    int outcome = json_reader_finish(&reader->json, diag);

    if (outcome == 0 && !reader->has_records)
        return diag_fail(diag, LIST_READER_BAD, "no hashRecords, the list of records");
    return outcome;
}

const struct format_row format_stopncii = {.name = "stopncii",
                                           .repeats = true,
                                           .create = create,
                                           .feed = json_reader_feed,
                                           .finish = finish,
                                           .free = json_reader_free};
