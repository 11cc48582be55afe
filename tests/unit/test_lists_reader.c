#include "prescreen/lists/reader.h"

#include "entries.h"
#include "tap.h"

#include <errno.h>
#include <inttypes.h>

#define MD5_HEX    "00112233445566778899aabbccddeeff"
#define SHA1_HEX   "000102030405060708090a0b0c0d0e0f10111213"
#define SHA256_HEX "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"
#define PDQ_HEX    "8000000000000000000000000000000000000000000000000000000000000001"
#define HEADER     "entry_id,md5,sha1,sha256,pdq,pdq_quality,classification,note\n"

/* Everything that one reading said, so that two readings can be compared. */
struct reading {
    struct kept_entries entries;
    uint64_t skipped_lines[64];
    char skipped_why[64][DIAG_TEXT_MAX];
    size_t skips;
    uint64_t taken, skipped;
    int outcome;
    struct diag diag;
    struct diag refusal; /* what the sink said */
    const char *refused_id;
    int refusal_code;
};

static int take_entry(void *context, const struct list_entry *entry)
{
    struct reading *reading = context;

    if (reading->refused_id != NULL && strcmp(entry->entry_id, reading->refused_id) == 0)
        return diag_fail(&reading->refusal, reading->refusal_code, "no more of these");
    return keep_entry(&reading->entries, entry);
}

static void take_skip(void *context, const char *place, const char *why)
{
    struct reading *reading = context;

    if (reading->skips < 64) {
        ck_assert_int_eq(sscanf(place, "line %" SCNu64, &reading->skipped_lines[reading->skips]), 1);
        strcpy(reading->skipped_why[reading->skips], why);
    }
    reading->skips++;
}

/* Reads text in the pieces that ends names (NULL: in one piece). */
static void read_pieces(struct reading *reading, enum list_format format, bool skip_bad, const char *text,
                        size_t size, const size_t *ends, size_t end_count)
{
    struct list_reader *reader = NULL;
    struct list_reader_options options = {.format = format,
                                          .skip_bad = skip_bad,
                                          .on_entry = take_entry,
                                          .on_skip = take_skip,
                                          .context = reading,
                                          .entry_diag = &reading->refusal};
    size_t at = 0;

    ck_assert_int_eq(list_reader_create(&options, &reader), 0);
    reading->outcome = 0;
    for (size_t i = 0; i <= end_count && reading->outcome == 0; i++) {
        size_t end = i < end_count ? ends[i] : size;
        /* A copy of its own, so that a sanitiser sees any reading beyond the piece. */
        char *piece = malloc(end - at + 1);
        ck_assert_ptr_nonnull(piece);
        memcpy(piece, text + at, end - at);
        char *exact = realloc(piece, end - at > 0 ? end - at : 1);
        reading->outcome = list_reader_feed(reader, exact, end - at, &reading->diag);
        free(exact);
        at = end;
    }
    if (reading->outcome == 0)
        reading->outcome = list_reader_finish(reader, &reading->diag);
    reading->taken = list_reader_tally(reader)->taken;
    reading->skipped = list_reader_tally(reader)->skipped;
    list_reader_free(reader);
}

static void read_text(struct reading *reading, enum list_format format, bool skip_bad, const char *text)
{
    *reading = (struct reading){.diag = {""}};
    read_pieces(reading, format, skip_bad, text, strlen(text), NULL, 0);
}

static void end_reading(struct reading *reading)
{
    forget_entries(&reading->entries);
}

/* The text is refused and the sentence is this one. */
static void refuse(enum list_format format, const char *text, const char *sentence)
{
    struct reading reading;

    read_text(&reading, format, false, text);
    ck_assert_str_eq(reading.diag.text, sentence);
    ck_assert_int_eq(reading.outcome, LIST_READER_BAD);
    end_reading(&reading);
}

static void refuse_row(const char *row, const char *sentence)
{
    char text[3 * LIST_ROW_MAX];

    snprintf(text, sizeof text, HEADER "%s\n", row);
    refuse(LIST_FORMAT_CSV, text, sentence);
}

START_TEST(csv_gives_every_column)
{
    struct reading reading;

    read_text(&reading, LIST_FORMAT_CSV, false,
              HEADER "4711," MD5_HEX "," SHA1_HEX "," SHA256_HEX "," PDQ_HEX ",77,A1,seen twice\n"
                     "4712,00112233445566778899AABBCCDDEEFF,,,,,,\n");
    ck_assert_int_eq(reading.outcome, 0);
    ck_assert_uint_eq(reading.taken, 2);
    ck_assert_uint_eq(reading.skipped, 0);
    const struct kept_entry *full = &reading.entries.items[0];
    const struct kept_entry *thin = &reading.entries.items[1];
    char hex[PDQ_HEX_SIZE];
    ck_assert_str_eq(full->entry_id, "4711");
    ck_assert_str_eq(full->classification, "A1");
    ck_assert_str_eq(full->note, "seen twice");
    ck_assert_uint_eq(full->hashes.kinds, 15);
    ck_assert_int_eq(full->hashes.pdq_quality, 77);
    known_hashes_format(&full->hashes, HASH_SHA1, hex);
    ck_assert_str_eq(hex, SHA1_HEX);
    known_hashes_format(&full->hashes, HASH_SHA256, hex);
    ck_assert_str_eq(hex, SHA256_HEX);
    known_hashes_format(&full->hashes, HASH_PDQ, hex);
    ck_assert_str_eq(hex, PDQ_HEX);
    ck_assert_uint_eq(thin->hashes.kinds, HASH_BIT(HASH_MD5));
    ck_assert_int_eq(thin->hashes.pdq_quality, -1);
    known_hashes_format(&thin->hashes, HASH_MD5, hex);
    ck_assert_str_eq(hex, MD5_HEX);
    ck_assert_str_eq(thin->note, "");
    end_reading(&reading);
}
END_TEST

