#include "prescreen/decode/decode.h"

#include "codec_limits.h"

#include <stdbool.h>
#include <string.h>

/* What is being looked at. */
struct head {
    const uint8_t *data;
    size_t size;
};

static bool has(const struct head *head, size_t at, const char *magic, size_t length)
{
    return head->size >= at + length && memcmp(head->data + at, magic, length) == 0;
}

static uint32_t read_le(const uint8_t *at, unsigned int bytes)
{
    uint32_t value = 0;

    for (unsigned int i = 0; i < bytes; i++)
        value |= (uint32_t)at[i] << (8 * i);
    return value;
}

static uint32_t read_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool is_jpeg(const struct head *head)
{
    return has(head, 0, "\xff\xd8\xff", 3) || (head->size == 2 && has(head, 0, "\xff\xd8", 2));
}

/* A file that ends inside the signature is a cut PNG when it is too long to be chance. */
static bool is_png(const struct head *head)
{
    size_t length = head->size < 8 ? head->size : 8;

    return length >= 4 && has(head, 0, "\x89PNG\r\n\x1a\n", length);
}

static bool is_webp(const struct head *head)
{
    return has(head, 0, "RIFF", 4) && has(head, 8, "WEBP", 4);
}

static bool is_gif(const struct head *head)
{
    return has(head, 0, "GIF87a", 6) || has(head, 0, "GIF89a", 6);
}

static bool is_one_of(const uint8_t *brand, const char *brands)
{
    for (; *brands != '\0'; brands += 4) {
        if (memcmp(brand, brands, 4) == 0)
            return true;
    }
    return false;
}

/* True when the ftyp box that opens the file names one of these brands (four letters each, one after
 * another), as major or as compatible brand. Source: ISO/IEC 14496-12 section 4.3. */
static bool has_brand(const struct head *head, const char *brands)
{
    if (head->size < 16 || !has(head, 4, "ftyp", 4))
        return false;
    size_t end = read_be32(head->data);
    if (end > head->size)
        end = head->size;
    if (end > CODEC_SNIFF_WINDOW_BYTES)
        end = CODEC_SNIFF_WINDOW_BYTES;
    for (size_t at = 8; at + 4 <= end;
         at += at == 8 ? 8 : 4) { /* the minor version follows the major brand */
        if (is_one_of(head->data + at, brands))
            return true;
    }
    return false;
}

static bool is_avif(const struct head *head)
{
    return has_brand(head, "avifavis");
}

static bool is_heic(const struct head *head)
{
    return has_brand(head, "heicheixhevchevxheimheishevmhevsmif1msf1");
}

/* Source: TIFF 6.0 section 2; BigTIFF counts as TIFF. The first directory cannot lie inside the header. */
static bool is_tiff(const struct head *head)
{
    if (has(head, 0, "II*\0", 4) && head->size >= 8)
        return read_le(head->data + 4, 4) >= 8;
    if (has(head, 0, "MM\0*", 4) && head->size >= 8)
        return read_be32(head->data + 4) >= 8;
    return has(head, 0, "II+\0\x08\0\0\0", 8) || has(head, 0, "MM\0+\0\x08\0\0", 8);
}

/* "BM" is also how texts begin: the header's own size, its one plane and the place of the pixels must fit
 * together. */
static bool is_bmp(const struct head *head)
{
    if (!has(head, 0, "BM", 2) || head->size < 26)
        return false;
    uint32_t header = read_le(head->data + 14, 4);
    bool known = header == 12 || header == 16 || header == 40 || header == 52 || header == 56 ||
                 header == 64 || header == 108 || header == 124;
    uint32_t planes = header == 12      ? read_le(head->data + 22, 2)
                      : head->size < 28 ? 0
                                        : read_le(head->data + 26, 2);

    return known && planes == 1 && read_le(head->data + 10, 4) >= 14 + header;
}

/* Icons and cursors have no magic to speak of: every directory entry present must be well formed. */
static bool is_ico(const struct head *head)
{
    if (head->size < 22 || !(has(head, 0, "\0\0\1\0", 4) || has(head, 0, "\0\0\2\0", 4)))
        return false;
    uint32_t count = read_le(head->data + 4, 2);
    if (count == 0)
        return false;
    for (size_t at = 6; count-- > 0 && at + 16 <= head->size; at += 16) {
        if (head->data[at + 3] != 0 || read_le(head->data + at + 8, 4) == 0 ||
            read_le(head->data + at + 12, 4) < 22)
            return false;
    }
    return true;
}

/* The container has a long signature. Of the bare codestream only ff 0a is fixed, which no text and no other
 * format known here begins with; a codestream holds its size and metadata after it. */
static bool is_jxl(const struct head *head)
{
    return has(head, 0, "\0\0\0\x0cJXL \r\n\x87\n", 12) || (has(head, 0, "\xff\x0a", 2) && head->size >= 12);
}

static bool is_jp2(const struct head *head)
{
    return has(head, 0, "\0\0\0\x0cjP  \r\n\x87\n", 12) || has(head, 0, "\xff\x4f\xff\x51", 4);
}

