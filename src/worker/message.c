#include "message.h"

#include "prescreen/base/bug.h"
#include "prescreen/hash/pdq.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { MAGIC = 0x6e637370, VERSION = 2 };

enum reply_type { REPLY_EXAMINED = 101, REPLY_SELF_TESTED, REPLY_SURVIVED, REPLY_MEASURED, REPLY_VIEWS };

struct header {
    uint32_t magic;
    uint16_t version;
    uint16_t type;
    uint64_t number;
};

struct wire_job {
    struct header header;
    uint64_t size;
    uint64_t pixels_max;
    uint64_t time_us;
    uint32_t frames_max;
    uint16_t effort, enrolment;
    uint32_t repeats;
    uint32_t call;
    uint32_t parent_pid;
    uint32_t unused;
};
_Static_assert(sizeof(struct wire_job) == MESSAGE_JOB_SIZE, "no padding");

struct wire_view {
    uint32_t view, frame, quality, unused;
    uint64_t hashes[ORIENTATION_COUNT][4];
};
_Static_assert(sizeof(struct wire_view) == 272, "no padding");

struct wire_examined {
    struct header header;
    uint32_t format, width, height, frames, reasons, view_count;
    uint64_t trailing_bytes;
    uint32_t trailing, unused;
    char detail[128];
};
_Static_assert(sizeof(struct wire_examined) == 184, "no padding");
_Static_assert(sizeof(struct wire_examined) + MESSAGE_VIEWS_MAX * sizeof(struct wire_view) <=
                   MESSAGE_REPLY_MAX,
               "a full packet fits");

/* Self-tested: the Landlock version. Survived: the call. */
struct wire_number {
    struct header header;
    uint32_t value;
    uint32_t unused;
};
_Static_assert(sizeof(struct wire_number) == 24, "no padding");

enum { MEASURED_TIMINGS = 4 + EFFORT_COUNT };

struct wire_measured {
    struct header header;
    uint32_t reasons, format, width, height;
    uint64_t times_us[2 * MEASURED_TIMINGS]; /* minimum and median of each of measured_timings() */
    uint32_t distance_bits, quality, reference_quality, full_distance_bits;
};
_Static_assert(sizeof(struct wire_measured) == 160, "no padding");

/* What a worker may give as its reasons; the others are the parent's to find. */
static const reason_set worker_reasons =
    REASON_BIT(REASON_MEDIA_UNRECOGNISED) | REASON_BIT(REASON_MEDIA_UNSUPPORTED) |
    REASON_BIT(REASON_MEDIA_CORRUPT) | REASON_BIT(REASON_MEDIA_LIMIT_PIXELS) |
    REASON_BIT(REASON_MEDIA_LIMIT_FRAMES) | REASON_BIT(REASON_MEDIA_LIMIT_TIME) |
    REASON_BIT(REASON_MEDIA_LIMIT_MEMORY);

static struct header header_of(unsigned int type, uint64_t number)
{
    return (struct header){.magic = MAGIC, .version = VERSION, .type = (uint16_t)type, .number = number};
}

static bool header_is(const struct header *header, unsigned int type, uint64_t number)
{
    return header->magic == MAGIC && header->version == VERSION && header->type == type &&
           header->number == number;
}

/* Which fields each job carries, and so which must be 0. */
static const struct job_form {
    enum job_type type;
    unsigned int files;
    bool limits, enrolment, repeats, probe;
} job_forms[] = {
    {JOB_EXAMINE, .files = 1, .limits = true, .enrolment = true},
    {JOB_SELF_TEST, .files = 0},
    {JOB_PROBE, .files = 0, .probe = true},
    {JOB_MEASURE, .files = 1, .limits = true, .repeats = true},
};

static const struct job_form *find_form(unsigned int type)
{
    for (size_t i = 0; i < sizeof job_forms / sizeof job_forms[0]; i++) {
        if ((unsigned int)job_forms[i].type == type)
            return &job_forms[i];
    }
    return NULL;
}

unsigned int message_job_files(enum job_type type)
{
    const struct job_form *form = find_form((unsigned int)type);

    BUG_ON(form == NULL);
    return form->files;
}