START_TEST(csv_columns_stand_in_any_order_and_only_two_are_needed)
{
    struct reading reading;

    read_text(&reading, LIST_FORMAT_CSV, false, "note,pdq,entry_id\nhello," PDQ_HEX ",a b");
    ck_assert_int_eq(reading.outcome, 0);
    ck_assert_uint_eq(reading.taken, 1);
    ck_assert_str_eq(reading.entries.items[0].entry_id, "a b");
    ck_assert_str_eq(reading.entries.items[0].note, "hello");
    end_reading(&reading);
    read_text(&reading, LIST_FORMAT_CSV, false, "sha256,entry_id\n" SHA256_HEX ",x\n");
    ck_assert_int_eq(reading.outcome, 0);
    ck_assert_uint_eq(reading.taken, 1);
    end_reading(&reading);
}
END_TEST

START_TEST(csv_tolerates_mark_line_ends_and_blank_lines)
{
    static const char *const texts[] = {
        "\xef\xbb\xbf\"entry_id\",md5\r\nx," MD5_HEX "\r\n\r\ny,\"" MD5_HEX "\"\r\n",
        "\n\nentry_id,md5\n\nx," MD5_HEX "\n\r\n\ny," MD5_HEX,
        "entry_id,md5\nx," MD5_HEX "\ny," MD5_HEX "\r",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct reading reading;

        read_text(&reading, LIST_FORMAT_CSV, false, texts[i]);
        ck_assert_msg(reading.outcome == 0, "%zu: %s", i, reading.diag.text);
        ck_assert_uint_eq(reading.taken, 2);
        ck_assert_str_eq(reading.entries.items[1].entry_id, "y");
        end_reading(&reading);
    }
}
END_TEST

START_TEST(csv_quotes_follow_rfc_4180)
{
    struct reading reading;

    read_text(&reading, LIST_FORMAT_CSV, false,
              "entry_id,md5,note\n\"a,\"\"b\"\"\",\"" MD5_HEX "\",\"\"\n\"\"\"\"," MD5_HEX ",\",\"\r\n");
    ck_assert_int_eq(reading.outcome, 0);
    ck_assert_str_eq(reading.entries.items[0].entry_id, "a,\"b\"");
    ck_assert_str_eq(reading.entries.items[0].note, "");
    ck_assert_str_eq(reading.entries.items[1].entry_id, "\"");
    ck_assert_str_eq(reading.entries.items[1].note, ",");
    end_reading(&reading);
    refuse_row("a\"b," MD5_HEX ",,,,,,",
               "line 2: column entry_id: a quote within a field that does not begin with one");
    refuse_row("a,\"" MD5_HEX "\"x,,,,,,", "line 2: column md5: text after the closing quote");
    refuse(LIST_FORMAT_CSV, HEADER "a," MD5_HEX ",,,,,,\"open",
           "line 2: column note: a quote is opened and not closed");
}
END_TEST

START_TEST(csv_header_is_held_to_the_letter)
{
    refuse(LIST_FORMAT_CSV, "", "line 1: no header; the first line must name the columns");
    refuse(LIST_FORMAT_CSV, "\n\r\n", "line 1: no header; the first line must name the columns");
    refuse(LIST_FORMAT_CSV, "md5,note\n", "line 1: no column entry_id");
    refuse(LIST_FORMAT_CSV, "entry_id,note,pdq_quality\n",
           "line 1: no column of hashes: at least one of md5, sha1, sha256, pdq");
    refuse(LIST_FORMAT_CSV, "entry_id,md5,md5\n", "line 1: column md5 is named twice");
    refuse(LIST_FORMAT_CSV, "entry_id,md5,\n", "line 1: column 3 has no name");
    refuse(LIST_FORMAT_CSV, "\nentry_id,md5,phash\n",
           "line 2: unknown column \"phash\"; known are entry_id, md5, sha1, sha256, pdq, pdq_quality, "
           "classification, note, views");
    refuse(LIST_FORMAT_CSV, "entry_id,MD5\n",
           "line 1: unknown column \"MD5\"; known are entry_id, md5, sha1, sha256, pdq, pdq_quality, "
           "classification, note, views");
    refuse(LIST_FORMAT_CSV, "entry_id,md5,sha1,sha256,pdq,pdq_quality,classification,note,note\n",
           "line 1: column note is named twice");
    refuse(LIST_FORMAT_CSV, "entry_id,md5\"\n",
           "line 1: field 2: a quote within a field that does not begin with one");
}
END_TEST

