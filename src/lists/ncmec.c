/* NCMEC Hash Sharing v2: one page of <queryResult>. Source: NCMEC's public documentation and the samples of
 * python-threatexchange's client. */
#include "prescreen/base/text.h"

#include "fields.h"
#include "intake.h"
#include "xml_stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char namespace[] = "https://hashsharing.ncmec.org/hashsharing/v2";

/* Where in the document; what is not known is passed over, however deep. */
enum place {
    PLACE_ELSEWHERE,
    PLACE_START,
    PLACE_ROOT,
    PLACE_IMAGES,
    PLACE_VIDEOS,
    PLACE_IMAGE,
    PLACE_DELETED,
    PLACE_MEMBER,
    PLACE_ID,
    PLACE_TIME,
    PLACE_CLASS,
    PLACE_FINGERPRINTS,
    PLACE_FINGERPRINT,
    PLACE_VIDEO,
    PLACE_PAGING,
    PLACE_NEXT
};

static const struct {
    enum place parent;
    const char *name; /* NULL: any */
    enum place place;
} places[] = {
    {PLACE_START, "queryResult", PLACE_ROOT},
    {PLACE_ROOT, "images", PLACE_IMAGES},
    {PLACE_ROOT, "videos", PLACE_VIDEOS},
    {PLACE_ROOT, "paging", PLACE_PAGING},
    {PLACE_PAGING, "next", PLACE_NEXT},
    {PLACE_IMAGES, "image", PLACE_IMAGE},
    {PLACE_IMAGES, "deletedImage", PLACE_DELETED},
    {PLACE_VIDEOS, "video", PLACE_VIDEO},
    {PLACE_VIDEOS, "deletedVideo", PLACE_VIDEO},
    {PLACE_IMAGE, "member", PLACE_MEMBER},
    {PLACE_IMAGE, "id", PLACE_ID},
    {PLACE_IMAGE, "timestamp", PLACE_TIME},
    {PLACE_IMAGE, "classification", PLACE_CLASS},
    {PLACE_IMAGE, "fingerprints", PLACE_FINGERPRINTS},
    {PLACE_DELETED, "member", PLACE_MEMBER},
    {PLACE_DELETED, "id", PLACE_ID},
    {PLACE_DELETED, "timestamp", PLACE_TIME},
    {PLACE_FINGERPRINTS, NULL, PLACE_FINGERPRINT},
};

enum {
    FIELD_ID,
    FIELD_TIME,
    FIELD_CLASS,
    FIELD_MEMBER,
    FIELD_MD5,
    FIELD_SHA1,
    FIELD_SHA256,
    FIELD_PDQ,
    FIELD_COUNT
};
static const char *const field_names[FIELD_COUNT] = {"id",  "timestamp", "classification", "member",
                                                     "md5", "sha1",      "sha256",         "pdq"};

static const char *const paging_names[] = {"paging next"};

enum { NO_FIELD = FIELD_COUNT, PLACE_SIZE = 64, ENTRY_NAME_SIZE = 2 * LIST_FIELD_MAX + 2 };

struct ncmec_reader {
    struct intake *intake;
    struct xml_stream *stream;
    unsigned int depth;
    enum place stack[LIST_DEPTH_MAX + 1];
    struct field_set fields;
    unsigned int field; /* that the text belongs to, or NO_FIELD */
    struct field_set paging;
    bool in_paging;  /* the text belongs to it */
    uint64_t record; /* number of the record, from 1 */
    uint64_t line;   /* that it begins on */
    struct diag flaw, said;
    int flaw_outcome;
    bool has_root;
    char entry_id[ENTRY_NAME_SIZE];
};

static enum place find_place(enum place parent, const char *name)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (places[i].parent == parent && (places[i].name == NULL || strcmp(places[i].name, name) == 0))
            return places[i].place;
    }
    return PLACE_ELSEWHERE;
}

static void note(struct ncmec_reader *reader, int outcome, const struct diag *why)
{
    if (outcome == 0 || reader->flaw_outcome != 0)
        return;
    reader->flaw_outcome = outcome;
    reader->flaw = *why;
}

static void begin_field(struct ncmec_reader *reader, unsigned int field)
{
    struct diag why;

    note(reader, fields_begin(&reader->fields, field, &why), &why);
    reader->field = field;
}

/* The member stands in an attribute: <member id="42">Name</member>. */
static void take_member(struct ncmec_reader *reader, const char *id, size_t size)
{
    struct diag why;

    begin_field(reader, FIELD_MEMBER);
    if (id != NULL)
        note(reader, fields_append(&reader->fields, FIELD_MEMBER, id, size, &why), &why);
    note(reader, fields_end(&reader->fields, FIELD_MEMBER, &why), &why);
    reader->field = NO_FIELD;
}