static bool job_is_valid(const struct wire_job *job, unsigned int files)
{
    const struct job_form *form = find_form(job->header.type);

    if (form == NULL || form->files != files || job->header.number == 0)
        return false;
    if (form->limits ? job->pixels_max == 0 || job->frames_max == 0 || job->time_us == 0
                     : job->size != 0 || job->pixels_max != 0 || job->frames_max != 0 || job->time_us != 0)
        return false;
    if (job->effort >= (form->limits ? EFFORT_COUNT : 1) || job->enrolment > (form->enrolment ? 1 : 0) ||
        job->unused != 0)
        return false;
    if (form->repeats ? job->repeats == 0 || job->repeats > MEASURE_REPEATS_MAX : job->repeats != 0)
        return false;
    if (form->probe)
        return job->call < PROBE_COUNT && job->parent_pid >= 1 && job->parent_pid <= INT32_MAX;
    return job->call == 0 && job->parent_pid == 0;
}

void message_write_job(const struct job *job, uint8_t packet[MESSAGE_JOB_SIZE])
{
    struct wire_job wire = {
        .header = header_of((unsigned int)job->type, job->number),
        .size = job->size,
        .pixels_max = job->pixels_max,
        .time_us = job->time_us,
        .frames_max = job->frames_max,
        .effort = (uint16_t)job->effort,
        .enrolment = job->enrolment,
        .repeats = job->repeats,
        .call = (uint32_t)job->call,
        .parent_pid = job->parent_pid,
    };

    BUG_ON(!job_is_valid(&wire, message_job_files(job->type)));
    memcpy(packet, &wire, sizeof wire);
}

int message_read_job(const uint8_t *packet, size_t size, unsigned int files, struct job *job)
{
    struct wire_job wire;

    if (size != sizeof wire)
        return -EPROTO;
    memcpy(&wire, packet, sizeof wire);
    if (!header_is(&wire.header, wire.header.type, wire.header.number) || !job_is_valid(&wire, files))
        return -EPROTO;
    *job = (struct job){
        .type = (enum job_type)wire.header.type,
        .number = wire.header.number,
        .size = wire.size,
        .pixels_max = wire.pixels_max,
        .time_us = wire.time_us,
        .frames_max = wire.frames_max,
        .effort = (enum effort)wire.effort,
        .enrolment = wire.enrolment != 0,
        .repeats = wire.repeats,
        .call = (enum probe_call)wire.call,
        .parent_pid = wire.parent_pid,
    };
    return 0;
}

static bool text_is_printable_ascii(const char *text, size_t capacity)
{
    size_t length = strnlen(text, capacity);

    for (size_t i = 0; i < length; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    }
    for (size_t i = length; i < capacity; i++) {
        if (text[i] != '\0')
            return false;
    }
    return length < capacity;
}

static bool examined_is_valid(const struct wire_examined *wire)
{
    bool decoded =
        wire->format != FORMAT_UNKNOWN && wire->frames >= 1 && wire->width >= 1 && wire->height >= 1;
    bool tiny = wire->width < PDQ_EDGE_MIN || wire->height < PDQ_EDGE_MIN;

    if (wire->format >= FORMAT_COUNT || (wire->reasons & ~worker_reasons) != 0 ||
        wire->view_count > EXAMINATION_VIEWS_MAX || wire->trailing >= TRAILING_COUNT ||
        (wire->trailing == TRAILING_NONE) != (wire->trailing_bytes == 0) || wire->unused != 0 ||
        !text_is_printable_ascii(wire->detail, sizeof wire->detail))
        return false;
    if (wire->view_count > 0)
        return decoded;
    /* No reason and no hash: all of the picture was seen, and it is too small to have one. */
    return wire->reasons != 0 || (decoded && tiny);
}

static bool view_is_valid(const struct wire_view *view, uint32_t frames)
{
    return view->view < VIEW_COUNT && view->frame < frames && view->quality <= 100 && view->unused == 0;
}

static void view_to_wire(const struct examined_view *view, struct wire_view *wire)
{
    *wire = (struct wire_view){.view = view->view, .frame = view->frame, .quality = view->quality};
    for (int i = 0; i < ORIENTATION_COUNT; i++)
        memcpy(wire->hashes[i], view->hashes[i].words, sizeof wire->hashes[i]);
}

static void view_from_wire(const struct wire_view *wire, struct examined_view *view)
{
    *view = (struct examined_view){.view = wire->view, .frame = wire->frame, .quality = wire->quality};
    for (int i = 0; i < ORIENTATION_COUNT; i++)
        memcpy(view->hashes[i].words, wire->hashes[i], sizeof wire->hashes[i]);
}