static bool is_psd(const struct head *head)
{
    return has(head, 0, "8BPS\0\1", 6) || has(head, 0, "8BPS\0\2", 6);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Moves past white space and, from a '#' on, past lines of comment. Returns false when there was none. */
static bool skip_pnm_space(const struct head *head, size_t *at)
{
    size_t start = *at;

    while (*at < head->size && (is_space(head->data[*at]) || head->data[*at] == '#')) {
        if (head->data[*at] == '#') {
            while (*at < head->size && head->data[*at] != '\n')
                (*at)++;
        } else {
            (*at)++;
        }
    }
    return *at > start;
}

static bool skip_pnm_number(const struct head *head, size_t *at)
{
    size_t start = *at;

    while (*at < head->size && head->data[*at] >= '0' && head->data[*at] <= '9')
        (*at)++;
    return *at > start && *at - start <= 9;
}

/* "P3" may open a sentence: width, height and, where there is one, the largest value must follow as numbers,
 * and white space after them. Source: the Netpbm formats, pbm(5) to pam(5). */
static bool is_pnm(const struct head *head)
{
    struct head window = {head->data,
                          head->size < CODEC_SNIFF_WINDOW_BYTES ? head->size : CODEC_SNIFF_WINDOW_BYTES};
    size_t at = 2;

    if (has(head, 0, "P7\n", 3))
        return has(head, 3, "WIDTH ", 6) || has(head, 3, "HEIGHT ", 7) || has(head, 3, "DEPTH ", 6) ||
               has(head, 3, "MAXVAL ", 7) || has(head, 3, "TUPLTYPE ", 9) || has(head, 3, "#", 1);
    if (head->size < 7 || head->data[0] != 'P' || head->data[1] < '1' || head->data[1] > '6')
        return false;
    int numbers = head->data[1] == '1' || head->data[1] == '4' ? 2 : 3;
    while (numbers-- > 0) {
        if (!skip_pnm_space(&window, &at) || !skip_pnm_number(&window, &at))
            return false;
    }
    return at < window.size && is_space(window.data[at]);
}

static bool is_dds(const struct head *head)
{
    return has(head, 0, "DDS \x7c\0\0\0", 8);
}

/* Moves past text up to and with its end mark. Returns false when the mark is not there. */
static bool skip_past(const struct head *head, size_t *at, const char *mark)
{
    size_t length = strlen(mark);

    for (; *at + length <= head->size; (*at)++) {
        if (memcmp(head->data + *at, mark, length) == 0) {
            *at += length;
            return true;
        }
    }
    return false;
}

/* Moves past white space, declarations and comments to the first element. Returns false when the text ends
 * first. */
static bool find_root_element(const struct head *head, size_t *at)
{
    for (;;) {
        while (*at < head->size && is_space(head->data[*at]))
            (*at)++;
        bool found = true;
        if (has(head, *at, "<?", 2))
            found = skip_past(head, at, "?>");
        else if (has(head, *at, "<!--", 4))
            found = skip_past(head, at, "-->");
        else if (has(head, *at, "<!", 2))
            found = skip_past(head, at, ">");
        else
            return *at < head->size;
        if (!found)
            return false;
    }
}

/* SVG is the XML text whose root element is svg; a page that merely contains one is not. */
static bool is_svg(const struct head *head)
{
    struct head window = {head->data,
                          head->size < CODEC_SNIFF_WINDOW_BYTES ? head->size : CODEC_SNIFF_WINDOW_BYTES};
    size_t at = has(head, 0, "\xef\xbb\xbf", 3) ? 3 : 0;

    if (!find_root_element(&window, &at))
        return false;
    size_t name = has(&window, at, "<svg:svg", 8) ? 8 : has(&window, at, "<svg", 4) ? 4 : 0;
    if (name == 0 || at + name >= window.size)
        return false;
    uint8_t next = window.data[at + name];
    return is_space(next) || next == '>' || next == '/';
}

enum media_format decode_sniff(const uint8_t *data, size_t size)
{
    static const struct {
        enum media_format format;
        bool (*matches)(const struct head *head);
    } formats[] = {
        {FORMAT_JPEG, is_jpeg}, {FORMAT_PNG, is_png},   {FORMAT_WEBP, is_webp}, {FORMAT_GIF, is_gif},
        {FORMAT_AVIF, is_avif}, {FORMAT_HEIC, is_heic}, {FORMAT_TIFF, is_tiff}, {FORMAT_BMP, is_bmp},
        {FORMAT_ICO, is_ico},   {FORMAT_JXL, is_jxl},   {FORMAT_JP2, is_jp2},   {FORMAT_PSD, is_psd},
        {FORMAT_DDS, is_dds},   {FORMAT_PNM, is_pnm},   {FORMAT_SVG, is_svg},
    };
    const struct head head = {data, size};

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (formats[i].matches(&head))
            return formats[i].format;
    }
    return FORMAT_UNKNOWN;
}
