/* Makes allocations fail on purpose, those inside libraries too. For exactly one file of a test program: it
 * defines malloc(), calloc() and realloc() for the whole process, in front of those of libc or of
 * AddressSanitizer. */
#ifndef PRESCREEN_TESTS_UNIT_ALLOCATION_FAULTS_H
#define PRESCREEN_TESTS_UNIT_ALLOCATION_FAULTS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ALLOCATIONS_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(ALLOCATIONS_SANITIZED)
#define ALLOCATIONS_SANITIZED
#endif

#ifdef ALLOCATIONS_SANITIZED
#define REAL_ALLOCATOR(name) __interceptor_##name
#else
#define REAL_ALLOCATOR(name) __libc_##name
#endif

void *REAL_ALLOCATOR(malloc)(size_t size);
void *REAL_ALLOCATOR(calloc)(size_t count, size_t size);
void *REAL_ALLOCATOR(realloc)(void *old, size_t size);

static unsigned long allocations_until_failure; /* 0 = none fails */
static unsigned long allocations_failed;

/* Lets the nth allocation from now fail (1 = the next), once. 0 = none. */
static inline void fail_allocation(unsigned long nth)
{
    allocations_until_failure = nth;
    allocations_failed = 0;
}

/* Whether the allocation that was to fail was reached. */
static inline bool allocation_has_failed(void)
{
    return allocations_failed > 0;
}

static bool allocation_fails(void)
{
    if (allocations_until_failure == 0 || --allocations_until_failure > 0)
        return false;
    allocations_failed++;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return allocation_fails() ? NULL : REAL_ALLOCATOR(malloc)(size);
}

void *calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : REAL_ALLOCATOR(calloc)(count, size);
}

void *realloc(void *old, size_t size)
{
    return allocation_fails() ? NULL : REAL_ALLOCATOR(realloc)(old, size);
}

#endif
