/* Time: a clock that never goes back for deadlines, the calendar for records. All values in microseconds. */
#ifndef PRESCREEN_BASE_CLOCK_H
#define PRESCREEN_BASE_CLOCK_H

#include <stdint.h>

enum { CLOCK_RFC3339_SIZE = 32 };

/* CLOCK_MONOTONIC. */
uint64_t clock_monotonic_us(void);

/* Time since 1970-01-01T00:00:00Z. */
uint64_t clock_wall_us(void);

/* Writes "2026-01-31T23:59:59.123456Z" and a terminator. Source: RFC 3339. */
void clock_format_rfc3339(uint64_t wall_us, char text[CLOCK_RFC3339_SIZE]);

/* Milliseconds from now until deadline (monotonic), rounded up, 0 when past, for poll(2). */
int clock_poll_timeout_ms(uint64_t deadline_us);

#endif
