#include "prescreen/lists/reader.h"

#include "entries.h"
#include "tap.h"

#include <errno.h>
#include <inttypes.h>

#define MD5_A  "00112233445566778899aabbccddeeff"
#define MD5_B  "ffeeddccbbaa99887766554433221100"
#define SHA1_A "000102030405060708090a0b0c0d0e0f10111213"
#define PDQ_A  "8000000000000000000000000000000000000000000000000000000000000001"
#define PDQ_B  "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"

#define SPACE "https://hashsharing.ncmec.org/hashsharing/v2"
#define VICS_SET                                                                                             \
    "{\"@odata.context\":\"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata"       \
    "#Media\",\"value\":["
#define VICS_CASES                                                                                           \
    "{\"odata.metadata\":\"http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Cases\",\"value\":["
#define END        "]}"
#define QUERY      "<queryResult xmlns=\"" SPACE "\">"
#define TIME       "<timestamp>2017-10-24T15:00:00Z</timestamp>"
#define MEMBER(id) "<member id=\"" id "\">Example &amp; Sons</member>"

/* Everything that one reading said, so that two readings can be compared. */
struct reading {
    struct kept_entries entries;
    uint64_t ranks[8];
    char gone[8][ENTRY_ID_MAX + 1];
    size_t gone_count;
    struct list_tally tally;
    char skipped[DIAG_TEXT_MAX]; /* the last place and reason */
    int outcome, fault;
    struct diag diag, said;
};

static int take_entry(void *context, const struct list_entry *entry)
{
    struct reading *reading = context;

    if (reading->fault != 0)
        return diag_fail(&reading->said, reading->fault, "the sink is full");
    if (reading->entries.count < 8)
        reading->ranks[reading->entries.count] = entry->rank;
    return keep_entry(&reading->entries, entry);
}

static int take_withdrawal(void *context, const char *entry_id, uint64_t rank)
{
    struct reading *reading = context;

    (void)rank;
    ck_assert_uint_lt(reading->gone_count, 8);
    strcpy(reading->gone[reading->gone_count++], entry_id);
    return 0;
}

static void take_skip(void *context, const char *place, const char *why)
{
    struct reading *reading = context;

    snprintf(reading->skipped, sizeof reading->skipped, "%s: %s", place, why);
}

/* 1: report, 2: block, 0 and "none": ignored; A1 as 1, B2 as 2. */
static const struct config_list *rules(void)
{
    static struct config_class classes[] = {{"0", CLASS_IGNORED}, {"1", ACTION_REPORT},
                                            {"2", ACTION_BLOCK},  {"A1", ACTION_REPORT},
                                            {"B2", ACTION_BLOCK}, {"none", CLASS_IGNORED}};
    static const struct config_list list = {.name = "a", .classes = classes, .class_count = 6};

    return &list;
}

static void read_in_pieces(struct reading *reading, const struct list_reader_options *options,
                           const char *text, size_t size, size_t piece)
{
    struct list_reader *reader = NULL;
    struct list_reader_options own = *options;

    own.action = ACTION_REPORT;
    own.on_entry = take_entry;
    own.on_withdrawal = take_withdrawal;
    own.on_skip = take_skip;
    own.context = reading;
    own.entry_diag = &reading->said;
    ck_assert_int_eq(list_reader_create(&own, &reader), 0);
    for (size_t at = 0; at < size && reading->outcome == 0; at += piece) {
        size_t length = size - at < piece ? size - at : piece;
        /* A copy of its own, so that a sanitiser sees any reading beyond the piece. */
        char *exact = malloc(length);
        ck_assert_ptr_nonnull(exact);
        memcpy(exact, text + at, length);
        reading->outcome = list_reader_feed(reader, exact, length, &reading->diag);
        free(exact);
    }
    if (reading->outcome == 0)
        reading->outcome = list_reader_finish(reader, &reading->diag);
    reading->tally = *list_reader_tally(reader);
    list_reader_free(reader);
}

static void end_reading(struct reading *reading)
{
    forget_entries(&reading->entries);
}

/* Reads a text in one piece, and again byte by byte: both must say the same. */
static void read_text(struct reading *reading, const struct list_reader_options *options, const char *text)
{
    struct reading again = {.fault = reading->fault};

    read_in_pieces(reading, options, text, strlen(text), strlen(text) + 1);
    read_in_pieces(&again, options, text, strlen(text), 1);
    ck_assert_int_eq(reading->outcome, again.outcome);
    ck_assert_str_eq(reading->diag.text, again.diag.text);
    ck_assert_str_eq(reading->skipped, again.skipped);
    ck_assert_uint_eq(reading->entries.count, again.entries.count);
    for (size_t i = 0; i < again.entries.count; i++)
        ck_assert(same_entry(&reading->entries.items[i], &again.entries.items[i]));
    ck_assert_uint_eq(reading->gone_count, again.gone_count);
    ck_assert_uint_eq(reading->tally.leftover_count, again.tally.leftover_count);
    end_reading(&again);
}

