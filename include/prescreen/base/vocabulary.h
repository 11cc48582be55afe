/* The words of the interface, each with the one spelling that clients, records and configuration use. */
#ifndef PRESCREEN_BASE_VOCABULARY_H
#define PRESCREEN_BASE_VOCABULARY_H

#include <stdbool.h>

/* Ordered by strictness: the strictest of all that applies wins. */
enum verdict { VERDICT_ALLOW, VERDICT_BLOCK, VERDICT_REPORT, VERDICT_COUNT };

/* What a match with an entry of a list asks for. */
enum list_action { ACTION_REPORT, ACTION_BLOCK, ACTION_ALLOW, ACTION_OBSERVE, ACTION_COUNT };

/* The age band that the platform's age assurance gives for the account. */
enum audience { AUDIENCE_CHILD, AUDIENCE_ADULT, AUDIENCE_UNKNOWN, AUDIENCE_COUNT };

enum hash_kind { HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_PDQ, HASH_KIND_COUNT };

/* What a row of a list file may say of an entry. The hashes stand in the order of enum hash_kind. */
enum list_column {
    COLUMN_ENTRY_ID,
    COLUMN_MD5,
    COLUMN_SHA1,
    COLUMN_SHA256,
    COLUMN_PDQ,
    COLUMN_QUALITY,
    COLUMN_CLASSIFICATION,
    COLUMN_NOTE,
    COLUMN_VIEWS, /* exported only of a list that has any */
    COLUMN_COUNT
};

/* The eight symmetries of a square, named as PDQ's reference names them. */
enum orientation {
    ORIENTATION_ORIGINAL,
    ORIENTATION_ROTATE90,
    ORIENTATION_ROTATE180,
    ORIENTATION_ROTATE270,
    ORIENTATION_FLIP_X,
    ORIENTATION_FLIP_Y,
    ORIENTATION_FLIP_PLUS1,
    ORIENTATION_FLIP_MINUS1,
    ORIENTATION_COUNT
};

/* Which rendering of a picture a perceptual hash was taken from. Lists are stored with the number: a new one
 * goes to the end. */
enum view {
    VIEW_MAIN,        /* the picture as shown; transparent parts over white */
    VIEW_UNDER_ALPHA, /* the stored colours, transparency ignored */
    VIEW_OVER_BLACK,  /* transparent parts over black */
    VIEW_THUMBNAIL,   /* the small picture that a file carries beside the picture */
    VIEW_NEGATIVE,    /* black for white */
    VIEW_PEELED,      /* without uniform margins */
    VIEW_BOX,  /* what stands between straight edges: without captions, screens, backgrounds, neighbours */
    VIEW_HALF, /* one of a pair side by side or one above the other */
    VIEW_QUARTER,
    VIEW_UNCROPPED, /* what a crop cut off, filled from what it left */
    VIEW_UNROTATED, /* turned back by some degrees */
    VIEW_PATCHED,   /* flat shapes filled from around them: stickers, words, bars */
    VIEW_CROP,      /* part of a picture of one's own on a list, as its copies may show it */
    VIEW_COUNT
};

/* What was decided about one entry of a list, by people or by the flood guard. */
enum entry_ruling {
    RULING_NONE,
    RULING_EXEMPT,    /* a false positive: its matches are shown and change no verdict */
    RULING_SET_ASIDE, /* it waits for review: its matches ask at most for block */
    RULING_CONFIRMED, /* reviewed and right: the flood guard leaves it alone */
    RULING_COUNT
};

/* How many views of an upload are looked up. */
enum effort { EFFORT_FAST, EFFORT_STANDARD, EFFORT_THOROUGH, EFFORT_COUNT };

/* What follows the end of the picture in the same file: viewers never show it. */
enum trailing_data {
    TRAILING_NONE,
    TRAILING_PADDING, /* zeros or white space */
    TRAILING_PICTURE, /* of a format known here */
    TRAILING_ZIP,     /* also office documents and programs for a virtual machine */
    TRAILING_ARCHIVE, /* RAR, 7z, gzip */
    TRAILING_PDF,
    TRAILING_VIDEO,  /* ISO media: the moving half of a motion photo */
    TRAILING_SCRIPT, /* markup or a script */
    TRAILING_UNKNOWN,
    TRAILING_COUNT
};

enum media_format {
    FORMAT_UNKNOWN,
    FORMAT_JPEG,
    FORMAT_PNG,
    FORMAT_WEBP,
    FORMAT_GIF,
    FORMAT_HEIC,
    FORMAT_AVIF,
    FORMAT_TIFF,
    FORMAT_BMP,
    FORMAT_ICO,
    FORMAT_JXL,
    FORMAT_JP2,
    FORMAT_PSD,
    FORMAT_SVG,
    FORMAT_PNM,
    FORMAT_DDS,
    FORMAT_COUNT
};

/* Why a screening came out as it did. Match reasons first, media reasons from REASON_MEDIA_FIRST on. */
enum reason {
    REASON_MATCH_EXACT,
    REASON_MATCH_NEAR,
    REASON_MATCH_DERIVED,
    REASON_MATCH_OBSERVED,
    REASON_MATCH_ALLOWED,
    REASON_MATCH_SET_ASIDE,
    REASON_MEDIA_UNRECOGNISED, /* not a picture format that is known here */
    REASON_MEDIA_UNSUPPORTED,  /* a picture format or feature that this build does not decode */
    REASON_MEDIA_CORRUPT,      /* not all of the picture could be decoded */
    REASON_MEDIA_LIMIT_PIXELS,
    REASON_MEDIA_LIMIT_FRAMES,
    REASON_MEDIA_LIMIT_TIME,
    REASON_MEDIA_LIMIT_MEMORY,
    REASON_MEDIA_DECODER_DIED,
    REASON_MEDIA_LOW_QUALITY, /* PDQ quality below the floor: near matching not meaningful */
    REASON_COUNT
};
#define REASON_MEDIA_FIRST REASON_MEDIA_UNRECOGNISED

/* A set of reasons: bit (1u << reason). */
typedef unsigned int reason_set;
#define REASON_BIT(reason) (1u << (unsigned int)(reason))

/* Rights of an API key: a set of bits. */
enum right { RIGHT_SCREEN = 1, RIGHT_DETAIL = 2, RIGHT_LISTS = 4 };

/* The spelling of a word. The value must be in range. Static storage. */
const char *verdict_name(enum verdict verdict);
const char *list_action_name(enum list_action action);
const char *audience_name(enum audience audience);
const char *list_column_name(enum list_column column);
const char *hash_kind_name(enum hash_kind kind);
const char *orientation_name(enum orientation orientation);
const char *view_name(enum view view);
const char *entry_ruling_name(enum entry_ruling ruling);
const char *effort_name(enum effort effort);
const char *trailing_data_name(enum trailing_data trailing);
const char *media_format_name(enum media_format format);
const char *reason_name(enum reason reason);
const char *right_name(enum right right);

/* Reads a word. Returns false, output untouched, on any other text. */
bool verdict_parse(const char *name, enum verdict *verdict);
bool list_action_parse(const char *name, enum list_action *action);
bool audience_parse(const char *name, enum audience *audience);
bool entry_ruling_parse(const char *name, enum entry_ruling *ruling);
bool effort_parse(const char *name, enum effort *effort);
bool hash_kind_parse(const char *name, enum hash_kind *kind);
bool view_parse(const char *name, enum view *view);
bool reason_parse(const char *name, enum reason *reason);
bool right_parse(const char *name, enum right *right);

#endif