static void take_fingerprint(struct ncmec_reader *reader, const char *name)
{
    unsigned int field = fields_find(&reader->fields, name, strlen(name));

    if (field >= FIELD_MD5 && field < FIELD_COUNT)
        begin_field(reader, field);
    else
        intake_leave(reader->intake, name);
}

/* What is wrong with the link to the next page is wrong with the whole document: records could be missed. */
static int judge_next(struct ncmec_reader *reader, int outcome, const struct diag *why)
{
    if (outcome != 0)
        diag_set(&reader->said, "line %" PRIu64 ": %s", xml_stream_line(reader->stream), why->text);
    return outcome == 0 ? 0 : LIST_READER_BAD;
}

static int begin_next(struct ncmec_reader *reader)
{
    struct diag why = {""};

    reader->in_paging = true;
    return judge_next(reader, fields_begin(&reader->paging, 0, &why), &why);
}

static int end_next(struct ncmec_reader *reader)
{
    struct diag why = {""};
    int outcome = judge_next(reader, fields_end(&reader->paging, 0, &why), &why);

    reader->in_paging = false;
    if (outcome != 0)
        return outcome;
    memcpy(reader->intake->paging.next, fields_text(&reader->paging, 0), sizeof reader->intake->paging.next);
    reader->intake->tally.more = reader->intake->paging.next[0] != '\0';
    return 0;
}

static void begin_record(struct ncmec_reader *reader)
{
    reader->record++;
    reader->line = xml_stream_line(reader->stream);
    reader->flaw_outcome = 0;
    fields_clear(&reader->fields);
}

static int check_root(struct ncmec_reader *reader, const char *name, const char *space)
{
    if (strcmp(name, "queryResult") != 0 || strcmp(space, namespace) != 0)
        return diag_fail(&reader->said, LIST_READER_BAD,
                         "line %" PRIu64 ": the document is no queryResult of %s",
                         xml_stream_line(reader->stream), namespace);
    reader->has_root = true;
    return 0;
}

static int on_open(void *context, const char *name, const char *space, const char *id, size_t id_size)
{
    struct ncmec_reader *reader = context;
    enum place place = find_place(reader->stack[reader->depth], name);

    if (reader->depth == 0 && check_root(reader, name, space) != 0)
        return LIST_READER_BAD;
    /* What has another namespace is somebody else's. */
    if (strcmp(space, namespace) != 0)
        place = PLACE_ELSEWHERE;
    reader->stack[++reader->depth] = place;
    reader->field = NO_FIELD;
    reader->in_paging = false;
    switch (place) {
    case PLACE_IMAGE:
    case PLACE_DELETED:
        begin_record(reader);
        break;
    case PLACE_VIDEO:
        intake_leave(reader->intake, name);
        break;
    case PLACE_MEMBER:
        take_member(reader, id, id_size);
        break;
    case PLACE_ID:
        begin_field(reader, FIELD_ID);
        break;
    case PLACE_TIME:
        begin_field(reader, FIELD_TIME);
        break;
    case PLACE_CLASS:
        begin_field(reader, FIELD_CLASS);
        break;
    case PLACE_FINGERPRINT:
        take_fingerprint(reader, name);
        break;
    case PLACE_NEXT:
        return begin_next(reader);
    default:
        break;
    }
    return 0;
}

static int on_text(void *context, const char *text, size_t size)
{
    struct ncmec_reader *reader = context;
    struct diag why;

    if (reader->in_paging)
        return judge_next(reader, fields_append(&reader->paging, 0, text, size, &why), &why);
    if (reader->field != NO_FIELD)
        note(reader, fields_append(&reader->fields, reader->field, text, size, &why), &why);
    return 0;
}

/* Reads "2017-10-24T15:00:00Z", with or without a fraction, as a rank: a later time is a higher one. */
static int read_time(const char *text, uint64_t *rank, struct diag *why)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    uint64_t fraction = 0;
    uint64_t scale = 1000000;
    char shown[TEXT_SHOWN_SIZE];

    if (rest != NULL && *rest == '.') {
        for (rest++; *rest >= '0' && *rest <= '9'; rest++) {
            scale /= 10;
            fraction += scale * (uint64_t)(*rest - '0');
        }
    }
    const time_t seconds = rest != NULL && strcmp(rest, "Z") == 0 ? timegm(&parts) : -1;
    if (seconds < 0)
        return diag_fail(why, LIST_ENTRY_BAD, "timestamp: not a time such as 2017-10-24T15:00:00Z: %s",
                         text_show(text, shown));
    *rank = (uint64_t)seconds * 1000000 + fraction;
    return 0;
}