static struct reading take(enum list_format format, const char *text)
{
    const struct list_reader_options options = {.format = format, .rules = rules()};
    struct reading reading = {.outcome = 0};

    read_text(&reading, &options, text);
    ck_assert_msg(reading.outcome == 0, "%s", reading.diag.text);
    return reading;
}

/* The text is refused with a sentence that begins and goes on like this. */
static void refuse(enum list_format format, const char *text, const char *begin, const char *words)
{
    const struct list_reader_options options = {.format = format, .rules = rules()};
    struct reading reading = {.outcome = 0};

    read_text(&reading, &options, text);
    ck_assert_msg(reading.outcome == LIST_READER_BAD, "%s was taken", text);
    ck_assert_msg(strncmp(reading.diag.text, begin, strlen(begin)) == 0, "%s", reading.diag.text);
    ck_assert_msg(strstr(reading.diag.text, words) != NULL, "%s", reading.diag.text);
    ck_assert_msg(strstr(reading.diag.text, MD5_A) == NULL, "a hash is shown: %s", reading.diag.text);
    end_reading(&reading);
}

static uint64_t leftover(const struct reading *reading, const char *name)
{
    for (size_t i = 0; i < reading->tally.leftover_count; i++) {
        if (strcmp(reading->tally.leftovers[i].name, name) == 0)
            return reading->tally.leftovers[i].count;
    }
    return 0;
}

START_TEST(vics_hash_set_is_taken_by_category)
{
    struct reading reading = take(
        LIST_FORMAT_VICS,
        "\xef\xbb\xbf" VICS_SET
        "{\"MediaID\":7,\"Category\":1,\"MD5\":\"00112233445566778899AABBCCDDEEFF\",\"SHA1\":\"" SHA1_A
        "\",\"MediaSize\":\"12\",\"IsPrecategorized\":\"true\",\"VictimIdentified\":null,\"MediaFiles\":"
        "[{\"MD5\":\"x\",\"Category\":9}],\"AlternativeHashes\":[{\"HashName\":\"PhotoDNA\","
        "\"HashValue\":\"AAAA\"},{\"HashName\":\"sha1\",\"HashValue\":\"" SHA1_A "\"}]},"
        "{\"MediaID\":\"8\",\"Category\":2,\"MD5\":\"" MD5_B "\"},"
        "{\"MediaID\":9,\"Category\":null,\"MD5\":\"" MD5_B "\"},"
        "{\"MediaID\":10,\"Category\":\"1\",\"MD5\":null,\"AlternativeHashes\":[{\"HashName\":\"PhotoDNA\","
        "\"HashValue\":\"AAAA\"}]}" END);

    ck_assert_uint_eq(reading.tally.taken, 1);
    ck_assert_uint_eq(reading.tally.ignored, 2);
    ck_assert_str_eq(reading.entries.items[0].entry_id, "7");
    ck_assert_str_eq(reading.entries.items[0].classification, "1");
    ck_assert_uint_eq(reading.entries.items[0].hashes.kinds, HASH_BIT(HASH_MD5) | HASH_BIT(HASH_SHA1));
    /* What another list takes, or none, is no longer on this one. */
    ck_assert_uint_eq(reading.gone_count, 3);
    ck_assert_str_eq(reading.gone[0], "8");
    ck_assert_str_eq(reading.gone[1], "9");
    ck_assert_str_eq(reading.gone[2], "10");
    ck_assert_uint_eq(leftover(&reading, "PhotoDNA"), 2);
    ck_assert_uint_eq(leftover(&reading, "record-without-hash"), 1);
    end_reading(&reading);
}
END_TEST

START_TEST(vics_cases_name_their_media)
{
    struct reading reading = take(LIST_FORMAT_VICS, VICS_CASES
                                  "{\"CaseID\":\"c-1\",\"CaseNumber\":\"n\",\"Media\":[{\"MediaID\":1,"
                                  "\"Category\":1,\"MD5\":\"" MD5_A "\"}],\"TotalMediaFiles\":99},"
                                  "{\"CaseID\":\"c-2\",\"Media\":[{\"MediaID\":1,\"Category\":1,\"MD5\":"
                                  "\"" MD5_A "\"}]},{\"CaseID\":\"c-3\",\"Media\":[]}" END);

    ck_assert_uint_eq(reading.tally.taken, 2);
    ck_assert_str_eq(reading.entries.items[0].entry_id, "c-1:1");
    ck_assert_str_eq(reading.entries.items[1].entry_id, "c-2:1");
    end_reading(&reading);
}
END_TEST

