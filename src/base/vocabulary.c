#include "prescreen/base/vocabulary.h"

#include "prescreen/base/bug.h"

#include <stddef.h>
#include <string.h>

static const char *const verdicts[VERDICT_COUNT] = {"allow", "block", "report"};
static const char *const list_actions[ACTION_COUNT] = {"report", "block", "allow", "observe"};
static const char *const audiences[AUDIENCE_COUNT] = {"child", "adult", "unknown"};
static const char *const hash_kinds[HASH_KIND_COUNT] = {"md5", "sha1", "sha256", "pdq"};
static const char *const list_columns[COLUMN_COUNT] = {
    "entry_id", "md5", "sha1", "sha256", "pdq", "pdq_quality", "classification", "note", "views"};
static const char *const orientations[ORIENTATION_COUNT] = {
    "original", "rotate90", "rotate180", "rotate270", "flip_x", "flip_y", "flip_plus1", "flip_minus1"};
static const char *const views[VIEW_COUNT] = {
    "main", "under_alpha", "over_black", "thumbnail", "negative", "peeled", "box",
    "half", "quarter",     "uncropped",  "unrotated", "patched",  "crop"};
static const char *const entry_rulings[RULING_COUNT] = {"none", "exempt", "set_aside", "confirmed"};
static const char *const efforts[EFFORT_COUNT] = {"fast", "standard", "thorough"};
static const char *const trailing_kinds[TRAILING_COUNT] = {"none", "padding", "picture", "zip",    "archive",
                                                           "pdf",  "video",   "script",  "unknown"};
static const char *const media_formats[FORMAT_COUNT] = {"unknown", "jpeg", "png", "webp", "gif", "heic",
                                                        "avif",    "tiff", "bmp", "ico",  "jxl", "jp2",
                                                        "psd",     "svg",  "pnm", "dds"};
static const char *const reasons[REASON_COUNT] = {
    "match.exact",        "match.near",         "match.derived",      "match.observed",
    "match.allowed",      "match.set_aside",    "media.unrecognised", "media.unsupported",
    "media.corrupt",      "media.limit.pixels", "media.limit.frames", "media.limit.time",
    "media.limit.memory", "media.decoder_died", "media.low_quality"};
static const char *const rights[] = {"screen", "detail", "lists"};

static const char *word(const char *const *words, int count, int value)
{
    BUG_ON(value < 0 || value >= count);
    return words[value];
}

static int find(const char *const *words, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], name) == 0)
            return i;
    }
    return -1;
}

const char *verdict_name(enum verdict verdict)
{
    return word(verdicts, VERDICT_COUNT, (int)verdict);
}

const char *list_action_name(enum list_action action)
{
    return word(list_actions, ACTION_COUNT, (int)action);
}

const char *audience_name(enum audience audience)
{
    return word(audiences, AUDIENCE_COUNT, (int)audience);
}

const char *hash_kind_name(enum hash_kind kind)
{
    return word(hash_kinds, HASH_KIND_COUNT, (int)kind);
}

const char *list_column_name(enum list_column column)
{
    return word(list_columns, COLUMN_COUNT, (int)column);
}

const char *orientation_name(enum orientation orientation)
{
    return word(orientations, ORIENTATION_COUNT, (int)orientation);
}

const char *view_name(enum view view)
{
    return word(views, VIEW_COUNT, (int)view);
}

const char *entry_ruling_name(enum entry_ruling ruling)
{
    return word(entry_rulings, RULING_COUNT, (int)ruling);
}

const char *effort_name(enum effort effort)
{
    return word(efforts, EFFORT_COUNT, (int)effort);
}

const char *trailing_data_name(enum trailing_data trailing)
{
    return word(trailing_kinds, TRAILING_COUNT, (int)trailing);
}

const char *media_format_name(enum media_format format)
{
    return word(media_formats, FORMAT_COUNT, (int)format);
}

const char *reason_name(enum reason reason)
{
    return word(reasons, REASON_COUNT, (int)reason);
}

const char *right_name(enum right right)
{
    return word(rights, 3, right == RIGHT_SCREEN ? 0 : right == RIGHT_DETAIL ? 1 : 2);
}

bool verdict_parse(const char *name, enum verdict *verdict)
{
    int value = find(verdicts, VERDICT_COUNT, name);

    if (value >= 0)
        *verdict = (enum verdict)value;
    return value >= 0;
}

bool list_action_parse(const char *name, enum list_action *action)
{
    int value = find(list_actions, ACTION_COUNT, name);

    if (value >= 0)
        *action = (enum list_action)value;
    return value >= 0;
}

bool audience_parse(const char *name, enum audience *audience)
{
    int value = find(audiences, AUDIENCE_COUNT, name);

    if (value >= 0)
        *audience = (enum audience)value;
    return value >= 0;
}

bool entry_ruling_parse(const char *name, enum entry_ruling *ruling)
{
    int value = find(entry_rulings, RULING_COUNT, name);

    if (value >= 0)
        *ruling = (enum entry_ruling)value;
    return value >= 0;
}

bool effort_parse(const char *name, enum effort *effort)
{
    int value = find(efforts, EFFORT_COUNT, name);

    if (value >= 0)
        *effort = (enum effort)value;
    return value >= 0;
}

bool hash_kind_parse(const char *name, enum hash_kind *kind)
{
    int value = find(hash_kinds, HASH_KIND_COUNT, name);

    if (value >= 0)
        *kind = (enum hash_kind)value;
    return value >= 0;
}

bool view_parse(const char *name, enum view *view)
{
    int value = find(views, VIEW_COUNT, name);

    if (value >= 0)
        *view = (enum view)value;
    return value >= 0;
}

bool reason_parse(const char *name, enum reason *reason)
{
    int value = find(reasons, REASON_COUNT, name);

    if (value >= 0)
        *reason = (enum reason)value;
    return value >= 0;
}

bool right_parse(const char *name, enum right *right)
{
    int value = find(rights, 3, name);

    if (value >= 0)
        *right = (enum right)(1 << value);
    return value >= 0;
}