static int name_entry(struct ncmec_reader *reader, struct diag *why)
{
    const char *member = fields_text(&reader->fields, FIELD_MEMBER);
    const char *id = fields_text(&reader->fields, FIELD_ID);

    if (member[0] == '\0')
        return diag_fail(why, LIST_ENTRY_BAD, "member: has no id");
    if (id[0] == '\0')
        return diag_fail(why, LIST_ENTRY_BAD, "id: missing");
    snprintf(reader->entry_id, sizeof reader->entry_id, "%s:%s", member, id);
    if (strlen(reader->entry_id) > ENTRY_ID_MAX)
        return diag_fail(why, LIST_ENTRY_BAD, "id: longer than %d bytes with its member", ENTRY_ID_MAX);
    return 0;
}

static int take_image(struct ncmec_reader *reader, uint64_t rank, struct diag *why)
{
    struct list_entry entry = {.entry_id = reader->entry_id,
                               .classification = fields_text(&reader->fields, FIELD_CLASS),
                               .note = "",
                               .rank = rank,
                               .hashes.pdq_quality = -1};
    static const enum hash_kind kinds[] = {HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_PDQ};
    int outcome = 0;

    for (unsigned int i = 0; outcome == 0 && i < sizeof kinds / sizeof kinds[0]; i++)
        outcome = fields_read_hash(&reader->fields, FIELD_MD5 + i, kinds[i], &entry.hashes, why);
    if (outcome != 0)
        return outcome;
    if (entry.hashes.kinds == 0)
        return intake_leave_record(reader->intake, entry.entry_id, rank, "image-without-hash", why);
    outcome = list_entry_check(&entry, why);
    return outcome != 0 ? outcome : intake_take(reader->intake, &entry, "classification", why);
}

static int end_record(struct ncmec_reader *reader, enum place place)
{
    struct diag why = {""};
    char where[PLACE_SIZE];
    uint64_t rank = 0;
    int outcome = reader->flaw_outcome;

    if (outcome == 0)
        outcome = name_entry(reader, &why);
    if (outcome == 0)
        outcome = read_time(fields_text(&reader->fields, FIELD_TIME), &rank, &why);
    if (outcome == 0)
        outcome = place == PLACE_IMAGE ? take_image(reader, rank, &why)
                                       : intake_withdraw(reader->intake, reader->entry_id, rank, &why);
    note(reader, outcome, &why);
    snprintf(where, sizeof where, "line %" PRIu64 ", record %" PRIu64, reader->line, reader->record);
    return intake_judge(reader->intake, where, reader->flaw_outcome, &reader->flaw, &reader->said);
}

static int on_close(void *context)
{
    struct ncmec_reader *reader = context;
    enum place place = reader->stack[reader->depth--];
    struct diag why;

    if (reader->field != NO_FIELD)
        note(reader, fields_end(&reader->fields, reader->field, &why), &why);
    reader->field = NO_FIELD;
    if (place == PLACE_NEXT)
        return end_next(reader);
    return place == PLACE_IMAGE || place == PLACE_DELETED ? end_record(reader, place) : 0;
}

static const struct xml_sink sink = {.on_open = on_open, .on_close = on_close, .on_text = on_text};

static int create(struct intake *intake, void **state)
{
    struct ncmec_reader *made = calloc(1, sizeof *made);

    if (made == NULL)
        return -ENOMEM;
    made->intake = intake;
    made->stack[0] = PLACE_START;
    made->field = NO_FIELD;
    fields_init(&made->fields, field_names, FIELD_COUNT);
    fields_init(&made->paging, paging_names, 1);
    int result = xml_stream_create(&sink, made, &made->stream);
    if (result != 0)
        free(made);
    else
        *state = made;
    return result;
}

static int feed(void *state, const void *data, size_t size, struct diag *diag)
{
    struct ncmec_reader *reader = state;
    int outcome = xml_stream_feed(reader->stream, data, size, diag);

    if (outcome != 0 && reader->said.text[0] != '\0')
        diag_set(diag, "%s", reader->said.text);
    return outcome;
}

static int finish(void *state, struct diag *diag)
{
    struct ncmec_reader *reader = state;
    int outcome = xml_stream_finish(reader->stream, diag);

    if (outcome != 0 && reader->said.text[0] != '\0')
        diag_set(diag, "%s", reader->said.text);
    return outcome;
}

static void destroy(void *state)
{
    struct ncmec_reader *reader = state;

    xml_stream_free(reader->stream);
    free(reader);
}

const struct format_row format_ncmec = {.name = "ncmec",
                                        .has_classes = true,
                                        .needs_classes = true,
                                        .repeats = true,
                                        .create = create,
                                        .feed = feed,
                                        .finish = finish,
                                        .free = destroy};