static const struct {
    const char *text, *begin, *words;
} bad_vics[] = {
    {"", "byte 1: no JSON", "premature EOF"},
    {"[]", "", "the document: must be a map"},
    {"8", "", "the document: must be a map"},
    {"null", "", "the document: must be a map"},
    {"{}", "no @odata.context", "Project VIC"},
    {"{\"@odata.context\":\"http://example.org/$metadata#Media\"}", "byte 54: @odata.context: names no", ""},
    {"{\"@odata.context\":\"ProjectVic/2.0#Other\"}", "byte 40: @odata.context: names no", ""},
    {"{\"@odata.context\":\"ProjectVic/2.0#Media\"}", "no value", "list of media"},
    {VICS_SET END " x", "byte 114: no JSON: ", ""},
    {VICS_SET "]", "byte ", "premature EOF"},
    {VICS_SET "],\"value\":[" END, "byte ", "value: given twice"},
    {"{\"value\":{}}", "", "value: must be a list"},
    {"{\"value\":7}", "", "value: must be a list"},
    {VICS_SET "7" END, "", "an item of the list: must be a map"},
    {VICS_SET "null" END, "", "an item of the list: must be a map"},
    {VICS_SET "{\"MediaID\":1,\"Category\":1,\"MD5\":\"0\"}" END, "byte 146, record 1: MD5: 1 hex", ""},
    {VICS_SET "{\"MediaID\":1,\"Category\":1,\"MD5\":\"" MD5_A "\",\"MD5\":\"" MD5_A "\"}" END, "byte ",
     "MD5: given twice"},
    {VICS_SET "{\"MediaID\":1,\"Category\":1,\"MD5\":true}" END, "byte ", "MD5: must be a text or a number"},
    {VICS_SET "{\"MediaID\":1,\"Category\":1,\"MD5\":[]}" END, "byte ", "MD5: must be a text or a number"},
    {VICS_SET "{\"MediaID\":1,\"Category\":1,\"MD5\":\"a\\u0000b\"}" END, "byte ", "MD5: not UTF-8 text"},
    {VICS_SET "{\"Category\":1,\"MD5\":\"" MD5_A "\"}" END, "byte ", "MediaID: missing"},
    {VICS_SET "{\"MediaID\":1,\"Category\":1.5,\"MD5\":\"" MD5_A "\"}" END, "byte ", "Category: not a whole"},
    {VICS_SET "{\"MediaID\":1,\"Category\":1000001,\"MD5\":\"" MD5_A "\"}" END, "byte ",
     "Category: not a wh"},
    {VICS_SET "{\"MediaID\":1,\"Category\":-1,\"MD5\":\"" MD5_A "\"}" END, "byte ", "Category: not a whole"},
    {VICS_SET "{\"MediaID\":1,\"Category\":5,\"MD5\":\"" MD5_A "\"}" END,
     "byte 177, record 1: Category \"5\"", "has no meaning for this list: name it in the configuration"},
    {VICS_SET "{\"MediaID\":1,\"Category\":1,\"MD5\":\"" MD5_A
              "\",\"AlternativeHashes\":[{\"HashName\":\"MD5\",\"HashValue\":\"" MD5_B "\"}]}" END,
     "byte ", "a second md5, unlike the first"},
    {VICS_SET "{\"AlternativeHashes\":{}}" END, "", "AlternativeHashes: must be a list"},
    {VICS_CASES "{\"Media\":[]}" END, "byte ", "no CaseID stands before it"},
    {VICS_CASES "{\"CaseID\":\"c\",\"Media\":[],\"Media\":[]}" END, "byte ", "Media: given twice"},
    {"{\"value\":[\"\xff\"]}", "byte 12: no JSON: ", "UTF8"},
    {"{\"a\":1 // x\n}", "byte ", "no JSON"},
};

START_TEST(bad_vics_is_refused_with_its_place)
{
    refuse(LIST_FORMAT_VICS, bad_vics[_i].text, bad_vics[_i].begin, bad_vics[_i].words);
}
END_TEST

START_TEST(vics_without_classes_is_refused)
{
    const struct list_reader_options options = {.format = LIST_FORMAT_VICS};
    struct reading reading = {.outcome = 0};

    read_text(&reading, &options, VICS_SET "{\"MediaID\":1,\"Category\":1,\"MD5\":\"" MD5_A "\"}" END);
    ck_assert_int_eq(reading.outcome, LIST_READER_BAD);
    ck_assert_ptr_nonnull(strstr(reading.diag.text, "Category \"1\" has no meaning"));
}
END_TEST

