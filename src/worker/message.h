/* What parent and worker say to each other: fixed layouts in this machine's byte order, one message a packet,
 * every field of which the receiver checks. */
#ifndef PRESCREEN_WORKER_MESSAGE_H
#define PRESCREEN_WORKER_MESSAGE_H

#include "prescreen/worker/examination.h"
#include "prescreen/worker/measure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum job_type { JOB_EXAMINE = 1, JOB_SELF_TEST, JOB_PROBE, JOB_MEASURE };

/* The calls that a probe tries. */
enum probe_call { PROBE_OPEN, PROBE_SOCKET, PROBE_EXECVE, PROBE_FORK, PROBE_KILL_PARENT, PROBE_COUNT };

/* Parent to worker. Fields that a type does not use are 0. */
struct job {
    enum job_type type;
    uint64_t number;      /* at least 1; the answer carries it */
    uint64_t size;        /* of the file, in bytes. EXAMINE, MEASURE */
    uint64_t pixels_max;  /* at least 1. EXAMINE, MEASURE */
    uint64_t time_us;     /* at least 1: what the worker may take before it stops looking. EXAMINE, MEASURE */
    uint32_t frames_max;  /* at least 1. EXAMINE, MEASURE */
    enum effort effort;   /* EXAMINE, MEASURE */
    bool enrolment;       /* EXAMINE */
    uint32_t repeats;     /* 1-MEASURE_REPEATS_MAX. MEASURE */
    enum probe_call call; /* PROBE */
    uint32_t parent_pid;  /* at least 1. PROBE */
};

enum { MESSAGE_JOB_SIZE = 64, MESSAGE_REPLY_MAX = 70000, MESSAGE_VIEWS_MAX = 256 };

/* Files that travel with a job of this type: 0 or 1. */
unsigned int message_job_files(enum job_type type);

/* Writes the job, which must be valid. */
void message_write_job(const struct job *job, uint8_t packet[MESSAGE_JOB_SIZE]);

/* Reads a packet that came with that many files. Errors: -EPROTO on anything that message_write_job() would
 * not have written; job is then undefined. */
int message_read_job(const uint8_t *packet, size_t size, unsigned int files, struct job *job);

/* The answers. Each writer returns the size of what it wrote, at most MESSAGE_REPLY_MAX; what it is given
 * must be valid. Each reader takes a packet as the answer to the job of that number, and returns -EPROTO,
 * output undefined, on anything that its writer would not have written. */

/* decode_us does not travel: the parent's clock counts. The packet has the first MESSAGE_VIEWS_MAX views;
 * those that follow, up to examination->view_count, come in packets of their own. Reading sets *present to
 * the views that are there. */
size_t message_write_examined(uint64_t number, const struct examination *examination, uint8_t *packet);
int message_read_examined(const uint8_t *packet, size_t size, uint64_t number,
                          struct examination *examination, uint32_t *present);

/* The next at most MESSAGE_VIEWS_MAX views from *present (less than view_count) on, which is moved past them.
 */
size_t message_write_views(uint64_t number, const struct examination *examination, uint32_t *present,
                           uint8_t *packet);
int message_read_views(const uint8_t *packet, size_t size, uint64_t number, struct examination *examination,
                       uint32_t *present);

size_t message_write_self_tested(uint64_t number, uint32_t landlock_abi, uint8_t *packet);
int message_read_self_tested(const uint8_t *packet, size_t size, uint64_t number, uint32_t *landlock_abi);

/* The forbidden call was made and the worker still lives. */
size_t message_write_survived(uint64_t number, enum probe_call call, uint8_t *packet);
int message_read_survived(const uint8_t *packet, size_t size, uint64_t number, enum probe_call call);

/* With reasons 0 the measurement, else only why there is none. */
size_t message_write_measured(uint64_t number, reason_set reasons, const struct worker_measurement *measured,
                              uint8_t *packet);
int message_read_measured(const uint8_t *packet, size_t size, uint64_t number, reason_set *reasons,
                          struct worker_measurement *measured);

#endif