START_TEST(missing_header_shows_no_hash)
{
    refuse(LIST_FORMAT_CSV, MD5_HEX ",x\n",
           "line 1: column 1 has an unknown name of 32 bytes; is the header line missing?");
    refuse(LIST_FORMAT_CSV, "entry_id,ABEiM0RVZneImaq7zN3u/w==\n",
           "line 1: column 2 has an unknown name of 24 bytes; is the header line missing?");
    refuse(LIST_FORMAT_CSV, "entry_id,\xff\n",
           "line 1: column 2 has an unknown name of 1 bytes; is the header line missing?");
}
END_TEST

START_TEST(bad_header_refuses_also_when_bad_rows_are_skipped)
{
    struct reading reading;
    static const char *const texts[] = {"x,md5\n1," MD5_HEX "\n", "", "entry_id,md5\"\n"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        read_text(&reading, LIST_FORMAT_CSV, true, texts[i]);
        ck_assert_int_eq(reading.outcome, LIST_READER_BAD);
        ck_assert_uint_eq(reading.skips, 0);
        end_reading(&reading);
    }
}
END_TEST

START_TEST(wrong_hash_is_named_by_shape_and_never_shown_whole)
{
    refuse_row("a,,,,8000,,,", "line 2: column pdq: 4 hexadecimal digits, expected 64: \"8000\"");
    refuse_row("a,,,,0" PDQ_HEX ",,,",
               "line 2: column pdq: 65 hexadecimal digits, expected 64: \"08000000…\"");
    refuse_row("a," MD5_HEX "0,,,,,,",
               "line 2: column md5: 33 hexadecimal digits, expected 32: \"00112233…\"");
    refuse_row("a,,0,,,,,", "line 2: column sha1: 1 hexadecimal digits, expected 40: \"0\"");
    refuse_row("a,,,abcdefg,,,,",
               "line 2: column sha256: character 7 is not a hexadecimal digit: \"abcdefg\"");
    refuse_row("a, " MD5_HEX ",,,,,,",
               "line 2: column md5: character 1 is not a hexadecimal digit: \" 0011223…\"");
}
END_TEST

START_TEST(views_are_names_and_hashes_parted_by_single_spaces)
{
    static const char *const bad[] = {"x",
                                      "thumbnail",
                                      "thumbnail:",
                                      "thumbnail:80",
                                      "main:" PDQ_HEX,
                                      "nosuch:" PDQ_HEX,
                                      ":" PDQ_HEX,
                                      " thumbnail:" PDQ_HEX,
                                      "thumbnail:" PDQ_HEX "0",
                                      "thumbnail:" PDQ_HEX ",thumbnail:" PDQ_HEX};
    char text[16384];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "entry_id,md5,views\na," MD5_HEX ",\"%s\"", bad[i]);
        refuse(LIST_FORMAT_CSV, text,
               "line 2: column views: view 1 is not the name of one, a colon and 64 hexadecimal digits");
    }
    refuse(LIST_FORMAT_CSV, "entry_id,md5,views\na," MD5_HEX ",thumbnail:" PDQ_HEX "  thumbnail:" PDQ_HEX,
           "line 2: column views: view 2 is not the name of one, a colon and 64 hexadecimal digits");
    strcpy(text, "entry_id,md5,views\na," MD5_HEX ",thumbnail:" PDQ_HEX);
    for (size_t i = 0; i < ENTRY_VIEWS_MAX; i++)
        strcat(text, " thumbnail:" PDQ_HEX);
    refuse(LIST_FORMAT_CSV, text, "line 2: column views: more than 64");
}
END_TEST

START_TEST(row_without_a_hash_or_with_a_lone_quality_is_refused)
{
    refuse_row("a,,,,,,,", "line 2: no hash: at least one of md5, sha1, sha256, pdq is needed");
    refuse_row("a," MD5_HEX ",,,,50,,", "line 2: column pdq_quality: given without a pdq");
    refuse_row("a,,,,,50,,", "line 2: no hash: at least one of md5, sha1, sha256, pdq is needed");
}
END_TEST

START_TEST(fields_must_be_as_many_as_the_header_names)
{
    refuse_row("a," MD5_HEX ",,,,,", "line 2: 7 fields, the header names 8");
    refuse_row("a," MD5_HEX ",,,,,,,", "line 2: 9 fields, the header names 8");
    refuse_row("a," MD5_HEX ",,,,,,,,,,,,,", "line 2: 15 fields, the header names 8");
    refuse_row("a", "line 2: 1 fields, the header names 8");
}
END_TEST