/* Writes views from *present on, as many as a packet takes. Returns their bytes. */
static size_t write_views(const struct examination *examination, uint32_t *present, uint8_t *at)
{
    uint32_t end = examination->view_count;
    struct wire_view wire;
    size_t size = 0;

    if (end - *present > MESSAGE_VIEWS_MAX)
        end = *present + MESSAGE_VIEWS_MAX;
    for (; *present < end; (*present)++, size += sizeof wire) {
        view_to_wire(&examination->views[*present], &wire);
        BUG_ON(!view_is_valid(&wire, examination->frames));
        memcpy(at + size, &wire, sizeof wire);
    }
    return size;
}

/* Reads size bytes of views, which must be as many as a packet takes, and moves *present past them. */
static int read_views(const uint8_t *at, size_t size, struct examination *examination, uint32_t *present)
{
    uint32_t count = examination->view_count - *present;
    struct wire_view wire;

    if (count > MESSAGE_VIEWS_MAX)
        count = MESSAGE_VIEWS_MAX;
    if (size != count * sizeof wire)
        return -EPROTO;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(&wire, at + i * sizeof wire, sizeof wire);
        if (!view_is_valid(&wire, examination->frames))
            return -EPROTO;
        view_from_wire(&wire, &examination->views[(*present)++]);
    }
    return 0;
}

size_t message_write_examined(uint64_t number, const struct examination *examination, uint8_t *packet)
{
    struct wire_examined wire = {
        .header = header_of(REPLY_EXAMINED, number),
        .format = (uint32_t)examination->format,
        .width = examination->width,
        .height = examination->height,
        .frames = examination->frames,
        .reasons = examination->reasons,
        .view_count = examination->view_count,
        .trailing_bytes = examination->trailing_bytes,
        .trailing = (uint32_t)examination->trailing,
    };
    uint32_t present = 0;

    memcpy(wire.detail, examination->detail, strnlen(examination->detail, sizeof wire.detail));
    BUG_ON(!examined_is_valid(&wire));
    memcpy(packet, &wire, sizeof wire);
    return sizeof wire + write_views(examination, &present, packet + sizeof wire);
}

int message_read_examined(const uint8_t *packet, size_t size, uint64_t number,
                          struct examination *examination, uint32_t *present)
{
    struct wire_examined wire;

    if (size < sizeof wire)
        return -EPROTO;
    memcpy(&wire, packet, sizeof wire);
    if (!header_is(&wire.header, REPLY_EXAMINED, number) || !examined_is_valid(&wire))
        return -EPROTO;
    examination->format = (enum media_format)wire.format;
    examination->width = wire.width;
    examination->height = wire.height;
    examination->frames = wire.frames;
    examination->reasons = wire.reasons;
    examination->decode_us = 0;
    examination->trailing = (enum trailing_data)wire.trailing;
    examination->trailing_bytes = wire.trailing_bytes;
    memcpy(examination->detail, wire.detail, sizeof wire.detail);
    examination->view_count = wire.view_count;
    *present = 0;
    return read_views(packet + sizeof wire, size - sizeof wire, examination, present);
}

size_t message_write_views(uint64_t number, const struct examination *examination, uint32_t *present,
                           uint8_t *packet)
{
    struct header header = header_of(REPLY_VIEWS, number);

    BUG_ON(*present >= examination->view_count);
    memcpy(packet, &header, sizeof header);
    return sizeof header + write_views(examination, present, packet + sizeof header);
}

int message_read_views(const uint8_t *packet, size_t size, uint64_t number, struct examination *examination,
                       uint32_t *present)
{
    struct header header;

    if (size < sizeof header || *present >= examination->view_count)
        return -EPROTO;
    memcpy(&header, packet, sizeof header);
    if (!header_is(&header, REPLY_VIEWS, number))
        return -EPROTO;
    return read_views(packet + sizeof header, size - sizeof header, examination, present);
}

static size_t write_number(unsigned int type, uint64_t number, uint32_t value, uint8_t *packet)
{
    struct wire_number wire = {.header = header_of(type, number), .value = value};

    memcpy(packet, &wire, sizeof wire);
    return sizeof wire;
}

static int read_number(const uint8_t *packet, size_t size, unsigned int type, uint64_t number,
                       uint32_t *value)
{
    struct wire_number wire;

    if (size != sizeof wire)
        return -EPROTO;
    memcpy(&wire, packet, sizeof wire);
    if (!header_is(&wire.header, type, number) || wire.unused != 0)
        return -EPROTO;
    *value = wire.value;
    return 0;
}

