#include "prescreen/base/text.h"
#include "prescreen/config/config.h"

#include "settings.h"

#include <inttypes.h>
#include <string.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define MS  ((uint64_t)1000)
#define S   ((uint64_t)1000000)
#define MIN (60 * S)
#define H   (60 * MIN)

#define AT(member) offsetof(struct config_limits, member)

const struct config_limit_row config_limit_rows[] = {
    {"body", 1 * KIB, 32 * MIB, 1 * GIB, UNIT_BYTES, AT(body_bytes),
     "largest upload; a larger one is answered 413"},
    {"import", 1 * KIB, 4 * GIB, 1024 * GIB, UNIT_BYTES, AT(import_bytes),
     "largest list that one call may bring"},
    {"pixels", 1, 100000000, (uint64_t)65535 * 65535, UNIT_COUNT, AT(pixels),
     "width times height; above it the picture is media.limit.pixels"},
    {"frames", 1, 500, 100000, UNIT_COUNT, AT(frames),
     "frames of an animation that are examined; above it media.limit.frames"},
    {"worker_memory", 64 * MIB, 512 * MIB, 64 * GIB, UNIT_BYTES, AT(worker_memory_bytes),
     "address space of a worker; above it media.limit.memory"},
    {"job_time", 10 * MS, 2 * S, 600 * S, UNIT_TIME, AT(job_time_us),
     "to examine one upload; above it media.limit.time"},
    {"upload_time", 100 * MS, 30 * S, 3600 * S, UNIT_TIME, AT(upload_time_us),
     "for an upload to arrive, however it trickles"},
    {"connections", 1, 256, 65536, UNIT_COUNT, AT(connections), "open at once; more are turned away"},
    {"queue", 1, 64, 65536, UNIT_COUNT, AT(queue), "uploads that wait for a worker; more are answered 503"},
    {"queue_time", 1 * MS, 2 * S, 60 * S, UNIT_TIME, AT(queue_time_us),
     "longest wait for a worker, then 503"},
    {"history", 10, 1000, 1000000, UNIT_COUNT, AT(history),
     "versions of a list to go back to; of older ones only who, when, how many"},
    {"flood_window", 1 * MIN, 1 * H, 168 * H, UNIT_TIME, AT(flood_window_us),
     "over which the matches of an entry are counted, each account, else content, once"},
    {"flood_matches", 2, 100, 1000000000, UNIT_COUNT, AT(flood_matches),
     "of an entry of a report list in a window; from there on it is set aside when that is far above its "
     "history"},
    {"flood_factor", 1, 10, 1000000, UNIT_COUNT, AT(flood_factor),
     "times as many as in its usual window are far above its history"},
    {"snapshot_interval", 1 * S, 600 * S, 86400 * S, UNIT_TIME, AT(snapshot_interval_us),
     "between two snapshots of the index, at least; one is written when a hundredth of the entries changed"},
    {"cache", 0, 64 * MIB, 64 * GIB, UNIT_BYTES, AT(cache_bytes),
     "memory for what workers found, so that the same bytes are not decoded again; 0 = none is kept"},
    {"feed_page", 1 * KIB, 64 * MIB, 1 * GIB, UNIT_BYTES, AT(feed_page_bytes),
     "largest page of a list that is fetched from its source"},
    {"feed_time", 100 * MS, 120 * S, 3600 * S, UNIT_TIME, AT(feed_time_us), "for such a page to arrive"},
};
const size_t config_limit_count = sizeof config_limit_rows / sizeof config_limit_rows[0];

_Static_assert(sizeof config_limit_rows / sizeof config_limit_rows[0] ==
                   sizeof(struct config_limits) / sizeof(uint64_t),
               "each limit has its row");

struct scale {
    uint64_t factor;
    const char *suffix;
};

static const struct scale *scales_of(enum config_unit unit)
{
    static const struct scale bytes[] = {{GIB, "GiB"}, {MIB, "MiB"}, {KIB, "KiB"}, {1, ""}};
    static const struct scale counts[] = {{1, ""}};
    static const struct scale times[] = {{3600 * S, "h"}, {60 * S, "m"}, {S, "s"}, {MS, "ms"}, {1, "us"}};

    return unit == UNIT_BYTES ? bytes : unit == UNIT_TIME ? times : counts;
}

void config_limit_format(const struct config_limit_row *row, uint64_t value,
                         char text[CONFIG_LIMIT_TEXT_SIZE])
{
    const struct scale *scale = scales_of(row->unit);

    while (scale->factor > 1 && (value == 0 || value % scale->factor != 0))
        scale++;
    snprintf(text, CONFIG_LIMIT_TEXT_SIZE, "%" PRIu64 "%s", value / scale->factor, scale->suffix);
}

void config_describe_limits(FILE *stream)
{
    for (size_t i = 0; i < config_limit_count; i++) {
        const struct config_limit_row *row = &config_limit_rows[i];
        char minimum[CONFIG_LIMIT_TEXT_SIZE];
        char standard[CONFIG_LIMIT_TEXT_SIZE];
        char maximum[CONFIG_LIMIT_TEXT_SIZE];

        config_limit_format(row, row->minimum, minimum);
        config_limit_format(row, row->standard, standard);
        config_limit_format(row, row->maximum, maximum);
        fprintf(stream, "  %-17s %-10s %s to %s: %s\n", row->name, standard, minimum, maximum, row->reason);
    }
}

static bool parse(const struct config_limit_row *row, const char *text, uint64_t *value)
{
    switch (row->unit) {
    case UNIT_BYTES:
        return text_parse_size(text, value);
    case UNIT_TIME:
        return text_parse_duration(text, value);
    default:
        return text_parse_u64(text, UINT64_MAX, value);
    }
}

static int read_limit(struct config_source *source, const struct config_limit_row *row, const char *text,
                      struct config_limits *limits)
{
    static const char *const spellings[] = {[UNIT_BYTES] = "a size in KiB, MiB or GiB",
                                            [UNIT_COUNT] = "a number",
                                            [UNIT_TIME] = "a time in ms, s, m or h"};
    char minimum[CONFIG_LIMIT_TEXT_SIZE];
    char maximum[CONFIG_LIMIT_TEXT_SIZE];
    char key[CONFIG_KEY_TEXT_MAX];
    uint64_t value = 0;

    if (parse(row, text, &value) && value >= row->minimum && value <= row->maximum) {
        memcpy((char *)limits + row->offset, &value, sizeof value);
        return 0;
    }
    config_limit_format(row, row->minimum, minimum);
    config_limit_format(row, row->maximum, maximum);
    snprintf(key, sizeof key, "limits.%s", row->name);
    return config_refuse(source, key, "\"%.40s\" is not taken; write %s, from %s to %s", text,
                         spellings[row->unit], minimum, maximum);
}

int settings_read_limits(struct config_source *source, char *const texts[RAW_LIMITS],
                         struct config_limits *limits)
{
    int error = 0;

    for (size_t i = 0; error == 0 && i < config_limit_count; i++) {
        if (texts[i] != NULL)
            error = read_limit(source, &config_limit_rows[i], texts[i], limits);
    }
    return error;
}