START_TEST(quality_is_a_number_from_0_to_100)
{
    static const struct {
        const char *text;
        int quality; /* -2 = refused */
    } cases[] = {{"0", 0},    {"99", 99},  {"100", 100}, {"101", -2}, {"-1", -2},
                 {"1.5", -2}, {" 50", -2}, {"", -1},     {"x", -2},   {"18446744073709551616", -2}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reading reading;
        char text[512];

        snprintf(text, sizeof text, HEADER "a,,,," PDQ_HEX ",%s,,\n", cases[i].text);
        read_text(&reading, LIST_FORMAT_CSV, false, text);
        if (cases[i].quality == -2) {
            ck_assert_int_eq(reading.outcome, LIST_READER_BAD);
            snprintf(text, sizeof text, "line 2: column pdq_quality: not a number from 0 to 100: \"%.8s%s\"",
                     cases[i].text, strlen(cases[i].text) > 16 ? "…" : "");
            ck_assert_str_eq(reading.diag.text, text);
        } else {
            ck_assert_int_eq(reading.outcome, 0);
            ck_assert_int_eq(reading.entries.items[0].hashes.pdq_quality, cases[i].quality);
        }
        end_reading(&reading);
    }
}
END_TEST

enum text_place { IN_ID, IN_CLASS, IN_NOTE };

/* A row whose member has the given length. */
static void length_row(char *text, size_t size, enum text_place place, size_t length)
{
    static char value[ENTRY_NOTE_MAX + 2];

    memset(value, 'v', length);
    value[length] = '\0';
    snprintf(text, size, HEADER "%s," MD5_HEX ",,,,,%s,%s\n", place == IN_ID ? value : "id",
             place == IN_CLASS ? value : "", place == IN_NOTE ? value : "");
}

START_TEST(texts_have_their_largest_sizes)
{
    static const struct {
        const char *name;
        size_t maximum;
    } members[] = {
        {"entry_id", ENTRY_ID_MAX}, {"classification", CLASSIFICATION_MAX}, {"note", ENTRY_NOTE_MAX}};

    for (unsigned int place = IN_ID; place <= IN_NOTE; place++) {
        char text[2 * LIST_ROW_MAX];
        char sentence[128];
        struct reading reading;

        for (size_t less = 0; less <= 1; less++) {
            length_row(text, sizeof text, (enum text_place)place, members[place].maximum - less);
            read_text(&reading, LIST_FORMAT_CSV, false, text);
            ck_assert_int_eq(reading.outcome, 0);
            ck_assert_uint_eq(reading.taken, 1);
            end_reading(&reading);
        }
        length_row(text, sizeof text, (enum text_place)place, members[place].maximum + 1);
        snprintf(sentence, sizeof sentence,
                 "line 2: column %s: %zu bytes, at most %zu are allowed: \"vvvvvvvv…\"", members[place].name,
                 members[place].maximum + 1, members[place].maximum);
        refuse(LIST_FORMAT_CSV, text, sentence);
    }
}
END_TEST

START_TEST(texts_are_printable_utf8_and_an_entry_id_is_never_empty)
{
    refuse_row("," MD5_HEX ",,,,,,", "line 2: column entry_id: empty");
    refuse_row("a\tb," MD5_HEX ",,,,,,",
               "line 2: column entry_id: not UTF-8 text without control characters: \"a?b\"");
    refuse_row("a," MD5_HEX ",,,,,\xc3,",
               "line 2: column classification: not UTF-8 text without control characters: \"?\"");
    refuse_row("a," MD5_HEX ",,,,,,\"two\nlines\"",
               "line 2: column note: not UTF-8 text without control characters: \"two?lines\"");
    refuse_row("a," MD5_HEX ",,,,,,x\ry",
               "line 2: column note: not UTF-8 text without control characters: \"x?y\"");
}
END_TEST

/* Fills text with a header and one row of exactly this many bytes that is good but for its length. */
static void long_row(char *text, size_t length, const char *end)
{
    static const char head[] = HEADER;
    static const char row[] = "id," MD5_HEX ",,,,,,";

    memcpy(text, head, sizeof head - 1);
    memcpy(text + sizeof head - 1, row, sizeof row - 1);
    memset(text + sizeof head - 1 + sizeof row - 1, 'n', length - (sizeof row - 1));
    strcpy(text + sizeof head - 1 + length, end);
}

START_TEST(rows_have_a_largest_size)
{
    static const char *const ends[] = {"\n", "\r\n", "", "\r"};
    char text[2 * LIST_ROW_MAX];

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        for (size_t length = LIST_ROW_MAX - 1; length <= LIST_ROW_MAX; length++) {
            struct reading reading;

            long_row(text, length, ends[i]);
            read_text(&reading, LIST_FORMAT_CSV, false, text);
            ck_assert_ptr_nonnull(strstr(reading.diag.text, "line 2: column note: "));
            end_reading(&reading);
        }
        long_row(text, LIST_ROW_MAX + 1, ends[i]);
        refuse(LIST_FORMAT_CSV, text, "line 2: longer than 12288 bytes");
        long_row(text, LIST_ROW_MAX + 2, ends[i]);
        refuse(LIST_FORMAT_CSV, text, "line 2: longer than 12288 bytes");
    }
}
END_TEST

