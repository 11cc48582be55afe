/* Project VIC's VICS: {"@odata.context": …, "value": [Media…]}, or cases with their Media. Source: public
 * samples and importers of VICS 2.0 and of 1.x case exports. */
#include "prescreen/base/text.h"

#include "json_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum place {
    PLACE_ROOT = JSON_START + 1,
    PLACE_ITEMS,
    PLACE_ITEM, /* a medium or a case: what it holds tells */
    PLACE_MEDIA,
    PLACE_MEDIUM,
    PLACE_HASHES,
    PLACE_HASH
};

static const struct json_place places[] = {
    {JSON_START, NULL, true, PLACE_ROOT},
    {PLACE_ROOT, "value", false, PLACE_ITEMS},
    {PLACE_ITEMS, NULL, true, PLACE_ITEM},
    {PLACE_ITEM, "Media", false, PLACE_MEDIA},
    {PLACE_MEDIA, NULL, true, PLACE_MEDIUM},
    {PLACE_ITEM, "AlternativeHashes", false, PLACE_HASHES},
    {PLACE_MEDIUM, "AlternativeHashes", false, PLACE_HASHES},
    {PLACE_HASHES, NULL, true, PLACE_HASH},
};

enum { FIELD_ID, FIELD_CATEGORY, FIELD_MD5, FIELD_SHA1, FIELD_SHA256, FIELD_CASE, FIELD_COUNT };
static const char *const field_names[FIELD_COUNT] = {"MediaID", "Category", "MD5",
                                                     "SHA1",    "SHA256",   "CaseID"};
enum { HASH_NAME, HASH_VALUE, HASH_FIELD_COUNT };
static const char *const hash_field_names[HASH_FIELD_COUNT] = {"HashName", "HashValue"};

enum { CATEGORY_MAX = 1000000, ENTRY_NAME_SIZE = 2 * LIST_FIELD_MAX + 2 };

struct vics_reader {
    struct json_reader json; /* first: the state is both */
    struct field_set fields;
    struct field_set hash; /* of AlternativeHashes */
    bool is_case;          /* the item has media of its own */
    bool has_context, has_items;
    char case_id[LIST_FIELD_MAX + 1];
    char entry_id[ENTRY_NAME_SIZE];
    char category[24];
};

static int enter(void *context, unsigned int place)
{
    struct vics_reader *reader = context;

    switch (place) {
    case PLACE_ITEMS:
        if (reader->has_items)
            return json_reader_refuse(&reader->json, "value: given twice");
        reader->has_items = true;
        break;
    case PLACE_ITEM:
    case PLACE_MEDIUM:
        reader->is_case = place == PLACE_MEDIUM;
        json_reader_begin(&reader->json);
        fields_clear(&reader->fields);
        break;
    case PLACE_MEDIA:
        if (reader->is_case)
            return json_reader_refuse(&reader->json, "Media: given twice");
        if (fields_text(&reader->fields, FIELD_CASE)[0] == '\0')
            return json_reader_refuse(&reader->json, "Media: no CaseID stands before it");
        (void)text_copy(reader->case_id, sizeof reader->case_id, fields_text(&reader->fields, FIELD_CASE));
        reader->is_case = true;
        reader->json.record--; /* the case itself was none */
        break;
    case PLACE_HASH:
        fields_clear(&reader->hash);
        break;
    default:
        break;
    }
    return 0;
}

static bool ends_with(const struct json_scalar *scalar, const char *end)
{
    const size_t size = strlen(end);

    return scalar->type == JSON_TYPE_STRING && scalar->size >= size &&
           memcmp(scalar->text + scalar->size - size, end, size) == 0;
}

static int check_context(struct vics_reader *reader, const char *key, const struct json_scalar *scalar)
{
    if (strcmp(key, "@odata.context") != 0 && strcmp(key, "odata.context") != 0 &&
        strcmp(key, "odata.metadata") != 0)
        return 0;
    if (memmem(scalar->text, scalar->size, "ProjectVic", strlen("ProjectVic")) == NULL ||
        (!ends_with(scalar, "#Media") && !ends_with(scalar, "#Cases")))
        return json_reader_refuse(&reader->json,
                                  "%s: names no Project VIC data model that ends in #Media or #Cases", key);
    reader->has_context = true;
    return 0;
}

static int take_value(void *context, unsigned int place, const char *key, const struct json_scalar *scalar)
{
    struct vics_reader *reader = context;
    struct field_set *set = place == PLACE_HASH ? &reader->hash : &reader->fields;

    if (key == NULL)
        return 0;
    if (place == PLACE_ROOT)
        return check_context(reader, key, scalar);
    if (place == PLACE_ITEM && reader->is_case)
        return 0;
    unsigned int field = fields_find(set, key, strlen(key));
    if (field < set->count)
        json_reader_take(&reader->json, set, field, scalar);
    return 0;
}

