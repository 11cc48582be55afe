/* Identifiers that sort by time. */
#ifndef PRESCREEN_BASE_UUID_H
#define PRESCREEN_BASE_UUID_H

enum { UUID_TEXT_SIZE = 37 };

/* Writes a new UUIDv7, lower case, terminated: 48 bits of wall-clock milliseconds, the rest from the kernel's
 * random source. Errors: -errno when the kernel gives no randomness. Source: RFC 9562 section 5.7. */
int uuid_make_v7(char text[UUID_TEXT_SIZE]);

#endif