START_TEST(nul_bytes_are_refused)
{
    static const char text[] = HEADER "a\0b," MD5_HEX ",,,,,,\n";
    static const char wide[] = "e\0n\0t\0r\0y\0";
    struct reading reading = {.diag = {""}};

    read_pieces(&reading, LIST_FORMAT_CSV, false, text, sizeof text - 1, NULL, 0);
    ck_assert_int_eq(reading.outcome, LIST_READER_BAD);
    ck_assert_str_eq(reading.diag.text, "line 2: a NUL byte; the file must be UTF-8 text");
    read_pieces(&reading, LIST_FORMAT_LINES, false, wide, sizeof wide - 1, NULL, 0);
    ck_assert_int_eq(reading.outcome, LIST_READER_BAD);
    ck_assert_str_eq(reading.diag.text, "line 1: a NUL byte; the file must be UTF-8 text");
    end_reading(&reading);
}
END_TEST

START_TEST(skipping_leaves_bad_rows_out_and_names_each)
{
    struct reading reading;

    read_text(&reading, LIST_FORMAT_CSV, true,
              "entry_id,md5,note\n"
              "good1," MD5_HEX ",\n"
              "bad,1234,\n"
              "bad,\"quoted\nnote\",\n"
              "good2," MD5_HEX ",\n"
              ",,\n"
              "good3," MD5_HEX ",");
    ck_assert_int_eq(reading.outcome, 0);
    ck_assert_uint_eq(reading.taken, 3);
    ck_assert_uint_eq(reading.skipped, 3);
    ck_assert_uint_eq(reading.skips, 3);
    ck_assert_uint_eq(reading.skipped_lines[0], 3);
    ck_assert_str_eq(reading.skipped_why[0], "column md5: 4 hexadecimal digits, expected 32: \"1234\"");
    ck_assert_uint_eq(reading.skipped_lines[1], 4);
    ck_assert_uint_eq(reading.skipped_lines[2], 7);
    ck_assert_str_eq(reading.entries.items[2].entry_id, "good3");
    end_reading(&reading);
}
END_TEST

START_TEST(row_hidden_in_a_quoted_field_is_not_taken)
{
    struct reading reading;

    read_text(&reading, LIST_FORMAT_CSV, true,
              "entry_id,md5,note\na," MD5_HEX ",\"x\nhidden," MD5_HEX ",y\n\"\nb," MD5_HEX ",\n");
    ck_assert_int_eq(reading.outcome, 0);
    ck_assert_uint_eq(reading.skipped, 1);
    ck_assert_uint_eq(reading.taken, 1);
    ck_assert_str_eq(reading.entries.items[0].entry_id, "b");
    end_reading(&reading);
}
END_TEST

START_TEST(open_quote_refuses_even_when_skipping)
{
    char text[4 * LIST_ROW_MAX] = "entry_id,md5,note\ngood," MD5_HEX ",\nbad," MD5_HEX ",\"open\n";
    struct reading reading;

    read_text(&reading, LIST_FORMAT_CSV, true, text);
    ck_assert_int_eq(reading.outcome, LIST_READER_BAD);
    ck_assert_str_eq(reading.diag.text,
                     "line 3: a field opens with a quote that is not closed, or not within 12288 bytes");
    end_reading(&reading);
    for (int i = 0; i < 120; i++)
        strcat(text, "lost," MD5_HEX ",\"\"\n");
    read_text(&reading, LIST_FORMAT_CSV, true, text);
    ck_assert_int_eq(reading.outcome, LIST_READER_BAD);
    ck_assert_str_eq(reading.diag.text,
                     "line 3: a field opens with a quote that is not closed, or not within 12288 bytes");
    ck_assert_uint_eq(reading.taken, 1);
    end_reading(&reading);
}
END_TEST

/* However the rest looks: nobody knows whether the rows up to the next quote were meant as rows. */
START_TEST(quote_that_closes_too_late_refuses_even_when_skipping)
{
    char text[4 * LIST_ROW_MAX] = "entry_id,md5,note\nbad," MD5_HEX ",\"open\n";
    struct reading reading;

    while (strlen(text) <= LIST_ROW_MAX + sizeof "bad," MD5_HEX)
        strcat(text, "lost," MD5_HEX ",\n");
    strcat(text, "\"\ngood," MD5_HEX ",\n");
    read_text(&reading, LIST_FORMAT_CSV, true, text);
    ck_assert_int_eq(reading.outcome, LIST_READER_BAD);
    ck_assert_ptr_nonnull(strstr(reading.diag.text, "line 2: a field opens with a quote that is not closed"));
    ck_assert_uint_eq(reading.taken, 0);
    end_reading(&reading);
}
END_TEST

START_TEST(overlong_row_is_skipped_to_its_end)
{
    char *text = malloc(100000);
    struct reading reading;

    ck_assert_ptr_nonnull(text);
    strcpy(text, "entry_id,md5,note\na," MD5_HEX ",\"");
    memset(text + strlen(text), 'n', 50000);
    strcpy(text + 50000 + strlen("entry_id,md5,note\na," MD5_HEX ",\""), "\"\nb," MD5_HEX ",\n");
    read_text(&reading, LIST_FORMAT_CSV, true, text);
    ck_assert_int_eq(reading.outcome, 0);
    ck_assert_uint_eq(reading.skipped, 1);
    ck_assert_str_eq(reading.skipped_why[0], "longer than 12288 bytes");
    ck_assert_uint_eq(reading.taken, 1);
    ck_assert_str_eq(reading.entries.items[0].entry_id, "b");
    end_reading(&reading);
    free(text);
}
END_TEST