/* A hash by its name: of a kind that is known here, or counted. */
static void end_hash(struct vics_reader *reader)
{
    static const struct {
        const char *name;
        enum hash_kind kind;
    } known[] = {{"MD5", HASH_MD5},       {"SHA1", HASH_SHA1},      {"SHA-1", HASH_SHA1},
                 {"SHA256", HASH_SHA256}, {"SHA-256", HASH_SHA256}, {"PDQ", HASH_PDQ}};
    const char *name = fields_text(&reader->hash, HASH_NAME);
    struct diag why;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcasecmp(name, known[i].name) == 0) {
            json_reader_note(
                &reader->json,
                fields_read_hash(&reader->hash, HASH_VALUE, known[i].kind, &reader->json.entry.hashes, &why),
                &why);
            return;
        }
    }
    intake_leave(reader->json.intake, name);
}

static int read_category(struct vics_reader *reader, struct diag *why)
{
    const char *text = fields_text(&reader->fields, FIELD_CATEGORY);
    uint64_t category = 0;
    char shown[TEXT_SHOWN_SIZE];

    reader->category[0] = '\0';
    if (text[0] == '\0')
        return 0;
    if (!text_parse_u64(text, CATEGORY_MAX, &category))
        return diag_fail(why, LIST_ENTRY_BAD, "Category: not a whole number from 0 to %d: %s", CATEGORY_MAX,
                         text_show(text, shown));
    snprintf(reader->category, sizeof reader->category, "%" PRIu64, category);
    return 0;
}

static int name_entry(struct vics_reader *reader, bool in_case, struct diag *why)
{
    const char *id = fields_text(&reader->fields, FIELD_ID);

    if (id[0] == '\0')
        return diag_fail(why, LIST_ENTRY_BAD, "MediaID: missing");
    snprintf(reader->entry_id, sizeof reader->entry_id, "%s%s%s", in_case ? reader->case_id : "",
             in_case ? ":" : "", id);
    return 0;
}

static int read_hashes(struct vics_reader *reader, struct diag *why)
{
    struct known_hashes *hashes = &reader->json.entry.hashes;
    int outcome = fields_read_hash(&reader->fields, FIELD_MD5, HASH_MD5, hashes, why);

    if (outcome == 0)
        outcome = fields_read_hash(&reader->fields, FIELD_SHA1, HASH_SHA1, hashes, why);
    if (outcome == 0)
        outcome = fields_read_hash(&reader->fields, FIELD_SHA256, HASH_SHA256, hashes, why);
    return outcome;
}

static int end_medium(struct vics_reader *reader, bool in_case)
{
    struct list_entry *entry = &reader->json.entry;
    struct diag why = {""};
    int outcome = reader->json.flaw_outcome;

    if (outcome == 0)
        outcome = name_entry(reader, in_case, &why);
    if (outcome == 0)
        outcome = read_category(reader, &why);
    if (outcome == 0)
        outcome = read_hashes(reader, &why);
    entry->entry_id = reader->entry_id;
    entry->classification = reader->category;
    if (outcome == 0 && entry->hashes.kinds == 0)
        outcome = intake_leave_record(reader->json.intake, entry->entry_id, 0, "record-without-hash", &why);
    else if (outcome == 0 && (outcome = list_entry_check(entry, &why)) == 0)
        outcome = intake_take(reader->json.intake, entry, "Category", &why);
    return json_reader_end(&reader->json, outcome, &why);
}

static int leave(void *context, unsigned int place)
{
    struct vics_reader *reader = context;

    if (place == PLACE_HASH)
        end_hash(reader);
    if (place == PLACE_MEDIUM)
        return end_medium(reader, true);
    if (place == PLACE_ITEM && !reader->is_case)
        return end_medium(reader, false);
    return 0;
}

static int create(struct intake *intake, void **state)
{
    static const struct json_walk walk = {.places = places,
                                          .place_count = sizeof places / sizeof places[0],
                                          .on_enter = enter,
                                          .on_leave = leave,
                                          .on_value = take_value};
    int result = json_reader_create(&walk, sizeof(struct vics_reader), intake, state);

    if (result != 0)
        return result;
    struct vics_reader *made = *state;
    fields_init(&made->fields, field_names, FIELD_COUNT);
    fields_init(&made->hash, hash_field_names, HASH_FIELD_COUNT);
    return 0;
}

static int finish(void *state, struct diag *diag)
{
    struct vics_reader *reader = state;
    int outcome = json_reader_finish(&reader->json, diag);

    if (outcome == 0 && !reader->has_context)
        return diag_fail(diag, LIST_READER_BAD,
                         "no @odata.context (in 1.x odata.metadata) that names a Project VIC data model");
    if (outcome == 0 && !reader->has_items)
        return diag_fail(diag, LIST_READER_BAD, "no value, the list of media or cases");
    return outcome;
}

const struct format_row format_vics = {.name = "vics",
                                       .has_classes = true,
                                       .needs_classes = true,
                                       .create = create,
                                       .feed = json_reader_feed,
                                       .finish = finish,
                                       .free = json_reader_free};