START_TEST(bad_records_are_skipped_when_asked_for_and_unnamed_classes_never)
{
    struct list_reader_options options = {.format = LIST_FORMAT_VICS, .rules = rules(), .skip_bad = true};
    struct reading reading = {.outcome = 0};

    read_text(&reading, &options,
              VICS_SET "{\"MediaID\":1,\"Category\":1,\"MD5\":\"0\"},"
                       "{\"MediaID\":2,\"Category\":1,\"MD5\":\"" MD5_A "\"}" END);
    ck_assert_int_eq(reading.outcome, 0);
    ck_assert_uint_eq(reading.tally.skipped, 1);
    ck_assert_uint_eq(reading.tally.taken, 1);
    ck_assert_str_eq(reading.skipped, "byte 146, record 1: MD5: 1 hexadecimal digits, expected 32: \"0\"");
    end_reading(&reading);
    reading = (struct reading){.outcome = 0};
    read_text(&reading, &options, VICS_SET "{\"MediaID\":1,\"Category\":77,\"MD5\":\"" MD5_A "\"}" END);
    ck_assert_int_eq(reading.outcome, LIST_READER_BAD);
    end_reading(&reading);
}
END_TEST

START_TEST(a_fault_of_the_sink_ends_the_reading)
{
    const struct list_reader_options options = {.format = LIST_FORMAT_VICS, .rules = rules()};
    struct reading reading = {.fault = -ENOSPC};

    read_text(&reading, &options, VICS_SET "{\"MediaID\":1,\"Category\":1,\"MD5\":\"" MD5_A "\"}" END);
    ck_assert_int_eq(reading.outcome, -ENOSPC);
    ck_assert_ptr_nonnull(strstr(reading.diag.text, "the sink is full"));
}
END_TEST

/* A text of JSON or XML around a repeated middle. */
static char *repeat(const char *begin, const char *middle, size_t times, const char *end)
{
    size_t size = strlen(middle);
    char *text = malloc(strlen(begin) + times * size + strlen(end) + 1);
    char *at = text;

    ck_assert_ptr_nonnull(text);
    at = stpcpy(at, begin);
    for (size_t i = 0; i < times; i++, at += size)
        memcpy(at, middle, size);
    strcpy(at, end);
    return text;
}

static void expect_outcome(enum list_format format, char *text, int outcome, const char *words)
{
    const struct list_reader_options options = {.format = format, .rules = rules()};
    struct reading reading = {.outcome = 0};

    read_in_pieces(&reading, &options, text, strlen(text), 65536);
    ck_assert_msg(reading.outcome == outcome, "%d: %s", reading.outcome, reading.diag.text);
    ck_assert_msg(strstr(reading.diag.text, words) != NULL, "%s", reading.diag.text);
    end_reading(&reading);
    free(text);
}

START_TEST(depth_is_limited_to_the_level)
{
    /* The document, and then maps in lists within it. */
    expect_outcome(LIST_FORMAT_VICS, repeat("{\"a\":", "[", LIST_DEPTH_MAX - 1, "x"), LIST_READER_BAD,
                   "no JSON");
    expect_outcome(LIST_FORMAT_VICS, repeat("{\"a\":", "[", LIST_DEPTH_MAX, "x"), LIST_READER_BAD,
                   "nested deeper than 32 levels");
    expect_outcome(LIST_FORMAT_NCMEC, repeat(QUERY, "<a>", LIST_DEPTH_MAX - 1, "&"), LIST_READER_BAD,
                   "no XML");
    expect_outcome(LIST_FORMAT_NCMEC, repeat(QUERY, "<a>", LIST_DEPTH_MAX, "&"), LIST_READER_BAD,
                   "nested deeper than 32 levels");
}
END_TEST

START_TEST(a_value_and_a_gap_are_limited)
{
    const size_t slice = 16384;

    expect_outcome(LIST_FORMAT_STOPNCII,
                   repeat("{\"hashRecords\":[],\"a\":\"", "x", LIST_DOCUMENT_GAP_MAX - slice, "\"}"), 0, "");
    expect_outcome(LIST_FORMAT_STOPNCII,
                   repeat("{\"hashRecords\":[],\"a\":\"", "x", LIST_DOCUMENT_GAP_MAX + 2 * slice, "\"}"),
                   LIST_READER_BAD, "of more than 1048576 bytes");
    expect_outcome(LIST_FORMAT_NCMEC,
                   repeat(QUERY "<!--", "x", LIST_DOCUMENT_GAP_MAX + 2 * slice, "--></queryResult>"),
                   LIST_READER_BAD, "of more than 1048576 bytes");
    expect_outcome(LIST_FORMAT_NCMEC,
                   repeat(QUERY "<!--", "x", LIST_DOCUMENT_GAP_MAX - 2 * slice, "--></queryResult>"), 0, "");
}
END_TEST