START_TEST(refusal_by_the_sink_names_the_line)
{
    static const char text[] = "entry_id,md5\na," MD5_HEX "\nb," MD5_HEX "\nc," MD5_HEX "\n";
    struct reading reading = {.refused_id = "b", .refusal_code = 2};

    read_pieces(&reading, LIST_FORMAT_CSV, false, text, sizeof text - 1, NULL, 0);
    ck_assert_int_eq(reading.outcome, LIST_READER_BAD);
    ck_assert_str_eq(reading.diag.text, "line 3: no more of these");
    ck_assert_uint_eq(reading.taken, 1);
    end_reading(&reading);

    reading = (struct reading){.refused_id = "b", .refusal_code = 2};
    read_pieces(&reading, LIST_FORMAT_CSV, true, text, sizeof text - 1, NULL, 0);
    ck_assert_int_eq(reading.outcome, 0);
    ck_assert_uint_eq(reading.taken, 2);
    ck_assert_uint_eq(reading.skipped_lines[0], 3);
    ck_assert_str_eq(reading.skipped_why[0], "no more of these");
    end_reading(&reading);

    reading = (struct reading){.refused_id = "b", .refusal_code = -ENOSPC};
    read_pieces(&reading, LIST_FORMAT_CSV, true, text, sizeof text - 1, NULL, 0);
    ck_assert_int_eq(reading.outcome, -ENOSPC);
    ck_assert_str_eq(reading.diag.text, "line 3: no more of these");
    ck_assert_uint_eq(reading.skips, 0);
    end_reading(&reading);
}
END_TEST

START_TEST(lines_take_hashes_with_and_without_a_type)
{
    struct reading reading;

    read_text(&reading, LIST_FORMAT_LINES, false,
              "\xef\xbb\xbf# a comment, \"with\" quotes\r\n\n" MD5_HEX "\r\n  " SHA1_HEX
              "\t\n  # another\n \t \n"
              "sha256 " SHA256_HEX "\npdq\t " PDQ_HEX "\nmd5 FF112233445566778899AABBCCDDEEFF");
    ck_assert_msg(reading.outcome == 0, "%s", reading.diag.text);
    ck_assert_uint_eq(reading.taken, 5);
    static const enum hash_kind kinds[] = {HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_PDQ, HASH_MD5};
    for (size_t i = 0; i < 5; i++)
        ck_assert_uint_eq(reading.entries.items[i].hashes.kinds, HASH_BIT(kinds[i]));
    ck_assert_int_eq(reading.entries.items[3].hashes.pdq_quality, -1);
    end_reading(&reading);
}
END_TEST

START_TEST(entry_id_of_a_line_is_stable_and_opaque)
{
    struct reading reading;

    read_text(&reading, LIST_FORMAT_LINES, false,
              MD5_HEX "\nmd5 00112233445566778899AABBCCDDEEFF\nsha256 " PDQ_HEX "\npdq " PDQ_HEX "\n");
    ck_assert_int_eq(reading.outcome, 0);
    const struct kept_entry *entries = reading.entries.items;
    /* printf md5:00112233445566778899aabbccddeeff | sha256sum */
    ck_assert_str_eq(entries[0].entry_id, "6eb1c831ad2ff36b29962db4");
    ck_assert_str_eq(entries[1].entry_id, entries[0].entry_id);
    ck_assert_str_ne(entries[2].entry_id, entries[3].entry_id);
    end_reading(&reading);
}
END_TEST

START_TEST(wrong_lines_are_refused_with_the_reason)
{
    refuse(LIST_FORMAT_LINES, "\n" SHA256_HEX "\n",
           "line 2: 64 hexadecimal digits are a sha256 or a pdq: put the word sha256 or pdq before them: "
           "\"fffefdfc…\"");
    refuse(
        LIST_FORMAT_LINES, "0" MD5_HEX "\n",
        "line 1: 33 hexadecimal digits, expected 32 (md5), 40 (sha1) or 64 (sha256 or pdq): \"00011223…\"");
    refuse(LIST_FORMAT_LINES, "00112233445566778899aabbccddeefx\n",
           "line 1: character 32 is not a hexadecimal digit: \"00112233…\"");
    refuse(LIST_FORMAT_LINES, "sha1 " MD5_HEX, "line 1: 32 hexadecimal digits, expected 40: \"00112233…\"");
    refuse(LIST_FORMAT_LINES, "md5", "line 1: 0 hexadecimal digits, expected 32: \"\"");
    refuse(LIST_FORMAT_LINES, "MD5 " MD5_HEX,
           "line 1: more than a hash, or a word (md5, sha1, sha256, pdq) and a hash");
    refuse(LIST_FORMAT_LINES, MD5_HEX "  holiday.jpg\n",
           "line 1: more than a hash, or a word (md5, sha1, sha256, pdq) and a hash");
    refuse(LIST_FORMAT_LINES, "md5 " MD5_HEX " x",
           "line 1: more than a hash, or a word (md5, sha1, sha256, pdq) and a hash");
}
END_TEST

