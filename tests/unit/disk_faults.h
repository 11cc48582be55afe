/* A disk that fails on purpose, between SQLite and the real one. For exactly one file of a test program; call
 * install_disk_faults() before anything is opened. */
#ifndef PRESCREEN_TESTS_UNIT_DISK_FAULTS_H
#define PRESCREEN_TESTS_UNIT_DISK_FAULTS_H

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

struct faulty_file {
    sqlite3_file base;
    sqlite3_file *real; /* lies behind this one */
};

static struct {
    sqlite3_vfs *real;
    sqlite3_vfs vfs;
    unsigned long until; /* calls until one fails; 0 = none */
    bool stays;          /* every later call fails too */
    bool failed;
    int system;          /* errno that goes with it */
    unsigned long syncs; /* successful ones so far */
} disk;

/* Lets the nth call from now that reads, writes or flushes fail (1 = the next); with stays every later one
 * too. */
static inline void fail_disk(unsigned long nth, bool stays, int system)
{
    disk.until = nth;
    disk.stays = stays;
    disk.failed = false;
    disk.system = system;
}

static inline void heal_disk(void)
{
    disk.until = 0;
    disk.stays = false;
}

static inline bool disk_has_failed(void)
{
    return disk.failed;
}

static bool disk_fails(void)
{
    bool fails = disk.failed && disk.stays;

    if (disk.until > 0 && --disk.until == 0)
        fails = true;
    if (!fails)
        return false;
    disk.failed = true;
    errno = disk.system;
    return true;
}

static int write_fault(void)
{
    return disk.system == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

#define REAL(file) (((struct faulty_file *)(file))->real)

static int faulty_close(sqlite3_file *file)
{
    return REAL(file)->pMethods->xClose(REAL(file));
}

static int faulty_read(sqlite3_file *file, void *data, int size, sqlite3_int64 at)
{
    return disk_fails() ? SQLITE_IOERR_READ : REAL(file)->pMethods->xRead(REAL(file), data, size, at);
}

static int faulty_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    return disk_fails() ? write_fault() : REAL(file)->pMethods->xWrite(REAL(file), data, size, at);
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return disk_fails() ? SQLITE_IOERR_TRUNCATE : REAL(file)->pMethods->xTruncate(REAL(file), size);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
    if (disk_fails())
        return SQLITE_IOERR_FSYNC;
    /* Counted only: these tests never lose power, and flushing would take most of their time. */
    (void)file;
    (void)flags;
    disk.syncs++;
    return SQLITE_OK;
}

static int faulty_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return disk_fails() ? SQLITE_IOERR_FSTAT : REAL(file)->pMethods->xFileSize(REAL(file), size);
}

static int plain_lock(sqlite3_file *file, int kind)
{
    return REAL(file)->pMethods->xLock(REAL(file), kind);
}

static int plain_unlock(sqlite3_file *file, int kind)
{
    return REAL(file)->pMethods->xUnlock(REAL(file), kind);
}

static int plain_check_lock(sqlite3_file *file, int *held)
{
    return REAL(file)->pMethods->xCheckReservedLock(REAL(file), held);
}

static int plain_control(sqlite3_file *file, int request, void *argument)
{
    return REAL(file)->pMethods->xFileControl(REAL(file), request, argument);
}

static int plain_sector_size(sqlite3_file *file)
{
    return REAL(file)->pMethods->xSectorSize(REAL(file));
}

static int plain_characteristics(sqlite3_file *file)
{
    return REAL(file)->pMethods->xDeviceCharacteristics(REAL(file));
}

static int faulty_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **memory)
{
    return disk_fails() ? SQLITE_IOERR_SHMMAP
                        : REAL(file)->pMethods->xShmMap(REAL(file), region, size, extend, memory);
}

static int plain_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return REAL(file)->pMethods->xShmLock(REAL(file), offset, count, flags);
}

static void plain_shm_barrier(sqlite3_file *file)
{
    REAL(file)->pMethods->xShmBarrier(REAL(file));
}

static int plain_shm_unmap(sqlite3_file *file, int remove)
{
    return REAL(file)->pMethods->xShmUnmap(REAL(file), remove);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    static const sqlite3_io_methods methods = {.iVersion = 2,
                                               .xClose = faulty_close,
                                               .xRead = faulty_read,
                                               .xWrite = faulty_write,
                                               .xTruncate = faulty_truncate,
                                               .xSync = faulty_sync,
                                               .xFileSize = faulty_size,
                                               .xLock = plain_lock,
                                               .xUnlock = plain_unlock,
                                               .xCheckReservedLock = plain_check_lock,
                                               .xFileControl = plain_control,
                                               .xSectorSize = plain_sector_size,
                                               .xDeviceCharacteristics = plain_characteristics,
                                               .xShmMap = faulty_shm_map,
                                               .xShmLock = plain_shm_lock,
                                               .xShmBarrier = plain_shm_barrier,
                                               .xShmUnmap = plain_shm_unmap};
    struct faulty_file *faulty = (struct faulty_file *)(void *)file;

    (void)vfs;
    faulty->base.pMethods = NULL;
    if (disk_fails())
        return SQLITE_CANTOPEN;
    faulty->real = (sqlite3_file *)(faulty + 1);
    int code = disk.real->xOpen(disk.real, name, faulty->real, flags, out_flags);
    if (code == SQLITE_OK)
        faulty->base.pMethods = &methods;
    return code;
}

static inline void install_disk_faults(void)
{
    /* What is made and removed thousands of times need not reach a disk. */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    disk.real = sqlite3_vfs_find(NULL);
    if (disk.real == NULL)
        abort();
    disk.vfs = *disk.real;
    disk.vfs.zName = "faulty";
    disk.vfs.szOsFile = (int)sizeof(struct faulty_file) + disk.real->szOsFile;
    disk.vfs.xOpen = faulty_open;
    if (sqlite3_vfs_register(&disk.vfs, 1) != SQLITE_OK)
        abort();
}

#endif