START_TEST(a_field_is_limited_to_the_byte)
{
    expect_outcome(LIST_FORMAT_VICS, repeat(VICS_SET "{\"MediaID\":\"", "x", LIST_FIELD_MAX + 1, "\"}" END),
                   LIST_READER_BAD, "MediaID: longer than 1024 bytes");
    expect_outcome(LIST_FORMAT_VICS,
                   repeat(VICS_SET "{\"Category\":1,\"MD5\":\"" MD5_A "\",\"MediaID\":\"", "x",
                          LIST_FIELD_MAX, "\"}" END),
                   LIST_READER_BAD, "entry_id: 1024 bytes, at most 256");
    expect_outcome(
        LIST_FORMAT_VICS,
        repeat(VICS_SET "{\"Category\":1,\"MD5\":\"" MD5_A "\",\"MediaID\":\"", "x", ENTRY_ID_MAX, "\"}" END),
        0, "");
}
END_TEST

START_TEST(ncmec_page_gives_images_and_tombstones)
{
    struct reading reading = take(
        LIST_FORMAT_NCMEC,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" QUERY "<images count=\"4\">\n"
        "<image>" MEMBER(
            "42") "<timestamp>2017-10-24T15:00:00.250Z</timestamp><id> image1 </id>"
                  "<classification>A1</classification><fingerprints><md5>" MD5_A "</md5><sha1>" SHA1_A
                  "</sha1><pdna>AAAA</pdna><pdq><![CDATA[" PDQ_A "]]></pdq>"
                  "<videntifier rel=\"self\" href=\"/v2/x\"/></fingerprints><feedback><affirmativeFeedback "
                  "type=\"Md5\"><members><member "
                  "id=\"9\"/></members></affirmativeFeedback></feedback></image>"
                  "<image>" MEMBER("42") TIME
        "<id>image2</id><classification>B2</classification><fingerprints><md5>" MD5_B
        "</md5></fingerprints></image>"
        "<image>" MEMBER("42") TIME
        "<id>image3</id><classification>A1</classification><fingerprints>"
        "<pdna>AAAA</pdna></fingerprints></image>"
        "<deletedImage>" MEMBER(
            "43") "<id>image4</id>" TIME "</deletedImage></images>"
                  "<videos count=\"2\"><video>" MEMBER(
                      "1") "<id>v</id></video><deletedVideo/></videos>"
                           "<other:x xmlns:other=\"urn:x\"><image/></other:x>"
                           "<paging><next>/v2/entries?start=2001</next></paging></queryResult>\n");

    ck_assert_uint_eq(reading.tally.taken, 1);
    ck_assert_uint_eq(reading.tally.ignored, 1);
    ck_assert_uint_eq(reading.tally.withdrawn, 1);
    ck_assert(reading.tally.more);
    ck_assert_str_eq(reading.entries.items[0].entry_id, "42:image1");
    ck_assert_str_eq(reading.entries.items[0].classification, "A1");
    ck_assert_uint_eq(reading.entries.items[0].hashes.kinds,
                      HASH_BIT(HASH_MD5) | HASH_BIT(HASH_SHA1) | HASH_BIT(HASH_PDQ));
    ck_assert_uint_eq(reading.ranks[0], UINT64_C(1508857200250000));
    ck_assert_uint_eq(reading.gone_count, 3);
    ck_assert_str_eq(reading.gone[0], "42:image2");
    ck_assert_str_eq(reading.gone[1], "42:image3");
    ck_assert_str_eq(reading.gone[2], "43:image4");
    ck_assert_uint_eq(leftover(&reading, "pdna"), 2);
    ck_assert_uint_eq(leftover(&reading, "videntifier"), 1);
    ck_assert_uint_eq(leftover(&reading, "video"), 1);
    ck_assert_uint_eq(leftover(&reading, "deletedVideo"), 1);
    ck_assert_uint_eq(leftover(&reading, "image-without-hash"), 1);
    end_reading(&reading);
}
END_TEST

START_TEST(an_empty_range_of_ncmec_is_taken)
{
    struct reading reading = take(LIST_FORMAT_NCMEC, QUERY "<images count=\"0\"/></queryResult>");

    ck_assert_uint_eq(reading.tally.taken, 0);
    ck_assert(!reading.tally.more);
}
END_TEST