START_TEST(lines_know_no_quotes_and_an_empty_file_is_a_list_of_none)
{
    struct reading reading;

    read_text(&reading, LIST_FORMAT_LINES, true, "\"\n" MD5_HEX "\n\"\n");
    ck_assert_int_eq(reading.outcome, 0);
    ck_assert_uint_eq(reading.taken, 1);
    ck_assert_uint_eq(reading.skipped, 2);
    ck_assert_uint_eq(reading.skipped_lines[1], 3);
    end_reading(&reading);
    read_text(&reading, LIST_FORMAT_LINES, false, "");
    ck_assert_int_eq(reading.outcome, 0);
    ck_assert_uint_eq(reading.taken, 0);
    end_reading(&reading);
}
END_TEST

static void expect_same_reading(const struct reading *a, const struct reading *b, size_t cut)
{
    ck_assert_msg(a->outcome == b->outcome, "cut at %zu: outcome %d, %d", cut, a->outcome, b->outcome);
    ck_assert_msg(strcmp(a->diag.text, b->diag.text) == 0, "cut at %zu: %s | %s", cut, a->diag.text,
                  b->diag.text);
    ck_assert_uint_eq(a->taken, b->taken);
    ck_assert_uint_eq(a->skipped, b->skipped);
    ck_assert_uint_eq(a->skips, b->skips);
    for (size_t i = 0; i < a->skips && i < 64; i++) {
        ck_assert_uint_eq(a->skipped_lines[i], b->skipped_lines[i]);
        ck_assert_str_eq(a->skipped_why[i], b->skipped_why[i]);
    }
    ck_assert_uint_eq(a->entries.count, b->entries.count);
    for (size_t i = 0; i < a->entries.count; i++)
        ck_assert_msg(same_entry(&a->entries.items[i], &b->entries.items[i]), "cut at %zu: entry %zu", cut,
                      i);
}

static void expect_cuts_change_nothing(enum list_format format, bool skip_bad, const char *text, size_t size)
{
    static struct reading whole, cut;
    size_t *every = calloc(size + 1, sizeof *every);

    ck_assert_ptr_nonnull(every);
    whole = (struct reading){.diag = {""}};
    read_pieces(&whole, format, skip_bad, text, size, NULL, 0);
    for (size_t i = 0; i <= size; i++) {
        every[i] = i;
        cut = (struct reading){.diag = {""}};
        read_pieces(&cut, format, skip_bad, text, size, &i, 1);
        expect_same_reading(&whole, &cut, i);
        end_reading(&cut);
    }
    cut = (struct reading){.diag = {""}};
    read_pieces(&cut, format, skip_bad, text, size, every, size + 1);
    expect_same_reading(&whole, &cut, size + 1);
    end_reading(&cut);
    end_reading(&whole);
    free(every);
}

START_TEST(cut_at_any_byte_reads_the_same)
{
    static const char csv[] = "\xef\xbb\xbf\"entry_id\",md5,note\r\n\r\n"
                              "a," MD5_HEX ",\"x \"\"y\"\", z\"\r\n"
                              "b,12,\n"
                              "\"c\"\"\",\"" MD5_HEX "\",\"\"\n"
                              "d," MD5_HEX ",\"two\nlines\"\n"
                              "e\xc3\xa4," MD5_HEX ",\xf0\x9f\x98\x80\r\n"
                              "f," MD5_HEX ",\"tail\"x\n"
                              "g," MD5_HEX ",\"never closed\nh,";
    static const char half_mark[] = "\xef\xbb"
                                    "entry_id,md5\n";
    static const char lines[] =
        "\xef\xbb\xbf# x\n" MD5_HEX "\r\nsha256 " SHA256_HEX "\n64\n pdq  " PDQ_HEX "\t\r\n";

    expect_cuts_change_nothing(LIST_FORMAT_CSV, true, csv, sizeof csv - 1);
    expect_cuts_change_nothing(LIST_FORMAT_CSV, false, csv, sizeof csv - 1);
    expect_cuts_change_nothing(LIST_FORMAT_CSV, false, half_mark, sizeof half_mark - 1);
    expect_cuts_change_nothing(LIST_FORMAT_LINES, true, lines, sizeof lines - 1);
    expect_cuts_change_nothing(LIST_FORMAT_LINES, false, lines, sizeof lines - 1);
    expect_cuts_change_nothing(LIST_FORMAT_LINES, false, "\xef\xbb", 2);
}
END_TEST