size_t message_write_self_tested(uint64_t number, uint32_t landlock_abi, uint8_t *packet)
{
    return write_number(REPLY_SELF_TESTED, number, landlock_abi, packet);
}

int message_read_self_tested(const uint8_t *packet, size_t size, uint64_t number, uint32_t *landlock_abi)
{
    return read_number(packet, size, REPLY_SELF_TESTED, number, landlock_abi);
}

size_t message_write_survived(uint64_t number, enum probe_call call, uint8_t *packet)
{
    return write_number(REPLY_SURVIVED, number, (uint32_t)call, packet);
}

int message_read_survived(const uint8_t *packet, size_t size, uint64_t number, enum probe_call call)
{
    uint32_t value = 0;
    int result = read_number(packet, size, REPLY_SURVIVED, number, &value);

    return result == 0 && value != (uint32_t)call ? -EPROTO : result;
}

static bool measured_is_valid(const struct wire_measured *wire)
{
    uint64_t any_time = 0;

    for (size_t i = 0; i < 2 * (size_t)MEASURED_TIMINGS; i += 2) {
        any_time |= wire->times_us[i] | wire->times_us[i + 1];
        if (wire->times_us[i] > wire->times_us[i + 1])
            return false;
    }
    if (wire->reasons != 0)
        return (wire->reasons & ~worker_reasons) == 0 && any_time == 0 && wire->format == 0 &&
               wire->width == 0 && wire->height == 0 && wire->distance_bits == 0 && wire->quality == 0 &&
               wire->reference_quality == 0 && wire->full_distance_bits == 0;
    return wire->format != FORMAT_UNKNOWN && wire->format < FORMAT_COUNT && wire->width >= PDQ_EDGE_MIN &&
           wire->height >= PDQ_EDGE_MIN && wire->distance_bits <= 256 && wire->quality <= 100 &&
           wire->reference_quality <= 100 && wire->full_distance_bits <= 256;
}

/* The timings of a measurement in the order of the wire. */
static void list_timings(struct worker_measurement *measured, struct worker_timing *timings[MEASURED_TIMINGS])
{
    size_t count = 0;

    timings[count++] = &measured->decode;
    for (size_t effort = 0; effort < EFFORT_COUNT; effort++)
        timings[count++] = &measured->examine[effort];
    timings[count++] = &measured->hash;
    timings[count++] = &measured->reference;
    timings[count++] = &measured->full;
}

size_t message_write_measured(uint64_t number, reason_set reasons, const struct worker_measurement *measured,
                              uint8_t *packet)
{
    struct wire_measured wire = {.header = header_of(REPLY_MEASURED, number), .reasons = reasons};
    struct worker_measurement copy = *measured;
    struct worker_timing *timings[MEASURED_TIMINGS];

    list_timings(&copy, timings);
    if (reasons == 0) {
        for (size_t i = 0; i < MEASURED_TIMINGS; i++) {
            wire.times_us[2 * i] = timings[i]->minimum_us;
            wire.times_us[2 * i + 1] = timings[i]->median_us;
        }
        wire.format = (uint32_t)measured->format;
        wire.width = measured->width;
        wire.height = measured->height;
        wire.distance_bits = measured->distance_bits;
        wire.quality = measured->quality;
        wire.reference_quality = measured->reference_quality;
        wire.full_distance_bits = measured->full_distance_bits;
    }
    BUG_ON(!measured_is_valid(&wire));
    memcpy(packet, &wire, sizeof wire);
    return sizeof wire;
}

int message_read_measured(const uint8_t *packet, size_t size, uint64_t number, reason_set *reasons,
                          struct worker_measurement *measured)
{
    struct worker_timing *timings[MEASURED_TIMINGS];
    struct wire_measured wire;

    if (size != sizeof wire)
        return -EPROTO;
    memcpy(&wire, packet, sizeof wire);
    if (!header_is(&wire.header, REPLY_MEASURED, number) || !measured_is_valid(&wire))
        return -EPROTO;
    *reasons = wire.reasons;
    *measured = (struct worker_measurement){
        .format = (enum media_format)wire.format,
        .width = wire.width,
        .height = wire.height,
        .distance_bits = wire.distance_bits,
        .quality = wire.quality,
        .reference_quality = wire.reference_quality,
        .full_distance_bits = wire.full_distance_bits,
    };
    list_timings(measured, timings);
    for (size_t i = 0; i < MEASURED_TIMINGS; i++)
        *timings[i] = (struct worker_timing){wire.times_us[2 * i], wire.times_us[2 * i + 1]};
    return 0;
}