#define IMAGE(inside) QUERY "<images>\n<image>" inside "</image></images></queryResult>"
#define PRINT         "<fingerprints><md5>" MD5_A "</md5></fingerprints>"
static const struct {
    const char *text, *begin, *words;
} bad_ncmec[] = {
    {"", "line 1: no XML", ""},
    {"x", "line 1: no XML", ""},
    {"<queryResult/>", "line 1: the document is no queryResult of " SPACE, ""},
    {"<status xmlns=\"" SPACE "\"/>", "line 1: the document is no queryResult", ""},
    {QUERY, "line 1: no XML", "ends within an element"},
    {QUERY "\n<images>\n<image>", "line 3: no XML", "ends within an element"},
    {QUERY "</queryResult><x/>", "line 1: no XML", "xtra content"},
    {QUERY "\n<images></queryResult>", "line 2: no XML", ""},
    {QUERY "\n\xff</queryResult>", "line 2: no XML", ""},
    {QUERY "&other;</queryResult>", "line 1: no XML", "other"},
    {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" QUERY "\xe9</queryResult>", "line 1: no XML", ""},
    {"<!DOCTYPE queryResult>" QUERY "</queryResult>", "line 1: a document type", "not taken"},
    {IMAGE(MEMBER("1") TIME PRINT "<classification>A1</classification>"), "line 2, record 1: id: missing",
     ""},
    {IMAGE("<member>x</member><id>i</id>" TIME PRINT), "line 2, record 1: member: has no id", ""},
    {IMAGE("<id>i</id>" TIME PRINT), "line 2, record 1: member: has no id", ""},
    {IMAGE(MEMBER("1") "<id>i</id>" PRINT), "line 2, record 1: timestamp: not a time", ""},
    {IMAGE(MEMBER("1") "<id>i</id><timestamp>2017-13-24T15:00:00Z</timestamp>"), "line 2", "timestamp"},
    {IMAGE(MEMBER("1") "<id>i</id><timestamp>2017-10-24T15:00:00+02:00</timestamp>"), "line 2", "timestamp"},
    {IMAGE(MEMBER("1") "<id>i</id><id>j</id>" TIME PRINT), "line 2, record 1: id: given twice", ""},
    {IMAGE(MEMBER("1") "<id>i</id>" TIME "<fingerprints><md5>xyz</md5></fingerprints>"),
     "line 2, record 1: md5: character 1 is not", ""},
    {IMAGE(MEMBER("1") "<id>i</id>" TIME "<classification>C9</classification>" PRINT),
     "line 2, record 1: classification \"C9\" has no meaning", "lists under classes"},
    {IMAGE(MEMBER("1") "<id>a&#10;b</id>" TIME PRINT), "line 2, record 1: id: not UTF-8 text", ""},
    {QUERY "<paging>\n<next>/a</next><next>/b</next></paging></queryResult>",
     "line 2: paging next: given twice", ""},
    {QUERY "<paging><next>/a&#10;b</next></paging></queryResult>", "line 1: paging next: not UTF-8 text", ""},
};

START_TEST(bad_ncmec_is_refused_with_its_place)
{
    refuse(LIST_FORMAT_NCMEC, bad_ncmec[_i].text, bad_ncmec[_i].begin, bad_ncmec[_i].words);
}
END_TEST

START_TEST(entities_of_a_document_never_count)
{
    static const char *const texts[] = {
        "<!DOCTYPE queryResult [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" QUERY "&x;</queryResult>",
        "<!DOCTYPE queryResult SYSTEM \"http://127.0.0.1:9/x.dtd\">" QUERY "</queryResult>",
        "<!DOCTYPE queryResult [<!ENTITY % x SYSTEM \"http://127.0.0.1:9/x\"> %x;]>" QUERY "</queryResult>",
        "<!DOCTYPE q [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
        "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">]>" QUERY
        "<images><image><id>&d;</id></image></images></queryResult>"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        refuse(LIST_FORMAT_NCMEC, texts[i], "line 1: a document type", "stand for something else");
}
END_TEST

#define RECORD(hash, status, type)                                                                           \
    "{\"lastModtimestamp\":1,\"hashValue\":\"" hash "\",\"hashStatus\":\"" status                            \
    "\",\"caseNumbers\":{\"x\":\"Received\"},\"signalType\":\"" type                                         \
    "\",\"CSPFeedbacks\":[{\"source\":\"s\",\"feedbackValue\":\"Blocked\",\"tags\":[\"t\"]}]}"

START_TEST(stopncii_takes_withdraws_and_leaves)
{
    struct reading reading = take(
        LIST_FORMAT_STOPNCII,
        "{\"count\":6,\"nextSetTimestamp\":7,\"nextPageToken\":\"x\",\"hasMoreRecords\":true,\"hashRecords\":"
        "[" RECORD(PDQ_A, "Received", "ImagePDQ") "," RECORD(PDQ_B, "Withdrawn", "ImagePDQ") "," RECORD(
            PDQ_B, "Deleted",
            "ImagePDQ") "," RECORD("x", "Active", "VideoMD5") "," RECORD("x", "Active",
                                                                         "Text") "," RECORD(PDQ_B, "Active",
                                                                                            "ImagePDQ") "]}");

    ck_assert_uint_eq(reading.tally.taken, 2);
    ck_assert_uint_eq(reading.tally.withdrawn, 2);
    ck_assert(reading.tally.more);
    ck_assert_uint_eq(leftover(&reading, "VideoMD5"), 1);
    ck_assert_uint_eq(leftover(&reading, "Text"), 1);
    ck_assert_uint_eq(strlen(reading.entries.items[0].entry_id), 24);
    ck_assert_str_eq(reading.gone[0], reading.entries.items[1].entry_id);
    ck_assert(list_format_repeats(LIST_FORMAT_STOPNCII));
    end_reading(&reading);
}
END_TEST

static const struct {
    const char *text, *begin, *words;
} bad_stopncii[] = {
    {"{}", "no hashRecords", ""},
    {"{\"hashRecords\":[],\"hashRecords\":[]}", "byte ", "hashRecords: given twice"},
    {"{\"hasMoreRecords\":1}", "byte ", "hasMoreRecords: must be true or false"},
    {"{\"nextPageToken\":{}}", "byte ", "nextPageToken: must be a text or a number"},
    {"{\"nextPageToken\":\"a\",\"nextPageToken\":\"b\"}", "byte ", "nextPageToken: given twice"},
    {"{\"nextSetTimestamp\":-1}", "byte ", "nextSetTimestamp: not a number of seconds"},
    {"{\"nextSetTimestamp\":9223372036854775808}", "byte ", "nextSetTimestamp: not a number of seconds"},
    {"{\"hashRecords\":[" RECORD(PDQ_A, "Odd", "ImagePDQ") "]}", "byte ", "hashStatus: \"Odd\" is none of"},
    {"{\"hashRecords\":[" RECORD(MD5_A, "Active", "ImagePDQ") "]}", "byte ", "hashValue: 32 hexadecimal"},
    {"{\"hashRecords\":[" RECORD("", "Active", "ImagePDQ") "]}", "byte ", "hashValue: missing"},
    {"{\"hashRecords\":[" RECORD(PDQ_A, "Active", "") "]}", "byte ", "signalType: missing"},
};

START_TEST(bad_stopncii_is_refused_with_its_place)
{
    refuse(LIST_FORMAT_STOPNCII, bad_stopncii[_i].text, bad_stopncii[_i].begin, bad_stopncii[_i].words);
}
END_TEST

START_TEST(hma_takes_both_kinds_of_rows)
{
    struct reading reading =
        take(LIST_FORMAT_HMA, "pdq " PDQ_A "\n# comment\n\nphoto_md5 " MD5_A "\n"
                              "video_md5 " MD5_B "\nurl http://a.example/, with a comma\n" PDQ_B
                              ",123,2020-07-31T18:47:52+0000,disputed media_type_photo\n" MD5_B
                              ",124,2020-07-31T18:47:52+0000,media_type_video\n");

    ck_assert_uint_eq(reading.tally.taken, 3);
    ck_assert_uint_eq(reading.entries.items[0].hashes.kinds, HASH_BIT(HASH_PDQ));
    ck_assert_uint_eq(reading.entries.items[1].hashes.kinds, HASH_BIT(HASH_MD5));
    ck_assert_str_eq(reading.entries.items[2].entry_id, "123");
    ck_assert_str_eq(reading.entries.items[2].note, "disputed media_type_photo");
    ck_assert_uint_eq(leftover(&reading, "video_md5"), 1);
    ck_assert_uint_eq(leftover(&reading, "url"), 1);
    ck_assert_uint_eq(leftover(&reading, "video"), 1);
    end_reading(&reading);
}
END_TEST

static const struct {
    const char *text, *begin, *words;
} bad_hma[] = {
    {"pdq\n", "line 1: one word", "SIGNAL_TYPE and SIGNAL"},
    {"\npdq " MD5_A "\n", "line 2: 32 hexadecimal digits, expected 64", ""},
    {"pdq " PDQ_A " x\n", "line 1: more than a signal type", ""},
    {SHA1_A ",1,t,\n", "line 1: 40 hexadecimal digits, expected 64 (pdq) or 32", ""},
    {"xyz,1,t,\n", "line 1: character 1", ""},
    {PDQ_A ",1,t\n", "line 1: 3 fields", ""},
    {PDQ_A ",1,t,a,b\n", "line 1: 5 fields", ""},
    {PDQ_A ",,t,a\n", "line 1: field 2: the id is empty", ""},
};

START_TEST(bad_hma_is_refused_with_its_line)
{
    refuse(LIST_FORMAT_HMA, bad_hma[_i].text, bad_hma[_i].begin, bad_hma[_i].words);
}
END_TEST

START_TEST(names_past_the_table_of_leftovers_count_as_other)
{
    char text[8192] = "";
    struct reading reading;

    for (int i = 0; i < LIST_LEFTOVERS_MAX + 5; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "kind%d x\n", i);
    snprintf(text + strlen(text), sizeof text - strlen(text), "odd/name x\nother x\nkind0 x\n");
    reading = take(LIST_FORMAT_HMA, text);
    ck_assert_uint_eq(reading.tally.leftover_count, LIST_LEFTOVERS_MAX);
    ck_assert_uint_eq(leftover(&reading, "kind0"), 2);
    ck_assert_uint_eq(leftover(&reading, "kind22"), 1);
    ck_assert_uint_eq(leftover(&reading, "other"), 8);
}
END_TEST

/* A list whose CSV has names of its own. */
static struct config_list named_columns(void)
{
    struct config_list list = {.name = "a", .has_columns = true};

    strcpy(list.columns[COLUMN_MD5], "MD5 hash");
    strcpy(list.columns[COLUMN_CLASSIFICATION], "Category");
    return list;
}

START_TEST(csv_columns_bear_the_names_of_the_configuration)
{
    struct config_list list = named_columns();
    const struct list_reader_options options = {.format = LIST_FORMAT_CSV, .rules = &list};
    struct reading reading = {.outcome = 0};

    read_text(&reading, &options, "Age,MD5 hash,Category,Age,\n3-6," MD5_A ",A,,x\n,,B,,\n");
    ck_assert_int_eq(reading.outcome, LIST_READER_BAD);
    ck_assert_str_eq(reading.diag.text, "line 3: no hash: at least one of md5, sha1, sha256, pdq is needed");
    ck_assert_uint_eq(reading.entries.count, 1);
    ck_assert_uint_eq(strlen(reading.entries.items[0].entry_id), 24);
    ck_assert_str_eq(reading.entries.items[0].classification, "A");
    end_reading(&reading);
    strcpy(list.columns[COLUMN_ENTRY_ID], "Ref");
    reading = (struct reading){.outcome = 0};
    read_text(&reading, &options, "MD5 hash,Category\n");
    ck_assert_str_eq(reading.diag.text,
                     "line 1: no column \"Ref\", which the configuration says is this list's "
                     "entry_id");
    reading = (struct reading){.outcome = 0};
    read_text(&reading, &options, "Ref,MD5 hash,Category,Ref\n");
    ck_assert_str_eq(reading.diag.text, "line 1: column Ref is named twice");
}
END_TEST

START_TEST(csv_heeds_classes_where_the_list_has_some)
{
    struct reading reading =
        take(LIST_FORMAT_CSV, "entry_id,md5,classification\n1," MD5_A ",A1\n2," MD5_A ",B2\n3," MD5_A ",\n");

    ck_assert_uint_eq(reading.tally.taken, 1);
    ck_assert_uint_eq(reading.tally.ignored, 2);
    end_reading(&reading);
    refuse(LIST_FORMAT_CSV, "entry_id,md5,classification\n1," MD5_A ",C\n", "line 2: classification \"C\"",
           "has no meaning");
}
END_TEST

START_TEST(csv_columns_are_limited)
{
    struct config_list list = named_columns();
    char text[2048] = "MD5 hash,Category";
    const struct list_reader_options options = {.format = LIST_FORMAT_CSV, .rules = &list};

    for (int i = 2; i < 256; i++)
        strcat(text, ",x");
    for (int extra = 0; extra < 2; extra++) {
        struct reading reading = {.outcome = 0};
        read_text(&reading, &options, text);
        ck_assert_int_eq(reading.outcome, extra == 0 ? 0 : LIST_READER_BAD);
        strcat(text, ",x");
    }
}
END_TEST

#define LOOP(tests, table, test) tcase_add_loop_test(tests, test, 0, (int)(sizeof table / sizeof table[0]))

int main(void)
{
    Suite *suite = suite_create("lists_documents");
    TCase *tests = tcase_create("documents");

    tcase_add_test(tests, vics_hash_set_is_taken_by_category);
    tcase_add_test(tests, vics_cases_name_their_media);
    LOOP(tests, bad_vics, bad_vics_is_refused_with_its_place);
    tcase_add_test(tests, vics_without_classes_is_refused);
    tcase_add_test(tests, bad_records_are_skipped_when_asked_for_and_unnamed_classes_never);
    tcase_add_test(tests, a_fault_of_the_sink_ends_the_reading);
    tcase_add_test(tests, depth_is_limited_to_the_level);
    tcase_add_test(tests, a_value_and_a_gap_are_limited);
    tcase_add_test(tests, a_field_is_limited_to_the_byte);
    tcase_add_test(tests, ncmec_page_gives_images_and_tombstones);
    tcase_add_test(tests, an_empty_range_of_ncmec_is_taken);
    LOOP(tests, bad_ncmec, bad_ncmec_is_refused_with_its_place);
    tcase_add_test(tests, entities_of_a_document_never_count);
    tcase_add_test(tests, stopncii_takes_withdraws_and_leaves);
    LOOP(tests, bad_stopncii, bad_stopncii_is_refused_with_its_place);
    tcase_add_test(tests, hma_takes_both_kinds_of_rows);
    LOOP(tests, bad_hma, bad_hma_is_refused_with_its_line);
    tcase_add_test(tests, names_past_the_table_of_leftovers_count_as_other);
    tcase_add_test(tests, csv_columns_bear_the_names_of_the_configuration);
    tcase_add_test(tests, csv_heeds_classes_where_the_list_has_some);
    tcase_add_test(tests, csv_columns_are_limited);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