/* A file of random pieces, most of them troublesome, also longer than a row may be. */
static size_t random_file(uint64_t *state, char *text, size_t capacity)
{
    static const char *const parts[] = {
        "a,",           ",",    "\"", "\"\"", "\n", "\r\n", "\r", MD5_HEX, "x," MD5_HEX ",\n", "\"q\nq\",",
        "\xef\xbb\xbf", "md5 ", "#",  " "};
    size_t size =
        (size_t)snprintf(text, capacity, "%s", random_below(state, 8) == 0 ? "" : "entry_id,md5,note\n");
    unsigned int count = random_below(state, 40);

    for (unsigned int i = 0; i < count; i++) {
        const char *part = parts[random_below(state, sizeof parts / sizeof parts[0])];
        size_t length = strlen(part);

        memcpy(text + size, part, length);
        size += length;
        if (random_below(state, 60) == 0) {
            size_t run = LIST_ROW_MAX - 40 + random_below(state, 80);
            memset(text + size, 'r', run);
            size += run;
        }
        if (random_below(state, 100) == 0)
            text[size++] = '\0';
    }
    return size;
}

START_TEST(random_files_read_the_same_however_they_are_cut)
{
    static struct reading whole, cut;
    uint64_t state = 0x5eed;
    enum { CAPACITY = 200000, ROUNDS = 4000 };
    char *text = malloc(CAPACITY);
    unsigned int good = 0;

    ck_assert_ptr_nonnull(text);
    for (int round = 0; round < ROUNDS; round++) {
        size_t size = random_file(&state, text, CAPACITY);
        enum list_format format = random_below(&state, 4) == 0 ? LIST_FORMAT_LINES : LIST_FORMAT_CSV;
        bool skip_bad = random_below(&state, 4) != 0;
        size_t ends[8];
        size_t at = 0;

        for (size_t i = 0; i < 8; i++)
            ends[i] = at += random_below(&state, (unsigned int)((size - at) / 2 + 1));
        whole = (struct reading){.diag = {""}};
        cut = (struct reading){.diag = {""}};
        read_pieces(&whole, format, skip_bad, text, size, NULL, 0);
        read_pieces(&cut, format, skip_bad, text, size, ends, 8);
        expect_same_reading(&whole, &cut, (size_t)round);
        good += whole.outcome == 0 && whole.taken > 0;
        end_reading(&whole);
        end_reading(&cut);
    }
    /* The random files must not all be refused at once. */
    ck_assert_uint_gt(good, ROUNDS / 20);
    free(text);
}
END_TEST

START_TEST(formats_have_names)
{
    enum list_format format = LIST_FORMAT_COUNT;

    ck_assert_str_eq(list_format_name(LIST_FORMAT_LINES), "lines");
    ck_assert(list_format_parse("csv", &format) && format == LIST_FORMAT_CSV);
    ck_assert(!list_format_parse("CSV", &format));
    ck_assert_int_eq(format, LIST_FORMAT_CSV);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lists_reader");
    TCase *tests = tcase_create("lists_reader");

    tcase_add_test(tests, csv_gives_every_column);
    tcase_add_test(tests, csv_columns_stand_in_any_order_and_only_two_are_needed);
    tcase_add_test(tests, csv_tolerates_mark_line_ends_and_blank_lines);
    tcase_add_test(tests, csv_quotes_follow_rfc_4180);
    tcase_add_test(tests, csv_header_is_held_to_the_letter);
    tcase_add_test(tests, missing_header_shows_no_hash);
    tcase_add_test(tests, bad_header_refuses_also_when_bad_rows_are_skipped);
    tcase_add_test(tests, wrong_hash_is_named_by_shape_and_never_shown_whole);
    tcase_add_test(tests, views_are_names_and_hashes_parted_by_single_spaces);
    tcase_add_test(tests, row_without_a_hash_or_with_a_lone_quality_is_refused);
    tcase_add_test(tests, fields_must_be_as_many_as_the_header_names);
    tcase_add_test(tests, quality_is_a_number_from_0_to_100);
    tcase_add_test(tests, texts_have_their_largest_sizes);
    tcase_add_test(tests, texts_are_printable_utf8_and_an_entry_id_is_never_empty);
    tcase_add_test(tests, rows_have_a_largest_size);
    tcase_add_test(tests, nul_bytes_are_refused);
    tcase_add_test(tests, skipping_leaves_bad_rows_out_and_names_each);
    tcase_add_test(tests, row_hidden_in_a_quoted_field_is_not_taken);
    tcase_add_test(tests, open_quote_refuses_even_when_skipping);
    tcase_add_test(tests, quote_that_closes_too_late_refuses_even_when_skipping);
    tcase_add_test(tests, overlong_row_is_skipped_to_its_end);
    tcase_add_test(tests, refusal_by_the_sink_names_the_line);
    tcase_add_test(tests, lines_take_hashes_with_and_without_a_type);
    tcase_add_test(tests, entry_id_of_a_line_is_stable_and_opaque);
    tcase_add_test(tests, wrong_lines_are_refused_with_the_reason);
    tcase_add_test(tests, lines_know_no_quotes_and_an_empty_file_is_a_list_of_none);
    tcase_add_test(tests, cut_at_any_byte_reads_the_same);
    tcase_add_test(tests, random_files_read_the_same_however_they_are_cut);
    tcase_add_test(tests, formats_have_names);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
